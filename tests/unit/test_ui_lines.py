"""Tests of wheelworks.ui.lines."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from golden import check_golden
from run_samples import CELLS, START, finished, run_events, summary

from wheelworks.events import (
    JobOutput,
    JobPhase,
    JobProgress,
    JobStarted,
    Outcome,
    RunFinished,
    RunNotice,
    RunStarted,
)
from wheelworks.text import TextStyle
from wheelworks.ui.lines import HEARTBEAT_SECONDS, LinesDisplay

if TYPE_CHECKING:
    from wheelworks.events import Event
    from wheelworks.ui.lines import Verbosity

JOB = f"build {CELLS[0]}"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """The time."""
        return self.now


def shown(*events: Event, verbosity: Verbosity = "normal") -> str:
    """What a run of these events leaves in a log."""
    stream = StringIO()
    with LinesDisplay(stream, style=TextStyle(), verbosity=verbosity, clock=Clock()) as display:
        for event in events:
            display(event)
    return stream.getvalue()


def started() -> tuple[Event, ...]:
    """A run whose one job compiles."""
    return (
        RunStarted(run_id="r1", time=START, jobs=(summary(JOB, CELLS[0]),), log_dir="logs"),
        JobStarted(job_id=JOB, time=START),
        JobPhase(job_id=JOB, time=START, phase="compiling"),
    )


@pytest.mark.parametrize("verbosity", ["quiet", "normal", "verbose"])
def test_the_log_of_a_run(verbosity: Verbosity) -> None:
    """Looked at once and kept: a line per start, phase and end, none for progress."""
    text = shown(
        *run_events(), RunFinished(run_id="r1", time=START + 99, exit_code=1), verbosity=verbosity
    )
    assert "serde_derive" not in text
    check_golden(f"ui/lines-{verbosity}.txt", text)


def test_quiet_shows_failures_and_warnings_only() -> None:
    """Whoever asks for silence still learns what went wrong."""
    text = shown(
        *started(),
        RunNotice(time=START, level="info", message="nobody needs this"),
        RunNotice(time=START, level="warning", message="take care"),
        finished("other", Outcome.SUCCEEDED),
        finished(JOB, Outcome.FAILED, reason="it broke"),
        verbosity="quiet",
    )
    assert text == (
        "warning: take care\n"
        f"[{CELLS[0]}] failed: it broke (log: .wheelworks/runs/r1/build-{CELLS[0]}.log)\n"
    )


def test_a_silent_job_is_mentioned_now_and_then() -> None:
    """Not before the interval, then once per interval, with what it is doing and what is left."""
    clock, stream = Clock(), StringIO()
    display = LinesDisplay(stream, style=TextStyle(), clock=clock)
    for event in started():
        display(event)
    display(JobProgress(job_id=JOB, time=START, done=12, total=80, current="serde v1"))
    before = stream.getvalue()
    for _ in range(2 * int(HEARTBEAT_SECONDS)):
        clock.now += 1
        display(JobOutput(job_id=JOB, time=clock.now, line="chatter"))
        display.beat()
    assert stream.getvalue().removeprefix(before) == (
        f"[{CELLS[0]}] still compiling 12/80 serde v1, 30 s\n"
        f"[{CELLS[0]}] still compiling 12/80 serde v1, 1 min 00 s\n"
    )


def test_a_heartbeat_tells_what_is_left() -> None:
    """When an earlier run tells how long it takes."""
    clock, stream = Clock(), StringIO()
    display = LinesDisplay(stream, style=TextStyle(), clock=clock)
    for event in started():
        display(event)
    display(JobPhase(job_id=JOB, time=START - 25, phase="testing"))
    clock.now += HEARTBEAT_SECONDS - 10
    display.beat()
    assert "still" not in stream.getvalue()
    clock.now = START + HEARTBEAT_SECONDS
    display.beat()
    assert stream.getvalue().endswith("still testing, 30 s\n")


def test_a_job_that_talks_needs_no_heartbeat() -> None:
    """With -v every line of output says that it lives."""
    clock, stream = Clock(), StringIO()
    display = LinesDisplay(stream, style=TextStyle(), verbosity="verbose", clock=clock)
    for event in started():
        display(event)
    for _ in range(4):
        clock.now += HEARTBEAT_SECONDS / 2
        display(JobOutput(job_id=JOB, time=clock.now, line="\x1b[32mtick\x1b[0m"))
        display.beat()
    assert "still" not in stream.getvalue()
    assert stream.getvalue().count(f"[{CELLS[0]}] | tick\n") == 4


def test_finished_jobs_and_quiet_runs_have_no_heartbeat() -> None:
    """Nothing is said of what has ended, or to whom asked for silence."""
    for verbosity, last in (("normal", True), ("quiet", False)):
        clock, stream = Clock(), StringIO()
        display = LinesDisplay(
            stream,
            style=TextStyle(),
            verbosity="quiet" if verbosity == "quiet" else "normal",
            clock=clock,
        )
        for event in started():
            display(event)
        if last:
            display(finished(JOB, Outcome.SUCCEEDED, seconds=5.0, artifact="demo.whl"))
        before = stream.getvalue()
        clock.now += 10 * HEARTBEAT_SECONDS
        display.beat()
        assert stream.getvalue() == before


def test_unavailable_cells_are_gathered() -> None:
    """One line per reason, written at the latest when the display ends."""
    events = [finished(cell, Outcome.UNAVAILABLE, reason="no zig") for cell in ("a", "b")]
    assert shown(*events) == "unavailable here: a, b: no zig\n"
    stream = StringIO()
    display = LinesDisplay(stream, style=TextStyle(), clock=Clock())
    display(finished("c", Outcome.UNAVAILABLE))
    assert stream.getvalue() == ""
    display.beat()
    assert stream.getvalue() == "unavailable here: c: no reason given\n"


class BrokenStream(StringIO):
    """A pipe whose reader has gone away."""

    def write(self, text: str, /) -> int:
        """Fail as a pipe does."""
        raise BrokenPipeError(text)


def test_a_broken_stream_does_not_stop_the_run() -> None:
    """The log is lost, the build is not."""
    closed = StringIO()
    closed.close()
    for stream in (BrokenStream(), closed):
        with LinesDisplay(stream, style=TextStyle(), clock=Clock()) as display:
            for event in started():
                display(event)


class InterruptedStream(StringIO):
    """A stream in the middle of whose first write a signal handler reports an event."""

    def __init__(self) -> None:
        super().__init__()
        self.display: LinesDisplay | None = None

    def write(self, text: str, /) -> int:
        """Write, and be interrupted once."""
        if self.display is not None:
            display, self.display = self.display, None
            display(RunNotice(time=START, level="warning", message="interrupted"))
        return super().write(text)


def test_an_event_from_a_signal_handler_waits_for_the_one_it_interrupted() -> None:
    """No deadlock, and no line within a line."""
    stream = InterruptedStream()
    display = LinesDisplay(stream, style=TextStyle(), clock=Clock())
    stream.display = display
    display(RunNotice(time=START, level="info", message="first"))
    assert stream.getvalue() == "info: first\nwarning: interrupted\n"


@pytest.mark.starts_processes
def test_plain_lines_need_no_rich() -> None:
    """Importing rich would double the start-up time of runs that show no board."""
    code = (
        "import sys, wheelworks.ui.select, wheelworks.report.text, wheelworks.ui.failure; "
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
