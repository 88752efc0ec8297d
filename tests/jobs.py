"""Jobs with usual values, and an executor that runs nothing, for tests of the scheduler."""

from __future__ import annotations

import threading
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from builders import a_project
from fakes import FakeRunner

from wheelworks.events import Outcome
from wheelworks.executors.base import RunContext
from wheelworks.plan import ContainerUse, Job, Layout, Mount, Step
from wheelworks.report.model import JobResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wheelworks.events import JobKind
    from wheelworks.process import Cancellation

CONTAINER_USE = ContainerUse(
    engine="/usr/bin/docker",
    engine_name="docker",
    image="wheelworks/toolchain:abc-amd64",
    platform="linux/amd64",
    mounts=(Mount(source="{staging}", target="/wheelworks/output"),),
    network="none",
    user="1000:1000",
)
CONTAINER_STEP = Step(
    name="compile",
    argv=("maturin", "build", "--out", "{staging}"),
    env={"HOME": "/wheelworks/home", "OUT": "{staging}/x"},
    cwd="/wheelworks/source",
    timeout_seconds=60.0,
    container=CONTAINER_USE,
)


def a_job(
    job_id: str,
    *needs: str,
    kind: JobKind = "build",
    cores: int = 1,
    memory_mib: int = 100,
    seconds: float | None = 10.0,
    family: str | None = None,
) -> Job:
    """A job without steps."""
    return Job(
        id=job_id,
        kind=kind,
        cells=(job_id,),
        needs=needs,
        toolchain=None,
        build_key=None,
        steps=(),
        inputs={},
        reads_sources=True,
        expects=None,
        cores=cores,
        memory_mib=memory_mib,
        timeout_seconds=60.0,
        estimate_seconds=seconds,
        reasons=(),
        seeding_family=family,
    )


def a_result(
    job: Job,
    outcome: Outcome = Outcome.SUCCEEDED,
    *,
    reason: str | None = None,
    exit_code: int = 0,
) -> JobResult:
    """The result of a job."""
    return JobResult(
        job_id=job.id,
        kind=job.kind,
        cells=job.cells,
        outcome=outcome,
        reason=reason,
        exit_code=exit_code,
        seconds=1.0,
    )


def a_context(state_dir: Path) -> RunContext:
    """A run of which only the folders matter."""
    folder = PurePosixPath("/project")
    return RunContext(
        run_id="1",
        project=a_project(),
        layout=Layout(
            project_root=folder,
            source_root=folder,
            state_dir=folder,
            dist_dir=folder,
            tools_dir=folder,
        ),
        state_dir=state_dir,
        dist_dir=state_dir,
        source_root=state_dir,
        log_dir=state_dir,
        staging_dir=state_dir,
        entries=(),
        runner=FakeRunner(lambda _: None),
        environ={},
        sink=lambda _: None,
        waits_for_locks=True,
    )


class Stage:
    """An executor that plays jobs and counts what runs at the same time. Thread-safe.

    Args:
        parts: job id -> what the job does; the others succeed at once.
    """

    def __init__(self, parts: Mapping[str, Callable[[Job, Cancellation], JobResult]]) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._running: dict[str, Job] = {}
        self.started: list[str] = []
        self.together: list[tuple[Job, ...]] = []
        """The running jobs at the start of each."""

    def __call__(self, job: Job, cancellation: Cancellation) -> JobResult:
        """Play the job."""
        with self._lock:
            self.started.append(job.id)
            self._running[job.id] = job
            self.together.append(tuple(self._running.values()))
        try:
            part = self._parts.get(job.id)
            return a_result(job) if part is None else part(job, cancellation)
        finally:
            with self._lock:
                del self._running[job.id]


def fails(job: Job, _cancellation: Cancellation) -> JobResult:
    """The part of a job that fails."""
    return a_result(job, Outcome.FAILED, reason="it broke", exit_code=1)


def until_cancelled(job: Job, cancellation: Cancellation) -> JobResult:
    """The part of a job that runs until it is asked to stop."""
    assert cancellation.wait(60.0), f"{job.id} was never asked to stop"
    return a_result(job, Outcome.CANCELLED, reason="asked to stop")
