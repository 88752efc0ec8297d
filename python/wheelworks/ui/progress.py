"""BoardState + now -> how far the run is and how long it may still take.

Pure arithmetic on the estimates from earlier runs. An estimate is a guess and shown as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wheelworks.events import Outcome

if TYPE_CHECKING:
    from wheelworks.ui.state import BoardState, JobView

#: A running job is never shown as complete: its estimate may be wrong.
_MOST: Final = 0.95
_NO_WORK: Final = frozenset({Outcome.UP_TO_DATE, Outcome.UNAVAILABLE, Outcome.SKIPPED})


def elapsed_seconds(job: JobView, now: float) -> float:
    """How long the job took, or has been running."""
    if job.outcome is not None or job.started is None:
        return job.seconds
    return max(now - job.started, 0.0)


def remaining_seconds(job: JobView, now: float) -> float | None:
    """How long an unfinished job may still take; None when nothing tells or it is overdue."""
    if job.outcome is not None or job.estimate_seconds is None:
        return None
    left = job.estimate_seconds - elapsed_seconds(job, now)
    return left if left > 0 else None


def is_work(job: JobView) -> bool:
    """Whether the job is something to wait for: not one that never had to, or could, start."""
    return job.outcome not in _NO_WORK


def finished_fraction(state: BoardState, now: float) -> float:
    """How much of the work is done, from 0 to 1; jobs weigh what they are expected to take."""
    jobs = [job for job in state.jobs.values() if is_work(job)]
    known = [job.estimate_seconds for job in jobs if job.estimate_seconds is not None]
    typical = sum(known) / len(known) if known else 1.0
    done = total = 0.0
    for job in jobs:
        weight = typical if job.estimate_seconds is None else job.estimate_seconds
        done += weight * _job_fraction(job, now)
        total += weight
    return done / total if total else 1.0


def _job_fraction(job: JobView, now: float) -> float:
    if job.outcome is not None:
        return 1.0
    if not job.is_running:
        return 0.0
    if job.estimate_seconds:
        return min(elapsed_seconds(job, now) / job.estimate_seconds, _MOST)
    return min(job.done / job.total, _MOST) if job.total else 0.0


def eta_seconds(state: BoardState, now: float) -> float | None:
    """How long the run may still take; None when a job that is left was never timed.

    What is left is shared among as many jobs as run now, and no job can be split.
    """
    left = [job for job in state.jobs.values() if job.outcome is None]
    if not left or any(job.estimate_seconds is None for job in left):
        return None
    remaining = [remaining_seconds(job, now) or 0.0 for job in left]
    running = sum(1 for job in left if job.is_running)
    return max(*remaining, sum(remaining) / max(running, 1), 0.0)
