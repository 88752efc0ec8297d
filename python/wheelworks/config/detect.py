"""Reads a maturin project and fills ``project.Project``.

(!) Reads Cargo.toml files, rust-toolchain, build scripts. Takes a PyProject, gives the Project with
every fault of its files. Does not know ``[tool.wheelworks]``, apart from the features that it adds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from wheelworks.config.cargo import join
from wheelworks.config.cibuildwheel_table import cibuildwheel_facts
from wheelworks.config.crates import MANIFEST, CrateTree, read_crates
from wheelworks.config.features import (
    PYO3_CRATES,
    Activation,
    activate,
    detect_bindings,
    stable_abi,
)
from wheelworks.config.frameworks import framework_crates
from wheelworks.config.layout import PythonLayout, find_layout, is_python_first
from wheelworks.config.rust_files import (
    find_cargo_configs,
    find_rust_toolchain,
    looks_at_git,
    normalize_version,
)
from wheelworks.config.sources import near_miss
from wheelworks.errors import Fault
from wheelworks.project import Bindings, Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.pyproject import PyProject

#: Oldest Pythons of abi3 and abi3t.
_Floors = tuple[tuple[int, int] | None, tuple[int, int] | None]
_BINDINGS: tuple[Bindings, ...] = get_args(Bindings)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureChoice:
    """The features that the configuration adds to those of ``[tool.maturin]``."""

    features: tuple[str, ...] = ()
    no_default_features: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What reading a project gives."""

    project: Project | None
    """None where the faults leave too little to go on."""
    files: tuple[Path, ...] = ()
    """Every file that was read, apart from pyproject.toml."""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What was found out step by step."""

    activation: Activation
    bindings: Bindings
    module_name: str
    layout: PythonLayout
    floors: _Floors
    source_root: Path
    rust_toolchain: str | None
    cargo_config_files: tuple[Path, ...]


def detect_project(
    pyproject: PyProject, choice: FeatureChoice, environ: Mapping[str, str]
) -> Detected:
    """Read the project of a pyproject.toml.

    Args:
        pyproject: its content.
        choice: features from the configuration.
        environ: the caller's environment, for the places of cargo's and the user's home.
    """
    manifest_path = _manifest_path(pyproject)
    if not manifest_path.is_file():
        return Detected(project=None, faults=(_missing_manifest(pyproject, manifest_path),))
    tree = read_crates(manifest_path)
    if tree.manifest.name is None:
        fault = tree.faults or (_virtual_manifest(manifest_path),)
        return Detected(project=None, files=tree.files, faults=fault)
    activation = _activate(pyproject, tree, choice)
    bindings, bindings_faults = _bindings(pyproject, tree, activation)
    module_name = _module_name(pyproject, tree)
    layout = find_layout(pyproject, module_name)
    floors, abi_faults = _stable_abi(pyproject, activation)
    source_root, root_faults = _source_root(pyproject, tree, layout, environ)
    toolchain_file, channel = find_rust_toolchain(pyproject.path.parent)
    facts = _Facts(
        activation=activation,
        bindings=bindings,
        module_name=module_name,
        layout=layout,
        floors=floors,
        source_root=source_root,
        rust_toolchain=channel,
        cargo_config_files=find_cargo_configs(tree.manifest.folder, environ),
    )
    return Detected(
        project=_project(pyproject, tree, facts),
        files=(*tree.files, *((toolchain_file,) if toolchain_file else ())),
        faults=(*tree.faults, *bindings_faults, *layout.faults, *abi_faults, *root_faults),
    )


def _project(pyproject: PyProject, tree: CrateTree, facts: _Facts) -> Project:
    crate, activation = tree.manifest, facts.activation
    native_names = _native_names(facts.bindings, facts.module_name)
    compiled = (tree.manifests[folder] for folder in activation.crates)
    lock = _lock_text(tree)
    frameworks = framework_crates(lock or "", tree.manifests, activation)
    return Project(
        root=pyproject.path.parent,
        source_root=facts.source_root,
        manifest_path=crate.path,
        workspace_root=tree.workspace_root,
        has_lock_file=lock is not None,
        name=pyproject.name or crate.name or "",
        version=normalize_version(pyproject.version or crate.version or "0.0.0"),
        module_name=facts.module_name,
        import_names=facts.layout.import_names or native_names,
        python_source=facts.layout.python_source,
        package_dirs=facts.layout.package_dirs,
        bindings=facts.bindings,
        pyo3_requirement=_pyo3_requirement(activation),
        pyo3_features=_pyo3_features(activation),
        stable_abi=facts.floors[0],
        free_threaded_stable_abi=facts.floors[1],
        maturin_features=pyproject.maturin.features,
        requires_python=pyproject.requires_python,
        classifiers=pyproject.classifiers,
        rust_version=crate.rust_version,
        rust_toolchain=facts.rust_toolchain,
        maturin_requirement=pyproject.maturin_requirement,
        extras=tuple(pyproject.extras),
        dependency_groups=tuple(pyproject.groups),
        reads_git=any(looks_at_git(manifest) for manifest in compiled),
        cargo_config_files=facts.cargo_config_files,
        has_cibuildwheel=pyproject.cibuildwheel is not None,
        own_crates=tuple(sorted(one.name for one in tree.manifests.values() if one.name)),
        framework_crates=frameworks.needed,
        optional_framework_crates=frameworks.optional,
        cibuildwheel=cibuildwheel_facts(pyproject.cibuildwheel or {}),
    )


def _lock_text(tree: CrateTree) -> str | None:
    """The text of the Cargo.lock; None where there is none. What cargo can't read is empty."""
    path = tree.workspace_root / "Cargo.lock"
    if not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _manifest_path(pyproject: PyProject) -> Path:
    root = pyproject.path.parent
    if pyproject.maturin.manifest_path is not None:
        return join(root, pyproject.maturin.manifest_path)
    return root / "rust" / MANIFEST if is_python_first(pyproject) else root / MANIFEST


