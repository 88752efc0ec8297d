"""Merges the wheels of two jobs into a universal2 wheel.

Touches the staging folder; reads the slices where their jobs left them. Starts no process.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from wheelworks.artifacts import sha256_file
from wheelworks.errors import JobFailedError
from wheelworks.wheel_merge import merge_wheels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wheelworks.executors.base import RunContext
    from wheelworks.executors.workbench import Made, Workbench
    from wheelworks.plan import Job
    from wheelworks.process import Cancellation
    from wheelworks.report.model import JobResult


class MergeExecutor:
    """Runs the jobs of universal2 wheels.

    Args:
        context: what the jobs of the run share.
        workbench: locks, audits and publishes.
        slices_of: gives a job's slices, x86_64 first, each with the sha256 that it must have.
    """

    def __init__(
        self,
        context: RunContext,
        workbench: Workbench,
        *,
        slices_of: Callable[[Job], tuple[tuple[Path, str], ...]],
    ) -> None:
        self._context = context
        self._workbench = workbench
        self._slices_of = slices_of

    def execute(self, job: Job, cancellation: Cancellation) -> JobResult:
        """Merge, audit and publish under the build key's lock.

        Raises:
            MissingResourceError: the lock is held and waiting is forbidden, or ``dist/`` can't be written.
            JobFailedError: the slices differ in more than their architecture, or one is not what was built.
        """
        return self._workbench.carry_out(job, cancellation, make=self._make)

    def _make(self, job: Job, staging: Path, _cancellation: Cancellation) -> Made:
        """Merge; leaves the wheel in the staging folder."""
        if job.expects is None:
            raise AssertionError(f"BUG: {job.id} expects nothing")
        self._context.emit_phase(job, "packing")
        x86_64, arm64 = (
            _taken(wheel, sha256, staging / arch)
            for arch, (wheel, sha256) in zip(("x86_64", "arm64"), self._slices_of(job), strict=True)
        )
        merge_wheels(x86_64, arm64, expects=job.expects, folder=staging)
        return (), None


def _taken(wheel: Path, sha256: str, folder: Path) -> Path:
    """A copy of the slice, so that what was checked is what is merged whatever another run does meanwhile."""
    folder.mkdir()
    copy = folder / wheel.name
    try:
        shutil.copyfile(wheel, copy)
    except FileNotFoundError as error:
        raise JobFailedError(f"{wheel} is gone", hint="run again") from error
    if sha256_file(copy) != sha256:
        raise JobFailedError(
            f"{wheel} is not the wheel that was built: something replaced it", hint="run again"
        )
    return copy
