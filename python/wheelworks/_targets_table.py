"""The table behind targets.py, as typed rows.

Takes ``resources/targets.toml``, gives its content. Does not know what a row is good for.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Literal, NotRequired, TypedDict, cast

#: A ``[[target]]``; the functional form, because TOML keys have hyphens.
TargetRow = TypedDict(
    "TargetRow",
    {
        "name": str,
        "system": Literal["manylinux", "musllinux", "macosx", "win"],
        "arch": str,
        "triples": list[str],
        "windows-gnu": NotRequired[str],
        "oci": NotRequired[str],
        "policy": str,
        "minimum-macos": NotRequired[dict[str, str]],
        "zig-links": NotRequired[bool],
        "pypy": NotRequired[bool],
    },
)


class TargetsTable(TypedDict):
    """``resources/targets.toml``; its head says what the columns mean."""

    levels: dict[str, list[str]]
    target: list[TargetRow]


@lru_cache(maxsize=1)
def targets_table() -> TargetsTable:
    """The parsed table, read once from the package's own files."""
    import tomllib  # here, because most starts need no target

    text = resources.files("wheelworks.resources").joinpath("targets.toml").read_text("utf-8")
    return cast("TargetsTable", tomllib.loads(text))