def _missing_manifest(pyproject: PyProject, path: Path) -> Fault:
    if pyproject.maturin.manifest_path is not None:
        key, hint = (
            "tool.maturin.manifest-path",
            "correct the path; it is relative to pyproject.toml",
        )
    else:
        key = "build-system.build-backend"
        hint = "name the crate by [tool.maturin] manifest-path"
    message = f"maturin builds this project, but there is no {path}"
    return Fault(key=key, origin=str(pyproject.path), message=message, hint=hint)


def _virtual_manifest(path: Path) -> Fault:
    message = "has no [package] name, so it is no crate that a wheel can be built of"
    hint = "name a member's Cargo.toml by [tool.maturin] manifest-path in pyproject.toml"
    return Fault(key="package.name", origin=str(path), message=message, hint=hint)


def _activate(pyproject: PyProject, tree: CrateTree, choice: FeatureChoice) -> Activation:
    maturin = pyproject.maturin
    return activate(
        tree.manifests,
        tree.manifest.folder,
        features=(*maturin.features, *choice.features),
        default_features=not (maturin.no_default_features or choice.no_default_features),
        all_features=maturin.all_features,
    )


def _bindings(
    pyproject: PyProject, tree: CrateTree, activation: Activation
) -> tuple[Bindings, tuple[Fault, ...]]:
    written = pyproject.maturin.bindings
    configured = next((name for name in _BINDINGS if name == written), None)
    if written is not None and configured is None:
        message = f"no bindings are called {written!r}"
        near = near_miss(written, _BINDINGS) or f"maturin knows {', '.join(_BINDINGS)}"
        key = "tool.maturin.bindings"
        fault = Fault(key=key, origin=str(pyproject.path), message=message, hint=near)
        return "pyo3", (fault,)
    crate = tree.manifest
    sources = crate.folder / "src"
    found = detect_bindings(
        activation,
        configured=configured,
        has_cdylib="cdylib" in crate.crate_types,
        has_bin=crate.bins > 0 or (sources / "main.rs").is_file() or (sources / "bin").is_dir(),
    )
    if found is not None:
        return found, ()
    message = "maturin can't tell the bindings: no pyo3, no uniffi, no cdylib and no program"
    hint = 'add pyo3 to [dependencies], or crate-type = ["cdylib"] to [lib]'
    return "pyo3", (Fault(key="dependencies", origin=str(crate.path), message=message, hint=hint),)


def _module_name(pyproject: PyProject, tree: CrateTree) -> str:
    """By maturin's order of precedence."""
    crate = tree.manifest
    name = pyproject.maturin.module_name or crate.lib_name or pyproject.name or crate.name or ""
    return name.replace("-", "_")


def _native_names(bindings: Bindings, module_name: str) -> tuple[str, ...]:
    """What pure Rust can be imported as: its module, or nothing where it is a program."""
    return () if bindings == "bin" else (module_name.partition(".")[0],)


def _pyo3_requirement(activation: Activation) -> str | None:
    found = (activation.requirements.get(crate) for crate in PYO3_CRATES)
    return next((requirement for requirement in found if requirement), None)


def _pyo3_features(activation: Activation) -> tuple[str, ...]:
    found = (activation.registry_features.get(crate, frozenset()) for crate in PYO3_CRATES)
    return tuple(sorted(frozenset().union(*found) - {"default"}))


def _stable_abi(pyproject: PyProject, activation: Activation) -> tuple[_Floors, tuple[Fault, ...]]:
    """The floors of abi3 and abi3t; a broken condition of a feature is a fault."""
    maturin, requires = pyproject.maturin, pyproject.requires_python
    try:
        return (
            stable_abi(activation, maturin, requires),
            stable_abi(activation, maturin, requires, free_threaded=True),
        ), ()
    except ValueError as error:
        # load.py has a fault of its own for requires-python.
        key = "tool.maturin.features"
        fault = Fault(key=key, origin=str(pyproject.path), message=str(error))
        return (None, None), (fault,) if maturin.conditional_features else ()


def _source_root(
    pyproject: PyProject, tree: CrateTree, layout: PythonLayout, environ: Mapping[str, str]
) -> tuple[Path, tuple[Fault, ...]]:
    """The common ancestor of all that a build reads; too high a one is a fault."""
    root = pyproject.path.parent
    files = [join(root, name) for name in pyproject.metadata_files]
    files += [join(tree.manifest.folder, name) for name in tree.manifest.metadata_files]
    needed = [root, tree.workspace_root, *tree.manifests, *layout.package_dirs]
    needed += [path.parent for path in files if path.exists()]
    # A readme is often a link to one above; the link alone would point out of the snapshot.
    links = [path for path in files if path.is_symlink() and path.exists()]
    needed += [join(path.parent, str(path.readlink())).parent for path in links]
    needed += [join(root, pyproject.maturin.data)] if pyproject.maturin.data else []
    try:
        common = Path(os.path.commonpath(needed))
    except ValueError:  # Windows: on different drives
        common = Path(root.anchor)
    home = environ.get("HOME") or environ.get("USERPROFILE")
    is_home = bool(home) and common == Path(home or ".") and root != common
    if common != Path(common.anchor) and not is_home:
        return common, ()
    outside = next((path for path in needed if not path.is_relative_to(root)), root)
    message = f"the build reads {outside}, so a snapshot of it would have to hold all of {common}"
    hint = "move what it reads and the project into one folder"
    return root, (Fault(key="source root", origin=str(pyproject.path), message=message, hint=hint),)
