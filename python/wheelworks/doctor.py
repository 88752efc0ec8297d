"""What this machine can build and test, and what would mend the rest.

Pure: takes the plans of the whole matrix and the host's facts, gives checks. Runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.plan import Plan, UnavailableCell
    from wheelworks.toolchains import HostFacts

CheckState = Literal["good", "missing", "unavailable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """What mends a check: a command, or a tool that wheelworks installs for itself."""

    argv: tuple[str, ...] = ()
    tool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    subject: str
    state: CheckState
    detail: str
    mending: Mending | None = None
    hint: str | None = None
    is_fatal: bool = False
    """Whether nothing at all can be built without it."""


def examine(
    builds: Plan, tests: Plan, host: HostFacts, provided_tools: Iterable[str]
) -> tuple[Check, ...]:
    """The checks, in the order in which a person would go through them."""
    provided = frozenset(provided_tools)
    return (
        _machine(host),
        _rust(host),
        *_tools(builds, provided),
        *_provisioning(builds),
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


def _rust(host: HostFacts) -> Check:
    if host.rust is None:
        return Check(
            subject="rust",
            state="missing",
            detail=host.rust_missing_reason or "rustc was not found",
            hint="install Rust with rustup (https://rustup.rs)",
            is_fatal=True,
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
