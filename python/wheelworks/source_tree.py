"""The files that a build reads, with their digests.

Touches the source tree (reads) and ``.wheelworks/state/tree.json`` (the digests of the last time, so that unchanged
files are not read again). Knows nothing of jobs.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from wheelworks._native import FileEntry, FingerprintError, fingerprint_tree
from wheelworks.errors import ConfigurationError
from wheelworks.files import atomic_write
from wheelworks.snapshot import tree_changed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelworks.project import Project

#: A file written this shortly before it was fingerprinted may have changed again within the clock's grain
#: (git calls such an index entry racily clean).
RACY_NS = 2_000_000_000


def read_source_tree(project: Project, *, state_dir: Path, dist_dir: Path) -> list[FileEntry]:
    """Every file below the project's source root that a build may read, sorted by path.

    Raises:
        ConfigurationError: the tree can't be read; names the file.
    """
    cache = state_dir / "state" / "tree.json"
    started = time.time_ns()
    try:
        entries = fingerprint_tree(
            str(project.source_root),
            exclude=list(excluded_patterns(project, dist_dir)),
            known=_known(cache, str(project.source_root)),
        )
    except FingerprintError as error:
        raise ConfigurationError(
            f"the source tree can't be read: {error}",
            hint="make the file readable, or list it in .gitignore",
        ) from error
    _remember(cache, str(project.source_root), entries, started)
    return entries


def changed_sources(
    before: Sequence[FileEntry], project: Project, *, dist_dir: Path
) -> tuple[str, ...]:
    """Paths of the source tree that are not as they were when it was read; sorted.

    Raises:
        FingerprintError: a file can't be read.
    """
    exclude = excluded_patterns(project, dist_dir)
    return tree_changed(before, project.source_root, exclude=exclude)


def excluded_patterns(project: Project, dist_dir: Path) -> tuple[str, ...]:
    """What is never a source although no .gitignore may say so, in gitignore syntax.

    A stale extension module beside the package would be packed into the wheel (``maturin develop`` leaves one).
    """
    module = project.module_name.rpartition(".")[2]
    patterns = [
        ".wheelworks/", ".nox/", ".tox/", ".venv/", "__pycache__/", "*.pyc", ".mypy_cache/",
        ".pytest_cache/", ".ruff_cache/",
        f"{module}.*.so", f"{module}.so", f"{module}.*.pyd", f"{module}.pyd",
    ]  # fmt: skip
    folders = {project.workspace_root / "target", project.root / "target", dist_dir}
    inside = {folder for folder in folders if project.source_root in folder.parents}
    anchored = [f"/{folder.relative_to(project.source_root).as_posix()}/" for folder in inside]
    # Only an unpacked sdist has it, and maturin refuses to pack it beside the one that it makes.
    anchored.append(f"/{(project.root / 'PKG-INFO').relative_to(project.source_root).as_posix()}")
    return tuple(sorted((*patterns, *anchored)))


def _known(cache: Path, root: str) -> dict[str, tuple[int, int, str]]:
    """The digests of the last time; none when the record is missing, torn or of another folder."""
    try:
        document = json.loads(cache.read_bytes())
        if document["root"] != root:
            return {}
        safe_before = int(document["taken_ns"]) - RACY_NS
        return {
            str(path): (int(size), int(mtime_ns), str(digest))
            for path, (size, mtime_ns, digest) in document["files"].items()
            if int(mtime_ns) < safe_before
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _remember(cache: Path, root: str, entries: list[FileEntry], taken_ns: int) -> None:
    document = {
        "root": root,
        "taken_ns": taken_ns,
        "files": {
            entry.path: [entry.size, entry.mtime_ns, entry.digest]
            for entry in entries
            if entry.link is None
        },
    }
    content = json.dumps(document).encode()
    try:
        atomic_write(cache, content)
    except OSError:
        # Only speed is lost: the next run reads every file again.
        return
