"""Runs test jobs: a fresh environment, the built wheel in it, the project's own test commands.

Touches the job's scratch folder; starts processes through the Runner only.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks import wheeltest
from wheelworks._native import digest_bytes
from wheelworks.artifacts import sha256_file
from wheelworks.errors import JobFailedError, SourcesChangedError
from wheelworks.events import Outcome
from wheelworks.executors.base import failed_result, run_steps
from wheelworks.report.model import JobResult
from wheelworks.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wheelworks.executors.base import RunContext
    from wheelworks.plan import Job
    from wheelworks.process import Cancellation
    from wheelworks.wheeltest import TestRecord

#: So many failed tests are named in a result's reason before the rest is counted.
SHOWN_FAILURES = 3


class TestExecutor:
    """Runs the tests of built wheels on this host.

    Args:
        context: what the jobs of the run share.
        wheel_under_test: gives a job's wheel, and the sha256 that it must have.
    """

    __test__ = False

    def __init__(
        self, context: RunContext, *, wheel_under_test: Callable[[Job], tuple[Path, str]]
    ) -> None:
        self._context = context
        self._wheel_under_test = wheel_under_test

    def execute(self, job: Job, cancellation: Cancellation) -> JobResult:
        """Install the wheel into a fresh environment and run its tests there.

        Raises:
            ConfigurationError: a pattern of ``test.sources`` matches nothing.
            JobFailedError: a test file vanished or changed while it was copied, or the wheel is another one.
        """
        scratch = self._context.staging_dir / job.id.replace(" ", "-")
        scratch.mkdir(parents=True, exist_ok=True)
        try:
            return self._test(job, scratch, cancellation)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _test(self, job: Job, scratch: Path, cancellation: Cancellation) -> JobResult:
        context = self._context
        started = time.monotonic()
        if job.test is None:
            raise AssertionError(f"BUG: {job.id} has no test plan")
        context.emit_phase(job, "preparing")
        project = context.project
        wheeltest.prepare(
            scratch,
            job.test,
            source_root=context.source_root,
            files=[entry.path for entry in context.entries],
            project_folder=project.root.relative_to(project.source_root).as_posix(),
        )
        self._check_copies(scratch / wheeltest.PROJECT_FOLDER)
        placeholders = {"scratch": str(scratch), "wheel": str(self._take_wheel(job, scratch))}
        preparing = tuple(step for step in job.steps if not step.name.startswith("test"))
        testing = tuple(step for step in job.steps if step.name.startswith("test"))
        context.emit_phase(job, "installing")
        steps, failure = run_steps(job, preparing, context, cancellation, placeholders)
        if failure is not None:
            return failed_result(job, steps, failure, context, started)
        context.emit_phase(job, "testing")
        more, failure = run_steps(job, testing, context, cancellation, placeholders)
        record = wheeltest.read_record(scratch)
        result = (
            self._passed(job, started)
            if failure is None
            else failed_result(job, (), failure, context, started)
        )
        return self._with_record(replace(result, steps=(*steps, *more)), record)

    def _check_copies(self, folder: Path) -> None:
        """Make sure that the tests are those that were fingerprinted: a success is remembered for them.

        Raises:
            SourcesChangedError: somebody wrote a file meanwhile.
        """
        for entry in self._context.entries:
            copy = folder / entry.path
            if entry.link is not None or not copy.is_file():
                continue
            found = copy.stat()
            # Copies keep the time of what they are copies of.
            if (found.st_size, found.st_mtime_ns) == (entry.size, entry.mtime_ns):
                continue
            if digest_bytes(copy.read_bytes()) != entry.digest:
                raise SourcesChangedError(
                    f"{entry.path} changed while the tests were prepared", hint="run again"
                )

    def _take_wheel(self, job: Job, scratch: Path) -> Path:
        """A copy of the wheel, so that what was checked is what is installed whatever happens in ``dist/``."""
        wheel, sha256 = self._wheel_under_test(job)
        copy = scratch / "wheel" / wheel.name
        copy.parent.mkdir()
        try:
            shutil.copyfile(wheel, copy)
        except FileNotFoundError as error:
            raise JobFailedError(f"{wheel} is gone", hint="run again") from error
        if sha256_file(copy) != sha256:
            raise JobFailedError(
                f"{wheel} is not the wheel that was built: something replaced it", hint="run again"
            )
        return copy

    def _passed(self, job: Job, started: float) -> JobResult:
        return JobResult(
            job_id=job.id,
            kind=job.kind,
            cells=job.cells,
            outcome=Outcome.SUCCEEDED,
            reason=None,
            exit_code=0,
            seconds=time.monotonic() - started,
            log=str(self._context.log_path(job)),
        )

    def _with_record(self, result: JobResult, record: TestRecord) -> JobResult:
        """The result with the guard's counts; a package from elsewhere fails it whatever the command said."""
        result = replace(result, tests=record.counts)
        if record.violations:
            return replace(
                result,
                outcome=Outcome.FAILED,
                exit_code=1,
                reason=f"the tests did not test the wheel: {record.violations[0]}",
                cure="run the tests from a folder without the package, or name the files to copy in test.sources",
            )
        if result.outcome is Outcome.FAILED and record.failed:
            shown = ", ".join(record.failed[:SHOWN_FAILURES])
            more = len(record.failed) - SHOWN_FAILURES
            rest = f" and {more} more" if more > 0 else ""
            failed = counted(len(record.failed), "test")
            return replace(result, reason=f"{failed} failed: {shown}{rest}")
        return result
