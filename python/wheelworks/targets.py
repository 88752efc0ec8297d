"""Targets of wheels: target name <-> Rust triples <-> platform tags <-> OCI platform.

Takes names and the table ``resources/targets.toml``; gives frozen values. Does not know
this machine. Names are cibuildwheel's and PyPI's.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast

from wheelworks._targets_table import targets_table

if TYPE_CHECKING:
    from collections.abc import Mapping

TargetSystem = Literal["manylinux", "musllinux", "macosx", "win"]

#: The numbers behind the names that manylinux had before PEP 600.
_LEGACY_GLIBC = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_NUMBERED = re.compile(r"(?P<system>manylinux|musllinux|macosx)_(?P<major>\d+)_(?P<minor>\d+)")
_WITH_ARCH = re.compile(
    r"(?P<level>manylinux(?:1|20\d\d|_\d+_\d+)|musllinux_\d+_\d+|macosx_\d+_\d+)_(?P<arch>\D\w*)"
)
_BARE = re.compile(r"20\d\d|\d+_\d+")
#: Words of another naming scheme, which a comparison of letters would lead astray.
_COMMON_SLIPS = {
    "macosx_aarch64": "macosx_arm64",
    "win_x86_64": "win_amd64",
    "win_aarch64": "win_arm64",
    "win_i686": "win32",
    "win_x86": "win32",
}
_RUST_GLIBC_REASON = "Rust needs glibc 2.17 since its version 1.64"
_RUST_MUSL_REASON = "Rust's musl is 1.2 since its version 1.71"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A platform a wheel is for."""

    name: str
    """``manylinux_x86_64``"""
    system: TargetSystem
    arch: str
    """As in the name: ``x86_64``, ``aarch64``, ``universal2``, ``amd64``, ``win32`` is ``x86``."""
    triples: tuple[str, ...]
    """One Rust target triple; of ``macosx_universal2`` two, x86_64 first."""
    windows_gnu_triple: str | None
    """The mingw triple for a build from another system; None elsewhere or where Rust has none."""
    oci_platform: str | None
    """``linux/arm64``; None for macOS and Windows."""
    default_policy: str
    """The lowest level that Rust supports on the triple: ``manylinux2014``, ``manylinux_2_31``,
    ``musllinux_1_2``, ``macosx_10_12``, ``win``."""
    minimum_macos: tuple[tuple[str, str], ...]
    """Rust's deployment floor per architecture: ``(("x86_64", "10.12"), ("arm64", "11.0"))``."""
    zig_links: bool
    """Whether cargo-zigbuild can link for it (not s390x)."""
    has_pypy: bool = False
    """Whether PyPy is published for it."""


@lru_cache(maxsize=1)
def all_targets() -> tuple[Target, ...]:
    """Every target, in the table's order. Reads the package's own table once."""
    return tuple(
        Target(
            name=row["name"],
            system=row["system"],
            arch=row["arch"],
            triples=tuple(row["triples"]),
            windows_gnu_triple=row.get("windows-gnu"),
            oci_platform=row.get("oci"),
            default_policy=row["policy"],
            minimum_macos=tuple(row.get("minimum-macos", {}).items()),
            zig_links=row.get("zig-links", True),
            has_pypy=row.get("pypy", False),
        )
        for row in targets_table()["target"]
    )


@lru_cache(maxsize=1)
def _targets_by_name() -> Mapping[str, Target]:
    return {target.name: target for target in all_targets()}


@lru_cache(maxsize=1)
def _levels() -> Mapping[str, tuple[str, ...]]:
    """The known levels of manylinux and musllinux, lowest first."""
    return {system: tuple(names) for system, names in targets_table()["levels"].items()}


def target_named(name: str) -> Target:
    """The target of that name.

    Raises:
        ValueError: no such target; the message offers the nearest name, or the reason
            (``linux_x86_64``).
    """
    found = _targets_by_name().get(name)
    if found is None:
        raise ValueError(f"{name!r} is no target{_what_to_write(name)}")
    return found


def _what_to_write(name: str) -> str:
    """The end of the message about a name that is no target."""
    names = _targets_by_name()
    if f"many{name}" in names:
        return f": a plain linux tag promises no libc; write many{name} or musl{name}"
    for target in names.values():
        if name in (*target.triples, target.windows_gnu_triple):
            return f" but a Rust target triple; write {target.name}"
    if with_arch := _WITH_ARCH.fullmatch(name):
        plain = f"{re.split('[_0-9]', name, maxsplit=1)[0]}_{with_arch['arch']}"
        if plain in names:
            return (
                f" but a platform tag; write {plain}, with compatibility = {with_arch['level']!r}"
            )
    slip = _COMMON_SLIPS.get(name)
    near = [slip] if slip else difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"


