"""Runs a Plan's jobs with limits and cancellation; emits events.

Takes jobs, a function that executes one and a budget; gives a result per job. Knows nothing of
builds, processes or displays. Each job runs in a thread; one thread, the caller's, decides.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from wheelworks.cancellation import Cancellation, sleep_on
from wheelworks.events import JobStarted, Outcome
from wheelworks.outcomes import finished_event, result_of_error, unstarted
from wheelworks.ripeness import Ripeness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wheelworks.events import Event, EventSink, JobKind
    from wheelworks.plan import Job
    from wheelworks.report.model import JobResult

_logger = logging.getLogger("wheelworks")

STOP_GRACE_SECONDS: Final = 10.0
"""From the request to stop to the kill."""
ABANDON_SECONDS: Final = 15.0
"""From the kill to giving a job's thread up."""
_ASSUMED_SECONDS: Final[Mapping[JobKind, float]] = {"build": 60.0, "sdist": 5.0, "test": 10.0}
"""For jobs that never ran here."""
_STOPPED: Final = "the run was stopped before it began"
_GOOD: Final = frozenset({Outcome.SUCCEEDED, Outcome.UP_TO_DATE})


def run_jobs(
    jobs: Sequence[Job],
    execute: Callable[[Job, Cancellation], JobResult],
    *,
    cores: int,
    memory_mib: int,
    sink: EventSink,
    cancellation: Cancellation,
    clock: Callable[[], float] = time.time,
    fail_fast: bool = False,
    stop_grace_seconds: float = STOP_GRACE_SECONDS,
    abandon_seconds: float = ABANDON_SECONDS,
    ripeness: Ripeness | None = None,
) -> tuple[JobResult, ...]:
    """Run every job as soon as what it needs has succeeded and the budget has room for it.

    Of the jobs that may start, the one with the longest way to the end goes first: its own estimate
    and those of what waits for it. One that finds no room is passed by smaller ones. One that is
    larger than the whole budget runs alone.

    Args:
        jobs: the plan's jobs; every need is among them.
        execute: runs one job to its end, in a thread of its own. What it raises becomes a result.
        cores: how many the running jobs may take together.
        memory_mib: the same for memory.
        sink: gets JobStarted and JobFinished, from the calling thread; what it raises is logged.
        cancellation: once requested, nothing more starts and the rest is cancelled; running jobs
            are asked to stop (they are given the same cancellation), and killed after a grace or by
            a forced request.
        clock: seconds since the epoch, for the events.
        fail_fast: start nothing more once a job has failed; running ones go on to their end.
        stop_grace_seconds: from the request to stop to the kill.
        abandon_seconds: from the kill to giving up a job whose thread does not come back.
        ripeness: which seeding families are open from the start, and who opens others: until then, or until
            one job of the family has ended, only one of it runs.

    Returns:
        One result per job, in the order of ``jobs``.
    """
    return _Scheduler(
        jobs,
        execute,
        cores=cores,
        memory_mib=memory_mib,
        sink=sink,
        cancellation=cancellation,
        clock=clock,
        fail_fast=fail_fast,
        bounds=(stop_grace_seconds, abandon_seconds),
        ripeness=ripeness or Ripeness(),
    ).run()


def priorities(jobs: Sequence[Job]) -> dict[str, float]:
    """Job id -> estimated seconds from its start to the end of everything that waits for it.

    Raises:
        AssertionError: a need is unknown, or jobs wait for each other in a circle (bugs of the
        planner).
    """
    by_id = {job.id: job for job in jobs}
    waiters: dict[str, list[Job]] = {job.id: [] for job in jobs}
    for job in jobs:
        for need in job.needs:
            if need not in by_id:
                raise AssertionError(f"BUG: {job.id} needs {need}, which is not planned")
            waiters[need].append(job)
    result: dict[str, float] = {}
    # From the ends of the graph backwards: a job is ready once all that wait for it have their
    # number.
    open_waiters = {job_id: len(waiting) for job_id, waiting in waiters.items()}
    ready = [job for job in jobs if not waiters[job.id]]
    while ready:
        job = ready.pop()
        longest = max((result[waiter.id] for waiter in waiters[job.id]), default=0.0)
        result[job.id] = _estimate(job) + longest
        for need in job.needs:
            open_waiters[need] -= 1
            if open_waiters[need] == 0:
                ready.append(by_id[need])
    if len(result) < len(by_id):
        raise AssertionError(f"BUG: jobs wait in a circle: {sorted(by_id.keys() - result.keys())}")
    return result


