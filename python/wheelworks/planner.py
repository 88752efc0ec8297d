"""Selected cells + HostFacts -> Plan of Jobs.

Pure: takes values and gives a frozen plan; ``build_jobs.py`` and ``test_jobs.py`` write the single jobs. Knows
nothing of what is on disk: whether a job is up to date is ``freshness.py``'s question.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from wheelworks.build_groups import build_shares
from wheelworks.build_jobs import BuildContext, build_job, sdist_job
from wheelworks.cargo_tests import CargoTestContext, plan_cargo_tests
from wheelworks.cibuildwheel_jobs import cibuildwheel_job
from wheelworks.container_jobs import container_build_job, image_requests
from wheelworks.plan import Plan, Provisioning, UnavailableCell
from wheelworks.slice_jobs import build_jobs, with_slices
from wheelworks.test_jobs import TestContext, plan_tests
from wheelworks.toolchain_order import joined_reason
from wheelworks.toolchain_settlement import settle_toolchains
from wheelworks.toolchains import no_rust

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelworks.build_groups import BuildGroup
    from wheelworks.config.settings import Settings
    from wheelworks.matrix import Cell
    from wheelworks.plan import Job, Layout, ToolRequest
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts
    from wheelworks.tools import ToolEnvironment

#: Below this much memory for the whole run builds are still started, one at a time.
MINIMUM_MEMORY_MIB = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What to plan for."""

    goal: Literal["build", "test"]
    cells: tuple[Cell, ...]
    """The selected cells."""
    wants_sdist: bool
    project: Project
    settings: Settings
    host: HostFacts
    layout: Layout
    matrix_cells: tuple[Cell, ...] = ()
    """Every cell of the matrix: toolchains are settled over all of them, whichever are selected. Empty where the
    selected ones are all."""
    tool_requests: tuple[ToolRequest, ...]
    tools: Mapping[str, ToolEnvironment]
    """Tool name -> the environment where it is or will be."""
    group_requirements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Dependency group -> its requirements, includes resolved."""
    estimates: Mapping[str, float] = field(default_factory=dict)
    """Job id -> seconds of earlier successes."""
    test_python: str | None = None
    """``wheelworks test --python``: the interpreter spec that tests run with."""
    emulates_tests: bool = False
    """Whether tests may run under emulation of another architecture."""


def make_plan(request: PlanRequest) -> Plan:
    """The complete plan of a run.

    Every selected cell is either served by a job or listed as unavailable with its reason.

    Raises:
        ConfigurationError: cells that share a wheel have different build options.
    """
    if request.goal == "test":
        testable, untestable = plan_tests(request.cells, TestContext.of(request))
        build_cells = tuple(cell for cell, _ in testable)
    else:
        testable, untestable = (), ()
        build_cells = request.cells
    groups, unbuildable = _group_builds(build_cells, request)
    compilations = sum(group.slices is None for group in groups)
    context = BuildContext.of(
        request, cores=_cores(request), concurrency=_concurrency(compilations, request)
    )
    builds = build_jobs(groups, context, partial(_plan_build, request=request))
    by_cell = {cell: job for job in builds for cell in job.cells}
    tests = tuple(make(by_cell[cell.id]) for cell, make in testable if cell.id in by_cell)
    sdist, unpackable = _plan_sdist(request, context)
    cargo_tests, no_cargo_tests = _plan_cargo_tests(groups, builds, request)
    jobs = (*sdist, *builds, *tests, *cargo_tests)
    return Plan(
        jobs=jobs,
        unavailable=(*unbuildable, *untestable, *no_cargo_tests, *unpackable),
        selected_cells=tuple(cell.id for cell in request.cells),
        tools=_needed_tools(request, jobs),
        provisioning=_provisioning(groups, builds, request.host),
        images=image_requests(jobs, request.host.containers),
        cores=_cores(request),
        memory_mib=max(request.host.memory_available_mib, MINIMUM_MEMORY_MIB),
    )


def _plan_build(group: BuildGroup, context: BuildContext, *, request: PlanRequest) -> Job:
    """The job of a build, by the toolchain that was settled for its cells."""
    if group.choices[0].toolchain in ("container", "emulated"):
        engine_args = request.settings.container.engine_args
        return container_build_job(group, context, engine_args=engine_args)
    if group.choices[0].toolchain == "cibuildwheel":
        return cibuildwheel_job(group, context)
    return build_job(group, context)


def _plan_cargo_tests(
    groups: tuple[BuildGroup, ...], builds: tuple[Job, ...], request: PlanRequest
) -> tuple[tuple[Job, ...], tuple[UnavailableCell, ...]]:
    """Cargo's own tests of the targets that ask for them."""
    if request.goal == "build":
        return (), ()
    context = CargoTestContext(
        host=request.host, layout=request.layout, test_python=request.test_python
    )
    return plan_cargo_tests(groups, builds, context)


