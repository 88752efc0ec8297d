"""Facts about the host, and which toolchain serves a cell there, or the reason why none can.

Takes HostFacts (filled by ``host.py``) and a cell; gives a frozen choice. Probes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from wheelworks.config.settings import Settings
    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.targets import Target

HostSystem = Literal["linux", "macos", "windows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTool:
    """A program that was found on this machine. Known by path, size and time, so that
    nothing has to be started to see that it is still the same."""

    path: str
    version: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundInterpreter:
    """A Python interpreter that tests can run with."""

    spec: str
    """``3.13``, ``3.14t``, ``pp311``"""
    path: str
    version: str
    """Full version: ``3.13.0``."""
    machine: str
    """``x86_64``, ``aarch64``, ``arm64``, ``amd64``: lower case, as platform.machine() says."""
    origin: str
    """``PATH``, ``pyenv``, ``uv``, ``configuration``."""
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RustFacts:
    """The Rust toolchain that a build in the project would use."""

    rustc: FoundTool
    cargo: FoundTool
    host_triple: str
    sysroot: str
    targets: tuple[str, ...]
    """Triples whose standard library is there."""
    toolchain: str | None
    """rustup's name of it; None when Rust does not come from rustup."""
    installed_toolchains: tuple[str, ...]
    """rustup's toolchains; empty without rustup."""
    rustup: FoundTool | None
    can_add_targets: bool
    cannot_add_reason: str | None
    """Why rustup can't add anything (no rustup, its server out of reach, provision = "never")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What this machine is and has."""

    system: HostSystem
    machine: str
    """``x86_64`` or ``aarch64`` (also for what macOS and Windows call arm64)."""
    is_wsl: bool
    libc: Literal["glibc", "musl"] | None
    libc_version: tuple[int, int] | None
    cores: int
    memory_available_mib: int
    rust: RustFacts | None
    rust_missing_reason: str | None
    interpreters: tuple[FoundInterpreter, ...]
    mingw: tuple[tuple[str, FoundTool], ...]
    """mingw-w64's gcc by triple: ``(("x86_64-pc-windows-gnu", tool),)``."""
    macos_sdk: str | None
    """SDKROOT, or what xcrun says."""
    uv: FoundTool | None
    git: FoundTool | None
    ci: bool
    """Whether ``CI`` is set."""


LinkerChoice = Literal["system", "zig", "mingw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a toolchain can't serve a cell."""

    toolchain: str
    reason: str
    """Says what is missing, as a fragment."""
    cure: str | None = None
    """The command or option that mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainChoice:
    """How one Rust triple is compiled."""

    toolchain: Literal["host"]
    triple: str
    linker: LinkerChoice
    rustup_target_to_add: str | None
    rustup_toolchain: str | None
    """Value for RUSTUP_TOOLCHAIN; None to leave rustup's own choice."""
    rustup_toolchain_to_install: str | None
    reasons: tuple[str, ...]


def choose_toolchain(
    cell: Cell, project: Project, settings: Settings, host: HostFacts
) -> tuple[tuple[ToolchainChoice, ...], tuple[Refusal, ...]]:
    """The choice per triple of the cell's target (two for universal2), and every refused toolchain.

    The first tuple is empty when nothing serves the cell here; the refusals then say why.
    """
    raise NotImplementedError


def can_run_tests(target: Target, host: HostFacts) -> str | None:
    """None when a wheel of the target can be executed on this host, else the reason why not."""
    raise NotImplementedError
