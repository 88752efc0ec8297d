"""Targets of wheels: target name <-> Rust triples <-> platform tags <-> OCI platform.

Takes names and the table ``resources/targets.toml``; gives frozen values. Does not know
this machine. Names are cibuildwheel's and PyPI's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TargetSystem = Literal["manylinux", "musllinux", "macosx", "win"]


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
    """The mingw triple for a cross build from another system; None elsewhere or where Rust has none."""
    oci_platform: str | None
    """``linux/arm64``; None for macOS and Windows."""
    default_policy: str
    """The lowest level that Rust supports on the triple: ``manylinux2014``, ``manylinux_2_31``,
    ``musllinux_1_2``, ``macosx_10_12``, ``win``."""
    minimum_macos: tuple[tuple[str, str], ...]
    """Rust's deployment floor per architecture: ``(("x86_64", "10.12"), ("arm64", "11.0"))``."""
    zig_links: bool
    """Whether cargo-zigbuild can link for it (not s390x)."""


def all_targets() -> tuple[Target, ...]:
    """Every target, in the table's order."""
    raise NotImplementedError


def target_named(name: str) -> Target:
    """The target of that name.

    Raises:
        ValueError: no such target; the message offers the nearest name, or the reason (``linux_x86_64``).
    """
    raise NotImplementedError


def resolve_policy(target: Target, compatibility: str) -> str:
    """The platform tag policy that a wheel of the target is built for and held to.

    Args:
        target: the wheel's target.
        compatibility: ``auto``, or a level such as ``manylinux2014``, ``manylinux_2_28``, ``musllinux_1_2``.

    Raises:
        ValueError: the level is unknown, below Rust's floor (``manylinux2010``), or of another system.
    """
    raise NotImplementedError


def glibc_floor(policy: str) -> tuple[int, int] | None:
    """``manylinux2014`` -> (2, 17); None for a policy that is no manylinux one."""
    raise NotImplementedError


def platform_tags(target: Target, policy: str) -> tuple[str, ...]:
    """The platform tags that maturin writes into a wheel's name for the policy, in its order.

    ``manylinux2014`` on x86_64 gives ``("manylinux_2_17_x86_64", "manylinux2014_x86_64")``.
    """
    raise NotImplementedError
