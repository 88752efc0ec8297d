"""A failed result with what helps: its log, what is known of such a failure, the command that repeats it.

Takes a result and flags; reads the job's log, changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.events import Outcome
from wheelworks.process import quote_command
from wheelworks.report.hints import find_hints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.report.model import JobResult


def with_help(
    result: JobResult, *, cells: Sequence[str], log: Path, repeat_flags: Sequence[str]
) -> JobResult:
    """The result of a failed job, completed; any other as it is.

    Args:
        result: how the job ended.
        cells: those that its failure costs; the first one names the command that repeats it.
        log: where its log lies if it has one; a job that an exception ended does not name it.
        repeat_flags: flags of this run without which the command would do something else.
    """
    if result.outcome is not Outcome.FAILED:
        return result
    found = result.log or (str(log) if log.exists() else None)
    if result.kind == "sdist":
        what: tuple[str, ...] = ("build", "--sdist-only")
    else:
        what = (result.kind, cells[0])
    return replace(
        result,
        log=found,
        # Where the cause is known, a guess from the log would only contradict it.
        hints=() if result.cure is not None else find_hints(_text(found)),
        repeat=quote_command(("wheelworks", *what, *repeat_flags)),
    )


def _text(log: str | None) -> str:
    """What the log holds; nothing when it can't be read (any more)."""
    try:
        return "" if log is None else Path(log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
