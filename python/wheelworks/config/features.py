"""Cargo features that are on, and what follows from them: bindings and stable ABI.

Pure: takes the manifests of the crates that a project compiles from its own files, gives the
features that each dependency is compiled with. Does not know features of crates from a registry,
apart from the ``abi3`` ones of pyo3. Follows cargo's and maturin's own rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheelworks.config.pythons import lowest_minor
from wheelworks.python_versions import admits_python

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from wheelworks.config.cargo import Dependency, Manifest
    from wheelworks.config.pyproject import MaturinTable
    from wheelworks.project import Bindings

PYO3_CRATES = ("pyo3", "pyo3-ffi")
_STABLE = re.compile(r"(abi3t?)-py([0-9])([0-9]{1,3})")
#: What pyo3 takes a plain ``abi3`` for where nothing says more: its own oldest Python.
_OLDEST = (3, 7)
#: The first CPython with a stable ABI for its free-threaded build (PEP 803).
_OLDEST_FREE_THREADED = (3, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """What a build of a crate compiles."""

    crates: frozenset[Path]
    """Folders of the path crates, the crate itself among them."""
    registry_features: Mapping[str, frozenset[str]]
    """Name of every direct dependency from elsewhere -> features it is given."""
    requirements: Mapping[str, str]
    """Its version requirement, where one is written."""


@dataclass(slots=True)
class _Resolver:
    """Cargo's feature resolution over path crates, as a list of work that grows and shrinks."""

    manifests: Mapping[Path, Manifest]
    on: set[tuple[Path, str]] = field(default_factory=set)
    active: set[tuple[Path, str]] = field(default_factory=set)
    crates: set[Path] = field(default_factory=set)
    registry: dict[str, set[str]] = field(default_factory=dict)
    requirements: dict[str, str] = field(default_factory=dict)
    weak: set[tuple[Path, str, str]] = field(default_factory=set)
    work: list[tuple[Path, str]] = field(default_factory=list)

    def visit(self, folder: Path) -> None:
        """Take a crate in with every dependency that is not optional."""
        if folder in self.crates:
            return
        self.crates.add(folder)
        for dependency in self.manifests[folder].dependencies:
            if not dependency.optional and dependency.kind == "normal":
                self.activate(folder, dependency)

    def activate(self, folder: Path, dependency: Dependency) -> None:
        """Compile a dependency with the features that its line names."""
        self.active.add((folder, dependency.alias))
        default = ("default",) if dependency.default_features else ()
        for feature in (*default, *dependency.features):
            self.give(dependency, feature)
        if dependency.path is not None and dependency.path in self.manifests:
            self.visit(dependency.path)
            return
        self.registry.setdefault(dependency.package, set())
        if dependency.requirement is not None:
            self.requirements.setdefault(dependency.package, dependency.requirement)

    def give(self, dependency: Dependency, feature: str) -> None:
        """Switch a dependency's feature on."""
        if dependency.path is not None and dependency.path in self.manifests:
            self.work.append((dependency.path, feature))
        else:
            self.registry.setdefault(dependency.package, set()).add(feature)

    def switch_on(self, folder: Path, feature: str) -> None:
        """Switch a crate's feature on, in any of cargo's four spellings."""
        if (folder, feature) in self.on:
            return
        self.on.add((folder, feature))
        alias, slash, inner = feature.partition("/")
        if slash and alias.endswith("?"):
            self.weak.add((folder, alias[:-1], inner))
            return
        if not slash and not feature.startswith("dep:"):
            listed = self.manifests[folder].features.get(feature)
            self.work += [(folder, entry) for entry in listed or ()]
            if listed is not None:
                return
        elif slash and alias in self.manifests[folder].features:
            self.work.append((folder, alias))
        for dependency in self.named(folder, alias.removeprefix("dep:")):
            self.activate(folder, dependency)
            if slash:
                self.give(dependency, inner)

    def named(self, folder: Path, alias: str) -> Iterable[Dependency]:
        """The dependencies of that key; a crate can have one per kind and platform."""
        return (
            dependency
            for dependency in self.manifests[folder].dependencies
            if dependency.alias == alias and dependency.kind == "normal"
        )

    def run(self) -> None:
        """Work until nothing changes."""
        while self.work:
            self.switch_on(*self.work.pop())
            if not self.work:
                # `pyo3?/abi3` counts once something else has switched pyo3 on.
                ready = {entry for entry in self.weak if entry[:2] in self.active}
                self.weak -= ready
                self.work = [(folder, f"{alias}/{inner}") for folder, alias, inner in ready]


