"""What a Cargo.toml says, as frozen values, with workspace inheritance resolved.

Pure: takes parsed documents, gives Manifests. Does not read files, nor does it know registries.
What cargo itself would refuse counts as missing here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wheelworks.config.toml_values import table_at, text_at, texts_at, texts_of, value_at

DependencyKind = Literal["normal", "build", "dev"]

_TABLES: Mapping[str, DependencyKind] = {
    "dependencies": "normal",
    "build-dependencies": "build",
    "build_dependencies": "build",
    "dev-dependencies": "dev",
    "dev_dependencies": "dev",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One dependency of a crate."""

    alias: str
    """The key in the table, by which features name it."""
    package: str
    """The crate's own name."""
    kind: DependencyKind
    requirement: str | None
    path: Path | None
    """Folder of a path dependency."""
    optional: bool
    default_features: bool
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The ``[workspace]`` of a manifest."""

    root: Path
    members: tuple[str, ...]
    exclude: tuple[str, ...]
    package: Mapping[str, object]
    """Raw ``[workspace.package]``."""
    dependencies: Mapping[str, object]
    """Raw ``[workspace.dependencies]``."""

    def excludes(self, manifest: Path) -> bool:
        """Whether cargo leaves a manifest below the root out of the workspace."""

        def below(entries: tuple[str, ...]) -> bool:
            return any(manifest.is_relative_to(join(self.root, entry)) for entry in entries)

        return below(self.exclude) and not below(self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One Cargo.toml."""

    path: Path
    name: str | None
    """None of a virtual manifest."""
    version: str | None
    rust_version: str | None
    lib_name: str | None
    has_lib_table: bool
    crate_types: tuple[str, ...]
    bins: int
    """How many ``[[bin]]`` tables there are."""
    build_script: str | None
    """Path of the build script, relative; None when it is switched off."""
    metadata_files: tuple[str, ...]
    """Readme and licence file, relative."""
    workspace_pointer: str | None
    """``package.workspace``."""
    workspace: Workspace | None
    dependencies: tuple[Dependency, ...]
    patched_paths: tuple[Path, ...]
    """Folders of ``[patch]`` and ``[replace]``."""
    features: Mapping[str, tuple[str, ...]]

    @property
    def folder(self) -> Path:
        """The crate's folder."""
        return self.path.parent

    @property
    def path_dependencies(self) -> tuple[Path, ...]:
        """Folders of every crate that the manifest names by path."""
        named = (dependency.path for dependency in self.dependencies)
        return (*(path for path in named if path is not None), *self.patched_paths)


def read_manifest(
    document: Mapping[str, object], path: Path, workspace: Workspace | None = None
) -> Manifest:
    """The Manifest of a parsed document.

    Args:
        document: the whole file.
        path: the file (absolute).
        workspace: what the crate inherits from; its own ``[workspace]`` where None.
    """
    own = _workspace(document, path.parent)
    workspace = workspace or own
    package = table_at(document, "package") or table_at(document, "project")
    shared = workspace.package if workspace else {}
    build = package.get("build", "build.rs")
    return Manifest(
        path=path,
        name=text_at(package, "name"),
        version=_inherited(package, shared, "version"),
        rust_version=_inherited(package, shared, "rust-version"),
        lib_name=text_at(document, "lib", "name"),
        has_lib_table="lib" in document,
        crate_types=texts_at(document, "lib", "crate-type")
        or texts_at(document, "lib", "crate_type"),
        bins=_count_tables(document.get("bin")),
        build_script=build if isinstance(build, str) else None if build is False else "build.rs",
        metadata_files=_metadata_files(package, workspace, path.parent),
        workspace_pointer=text_at(package, "workspace"),
        workspace=own,
        dependencies=_dependencies(document, path.parent, workspace),
        patched_paths=_patched_paths(document, path.parent),
        features={
            name: texts_of(listed) for name, listed in table_at(document, "features").items()
        },
    )


def join(folder: Path, relative: str) -> Path:
    """The path below (or above) a folder, without ``..`` in it; symbolic links are not followed."""
    return Path(os.path.normpath(folder / relative))


def _workspace(document: Mapping[str, object], folder: Path) -> Workspace | None:
    if "workspace" not in document:
        return None
    table = table_at(document, "workspace")
    return Workspace(
        root=folder,
        members=texts_at(table, "members"),
        exclude=texts_at(table, "exclude"),
        package=table_at(table, "package"),
        dependencies=table_at(table, "dependencies"),
    )


def _inherited(package: Mapping[str, object], shared: Mapping[str, object], key: str) -> str | None:
    if value_at(package, key, "workspace") is True:
        return text_at(shared, key)
    return text_at(package, key)


def _metadata_files(
    package: Mapping[str, object], workspace: Workspace | None, folder: Path
) -> tuple[str, ...]:
    found = []
    for key in ("readme", "license-file"):
        name = text_at(package, key)
        if name:
            found.append(name)
        elif workspace and value_at(package, key, "workspace") is True:
            shared = text_at(workspace.package, key)
            # An inherited path is relative to the workspace.
            found += [os.path.relpath(join(workspace.root, shared), folder)] if shared else []
    return tuple(found)


def _dependencies(
    document: Mapping[str, object], folder: Path, workspace: Workspace | None
) -> tuple[Dependency, ...]:
    sections = (document, *_tables_in(document.get("target")))
    return tuple(
        _dependency(alias, raw, kind, folder, workspace)
        for section in sections
        for key, kind in _TABLES.items()
        for alias, raw in table_at(section, key).items()
    )


def _dependency(
    alias: str, raw: object, kind: DependencyKind, folder: Path, workspace: Workspace | None
) -> Dependency:
    base: object = {}
    base_folder = folder
    if workspace and value_at(raw, "workspace") is True:
        base, base_folder = workspace.dependencies.get(alias), workspace.root
    elif value_at(raw, "workspace") is not True:
        base = raw
    path = text_at(base, "path")
    spellings = ("default-features", "default_features")
    default = [found for key in spellings if (found := value_at(base, key)) is not None]
    features = (
        *texts_at(base, "features"),
        *(texts_at(raw, "features") if base is not raw else ()),
    )
    return Dependency(
        alias=alias,
        package=text_at(base, "package") or alias,
        kind=kind,
        requirement=base if isinstance(base, str) else text_at(base, "version"),
        path=join(base_folder, path) if path is not None else None,
        optional=value_at(raw, "optional") is True,
        default_features=False not in default,
        features=features,
    )


def _patched_paths(document: Mapping[str, object], folder: Path) -> tuple[Path, ...]:
    tables = (*_tables_in(document.get("patch")), table_at(document, "replace"))
    paths = (text_at(entry, "path") for table in tables for entry in table.values())
    return tuple(join(folder, path) for path in paths if path is not None)


def _tables_in(value: object) -> tuple[Mapping[str, object], ...]:
    """The tables among the values of a table."""
    if not isinstance(value, Mapping):
        return ()
    return tuple(inner for inner in value.values() if isinstance(inner, Mapping))


def _count_tables(value: object) -> int:
    return len(value) if isinstance(value, list) else 0
