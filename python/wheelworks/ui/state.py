"""Events -> BoardState.

A pure reducer: takes a state and an event, gives the next state. Does not know the screen, and the
clock only from the events.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, assert_never

from wheelworks.events import (
    JobFinished,
    JobOutput,
    JobPhase,
    JobProgress,
    JobStarted,
    Outcome,
    RunFinished,
    RunNotice,
    RunStarted,
)
from wheelworks.report.words import job_label, shows_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.events import Event, JobKind, JobSummary, Phase

#: Lines of output kept per job for the key ``t``.
RECENT_LINES: Final = 5
_NOTICES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """One job as a display sees it."""

    job_id: str
    kind: JobKind | None
    """None for a job that the run did not announce."""
    title: str
    cells: tuple[str, ...]
    estimate_seconds: float | None = None
    is_emulated: bool = False
    phase: Phase = "waiting"
    phase_started: float = 0.0
    started: float | None = None
    done: int = 0
    total: int | None = None
    current: str = ""
    recent: tuple[str, ...] = ()
    """The last lines of output."""
    outcome: Outcome | None = None
    reason: str | None = None
    seconds: float = 0.0
    artifact: str | None = None
    log: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.started is not None and self.outcome is None

    @property
    def is_waiting(self) -> bool:
        """Whether it has neither begun nor ended."""
        return self.started is None and self.outcome is None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """Everything that a display shows of a run."""

    run_id: str = ""
    started: float | None = None
    log_dir: str = ""
    jobs: Mapping[str, JobView] = field(default_factory=dict)
    """Job id -> job, in the order of the plan."""
    notices: tuple[RunNotice, ...] = ()
    """The latest ones."""
    exit_code: int | None = None
    """None while the run goes on."""


def reduce_event(state: BoardState, event: Event) -> BoardState:
    """The state after the event."""
    match event:
        case RunStarted():
            jobs = {job.job_id: _planned(job) for job in event.jobs}
            return BoardState(
                run_id=event.run_id, started=event.time, log_dir=event.log_dir, jobs=jobs
            )
        case RunNotice():
            return replace(state, notices=(*state.notices, event)[-_NOTICES:])
        case RunFinished():
            return replace(state, exit_code=event.exit_code)
        case JobStarted() | JobPhase() | JobProgress() | JobOutput() | JobFinished():
            job = state.jobs.get(event.job_id) or _unannounced(event.job_id)
            return replace(state, jobs={**state.jobs, event.job_id: _next_job(job, event)})
        case _:
            assert_never(event)


def _planned(job: JobSummary) -> JobView:
    return JobView(
        job_id=job.job_id,
        kind=job.kind,
        title=job.title,
        cells=job.cells,
        estimate_seconds=job.estimate_seconds,
        is_emulated=job.is_emulated,
    )


def _unannounced(job_id: str) -> JobView:
    return JobView(job_id=job_id, kind=None, title=job_id, cells=())


def _next_job(
    job: JobView, event: JobStarted | JobPhase | JobProgress | JobOutput | JobFinished
) -> JobView:
    """The job after the event; what a reader thread delivers late changes only the output."""
    match event:
        case JobOutput():
            return replace(job, recent=(*job.recent, event.line)[-RECENT_LINES:])
        case JobFinished():
            return replace(
                job,
                outcome=event.outcome,
                reason=event.reason,
                seconds=event.seconds,
                artifact=event.artifact,
                log=event.log,
            )
        case _ if job.outcome is not None:
            return job
        case JobStarted():
            return replace(job, started=event.time, phase="preparing", phase_started=event.time)
        case JobPhase():
            return replace(
                job, phase=event.phase, phase_started=event.time, done=0, total=None, current=""
            )
        case JobProgress():
            return replace(job, done=event.done, total=event.total, current=event.current)
        case _:
            assert_never(event)


def job_labels(state: BoardState) -> dict[str, str]:
    """Job id -> its name on screen; jobs that would share one are called by their title."""
    jobs = state.jobs.values()
    with_kind = shows_kinds(job.kind for job in jobs)
    labels = {
        job.job_id: job_label(
            job.kind, job.title, job.cells, with_kind=with_kind, is_emulated=job.is_emulated
        )
        for job in jobs
    }
    uses = Counter(labels.values())
    return {
        job_id: label
        if uses[label] == 1
        else job_label(
            None,
            state.jobs[job_id].title,
            (),
            with_kind=False,
            is_emulated=state.jobs[job_id].is_emulated,
        )
        for job_id, label in labels.items()
    }
