"""The block of output of a failed job.

Takes a result and the text of its log, gives text: what failed, the lines that decide, the
findings, the log's path, the command that repeats it, the known cures. Does not read files.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from wheelworks.audit.model import Level
from wheelworks.report.words import job_label
from wheelworks.text import counted, format_seconds, output_line, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.report.model import JobResult
    from wheelworks.text import TextStyle

#: A failure shows at the end; more than this and the next failure scrolls out of sight.
TAIL_LINES: Final = 20
_LONGEST_LINE: Final = 400
_SEARCHED_CHARACTERS: Final = 2_000_000

_RUSTC_ERROR: Final = re.compile(r"^error(\[E\d+\])?: ")
# cargo's and rustc's last words: they count errors but do not say which.
_NOT_DECISIVE: Final = re.compile(r"^error: (aborting due to|could not compile)")
_BUILD_SCRIPT: Final = re.compile(r"^error: failed to run custom build command")
_PYTEST_REASON: Final = re.compile(r"^E {3,}\w+(\.\w+)*: ")
_PYTEST_SUMMARY: Final = re.compile(r"^=+ short test summary info =+$")


def failure_block(result: JobResult, log: str, *, width: int, style: TextStyle) -> str:
    """The block of one failed job; ends with a line feed.

    Args:
        result: how the job ended.
        log: the text of its log, empty when there is none.
        width: columns for the prose; lines of output are kept whole, so that they can be copied.
        style: whether colour and Unicode may be used.
    """
    name = job_label(
        result.kind,
        result.job_id,
        result.cells,
        with_kind=False,
        is_emulated=result.is_emulated,
    )
    label = style.clean(name)
    word = f"{result.kind} failed" if result.cells else "failed"
    after = f" after {format_seconds(result.seconds)}" if result.seconds else ""
    lines = [style.paint(f"{style.mark(result.outcome)} {label}: {word}{after}", "red")]
    if result.reason:
        lines += _prose(style.clean(" ".join(result.reason.split())), "  ", width)
    lines += _findings(result, width, style)
    bar = style.paint("│" if style.unicode else "|", "dim")
    lines += [f"  {bar} {style.clean(line)}" for line in decisive_lines(log)]
    if result.log:
        lines.append(f"  {style.paint('log:', 'dim')} {style.clean(result.log)}")
    if result.repeat:
        lines.append(f"  {style.paint('repeat:', 'dim')} {style.clean(result.repeat)}")
    lines += _cures(result, width, style)
    return "\n".join(lines) + "\n"


def _findings(result: JobResult, width: int, style: TextStyle) -> list[str]:
    """What the audit refused, each with what to do."""
    lines: list[str] = []
    for item in result.findings:
        if item.level is Level.ERROR:
            what = ": ".join(part for part in (item.file, item.symbol, item.message) if part)
            lines += _prose(style.clean(f"{item.rule} {what}"), "  ", width)
            lines += _prose(style.clean(f"hint: {item.hint}"), "    ", width)
    return lines


def _cures(result: JobResult, width: int, style: TextStyle) -> list[str]:
    lines = _prose(f"hint: {style.clean(result.cure)}", "  ", width) if result.cure else []
    for hint in result.hints:
        lines += _prose(f"hint: {style.clean(hint.cure)}", "  ", width)
        source = f" ({hint.reference})" if hint.reference else ""
        lines += _prose(style.clean(f"because {hint.cause}{source}"), "    ", width)
    return lines


def _prose(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def decisive_lines(log: str) -> list[str]:
    """The lines of a log that say why it failed, fit to be shown.

    The short summary of a pytest run, else the first error of rustc or cargo, else the end.
    """
    lines = [output_line(line) for line in log[-_SEARCHED_CHARACTERS:].splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    chosen = _pytest_summary(lines) or _first_error(lines) or lines[-TAIL_LINES:]
    return [shorten(line, _LONGEST_LINE) for line in chosen]


def _pytest_summary(lines: Sequence[str]) -> list[str]:
    starts = [index for index, line in enumerate(lines) if _PYTEST_SUMMARY.match(line)]
    if not starts:
        return []
    summary = lines[starts[-1] + 1 :]
    # A file that can't be imported is summed up without the reason, which stands in its traceback.
    is_bare = any(line.startswith("ERROR ") and " - " not in line for line in summary)
    reasons = [line for line in lines[: starts[-1]] if _PYTEST_REASON.match(line)]
    return _middle_cut([*(dict.fromkeys(reasons) if is_bare else ()), *summary])


def _first_error(lines: Sequence[str]) -> list[str]:
    """The first error's paragraph; of a build script the end, because its own output follows."""
    for index, line in enumerate(lines):
        if not _RUSTC_ERROR.match(line) or _NOT_DECISIVE.match(line):
            continue
        if _BUILD_SCRIPT.match(line):
            return [line, *lines[index + 1 :][-TAIL_LINES:]]
        ends = (at for at in range(index, len(lines)) if not lines[at])
        return _middle_cut(lines[index : next(ends, len(lines))])
    return []


def _middle_cut(lines: Sequence[str]) -> list[str]:
    """The lines, without the middle when they are many: the first and the last say most."""
    if len(lines) <= TAIL_LINES:
        return list(lines)
    head = TAIL_LINES - 3
    left_out = counted(len(lines) - TAIL_LINES + 1, "line")
    return [*lines[:head], f"({left_out} left out)", *lines[-2:]]
