"""Test jobs: one wheel with one interpreter.

Pure: takes cells and the interpreters that were found, gives makers of Jobs and the cells that can't be
tested here, with reasons. The steps themselves are ``test_steps.py``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from wheelworks.interpreters import parse_interpreter
from wheelworks.plan import Job, TestPlan, UnavailableCell
from wheelworks.test_steps import test_steps
from wheelworks.toolchains import can_run_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelworks.interpreters import InterpreterSpec
    from wheelworks.matrix import Cell
    from wheelworks.planner import PlanRequest
    from wheelworks.project import Project
    from wheelworks.toolchains import FoundInterpreter, HostFacts

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
    cannot_run = can_run_tests(cell.target, context.host, cell.policy)
    if cannot_run is not None:
        return unavailable(cannot_run, None)
    spec = interpreter_under_test(cell, context.test_python)
    found = next((one for one in context.host.interpreters if one.spec == spec.spec), None)
    if found is None:
        problem = dict(context.host.interpreter_problems).get(spec.spec)
        return unavailable(
            f"no {_spoken(spec)}: "
            + (problem or "none was found on PATH or in pyenv's or uv's folders"),
            f"install it (uv python install {spec.spec}), or name it in [tool.wheelworks.interpreters]",
        )

    def make(build: Job) -> Job:
        return _test_job(cell, build, found, context)

    return make


def _spoken(spec: InterpreterSpec) -> str:
    name = "PyPy" if spec.implementation == "pp" else "CPython"
    threaded = " (free-threaded)" if spec.free_threaded else ""
    return f"{name} {spec.version}{threaded}"


def _test_job(cell: Cell, build: Job, found: FoundInterpreter, context: TestContext) -> Job:
    settings = cell.settings.test
    project = context.project
    job_id = f"test {cell.id}"
    root = PurePath(project.root)
    requirements = _requirements(cell, context)
    steps = test_steps(
        system=context.host.system,
        uv=context.uv,
        interpreter=found.path,
        requirements=requirements,
        extras=settings.extras or (),
        import_names=project.import_names,
        commands=settings.command or (),
        environment=settings.environment,
        environment_pass=settings.environment_pass,
        timeout_seconds=settings.timeout_seconds,
        project_folder=root.relative_to(project.source_root).as_posix(),
    )
    return Job(
        id=job_id,
        kind="test",
        cells=(cell.id,),
        needs=(build.id,),
        toolchain=None,
        build_key=None,
        steps=steps,
        inputs={
            "interpreter": f"{found.version} {found.path}",
            "requirements": "\n".join(requirements),
            "extras": ",".join(settings.extras or ()),
            "test command": "\n".join(settings.command or ()),
            "test sources": "\n".join(settings.sources or ()),
            **{f"env {name}": value for name, value in sorted(settings.environment.items())},
            **{f"passed env {name}": "" for name in settings.environment_pass},
        },
        reads_sources=True,
        expects=None,
        cores=1,
        memory_mib=TEST_MEMORY_MIB,
        timeout_seconds=settings.timeout_seconds,
        estimate_seconds=context.estimates.get(job_id),
        reasons=(f"{found.path} ({found.origin}) is Python {found.version}",),
        test=TestPlan(
            sources=settings.sources,
            package_dirs=tuple(
                PurePath(folder).relative_to(project.source_root).as_posix()
                for folder in project.package_dirs
            ),
            guarded_names=project.import_names,
            interpreter=found.path,
            interpreter_spec=found.spec,
        ),
    )


def _requirements(cell: Cell, context: TestContext) -> tuple[str, ...]:
    """The configured requirements and those of the configured dependency groups, without repetition."""
    settings = cell.settings.test
    grouped = (
        requirement
        for group in settings.groups or ()
        for requirement in context.group_requirements.get(group, ())
    )
    return tuple(dict.fromkeys((*(settings.requires or ()), *grouped)))
