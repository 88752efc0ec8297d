"""Builds: snapshot, lock file, maturin.

Touches the build key's folders and the staging folder; starts processes through the Runner only. What becomes
of the artifact is ``workbench.py``'s business.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from wheelworks.events import JobOutput
from wheelworks.executors.base import run_steps
from wheelworks.executors.lockfile import LOCK_FILE, shared_lock_file
from wheelworks.locks import acquire
from wheelworks.seeding import Seeding, is_ripe, mark_seed, own_packages, seed_target
from wheelworks.snapshot import sync_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wheelworks.events import JobKind, Phase
    from wheelworks.executors.base import RunContext, StepFailure
    from wheelworks.executors.progress import Progress
    from wheelworks.executors.workbench import Made, Workbench
    from wheelworks.plan import Job, Step
    from wheelworks.process import Cancellation
    from wheelworks.report.model import JobResult, StepResult


_PHASES: Final[Mapping[JobKind, Phase]] = {
    "build": "compiling",
    "sdist": "packing",
    "test": "testing",
}


class BuildExecutor:
    """Runs build and sdist jobs, wherever their steps run: on this host or in containers.

    Args:
        context: what the jobs of the run share.
        workbench: locks, audits and publishes.
        ripen: is told of the seeding families of which a target folder is worth a copy now.
    """

    def __init__(
        self,
        context: RunContext,
        workbench: Workbench,
        *,
        ripen: Callable[[str], None] = lambda _family: None,
    ) -> None:
        self._context = context
        self._workbench = workbench
        self._ripen = ripen

    def execute(self, job: Job, cancellation: Cancellation) -> JobResult:
        """Build, audit and publish under the build key's lock.

        Raises:
            MissingResourceError: the lock is held and waiting is forbidden, or ``dist/`` can't be written.
            JobFailedError: a source file changed while it was copied.
        """
        return self._workbench.carry_out(job, cancellation, make=self._make)

    def fetch(self, job: Job, cancellation: Cancellation, *extra: Step) -> StepFailure | None:
        """Bring what the job compiles and no more: snapshot, lock file, crates; gives the step that failed, if any.

        Args:
            job: the job.
            cancellation: stops it.
            extra: steps after the job's own, such as the fetching of a job that fetches while it compiles.

        Raises:
            MissingResourceError: as :meth:`execute`.
            JobFailedError: as :meth:`execute`.
        """
        fetching = tuple(step for step in job.steps if step.name in ("lock", "fetch"))
        _, failure = self.run_in_snapshot(replace(job, steps=(*fetching, *extra)), cancellation)
        return failure

    def run_in_snapshot(self, job: Job, cancellation: Cancellation) -> Made:
        """Run a job's steps in the folders of its build key, under the key's lock, and make nothing of what they leave.

        Raises:
            MissingResourceError: as :meth:`execute`.
            JobFailedError: as :meth:`execute`.
        """
        context = self._context
        staging = context.staging_dir / job.id.replace(" ", "-")
        staging.mkdir(parents=True, exist_ok=True)
        with acquire(
            context.state_dir / "locks" / f"{job.build_key}.lock",
            wait=context.waits_for_locks,
            on_wait=context.notice_wait(job),
            cancellation=cancellation,
        ):
            snapshot = self._prepare_snapshot(job, cancellation)
            return self._compile(job, snapshot, staging, cancellation)

    def _make(self, job: Job, staging: Path, cancellation: Cancellation) -> Made:
        """Compile; leaves the artifact in the staging folder."""
        self._context.emit_phase(job, "preparing")
        snapshot = self._prepare_snapshot(job, cancellation)
        return self._compile(job, snapshot, staging, cancellation)

    def _prepare_snapshot(self, job: Job, cancellation: Cancellation) -> Path:
        context = self._context
        destination = context.state_dir / "source" / str(job.build_key)
        # Before the snapshot, whose files are written as new ones beside a target folder.
        self._seed(job, cancellation)
        keep = () if context.project.has_lock_file else (self._lock_file_name(),)
        sync_snapshot(
            context.entries,
            context.source_root,
            destination,
            git=job.git_beside_snapshot,
            keep=keep,
            target_dir=self._target_dir(job),
            cancellation=cancellation,
            runner=context.runner,
            environ=context.environ,
        )
        # For gc: neither cargo nor the copying touches the folder itself.
        os.utime(destination)
        return destination

    def _target_dir(self, job: Job) -> Path:
        return self._context.state_dir / "build" / str(job.build_key)

    @cached_property
    def _own_crates(self) -> frozenset[str]:
        """Read once for all jobs: a tree may have many Cargo.toml files."""
        context = self._context
        paths = (PurePosixPath(entry.path) for entry in context.entries)
        manifests = (context.source_root / path for path in paths if path.name == "Cargo.toml")
        return own_packages(context.project.own_crates, manifests)

    def _seed(self, job: Job, cancellation: Cancellation) -> None:
        """Begin the target folder with what a sibling compiled."""
        if job.seeding_family is None:
            return
        context = self._context
        seeding = Seeding(
            family=job.seeding_family,
            scratch=context.staging_dir / f"seed-{job.build_key}",
            own_crates=self._own_crates,
            # Inside containers every target folder lies at one place.
            is_moved=any(step.container is None for step in job.steps),
            cancellation=cancellation,
        )
        sibling = seed_target(self._target_dir(job), seeding)
        if sibling is not None:
            line = f"the target folder begins with a copy of {sibling.name}"
            context.sink(JobOutput(job_id=job.id, time=time.time(), line=line))

    def _seed_others(self, job: Job) -> None:
        """Siblings may begin with a copy of the job's target folder from now on."""
        if job.seeding_family is not None:
            mark_seed(self._target_dir(job), job.seeding_family)
            self._ripen(job.seeding_family)

    def _watching(self) -> RunContext:
        """The context whose steps notice when only the project's own crates are left, which no sibling can use."""
        if sys.platform == "win32":
            # Windows lets nobody remove a file that is being copied, so a compiler at work would fail.
            return self._context
        ripe = set[str]()
        own = self._own_crates

        def watch(job: Job, progress: Progress) -> None:
            if job.id in ripe or not progress.is_compiling:
                return
            if is_ripe(progress.current, progress.total - progress.done, own):
                ripe.add(job.id)
                self._seed_others(job)

        return replace(self._context, watch=watch)

    def _lock_file_name(self) -> str:
        project = self._context.project
        folder = project.workspace_root.relative_to(project.source_root)
        return (folder / LOCK_FILE).as_posix()

    def _compile(self, job: Job, snapshot: Path, staging: Path, cancellation: Cancellation) -> Made:
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
        fetching = tuple(step for step in job.steps if step.name == "fetch")
        others = tuple(step for step in job.steps if step.name not in ("lock", "fetch"))
        main: Phase = _PHASES[job.kind]
        phases: tuple[tuple[Phase, tuple[Step, ...]], ...] = (
            ("fetching", fetching),
            (main, others),
        )
        for phase, steps in phases:
            if not steps:
                continue
            context.emit_phase(job, phase)
            more, failure = run_steps(job, steps, self._watching(), cancellation, placeholders)
            results = (*results, *more)
            if failure is not None:
                return results, failure
        if others:
            self._seed_others(job)
        return results, None
