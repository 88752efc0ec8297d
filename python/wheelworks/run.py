"""Carries out a prepared plan: supplies, jobs, report.

The order is :meth:`Run.carry_out`. Touches ``.wheelworks/`` and ``dist/`` and, through the Runner, everything
else; shows nothing but through the event sink.
"""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheelworks.closing import Closing, change_notices, rust_notices
from wheelworks.containers.removal import RunContainers
from wheelworks.errors import MissingResourceError, strongest_exit
from wheelworks.events import JobSummary, Outcome, RunFinished, RunNotice, RunStarted
from wheelworks.failure_help import with_help
from wheelworks.gc import KEPT_RUN_SECONDS, KEPT_RUNS
from wheelworks.ledger import Ledger
from wheelworks.outcomes import finished_event
from wheelworks.report.build import unavailable_results
from wheelworks.ripeness import Ripeness
from wheelworks.scheduler import run_jobs
from wheelworks.seeding import seeded_families
from wheelworks.store import RunStore
from wheelworks.supplies import Supplier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from wheelworks.events import Event, EventSink
    from wheelworks.executors.base import RunContext
    from wheelworks.plan import Job
    from wheelworks.preparation import Prepared
    from wheelworks.process import Cancellation, Runner
    from wheelworks.report.model import JobResult, Report

