"""What links a wheel's triples on a host, or what stands in the way.

Takes a target, its policy, the project and HostFacts; gives frozen values. Does not know rustc's
version rules, nor whether a standard library is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, assert_never

from wheelworks.rust_choice import Obstacle
from wheelworks.targets import glibc_floor

if TYPE_CHECKING:
    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts

LinkerChoice = Literal["system", "zig", "mingw", "xwin"]

_IMPORT_LIB_FEATURES = ("generate-import-lib", "generate-abi3-import-lib")
_RAW_DYLIB_RELEASE = (0, 29, 0)
_CLAUSE = re.compile(
    r"(?P<operator>[~^=]|[<>]=?)?\s*(?P<numbers>\d+(?:\.\d+){0,2})(?:\.\*)*(?:[-+].*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """How one Rust triple is linked."""

    triple: str
    linker: LinkerChoice
    reasons: tuple[str, ...]


def choose_linking(
    cell: Cell, project: Project, host: HostFacts, *, accepts_licence: bool = False
) -> tuple[Linking, ...] | Obstacle:
    """The linker for each triple of the cell's target, or what stands in the way.

    Args:
        cell: for its target, its policy and its features.
        project: for its PyO3 and the frameworks that its crates link.
        host: the machine, or what ``container_choice.inside`` says of an image.
        accepts_licence: whether the option ``accept-microsoft-licence`` is set.
    """
    system = cell.target.system
    match system:
        case "manylinux" | "musllinux":
            return _linux(cell, host)
        case "macosx":
            return _macos(cell, project, host)
        case "win":
            return _windows(cell, project, host, accepts_licence=accepts_licence)
        case unreachable:
            assert_never(unreachable)


def _linux(cell: Cell, host: HostFacts) -> tuple[Linking, ...] | Obstacle:
    (triple,) = cell.target.triples
    floor = glibc_floor(cell.policy)
    if cell.target.zig_links:
        libc = f"glibc {floor[0]}.{floor[1]}" if floor else "musl"
        reason = f"zig links with {libc}, as {cell.policy} asks"
        return (Linking(triple=triple, linker="zig", reasons=(reason,)),)
    if host.system != "linux" or host.machine != cell.target.arch:
        return Obstacle(
            reason=f"zig can't link for {cell.target.arch}, and this machine is no such Linux",
            cure=f"build it on a {cell.target.arch} machine",
        )
    wanted = "glibc" if floor else "musl"
    if host.libc != wanted:
        return Obstacle(
            reason=f"zig can't link for {cell.target.arch}, and this Linux has no {wanted}",
            cure=None,
        )
    if floor and (host.libc_version is None or host.libc_version > floor):
        here = ".".join(map(str, host.libc_version)) if host.libc_version else "of unknown version"
        return Obstacle(
            reason=f"zig can't link for {cell.target.arch}, and the glibc {here} of this machine "
            f"is newer than {cell.policy} allows",
            cure="compatibility = a level that this machine's glibc satisfies",
        )
    reason = f"the system's linker, because zig can't link for {cell.target.arch}"
    return (Linking(triple=triple, linker="system", reasons=(reason,)),)


def _macos(cell: Cell, project: Project, host: HostFacts) -> tuple[Linking, ...] | Obstacle:
    linker: LinkerChoice = "system"
    crates = ", ".join(project.framework_crates)
    if host.system == "macos":
        if host.macos_sdk is None:
            return Obstacle(
                reason="there is no macOS SDK: xcrun finds none", cure="xcode-select --install"
            )
        reason = f"Apple's linker with the SDK {host.macos_sdk}"
    elif host.macos_sdk is not None:
        linker, reason = "zig", f"zig links with the macOS SDK {host.macos_sdk}"
    elif crates:
        return Obstacle(
            reason=f"Apple's frameworks are linked by {crates}, and zig has none without a macOS SDK",
            cure="set SDKROOT to the folder of a macOS SDK, or build it on a Mac",
        )
    else:
        linker = "zig"
        reason = (
            "zig links without a macOS SDK; a crate that links Apple's frameworks needs SDKROOT"
        )
        if project.optional_framework_crates:
            some = ", ".join(project.optional_framework_crates)
            reason = f"warning: {reason}, as {some} does where a feature turns it on"
    return tuple(
        Linking(triple=triple, linker=linker, reasons=(reason,)) for triple in cell.target.triples
    )


def _windows(
    cell: Cell, project: Project, host: HostFacts, *, accepts_licence: bool
) -> tuple[Linking, ...] | Obstacle:
    target = cell.target
    gnu = target.windows_gnu_triple
    if host.system == "windows":
        has_gnu_rust = host.rust is not None and host.rust.host_triple == gnu
        (msvc,) = target.triples
        triple = gnu if gnu is not None and has_gnu_rust else msvc
        toolset = "mingw-w64" if has_gnu_rust else "Microsoft's build tools"
        reason = f"{toolset} link, as this machine's Rust does"
        return (Linking(triple=triple, linker="system", reasons=(reason,)),)
    if cell.settings.windows_linker == "xwin":
        return _xwin(cell, accepts_licence=accepts_licence)
    if gnu is None:
        return Obstacle(
            reason=f"{target.name} needs Microsoft's linker and SDK, whose licence you must accept",
            cure='build it on Windows, or with windows-linker = "xwin" and '
            "accept-microsoft-licence = true",
        )
    old_pyo3 = _old_pyo3(cell, project)
    if isinstance(old_pyo3, Obstacle):
        return old_pyo3
    if gnu in dict(host.mingw):
        reason = f"mingw-w64 links for {gnu}, because there is no Microsoft linker here"
        return (Linking(triple=gnu, linker="mingw", reasons=(reason, *old_pyo3)),)
    cpu = gnu.partition("-")[0].replace("_", "-")
    install = f"install mingw-w64's gcc for {gnu.partition('-')[0]} (Debian: gcc-mingw-w64-{cpu})"
    if target.zig_links and "." in project.module_name:
        # The module definition that maturin 1.16.0 writes for zig exports the dotted name.
        return Obstacle(
            reason=f"no mingw-w64 for {gnu} was found, and with zig maturin can't export the "
            f"init function of a module within a package ({project.module_name})",
            cure=install,
        )
    if target.zig_links:
        reason = f"zig links for {gnu}, because no mingw-w64 was found"
        return (Linking(triple=gnu, linker="zig", reasons=(reason, *old_pyo3)),)
    return Obstacle(
        reason=f"no mingw-w64 for {gnu} was found, and zig can't link for it",
        cure=install,
    )


def _xwin(cell: Cell, *, accepts_licence: bool) -> tuple[Linking, ...] | Obstacle:
    """MSVC by cargo-xwin, which maturin holds; never without the user's word."""
    if not accepts_licence:
        return Obstacle(
            reason='windows-linker = "xwin" downloads Microsoft\'s headers and libraries, '
            "whose licence you have not accepted",
            cure="accept-microsoft-licence = true in [tool.wheelworks], or "
            'windows-linker = "mingw"',
        )
    (triple,) = cell.target.triples
    reason = f'cargo-xwin links for {triple}, because windows-linker = "xwin"'
    return (Linking(triple=triple, linker="xwin", reasons=(reason,)),)


