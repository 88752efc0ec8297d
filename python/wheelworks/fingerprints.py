"""What a job reads -> its fingerprint; two fingerprints -> what changed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """What differs, for people: ``src/lib.rs changed``, ``maturin 1.15.0 -> 1.16.0``, ``tests/new.py is new``."""
    raise NotImplementedError
