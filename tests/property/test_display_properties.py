"""Properties of texts, events, reports and the board, for any text in them."""

from __future__ import annotations

from functools import reduce
from io import StringIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from run_samples import facts, finding, result

from wheelworks.audit.model import Level
from wheelworks.events import (
    JobFinished,
    JobOutput,
    JobPhase,
    JobProgress,
    JobStarted,
    JobSummary,
    Outcome,
    RunFinished,
    RunNotice,
    RunStarted,
)
from wheelworks.events_json import event_from_json, event_to_json
from wheelworks.report.build import build_report, summary_line
from wheelworks.report.render import (
    report_from_json,
    report_to_json,
    report_to_junit,
    report_to_markdown,
)
from wheelworks.report.text import summary_text
from wheelworks.text import TextStyle, output_line, printable, shorten, text_width
from wheelworks.ui.board import render_board
from wheelworks.ui.failure import decisive_lines
from wheelworks.ui.lines import LinesDisplay
from wheelworks.ui.state import BoardState, reduce_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.events import Event
    from wheelworks.report.model import JobResult

# Lone surrogates too: a file name or a line of output may hold undecodable bytes.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
TIMES = st.floats(0, 2e9)
IDS = st.sampled_from(["build a", "build b", "test a", "sdist", "odd\x1b"])
OUTCOMES = st.sampled_from(Outcome)

EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        RunStarted,
        run_id=TEXTS,
        time=TIMES,
        log_dir=TEXTS,
        jobs=st.lists(
            st.builds(
                JobSummary,
                job_id=IDS,
                kind=st.sampled_from(["build", "test", "sdist"]),
                title=TEXTS,
                cells=st.lists(TEXTS, max_size=2).map(tuple),
                estimate_seconds=st.none() | st.floats(0, 1e6),
            ),
            max_size=5,
        ).map(tuple),
    ),
    st.builds(JobStarted, job_id=IDS, time=TIMES),
    st.builds(JobPhase, job_id=IDS, time=TIMES, phase=st.sampled_from(["compiling", "testing"])),
    st.builds(
        JobProgress,
        job_id=IDS,
        time=TIMES,
        done=st.integers(0, 999),
        total=st.none() | st.integers(0, 999),
        current=TEXTS,
    ),
    st.builds(JobOutput, job_id=IDS, time=TIMES, line=TEXTS),
    st.builds(
        JobFinished,
        job_id=IDS,
        time=TIMES,
        outcome=OUTCOMES,
        reason=st.none() | TEXTS,
        seconds=st.floats(0, 1e6),
        exit_code=st.sampled_from([0, 1, 4, 5, 70]),
        artifact=st.none() | TEXTS,
        log=st.none() | TEXTS,
    ),
    st.builds(RunNotice, time=TIMES, level=st.sampled_from(["info", "warning"]), message=TEXTS),
    st.builds(RunFinished, run_id=TEXTS, time=TIMES, exit_code=st.integers(0, 143)),
)

RESULTS: st.SearchStrategy[JobResult] = st.builds(
    lambda cell, outcome, kind, reason, remark: result(
        cell, outcome, kind=kind, reason=reason, findings=(finding(Level.ERROR, remark),)
    ),
    st.none() | TEXTS,
    OUTCOMES,
    st.sampled_from(["build", "test", "sdist"]),
    st.none() | TEXTS,
    TEXTS,
)


@given(TEXTS)
def test_shown_text_is_printable_and_escaping_it_again_changes_nothing(text: str) -> None:
    """What reaches a terminal holds no control, format or surrogate character."""
    for safe in (printable(text), output_line(text)):
        assert printable(safe) == safe
        assert safe.encode("utf-8").decode("utf-8") == safe
        assert "\x1b" not in safe


@given(TEXTS, st.integers(0, 40))
def test_shortened_text_fits(text: str, width: int) -> None:
    """Never wider than asked for; text that fits is not touched."""
    cut = shorten(text, width)
    assert text_width(cut) <= width
    assert cut == text or text_width(text) > width


@given(EVENTS)
def test_every_event_survives_its_json_line(event: Event) -> None:
    """One line of ASCII that says everything."""
    line = event_to_json(event)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert event_from_json(line) == event


@given(EVENTS, st.data())
def test_a_torn_line_is_no_event(event: Event, data: st.DataObject) -> None:
    """However much of it was written."""
    line = event_to_json(event)
    assert event_from_json(line[: data.draw(st.integers(0, len(line) - 1))]) is None


@given(st.lists(EVENTS, max_size=20), st.integers(40, 200), st.integers(5, 50), st.booleans())
def test_the_board_fits_whatever_happens(
    events: Sequence[Event], width: int, height: int, unicode: bool
) -> None:
    """Any events in any order give a board within the terminal, with nothing to act upon."""
    state = reduce(reduce_event, events, BoardState())
    console = Console(file=StringIO(), width=width, color_system=None, markup=False)
    style = TextStyle(unicode=unicode)
    with console.capture() as capture:
        console.print(render_board(state, width=width, height=height, now=1e9, style=style))
    lines = capture.get().split("\n")[:-1]
    assert len(lines) <= height - 1
    assert max(text_width(line) for line in lines) <= width - 1
    assert all(printable(line) == line for line in lines)
    assert unicode or all(line.isascii() for line in lines)


@given(st.lists(EVENTS, max_size=20), st.sampled_from(["quiet", "normal", "verbose"]))
def test_lines_are_lines(events: Sequence[Event], verbosity: str) -> None:
    """Any events in any order give a log in which each line feed is ours."""
    stream = StringIO()
    display = LinesDisplay(
        stream,
        style=TextStyle(),
        verbosity="quiet" if verbosity == "quiet" else "verbose",
        clock=lambda: 1e9,
    )
    for event in events:
        display(event)
    display.beat()
    text = stream.getvalue()
    assert text.encode("utf-8").decode("utf-8") == text
    assert all(printable(line) == line for line in text.split("\n"))


@given(st.lists(RESULTS, max_size=6), TEXTS)
def test_every_form_of_a_report_is_well_formed(results: Sequence[JobResult], project: str) -> None:
    """JSON can be read back, JUnit parsed, text encoded, for any text in any field."""
    cells = tuple(dict.fromkeys(cell for item in results for cell in item.cells))
    report = build_report(facts(cells, project=project, notices=(project,)), results)
    assert report_from_json(report_to_json(report)) == report
    root = ElementTree.fromstring(report_to_junit(report))
    assert len(list(root.iter("testcase"))) == len(results)
    assert report_to_markdown(report).splitlines()
    text = summary_text(report, width=80, style=TextStyle())
    assert text.encode("utf-8").decode("utf-8").rstrip("\n").endswith(summary_line(report))


@given(st.lists(RESULTS, max_size=6))
def test_the_last_line_counts_every_cell(results: Sequence[JobResult]) -> None:
    """The parts add up to the number of cells, so that none is silent."""
    cells = tuple(dict.fromkeys(cell for item in results for cell in item.cells))
    line = summary_line(build_report(facts(cells), results))
    if cells:
        head, _, rest = line.partition(": ")
        numbers = [int(part.split()[0]) for part in rest.split(", ") if part[0].isdigit()]
        assert sum(numbers) == int(head.split()[0]) == len(cells)


@given(st.text(st.sampled_from("error: [E0425]\n =short test summary info"), max_size=400))
def test_decisive_lines_are_few(log: str) -> None:
    """Whatever the log looks like, a block stays a block."""
    assert len(decisive_lines(log)) <= 21
