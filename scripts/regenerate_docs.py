"""Rewrites what is derived from config/settings.py: the JSON schema and the tables of the docs.

(!) Run it from anywhere after an option has changed; with ``--check`` it writes nothing and exits 1
when a file is out of step.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))

from wheelworks.config.schema import replace_tables, schema_text  # noqa: E402  after the path

SETTINGS = ROOT / "python" / "wheelworks" / "config" / "settings.py"
SCHEMA = ROOT / "python" / "wheelworks" / "resources" / "schema.json"
DOCS = ROOT / "docs" / "configuration.md"


def derived_files() -> dict[Path, str]:
    """What each derived file has to hold."""
    source = SETTINGS.read_text(encoding="utf-8")
    docs = replace_tables(DOCS.read_text(encoding="utf-8"), source)
    return {SCHEMA: schema_text(source), DOCS: docs}


def main() -> int:
    """Write the files, or, with ``--check``, name those out of step; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 on a difference"
    )
    check = bool(parser.parse_args().check)
    stale = [
        (path, text)
        for path, text in derived_files().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        if not check:
            path.write_text(text, encoding="utf-8")
        verb = "is out of step with" if check else "was renewed from"
        sys.stderr.write(f"{path.relative_to(ROOT)} {verb} {SETTINGS.relative_to(ROOT)}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