def activate(
    manifests: Mapping[Path, Manifest],
    root: Path,
    *,
    features: Iterable[str],
    default_features: bool = True,
    all_features: bool = False,
) -> Activation:
    """Resolve the features of a crate as cargo does.

    Args:
        manifests: the crate and the path crates it can reach, by folder.
        root: the crate's folder.
        features: what is asked for on the command line.
        default_features: whether ``default`` is on.
        all_features: whether everything is on.
    """
    resolver = _Resolver(manifests=manifests)
    resolver.visit(root)
    wanted = [*features, *(["default"] if default_features else [])]
    if all_features:
        manifest = manifests[root]
        optional = (item.alias for item in manifest.dependencies if item.optional)
        wanted += [*manifest.features, *optional]
    resolver.work += [(root, feature) for feature in wanted]
    resolver.run()
    return Activation(
        crates=frozenset(resolver.crates),
        registry_features={name: frozenset(on) for name, on in resolver.registry.items()},
        requirements=dict(resolver.requirements),
    )


def detect_bindings(
    activation: Activation, *, configured: Bindings | None, has_cdylib: bool, has_bin: bool
) -> Bindings | None:
    """The kind of bindings, by maturin's rules; None when it can't be told.

    Args:
        activation: what is compiled.
        configured: ``[tool.maturin] bindings``.
        has_cdylib: whether the crate's library is a ``cdylib``.
        has_bin: whether the crate has a program.
    """
    found = activation.registry_features
    python: Bindings | None = "pyo3-ffi" if "pyo3-ffi" in found else None
    python = "pyo3" if "pyo3" in found else python
    if configured is not None:
        return python if configured in PYO3_CRATES and python else configured
    if python is not None:
        return "bin" if has_bin and not has_cdylib else python
    if "uniffi" in found:
        return "uniffi"
    if has_cdylib:
        return "cffi"
    return "bin" if has_bin else None


def stable_abi(
    activation: Activation,
    maturin: MaturinTable,
    requires_python: str | None,
    *,
    free_threaded: bool = False,
) -> tuple[int, int] | None:
    """The oldest Python that the stable ABI is asked for; None when it isn't.

    Args:
        activation: what is compiled, with its features.
        maturin: for its conditional features, which count where their condition holds for the
            floor that they name.
        requires_python: gives the floor of a plain ``abi3``.
        free_threaded: ask for ``abi3t`` instead of ``abi3``.

    Raises:
        ValueError: requires-python, or a condition, is no list of version specifiers.
    """
    wanted = "abi3t" if free_threaded else "abi3"
    features = {
        feature for crate in PYO3_CRATES for feature in activation.registry_features.get(crate, ())
    }
    floors = [floor for feature in features if (floor := _floor(feature, wanted))]
    for conditional in maturin.conditional_features:
        crate, _, feature = conditional.feature.partition("/")
        floor = _floor(feature, wanted) if crate in PYO3_CRATES else None
        is_cpython = (conditional.implementation or "cpython").lower() == "cpython"
        if floor and is_cpython and admits_python(conditional.python_version, floor[1]):
            floors.append(floor)
    if not floors and wanted not in features:
        return None
    lowest = lowest_minor(requires_python)
    plain = (3, lowest) if lowest is not None else _OLDEST
    floor = min(floors, default=plain)
    return max(floor, _OLDEST_FREE_THREADED) if free_threaded else floor


def _floor(feature: str, wanted: str) -> tuple[int, int] | None:
    """``abi3-py310`` -> (3, 10)."""
    found = _STABLE.fullmatch(feature)
    return (int(found[2]), int(found[3])) if found and found[1] == wanted else None
