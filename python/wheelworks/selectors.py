"""Selectors over cell ids with ``*``, ``?`` and ``{a,b}``, as in cibuildwheel.

Takes patterns and ids, gives ids. Does not know what a cell is. Case matters, because wheel tags
are lower case. A pattern that is a plain path or holds other glob characters is an error, so that a
mistyped selector never selects silently.
"""

from __future__ import annotations

from collections.abc import Sequence


def expand_braces(pattern: str) -> tuple[str, ...]:
    """``cp31{3,4}-*`` -> (``cp313-*``, ``cp314-*``); nested braces too.

    Raises:
        ValueError: unbalanced braces, or more than 1000 alternatives.
    """
    raise NotImplementedError


def matches(identifier: str, pattern: str) -> bool:
    """Whether the pattern (which may hold several, separated by white space) matches the whole id."""
    raise NotImplementedError


def select(identifiers: Sequence[str], patterns: Sequence[str], *, skip: Sequence[str] = ()) -> tuple[str, ...]:
    """The ids that a pattern matches and no skip pattern does, in the given order; all when there is no pattern."""
    raise NotImplementedError


def unmatched(identifiers: Sequence[str], patterns: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """The patterns that match nothing, each with the nearest id (difflib), or None."""
    raise NotImplementedError
