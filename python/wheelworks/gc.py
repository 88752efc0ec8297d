"""Which build folders go. Pure: sizes and times in, names out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY_SECONDS = 86400.0
#: A build folder that was not used for so long is of a toolchain or option that is gone.
UNUSED_SECONDS = 30 * DAY_SECONDS
#: So many of the newest runs are kept, for so long.
KEPT_RUNS = 50
KEPT_RUN_SECONDS = 90 * DAY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A build key's folders (target folder and snapshot)."""

    name: str
    size: int
    """Bytes."""
    last_used: float
    """Seconds since the epoch."""


def choose_removals(
    candidates: Sequence[Candidate], *, max_bytes: int | None, unused_since: float
) -> tuple[Candidate, ...]:
    """What to remove, the longest unused first.

    Args:
        candidates: everything there is.
        max_bytes: what remains is at most so large; None for no limit.
        unused_since: folders last used before this time go in any case (seconds since the epoch).
    """
    kept = sum(candidate.size for candidate in candidates)
    removed = []
    for candidate in sorted(candidates, key=lambda one: (one.last_used, one.name)):
        is_too_much = max_bytes is not None and kept > max_bytes
        if not is_too_much and candidate.last_used >= unused_since:
            break
        kept -= candidate.size
        removed.append(candidate)
    return tuple(removed)