def _old_pyo3(cell: Cell, project: Project) -> tuple[str, ...] | Obstacle:
    """What to say of a PyO3 that needs an import library where no Windows Python lies.

    PyO3 links Windows wheels by raw-dylib since 0.29; before, it had to be told to make an import
    library, and maturin refuses the cross build otherwise.
    """
    requirement = project.pyo3_requirement
    if requirement is None or not excludes_raw_dylib(requirement):
        return ()
    turned_on = (*(project.pyo3_features or ()), *cell.settings.features)
    if any(feature.rpartition("/")[2] in _IMPORT_LIB_FEATURES for feature in turned_on):
        return ()
    reason = f"PyO3 {requirement} needs its feature generate-import-lib to be built for Windows"
    if project.pyo3_features is None:
        return (f"{reason} here",)
    return Obstacle(
        reason=f"{reason} on another system, and {project.name} does not turn it on",
        cure="turn generate-import-lib of pyo3 on, or update PyO3 to 0.29",
    )


@lru_cache(maxsize=64)
def excludes_raw_dylib(requirement: str) -> bool:
    """Whether a Cargo requirement of PyO3 admits no release from 0.29 on.

    Args:
        requirement: ``0.28``, ``>=0.26, <0.29``, ``=0.28.1``; one that can't be read excludes
            nothing, because it is cargo's to refuse.
    """
    clauses = (_CLAUSE.fullmatch(part.strip()) for part in requirement.split(","))
    uppers = (_upper_bound(clause) for clause in clauses if clause)
    return any(upper is not None and upper <= _RAW_DYLIB_RELEASE for upper in uppers)


def _upper_bound(clause: re.Match[str]) -> tuple[int, ...] | None:
    """The first release that the clause leaves out, or None when it has no upper end."""
    numbers = tuple(int(number) for number in clause["numbers"].split("."))
    match clause["operator"]:
        case ">" | ">=":
            return None
        case "<":
            return _padded(numbers)
        case "<=" | "=":
            return _next(numbers)
        case "~":
            return _next(numbers[:2])
        case _:
            # Caret: up to the next change of the leftmost number that is not zero.
            leading = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
            return _next(numbers[: leading + 1])


def _next(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return _padded((*numbers[:-1], numbers[-1] + 1))


def _padded(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return (*numbers, 0, 0)[:3]