def _plan_sdist(
    request: PlanRequest, context: BuildContext
) -> tuple[tuple[Job, ...], tuple[UnavailableCell, ...]]:
    """The sdist's job, if one is wanted; without Rust there is none, because maturin asks cargo for the metadata."""
    if not request.wants_sdist:
        return (), ()
    if request.host.rust is not None:
        return (sdist_job(context),), ()
    missing = no_rust(request.host)
    return (), (
        UnavailableCell(cell="sdist", kind="sdist", reason=missing.reason, cure=missing.cure),
    )


def _group_builds(
    cells: tuple[Cell, ...], request: PlanRequest
) -> tuple[tuple[BuildGroup, ...], tuple[UnavailableCell, ...]]:
    """Cells that share one compilation, and the cells that no toolchain serves."""
    servable = []
    unavailable = []
    settled = settle_toolchains(
        request.matrix_cells or request.cells, request.project, request.settings, request.host
    )
    for cell in cells:
        choices, refusals = settled[cell.id].choices, settled[cell.id].refusals
        if choices:
            servable.append((cell, choices))
            continue
        cures = [refusal.cure for refusal in refusals if refusal.cure]
        unavailable.append(
            UnavailableCell(
                cell=cell.id,
                kind="build" if request.goal == "build" else "test",
                reason=joined_reason(refusals),
                cure=cures[0] if cures else None,
            )
        )
    groups = build_shares(tuple(servable), request.project)
    return with_slices(groups, request.project), tuple(unavailable)


def _cores(request: PlanRequest) -> int:
    wanted = request.settings.jobs or request.host.cores
    return max(1, min(wanted, request.host.cores))


def _concurrency(builds: int, request: PlanRequest) -> int:
    """How many builds run side by side: bounded by processors and by memory (LTO is hungry)."""
    by_memory = request.host.memory_available_mib // max(1, request.settings.memory_per_build_mib)
    return max(1, min(builds, _cores(request), by_memory))


def _provisioning(
    groups: tuple[BuildGroup, ...], builds: tuple[Job, ...], host: HostFacts
) -> tuple[Provisioning, ...]:
    """What rustup has to add before the builds, each once, with the builds that wait for it."""
    what: dict[tuple[str, ...], str] = {}
    needed_by: dict[tuple[str, ...], list[str]] = {}
    for group, build in zip(groups, builds, strict=True):
        for argv, name in _rustup_calls(group, host):
            what[argv] = name
            needed_by.setdefault(argv, []).append(build.id)
    return tuple(
        Provisioning(argv=argv, what=name, needed_by=tuple(dict.fromkeys(needed_by[argv])))
        for argv, name in what.items()
    )


def _rustup_calls(group: BuildGroup, host: HostFacts) -> Iterator[tuple[tuple[str, ...], str]]:
    """The calls of rustup for one build, each with what it adds; slices call for themselves."""
    for choice in group.choices if group.slices is None else ():
        install = choice.rustup_toolchain_to_install
        if install is not None:
            yield (
                ("rustup", "toolchain", "install", "--profile", "minimal", install),
                f"Rust {install}",
            )
        triple = choice.rustup_target_to_add
        if triple is not None:
            ours = host.rust.toolchain if host.rust is not None else None
            # Named, so that it does not depend on the folder that rustup is started in.
            toolchain = install or choice.rustup_toolchain or ours
            named = ("--toolchain", toolchain) if toolchain else ()
            yield (
                ("rustup", "target", "add", *named, triple),
                f"standard library of {triple}",
            )


def job_tools(job: Job, host: HostFacts) -> frozenset[str]:
    """Names of the tools that the job can't run without."""
    if job.kind == "test":
        # In containers uv is the image's, and under wine a Windows pip installs.
        starts_uv = any(
            step.container is None and PurePath(step.argv[0]).stem == "uv" for step in job.steps
        )
        return frozenset({"uv"}) if starts_uv and host.uv is None else frozenset()
    on_host = [step for step in job.steps if step.container is None]
    builder = "cibuildwheel" if job.toolchain == "cibuildwheel" else "maturin"
    tools = {builder} if on_host else set()
    if any("--zig" in step.argv for step in on_host):
        tools.add("ziglang")
    if job.expects is not None and job.expects.abi_tag == "abi3":
        tools.add("abi3audit")
    return frozenset(tools)


def _needed_tools(request: PlanRequest, jobs: tuple[Job, ...]) -> tuple[ToolRequest, ...]:
    """The tool requests that some job's steps really use."""
    needed = frozenset(name for job in jobs for name in job_tools(job, request.host))
    return tuple(tool for tool in request.tool_requests if tool.name in needed)
