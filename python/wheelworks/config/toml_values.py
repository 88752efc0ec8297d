"""Looks into TOML that others wrote for other tools: a value of the wanted type, or nothing.

Pure. For files whose own tool complains of wrong types, so that no fault is made of them here.
"""

from __future__ import annotations

from collections.abc import Mapping


def table_at(document: object, *keys: str) -> Mapping[str, object]:
    """The table under a path of keys; empty when there is none."""
    found = value_at(document, *keys)
    return found if isinstance(found, Mapping) else {}


def text_at(document: object, *keys: str) -> str | None:
    """The string under a path of keys; None when there is none."""
    found = value_at(document, *keys)
    return found if isinstance(found, str) and "\0" not in found else None


def texts_at(document: object, *keys: str) -> tuple[str, ...]:
    """The strings of the list under a path of keys; what is no string is left out."""
    found = value_at(document, *keys)
    return texts_of(found)


def texts_of(value: object) -> tuple[str, ...]:
    """The strings in a list; empty for what is no list."""
    if not isinstance(value, list | tuple):
        return ()
    return tuple(item for item in value if isinstance(item, str) and "\0" not in item)


def value_at(document: object, *keys: str) -> object:
    """The value under a path of keys; None when the path leads nowhere."""
    found = document
    for key in keys:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found
