"""Builds: snapshot, lock file, maturin, audit, publishing.

Touches the build key's folders, the staging folder and ``dist/``; starts processes through the Runner only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from typing import TYPE_CHECKING, Protocol

from wheelworks.artifacts import collect, publish, remove_unfinished, sha256_file
from wheelworks.audit.abi3 import audit_stable_abi
from wheelworks.audit.check import check_wheel
from wheelworks.audit.facts import read_wheel
from wheelworks.audit.model import Level
from wheelworks.audit.sdist import check_sdist
from wheelworks.errors import EXIT_AUDIT
from wheelworks.events import Outcome
from wheelworks.executors.base import failed_result, run_steps
from wheelworks.executors.lockfile import LOCK_FILE, shared_lock_file
from wheelworks.locks import acquire
from wheelworks.process import child_environment
from wheelworks.report.model import JobResult
from wheelworks.snapshot import sync_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.audit.model import Finding
    from wheelworks.executors.base import RunContext, StepFailure
    from wheelworks.plan import Job
    from wheelworks.process import Cancellation
    from wheelworks.report.model import StepResult
    from wheelworks.tools import ToolEnvironment


class BuildLedger(Protocol):
    """What the executor asks and tells while it holds a build key's lock, so that two runs never build the same."""

    def done_meanwhile(self, job: Job) -> JobResult | None:
        """The result of the job, if another run finished it since this one was prepared."""
        ...

    def remember(self, job: Job, result: JobResult) -> None:
        """Write down that the job succeeded."""
        ...


