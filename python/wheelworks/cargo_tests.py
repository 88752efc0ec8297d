"""Jobs that run ``cargo test`` for a target, one for each, with the toolchain that builds its wheels.

Pure: takes the build jobs of a plan, gives test jobs made of their steps, or the reason why a target's tests can't
run here. On its own machine cargo does everything; for another architecture the test programs are linked by zig,
collected, and run in the image for tests of that platform.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheelworks.container_choice import own_triple
from wheelworks.containers import paths
from wheelworks.plan import Job, Mount, UnavailableCell
from wheelworks.report.model import TestCounts
from wheelworks.targets import glibc_floor
from wheelworks.test_jobs import TEST_MEMORY_MIB, interpreter_under_test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.build_groups import BuildGroup
    from wheelworks.containers.facts import ImageFacts
    from wheelworks.matrix import Cell
    from wheelworks.plan import Layout, Step
    from wheelworks.toolchains import HostFacts

PROGRAMS = f"{paths.OUTPUT}/tests"
"""Where test programs for another architecture are collected."""
_RESULT = re.compile(
    r"test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<ignored>\d+) ignored"
)
#: Cargo's runner is split at spaces, so it can be no script of its own; ``cp`` keeps the programs instead of running
#: them. zig's compiler needs a program of one word, too.
_LINK_SCRIPT = """\
set -e
mkdir -p "$1"
printf '#!/bin/sh\\nexec maturin zig cc -- -target %s "$@"\\n' "$2" > "$HOME/zig-cc"
chmod +x "$HOME/zig-cc"
shift 2
exec "$@"
"""
_RUN_SCRIPT = """\
status=0
for program in "$1"/*; do
    echo "running $program"
    "$program" || status=$?
done
exit $status
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CargoTestContext:
    """What every cargo test of a plan shares."""

    host: HostFacts
    layout: Layout
    test_python: str | None


def plan_cargo_tests(
    groups: Iterable[BuildGroup], builds: Iterable[Job], context: CargoTestContext
) -> tuple[tuple[Job, ...], tuple[UnavailableCell, ...]]:
    """A job for each target whose cells ask for it, made from the target's first build; and the targets without one."""
    by_cells = {job.cells: job for job in builds}
    jobs: dict[str, Job] = {}
    unavailable: dict[str, UnavailableCell] = {}
    for group in groups:
        cell = group.cells[0]
        name = f"cargo-{cell.target.name}"
        build = by_cells.get(tuple(one.id for one in group.cells))
        if not cell.settings.test.cargo or build is None or name in {*jobs, *unavailable}:
            continue
        reason = _why_not(group, context.host)
        if reason is not None:
            unavailable[name] = UnavailableCell(cell=name, kind="test", reason=reason, cure=None)
        else:
            jobs[name] = _job(name, group, build, context)
    return tuple(jobs.values()), tuple(unavailable.values())


def read_counts(output: str) -> TestCounts | None:
    """The sum of what test programs say at their end; None when none said anything."""
    found = [
        tuple(int(one[name]) for name in ("passed", "failed", "ignored"))
        for one in _RESULT.finditer(output)
    ]
    if not found:
        return None
    passed, failed, ignored = (sum(numbers) for numbers in zip(*found, strict=True))
    return TestCounts(total=passed + failed + ignored, failed=failed, errors=0, skipped=ignored)


def _why_not(group: BuildGroup, host: HostFacts) -> str | None:
    """Why cargo's tests for the group's target can't run here."""
    choice, target = group.choices[0], group.cells[0].target.name
    if group.slices is not None:
        return (
            f"cargo's tests run for one architecture: macosx_x86_64 and macosx_arm64, not {target}"
        )
    if _is_native(group, host):
        return None
    if choice.toolchain == "host":
        return (
            f"cargo's tests for {target} would be compiled on this machine, which can't run them; "
            'toolchain = "container" can, for manylinux'
        )
    if choice.toolchain != "container" or group.cells[0].target.system != "manylinux":
        return f"cargo's tests for {target} don't run through the toolchain {choice.toolchain} here"
    if choice.linker != "zig" or _test_image(group.cells[0], host) is None:
        return f"there is nothing here to run cargo's tests for {target} in"
    return None


def _is_native(group: BuildGroup, host: HostFacts) -> bool:
    """Whether the programs run where they are compiled."""
    choice = group.choices[0]
    if choice.toolchain == "host":
        return host.rust is not None and choice.triple == host.rust.host_triple
    return choice.image is not None and choice.triple == own_triple(choice.image.platform)


def _test_image(cell: Cell, host: HostFacts) -> ImageFacts | None:
    containers, platform = host.containers, cell.target.oci_platform
    if containers is None or platform is None or not containers.runs(platform):
        return None
    images = containers.test_images(platform, "glibc")
    return next((one for one in images if one.is_available), None)


def _job(name: str, group: BuildGroup, build: Job, context: CargoTestContext) -> Job:
    cell = group.cells[0]
    is_native = _is_native(group, context.host)
    *before, compiling = build.steps
    step = _cargo_step(group, compiling, build, context)
    images = build.images
    if is_native:
        steps = (*before, step)
    else:
        image = _test_image(cell, context.host)
        if image is None:
            raise AssertionError(f"BUG: no image for the cargo tests of {cell.id}")
        images = tuple(dict.fromkeys((*images, image.reference)))
        linked = _linked_by_zig(step, cell, group.choices[0].triple)
        steps = (*before, linked, _run_step(cell, step, image))
    return replace(
        build,
        id=f"test {name}",
        kind="test",
        cells=tuple(one.id for one in group.cells),
        needs=(build.id,),
        steps=steps,
        inputs={
            **build.inputs,
            **{f"image {reference}": "" for reference in images},
            "arguments": " ".join(step.argv[:3]) + " " + " ".join(_options(cell)),
        },
        expects=None,
        memory_mib=max(build.memory_mib, TEST_MEMORY_MIB),
        timeout_seconds=sum(one.timeout_seconds for one in steps),
        estimate_seconds=None,
        # It begins where its build ended.
        seeding_family=None,
        reasons=(f"test.cargo asks for cargo's tests; they are compiled as {build.id} is",),
        is_emulated=build.is_emulated or not is_native,
        images=images,
    )


def _options(cell: Cell) -> tuple[str, ...]:
    """The cell's features; those of ``[tool.maturin]`` are for wheels: an extension module is no program to link."""
    settings = cell.settings
    features = ("--features", ",".join(settings.features)) if settings.features else ()
    return (*features, *(("--no-default-features",) if settings.no_default_features else ()))


def _cargo_step(group: BuildGroup, compiling: Step, build: Job, context: CargoTestContext) -> Step:
    cell = group.cells[0]
    manifest = compiling.argv[compiling.argv.index("--manifest-path") + 1]
    environment = dict(compiling.env)
    if compiling.container is None:
        folder = context.layout.build_dir / str(build.build_key)
        environment["CARGO_TARGET_DIR"] = str(folder)
    interpreter = _interpreter(cell, group.choices[0].image, context)
    if interpreter is not None:
        environment["PYO3_PYTHON"] = interpreter
    return replace(
        compiling,
        name="cargo test",
        argv=(
            "cargo", "test", "--locked", "--tests", "--no-fail-fast",
            "--manifest-path", manifest, "--target", group.choices[0].triple, *_options(cell),
        ),
        env=environment,
        timeout_seconds=compiling.timeout_seconds + cell.settings.test.timeout_seconds,
    )  # fmt: skip


def _interpreter(cell: Cell, image: ImageFacts | None, context: CargoTestContext) -> str | None:
    """The interpreter that test programs embed, where the compiler runs."""
    spec = interpreter_under_test(cell, context.test_python).spec
    if image is not None:
        return dict(image.pythons).get(spec)
    return next((one.path for one in context.host.interpreters if one.spec == spec), None)


def _linked_by_zig(step: Step, cell: Cell, triple: str) -> Step:
    """The step with zig as the linker, which keeps the programs that it can't run."""
    variable = f"CARGO_TARGET_{triple.upper().replace('-', '_')}"
    floor = glibc_floor(cell.policy)
    suffix = "." + ".".join(map(str, floor)) if floor is not None else ""
    machine, _, _, libc = triple.split("-")
    return replace(
        step,
        argv=("sh", "-c", _LINK_SCRIPT, "sh", PROGRAMS, f"{machine}-linux-{libc}{suffix}", *step.argv),
        env={
            **step.env,
            f"{variable}_LINKER": f"{paths.HOME}/zig-cc",
            f"{variable}_RUNNER": f"cp --target-directory={PROGRAMS}",
            f"CC_{triple.replace('-', '_')}": f"{paths.HOME}/zig-cc",
        },
    )  # fmt: skip


def _run_step(cell: Cell, step: Step, image: ImageFacts) -> Step:
    """The collected programs in the image of their platform, in the crate's folder as cargo runs them."""
    use = step.container
    if use is None:
        raise AssertionError(
            f"BUG: the cargo tests of {cell.id} were to be compiled in a container"
        )
    settings = cell.settings.test
    return replace(
        step,
        name="run tests",
        argv=("sh", "-c", _RUN_SCRIPT, "sh", PROGRAMS),
        env={"HOME": paths.HOME, "USER": "wheelworks"},
        timeout_seconds=settings.timeout_seconds * settings.emulation_factor,
        container=replace(
            use, image=image.reference, platform=image.platform, mounts=_run_mounts(use.mounts)
        ),
    )


def _run_mounts(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    kept = (paths.SOURCE, paths.OUTPUT, paths.HOME)
    return tuple(mount for mount in mounts if mount.target in kept)