_logger = logging.getLogger("wheelworks")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run behaves."""

    command: str
    """The command line, for the report."""
    strict: bool = False
    fail_fast: bool = False
    waits_for_locks: bool = True
    repeat_flags: tuple[str, ...] = ()
    """What a command that repeats a job of this run must be given besides its cell."""


class Run:
    """One run of a prepared plan."""

    def __init__(
        self,
        prepared: Prepared,
        options: RunOptions,
        *,
        runner: Runner,
        environ: Mapping[str, str],
        sink: EventSink,
        cancellation: Cancellation,
    ) -> None:
        self._prepared = prepared
        self._options = options
        self._runner = runner
        self._environ = environ
        self._show = sink
        self._cancellation = cancellation
        self._store = RunStore(prepared.state_dir)
        self._notices: list[str] = []
        self._run_id = self._store.new_run()
        self._ledger = Ledger(prepared, run_id=self._run_id, environ=environ)
        self._closing = Closing(prepared, self._ledger, run_id=self._run_id)

    @property
    def run_id(self) -> str:
        """The run's name below ``.wheelworks/runs``."""
        return self._run_id

    @property
    def folder(self) -> Path:
        """Where the run's events, logs and report lie."""
        return self._store.folder(self._run_id)

    def carry_out(self, signal_exit: Callable[[], int | None]) -> Report:
        """Provide, run, record, report.

        Args:
            signal_exit: gives 130 or 143 once a signal ended the run, else None.
        """
        started = time.time()
        self._announce(started)
        stale = self._settle_without_running()
        if stale:
            self._run_jobs(stale)
            self._notice_all(change_notices(self._prepared))
        self._notice_all(rust_notices(self._prepared))
        self._notice_all(self._closing.dist_notices())
        report = self._recorded(
            self._closing.report(
                command=self._options.command,
                started=started,
                notices=tuple(self._notices),
                is_strict=self._options.strict,
                signal_exit=signal_exit(),
            )
        )
        self._emit(RunFinished(run_id=self._run_id, time=time.time(), exit_code=report.exit_code))
        self._store.prune(
            max_runs=KEPT_RUNS, max_age_seconds=KEPT_RUN_SECONDS, keep=(self._run_id,)
        )
        return report

    def _emit(self, event: Event) -> None:
        """Record an event, then show it. A display that fails must not cost a result."""
        self._store.append_event(self._run_id, event)
        try:
            self._show(event)
        except Exception:
            _logger.exception("BUG: the event sink raised")

    def _notice_all(self, messages: Iterable[str]) -> None:
        """Warnings, also for the report."""
        for message in messages:
            self._notices.append(message)
            self._emit(RunNotice(time=time.time(), level="warning", message=message))

    def _inform(self, message: str) -> None:
        self._emit(RunNotice(time=time.time(), level="info", message=message))

    def _announce(self, started: float) -> None:
        plan = self._prepared.plan
        planned = tuple(
            JobSummary(
                job_id=job.id,
                kind=job.kind,
                title=job.id,
                cells=job.cells,
                estimate_seconds=job.estimate_seconds,
                is_emulated=job.is_emulated,
            )
            for job in plan.jobs
        )
        unavailable = tuple(
            JobSummary(
                job_id=cell.job_id,
                kind=cell.kind,
                title=cell.cell,
                cells=cell.cells,
                estimate_seconds=None,
            )
            for cell in plan.unavailable
        )
        self._emit(
            RunStarted(
                run_id=self._run_id,
                time=started,
                jobs=(*planned, *unavailable),
                log_dir=str(self.folder / "logs"),
            )
        )
        self._notice_all(self._prepared.loaded.warnings)

    def _settle_without_running(self) -> tuple[Job, ...]:
        """Settle the unavailable cells and the jobs that are up to date; gives the jobs that have to run."""
        for result in unavailable_results(self._prepared.plan.unavailable):
            self._finish(self._ledger.with_standing(result))
        stale = []
        for job in self._prepared.plan.jobs:
            known = self._ledger.up_to_date(job)
            if known is None:
                stale.append(job)
            else:
                self._finish(known)
        return tuple(stale)

    def _finish(self, result: JobResult) -> None:
        """Record a result of a job that did not run."""
        self._ledger.note(result)
        self._emit(finished_event(result, time=time.time()))

    def _run_jobs(self, stale: tuple[Job, ...]) -> None:
        """Run the jobs that are not up to date, each in the executor of its kind."""
        # Here, because a run without stale jobs is over before they would be imported.
        from wheelworks.execution import Executors

        plan, log_dir = self._prepared.plan, self.folder / "logs"
        unsupplied = Supplier(
            prepared=self._prepared,
            runner=self._runner,
            environ=self._environ,
            log_dir=log_dir,
            cancellation=self._cancellation,
            inform=self._inform,
            note_image=self._ledger.images.__setitem__,
        ).supply(stale)
        context = self._context()
        ripeness = Ripeness(seeded_families(stale, self._prepared.state_dir / "build"))
        executors = Executors.of(self._prepared, context, self._ledger, ripen=ripeness.note)

        def execute(job: Job, cancellation: Cancellation) -> JobResult:
            if job.id in unsupplied:
                raise unsupplied[job.id]
            result = executors.of_job(job).execute(job, cancellation)
            if job.kind == "test" and result.outcome is Outcome.SUCCEEDED:
                self._ledger.remember(job, result)
            # Before the scheduler says so: a job that waits for this one looks it up.
            self._ledger.note(result)
            return result

        # What a fresh job left is there: nobody has to wait for it.
        planned = {job.id for job in stale}
        runnable = tuple(
            replace(job, needs=tuple(need for need in job.needs if need in planned))
            for job in stale
        )
        try:
            results = run_jobs(
                runnable,
                execute,
                cores=plan.cores,
                memory_mib=plan.memory_mib,
                sink=self._emit,
                cancellation=self._cancellation,
                fail_fast=self._options.fail_fast,
                ripeness=ripeness,
            )
        finally:
            RunContainers(
                state_dir=context.state_dir,
                run_id=self._run_id,
                runner=self._runner,
                environ=self._environ,
            ).close()
            shutil.rmtree(context.staging_dir, ignore_errors=True)
        flags = self._options.repeat_flags
        for job, result in zip(runnable, results, strict=True):
            self._ledger.note(
                with_help(
                    result,
                    cells=job.cells or plan.cells_behind(job),
                    log=context.log_path(job),
                    repeat_flags=flags,
                )
            )

    def _context(self) -> RunContext:
        """What all jobs of the run share."""
        from wheelworks.execution import run_context

        return run_context(
            self._prepared,
            run_id=self._run_id,
            folder=self.folder,
            runner=self._runner,
            environ=self._environ,
            sink=self._emit,
            waits_for_locks=self._options.waits_for_locks,
        )

    def _recorded(self, report: Report) -> Report:
        """The report, written down; a disk that is too full for it must not hide what became of the jobs."""
        try:
            self._store.write_report(self._run_id, report)
        except MissingResourceError as error:
            return replace(
                report,
                notices=(*report.notices, error.message),
                exit_code=strongest_exit((report.exit_code, error.exit_code)),
            )
        return report
