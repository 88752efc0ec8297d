"""Selectors over cell ids with ``*``, ``?`` and ``{a,b}``, as in cibuildwheel.

Takes patterns and ids, gives ids. Does not know what a cell is. Case matters, because wheel tags
are lower case. A pattern that is a plain path or holds other glob characters is an error, so that a
mistyped selector never selects silently.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAXIMUM_ALTERNATIVES = 1000
_NEAR_ENOUGH = 0.6
_TOKEN = re.compile(r"[{},]|[^{},]+")
_FOREIGN = re.compile(r"[^A-Za-z0-9_\-*?{},]")
_SEQUENCE = re.compile(r"\{[^{},]*\.\.[^{},]*\}")


def expand_braces(pattern: str) -> tuple[str, ...]:
    """``cp31{3,4}-*`` -> (``cp313-*``, ``cp314-*``); nested braces too.

    Args:
        pattern: one pattern; a comma outside braces stands for itself.

    Raises:
        ValueError: unbalanced braces, or more than 1000 alternatives.
    """
    # A frame per open brace: the alternatives that a comma has closed, and those being written.
    # The stack is ours, so that deep nesting can't exhaust Python's.
    frames: list[tuple[list[str], list[str]]] = [([], [""])]
    for token in _TOKEN.findall(pattern):
        closed, current = frames[-1]
        if token == "{":
            frames.append(([], [""]))
        elif token == "," and len(frames) > 1:
            frames[-1] = ([*closed, *current], [""])
        elif token == "}":
            if len(frames) == 1:
                raise ValueError(f"selector {pattern!r} closes a brace that it never opened")
            frames.pop()
            outer_closed, outer = frames[-1]
            inner = [*closed, *current]
            _refuse_too_many(pattern, len(outer) * len(inner))
            frames[-1] = (outer_closed, [start + end for start in outer for end in inner])
        else:
            frames[-1] = (closed, [start + token for start in current])
        _refuse_too_many(pattern, sum(map(len, frames[-1])))
    if len(frames) > 1:
        raise ValueError(f"selector {pattern!r} opens a brace that it never closes")
    return tuple(frames[0][1])


def _refuse_too_many(pattern: str, count: int) -> None:
    if count > MAXIMUM_ALTERNATIVES:
        raise ValueError(
            f"selector {pattern[:60]!r} stands for more than {MAXIMUM_ALTERNATIVES} alternatives"
        )


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A predicate for ids: whether one of the patterns matches the whole id.

    Compiles each pattern once; for use on many ids.

    Raises:
        ValueError: a pattern is no selector; the message says why and what to write.
    """
    compiled = tuple(_compiled(word) for pattern in patterns for word in pattern.split())
    return lambda identifier: any(pattern.fullmatch(identifier) for pattern in compiled)


def matches(identifier: str, pattern: str) -> bool:
    """Whether the pattern (which may hold several, separated by white space) matches the whole id.

    Raises:
        ValueError: as :func:`matcher`.
    """
    return matcher((pattern,))(identifier)


def select(
    identifiers: Sequence[str], patterns: Sequence[str], *, skip: Sequence[str] = ()
) -> tuple[str, ...]:
    """The ids that a pattern matches and no skip pattern does, in the given order.

    All ids when there is no pattern.

    Raises:
        ValueError: as :func:`matcher`.
    """
    is_wanted = matcher(patterns or ("*",))
    is_skipped = matcher(skip)
    return tuple(
        identifier
        for identifier in identifiers
        if is_wanted(identifier) and not is_skipped(identifier)
    )


def unmatched(
    identifiers: Sequence[str], patterns: Sequence[str]
) -> tuple[tuple[str, str | None], ...]:
    """The patterns that match nothing, each with the nearest id, or None when none is near.

    A pattern that holds several gives an entry for each of them that matches nothing.

    Raises:
        ValueError: as :func:`matcher`.
    """
    words = [word for pattern in patterns for word in pattern.split()]
    return tuple(
        (word, _nearest(identifiers, word))
        for word in words
        if not any(map(matcher((word,)), identifiers))
    )


@lru_cache(maxsize=1024)
def _compiled(word: str) -> re.Pattern[str]:
    """One regular expression for all alternatives of a pattern.

    fnmatch writes atomic groups for ``*``, so that many stars take no exponential time.
    """
    _refuse_foreign(word)
    return re.compile("|".join(fnmatch.translate(plain) for plain in expand_braces(word)))


def _refuse_foreign(word: str) -> None:
    """Raise for what is no selector although it could be taken for one."""
    if _SEQUENCE.search(word):
        raise ValueError(
            f"selector {word!r} holds a range; write the values, as in cp31{{2,3,4}}-*"
        )
    if foreign := _FOREIGN.search(word):
        raise ValueError(
            f"selector {word!r} holds {foreign.group()!r}, which no cell id has; "
            "write a cell id with *, ? or {a,b}, as in cp313-manylinux_*"
        )
    depth = 0
    for character in word:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth <= 0:
            raise ValueError(
                f"selector {word!r} holds a comma outside braces; "
                "separate selectors by spaces, or write {a,b}"
            )


def _nearest(identifiers: Sequence[str], word: str) -> str | None:
    """The id that the pattern comes nearest to, case aside.

    A pattern with wildcards is compared by its literal text alone, because what a star
    stands for is no difference.
    """
    literal = re.sub(r"[*?]", "", expand_braces(word)[0]).lower()
    has_wildcards = literal != word.lower()
    comparer = difflib.SequenceMatcher(autojunk=False)
    comparer.set_seq2(literal)
    best: tuple[float, str | None] = (_NEAR_ENOUGH, None)
    for identifier in identifiers:
        comparer.set_seq1(identifier.lower())
        if has_wildcards:
            shared = sum(block.size for block in comparer.get_matching_blocks())
            score = shared / len(literal) if literal else 0.0
        else:
            score = comparer.ratio()
        if score > best[0]:
            best = (score, identifier)
    return best[1]
