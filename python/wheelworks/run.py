"""Carries out a prepared plan: tools, provisioning, jobs, report.

The order is :func:`carry_out`. Touches ``.wheelworks/``, ``dist/`` and, through the Runner,
everything else; shows nothing but through the event sink.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks import __version__
from wheelworks._native import digest_bytes
from wheelworks.errors import MissingResourceError, strongest_exit
from wheelworks.events import JobFinished, JobSummary, Outcome, RunFinished, RunNotice, RunStarted
from wheelworks.executors.base import RunContext
from wheelworks.executors.host import HostExecutor
from wheelworks.executors.wheeltests import TestExecutor
from wheelworks.freshness import SOURCE_PREFIX, job_inputs
from wheelworks.process import child_environment, quote_command
from wheelworks.report.build import RunFacts, build_report, unavailable_results
from wheelworks.report.hints import find_hints
from wheelworks.report.model import ArtifactInfo, JobResult
from wheelworks.scheduler import run_jobs
from wheelworks.source_tree import changed_sources
from wheelworks.store import RunStore, StateStore, SuccessRecord
from wheelworks.tool_install import provide, provided_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelworks.events import Event, EventSink
    from wheelworks.plan import Job
    from wheelworks.preparation import Prepared
    from wheelworks.process import Cancellation, Runner
    from wheelworks.report.model import Report

PROVISIONING_TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run behaves."""

    command: str
    """The command line, for the report and for repeating a job."""
    goal: str
    strict: bool = False
    fail_fast: bool = False
    waits_for_locks: bool = True


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
        self._state = StateStore(prepared.state_dir)
        self._sources = {entry.path: entry.digest for entry in prepared.entries}
        self._results: dict[str, JobResult] = {}
        self._notices: list[str] = []
        self._unprovided: dict[str, MissingResourceError] = {}
        self._run_id = self._store.new_run()

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

        Raises:
            MissingResourceError: a tool could not be provided.
        """
        prepared = self._prepared
        started = time.time()
        stale = tuple(job for job in prepared.plan.jobs if not prepared.verdicts[job.id].is_fresh)
        self._announce(started, stale)
        self._finish_without_running()
        self._provide_tools(stale)
        self._provision(stale)
        if stale:
            self._run_jobs(stale)
        self._notice_changed_sources(stale)
        self._notice_unknown_files()
        project = prepared.loaded.project
        report = build_report(
            RunFacts(
                run_id=self._run_id,
                version=__version__,
                command=self._options.command,
                started=started,
                finished=time.time(),
                project=project.name,
                project_version=project.version,
                source_digest=self._source_digest(),
                tools=self._tool_versions(),
                cells=tuple(cell.id for cell in prepared.cells),
                notices=tuple(self._notices),
                other_sources=self._other_sources(),
                is_strict=self._options.strict,
                signal_exit=signal_exit(),
            ),
            self._ordered_results(),
        )
        report = self._recorded(report)
        self._emit(RunFinished(run_id=self._run_id, time=time.time(), exit_code=report.exit_code))
        return report

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

    def _ordered_results(self) -> tuple[JobResult, ...]:
        """The results in the plan's order, whichever job ended first."""
        order = {job.id: index for index, job in enumerate(self._prepared.plan.jobs)}
        return tuple(
            sorted(self._results.values(), key=lambda result: order.get(result.job_id, len(order)))
        )

    def _emit(self, event: Event) -> None:
        """Record an event, then show it."""
        self._store.append_event(self._run_id, event)
        self._show(event)

    def _notice(self, message: str) -> None:
        self._notices.append(message)
        self._emit(RunNotice(time=time.time(), level="warning", message=message))

    def _inform(self, message: str) -> None:
        self._emit(RunNotice(time=time.time(), level="info", message=message))

    def _announce(self, started: float, stale: tuple[Job, ...]) -> None:
        plan = self._prepared.plan
        unavailable = tuple(
            JobSummary(
                job_id=cell.job_id,
                kind=cell.kind,
                title=cell.cell,
                cells=cell.cells,
                estimate_seconds=None,
            )
            for cell in plan.unavailable
        )  # fmt: skip
        planned = tuple(
            JobSummary(
                job_id=job.id, kind=job.kind, title=job.id, cells=job.cells, estimate_seconds=job.estimate_seconds
            )
            for job in plan.jobs
        )  # fmt: skip
        self._emit(
            RunStarted(
                run_id=self._run_id,
                time=started,
                jobs=(*planned, *unavailable),
                log_dir=str(self.folder / "logs"),
            )
        )
        for warning in self._prepared.loaded.warnings:
            self._notice(warning)

    def _finish_without_running(self) -> None:
        """Results of the cells that are unavailable and of the jobs that are up to date."""
        prepared = self._prepared
        for result in unavailable_results(prepared.plan.unavailable):
            self._finish(result)
        for job in prepared.plan.jobs:
            record = prepared.verdicts[job.id].record
            if not prepared.verdicts[job.id].is_fresh or record is None:
                continue
            artifact = None
            if record.artifact is not None:
                artifact = ArtifactInfo(
                    file_name=record.artifact,
                    size=record.artifact_size or 0,
                    sha256=record.artifact_sha256 or "",
                )
            self._finish(
                JobResult(
                    job_id=job.id,
                    kind=job.kind,
                    cells=job.cells,
                    outcome=Outcome.UP_TO_DATE,
                    reason=None,
                    exit_code=0,
                    seconds=0.0,
                    artifact=artifact,
                )
            )

    def _finish(self, result: JobResult) -> None:
        """Record a result of a job that did not run."""
        self._results[result.job_id] = result
        self._emit(
            JobFinished(
                job_id=result.job_id,
                time=time.time(),
                outcome=result.outcome,
                reason=result.reason,
                seconds=result.seconds,
                exit_code=result.exit_code,
                artifact=result.artifact.file_name if result.artifact else None,
                log=result.log,
            )
        )

    def _provide_tools(self, stale: tuple[Job, ...]) -> None:
        if not stale:
            return
        host_uv = self._prepared.host.uv
        for request in self._prepared.plan.tools:
            environment = self._prepared.tools[request.name]
            if provided_version(environment) is None:
                self._inform(f"{request.requirement} is installed into {environment.folder}")
            provide(
                request,
                self._runner,
                tools_dir=Path(self._prepared.layout.tools_dir),
                environ=self._environ,
                uv=host_uv.path if host_uv is not None else None,
                log=self.folder / "logs" / "tools.log",
                cancellation=self._cancellation,
            )

    def _provision(self, stale: tuple[Job, ...]) -> None:
        """Let rustup add what the stale jobs need; a job whose part could not be added fails, the others run."""
        log = self.folder / "logs" / "rustup.log"
        stale_ids = {job.id for job in stale}
        for item in self._prepared.plan.provisioning:
            if not stale_ids & set(item.needed_by):
                continue
            self._inform(f"rustup adds the {item.what}")
            result = self._runner.run(
                item.argv,
                env=child_environment(self._environ, set_={}),
                cwd=self._prepared.loaded.project.root,
                timeout_seconds=PROVISIONING_TIMEOUT_SECONDS,
                log=log,
                cancellation=self._cancellation,
            )
            if not result.ok:
                error = MissingResourceError(
                    f"the {item.what} could not be added by {quote_command(item.argv)}",
                    hint='run that command by hand, or set provision = "never" to leave these cells out',
                    log=log,
                )
                self._unprovided.update(dict.fromkeys(item.needed_by, error))

    def _run_jobs(self, stale: tuple[Job, ...]) -> None:
        prepared = self._prepared
        staging = prepared.state_dir / "staging" / self._run_id
        context = RunContext(
            run_id=self._run_id,
            project=prepared.loaded.project,
            layout=prepared.layout,
            state_dir=prepared.state_dir,
            dist_dir=prepared.loaded.settings.dist,
            source_root=prepared.loaded.project.source_root,
            log_dir=self.folder / "logs",
            staging_dir=staging,
            entries=prepared.entries,
            runner=self._runner,
            environ=self._environ,
            sink=self._emit,
            waits_for_locks=self._options.waits_for_locks,
        )
        needs_abi3audit = any(tool.name == "abi3audit" for tool in prepared.plan.tools)
        builds = HostExecutor(
            context, abi3audit=prepared.tools["abi3audit"] if needs_abi3audit else None
        )
        tests = TestExecutor(context, wheel_of=self._wheel_of)

        def execute(job: Job, cancellation: Cancellation) -> JobResult:
            if job.id in self._unprovided:
                raise self._unprovided[job.id]
            executor = tests if job.kind == "test" else builds
            result = self._with_help(job, executor.execute(job, cancellation))
            self._results[job.id] = result
            if result.outcome is Outcome.SUCCEEDED:
                self._remember(job, result)
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
                cores=prepared.plan.cores,
                memory_mib=prepared.plan.memory_mib,
                sink=self._emit,
                cancellation=self._cancellation,
                fail_fast=self._options.fail_fast,
            )
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        for result in results:
            self._results[result.job_id] = result

    def _with_help(self, job: Job, result: JobResult) -> JobResult:
        """The result with the command that repeats the job and, from its log, what is known of the failure."""
        if result.outcome is not Outcome.FAILED:
            return result
        text = ""
        if result.log is not None and Path(result.log).exists():
            text = Path(result.log).read_text(encoding="utf-8", errors="replace")
        verb = "test" if job.kind == "test" else "build"
        target = "--sdist-only" if job.kind == "sdist" else job.cells[0]
        return replace(result, repeat=f"wheelworks {verb} {target}", hints=find_hints(text))

    def _wheel_of(self, job: Job) -> Path:
        """The wheel that a test job tests: what its build left in ``dist/``, now or in an earlier run."""
        build = (
            self._results[job.needs[0]]
            if job.needs
            else self._results[self._planned(job.id).needs[0]]
        )
        if build.artifact is None:
            raise AssertionError(f"BUG: {build.job_id} left no artifact")
        return self._prepared.loaded.settings.dist / build.artifact.file_name

    def _planned(self, job_id: str) -> Job:
        return next(job for job in self._prepared.plan.jobs if job.id == job_id)

    def _remember(self, job: Job, result: JobResult) -> None:
        """Write the record that makes the job up to date until something it read changes."""
        wheel_sha256 = None
        if job.kind == "test":
            build = self._results[self._planned(job.id).needs[0]]
            wheel_sha256 = build.artifact.sha256 if build.artifact else None
        artifact = result.artifact
        self._state.write(
            SuccessRecord(
                job_id=job.id,
                run_id=self._run_id,
                time=time.time(),
                seconds=result.seconds,
                inputs=job_inputs(
                    job, self._sources, passed=self._environ, wheel_sha256=wheel_sha256
                ),
                artifact=artifact.file_name if artifact else None,
                artifact_sha256=artifact.sha256 if artifact else None,
                artifact_size=artifact.size if artifact else None,
            )
        )

    def _notice_changed_sources(self, stale: tuple[Job, ...]) -> None:
        """Say when the tree changed under the run: its artifacts hold the state before."""
        if not stale:
            return
        loaded = self._prepared.loaded
        changed = changed_sources(
            self._prepared.entries, loaded.project, dist_dir=loaded.settings.dist
        )
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            self._notice(
                f"{changed[0]}{more} changed during the run; its artifacts hold the state before, "
                "the next run builds again"
            )

    def _other_sources(self) -> tuple[str, ...]:
        """Artifacts in ``dist/`` that an earlier run built from another state of the sources."""
        dist = self._prepared.loaded.settings.dist
        ours = {result.artifact.file_name for result in self._results.values() if result.artifact}
        return tuple(
            sorted(
                record.artifact
                for record in self._state.all()
                if record.artifact is not None
                and record.artifact not in ours
                and (dist / record.artifact).exists()
                and not self._is_of_this_source(record.inputs)
            )
        )

    def _notice_unknown_files(self) -> None:
        """Say when ``dist/`` holds files that no job stands behind."""
        dist = self._prepared.loaded.settings.dist
        if not dist.is_dir():
            return
        known = {record.artifact for record in self._state.all()}
        known |= {result.artifact.file_name for result in self._results.values() if result.artifact}
        unknown = sorted(path.name for path in dist.iterdir() if path.name not in known)
        if unknown:
            self._notice(f"dist/ holds files that no job of wheelworks left: {', '.join(unknown)}")

    def _is_of_this_source(self, inputs: Mapping[str, str]) -> bool:
        recorded = {
            name.removeprefix(SOURCE_PREFIX): digest
            for name, digest in inputs.items()
            if name.startswith(SOURCE_PREFIX)
        }
        return recorded == self._sources

    def _source_digest(self) -> str:
        """One digest for the whole tree, for telling reports apart."""
        listing = "\n".join(f"{path} {digest}" for path, digest in sorted(self._sources.items()))
        return digest_bytes(listing.encode())

    def _tool_versions(self) -> dict[str, str]:
        versions = {
            name: version
            for name, tool in self._prepared.tools.items()
            if (version := provided_version(tool)) is not None
        }
        rust = self._prepared.host.rust
        if rust is not None:
            versions["rustc"] = rust.rustc.version
            versions["cargo"] = rust.cargo.version
        return versions
