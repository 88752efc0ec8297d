"""What becomes of every build, whatever makes it: lock, staging folder, audit, publishing, record.

Touches the staging folder, ``dist/`` and the folder of slices; starts processes through the Runner only. Does not
know how an artifact is made.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from wheelworks.artifacts import collect, publish, remove_unfinished, sha256_file
from wheelworks.audit.abi3 import audit_stable_abi
from wheelworks.audit.check import check_wheel
from wheelworks.audit.facts import read_wheel
from wheelworks.audit.model import Level
from wheelworks.audit.sdist import check_sdist
from wheelworks.errors import EXIT_AUDIT
from wheelworks.events import Outcome
from wheelworks.executors.base import failed_result
from wheelworks.locks import acquire
from wheelworks.process import child_environment
from wheelworks.report.model import JobResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelworks.audit.model import Finding
    from wheelworks.executors.base import RunContext, StepFailure
    from wheelworks.plan import Job
    from wheelworks.process import Cancellation
    from wheelworks.report.model import ArtifactInfo, StepResult
    from wheelworks.tools import ToolEnvironment

    Made: TypeAlias = tuple[tuple[StepResult, ...], StepFailure | None]
    Maker: TypeAlias = Callable[[Job, Path, Cancellation], Made]


class BuildLedger(Protocol):
    """What is asked and told while a build key's lock is held, so that two runs never build the same."""

    def done_meanwhile(self, job: Job) -> JobResult | None:
        """The result of the job, if another run finished it since this one was prepared."""
        ...

    def remember(self, job: Job, result: JobResult) -> None:
        """Write down that the job succeeded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Where the executors of builds bring their work."""

    context: RunContext
    """What the jobs of the run share."""
    abi3audit: ToolEnvironment | None
    """Where that tool is, if the plan needs it."""
    ledger: BuildLedger
    """Knows what other runs finished, and remembers what succeeded."""

    def carry_out(self, job: Job, cancellation: Cancellation, *, make: Maker) -> JobResult:
        """Make, audit and publish under the build key's lock.

        Args:
            job: the job.
            cancellation: ends the waiting and the making.
            make: leaves one artifact in the staging folder that it is given.

        Raises:
            MissingResourceError: the lock is held and waiting is forbidden, or a folder can't be written.
            JobFailedError: the job made something else than one artifact, or what ``make`` raises.
        """
        context = self.context
        started = time.monotonic()
        with acquire(
            context.state_dir / "locks" / f"{job.build_key}.lock",
            wait=context.waits_for_locks,
            on_wait=context.notice_wait(job),
            cancellation=cancellation,
        ):
            done = self.ledger.done_meanwhile(job)
            if done is not None:
                return done
            staging = context.staging_dir / job.id.replace(" ", "-")
            staging.mkdir(parents=True, exist_ok=True)
            try:
                steps, failure = make(job, staging, cancellation)
                if failure is not None:
                    return failed_result(job, steps, failure, context, started)
                (staged,) = collect(staging)
                result = self._settle(job, staged, cancellation, started)
                result = replace(result, steps=steps)
                if result.outcome is Outcome.SUCCEEDED:
                    self.ledger.remember(job, result)
                return result
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def _settle(
        self, job: Job, staged: Path, cancellation: Cancellation, started: float
    ) -> JobResult:
        """Audit, then publish or refuse."""
        context = self.context
        sha256 = sha256_file(staged)
        context.emit_phase(job, "auditing")
        findings = self._audit(job, staged, cancellation)
        refusals = refusing(findings, job.audit_ignore)
        if refusals:
            return self._refuse(job, staged, findings, refusals, started)
        context.emit_phase(job, "publishing")
        return JobResult(
            job_id=job.id,
            kind=job.kind,
            cells=job.cells,
            outcome=Outcome.SUCCEEDED,
            reason=None,
            exit_code=0,
            seconds=time.monotonic() - started,
            artifact=self._publish(job, staged, sha256, cancellation),
            findings=findings,
            log=str(context.log_path(job)),
        )

    def _publish(
        self, job: Job, staged: Path, sha256: str, cancellation: Cancellation
    ) -> ArtifactInfo:
        """Into ``dist/``; a slice that is only merged, into its build key's folder, whose lock is held."""
        context = self.context
        place = Path(context.layout.place_of(job))
        if not job.is_published:
            slice_ = publish(staged, place, sha256=sha256)
            for other in place.iterdir():
                # One of another version would never be looked at again.
                if other.name != slice_.file_name:
                    other.unlink(missing_ok=True)
            return replace(slice_, is_published=False)
        with acquire(
            context.state_dir / "locks" / "dist.lock",
            wait=True,
            on_wait=context.notice_wait(job),
            cancellation=cancellation,
        ):
            remove_unfinished(place)
            return publish(staged, place, sha256=sha256)

    def _audit(self, job: Job, staged: Path, cancellation: Cancellation) -> tuple[Finding, ...]:
        if job.kind == "sdist":
            return check_sdist(staged)
        facts = read_wheel(staged)
        findings = check_wheel(facts, job.expects)
        if self.abi3audit is None:
            return findings
        context = self.context
        return findings + audit_stable_abi(
            facts,
            runner=context.runner,
            program=self.abi3audit.program("abi3audit"),
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
        started: float,
    ) -> JobResult:
        """Keep the refused file in the run's folder, where it can be looked at but not mistaken for a result."""
        context = self.context
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
