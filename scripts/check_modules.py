"""Checks section 11 of docs/design.md: every module is named, and imports only from its own row and those above.

    python scripts/check_modules.py --check

Imports that only type checkers see do not count.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "wheelworks"
PAGE = ROOT / "docs" / "design.md"
HEADING = "## 11. The modules"
HEAD_ROWS = 2
_NAME = re.compile(r"`([a-z_0-9.]+)`")


def main() -> int:
    """Print what is wrong; 1 when something is."""
    ranks = ranks_of(PAGE.read_text(encoding="utf-8"))
    modules = {name: path for path in PACKAGE.rglob("*.py") if (name := module_name(path))}
    faults = [f"section 11 does not name {name}" for name in sorted(modules.keys() - ranks.keys())]
    faults += [
        f"section 11 names {name}, which is no module"
        for name in sorted(ranks.keys() - modules.keys())
    ]
    if not faults:
        faults = [
            fault for name in sorted(modules) for fault in climbing(name, modules[name], ranks)
        ]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{len(modules)} modules, {len(faults)} faults\n")
    return 1 if faults else 0


def ranks_of(page: str) -> dict[str, int]:
    """Module -> number of its row in the table."""
    rows = [line for line in page.partition(HEADING)[2].splitlines() if line.startswith("|")]
    return {
        name: number for number, row in enumerate(rows[HEAD_ROWS:]) for name in _NAME.findall(row)
    }


def module_name(path: Path) -> str | None:
    """Dotted name below the package; None for files that are no module of their own."""
    if path.name in ("__init__.py", "__main__.py"):
        return None
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def climbing(name: str, path: Path, ranks: dict[str, int]) -> Iterator[str]:
    """A fault for each import of a module from a row below its own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for imported in imports(tree.body):
        if ranks.get(imported, 0) > ranks[name]:
            yield f"{name} imports {imported}, which stands below it in section 11"


def imports(body: Iterable[ast.AST]) -> Iterator[str]:
    """Names below the package that the statements import when they run."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").partition(".")[0] == PACKAGE.name
        ):
            base = (node.module or "").partition(".")[2]
            yield base
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)
        elif isinstance(node, ast.stmt):
            yield from imports(ast.iter_child_nodes(node))


if __name__ == "__main__":
    sys.exit(main())
