"""Writes the hashes of the pinned tools to python/wheelworks/resources/tools, one file per tool.

A maintainer's job after changing a version in ``wheelworks.tools.PINS``: ``python
scripts/refresh_tools.py`` in an environment with wheelworks and uv. Asks the package index; the
files are for every system and Python from 3.11 on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from wheelworks.tools import PINS

FOLDER = Path(__file__).parent.parent / "python" / "wheelworks" / "resources" / "tools"
LOWEST_PYTHON = "3.11"


def compile_hashes(name: str, version: str) -> str:
    """The requirement file of a tool: itself and what it depends on, each with all its hashes.

    Raises:
        subprocess.CalledProcessError: uv found no solution or no index.
    """
    command = (
        "uv",
        "pip",
        "compile",
        "--universal",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--python-version",
        LOWEST_PYTHON,
        "-",
    )
    done = subprocess.run(
        command, input=f"{name}=={version}\n", capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    return done.stdout


def main() -> None:
    """Refresh the files of the named tools, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="tools; all without any")
    names: list[str] = parser.parse_args().names or list(PINS)
    unknown = sorted(set(names) - set(PINS))
    if unknown:
        parser.error(f"not pinned: {', '.join(unknown)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        FOLDER.joinpath(f"{name}.txt").write_text(
            compile_hashes(name, PINS[name]), encoding="utf-8"
        )
        sys.stderr.write(f"{name} {PINS[name]} written\n")


if __name__ == "__main__":
    main()
