"""What a job reads -> its fingerprint; two fingerprints -> what changed. Pure.

Takes and gives plain text; does not know how a value was found, nor what a job is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A value that says nothing to a person: a digest.
_DIGEST = re.compile(r"(?:[a-z0-9]+:)?[0-9a-f]{16,}")
_LONGEST_SHOWN = 60


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """What differs, for people: ``src/lib.rs changed``, ``maturin 1.15.0 -> 1.16.0``.

    Args:
        before: name -> value or digest, as the last success left it.
        now: the same of the present state.

    Returns:
        One fragment per name that differs, sorted by name; ``tests/new.py is new`` and
        ``tests/old.py is gone`` for a name that only one of them has.
    """
    names = sorted(before.keys() | now.keys())
    return tuple(
        _difference(name, before.get(name), now.get(name))
        for name in names
        if before.get(name) != now.get(name)
    )


def _difference(name: str, before: str | None, now: str | None) -> str:
    if before is None:
        return f"{name} is new"
    if now is None:
        return f"{name} is gone"
    if _is_worth_showing(before) and _is_worth_showing(now):
        return f"{name} {before or '(empty)'} -> {now or '(empty)'}"
    return f"{name} changed"


def _is_worth_showing(value: str) -> bool:
    return len(value) <= _LONGEST_SHOWN and value.isprintable() and not _DIGEST.fullmatch(value)
