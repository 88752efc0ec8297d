"""BoardState, width, height, now -> a rich renderable.

Takes values, gives lines of styled text. Does not know the terminal or the clock: size and time are
arguments. Every line is cut to the width here, so that nothing wraps and the height holds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.text import Text

from wheelworks.events import Outcome
from wheelworks.text import (
    format_clock,
    outcome_look,
    output_line,
    pad,
    shorten,
    text_width,
)
from wheelworks.ui.progress import (
    elapsed_seconds,
    eta_seconds,
    finished_fraction,
    is_work,
    remaining_seconds,
)
from wheelworks.ui.state import job_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.text import Look, TextStyle
    from wheelworks.ui.state import BoardState, JobView

_LONGEST_LABEL: Final = 40
_CLOCK: Final = 7
_NARROW_CLOCK: Final = 5
_LEFT: Final = 9
_WIDEST: Final = 120
"""On a wider terminal the times would be too far from what they belong to."""
_SHOWS_LEFT: Final = 64
"""From this width on a row has room for what is left of its time."""
_SHOWS_DETAIL: Final = 14
"""Columns that the crate or the reason needs to say anything."""
_FEWEST_ROWS: Final = 1
_RANKS: Final = ("running", "failed", "waiting", "done")
"""The order of the rows."""
_DONE_WORDS: Final[tuple[tuple[Outcome, str], ...]] = (
    (Outcome.SUCCEEDED, "done"),
    (Outcome.UP_TO_DATE, "up to date"),
    (Outcome.FAILED, "failed"),
    (Outcome.SKIPPED, "skipped"),
    (Outcome.CANCELLED, "cancelled"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What every line needs to know."""

    width: int
    now: float
    style: TextStyle
    label_width: int


def render_board(
    state: BoardState, *, width: int, height: int, now: float, style: TextStyle, keys: bool = False
) -> Group:
    """The board: running jobs first, then failed, waiting and finished ones, then the totals.

    Args:
        state: the run so far.
        width: columns of the terminal.
        height: its lines; the board takes at most one less, so that the terminal does not scroll.
        now: seconds since the epoch.
        style: whether colour and Unicode may be used.
        keys: whether keys are read, so that the last line names them.
    """
    labels = {key: _safe(label, style) for key, label in job_labels(state).items()}
    longest = max((text_width(label) for label in labels.values()), default=0)
    # The last column stays free: some terminals wrap as soon as it is written.
    columns = min(max(width - 1, 10), _WIDEST)
    label_width = min(longest, _LONGEST_LABEL, max(columns - 16, 8))
    page = _Page(width=columns, now=now, style=style, label_width=label_width)
    footer = [*_unavailable_lines(state, page), *_notice_lines(state, page)]
    footer = footer[: max(height - 4, 0)]
    footer.append(_totals(state, page, keys=keys))
    rows = _rows(state, labels, max(height - 1 - len(footer), _FEWEST_ROWS), page)
    return Group(*rows, *footer)


def _safe(text: str, style: TextStyle) -> str:
    return style.clean(output_line(text))


def _rows(state: BoardState, labels: dict[str, str], room: int, page: _Page) -> list[Text]:
    """At most that many lines; the last one says how many jobs have no row."""
    jobs = [job for job in state.jobs.values() if job.outcome is not Outcome.UNAVAILABLE]
    ordered = sorted(jobs, key=_rank)
    shown = ordered if len(ordered) <= room else ordered[: room - 1]
    rows = [_row(job, labels[job.job_id], page) for job in shown]
    hidden = ordered[len(shown) :]
    if hidden:
        rows.append(_plain(_hidden_text(hidden, page), "dim", page))
    return rows


def _rank(job: JobView) -> int:
    if job.is_running:
        return 0
    if job.outcome is Outcome.FAILED:
        return 1
    return 2 if job.is_waiting else 3


def _hidden_text(hidden: Sequence[JobView], page: _Page) -> str:
    counts = Counter(_RANKS[_rank(job)] for job in hidden)
    parts = [f"{number} more {word}" for word, number in counts.items()]
    return f"{page.style.ellipsis} and {', '.join(parts)}"


def _row(job: JobView, label: str, page: _Page) -> Text:
    """``mark label  what it does  elapsed  left``, each part cut to its column."""
    mark, look = _mark(job, page.style)
    name = pad(shorten(label, page.label_width, ellipsis=page.style.ellipsis), page.label_width)
    tail = _times(job, page)
    room = page.width - 2 - page.label_width - 2 - text_width(tail)
    words = _detail(job, page.style) if room >= _SHOWS_DETAIL else _short_detail(job)
    detail = shorten(words, max(room, 0), ellipsis=page.style.ellipsis)
    detail_look: Look = "red" if job.outcome is Outcome.FAILED else "plain"
    text = Text(no_wrap=True, overflow="crop", end="\n")
    text.append(f"{mark} ", style=_rich(look))
    text.append(name, style=_rich("red" if look == "red" else _label_look(job)))
    text.append("  " + pad(detail, room), style=_rich(detail_look))
    text.append(tail, style="dim")
    return text


def _label_look(job: JobView) -> Look:
    return "bold" if job.is_running else "plain" if job.outcome else "dim"


