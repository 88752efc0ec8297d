"""The files that a build reads, with their digests.

Touches the source tree (reads) and ``.wheelworks/state/tree.json`` (the digests of the last time, so that unchanged
files are not read again). Knows nothing of jobs.
"""

from __future__ import annotations

import json
import stat
import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from wheelworks._native import FileEntry, FingerprintError, fingerprint_files, fingerprint_tree
from wheelworks.childenv import child_environment
from wheelworks.errors import ConfigurationError, MissingResourceError
from wheelworks.files import atomic_write, ensure_state_dir
from wheelworks.snapshot import tree_changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelworks.project import Project
    from wheelworks.runner import Runner
    from wheelworks.snapshot import SourceFile

#: A file written this shortly before it was fingerprinted may have changed again within the clock's grain
#: (git calls such an index entry racily clean).
RACY_NS = 2_000_000_000


#: Asking git for a list of names.
GIT_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredFile:
    """A source although a rule of .gitignore names it; like a FileEntry."""

    path: str
    digest: str
    size: int
    mtime_ns: int
    executable: bool
    link: str | None = None


def read_source_tree(
    project: Project,
    *,
    state_dir: Path,
    dist_dir: Path,
    runner: Runner,
    environ: Mapping[str, str],
) -> list[SourceFile]:
    """Every file below the project's source root that a build may read, sorted by path.

    Those are the files that git does not ignore, those that it tracks although a rule ignores them, and the
    Cargo.lock, which many projects ignore and cargo reads all the same.

    Raises:
        ConfigurationError: the tree can't be read; names the file.
    """
    entries: list[SourceFile] = list(_read_unignored(project, state_dir, dist_dir))
    known = {entry.path for entry in entries}
    root = project.source_root
    lock = (project.workspace_root / "Cargo.lock").relative_to(root).as_posix()
    extra = {lock, *_tracked_although_ignored(root, runner, environ)} - known
    module = project.module_name.rpartition(".")[2]
    entries += (
        _ignored_file(root, path)
        for path in extra
        if (root / path).is_file() and not PurePosixPath(path).name.startswith(f"{module}.")
    )
    return sorted(entries, key=lambda entry: entry.path)


def _tracked_although_ignored(
    root: Path, runner: Runner, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Paths that git tracks although a rule ignores them; none outside a repository or without git."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return ()
    result = runner.run(
        ["git", "ls-files", "-z", "--cached", "--ignored", "--exclude-standard"],
        env=child_environment(environ, set_={}),
        cwd=root,
        timeout_seconds=GIT_TIMEOUT_SECONDS,
        capture_stdout=True,
    )
    return tuple(filter(None, result.stdout.split("\0"))) if result.ok else ()


def _ignored_file(root: Path, path: str) -> IgnoredFile:
    found = (root / path).stat()
    (digest,) = fingerprint_files([str(root / path)])
    return IgnoredFile(
        path=path,
        digest=digest,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        executable=bool(found.st_mode & stat.S_IXUSR),
    )


def _read_unignored(project: Project, state_dir: Path, dist_dir: Path) -> list[FileEntry]:
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
    _remember(cache, state_dir, str(project.source_root), entries, started)
    return entries


def changed_sources(
    before: Sequence[SourceFile], project: Project, *, dist_dir: Path
) -> tuple[str, ...]:
    """Paths of the source tree that are not as they were when it was read; sorted.

    Raises:
        FingerprintError: a file can't be read.
    """
    exclude = excluded_patterns(project, dist_dir)
    unignored = [entry for entry in before if isinstance(entry, FileEntry)]
    return tree_changed(unignored, project.source_root, exclude=exclude)


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


def _remember(
    cache: Path, state_dir: Path, root: str, entries: list[FileEntry], taken_ns: int
) -> None:
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
        # Also a command that only looks must not leave a folder that git shows as new.
        ensure_state_dir(state_dir)
        atomic_write(cache, content)
    except (OSError, MissingResourceError):
        # Only speed is lost: the next run reads every file again.
        return
