"""Platform tags of wheels as values.

Takes the platform part of a wheel's tag, gives a frozen value. Does not know which targets this
project builds: the audit reads wheels of anybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

PlatformSystem = Literal["manylinux", "musllinux", "linux", "macosx", "win", "any", "other"]

#: PEP 600: the older names are aliases of a glibc version.
_LEGACY_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_LEGACY = re.compile(r"(manylinux1|manylinux2010|manylinux2014)_(\w+)")
_VERSIONED = re.compile(r"([a-z]+)_(\d+)_(\d+)_(\w+)")
_VERSIONED_SYSTEMS: dict[str, PlatformSystem] = {
    "manylinux": "manylinux",
    "musllinux": "musllinux",
    "macosx": "macosx",
}
#: Architecture of a Windows tag -> as ``binary_facts`` names it.
_WINDOWS_ARCHES = {"win32": "i686", "win_amd64": "x86_64", "win_arm64": "arm64"}
#: What PyPI takes (its upload code, 2026-08).
_PYPI_LINUX_ARCHES = frozenset(
    {"x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64", "ppc64"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One platform tag, taken apart."""

    tag: str
    """``manylinux_2_17_x86_64``, as written."""
    system: PlatformSystem
    version: tuple[int, int] | None
    """glibc, musl or macOS version that it promises to run on."""
    arch: str
    """As in ``BinaryFacts.arch``: ``x86_64``, ``aarch64``, ``universal2``; empty for ``any``."""

    @property
    def policy(self) -> str:
        """The tag without the architecture, as messages name it: ``manylinux2014``."""
        return self.tag.removesuffix("_" + self.arch)

    @property
    def refusal(self) -> str | None:
        """Why PyPI refuses the tag; None when it takes it."""
        if self.system == "linux":
            return "PyPI refuses plain linux tags: they promise nothing about the libc"
        if self.system in ("manylinux", "musllinux") and self.arch not in _PYPI_LINUX_ARCHES:
            return f"PyPI has no {self.system} wheels for {self.arch}"
        if self.system == "macosx" and self.version is not None:
            major, minor = self.version
            if major >= 11 and minor != 0:
                return f"macOS tags since 11 end in _0, this one says {major}_{minor}"
        if self.system == "other":
            return "PyPI does not know this platform"
        return None


def parse_platform(tag: str) -> Platform:
    """The platform that a tag names; system ``other`` when it is none that wheels are audited for.

    Args:
        tag: ``manylinux2014_x86_64``, ``macosx_11_0_arm64``, ``win32``, ``any``.
    """
    if tag == "any":
        return Platform(tag=tag, system="any", version=None, arch="")
    if tag in _WINDOWS_ARCHES:
        return Platform(tag=tag, system="win", version=None, arch=_WINDOWS_ARCHES[tag])
    if legacy := _LEGACY.fullmatch(tag):
        name, arch = legacy.groups()
        return Platform(tag=tag, system="manylinux", version=_LEGACY_MANYLINUX[name], arch=arch)
    versioned = _VERSIONED.fullmatch(tag)
    if versioned and (system := _VERSIONED_SYSTEMS.get(versioned[1])):
        version = (int(versioned[2]), int(versioned[3]))
        return Platform(tag=tag, system=system, version=version, arch=versioned[4])
    if tag.startswith("linux_"):
        return Platform(tag=tag, system="linux", version=None, arch=tag.removeprefix("linux_"))
    return Platform(tag=tag, system="other", version=None, arch="")
