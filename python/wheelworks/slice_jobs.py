"""Universal2 wheels: which slices they are merged from, and the jobs of slices and merging.

Pure: takes build groups and gives groups and Jobs. Does not know where a slice is compiled: whoever writes the job
of an ordinary group writes that of a slice, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.build_groups import BuildGroup, group_identity, group_tag
from wheelworks.build_jobs import build_key
from wheelworks.maturin_call import wheel_expectation
from wheelworks.plan import Job
from wheelworks.targets import deployment_targets, target_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelworks.build_jobs import BuildContext
    from wheelworks.project import Project

#: Two wheels and the merged one lie in memory.
MERGE_MEMORY_MIB = 512


def with_slices(groups: tuple[BuildGroup, ...], project: Project) -> tuple[BuildGroup, ...]:
    """The groups, with the slices of universal2 wheels among them, each before what is merged from it.

    A slice is the wheel of a selected cell where that is built with the same options, else one of its own that is
    not published.

    Args:
        groups: from :func:`~wheelworks.build_groups.build_shares`.
        project: for the tag that the wheels share.
    """
    known = {group_identity(group.cells[0], group.choices, project): group for group in groups}
    ordered: list[BuildGroup] = []
    for group in groups:
        if len(group.choices) == 1:
            _add(ordered, group)
            continue
        x86_64, arm64 = (
            known.get(group_identity(thin.cells[0], thin.choices, project), thin)
            for thin in _thin_groups(group)
        )
        _add(ordered, x86_64)
        _add(ordered, arm64)
        ordered.append(replace(group, slices=(x86_64, arm64)))
    return tuple(ordered)


def build_jobs(
    groups: tuple[BuildGroup, ...],
    context: BuildContext,
    make: Callable[[BuildGroup, BuildContext], Job],
) -> tuple[Job, ...]:
    """A job per group.

    Args:
        groups: from :func:`with_slices`.
        context: what every build of the plan shares.
        make: writes the job that compiles a group.
    """
    jobs: list[Job] = []
    for group in groups:
        if group.slices is not None:
            x86_64, arm64 = (jobs[_index(groups, slice_)].id for slice_ in group.slices)
            jobs.append(_merge_job(group, context, (x86_64, arm64)))
        elif group.is_published:
            jobs.append(make(group, context))
        else:
            jobs.append(_private(make(group, context), group, context))
    return tuple(jobs)


def _thin_groups(group: BuildGroup) -> tuple[BuildGroup, ...]:
    """The slices of a universal2 group, with the cell that each would be built for."""
    cell = group.cells[0]
    floors = deployment_targets(cell.target, cell.policy)
    return tuple(
        BuildGroup(
            cells=(
                replace(
                    cell,
                    id=f"{cell.interpreter.tag}-macosx_{arch}",
                    target=target_named(f"macosx_{arch}"),
                    policy=f"macosx_{version.replace('.', '_')}",
                ),
            ),
            choices=(choice,),
            is_published=False,
        )
        for (arch, version), choice in zip(floors, group.choices, strict=True)
    )


def _add(ordered: list[BuildGroup], group: BuildGroup) -> None:
    """Append what is not there yet."""
    if not any(one is group for one in ordered):
        ordered.append(group)


def _index(groups: tuple[BuildGroup, ...], wanted: BuildGroup) -> int:
    return next(index for index, group in enumerate(groups) if group is wanted)


def _private(job: Job, group: BuildGroup, context: BuildContext) -> Job:
    """The job of a slice that no cell is published from."""
    job_id = f"slice {group_tag(group, context.project)}"
    return replace(
        job,
        id=job_id,
        cells=(),
        is_published=False,
        estimate_seconds=context.estimates.get(job_id),
    )


def _merge_job(group: BuildGroup, context: BuildContext, slices: tuple[str, str]) -> Job:
    """The job that merges, audits and publishes a universal2 wheel."""
    cell = group.cells[0]
    expects = wheel_expectation(cell, context.project)
    job_id = f"build {group_tag(group, context.project)}"
    inputs = {"platform tags": ".".join(expects.platform_tags)}
    if cell.settings.audit_ignore:
        inputs["ignored audit rules"] = ",".join(cell.settings.audit_ignore)
    return Job(
        id=job_id,
        kind="build",
        cells=tuple(member.id for member in group.cells),
        needs=slices,
        toolchain=group.choices[0].toolchain,
        build_key=build_key(group, context),
        steps=(),
        inputs=inputs,
        reads_sources=True,
        expects=expects,
        cores=1,
        memory_mib=MERGE_MEMORY_MIB,
        timeout_seconds=cell.settings.timeout_seconds,
        estimate_seconds=context.estimates.get(job_id),
        reasons=(f"merged from the wheels of {slices[0]} and {slices[1]}",),
        audit_ignore=cell.settings.audit_ignore,
        merges=slices,
    )