def resolve_policy(target: Target, compatibility: str) -> str:
    """The platform tag policy that a wheel of the target is built for and held to.

    Args:
        target: the wheel's target.
        compatibility: ``auto``, or a level such as ``manylinux2014``, ``manylinux_2_28``,
            ``musllinux_1_2``, ``macosx_11_0``.

    Returns:
        The level under its most used name: ``manylinux_2_17`` gives ``manylinux2014``.

    Raises:
        ValueError: the level is unknown, below Rust's floor (``manylinux2010``), or of another
            system.
    """
    if compatibility in ("auto", target.default_policy):
        return target.default_policy
    system = system_of_policy(compatibility)
    level = "manylinux2014" if compatibility == "manylinux_2_17" else compatibility
    if system != target.system:
        raise ValueError(
            f"{level} is a level of {system} and can't serve {target.name}; write auto"
        )
    if system == "macosx":
        _refuse_macos_version(target, level)
        return level
    known = _levels()[system]
    if level not in known:
        raise ValueError(
            f"{level} is unknown to maturin or auditwheel; {system} has {', '.join(known)}"
        )
    if known.index(level) < known.index(target.default_policy):
        raise ValueError(
            f"{level} is below the lowest level of Rust on {target.triples[0]}, "
            f"{target.default_policy}"
        )
    return level


def system_of_policy(policy: str) -> TargetSystem:
    """The system that a level belongs to; what ``auto`` belongs to can't be said.

    Raises:
        ValueError: not a level, or one below what Rust supports anywhere; the message has the
            reason and what to write.
    """
    if policy == "win":
        return "win"
    numbered = _NUMBERED.fullmatch(policy)
    if numbered is None and policy not in _LEGACY_GLIBC:
        raise ValueError(f"{policy!r} is no level{_which_level_to_write(policy)}")
    glibc = glibc_floor(policy)
    if glibc is not None and glibc < (2, 17):
        raise ValueError(f"{policy} can't be had: {_RUST_GLIBC_REASON}; write manylinux2014")
    if numbered is None:
        return "manylinux"
    if numbered["system"] == "musllinux" and _version(numbered) < (1, 2):
        raise ValueError(f"{policy} can't be had: {_RUST_MUSL_REASON}; write musllinux_1_2")
    return cast("TargetSystem", numbered["system"])


def _which_level_to_write(policy: str) -> str:
    """The end of the message about text that is no level."""
    if with_arch := _WITH_ARCH.fullmatch(policy):
        return f"; write {with_arch['level']}, the architecture is the target's"
    if _BARE.fullmatch(policy):
        return f"; write manylinux{policy if policy.startswith('20') else '_' + policy}"
    if policy in ("linux", "off"):
        return ": a plain linux tag promises no libc; write auto"
    if policy == "pypi":
        return ": every wheel here is held to PyPI's rules; write auto"
    levels = ("auto", *(level for known in _levels().values() for level in known))
    near = difflib.get_close_matches(policy, levels, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(levels)}"


def _refuse_macos_version(target: Target, policy: str) -> None:
    """Raise for a macOS version below Rust's floor, or one that PyPI knows no tag of."""
    numbered = _NUMBERED.fullmatch(policy)
    assert numbered is not None, f"BUG: {policy} was not checked"
    version = _version(numbered)
    floor = min(_parse_version(text) for _, text in target.minimum_macos)
    if version < floor:
        raise ValueError(
            f"{policy} is below the lowest macOS of Rust on {target.name}, {target.default_policy}"
        )
    if version >= (11, 0) and version[1] != 0:
        raise ValueError(f"{policy} is no tag that pip knows; write macosx_{version[0]}_0")


def glibc_floor(policy: str) -> tuple[int, int] | None:
    """``manylinux2014`` -> (2, 17); None for a policy that is no manylinux one."""
    if policy in _LEGACY_GLIBC:
        return _LEGACY_GLIBC[policy]
    numbered = _NUMBERED.fullmatch(policy)
    if numbered is None or numbered["system"] != "manylinux":
        return None
    return _version(numbered)


def deployment_targets(target: Target, policy: str) -> tuple[tuple[str, str], ...]:
    """The oldest macOS per architecture that a wheel of the policy may need.

    Args:
        target: the wheel's target.
        policy: what :func:`resolve_policy` gave.

    Returns:
        ``(("x86_64", "10.12"), ("arm64", "11.0"))``: the policy's version, but none below Rust's
        floor for the architecture; empty for other systems.
    """
    numbered = _NUMBERED.fullmatch(policy)
    if numbered is None or numbered["system"] != "macosx":
        return ()
    wanted = _version(numbered)
    versions = [(arch, max(wanted, _parse_version(text))) for arch, text in target.minimum_macos]
    return tuple((arch, f"{major}.{minor}") for arch, (major, minor) in versions)


def platform_tags(target: Target, policy: str) -> tuple[str, ...]:
    """The platform tags that maturin writes into a wheel's name for the policy, in its order.

    ``manylinux2014`` on x86_64 gives ``("manylinux_2_17_x86_64", "manylinux2014_x86_64")``.

    Args:
        target: the wheel's target.
        policy: what :func:`resolve_policy` gave.
    """
    if target.system == "win":
        return (target.name,)
    if target.system == "macosx":
        floors = deployment_targets(target, policy)
        tags = [f"macosx_{version.replace('.', '_')}_{arch}" for arch, version in floors]
        if target.arch == "universal2":
            tags.append(tags[0].replace("x86_64", "universal2"))
        return tuple(tags)
    if policy in _LEGACY_GLIBC:
        major, minor = _LEGACY_GLIBC[policy]
        return (f"manylinux_{major}_{minor}_{target.arch}", f"{policy}_{target.arch}")
    return (f"{policy}_{target.arch}",)


def _version(numbered: re.Match[str]) -> tuple[int, int]:
    return int(numbered["major"]), int(numbered["minor"])


def _parse_version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)
