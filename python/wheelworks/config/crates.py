"""Reads every Cargo.toml that cargo will read for a project.

(!) Reads files. Takes the crate's manifest, gives it with its workspace, the members and every
crate named by path; missing and broken files are faults. Does not know features or Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheelworks.config.cargo import Manifest, Workspace, join, read_manifest
from wheelworks.config.sources import read_toml
from wheelworks.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MANIFEST = "Cargo.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrateTree:
    """A crate and all that cargo loads with it."""

    manifest: Manifest
    workspace_root: Path
    manifests: Mapping[Path, Manifest]
    """Folder -> manifest, of the crate, the workspace's members and all crates named by path."""
    files: tuple[Path, ...]
    """Every Cargo.toml that was read."""
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class _Reader:
    """The documents read so far, and what went wrong."""

    documents: dict[Path, Mapping[str, object]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def document(self, path: Path) -> Mapping[str, object]:
        """A parsed file, read once; empty (and a fault) when it is broken."""
        if path not in self.documents:
            self.documents[path] = {}
            try:
                self.documents[path] = read_toml(path)
            except ConfigurationError as error:
                self.faults += error.faults
        return self.documents[path]


def read_crates(manifest_path: Path) -> CrateTree:
    """The crate of a manifest with everything that it needs from disk.

    Args:
        manifest_path: an existing Cargo.toml (absolute).
    """
    reader = _Reader()
    workspace = _find_workspace(reader, manifest_path)
    root = _manifest(reader, manifest_path, workspace)
    manifests: dict[Path, Manifest] = {root.folder: root}
    queue = list(_needed_by(reader, root))
    if workspace is not None:
        top = _manifest(reader, workspace.root / MANIFEST, workspace)
        manifests.setdefault(top.folder, top)
        queue += _needed_by(reader, top)
        # Cargo loads every member, whether or not the crate depends on it.
        queue += _members(workspace)
    while queue:
        folder = queue.pop()
        path = folder / MANIFEST
        if folder in manifests or not path.is_file():
            continue
        shared = workspace if workspace and folder.is_relative_to(workspace.root) else None
        manifests[folder] = _manifest(reader, path, shared)
        queue += _needed_by(reader, manifests[folder])
    return CrateTree(
        manifest=root,
        workspace_root=workspace.root if workspace else root.folder,
        manifests=manifests,
        files=tuple(sorted(reader.documents)),
        faults=tuple(reader.faults),
    )


def _manifest(reader: _Reader, path: Path, workspace: Workspace | None) -> Manifest:
    return read_manifest(reader.document(path), path, workspace)


def _needed_by(reader: _Reader, manifest: Manifest) -> Iterable[Path]:
    """Folders of the crates that a manifest names by path; a missing one is a fault."""
    for dependency in manifest.dependencies:
        if dependency.path is not None and not (dependency.path / MANIFEST).is_file():
            key = f"dependencies.{dependency.alias}.path"
            message = f"there is no {MANIFEST} in {dependency.path}"
            reader.faults.append(Fault(key=key, origin=str(manifest.path), message=message))
    return manifest.path_dependencies


def _find_workspace(reader: _Reader, manifest_path: Path) -> Workspace | None:
    """The workspace of a crate as cargo finds it.

    Its own, the one that it names, or the nearest one above that does not exclude it.
    """
    own = read_manifest(reader.document(manifest_path), manifest_path)
    if own.workspace is not None:
        return own.workspace
    if own.workspace_pointer is not None:
        path = join(own.folder, own.workspace_pointer) / MANIFEST
        if path.is_file():
            return read_manifest(reader.document(path), path).workspace
        message = f"there is no {MANIFEST} in {path.parent}"
        fault = Fault(key="package.workspace", origin=str(manifest_path), message=message)
        reader.faults.append(fault)
        return None
    for folder in own.folder.parents:
        path = folder / MANIFEST
        if path.is_file():
            workspace = read_manifest(reader.document(path), path).workspace
            if workspace is not None and not workspace.excludes(manifest_path):
                return workspace
    return None


def _members(workspace: Workspace) -> Iterable[Path]:
    """Folders of the members, patterns expanded."""
    for pattern in workspace.members:
        plain = join(workspace.root, pattern)
        if not any(character in pattern for character in "*?["):
            yield plain
            continue
        yield from _expand(workspace.root, pattern)


def _expand(root: Path, pattern: str) -> Iterable[Path]:
    """The folders that a pattern with ``*`` matches; nothing for one that pathlib can't read."""
    try:
        return tuple(folder for folder in root.glob(pattern) if folder.is_dir())
    except (ValueError, NotImplementedError, OSError):
        return ()
