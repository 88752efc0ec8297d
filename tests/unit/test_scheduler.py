"""Running jobs within limits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from jobs import Stage, a_job, a_result, fails, until_cancelled

from wheelworks.errors import InterruptedRunError
from wheelworks.events import JobFinished, JobStarted, Outcome
from wheelworks.process import Cancellation
from wheelworks.ripeness import Ripeness
from wheelworks.scheduler import priorities, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheelworks.events import Event
    from wheelworks.plan import Job
    from wheelworks.report.model import JobResult


def run(
    jobs: Sequence[Job],
    execute: Callable[[Job, Cancellation], JobResult],
    *,
    cores: int = 1,
    memory_mib: int = 10_000,
    sink: Callable[[Event], None] = lambda _event: None,
    cancellation: Cancellation | None = None,
    fail_fast: bool = False,
    stop_grace_seconds: float = 60.0,
    abandon_seconds: float = 60.0,
    ripeness: Ripeness | None = None,
) -> dict[str, JobResult]:
    """The results by job id, after their order was checked."""
    results = run_jobs(
        jobs,
        execute,
        cores=cores,
        memory_mib=memory_mib,
        sink=sink,
        cancellation=cancellation or Cancellation(),
        clock=lambda: 7.0,
        fail_fast=fail_fast,
        stop_grace_seconds=stop_grace_seconds,
        abandon_seconds=abandon_seconds,
        ripeness=ripeness,
    )
    assert [result.job_id for result in results] == [job.id for job in jobs]
    return {result.job_id: result for result in results}


def test_no_jobs_no_results() -> None:
    """An empty plan is done at once."""
    assert run([], Stage({})) == {}


def test_longest_way_to_the_end_goes_first() -> None:
    """A build that much waits for comes before a longer one that nothing waits for."""
    jobs = [
        a_job("short", seconds=1.0),
        a_job("long", seconds=50.0),
        a_job("base", seconds=30.0),
        a_job("test", "base", kind="test", seconds=40.0),
    ]
    stage = Stage({})
    run(jobs, stage)
    assert stage.started == ["base", "long", "test", "short"]


def test_equal_ranks_keep_the_order_of_the_plan() -> None:
    """Nothing depends on the order of a set or a dictionary's hashes."""
    stage = Stage({})
    run([a_job(name) for name in "dbca"], stage)
    assert stage.started == list("dbca")


def test_unknown_durations_are_assumed_by_kind() -> None:
    """A build without history counts more than a test or an sdist."""
    jobs = [
        a_job("test", kind="test", seconds=None),
        a_job("sdist", kind="sdist", seconds=None),
        a_job("build", kind="build", seconds=None),
    ]
    stage = Stage({})
    run(jobs, stage)
    assert stage.started == ["build", "test", "sdist"]


def test_as_many_run_at_once_as_the_budget_allows() -> None:
    """Three jobs meet at a barrier, which only opens when all of them run."""
    barrier = threading.Barrier(3, timeout=60.0)

    def meet(job: Job, _cancellation: Cancellation) -> JobResult:
        barrier.wait()
        return a_result(job)

    stage = Stage(dict.fromkeys("abc", meet))
    results = run([a_job(name) for name in "abc"], stage, cores=3)
    assert {result.outcome for result in results.values()} == {Outcome.SUCCEEDED}


@pytest.mark.parametrize(
    ("cores", "memory_mib", "peak"), [(1, 10_000, 1), (2, 10_000, 2), (9, 250, 2), (9, 100, 1)]
)
def test_neither_cores_nor_memory_are_exceeded(cores: int, memory_mib: int, peak: int) -> None:
    """The scarcer of the two decides how many run together."""
    stage = Stage({})
    run([a_job(str(n)) for n in range(12)], stage, cores=cores, memory_mib=memory_mib)
    assert max(len(together) for together in stage.together) <= peak


@pytest.mark.parametrize("big", [a_job("big", cores=99), a_job("big", memory_mib=99_999)])
def test_job_beyond_the_budget_runs_alone(big: Job) -> None:
    """It is not refused, but nothing runs beside it."""
    stage = Stage({})
    jobs = [a_job(str(n)) for n in range(4)]
    results = run([*jobs[:2], big, *jobs[2:]], stage, cores=4)
    assert results["big"].outcome is Outcome.SUCCEEDED
    assert all(together == (big,) for together in stage.together if big in together)


