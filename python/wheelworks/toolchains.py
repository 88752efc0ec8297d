"""Facts about the host, and whether its own toolchain serves a cell, or the reason why not.

Takes HostFacts (filled by ``host.py``) and a cell; gives a frozen choice. Probes nothing. Containers are
``container_choice.py``'s, the order of the toolchains is ``toolchain_order.py``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from wheelworks.linkers import LinkerChoice as LinkerChoice
from wheelworks.linkers import Linking, choose_linking
from wheelworks.runnable import can_run_tests as can_run_tests
from wheelworks.rust_choice import Obstacle, RustChoice, choose_rust

if TYPE_CHECKING:
    from wheelworks.config.settings import Settings
    from wheelworks.containers.facts import ContainerFacts, ImageFacts
    from wheelworks.matrix import Cell
    from wheelworks.project import Project

HostSystem = Literal["linux", "macos", "windows"]
ToolchainName = Literal["host", "container", "emulated", "cibuildwheel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTool:
    """A program that was found on this machine.

    Known by path, size and time, so that nothing has to be started to see that it is the same.
    """

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
    interpreter_problems: tuple[tuple[str, str], ...] = ()
    """(spec, reason) of each interpreter that was looked for and not found."""
    containers: ContainerFacts | None = None
    containers_missing: Obstacle | None = None
    """Why there are no containers, and what mends it; None also where nobody looked."""
    wine: FoundTool | None = None
    wine_pythons: tuple[tuple[str, str], ...] = ()
    """Interpreter spec -> path of a Windows ``python.exe`` that the user named and that is there."""


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

    toolchain: ToolchainName
    triple: str
    linker: LinkerChoice
    rustup_target_to_add: str | None
    rustup_toolchain: str | None
    """Value for RUSTUP_TOOLCHAIN; None to leave rustup's own choice."""
    rustup_toolchain_to_install: str | None
    reasons: tuple[str, ...]
    image: ImageFacts | None = None
    """The image it is compiled in; None on the host."""
    rust_version: str | None = None
    """``1.95.0``; None where it shows only once a toolchain is installed or an image is built."""


def no_rust(host: HostFacts) -> Obstacle:
    """What stands in the way on a host whose facts name no Rust."""
    return Obstacle(
        reason=host.rust_missing_reason or "there is no rustc here",
        cure="install Rust through rustup, or name its folder in PATH",
    )


def choose_on_host(
    cell: Cell, project: Project, settings: Settings, host: HostFacts
) -> tuple[ToolchainChoice, ...] | Obstacle:
    """The choice per triple of the cell's target, or the first thing in the way.

    That is: no Rust, its version, the linker, the standard library.
    """
    if host.rust is None:
        return no_rust(host)
    rust = choose_rust(project, settings, host.rust)
    if isinstance(rust, Obstacle):
        return rust
    linkings = choose_linking(
        cell, project, host, accepts_licence=settings.accept_microsoft_licence
    )
    if isinstance(linkings, Obstacle):
        return linkings
    missing = _missing_libraries(linkings, rust, host.rust)
    if missing and not host.rust.can_add_targets:
        return _no_library(missing, rust, host.rust)
    return tuple(
        ToolchainChoice(
            toolchain="host",
            triple=linking.triple,
            linker=linking.linker,
            rustup_target_to_add=linking.triple if linking.triple in missing else None,
            rustup_toolchain=rust.toolchain,
            rustup_toolchain_to_install=rust.toolchain_to_install,
            reasons=_reasons(linking, rust, project, settings, is_added=linking.triple in missing),
            rust_version=rust.exact_version,
        )
        for linking in linkings
    )


def _missing_libraries(
    linkings: tuple[Linking, ...], rust: RustChoice, facts: RustFacts
) -> tuple[str, ...]:
    """The triples whose standard library is not there, or not known to be there."""
    present = rust.standard_libraries or (facts.host_triple,)
    return tuple(linking.triple for linking in linkings if linking.triple not in present)


def _no_library(missing: tuple[str, ...], rust: RustChoice, facts: RustFacts) -> Obstacle:
    why = facts.cannot_add_reason or "rustup can add nothing here"
    what = " and ".join(missing)
    seen = "has no" if rust.standard_libraries is not None else "is not known to have a"
    add = f"rustup target add {' '.join(missing)}"
    if rust.toolchain is not None:
        add = f"rustup target add --toolchain {rust.toolchain} {' '.join(missing)}"
    if facts.rustup is None:
        add = f"install Rust through rustup, then {add}; or your distribution's package of it"
    return Obstacle(
        reason=f"{rust.label} here {seen} standard library for {what}, and {why}", cure=add
    )


def _reasons(
    linking: Linking, rust: RustChoice, project: Project, settings: Settings, *, is_added: bool
) -> tuple[str, ...]:
    reasons = [rust.reason, *linking.reasons]
    if is_added:
        reasons.append(f"rustup adds the standard library of {linking.triple}")
    is_aarch64_zig = linking.linker == "zig" and linking.triple == "aarch64-unknown-linux-gnu"
    is_new_rust = rust.version is not None and rust.version >= (1, 98)
    if is_aarch64_zig and is_new_rust and _has_old_zigbuild(settings, project):
        reasons.append(
            "warning: with Rust 1.98 and later, a maturin before 1.14.1 fails to link by zig for "
            "aarch64 (unsupported linker arg: --fix-cortex-a53-843419)"
        )
    return tuple(reasons)


def _has_old_zigbuild(settings: Settings, project: Project) -> bool:
    """Whether the maturin in use will be older than 1.14.1, whose cargo-zigbuild is 0.23.0."""
    if settings.maturin == "auto":
        return _admits_only_old_maturin(project.maturin_requirement or "")
    return _admits_only_old_maturin(f"=={settings.maturin}")


@lru_cache(maxsize=16)
def _admits_only_old_maturin(requirement: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    try:
        admitted = SpecifierSet(requirement)
    except InvalidSpecifier:
        return False
    # A set of specifiers changes its answer at the versions that it names only.
    named = [Version(one.version.removesuffix(".*")) for one in admitted]
    steps = [Version(f"{version.base_version}.1") for version in named]
    first_good = Version("1.14.1")
    candidates = [first_good, Version("1.999"), *named, *steps]
    return not any(admitted.contains(one) for one in candidates if one >= first_good)
