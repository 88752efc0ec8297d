"""Test jobs: one wheel with one interpreter.

Pure: takes cells and the host's facts, gives makers of Jobs and the cells that can't be tested here, with reasons.
Where a cell is tested is ``test_places.py``'s choice, the steps themselves are ``test_steps.py``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from wheelworks.container_tests import in_container
from wheelworks.containers import paths
from wheelworks.interpreters import parse_interpreter
from wheelworks.plan import Job, TestPlan, UnavailableCell
from wheelworks.rust_choice import Obstacle
from wheelworks.test_places import choose_place
from wheelworks.test_steps import test_steps
from wheelworks.wine_tests import under_wine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelworks.interpreters import InterpreterSpec
    from wheelworks.matrix import Cell
    from wheelworks.plan import Step
    from wheelworks.planner import PlanRequest
    from wheelworks.project import Project
    from wheelworks.test_places import TestPlace
    from wheelworks.toolchains import HostFacts

TEST_MEMORY_MIB = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class TestContext:
    """What every test of a plan shares."""

    project: Project
    host: HostFacts
    uv: str
    """Path of the uv that makes the environments."""
    group_requirements: Mapping[str, tuple[str, ...]]
    estimates: Mapping[str, float]
    test_python: str | None
    emulates: bool = False
    """Whether tests may run under emulation of another architecture."""
    engine_args: tuple[str, ...] = ()
    """Further arguments of the container engine's ``run``."""

    __test__ = False

    @classmethod
    def of(cls, request: PlanRequest) -> TestContext:
        """The context of a request."""
        found = request.host.uv
        return cls(
            project=request.project,
            host=request.host,
            uv=found.path if found is not None else request.tools["uv"].program("uv"),
            group_requirements=request.group_requirements,
            estimates=request.estimates,
            test_python=request.test_python,
            emulates=request.emulates_tests,
            engine_args=request.settings.container.engine_args,
        )


def plan_tests(
    cells: tuple[Cell, ...], context: TestContext
) -> tuple[tuple[tuple[Cell, Callable[[Job], Job]], ...], tuple[UnavailableCell, ...]]:
    """The cells that can be tested here, each with the maker of its test job from its build job; and the others."""
    testable: list[tuple[Cell, Callable[[Job], Job]]] = []
    untestable: list[UnavailableCell] = []
    for cell in cells:
        outcome = _test_of(cell, context)
        if isinstance(outcome, UnavailableCell):
            untestable.append(outcome)
        else:
            testable.append((cell, outcome))
    return tuple(testable), tuple(untestable)


def interpreter_under_test(cell: Cell, test_python: str | None) -> InterpreterSpec:
    """The interpreter that a cell's wheel is tested with.

    A stable-ABI cell is tested with the interpreter that was asked for, else with its floor.
    """
    if not cell.interpreter.is_stable_abi:
        return cell.interpreter
    if test_python is not None:
        return parse_interpreter(test_python)
    return parse_interpreter(cell.interpreter.version)


def _test_of(cell: Cell, context: TestContext) -> Callable[[Job], Job] | UnavailableCell:
    def unavailable(reason: str, cure: str | None) -> UnavailableCell:
        return UnavailableCell(cell=cell.id, kind="test", reason=reason, cure=cure)

    if not cell.settings.test.command:
        return unavailable(
            cell.settings.test.no_command_reason or "the project names no tests",
            "set [tool.wheelworks.test] command in pyproject.toml",
        )
    spec = interpreter_under_test(cell, context.test_python)
    place = choose_place(cell, spec, context.host, emulates=context.emulates)
    if isinstance(place, Obstacle):
        return unavailable(place.reason, place.cure)

    def make(build: Job) -> Job:
        return _test_job(cell, build, spec, place, context)

    return make


def _test_job(
    cell: Cell, build: Job, spec: InterpreterSpec, place: TestPlace, context: TestContext
) -> Job:
    settings = cell.settings.test
    project = context.project
    job_id = f"test {cell.id}"
    requirements = _requirements(cell, context)
    return Job(
        id=job_id,
        kind="test",
        cells=(cell.id,),
        needs=(build.id,),
        toolchain=None,
        build_key=None,
        steps=_steps(cell, place, requirements, context),
        inputs={
            "interpreter": place.identity,
            "requirements": "\n".join(requirements),
            "extras": ",".join(settings.extras or ()),
            "test command": "\n".join(settings.command or ()),
            "test sources": "\n".join(settings.sources or ()),
            **{f"env {name}": value for name, value in sorted(settings.environment.items())},
            **{f"passed env {name}": "" for name in settings.environment_pass},
            **({f"image {place.image.reference}": ""} if place.image is not None else {}),
        },
        reads_sources=True,
        expects=None,
        cores=1,
        memory_mib=TEST_MEMORY_MIB,
        timeout_seconds=settings.timeout_seconds * _timeout_factor(cell, place),
        estimate_seconds=context.estimates.get(job_id),
        reasons=(place.reason,),
        test=TestPlan(
            sources=settings.sources,
            package_dirs=tuple(
                PurePath(folder).relative_to(project.source_root).as_posix()
                for folder in project.package_dirs
            ),
            guarded_names=project.import_names,
            interpreter=place.interpreter,
            interpreter_spec=spec.spec,
        ),
        is_emulated=place.is_emulated,
        images=(place.image.reference,) if place.image is not None else (),
    )


def _steps(
    cell: Cell, place: TestPlace, requirements: tuple[str, ...], context: TestContext
) -> tuple[Step, ...]:
    """The same steps wherever they run, put into a container or under wine where the place says so."""
    settings = cell.settings.test
    project = context.project
    system, uv = context.host.system, context.uv
    if place.image is not None:
        system, uv = "linux", paths.UV
    elif place.wine is not None:
        system = "windows"
    steps = test_steps(
        system=system,
        uv=uv,
        interpreter=place.interpreter,
        requirements=requirements,
        extras=settings.extras or (),
        import_names=project.import_names,
        commands=settings.command or (),
        environment=settings.environment,
        environment_pass=settings.environment_pass,
        timeout_seconds=settings.timeout_seconds,
        project_folder=PurePath(project.root).relative_to(project.source_root).as_posix(),
    )
    factor = _timeout_factor(cell, place)
    if place.image is not None and context.host.containers is not None:
        return in_container(
            steps,
            image=place.image,
            containers=context.host.containers,
            engine_args=context.engine_args,
            timeout_factor=factor,
        )
    if place.wine is not None:
        return under_wine(
            steps, wine=place.wine.path, interpreter=place.interpreter, timeout_factor=factor
        )
    return steps


def _timeout_factor(cell: Cell, place: TestPlace) -> int:
    return cell.settings.test.emulation_factor if place.is_emulated else 1


def _requirements(cell: Cell, context: TestContext) -> tuple[str, ...]:
    """The configured requirements and those of the configured dependency groups, without repetition."""
    settings = cell.settings.test
    grouped = (
        requirement
        for group in settings.groups or ()
        for requirement in context.group_requirements.get(group, ())
    )
    return tuple(dict.fromkeys((*(settings.requires or ()), *grouped)))
