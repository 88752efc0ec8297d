"""What this machine can build and test, and what would mend the rest.

Pure: takes the plans of the whole matrix and the host's facts, gives checks. Runs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wheelworks.doctor_containers import container_checks
from wheelworks.doctor_model import Check, Mending

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.doctor_model import Survey
    from wheelworks.matrix import Cell
    from wheelworks.plan import Plan, UnavailableCell
    from wheelworks.toolchains import HostFacts


def examine(
    builds: Plan,
    tests: Plan,
    host: HostFacts,
    provided_tools: Iterable[str],
    *,
    survey: Survey,
    cells: tuple[Cell, ...] = (),
) -> tuple[Check, ...]:
    """The checks, in the order in which a person would go through them.

    Args:
        builds: plan of the builds of the whole matrix.
        tests: plan of its tests.
        host: the machine.
        provided_tools: names of the tools that are installed.
        survey: what else was asked of the machine.
        cells: the matrix.
    """
    provided = frozenset(provided_tools)
    platforms = (cell.target.oci_platform for cell in cells)
    wanted = frozenset(platform for platform in platforms if platform is not None)
    return (
        _machine(host),
        _rust(builds, host),
        *_tools(builds, provided),
        *_provisioning(builds),
        *container_checks(builds, tests, host, survey, wanted=wanted),
        *_targets(builds, tests, cells),
        *_cells("build", builds),
        *_interpreters(host),
        *_cells("test", tests),
    )


def _machine(host: HostFacts) -> Check:
    libc = (
        f", {host.libc} {'.'.join(map(str, host.libc_version))}"
        if host.libc and host.libc_version
        else ""
    )
    wsl = ", WSL" if host.is_wsl else ""
    return Check(
        subject="machine",
        state="good",
        detail=f"{host.system} {host.machine}{libc}{wsl}, {host.cores} processors, "
        f"{host.memory_available_mib} MiB free",
    )


def _rust(builds: Plan, host: HostFacts) -> Check:
    if host.rust is None:
        return Check(
            subject="rust",
            state="missing",
            detail=host.rust_missing_reason or "rustc was not found",
            hint="install Rust with rustup (https://rustup.rs)",
            # Containers bring their own.
            is_fatal=not any(job.kind == "build" for job in builds.jobs),
        )
    rust = host.rust
    return Check(
        subject="rust",
        state="good",
        detail=f"rustc {rust.rustc.version} for {', '.join(rust.targets)} ({rust.rustc.path})",
    )


def _tools(plan: Plan, provided: frozenset[str]) -> Iterable[Check]:
    for tool in plan.tools:
        if tool.name in provided:
            yield Check(subject=tool.name, state="good", detail=tool.requirement)
        else:
            yield Check(
                subject=tool.name,
                state="missing",
                detail=f"{tool.requirement} is installed at the first run",
                mending=Mending(tool=tool.name),
            )


def _provisioning(plan: Plan) -> Iterable[Check]:
    for item in plan.provisioning:
        yield Check(
            subject="rustup",
            state="missing",
            detail=f"{item.what} is added at the first run",
            mending=Mending(argv=item.argv),
        )


def _targets(builds: Plan, tests: Plan, cells: tuple[Cell, ...]) -> Iterable[Check]:
    """One line per target: how many of its cells are built and tested here, and by what."""
    built = {cell: job for job in builds.jobs if job.kind == "build" for cell in job.cells}
    tested = {cell: job for job in tests.jobs if job.kind == "test" for cell in job.cells}
    for target in dict.fromkeys(cell.target.name for cell in cells):
        ids = [cell.id for cell in cells if cell.target.name == target]
        makers = [built[one] for one in ids if one in built]
        testers = [tested[one] for one in ids if one in tested]
        tools = dict.fromkeys(str(job.toolchain) for job in makers)
        emulated = " under emulation" if any(job.is_emulated for job in testers) else ""
        by = f" by {', '.join(tools)}" if tools else ""
        yield Check(
            subject=f"target {target}",
            state="good" if len(makers) == len(ids) else "unavailable",
            detail=f"{len(makers)} of {len(ids)} cells built{by}, {len(testers)} tested{emulated}",
        )


def _interpreters(host: HostFacts) -> Iterable[Check]:
    for found in host.interpreters:
        yield Check(
            subject=f"python {found.spec}",
            state="good",
            detail=f"{found.version} at {found.path} ({found.origin})",
        )


def _cells(kind: Literal["build", "test"], plan: Plan) -> Iterable[Check]:
    served = sorted({cell for job in plan.jobs if job.kind == kind for cell in job.cells})
    if served:
        yield Check(subject=kind, state="good", detail=f"{len(served)} cells: {', '.join(served)}")
    groups: dict[tuple[str, str | None], list[UnavailableCell]] = {}
    for cell in plan.unavailable:
        groups.setdefault((cell.reason, cell.cure), []).append(cell)
    for (reason, cure), cells in groups.items():
        names = ", ".join(cell.cell for cell in cells)
        yield Check(subject=kind, state="unavailable", detail=f"{names}: {reason}", hint=cure)
