"""The stages before execution: configuration -> matrix -> host facts -> plan -> verdicts.

The list of stages is :func:`prepare`. Touches the disk and starts probes through the modules it calls; decides
nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import platformdirs

from wheelworks.artifacts import sha256_file
from wheelworks.cell_choice import (
    missing_interpreters,
    needs_containers_for_tests,
    select_cells,
    target_triples,
    wanted_interpreters,
)
from wheelworks.config.load import load
from wheelworks.config.uv_lock import lock_requirements
from wheelworks.freshness import judge
from wheelworks.host import probe_host, with_containers
from wheelworks.matrix import expand_matrix
from wheelworks.offline import without_network
from wheelworks.plan import Layout
from wheelworks.planner import PlanRequest, make_plan
from wheelworks.source_tree import read_source_tree
from wheelworks.store import StateStore
from wheelworks.toolchain_settlement import needs_containers
from wheelworks.tools import default_request, tool_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelworks.cell_choice import RunRequest
    from wheelworks.config.load import Loaded
    from wheelworks.freshness import Verdict
    from wheelworks.matrix import Cell, Matrix
    from wheelworks.plan import Plan, ToolRequest
    from wheelworks.process import Runner
    from wheelworks.snapshot import SourceFile
    from wheelworks.store import SuccessRecord
    from wheelworks.toolchains import HostFacts
    from wheelworks.tools import ToolEnvironment

    HostCompleter: TypeAlias = Callable[[Loaded, HostFacts, tuple[str, ...]], HostFacts]

STATE_FOLDER = ".wheelworks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that is known before a run starts."""

    loaded: Loaded
    matrix: Matrix
    cells: tuple[Cell, ...]
    """The selected ones."""
    host: HostFacts
    layout: Layout
    state_dir: Path
    tools: Mapping[str, ToolEnvironment]
    entries: tuple[SourceFile, ...]
    plan: Plan
    verdicts: Mapping[str, Verdict]


def prepare(
    request: RunRequest,
    runner: Runner,
    environ: Mapping[str, str],
    *,
    complete_host: HostCompleter | None = None,
) -> Prepared:
    """Go through the stages up to the plan and its verdicts.

    Args:
        request: what a command asks for.
        runner: the door to processes.
        environ: the caller's environment.
        complete_host: may install interpreters that the selected tests lack; None installs nothing.

    Raises:
        ConfigurationError: the configuration or the project is wrong.
        UsageError: a selector is malformed.
        NothingSelectedError: no cell was selected.
    """
    known = _find_out(request, runner, environ, complete_host)
    return _planned(request, known, environ)


