"""Outcomes + findings -> Report, its exit code and its last line.

Takes the results of the jobs and what is known of the run as values, gives values. Does not know
files, the clock or the screen; imports nothing heavy, because every run ends here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from wheelworks.errors import EXIT_JOB_FAILED, EXIT_NOTHING_SELECTED, EXIT_OK, strongest_exit
from wheelworks.events import Outcome
from wheelworks.report.model import REPORT_SCHEMA, JobResult, Report
from wheelworks.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelworks.events import JobKind
    from wheelworks.plan import UnavailableCell

CellState = Literal[
    "built",
    "tested",
    "tested under emulation",
    "up to date",
    "failed",
    "unavailable here",
    "skipped",
    "cancelled",
]

#: The order in which the last line counts.
_CELL_STATES: Final[tuple[CellState, ...]] = (
    "built",
    "tested",
    "tested under emulation",
    "up to date",
    "failed",
    "unavailable here",
    "skipped",
    "cancelled",
)

_SUCCESSES: Final = frozenset({Outcome.SUCCEEDED, Outcome.UP_TO_DATE})

# What a cell's jobs add up to when they don't agree: the first that is present. A test that was
# skipped because its build failed counts as failed, one whose build is unavailable as unavailable.
_WEIGHTS: Final[tuple[tuple[Outcome, CellState], ...]] = (
    (Outcome.FAILED, "failed"),
    (Outcome.CANCELLED, "cancelled"),
    (Outcome.UNAVAILABLE, "unavailable here"),
    (Outcome.SKIPPED, "skipped"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known of a run besides the results of its jobs."""

    run_id: str
    version: str
    """Of wheelworks."""
    command: str
    started: float
    """Seconds since the epoch."""
    finished: float
    project: str
    project_version: str
    source_digest: str | None
    tools: Mapping[str, str]
    cells: tuple[str, ...]
    """The selected cells."""
    notices: tuple[str, ...] = ()
    other_sources: tuple[str, ...] = ()
    """Wheels in ``dist/`` that were built from another state of the sources."""
    is_strict: bool = False
    """Whether an unavailable cell makes the run fail."""
    signal_exit: int | None = None
    """130 or 143 when a signal ended the run."""


def build_report(facts: RunFacts, results: Iterable[JobResult]) -> Report:
    """The report of a run; its results keep their order."""
    kept = tuple(results)
    return Report(
        schema=REPORT_SCHEMA,
        run_id=facts.run_id,
        version=facts.version,
        command=facts.command,
        started=facts.started,
        seconds=max(facts.finished - facts.started, 0.0),
        project=facts.project,
        project_version=facts.project_version,
        source_digest=facts.source_digest,
        tools=dict(sorted(facts.tools.items())),
        results=kept,
        cells=facts.cells,
        exit_code=report_exit_code(kept, strict=facts.is_strict, signal_exit=facts.signal_exit),
        notices=facts.notices,
        other_sources=facts.other_sources,
    )


def unavailable_results(cells: Iterable[UnavailableCell]) -> tuple[JobResult, ...]:
    """A result for each cell that the planner found nothing for, so that no cell is ever silent."""
    return tuple(
        JobResult(
            job_id=cell.job_id,
            kind=cell.kind,
            cells=cell.cells,
            outcome=Outcome.UNAVAILABLE,
            reason=cell.reason,
            exit_code=EXIT_OK,
            seconds=0.0,
            cure=cell.cure,
        )
        for cell in cells
    )


def report_exit_code(
    results: Sequence[JobResult], *, strict: bool, signal_exit: int | None = None
) -> int:
    """The exit code that the results add up to (the table in docs/design.md section 5).

    0 only when at least one of the jobs that were asked for succeeded or was up to date: in a test
    run a wheel that was built but could not be tested is no success.

    Args:
        results: all results of the run.
        strict: an unavailable cell counts even though others succeeded.
        signal_exit: 130 or 143 when a signal ended the run.
    """
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    codes = {result.exit_code or EXIT_JOB_FAILED for result in failed}
    if signal_exit is not None:
        codes.add(signal_exit)
    asked = _asked_for(results)
    if not any(result.outcome in _SUCCESSES for result in asked):
        codes.add(EXIT_NOTHING_SELECTED)
    if strict and any(result.outcome is Outcome.UNAVAILABLE for result in results):
        codes.add(EXIT_NOTHING_SELECTED)
    return strongest_exit(codes)


def _asked_for(results: Sequence[JobResult]) -> tuple[JobResult, ...]:
    """The results that a run is for: its tests, else its builds, else the sdist."""
    order: tuple[JobKind, ...] = ("test", "build", "sdist")
    for kind in order:
        # A slice without cells was not asked for, but what is merged from it.
        found = tuple(
            result
            for result in results
            if result.kind == kind and (result.cells or kind == "sdist")
        )
        if found:
            return found
    return ()


def cell_states(report: Report) -> dict[str, CellState]:
    """What became of each selected cell, in the order of selection."""
    by_cell: dict[str, list[JobResult]] = {cell: [] for cell in report.cells}
    for result in report.results:
        for cell in result.cells:
            if cell in by_cell:
                by_cell[cell].append(result)
    return {cell: _cell_state(results) for cell, results in by_cell.items()}


def _cell_state(results: Sequence[JobResult]) -> CellState:
    outcomes = {result.outcome for result in results}
    for outcome, state in _WEIGHTS:
        if outcome in outcomes:
            return state
    if not results:
        # Nothing was planned for it, or the run ended before: never a success.
        return "skipped"
    # A cell that is tested in this run needs no word on its build.
    tests = [result for result in results if result.kind == "test"]
    if all(result.outcome is Outcome.UP_TO_DATE for result in tests or results):
        return "up to date"
    if not tests:
        return "built"
    return "tested under emulation" if any(one.is_emulated for one in tests) else "tested"


def summary_line(report: Report) -> str:
    """The last line that people see: ``15 cells: 12 built, 3 unavailable here``."""
    counts = Counter(cell_states(report).values())
    parts = [f"{counts[state]} {state}" for state in _CELL_STATES if counts[state]]
    sdist = _sdist_word(report)
    if not report.cells:
        line = f"the sdist: {sdist}" if sdist else "no cells"
    else:
        line = f"{counted(len(report.cells), 'cell')}: {', '.join(parts)}"
        line += _sdist_clause(sdist)
    if report.other_sources:
        line += "; dist/ holds wheels of two source states"
    return line


def _sdist_clause(word: str | None) -> str:
    """``, and the sdist`` when it was built, else with the word that says what became of it."""
    if word is None:
        return ""
    return ", and the sdist" if word == "built" else f", and the sdist {word}"


def _sdist_word(report: Report) -> CellState | None:
    """What became of the sdist; None when the run has none."""
    results = [result for result in report.results if result.kind == "sdist"]
    return _cell_state(results) if results else None
