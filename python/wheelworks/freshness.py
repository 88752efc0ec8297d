"""Which jobs are up to date, and for each stale one why.

Pure: takes the plan, the records of the last successes, the source tree's digests and what lies in ``dist/``;
gives a verdict per job. Reads nothing itself.
"""

from __future__ import annotations

import fnmatch
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks import __version__
from wheelworks.fingerprints import changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelworks.plan import Job, Plan
    from wheelworks.store import SuccessRecord

#: Inputs that name a file of the source tree begin so.
SOURCE_PREFIX = "source:"
#: Inputs that name variables of the caller (or a pattern of names) begin so; the plan leaves them empty.
PASSED_PREFIX = "passed env "
#: Inputs that name an image begin so; the plan leaves them empty, because a run may have to build it first.
IMAGE_PREFIX = "image "
WHEEL_INPUTS = ("wheel",)
SLICE_INPUTS = ("wheel of x86_64", "wheel of arm64")
#: Our own audit rules, steps and guard are part of every job.
OWN_INPUT = "wheelworks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a job has to run."""

    is_fresh: bool
    reasons: tuple[str, ...]
    """Why it is stale; empty when it is fresh."""
    record: SuccessRecord | None


def job_inputs(
    job: Job,
    sources: Mapping[str, str],
    *,
    passed: Mapping[str, str],
    images: Mapping[str, str] | None = None,
    wheels: Sequence[str] = (),
) -> dict[str, str]:
    """Everything a job reads: its planned inputs, the source tree, passed variables, the wheels it needs, and us.

    Args:
        job: the job.
        sources: path -> digest of the whole tree.
        passed: the caller's environment; only a digest of the variables that the job passes on is kept.
        images: reference -> id of the images that are there.
        wheels: the hashes of the wheels that it tests (one) or merges (two).
    """
    inputs = {**job.inputs, OWN_INPUT: __version__}
    for name in inputs:
        if name.startswith(PASSED_PREFIX):
            inputs[name] = _passed_digest(name.removeprefix(PASSED_PREFIX), passed)
        elif name.startswith(IMAGE_PREFIX) and images is not None:
            inputs[name] = images.get(name.removeprefix(IMAGE_PREFIX), inputs[name])
    if job.reads_sources:
        inputs.update({SOURCE_PREFIX + path: digest for path, digest in sources.items()})
    names = WHEEL_INPUTS if job.kind == "test" else SLICE_INPUTS
    inputs.update(zip(names, wheels, strict=False))
    return inputs


def wheels_read(job: Job) -> tuple[str, ...]:
    """Ids of the jobs whose wheels the job tests or merges."""
    return job.needs[:1] if job.kind == "test" else (job.merges or ())


def _passed_digest(pattern: str, passed: Mapping[str, str]) -> str:
    """A digest of the variables that a pattern names, with their names: unset is not the same as empty."""
    chosen = sorted(
        (name, value)
        for name, value in passed.items()
        if fnmatch.fnmatchcase(name.upper(), pattern.upper())
    )
    return hashlib.sha256(repr(chosen).encode()).hexdigest()[:16]


def judge(
    plan: Plan,
    records: Mapping[str, SuccessRecord],
    sources: Mapping[str, str],
    artifacts: Mapping[str, str],
    *,
    passed: Mapping[str, str],
    images: Mapping[str, str] | None = None,
    force: bool = False,
) -> dict[str, Verdict]:
    """A verdict per job, in the plan's order (a test is stale when its build is).

    Args:
        plan: the plan.
        records: job id -> its last success.
        sources: path -> digest of the source tree.
        artifacts: job id -> sha256 of what lies where the artifact of its record should.
        passed: the caller's environment.
        images: reference -> id of the images that are there; one that is not makes nothing stale, because its
            reference names its recipe.
        force: everything is stale.
    """
    verdicts: dict[str, Verdict] = {}
    for job in plan.jobs:
        record = records.get(job.id)
        reasons = _stale_reasons(job, record, verdicts, sources, artifacts, passed, images or {})
        if force:
            reasons = ("--force was given",)
        verdicts[job.id] = Verdict(is_fresh=not reasons, reasons=reasons, record=record)
    return verdicts


def _stale_reasons(
    job: Job,
    record: SuccessRecord | None,
    verdicts: Mapping[str, Verdict],
    sources: Mapping[str, str],
    artifacts: Mapping[str, str],
    passed: Mapping[str, str],
    images: Mapping[str, str],
) -> tuple[str, ...]:
    if record is None:
        return ("it has not succeeded yet",)
    stale_needs = tuple(need for need in job.needs if not verdicts[need].is_fresh)
    if stale_needs:
        return tuple(f"{need} is stale" for need in stale_needs)
    is_missing = record.artifact is None or artifacts.get(job.id) != record.artifact_sha256
    if job.kind != "test" and is_missing:
        place = "dist/" if job.is_published else "the slices"
        return (f"{record.artifact or 'its artifact'} is missing from {place} or was changed",)
    read = [verdicts[need].record for need in wheels_read(job)]
    wheels = [(one.artifact_sha256 if one is not None else None) or "" for one in read]
    then = {
        name.removeprefix(IMAGE_PREFIX): value
        for name, value in record.inputs.items()
        if name.startswith(IMAGE_PREFIX)
    }
    now = job_inputs(job, sources, passed=passed, images={**then, **images}, wheels=wheels)
    return tuple(change.removeprefix(SOURCE_PREFIX) for change in changes(record.inputs, now))
