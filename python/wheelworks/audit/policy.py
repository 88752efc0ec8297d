"""Platform policies as data: what a manylinux or musllinux wheel may need from the system.

Takes auditwheel's policies from ``resources/policies``; gives frozen values ordered by age. Does
not know wheels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.audit.platforms import Platform

#: musl's loader is also its libc, named after the machine; auditwheel's file says ``libc.so``.
_MUSL_LOADER_ARCHES = {"i686": "x86", "armv7l": "armv7"}


class _PolicyRow(TypedDict):
    name: str
    aliases: list[str]
    priority: int
    symbol_versions: dict[str, dict[str, list[str]]]
    lib_whitelist: list[str]
    blacklist: dict[str, list[str]]


class _PolicyFile(TypedDict):
    source: str
    license: str
    policies: list[_PolicyRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What wheels of one platform tag may expect of the system, on one architecture."""

    name: str
    """``manylinux_2_17`` or ``musllinux_1_2``."""
    version: tuple[int, int]
    """The glibc or musl version of the name."""
    arch: str
    symbol_versions: Mapping[str, frozenset[str]]
    """Prefix of symbol versions -> versions there: ``GLIBC`` -> ``2.2.5``, ``2.17``."""
    libraries: frozenset[str]
    """Libraries that every such system has."""
    blacklist: Mapping[str, frozenset[str]]
    """Library -> symbols of it that are private."""

    @property
    def title(self) -> str:
        """The name that people use: ``manylinux2014`` for ``manylinux_2_17``."""
        return _TITLES.get(self.name, self.name)

    def allows_version(self, symbol_version: str) -> bool:
        """Whether the system has a symbol version such as ``GLIBC_2.14``.

        Prefixes that the policy does not list belong to libraries that it does not govern; they
        are allowed here, as auditwheel does, and the library itself is checked by name.
        """
        prefix, _, version = symbol_version.partition("_")
        allowed = self.symbol_versions.get(prefix)
        if allowed is None or version in allowed:
            return True
        number = _numbers(version)
        if prefix != "GLIBC" or number is None:
            return False
        # Policies between two listed ones (manylinux_2_32) hold more glibc versions than the list.
        return _newest(allowed) < number <= self.version

    def newest_allowed(self, prefix: str) -> str:
        """The newest version that the policy has of a prefix: ``2.17`` of ``GLIBC``."""
        versions = self.symbol_versions.get(prefix, frozenset())
        return max(versions, key=lambda v: _numbers(v) or (), default="none")


_TITLES = {
    "manylinux_2_5": "manylinux1",
    "manylinux_2_12": "manylinux2010",
    "manylinux_2_17": "manylinux2014",
}


def policies_of(system: str, arch: str) -> tuple[Policy, ...]:
    """The policies of an architecture, the one that runs on the oldest systems first.

    Args:
        system: ``manylinux`` or ``musllinux``.
        arch: ``x86_64``, ``aarch64`` and so on; one that has no policies gives none.
    """
    rows = (row for row in _rows(system) if arch in row["symbol_versions"])
    policies = (_policy(row, system, arch) for row in rows)
    return tuple(sorted(policies, key=lambda policy: policy.version))


def policy_for(platform: Platform) -> Policy | None:
    """The policy that a wheel of the platform is held to.

    A level that auditwheel has no policy for is held to the nearest older one with its own glibc
    version. None when there is none: another system, an unknown architecture, or a level older
    than every policy of the architecture.
    """
    if platform.version is None or platform.system not in ("manylinux", "musllinux"):
        return None
    known = policies_of(platform.system, platform.arch)
    older = [policy for policy in known if policy.version <= platform.version]
    if not older:
        return None
    nearest = older[-1]
    if nearest.version == platform.version:
        return nearest
    return Policy(
        name=platform.policy,
        version=platform.version,
        arch=nearest.arch,
        symbol_versions=nearest.symbol_versions,
        libraries=nearest.libraries,
        blacklist=nearest.blacklist,
    )


@cache
def _rows(system: str) -> tuple[_PolicyRow, ...]:
    """The rows of a policy file without ``linux``, which allows everything."""
    resource = files("wheelworks") / "resources" / "policies" / f"{system}.json"
    document: _PolicyFile = json.loads(resource.read_text(encoding="utf-8"))
    return tuple(row for row in document["policies"] if row["name"] != "linux")


def _policy(row: _PolicyRow, system: str, arch: str) -> Policy:
    """One row for one architecture."""
    _, major, minor = row["name"].split("_")
    libraries = set(row["lib_whitelist"])
    if system == "musllinux":
        libraries.add(f"libc.musl-{_MUSL_LOADER_ARCHES.get(arch, arch)}.so.1")
    versions = row["symbol_versions"][arch]
    return Policy(
        name=row["name"],
        version=(int(major), int(minor)),
        arch=arch,
        symbol_versions={prefix: frozenset(known) for prefix, known in versions.items()},
        libraries=frozenset(libraries),
        blacklist={library: frozenset(names) for library, names in row["blacklist"].items()},
    )


def _numbers(version: str) -> tuple[int, ...] | None:
    """``2.3.4`` -> (2, 3, 4); None for words (``PRIVATE``)."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else None


def _newest(versions: frozenset[str]) -> tuple[int, ...]:
    """The highest of the versions that are numbers."""
    return max((_numbers(version) or () for version in versions), default=())
