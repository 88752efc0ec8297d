"""What became of a run's jobs, and the records that make the next run's jobs up to date.

Takes a prepared plan and results; touches ``.wheelworks/state/`` and reads ``dist/``. Knows nothing of how a job
runs, nor of displays.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.artifacts import sha256_file
from wheelworks.events import Outcome
from wheelworks.freshness import SOURCE_PREFIX, job_inputs, wheels_read
from wheelworks.report.model import ArtifactInfo, JobResult
from wheelworks.rust_mixture import rust_of
from wheelworks.store import StateStore, SuccessRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.plan import Job
    from wheelworks.preparation import Prepared


class Ledger:
    """The results of one run. Thread-safe: every job writes its own.

    Args:
        prepared: the plan and what is known of it.
        run_id: the run that the records name.
        environ: the caller's environment, for the variables that jobs pass on.
    """

    def __init__(self, prepared: Prepared, *, run_id: str, environ: Mapping[str, str]) -> None:
        self._prepared = prepared
        self._run_id = run_id
        self._environ = environ
        self._state = StateStore(prepared.state_dir)
        self._jobs = {job.id: job for job in prepared.plan.jobs}
        self._results: dict[str, JobResult] = {}
        self.sources = {entry.path: entry.digest for entry in prepared.entries}
        """Path -> digest of the source tree that the run builds."""
        containers = prepared.host.containers
        self.images = containers.image_ids() if containers is not None else {}
        """Reference -> id of the images that are there; whoever builds one adds it before a job runs in it."""

    def note(self, result: JobResult) -> None:
        """Keep what became of a job, marked when it was emulated; a later word replaces an earlier one."""
        job = self._jobs.get(result.job_id)
        if job is not None:
            compiles = job.kind == "build" and bool(job.steps)
            result = replace(
                result,
                is_emulated=job.is_emulated,
                toolchain=job.toolchain if job.kind == "build" else None,
                rust=rust_of(job, self._prepared.host) if compiles else None,
            )
        self._results[result.job_id] = result

    def with_standing(self, result: JobResult) -> JobResult:
        """The result of an unavailable test, which says so when the wheel itself is there, built from these sources."""
        record = self._state.read(f"build {result.cells[0]}") if result.kind == "test" else None
        if record is None or record.artifact is None:
            return result
        sources = {
            name.removeprefix(SOURCE_PREFIX): digest
            for name, digest in record.inputs.items()
            if name.startswith(SOURCE_PREFIX)
        }
        wheel = self._prepared.loaded.settings.dist / record.artifact
        if sources != self.sources or not wheel.is_file():
            return result
        return replace(result, reason=f"built, audited, not run: {result.reason}")

    def results(self) -> tuple[JobResult, ...]:
        """The results in the plan's order, whichever job ended first."""
        order = {job_id: index for index, job_id in enumerate(self._jobs)}
        return tuple(
            sorted(self._results.values(), key=lambda result: order.get(result.job_id, len(order)))
        )

    def artifacts(self) -> frozenset[str]:
        """Names of the files in ``dist/`` that this run left or found up to date."""
        results = tuple(self._results.values())
        return frozenset(
            one.artifact.file_name
            for one in results
            if one.artifact is not None and one.artifact.is_published
        )

    def records(self) -> tuple[SuccessRecord, ...]:
        """The last success of every job that ever had one, also of jobs outside this run."""
        return self._state.all()

    def up_to_date(self, job: Job) -> JobResult | None:
        """The result of a job that need not run; None when it must."""
        verdict = self._prepared.verdicts[job.id]
        if not verdict.is_fresh or verdict.record is None:
            return None
        return _fresh_result(job, verdict.record)

    def done_meanwhile(self, job: Job) -> JobResult | None:
        """The result of a build that another run finished since this one was prepared.

        Asked under the build key's lock: whoever waited for it need not build the same once more.
        """
        before = self._prepared.verdicts[job.id].record
        record = self._state.read(job.id)
        if record is None or (before is not None and record.run_id == before.run_id):
            return None
        if record.inputs != self._inputs(job) or record.artifact is None:
            return None
        path = self._place_of(job) / record.artifact
        if not path.is_file() or sha256_file(path) != record.artifact_sha256:
            return None
        return _fresh_result(job, record)

    def remember(self, job: Job, result: JobResult) -> None:
        """Write the record that makes the job up to date until something it read changes.

        Raises:
            MissingResourceError: the disk is full, the folder can't be written.
        """
        artifact = result.artifact
        self._state.write(
            SuccessRecord(
                job_id=job.id,
                run_id=self._run_id,
                time=time.time(),
                seconds=result.seconds,
                inputs=self._inputs(job),
                artifact=artifact.file_name if artifact else None,
                artifact_sha256=artifact.sha256 if artifact else None,
                artifact_size=artifact.size if artifact else None,
                is_published=job.is_published,
            )
        )

    def wheel_under_test(self, job: Job) -> tuple[Path, str]:
        """The wheel that a test job tests, and the sha256 that it must have."""
        (wheel,) = self.wheels_of(job)
        return wheel

    def wheels_of(self, job: Job) -> tuple[tuple[Path, str], ...]:
        """The wheels that a job tests or merges, each with the sha256 that it must have."""
        found = []
        # The scheduler is given jobs without the needs that are met already; the plan names all of them.
        for need in wheels_read(self._jobs[job.id]):
            artifact = self._left_by(need)
            found.append((self._place_of(self._jobs[need]) / artifact.file_name, artifact.sha256))
        return tuple(found)

    def _inputs(self, job: Job) -> dict[str, str]:
        wheels = tuple(sha256 for _, sha256 in self.wheels_of(job))
        return job_inputs(
            job, self.sources, passed=self._environ, images=self.images, wheels=wheels
        )

    def _place_of(self, job: Job) -> Path:
        return Path(self._prepared.layout.place_of(job))

    def _left_by(self, job_id: str) -> ArtifactInfo:
        build = self._results[job_id]
        if build.artifact is None:
            raise AssertionError(f"BUG: {build.job_id} left no artifact")
        return build.artifact


def _fresh_result(job: Job, record: SuccessRecord) -> JobResult:
    artifact = None
    if record.artifact is not None:
        artifact = ArtifactInfo(
            file_name=record.artifact,
            size=record.artifact_size or 0,
            sha256=record.artifact_sha256 or "",
            is_published=job.is_published,
        )
    return JobResult(
        job_id=job.id,
        kind=job.kind,
        cells=job.cells,
        outcome=Outcome.UP_TO_DATE,
        reason=None,
        exit_code=0,
        seconds=0.0,
        artifact=artifact,
    )