def test_smaller_job_passes_one_that_finds_no_room() -> None:
    """The budget is not left idle while the next in line is too large for what is free."""
    barrier = threading.Barrier(2, timeout=60.0)

    def meet(job: Job, _cancellation: Cancellation) -> JobResult:
        barrier.wait()
        return a_result(job)

    jobs = [
        a_job("first", cores=1, seconds=90.0),
        a_job("wide", cores=2, seconds=50.0),
        a_job("small", cores=1, seconds=1.0),
    ]
    stage = Stage({"first": meet, "small": meet})
    run(jobs, stage, cores=2)
    assert stage.started == ["first", "small", "wide"]


def test_needs_come_first() -> None:
    """A job starts when everything it needs has succeeded or is up to date."""

    def fresh(job: Job, _cancellation: Cancellation) -> JobResult:
        return a_result(job, Outcome.UP_TO_DATE)

    stage = Stage({"a": fresh})
    results = run([a_job("c", "a", "b"), a_job("a"), a_job("b", "a")], stage, cores=3)
    assert stage.started == ["a", "b", "c"]
    assert results["c"].outcome is Outcome.SUCCEEDED


def test_what_needs_a_failed_job_is_skipped() -> None:
    """The reason names the need, down the whole line; skipping adds no exit code."""
    stage = Stage({"build": fails})
    jobs = [a_job("build"), a_job("test", "build"), a_job("audit", "test"), a_job("other")]
    results = run(jobs, stage)
    assert sorted(stage.started) == ["build", "other"]
    assert results["build"].exit_code == 1
    assert results["test"].outcome is Outcome.SKIPPED
    assert results["test"].reason == "needs build, which failed"
    assert results["test"].exit_code == 0
    assert results["audit"].reason == "needs test, which was skipped"
    assert results["other"].outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(
    ("outcome", "follows", "reason"),
    [
        (Outcome.UNAVAILABLE, Outcome.SKIPPED, "needs build, which is unavailable"),
        (Outcome.CANCELLED, Outcome.CANCELLED, "needs build, which was cancelled"),
    ],
)
def test_other_endings_of_a_need(outcome: Outcome, follows: Outcome, reason: str) -> None:
    """Whatever is no success holds up what waits, with its own word."""

    def end(job: Job, _cancellation: Cancellation) -> JobResult:
        return a_result(job, outcome, reason="so it is")

    results = run([a_job("build"), a_job("test", "build")], Stage({"build": end}))
    assert (results["test"].outcome, results["test"].reason) == (follows, reason)


def test_fail_fast_starts_nothing_more() -> None:
    """Running jobs go on to their end; waiting ones are skipped with the reason."""
    has_failed = threading.Event()

    def outlast(job: Job, _cancellation: Cancellation) -> JobResult:
        assert has_failed.wait(60.0)
        return a_result(job)

    def watch(event: Event) -> None:
        if isinstance(event, JobFinished) and event.job_id == "a":
            has_failed.set()

    stage = Stage({"a": fails, "b": outlast})
    jobs = [a_job("a"), a_job("b"), a_job("c")]
    results = run(jobs, stage, cores=2, fail_fast=True, sink=watch)
    assert results["a"].outcome is Outcome.FAILED
    assert results["b"].outcome is Outcome.SUCCEEDED
    assert results["c"].outcome is Outcome.SKIPPED
    assert results["c"].reason == "a failed, and the run stops at the first failure"


def test_exception_becomes_a_result() -> None:
    """A bug in one job costs that job, with exit code 70."""

    def broken(_job: Job, _cancellation: Cancellation) -> JobResult:
        raise ZeroDivisionError("oh")

    results = run([a_job("a"), a_job("b")], Stage({"a": broken}))
    assert results["a"].outcome is Outcome.FAILED
    assert results["a"].exit_code == 70
    assert results["b"].outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_exit_of_a_thread_becomes_a_result(error: BaseException) -> None:
    """Not even what is no Exception may lose a job."""

    def leave(_job: Job, _cancellation: Cancellation) -> JobResult:
        raise error

    assert run([a_job("a")], Stage({"a": leave}))["a"].outcome in (
        Outcome.FAILED,
        Outcome.CANCELLED,
    )


