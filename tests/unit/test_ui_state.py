"""Tests of wheelworks.ui.state and ui.progress."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

import pytest
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
from wheelworks.ui.progress import (
    elapsed_seconds,
    eta_seconds,
    finished_fraction,
    remaining_seconds,
)
from wheelworks.ui.state import RECENT_LINES, BoardState, JobView, job_labels, reduce_event

if TYPE_CHECKING:
    from wheelworks.events import Event

SAMPLE = reduce(reduce_event, run_events(), BoardState())


def job(outcome: Outcome | None = None, **changes: object) -> JobView:
    """A job that waits, with these differences."""
    view = JobView(job_id="a", kind="build", title="build a", cells=("a",), outcome=outcome)
    return replace(view, **changes)  # type: ignore[arg-type]


def board(*jobs: JobView) -> BoardState:
    """A run of these jobs."""
    return BoardState(
        started=START,
        jobs={str(index): replace(view, job_id=str(index)) for index, view in enumerate(jobs)},
    )


def test_a_run_begins_with_all_its_jobs_waiting() -> None:
    """Every planned job has a row from the start, in the order of the plan."""
    jobs = (summary("b", "b"), summary("a", "a"))
    state = reduce_event(SAMPLE, RunStarted(run_id="r2", time=5.0, jobs=jobs, log_dir="logs"))
    assert list(state.jobs) == ["b", "a"]
    assert all(view.is_waiting and not view.is_running for view in state.jobs.values())
    assert (state.run_id, state.started, state.log_dir, state.notices) == ("r2", 5.0, "logs", ())


def test_a_phase_begins_its_own_count() -> None:
    """Progress of the phase before is forgotten, that of the new one kept."""
    view = SAMPLE.jobs[f"build {CELLS[1]}"]
    assert (view.is_running, view.phase, view.done, view.total) == (True, "compiling", 11, 80)
    state = reduce_event(SAMPLE, JobPhase(job_id=view.job_id, time=START + 50, phase="auditing"))
    after = state.jobs[view.job_id]
    assert (after.phase, after.phase_started, after.done, after.total, after.current) == (
        "auditing",
        START + 50,
        0,
        None,
        "",
    )


def test_the_last_lines_of_output_are_kept() -> None:
    """So many as the key t shows."""
    view = SAMPLE.jobs[f"build {CELLS[1]}"]
    assert len(view.recent) == RECENT_LINES
    assert "crate6" in view.recent[-1]


def test_what_comes_after_the_end_changes_only_the_output() -> None:
    """Reader threads deliver late; a finished job does not begin to run again."""
    name = f"build {CELLS[0]}"
    events: tuple[Event, ...] = (
        JobStarted(job_id=name, time=START + 90),
        JobPhase(job_id=name, time=START + 90, phase="testing"),
        JobProgress(job_id=name, time=START + 90, done=80, total=80, current="x"),
        JobOutput(job_id=name, time=START + 90, line="the last word"),
    )
    before = SAMPLE.jobs[name]
    after = reduce(reduce_event, events, SAMPLE).jobs[name]
    assert after == replace(before, recent=(*before.recent[1:], "the last word"))
    assert not after.is_running


def test_a_job_that_was_not_announced_gets_a_row() -> None:
    """Better a row without a cell than an event that is lost."""
    state = reduce_event(BoardState(), finished("odd", Outcome.FAILED, reason="r"))
    view = state.jobs["odd"]
    assert (view.kind, view.title, view.outcome, view.reason) == (None, "odd", Outcome.FAILED, "r")


def test_notices_and_the_end_of_the_run_are_kept() -> None:
    """The latest notices only: a display has few lines."""
    notices = [RunNotice(time=1.0, level="info", message=str(number)) for number in range(5)]
    state = reduce(reduce_event, notices, BoardState())
    assert [notice.message for notice in state.notices] == ["2", "3", "4"]
    assert reduce_event(state, RunFinished(run_id="r1", time=2.0, exit_code=3)).exit_code == 3


def test_jobs_that_would_share_a_name_are_called_by_their_title() -> None:
    """Two slices of one universal2 cell must be told apart."""
    state = board(job(title="x86_64 slice"), job(title="arm64 slice"), job(cells=("b",)))
    assert list(job_labels(state).values()) == ["x86_64 slice", "arm64 slice", "b"]


@pytest.mark.parametrize(
    ("view", "elapsed", "remaining"),
    [
        (job(estimate_seconds=30.0), 0.0, 30.0),
        (job(estimate_seconds=30.0, started=START), 20.0, 10.0),
        (job(estimate_seconds=15.0, started=START), 20.0, None),
        (job(started=START), 20.0, None),
        (job(started=START + 25), 0.0, None),
        (job(Outcome.SUCCEEDED, started=START, seconds=7.0, estimate_seconds=30.0), 7.0, None),
    ],
)
def test_times_of_a_job(view: JobView, elapsed: float, remaining: float | None) -> None:
    """From the clock while it runs, from the result afterwards; no negative times."""
    assert elapsed_seconds(view, START + 20) == elapsed
    assert remaining_seconds(view, START + 20) == remaining


@pytest.mark.parametrize(
    ("jobs", "fraction"),
    [
        ((), 1.0),
        ((job(), job(Outcome.SUCCEEDED)), 0.5),
        ((job(Outcome.UNAVAILABLE), job(Outcome.UP_TO_DATE), job(Outcome.SKIPPED)), 1.0),
        ((job(Outcome.UNAVAILABLE), job(), job(Outcome.FAILED)), 0.5),
        ((job(started=START, estimate_seconds=40.0), job(estimate_seconds=40.0)), 0.25),
        ((job(started=START, estimate_seconds=1.0),), 0.95),
        ((job(started=START, done=20, total=80),), 0.25),
        ((job(started=START),), 0.0),
        ((job(estimate_seconds=30.0), job(Outcome.SUCCEEDED, estimate_seconds=10.0)), 0.25),
        ((job(estimate_seconds=30.0), job(Outcome.SUCCEEDED)), 0.5),
    ],
)
def test_progress_of_a_run(jobs: tuple[JobView, ...], fraction: float) -> None:
    """Jobs weigh what they are expected to take; what never had to start weighs nothing."""
    assert finished_fraction(board(*jobs), START + 20) == pytest.approx(fraction)


@pytest.mark.parametrize(
    ("jobs", "eta"),
    [
        ((), None),
        ((job(Outcome.SUCCEEDED),), None),
        ((job(estimate_seconds=30.0), job()), None),
        ((job(estimate_seconds=30.0), job(estimate_seconds=10.0)), 40.0),
        ((job(started=START, estimate_seconds=30.0), job(estimate_seconds=40.0)), 50.0),
        (
            (
                job(started=START, estimate_seconds=30.0),
                job(started=START, estimate_seconds=25.0),
                job(estimate_seconds=40.0),
            ),
            40.0,
        ),
        ((job(started=START, estimate_seconds=5.0),), 0.0),
    ],
)
def test_time_left_of_a_run(jobs: tuple[JobView, ...], eta: float | None) -> None:
    """What is left is shared by what runs now, but no job is split; no guess without numbers."""
    assert eta_seconds(board(*jobs), START + 20) == eta
