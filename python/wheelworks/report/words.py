"""Words and groups that several forms of a report share.

Takes results, gives strings and groups of names. Does not know where they are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheelworks.events import JobKind
    from wheelworks.report.model import JobResult


def job_label(
    kind: JobKind | None,
    title: str,
    cells: Sequence[str],
    *,
    with_kind: bool,
    is_emulated: bool = False,
) -> str:
    """What a job is called on screen: its cell, or the first of several and how many more.

    Args:
        kind: None for a job of which nothing but the id is known.
        title: what stands for a job without cells.
        cells: the cells that it serves.
        with_kind: whether jobs of several kinds are shown side by side.
        is_emulated: whether it runs under an emulator, which nobody may take for the real machine.
    """
    mark = " (emulated)" if is_emulated else ""
    if not cells:
        return title + mark
    more = f" +{len(cells) - 1}" if len(cells) > 1 else ""
    prefix = f"{kind} " if with_kind and kind else ""
    return f"{prefix}{cells[0]}{more}{mark}"


def shows_kinds(kinds: Iterable[JobKind | None]) -> bool:
    """Whether labels must say build or test, because a run has both."""
    return {"build", "test"} <= set(kinds)


def unavailable_groups(
    results: Iterable[JobResult],
) -> dict[tuple[str, str | None], tuple[str, ...]]:
    """(reason, cure) -> the cells that are unavailable for it, in the order of the results."""
    groups: dict[tuple[str, str | None], tuple[str, ...]] = {}
    for result in results:
        if result.outcome is Outcome.UNAVAILABLE:
            key = (result.reason or "no reason given", result.cure)
            known = groups.get(key, ())
            names = result.cells or (result.job_id,)
            groups[key] = known + tuple(name for name in names if name not in known)
    return groups


def counts_text(result: JobResult) -> str:
    """``132 passed``, ``130 passed, 2 failed, 1 skipped``; empty for a job without tests."""
    counts = result.tests
    if counts is None:
        return ""
    passed = counts.total - counts.failed - counts.errors - counts.skipped
    parts = (
        (passed, "passed"),
        (counts.failed, "failed"),
        (counts.errors, "error" if counts.errors == 1 else "errors"),
        (counts.skipped, "skipped"),
    )
    return ", ".join(f"{number} {word}" for number, word in parts if number) or "no tests"