def test_result_of_another_job_is_a_bug() -> None:
    """A mixed-up executor can neither hang the run nor overwrite a result."""

    def mixed_up(_job: Job, _cancellation: Cancellation) -> JobResult:
        return a_result(a_job("b"))

    results = run([a_job("a"), a_job("b")], Stage({"a": mixed_up}))
    assert results["a"].exit_code == 70
    assert results["b"].outcome is Outcome.SUCCEEDED


def test_events_tell_starts_and_ends() -> None:
    """Each job has one end, also one that never started; each start comes before its end."""
    events: list[Event] = []
    run([a_job("a"), a_job("b", "a")], Stage({"a": fails}), sink=events.append)
    assert [(type(e), e.job_id) for e in events if isinstance(e, JobStarted | JobFinished)] == [
        (JobStarted, "a"),
        (JobFinished, "a"),
        (JobFinished, "b"),
    ]
    assert events[1] == JobFinished(
        job_id="a",
        time=7.0,
        outcome=Outcome.FAILED,
        reason="it broke",
        seconds=1.0,
        exit_code=1,
        artifact=None,
        log=None,
    )


def test_failing_display_costs_no_result() -> None:
    """What the sink raises is logged, and the run goes on."""

    def broken(event: Event) -> None:
        raise RuntimeError(f"can't draw {event}")

    assert run([a_job("a")], Stage({}), sink=broken)["a"].outcome is Outcome.SUCCEEDED


def test_request_before_the_start_cancels_everything() -> None:
    """Nothing starts once somebody asked."""
    cancellation = Cancellation()
    cancellation.request()
    stage = Stage({})
    results = run([a_job("a"), a_job("b", "a")], stage, cancellation=cancellation)
    assert stage.started == []
    assert {result.outcome for result in results.values()} == {Outcome.CANCELLED}
    assert {result.reason for result in results.values()} == {"the run was stopped before it began"}


def test_request_in_the_middle_keeps_what_is_done() -> None:
    """Finished jobs keep their outcome, running ones are asked, the rest is cancelled."""
    cancellation = Cancellation()

    def ask(job: Job, given: Cancellation) -> JobResult:
        given.request()
        return until_cancelled(job, given)

    stage = Stage({"b": ask})
    jobs = [a_job("a", seconds=99.0), a_job("b", "a"), a_job("c", "b"), a_job("d", seconds=0.0)]
    results = run(jobs, stage, cancellation=cancellation)
    assert stage.started == ["a", "b"]
    assert [results[name].outcome for name in "abcd"] == [
        Outcome.SUCCEEDED,
        Outcome.CANCELLED,
        Outcome.CANCELLED,
        Outcome.CANCELLED,
    ]
    assert results["b"].reason == "asked to stop"
    assert not cancellation.forced


def test_grace_ends_with_the_kill() -> None:
    """A job that does not stop when asked is stopped by force after the grace."""
    cancellation = Cancellation()

    def stubborn(job: Job, given: Cancellation) -> JobResult:
        given.request()
        killed = threading.Event()
        with given.waking(killed.set):
            assert given.forced or killed.wait(60.0)
        return a_result(job, Outcome.CANCELLED, reason=f"forced: {given.forced}")

    results = run(
        [a_job("a")], Stage({"a": stubborn}), cancellation=cancellation, stop_grace_seconds=0.05
    )
    assert results["a"].reason == "forced: True"


def test_thread_that_never_comes_back_is_abandoned() -> None:
    """Not even a job that hangs in itself can hang the run; its late result changes nothing."""
    release = threading.Event()
    left = threading.Event()

    def hang(job: Job, given: Cancellation) -> JobResult:
        given.request(force=True)
        release.wait(60.0)
        left.set()
        return a_result(job)

    results = run([a_job("a")], hang, abandon_seconds=0.05)
    assert results["a"].outcome is Outcome.CANCELLED
    assert results["a"].reason == "it did not stop and was abandoned"
    release.set()
    assert left.wait(60.0)


