"""Takes auditwheel's policies into ``python/wheelworks/resources/policies``.

Run it with the interpreter of an environment that holds the auditwheel release to take. Writes
``manylinux.json``, ``musllinux.json`` and the licence text; everything else stays as it is.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import sys
from pathlib import Path

PACKAGE = "auditwheel"
DEFAULT_FOLDER = Path(__file__).parents[1] / "python" / "wheelworks" / "resources" / "policies"


def render_policies(text: str, *, file_name: str, version: str) -> str:
    """Our resource file: where the policies are from, then the policies, untouched.

    Args:
        text: JSON as auditwheel ships it.
        file_name: name of auditwheel's file.
        version: auditwheel's version.
    """
    document = {
        "source": f"{PACKAGE} {version}, auditwheel/policy/{file_name}",
        "license": "MIT, see LICENSE.auditwheel",
        "policies": json.loads(text),
    }
    spread = json.dumps(document, indent=1)
    # Innermost lists on one line each: a refresh then shows as a readable difference.
    return re.sub(r"\[\s+([^][{}]+?)\s+\]", join_lines, spread) + "\n"


def join_lines(found: re.Match[str]) -> str:
    """The list that was found, on one line."""
    return "[" + re.sub(r",\s+", ", ", found[1]) + "]"


def read_text(distribution: importlib.metadata.Distribution, name: str) -> str:
    """Text of the installed file whose path ends with ``name``.

    Raises:
        SystemExit: the installed auditwheel has no such file.
    """
    for path in distribution.files or ():
        if path.as_posix().endswith(name):
            return path.read_text(encoding="utf-8")
    sys.exit(f"{PACKAGE} {distribution.version} has no file {name}")


def main() -> None:
    """Read auditwheel's files and replace ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    folder: Path = parser.parse_args().folder
    distribution = importlib.metadata.distribution(PACKAGE)
    for system in ("manylinux", "musllinux"):
        file_name = f"{system}-policy.json"
        text = read_text(distribution, f"auditwheel/policy/{file_name}")
        rendered = render_policies(text, file_name=file_name, version=distribution.version)
        (folder / f"{system}.json").write_text(rendered, encoding="utf-8")
    licence = read_text(distribution, "licenses/LICENSE")
    (folder / "LICENSE.auditwheel").write_text(licence, encoding="utf-8")


if __name__ == "__main__":
    main()