def _mark(job: JobView, style: TextStyle) -> tuple[str, Look]:
    if job.outcome is not None:
        return style.mark(job.outcome), outcome_look(job.outcome)
    if job.is_running:
        return ("●" if style.unicode else "*"), "cyan"
    return ("·" if style.unicode else "."), "dim"


def _times(job: JobView, page: _Page) -> str:
    elapsed = elapsed_seconds(job, page.now)
    clock = format_clock(elapsed) if elapsed or job.is_running else ""
    if page.width < _SHOWS_LEFT:
        return pad(clock, _NARROW_CLOCK, "right")
    text = pad(clock, _CLOCK, "right")
    left = remaining_seconds(job, page.now)
    return text + pad(f"~{format_clock(left)}" if left is not None else "", _LEFT, "right")


def _detail(job: JobView, style: TextStyle) -> str:
    if job.outcome is not None:
        why = job.reason or job.artifact or ""
        word = "done" if job.outcome is Outcome.SUCCEEDED else job.outcome.value
        return _safe(f"{word}: {why}" if why else word, style)
    if job.is_waiting:
        return "waiting"
    total = f"/{job.total}" if job.total is not None else ""
    count = f" {job.done}{total}" if job.done or job.total else ""
    return _safe(f"{job.phase}{count} {job.current}", style)


def _short_detail(job: JobView) -> str:
    """The one word that fits beside the label on a narrow terminal."""
    if job.outcome is not None or job.is_waiting:
        return "done" if job.outcome is Outcome.SUCCEEDED else str(job.outcome or "waiting")
    return f"{job.done}/{job.total}" if job.total is not None else job.phase


def _unavailable_lines(state: BoardState, page: _Page) -> list[Text]:
    """One line for every reason: how many cells, and why."""
    cells: Counter[str] = Counter()
    for job in state.jobs.values():
        if job.outcome is Outcome.UNAVAILABLE:
            cells[job.reason or "no reason given"] += max(len(job.cells), 1)
    if not cells:
        return []
    if len(cells) == 1:
        ((reason, number),) = cells.items()
        return [_plain(f"{number} unavailable here: {reason}", "yellow", page)]
    groups = "; ".join(f"{number} {reason}" for reason, number in cells.most_common())
    return [_plain(f"{cells.total()} unavailable here: {groups}", "yellow", page)]


def _notice_lines(state: BoardState, page: _Page) -> list[Text]:
    return [
        _plain(notice.message, "yellow" if notice.level == "warning" else "plain", page)
        for notice in state.notices
    ]


def _totals(state: BoardState, page: _Page, *, keys: bool) -> Text:
    """``7/16 done, 1 failed  ━━━━────  44 %  3:05, about 4:10 left  (t: details)``."""
    work = [job for job in state.jobs.values() if is_work(job)]
    counts = Counter(job.outcome for job in state.jobs.values() if job.outcome)
    ended = sum(1 for job in work if job.outcome)
    parts = [f"{ended}/{len(work)} done"]
    parts += [
        f"{counts[outcome]} {word}"
        for outcome, word in _DONE_WORDS
        if counts[outcome] and outcome is not Outcome.SUCCEEDED
    ]
    fraction = finished_fraction(state, page.now)
    head = ", ".join(parts)
    tail = f" {fraction:.0%} {_run_times(state, page)}"
    help_text = "  (t: details)" if keys else ""
    room = page.width - text_width(head) - text_width(tail) - len(help_text) - 2
    bar = _bar(fraction, min(room, 30), page.style) if room >= 8 else ""
    return _plain(f"{head} {bar}{tail}{help_text}", "bold", page)


def _run_times(state: BoardState, page: _Page) -> str:
    elapsed = format_clock(page.now - state.started) if state.started is not None else ""
    left = eta_seconds(state, page.now)
    return f"{elapsed}, ~{format_clock(left)} left" if left is not None else elapsed


def _bar(fraction: float, size: int, style: TextStyle) -> str:
    full, empty = ("━", "─") if style.unicode else ("#", "-")
    filled = round(size * fraction)
    return full * filled + empty * (size - filled)


def _plain(text: str, look: Look, page: _Page) -> Text:
    flat = _safe(" ".join(text.split()), page.style)
    cut = shorten(flat, page.width, ellipsis=page.style.ellipsis)
    return Text(cut, style=_rich(look), no_wrap=True, overflow="crop")


def _rich(look: Look) -> str:
    return "" if look == "plain" else look


def render_details(state: BoardState, *, now: float, style: TextStyle) -> Group:
    """What every running job is doing, with its last output: the answer to the key ``t``."""
    running = [job for job in state.jobs.values() if job.is_running]
    labels = job_labels(state)
    lines: list[Text] = []
    for job in running:
        lines.append(Text(_safe(labels[job.job_id], style), style="bold"))
        clock = format_clock(elapsed_seconds(job, now))
        phase = format_clock(max(now - job.phase_started, 0.0))
        lines.append(Text(f"  {_detail(job, style)} (for {phase}; {clock} in all)"))
        lines += [Text(f"  | {_safe(line, style)}", style="dim") for line in job.recent]
    if not running:
        waiting = sum(1 for job in state.jobs.values() if job.is_waiting)
        lines.append(Text(f"nothing is running, {waiting} waiting"))
    return Group(*lines)