class BuildExecutor:
    """Runs build and sdist jobs, wherever their steps run: on this host or in containers.

    Args:
        context: what the jobs of the run share.
        abi3audit: where that tool is, if the plan needs it.
        ledger: knows what other runs finished, and remembers what succeeded.
    """

    def __init__(
        self, context: RunContext, *, abi3audit: ToolEnvironment | None, ledger: BuildLedger
    ) -> None:
        self._context = context
        self._abi3audit = abi3audit
        self._ledger = ledger

    def execute(self, job: Job, cancellation: Cancellation) -> JobResult:
        """Build, audit and publish under the build key's lock.

        Raises:
            MissingResourceError: the lock is held and waiting is forbidden, or ``dist/`` can't be written.
            JobFailedError: a source file changed while it was copied.
        """
        context = self._context
        started = time.monotonic()
        with acquire(
            context.state_dir / "locks" / f"{job.build_key}.lock",
            wait=context.waits_for_locks,
            on_wait=context.notice_wait(job),
            cancellation=cancellation,
        ):
            done = self._ledger.done_meanwhile(job)
            if done is not None:
                return done
            staging = context.staging_dir / job.id.replace(" ", "-")
            staging.mkdir(parents=True, exist_ok=True)
            try:
                result = self._build(job, staging, cancellation, started)
                if result.outcome is Outcome.SUCCEEDED:
                    self._ledger.remember(job, result)
                return result
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def _build(
        self, job: Job, staging: Path, cancellation: Cancellation, started: float
    ) -> JobResult:
        context = self._context
        context.emit_phase(job, "preparing")
        snapshot = self._prepare_snapshot(job, cancellation)
        steps, failure = self._compile(job, snapshot, staging, cancellation)
        if failure is not None:
            return failed_result(job, steps, failure, context, started)
        (staged,) = collect(staging)
        sha256 = sha256_file(staged)
        context.emit_phase(job, "auditing")
        findings = self._audit(job, staged, cancellation)
        refusals = refusing(findings, job.audit_ignore)
        if refusals:
            return self._refuse(job, staged, findings, refusals, steps, started)
        context.emit_phase(job, "publishing")
        with acquire(
            context.state_dir / "locks" / "dist.lock",
            wait=True,
            on_wait=context.notice_wait(job),
            cancellation=cancellation,
        ):
            remove_unfinished(context.dist_dir)
            artifact = publish(staged, context.dist_dir, sha256=sha256)
        return JobResult(
            job_id=job.id,
            kind=job.kind,
            cells=job.cells,
            outcome=Outcome.SUCCEEDED,
            reason=None,
            exit_code=0,
            seconds=time.monotonic() - started,
            artifact=artifact,
            findings=findings,
            steps=steps,
            log=str(context.log_path(job)),
        )

    def _prepare_snapshot(self, job: Job, cancellation: Cancellation) -> Path:
        context = self._context
        destination = context.state_dir / "source" / str(job.build_key)
        keep = () if context.project.has_lock_file else (self._lock_file_name(),)
        sync_snapshot(
            context.entries,
            context.source_root,
            destination,
            git=job.git_beside_snapshot,
            keep=keep,
            target_dir=context.state_dir / "build" / str(job.build_key),
            cancellation=cancellation,
            runner=context.runner,
            environ=context.environ,
        )
        # For gc: neither cargo nor the copying touches the folder itself.
        os.utime(destination)
        return destination

    def _lock_file_name(self) -> str:
        project = self._context.project
        folder = project.workspace_root.relative_to(project.source_root)
        return (folder / LOCK_FILE).as_posix()

    def _compile(
        self, job: Job, snapshot: Path, staging: Path, cancellation: Cancellation
    ) -> tuple[tuple[StepResult, ...], StepFailure | None]:
        """Make the lock file where the project has none, then compile."""
        context = self._context
        placeholders = {"staging": str(staging)}
        lock_steps = tuple(step for step in job.steps if step.name == "lock")
        results: tuple[StepResult, ...] = ()
        if lock_steps:
            context.emit_phase(job, "fetching")
            place = snapshot / self._lock_file_name()
            with shared_lock_file(context, place, job, cancellation) as is_there:
                if not is_there:
                    results, failure = run_steps(
                        job, lock_steps, context, cancellation, placeholders
                    )
                    if failure is not None:
                        # A torn one must not become everybody's.
                        place.unlink(missing_ok=True)
                        return results, failure
        context.emit_phase(job, "compiling" if job.kind == "build" else "packing")
        others = tuple(step for step in job.steps if step.name != "lock")
        more, failure = run_steps(job, others, context, cancellation, placeholders)
        return (*results, *more), failure

    def _audit(self, job: Job, staged: Path, cancellation: Cancellation) -> tuple[Finding, ...]:
        if job.kind == "sdist":
            return check_sdist(staged)
        facts = read_wheel(staged)
        findings = check_wheel(facts, job.expects)
        if self._abi3audit is None:
            return findings
        context = self._context
        return findings + audit_stable_abi(
            facts,
            runner=context.runner,
            program=self._abi3audit.program("abi3audit"),
            env=child_environment(context.environ, set_={}),
            log=context.log_path(job),
            cancellation=cancellation,
            folder=staged.parent,
        )

    def _refuse(
        self,
        job: Job,
        staged: Path,
        findings: tuple[Finding, ...],
        refusals: tuple[Finding, ...],
        steps: tuple[StepResult, ...],
        started: float,
    ) -> JobResult:
        """Keep the refused file in the run's folder, where it can be looked at but not mistaken for a result."""
        context = self._context
        refused = context.log_dir.parent / "refused"
        with contextlib.suppress(OSError):
            refused.mkdir(parents=True, exist_ok=True)
            shutil.move(staged, refused / staged.name)
        first = refusals[0]
        more = f" and {len(refusals) - 1} more" if len(refusals) > 1 else ""
        return JobResult(
            job_id=job.id,
            kind=job.kind,
            cells=job.cells,
            outcome=Outcome.FAILED,
            reason=f"the audit refused {staged.name}: {first.rule} {first.file}: {first.message}{more}",
            exit_code=EXIT_AUDIT,
            seconds=time.monotonic() - started,
            findings=findings,
            steps=steps,
            log=str(context.log_path(job)),
            cure=first.hint,
        )


def refusing(findings: tuple[Finding, ...], ignored: tuple[str, ...]) -> tuple[Finding, ...]:
    """The findings that keep an artifact out of ``dist/``: errors that the project does not ignore."""
    return tuple(
        finding
        for finding in findings
        if finding.level is Level.ERROR and finding.rule not in ignored
    )
