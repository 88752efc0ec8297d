"""Which crates of a lock file link Apple's frameworks, so that a build for macOS needs the SDK.

Pure: takes the text of a Cargo.lock and the project's own manifests; gives names. Does not know features of
crates from a registry: the lock file holds what all features of the workspace together switch on.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.config.toml_values import text_at, texts_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelworks.config.cargo import Manifest
    from wheelworks.config.features import Activation

#: Crates with ``#[link(kind = "framework")]``, or that link libobjc, of which zig has no stub either; crates that only
#: wrap one of these are found through it.
LINKING_CRATES = frozenset(
    {
        "cocoa-foundation", "core-foundation-sys", "core-graphics", "core-graphics-types", "core-text",
        "coreaudio-sys", "coremidi-sys", "core-video-sys", "fsevent-sys", "io-kit-sys", "metal", "objc", "objc-sys",
        "objc2", "objc2-app-kit", "objc2-core-foundation", "objc2-core-graphics", "objc2-core-services",
        "objc2-foundation", "objc2-io-kit", "objc2-metal", "objc2-open-directory", "objc2-security",
        "objc2-system-configuration", "security-framework-sys", "system-configuration-sys",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkCrates:
    """The crates found, by name."""

    needed: tuple[str, ...] = ()
    """By every build for macOS."""
    optional: tuple[str, ...] = ()
    """Perhaps: a feature that is off may be what brings them."""


def framework_crates(
    lock: str, manifests: Mapping[Path, Manifest], activation: Activation
) -> FrameworkCrates:
    """The crates that link frameworks and that what is compiled leads to.

    Certain is a chain of dependencies that nothing else has a hand in: a crate that tests, build scripts, another
    member of the workspace or a switched-off feature use too may owe them the features that bring the next one.

    Args:
        lock: the text of Cargo.lock; one that can't be read is cargo's to refuse.
        manifests: every crate from the project's own files, by folder.
        activation: what of them is compiled, with which features.
    """
    # Reading hundreds of packages takes longer than all else here, and most projects have none of these.
    if not any(f'"{name}"' in lock for name in LINKING_CRATES):
        return FrameworkCrates()
    try:
        document = tomllib.loads(lock)
    except (tomllib.TOMLDecodeError, RecursionError):
        return FrameworkCrates()
    graph = _graph(document)
    needed = frozenset(activation.registry_features)
    shared = _reached(graph, _other_roots(manifests, activation))
    certainly = _reached(graph, needed, ends=shared) & LINKING_CRATES
    perhaps = (_reached(graph, needed) & LINKING_CRATES) - certainly
    return FrameworkCrates(needed=tuple(sorted(certainly)), optional=tuple(sorted(perhaps)))


def _other_roots(manifests: Mapping[Path, Manifest], activation: Activation) -> frozenset[str]:
    """Dependencies that the lock file is made for besides those that are compiled."""
    found: set[str] = set()
    for folder, manifest in manifests.items():
        is_compiled = folder in activation.crates
        packages: dict[str, str] = {}
        for dependency in manifest.dependencies:
            name = dependency.package
            packages[dependency.alias] = name
            is_on = name in activation.registry_features or dependency.path is not None
            if not is_compiled or dependency.kind != "normal" or not is_on:
                found.add(name)
        for entry in (entry for listed in manifest.features.values() for entry in listed):
            alias, slash, feature = entry.partition("/")
            name = packages.get(alias.removesuffix("?"), "")
            if slash and feature not in activation.registry_features.get(name, ()):
                found.add(name)
    return frozenset(found)


def _graph(document: Mapping[str, object]) -> Mapping[str, frozenset[str]]:
    """Package -> the packages that it depends on, versions of one name taken together."""
    found: dict[str, frozenset[str]] = {}
    packages = document.get("package")
    for package in packages if isinstance(packages, list) else ():
        name = text_at(package, "name")
        if name is not None:
            # ``name``, or ``name version (source)`` where there are several.
            names = frozenset(text.partition(" ")[0] for text in texts_at(package, "dependencies"))
            found[name] = found.get(name, frozenset()) | names
    return found


def _reached(
    graph: Mapping[str, frozenset[str]],
    roots: frozenset[str],
    *,
    ends: frozenset[str] = frozenset(),
) -> frozenset[str]:
    """The packages that the roots lead to, they too; from one of the ends no chain goes on."""
    seen: set[str] = set()
    work = list(roots)
    while work:
        name = work.pop()
        if name not in seen:
            seen.add(name)
            work += () if name in ends else graph.get(name, ())
    return frozenset(seen)