def _estimate(job: Job) -> float:
    known = job.estimate_seconds
    return _ASSUMED_SECONDS[job.kind] if known is None else known


class _Scheduler:
    """The state of one run.

    Every job is waiting, running or settled; only ``_start`` and ``_settle`` move it.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        execute: Callable[[Job, Cancellation], JobResult],
        *,
        cores: int,
        memory_mib: int,
        sink: EventSink,
        cancellation: Cancellation,
        clock: Callable[[], float],
        fail_fast: bool,
        bounds: tuple[float, float],
        ripeness: Ripeness,
    ) -> None:
        ranks = priorities(jobs)
        self._jobs = tuple(jobs)
        # sorted() is stable: equal ranks keep the plan's order.
        self._waiting = {job.id: job for job in sorted(jobs, key=lambda job: -ranks[job.id])}
        self._running: dict[str, Job] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._results: dict[str, JobResult] = {}
        self._arrived: dict[str, JobResult] = {}
        self._ripeness = ripeness
        self._woken = ripeness.woken
        self._execute = execute
        self._cores = cores
        self._memory_mib = memory_mib
        self._sink = sink
        self._cancellation = cancellation
        self._clock = clock
        self._fail_fast = fail_fast
        self._stop_grace_seconds, self._abandon_seconds = bounds
        self._stop_deadline: float | None = None
        self._is_killing = False

    def run(self) -> tuple[JobResult, ...]:
        """Go on until every job is settled.

        An interrupt that comes as an exception (no handler is installed) counts as a request. It
        may come anywhere below, so each round begins from what is known for certain: workers leave
        their results in ``_arrived``, and nothing is taken from there before it is settled.
        """
        with self._cancellation.waking(lambda: self._woken.put(None)):
            while self._waiting or self._running:
                try:
                    self._round()
                except KeyboardInterrupt:
                    self._cancellation.request(force=self._cancellation.requested)
                    self._recover()
        return tuple(self._results[job.id] for job in self._jobs)

    def _recover(self) -> None:
        """Finish the move that an exception cut short."""
        for job_id in self._results:
            self._waiting.pop(job_id, None)
            self._running.pop(job_id, None)
        for job_id in self._running:
            self._waiting.pop(job_id, None)
        for job in tuple(self._running.values()):
            thread = self._threads.get(job.id)
            if (thread is None or thread.ident is None) and job.id not in self._arrived:
                self._settle(unstarted(job, Outcome.CANCELLED, _STOPPED))

    def _round(self) -> None:
        for job_id in [job_id for job_id in self._running if job_id in self._arrived]:
            self._settle(self._arrived[job_id])
        self._give_up_hopeless()
        if self._cancellation.requested:
            self._press()
        else:
            self._start_what_fits()
        if self._running:
            self._sleep()

    def _give_up_hopeless(self) -> None:
        """Settle waiting jobs that can't start any more, and in turn what waits for them."""
        while True:
            hopeless = [
                unstarted(job, outcome, reason)
                for job in self._waiting.values()
                for outcome, reason in self._obstacle(job)
            ]
            if not hopeless:
                return
            for result in hopeless:
                self._settle(result)

    def _obstacle(self, job: Job) -> list[tuple[Outcome, str]]:
        """Why a waiting job can't start any more: one entry, or none."""
        if self._cancellation.requested:
            return [(Outcome.CANCELLED, _STOPPED)]
        for need in job.needs:
            result = self._results.get(need)
            if result is None or result.outcome in _GOOD:
                continue
            if result.outcome is Outcome.CANCELLED:
                return [(Outcome.CANCELLED, f"needs {need}, which was cancelled")]
            word = "is" if result.outcome is Outcome.UNAVAILABLE else "was"
            ending = "failed" if result.outcome is Outcome.FAILED else f"{word} {result.outcome}"
            return [(Outcome.SKIPPED, f"needs {need}, which {ending}")]
        failed = self._first_failure() if self._fail_fast else None
        if failed is not None:
            return [(Outcome.SKIPPED, f"{failed} failed, and the run stops at the first failure")]
        return []

    def _first_failure(self) -> str | None:
        results = self._results.values()
        return next((r.job_id for r in results if r.outcome is Outcome.FAILED), None)

    def _start_what_fits(self) -> None:
        for job in tuple(self._waiting.values()):
            is_ready = all(need in self._results for need in job.needs)
            if is_ready and self._has_room(job) and not self._awaits_sibling(job):
                self._start(job)

    def _awaits_sibling(self, job: Job) -> bool:
        """Whether another job is making what this one would begin with."""
        family = job.seeding_family
        if family is None or family in self._ripeness:
            return False
        return any(one.seeding_family == family for one in self._running.values())

    def _has_room(self, job: Job) -> bool:
        if not self._running:
            return True
        running = (job, *self._running.values())
        # A sum that holds a job beyond the budget is beyond it, too: such a job is always alone.
        return (
            sum(max(one.cores, 1) for one in running) <= self._cores
            and sum(one.memory_mib for one in running) <= self._memory_mib
        )

    def _press(self) -> None:
        """After a request: kill when the grace is over, abandon when even that does not help."""
        now = time.monotonic()
        if self._stop_deadline is None:
            self._stop_deadline = now + self._stop_grace_seconds
        if not self._is_killing and (self._cancellation.forced or now >= self._stop_deadline):
            self._is_killing = True
            self._stop_deadline = now + self._abandon_seconds
            self._cancellation.request(force=True)
        elif self._is_killing and now >= self._stop_deadline:
            for job in tuple(self._running.values()):
                self._settle(unstarted(job, Outcome.CANCELLED, "it did not stop and was abandoned"))

    def _sleep(self) -> None:
        """Until a job ends, a request comes or the next bound is reached."""
        deadline = self._stop_deadline
        sleep_on(self._woken, 3600.0 if deadline is None else deadline - time.monotonic())

    def _start(self, job: Job) -> None:
        """Waiting -> running."""
        self._running[job.id] = job
        del self._waiting[job.id]
        self._emit(JobStarted(job_id=job.id, time=self._clock()))
        thread = threading.Thread(target=self._work, args=(job,), name=job.id, daemon=True)
        self._threads[job.id] = thread
        try:
            thread.start()
        except RuntimeError as error:
            # The system gives no more threads.
            self._arrived[job.id] = result_of_error(job, error, 0.0)
            self._woken.put(None)

    def _work(self, job: Job) -> None:
        """Run the job; in its thread. Whatever happens, a result arrives."""
        started = time.monotonic()
        try:
            result = self._execute(job, self._cancellation)
            if result.job_id != job.id:
                raise AssertionError(f"BUG: the result of {job.id} is that of {result.job_id}")
        except BaseException as error:
            result = result_of_error(job, error, time.monotonic() - started)
        self._arrived[job.id] = result
        self._woken.put(None)

    def _settle(self, result: JobResult) -> None:
        """Waiting or running -> settled."""
        self._results[result.job_id] = result
        self._waiting.pop(result.job_id, None)
        ended = self._running.pop(result.job_id, None)
        if ended is not None and ended.seeding_family is not None:
            # However it ended: there is nothing more to wait for.
            self._ripeness.note(ended.seeding_family)
        self._emit(finished_event(result, time=self._clock()))

    def _emit(self, event: Event) -> None:
        """Tell the sink. A display that fails must not cost a result."""
        try:
            self._sink(event)
        except Exception:
            _logger.exception("BUG: the event sink raised")
