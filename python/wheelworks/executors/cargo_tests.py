"""Runs cargo's own tests where the build of their target runs, under the same lock and in the same folders.

Touches the build key's folders; starts processes through the Runner only.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.cargo_tests import read_counts
from wheelworks.events import Outcome
from wheelworks.executors.base import failed_result
from wheelworks.report.model import JobResult

if TYPE_CHECKING:
    from wheelworks.executors.base import RunContext
    from wheelworks.executors.builds import BuildExecutor
    from wheelworks.plan import Job
    from wheelworks.process import Cancellation


class CargoTestExecutor:
    """Runs jobs whose test is cargo's.

    Args:
        context: what the jobs of the run share.
        builds: prepares the snapshot and runs steps in it.
    """

    def __init__(self, context: RunContext, builds: BuildExecutor) -> None:
        self._context = context
        self._builds = builds

    def execute(self, job: Job, cancellation: Cancellation) -> JobResult:
        """Compile the test programs and run them.

        Raises:
            MissingResourceError: the lock is held and waiting is forbidden, or a folder can't be written.
            JobFailedError: a source file changed while it was copied.
        """
        context = self._context
        started = time.monotonic()
        log = context.log_path(job)
        try:
            steps, failure = self._builds.run_in_snapshot(job, cancellation)
        finally:
            shutil.rmtree(context.staging_dir / job.id.replace(" ", "-"), ignore_errors=True)
        counts = read_counts(log.read_text(encoding="utf-8", errors="replace"))
        if failure is not None:
            failed = failed_result(job, steps, failure, context, started)
            return replace(failed, tests=counts)
        return JobResult(
            job_id=job.id,
            kind=job.kind,
            cells=job.cells,
            outcome=Outcome.SUCCEEDED,
            reason=None,
            exit_code=0,
            seconds=time.monotonic() - started,
            steps=steps,
            tests=counts,
            log=str(log),
        )
