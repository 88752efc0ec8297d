"""Which rustc compiles a project here, or what stands in the way.

Takes RustFacts, the project's wishes and the settings; gives a frozen choice. Probes nothing and
does not know targets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheelworks.config.settings import Settings
    from wheelworks.project import Project
    from wheelworks.toolchains import RustFacts

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_SERIES = re.compile(r"\d+\.\d+")
_ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What stands in the way of a build here."""

    reason: str
    """Says what is missing, as a fragment."""
    cure: str | None
    """The command or option that mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RustChoice:
    """The Rust toolchain that compiles a project."""

    label: str
    """For messages: ``rustc 1.95.0``, ``Rust nightly``."""
    version: tuple[int, ...] | None
    """None where it shows only once the toolchain runs (another channel than the probed one)."""
    toolchain: str | None
    """Value for RUSTUP_TOOLCHAIN; None to leave rustup's own choice."""
    toolchain_to_install: str | None
    standard_libraries: tuple[str, ...] | None
    """Triples whose standard library it has; None where that was not probed."""
    reason: str
    exact_version: str | None = None
    """The version in full, with the patch number; None where it was not probed."""


def choose_rust(project: Project, settings: Settings, rust: RustFacts) -> RustChoice | Obstacle:
    """The Rust toolchain for the project, as ``settings.rust`` asks.

    ``auto`` respects rust-toolchain.toml, ``any`` takes the probed toolchain whatever the project
    asks for, anything else is a version or channel that overrides the project's.

    Args:
        project: for the channel of its rust-toolchain.toml and its MSRV.
        settings: for the option ``rust``.
        rust: facts of the toolchain that a build in the project would use.

    Returns:
        The choice, or the obstacle when the version can't be had here or is below the MSRV.
    """
    if settings.rust == _ANY:
        choice: RustChoice | Obstacle = _probed(rust, _why_any(project), toolchain=rust.toolchain)
    elif settings.rust != "auto":
        choice = _wanted(rust, settings.rust, asker=f'rust = "{settings.rust}"', is_ours=True)
    elif project.rust_toolchain is not None:
        asker = "rust-toolchain.toml"
        choice = _wanted(rust, project.rust_toolchain, asker=asker, is_ours=False)
    else:
        choice = _probed(rust, "the project asks for no Rust version", toolchain=None)
    if isinstance(choice, Obstacle):
        return choice
    return _below_msrv(choice, project, settings) or choice


def release_of(text: str) -> tuple[int, int, int] | None:
    """``1.95.0-nightly`` -> (1, 95, 0); None for a channel without a number."""
    found = _VERSION.match(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _probed(rust: RustFacts, reason: str, *, toolchain: str | None) -> RustChoice:
    """The toolchain that the facts describe."""
    named = f" ({rust.toolchain})" if rust.toolchain else ""
    return RustChoice(
        label=f"rustc {rust.rustc.version}",
        version=release_of(rust.rustc.version),
        toolchain=toolchain,
        toolchain_to_install=None,
        standard_libraries=rust.targets,
        reason=f"rustc {rust.rustc.version}{named}: {reason}",
        exact_version=rust.rustc.version,
    )


def _why_any(project: Project) -> str:
    if project.rust_toolchain is None:
        return 'rust = "any"'
    return f'rust = "any", although rust-toolchain.toml asks for {project.rust_toolchain}'


def _wanted(rust: RustFacts, wanted: str, *, asker: str, is_ours: bool) -> RustChoice | Obstacle:
    """The toolchain of that version or channel.

    Args:
        rust: facts of the probed toolchain, which may be another one.
        wanted: ``1.90.0``, ``stable``, ``nightly-2026-01-01``.
        asker: who wants it, for messages.
        is_ours: whether the wish is our option, which rustup must be told of; a project's file
            it reads itself.
    """
    names = (wanted, f"{wanted}-{rust.host_triple}")
    told = wanted if is_ours and rust.rustup is not None else None
    if rust.toolchain in names:
        return _probed(rust, f"{asker} asks for {wanted}", toolchain=told)
    if _is_same_release(rust, wanted):
        # Under another name (stable, the distribution's), and rustup would look for the version.
        return _probed(rust, f"{asker} asks for {wanted}", toolchain=rust.toolchain)
    is_installed = any(name in rust.installed_toolchains for name in names)
    if not is_installed and not (rust.rustup and rust.can_add_targets):
        return _not_to_be_had(rust, wanted, asker)
    return RustChoice(
        label=f"Rust {wanted}",
        # Of a series rustup takes the latest patch release, which is no lower than any MSRV in it.
        version=release_of(f"{wanted}.999" if _is_series(wanted) else wanted),
        toolchain=told,
        toolchain_to_install=None if is_installed else wanted,
        standard_libraries=None if is_installed else (rust.host_triple,),
        reason=f"Rust {wanted}: {asker} asks for it" + ("" if is_installed else ", rustup adds it"),
        exact_version=wanted if release_of(wanted) and not _is_series(wanted) else None,
    )


def _is_same_release(rust: RustFacts, wanted: str) -> bool:
    """Whether the probed rustc is the wanted version; ``1.85`` is any 1.85.x."""
    version = rust.rustc.version
    if release_of(wanted) is not None:
        return version == wanted or (_is_series(wanted) and version.startswith(f"{wanted}."))
    # A distribution's rustc is a stable release, and its cargo reads no rust-toolchain.toml.
    return wanted == "stable" and rust.toolchain is None and "-" not in version


def _is_series(wanted: str) -> bool:
    """Whether it is a version without a patch number: ``1.85``."""
    return _SERIES.fullmatch(wanted) is not None


def _not_to_be_had(rust: RustFacts, wanted: str, asker: str) -> Obstacle:
    take_any = 'rust = "any" in [tool.wheelworks] takes the Rust that is here'
    if rust.rustup is None:
        return Obstacle(
            reason=f"{asker} asks for Rust {wanted}, and rustc {rust.rustc.version} here "
            "does not come from rustup, which could provide it",
            cure=f"install Rust through rustup; or {take_any}",
        )
    why = rust.cannot_add_reason or "rustup can add nothing here"
    return Obstacle(
        reason=f"{asker} asks for Rust {wanted}, which is not installed, and {why}",
        cure=f"rustup toolchain install {wanted}; or {take_any}",
    )


def _below_msrv(choice: RustChoice, project: Project, settings: Settings) -> Obstacle | None:
    floor = release_of(project.rust_version or "")
    if floor is None or choice.version is None or choice.version >= floor:
        return None
    if settings.rust not in ("auto", _ANY):
        cure = f'write rust = "{project.rust_version}" or a later version'
    elif settings.rust == "auto" and project.rust_toolchain is not None:
        cure = f"name {project.rust_version} or a later version in rust-toolchain.toml"
    else:
        cure = "rustup update stable; or install a newer Rust through rustup"
    return Obstacle(
        reason=f"{choice.label} is older than {project.rust_version}, "
        f"the rust-version of {project.name}",
        cure=cure,
    )