def prepare_both(
    request: RunRequest,
    runner: Runner,
    environ: Mapping[str, str],
    *,
    complete_host: HostCompleter | None = None,
) -> tuple[Prepared, Prepared]:
    """The preparations of the builds and of the tests of the same cells; project and machine are looked at once.

    Args and errors are those of :func:`prepare`.

    Raises:
        WheelworksError: as :func:`prepare`.
    """
    tests = replace(request, goal="test")
    known = _find_out(tests, runner, environ, complete_host)
    builds = replace(request, goal="build")
    return _planned(builds, known, environ), _planned(tests, known, environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the stages before the plan found out."""

    loaded: Loaded
    matrix: Matrix
    cells: tuple[Cell, ...]
    entries: tuple[SourceFile, ...]
    host: HostFacts


def _find_out(
    request: RunRequest,
    runner: Runner,
    environ: Mapping[str, str],
    complete_host: HostCompleter | None,
) -> _Known:
    """Configuration, matrix, sources and host."""
    loaded = load(request.directory, flags=request.flags, environ=environ, package=request.package)
    settings, project = loaded.settings, loaded.project
    matrix = expand_matrix(settings, project)
    cells = select_cells(matrix, request)
    entries = tuple(
        read_source_tree(
            project,
            state_dir=project.root / STATE_FOLDER,
            dist_dir=settings.dist,
            runner=runner,
            environ=environ,
        )
    )
    host = _complete_facts(loaded, matrix, cells, request, runner, environ, complete_host)
    return _Known(loaded=loaded, matrix=matrix, cells=cells, entries=entries, host=host)


def _planned(request: RunRequest, known: _Known, environ: Mapping[str, str]) -> Prepared:
    """Plan and verdicts."""
    loaded, cells = known.loaded, known.cells
    settings, project = loaded.settings, loaded.project
    state_dir = project.root / STATE_FOLDER
    layout = _layout(loaded, state_dir)
    tool_requests = _tool_requests(loaded)
    tools: dict[str, ToolEnvironment] = {
        tool.name: tool_environment(layout.tools_dir, tool) for tool in tool_requests
    }
    store = StateStore(state_dir)
    plan = make_plan(
        PlanRequest(
            goal=request.goal,
            cells=cells,
            matrix_cells=known.matrix.cells,
            wants_sdist=_wants_sdist(request, settings.sdist),
            project=project,
            settings=settings,
            host=known.host,
            layout=layout,
            tool_requests=tool_requests,
            tools=tools,
            group_requirements=_group_requirements(loaded, cells, request),
            estimates=store.estimates(),
            test_python=request.python,
            emulates_tests=request.emulates_tests,
        )
    )
    if settings.offline:
        plan = without_network(plan)
    containers = known.host.containers
    return Prepared(
        loaded=loaded,
        matrix=known.matrix,
        cells=cells,
        host=known.host,
        layout=layout,
        state_dir=state_dir,
        tools=tools,
        entries=known.entries,
        plan=plan,
        verdicts=_verdicts(
            plan,
            store,
            known.entries,
            layout=layout,
            environ=environ,
            images=containers.image_ids() if containers is not None else {},
            force=request.force,
        ),
    )


def _complete_facts(
    loaded: Loaded,
    matrix: Matrix,
    cells: tuple[Cell, ...],
    request: RunRequest,
    runner: Runner,
    environ: Mapping[str, str],
    complete_host: HostCompleter | None,
) -> HostFacts:
    """The host's facts, with its containers where something needs them.

    With the interpreters, too, that could be installed for the selected tests.
    """
    project, settings = loaded.project, loaded.settings
    interpreters = wanted_interpreters(cells, request)
    host = probe_host(
        runner,
        project=project,
        settings=settings,
        environ=environ,
        # Of the whole matrix, whichever cells are selected: toolchains are settled over all of it.
        triples=frozenset(
            triple for cell in matrix.cells for triple in target_triples(cell.target)
        ),
        wanted=interpreters,
    )
    is_needed_to_build = needs_containers(matrix.cells, project, settings, host)
    if is_needed_to_build or needs_containers_for_tests(cells, request, host):
        host = with_containers(
            host,
            runner,
            project=project,
            settings=settings,
            environ=environ,
            interpreters=interpreters,
        )
    missing = missing_interpreters(cells, request, host)
    if complete_host is not None and missing and not settings.offline:
        return complete_host(loaded, host, missing)
    return host


def _layout(loaded: Loaded, state_dir: Path) -> Layout:
    """Where things lie."""
    return Layout(
        project_root=loaded.project.root,
        source_root=loaded.project.source_root,
        state_dir=state_dir,
        dist_dir=loaded.settings.dist,
        tools_dir=user_tools_dir(),
    )


def _verdicts(
    plan: Plan,
    store: StateStore,
    entries: tuple[SourceFile, ...],
    *,
    layout: Layout,
    environ: Mapping[str, str],
    images: Mapping[str, str],
    force: bool,
) -> Mapping[str, Verdict]:
    """Which planned jobs are up to date, by the records and what lies in ``dist/`` and in the folder of slices."""
    planned = {job.id for job in plan.jobs}
    records = {record.job_id: record for record in store.all() if record.job_id in planned}
    return judge(
        plan,
        records,
        {entry.path: entry.digest for entry in entries},
        _artifact_hashes(plan, records, layout),
        passed=environ,
        images=images,
        force=force,
    )


def user_tools_dir() -> Path:
    """The user's folder of tool environments."""
    return Path(platformdirs.user_data_dir("wheelworks", appauthor=False)) / "tools"


def _wants_sdist(request: RunRequest, configured: bool) -> bool:
    if request.goal == "test" or request.sdist == "no":
        return False
    if request.sdist in ("yes", "only"):
        return True
    return configured and not request.selectors


def _group_requirements(
    loaded: Loaded, cells: tuple[Cell, ...], request: RunRequest
) -> Mapping[str, tuple[str, ...]]:
    """The requirements of the dependency groups, for tests with the versions that a uv.lock names."""
    if request.goal == "build":
        return loaded.group_requirements
    project = loaded.project
    return lock_requirements(
        loaded.group_requirements,
        (project.root, project.workspace_root, project.source_root),
        others=[text for cell in cells for text in cell.settings.test.requires or ()],
    )


def _tool_requests(loaded: Loaded) -> tuple[ToolRequest, ...]:
    return (
        default_request(
            "maturin", loaded.project.maturin_requirement, configured=loaded.settings.maturin
        ),
        default_request("ziglang"),
        default_request("uv"),
        default_request("abi3audit"),
        default_request("cibuildwheel"),
    )


def _artifact_hashes(
    plan: Plan, records: Mapping[str, SuccessRecord], layout: Layout
) -> dict[str, str]:
    """Job id -> sha256 of the file that its record names, where it lies."""
    files = {
        job.id: Path(layout.place_of(job)) / record.artifact
        for job in plan.jobs
        if (record := records.get(job.id)) is not None and record.artifact is not None
    }
    return {job_id: sha256_file(path) for job_id, path in files.items() if path.is_file()}