def test_interrupt_as_an_exception_is_a_request() -> None:
    """Without a handler, Ctrl-C raises in the thread that decides; no outcome is lost."""
    cancellation = Cancellation()

    def interrupting(event: Event) -> None:
        if isinstance(event, JobFinished) and event.job_id == "a":
            raise KeyboardInterrupt

    results = run(
        [a_job("a", seconds=99.0), a_job("b", "a"), a_job("c")],
        Stage({}),
        sink=interrupting,
        cancellation=cancellation,
    )
    assert results["a"].outcome is Outcome.SUCCEEDED
    assert results["b"].outcome is Outcome.CANCELLED
    assert cancellation.requested


def test_interrupt_while_a_job_is_being_started() -> None:
    """A job that was taken but never started is cancelled, not waited for."""

    def interrupting(event: Event) -> None:
        if isinstance(event, JobStarted):
            raise KeyboardInterrupt

    stage = Stage({})
    results = run([a_job("a"), a_job("b")], stage, sink=interrupting)
    assert stage.started == []
    assert {result.outcome for result in results.values()} == {Outcome.CANCELLED}


def test_wait_for_a_lock_that_is_interrupted_is_cancelled() -> None:
    """An interrupt that reaches a job as an exception is no failure."""

    def waiting(_job: Job, given: Cancellation) -> JobResult:
        given.request()
        raise InterruptedRunError("interrupted while waiting for the lock x.lock")

    result = run([a_job("a")], Stage({"a": waiting}))["a"]
    assert (result.outcome, result.exit_code) == (Outcome.CANCELLED, 0)


def test_unknown_need_is_a_bug_of_the_planner() -> None:
    """A plan that can't be carried out is refused before anything starts."""
    with pytest.raises(AssertionError, match="BUG: a needs b, which is not planned"):
        priorities([a_job("a", "b")])


def test_circle_is_a_bug_of_the_planner() -> None:
    """Jobs that wait for each other would wait for ever."""
    with pytest.raises(AssertionError, match=r"BUG: jobs wait in a circle: \['a', 'b'\]"):
        priorities([a_job("a", "b"), a_job("b", "a"), a_job("c")])


def test_one_job_of_a_family_runs_until_the_others_can_begin_with_what_it_made() -> None:
    """Meanwhile other families use the processors."""
    stage = Stage({})
    jobs = [a_job(f"{family}{n}", family=family) for family in "ab" for n in range(3)]
    run(jobs, stage, cores=6)
    for family in "ab":
        beside_the_first = [
            job.id
            for together in stage.together
            if any(job.id == f"{family}0" for job in together)
            for job in together
            if job.seeding_family == family
        ]
        assert set(beside_the_first) == {f"{family}0"}
    assert stage.started[:2] == ["a0", "b0"]


def test_siblings_begin_as_soon_as_the_first_one_is_ripe() -> None:
    """It need not be at its end: the three meet at a barrier while the first one runs."""
    ripeness = Ripeness()
    barrier = threading.Barrier(3, timeout=60.0)

    def first(job: Job, cancellation: Cancellation) -> JobResult:
        ripeness.note("f")
        return meet(job, cancellation)

    def meet(job: Job, _cancellation: Cancellation) -> JobResult:
        barrier.wait()
        return a_result(job)

    stage = Stage({"x": first, "y": meet, "z": meet})
    jobs = [a_job(name, family="f") for name in "xyz"]
    results = run(jobs, stage, cores=3, ripeness=ripeness)
    assert {result.outcome for result in results.values()} == {Outcome.SUCCEEDED}


def test_a_family_that_is_ripe_from_the_start_waits_for_nobody() -> None:
    """Its folders are there from an earlier run."""
    barrier = threading.Barrier(2, timeout=60.0)

    def meet(job: Job, _cancellation: Cancellation) -> JobResult:
        barrier.wait()
        return a_result(job)

    jobs = [a_job(name, family="f") for name in "xy"]
    results = run(jobs, Stage({"x": meet, "y": meet}), cores=2, ripeness=Ripeness(["f"]))
    assert {result.outcome for result in results.values()} == {Outcome.SUCCEEDED}


def test_a_first_job_that_fails_holds_nobody_up() -> None:
    """Its siblings are no less able to build for it."""
    jobs = [a_job(name, family="f") for name in "xyz"]
    results = run(jobs, Stage({"x": fails}), cores=3)
    assert [results[name].outcome for name in "xyz"] == [
        Outcome.FAILED,
        Outcome.SUCCEEDED,
        Outcome.SUCCEEDED,
    ]
