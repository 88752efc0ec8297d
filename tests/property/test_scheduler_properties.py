"""What holds for every graph of jobs and every budget."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import Stage, a_job, a_result, fails

from wheelworks.events import JobFinished, JobStarted, Outcome
from wheelworks.process import Cancellation
from wheelworks.scheduler import priorities, run_jobs

if TYPE_CHECKING:
    from wheelworks.events import Event
    from wheelworks.plan import Job
    from wheelworks.report.model import JobResult

CORES = 4
MEMORY = 400


@st.composite
def graphs(draw: st.DrawFn) -> list[Job]:
    """Jobs whose needs lie before them, in any order of the list."""
    jobs: list[Job] = []
    for number in range(draw(st.integers(0, 9))):
        earlier = [job.id for job in jobs]
        needs = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
        jobs.append(
            a_job(
                f"job{number}",
                *needs,
                cores=draw(st.integers(0, CORES + 2)),
                memory_mib=draw(st.integers(0, MEMORY + 200)),
                seconds=draw(st.none() | st.floats(0.0, 100.0)),
            )
        )
    return draw(st.permutations(jobs))


def is_within_budget(together: tuple[Job, ...]) -> bool:
    """Whether jobs may run at the same time."""
    return len(together) == 1 or (
        sum(max(job.cores, 1) for job in together) <= CORES
        and sum(job.memory_mib for job in together) <= MEMORY
    )


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_budget_needs_and_outcomes(jobs: list[Job], data: st.DataObject) -> None:
    """The budget is never exceeded, needs come first, and each job has exactly one outcome."""
    ids = [job.id for job in jobs]
    broken = set(data.draw(st.lists(st.sampled_from(ids), max_size=2))) if ids else set()
    stage = Stage(dict.fromkeys(broken, fails))
    events: list[Event] = []
    results = run_jobs(
        jobs,
        stage,
        cores=CORES,
        memory_mib=MEMORY,
        sink=events.append,
        cancellation=Cancellation(),
    )
    outcomes = {result.job_id: result.outcome for result in results}
    assert [result.job_id for result in results] == ids
    assert all(is_within_budget(together) for together in stage.together)
    for job in jobs:
        is_held_up = any(outcomes[need] is not Outcome.SUCCEEDED for need in job.needs)
        if is_held_up:
            assert outcomes[job.id] is Outcome.SKIPPED
        else:
            assert outcomes[job.id] is (Outcome.FAILED if job.id in broken else Outcome.SUCCEEDED)
    order = [(type(event), event.job_id) for event in events if hasattr(event, "job_id")]
    assert sorted(job_id for kind, job_id in order if kind is JobFinished) == sorted(ids)
    for job in jobs:
        for need in job.needs:
            if (JobStarted, job.id) in order:
                assert order.index((JobFinished, need)) < order.index((JobStarted, job.id))


@given(graphs(), st.integers(1, 9), st.booleans())
@settings(max_examples=100, deadline=None)
def test_cancellation_loses_no_job(jobs: list[Job], after: int, force: bool) -> None:
    """Whenever the request comes, every job has one outcome, and those that ended well keep it."""
    cancellation = Cancellation()
    lock = threading.Lock()
    done: set[str] = set()

    def execute(job: Job, given: Cancellation) -> JobResult:
        with lock:
            done.add(job.id)
            if len(done) == after:
                given.request(force=force)
        return a_result(job)

    results = run_jobs(
        jobs,
        execute,
        cores=CORES,
        memory_mib=MEMORY,
        sink=lambda _: None,
        cancellation=cancellation,
    )
    assert [result.job_id for result in results] == [job.id for job in jobs]
    for result in results:
        was_run = result.job_id in done
        assert result.outcome is (Outcome.SUCCEEDED if was_run else Outcome.CANCELLED)


@given(graphs())
def test_priorities_fall_along_the_needs(jobs: list[Job]) -> None:
    """What is needed never ranks below what needs it."""
    ranks = priorities(jobs)
    assert ranks.keys() == {job.id for job in jobs}
    for job in jobs:
        assert all(ranks[need] >= ranks[job.id] for need in job.needs)
