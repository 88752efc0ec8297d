"""Report -> the summary that people read at the end of a run: a table, notes, the last line.

Takes a Report, a width and a style, gives a string. Does not know the terminal, and needs no rich:
a run in which nothing had to be done ends here too, and must start fast.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Final

from wheelworks.audit.model import Level
from wheelworks.events import Outcome
from wheelworks.report.build import summary_line
from wheelworks.report.words import counts_text, job_label, shows_kinds, unavailable_groups
from wheelworks.text import (
    counted,
    format_seconds,
    format_size,
    outcome_look,
    pad,
    shorten,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.events import JobKind
    from wheelworks.report.model import JobResult, Report
    from wheelworks.text import Align, TextStyle

_COLUMNS: Final[tuple[tuple[str, Align], ...]] = (
    ("cell", "left"),
    ("outcome", "left"),
    ("size", "right"),
    ("time", "right"),
    ("findings", "right"),
    ("details", "left"),
)
_DETAILS: Final = len(_COLUMNS) - 1
#: Columns in the order in which they go when the terminal is narrow: the last line and the failure
#: blocks say what matters, so the cell and its outcome stay.
_DROPPED_FIRST: Final = (4, 2, 5, 3)
_GAP: Final = "  "
_MINIMUM_DETAILS: Final = 16
_KIND_ORDER: Final[tuple[JobKind, ...]] = ("sdist", "build", "test")
_MAXIMUM_REMARKS: Final = 12


def summary_text(report: Report, *, width: int, style: TextStyle) -> str:
    """The summary of a run; its last line is :func:`~wheelworks.report.build.summary_line`.

    Args:
        report: the run.
        width: columns that a line may take; the last line is never cut.
        style: whether colour and Unicode may be used.
    """
    blocks = [
        _table(report, width, style),
        _remarks(report, width, style),
        _unavailable(report, width, style),
        "\n".join(_wrapped(f"note: {style.clean(text)}", width) for text in report.notices),
        style.paint(summary_line(report), "bold"),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _table(report: Report, width: int, style: TextStyle) -> str:
    shown = [item for item in report.results if item.outcome is not Outcome.UNAVAILABLE]
    if not shown:
        return ""
    ordered = sorted(shown, key=lambda item: _KIND_ORDER.index(item.kind))
    with_kind = shows_kinds(item.kind for item in shown)
    labels = [
        job_label(
            item.kind, item.job_id, item.cells, with_kind=with_kind, is_emulated=item.is_emulated
        )
        for item in ordered
    ]
    uses = Counter(labels)
    # A cell's own tests and those of cargo for its target would share a name.
    names = [
        label
        if uses[label] == 1
        else job_label(None, item.job_id, (), with_kind=False, is_emulated=item.is_emulated)
        for item, label in zip(ordered, labels, strict=True)
    ]
    rows = [_row(item, name, style) for item, name in zip(ordered, names, strict=True)]
    widths = _fit([tuple(name for name, _ in _COLUMNS), *rows], width)
    head = _line([name for name, _ in _COLUMNS], widths, style)
    lines = [style.paint(head, "dim")]
    for item, row in zip(ordered, rows, strict=True):
        lines.append(style.paint(_line(row, widths, style), outcome_look(item.outcome)))
    return "\n".join(lines)


def _row(result: JobResult, label: str, style: TextStyle) -> tuple[str, ...]:
    return (
        style.clean(label),
        f"{style.mark(result.outcome)} {result.outcome.value}",
        format_size(result.artifact.size) if result.artifact else "",
        format_seconds(result.seconds) if result.seconds else "",
        str(len(result.findings)) if result.findings else "",
        counts_text(result) or style.clean(" ".join((result.reason or "").split())),
    )


def _fit(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The width of each column, 0 for one left out: the empty, then those that don't fit."""
    head, *body = rows
    widths = [
        max(text_width(head[index]), *(text_width(row[index]) for row in body))
        if any(row[index] for row in body)
        else 0
        for index in range(len(head))
    ]
    for index in _DROPPED_FIRST:
        spare = width - _total(widths) + widths[_DETAILS]
        if widths[_DETAILS] and spare >= _MINIMUM_DETAILS:
            # The one column that may be cut: a failure's block has the whole reason.
            widths[_DETAILS] = min(widths[_DETAILS], spare)
        if _total(widths) <= width:
            return widths
        widths[index] = 0
    widths[0] = max(width - _total(widths) + widths[0], 1)
    return widths


def _total(widths: Sequence[int]) -> int:
    used = [item for item in widths if item]
    return sum(used) + len(_GAP) * (len(used) - 1)


def _line(row: Sequence[str], widths: Sequence[int], style: TextStyle) -> str:
    fields = [
        pad(shorten(text, size, ellipsis=style.ellipsis), size, align)
        for text, size, (_, align) in zip(row, widths, _COLUMNS, strict=True)
        if size
    ]
    return _GAP.join(fields).rstrip()


def _remarks(report: Report, width: int, style: TextStyle) -> str:
    """Findings that refused nothing, each once with the number of its wheels.

    Those that refused a wheel are part of its failure block.
    """
    found: Counter[tuple[Level, str, str]] = Counter(
        (finding.level, finding.rule, finding.message)
        for result in report.results
        if result.outcome is not Outcome.FAILED
        for finding in result.findings
    )
    lines = []
    for (level, rule, message), number in list(found.items())[:_MAXIMUM_REMARKS]:
        times = f" ({number} times)" if number > 1 else ""
        text = _wrapped(style.clean(f"{level.value} {rule}: {message}{times}"), width)
        lines.append(style.paint(text, "yellow") if level is Level.WARNING else text)
    if len(found) > _MAXIMUM_REMARKS:
        more = counted(len(found) - _MAXIMUM_REMARKS, "more finding")
        lines.append(f"{style.ellipsis} and {more} in the JSON report")
    return "\n".join(lines)


def _unavailable(report: Report, width: int, style: TextStyle) -> str:
    lines = []
    for (reason, cure), cells in unavailable_groups(report.results).items():
        names = style.clean(", ".join(cells))
        head = f"unavailable here: {style.clean(reason)}"
        lines.append(style.paint(_wrapped(head, width), "yellow"))
        lines.append(_wrapped(names, width, indent="  "))
        if cure:
            lines.append(_wrapped(f"hint: {style.clean(cure)}", width, indent="  "))
    return "\n".join(lines)


def _wrapped(text: str, width: int, *, indent: str = "") -> str:
    """The text in lines of that width; words are never broken, so that names can be copied."""
    return textwrap.fill(
        text,
        max(width, 20),
        initial_indent=indent,
        subsequent_indent=indent + ("" if indent else "  "),
        break_long_words=False,
        break_on_hyphens=False,
    )
