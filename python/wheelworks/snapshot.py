"""Keeps a build's source folder in step with the fingerprinted files.

Takes the entries of a fingerprint and two folders; touches the destination, the manifest beside it
(``<destination>.manifest.json``) and, to read, the sources. Knows nothing of builds; whoever calls
holds the build key's lock.

The manifest says what was written and how the file looked then (size, times); a file that still
looks so is not read again. Before anything is changed, the manifest forgets the files that will be;
so a sync that was killed leaves files that the next one writes again, never files that are taken
for something they are not.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final, Protocol

from wheelworks._native import digest_bytes, fingerprint_tree
from wheelworks.errors import SourcesChangedError
from wheelworks.files import atomic_write
from wheelworks.snapshot_git import GIT_FOLDER, sync_git

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from wheelworks.cancellation import Cancellation
    from wheelworks.runner import Runner

MANIFEST_SCHEMA: Final = 1
_TEMPORARY: Final = ".wheelworks-tmp-"


class SourceFile(Protocol):
    """A fingerprinted file, as :class:`wheelworks._native.FileEntry` is one."""

    @property
    def path(self) -> str:
        """Relative to the root, with ``/``."""

    @property
    def digest(self) -> str:
        """blake3 of the content, or of a link's target."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def mtime_ns(self) -> int:
        """Modification time."""

    @property
    def executable(self) -> bool:
        """Whether the owner may execute it."""

    @property
    def link(self) -> str | None:
        """Target of a symbolic link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotResult:
    """What a sync did; numbers of files."""

    written: int
    removed: int
    unchanged: int
    has_git: bool
    """Whether ``.git`` lies in the snapshot."""


def sync_snapshot(
    entries: Sequence[SourceFile],
    source_root: Path,
    destination: Path,
    *,
    git: bool,
    runner: Runner,
    environ: Mapping[str, str],
    keep: Collection[str] = (),
    target_dir: Path | None = None,
    cancellation: Cancellation | None = None,
) -> SnapshotResult:
    """Make a folder hold exactly the fingerprinted files.

    A file that is new keeps its modification time when the snapshot is made for the first time. In
    one that was built from before, whatever is written is as young as the writing: cargo compares
    times with the start of its last build, and a file that came back from an archive or an older
    checkout would look unchanged to it.

    Args:
        entries: the files, as they were fingerprinted.
        source_root: where they lie.
        destination: the snapshot's folder, made where needed.
        git: whether ``.git`` is put beside the files, so that HEAD, tags and ``git describe`` are
            as in the project. Nothing is written into the project's repository. No repository, no
            ``.git``.
        runner: starts git.
        environ: the caller's variables, for git.
        keep: paths of files that a build made here and that stay (a Cargo.lock).
        target_dir: cargo's target folder of this snapshot; where it exists, the snapshot was built
            from before although it may be gone since.
        cancellation: stops git.

    Raises:
        SourcesChangedError: a file is not what was fingerprinted any more.
        JobFailedError: git failed.
        OSError: the disk is full, the folder can't be written.
    """
    files = {_checked(entry.path): entry for entry in entries}
    keeps_times = not destination.exists() and not (target_dir is not None and target_dir.exists())
    destination.mkdir(parents=True, exist_ok=True)
    present = dict(_walk(destination))
    manifest = _Manifest.load(destination)
    stale = [
        entry for path, entry in files.items() if not manifest.is_current(entry, present.get(path))
    ]
    alien = sorted(present.keys() - files.keys() - set(keep))
    if stale or alien:
        manifest.forget([*alien, *(entry.path for entry in stale)])
        # Removal first: on a file system that ignores case a renamed file is both old and new.
        for path in alien:
            (destination / path).unlink(missing_ok=True)
        for entry in stale:
            _copy(entry, source_root, destination, keeps_times=keeps_times)
            manifest.note(entry)
        _remove_empty_folders(destination, files.keys() | set(keep))
        manifest.save()
    has_git = sync_git(
        source_root,
        destination,
        wanted=git,
        runner=runner,
        environ=environ,
        cancellation=cancellation,
    )
    return SnapshotResult(
        written=len(stale), removed=len(alien), unchanged=len(files) - len(stale), has_git=has_git
    )


def changed_paths(before: Sequence[SourceFile], now: Sequence[SourceFile]) -> tuple[str, ...]:
    """Paths whose content, mode or link differs, or that are on one side only; sorted."""
    old = {entry.path: _identity(entry) for entry in before}
    new = {entry.path: _identity(entry) for entry in now}
    return tuple(sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path)))


def tree_changed(
    before: Sequence[SourceFile], root: Path, *, exclude: Sequence[str] = ()
) -> tuple[str, ...]:
    """Paths of a tree that changed since it was fingerprinted; sorted.

    Files whose size and time are as before are not read again.

    Args:
        before: the entries of that time.
        root: the tree's folder.
        exclude: the patterns of that time, in gitignore syntax.

    Raises:
        FingerprintError: a file can't be read.
    """
    known = {
        entry.path: (entry.size, entry.mtime_ns, entry.digest)
        for entry in before
        if entry.link is None
    }
    return changed_paths(before, fingerprint_tree(str(root), exclude=list(exclude), known=known))


def _identity(entry: SourceFile) -> tuple[str, bool, str | None]:
    return entry.digest, entry.executable, entry.link


def _checked(path: str) -> str:
    """The path, if it can only mean something inside the snapshot.

    Raises:
        AssertionError: it is absolute, leads outside or into ``.git``.
    """
    parts = path.split("/")
    is_plain = all(part not in ("", ".", "..") for part in parts) and parts[0] != GIT_FOLDER
    if sys.platform == "win32":
        is_plain = is_plain and "\\" not in path and not PureWindowsPath(path).drive
    if not is_plain:
        raise AssertionError(f"BUG: {path!r} is no path inside a source tree")
    return path


def _walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Files and links below a folder, with ``/`` between the parts; not those of ``.git``."""
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as found:
            for item in found:
                path = f"{folder}/{item.name}" if folder else item.name
                if path == GIT_FOLDER:
                    continue
                if item.is_dir(follow_symlinks=False):
                    folders.append(path)
                else:
                    # DirEntry.stat has no times on Windows that could be compared with lstat's.
                    yield path, (root / path).lstat()


def _remove_empty_folders(root: Path, files: Collection[str]) -> None:
    """Remove folders that hold nothing any more, innermost first."""
    needed = {parent for path in files for parent in PurePosixPath(path).parents}
    for folder, names, _ in os.walk(root, topdown=False):
        for name in names:
            path = Path(folder, name)
            relative = PurePosixPath(path.relative_to(root).as_posix())
            if relative in needed or relative.parts[0] == GIT_FOLDER or path.is_symlink():
                continue
            with contextlib.suppress(OSError):
                path.rmdir()


def _copy(entry: SourceFile, source_root: Path, destination: Path, *, keeps_times: bool) -> None:
    """Put one file into its place by rename, once its bytes proved to be the fingerprinted."""
    source = source_root / entry.path
    target = destination / entry.path
    _make_room(destination, entry.path)
    temporary = target.with_name(_TEMPORARY + secrets.token_hex(6))
    try:
        if entry.link is not None:
            _check(entry, _read_link(source) == entry.link)
            temporary.symlink_to(entry.link)
        else:
            content = _read(entry, source)
            _check(entry, digest_bytes(content) == entry.digest)
            temporary.write_bytes(content)
            # The other bits are the umask's: a snapshot is as readable as anything else of ours.
            if entry.executable:
                temporary.chmod(
                    temporary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
                )
            if keeps_times:
                os.utime(temporary, ns=(entry.mtime_ns, entry.mtime_ns))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _make_room(destination: Path, path: str) -> None:
    """Make the parent folders real folders, and remove a folder where the file goes."""
    folder = destination
    for part in PurePosixPath(path).parts[:-1]:
        folder /= part
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        folder.mkdir(exist_ok=True)
    target = destination / path
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)


def _read(entry: SourceFile, source: Path) -> bytes:
    try:
        # A link in the place of a file would lead somewhere else.
        _check(entry, not source.is_symlink())
        return source.read_bytes()
    except FileNotFoundError as error:
        raise _changed(entry, "vanished") from error


def _read_link(source: Path) -> str | None:
    try:
        # Path.readlink would tidy the text up (``./a`` becomes ``a``).
        return os.readlink(source)  # noqa: PTH115
    except OSError:
        return None


def _check(entry: SourceFile, is_same: bool) -> None:
    if not is_same:
        raise _changed(entry, "changed")


def _changed(entry: SourceFile, what: str) -> SourcesChangedError:
    return SourcesChangedError(
        f"{entry.path} {what} while it was copied",
        hint="run again once nothing writes into the source tree",
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A file that was written: what it is, and how it looked afterwards."""

    digest: str
    executable: bool
    link: str | None
    size: int
    mtime_ns: int
    ctime_ns: int


class _Manifest:
    """What the snapshot holds, in a file beside it."""

    def __init__(self, destination: Path, rows: dict[str, _Row]) -> None:
        self._destination = destination
        self._path = manifest_path(destination)
        self._rows = rows

    @classmethod
    def load(cls, destination: Path) -> _Manifest:
        """The manifest as it was saved; an empty one when it is missing or torn."""
        try:
            document: object = json.loads(manifest_path(destination).read_bytes())
            if not isinstance(document, dict) or document["schema"] != MANIFEST_SCHEMA:
                return cls(destination, {})
            return cls(destination, {path: _Row(*row) for path, row in document["files"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(destination, {})

    def is_current(self, entry: SourceFile, found: os.stat_result | None) -> bool:
        """Whether the file is there as it was written, and was written from what the entry says."""
        row = self._rows.get(entry.path)
        return (
            row is not None
            and found is not None
            and _identity(entry) == (row.digest, row.executable, row.link)
            and _look(found) == (row.size, row.mtime_ns, row.ctime_ns)
        )

    def forget(self, paths: Sequence[str]) -> None:
        """Take files out that are about to change, on disk too."""
        for path in paths:
            self._rows.pop(path, None)
        self.save()

    def note(self, entry: SourceFile) -> None:
        """Take in a file that was just written."""
        size, mtime_ns, ctime_ns = _look((self._destination / entry.path).lstat())
        self._rows[entry.path] = _Row(
            entry.digest, entry.executable, entry.link, size, mtime_ns, ctime_ns
        )

    def save(self) -> None:
        """Replace the file."""
        rows = {
            path: [row.digest, row.executable, row.link, row.size, row.mtime_ns, row.ctime_ns]
            for path, row in sorted(self._rows.items())
        }
        document = {"schema": MANIFEST_SCHEMA, "files": rows}
        # A power failure may bring back an older manifest with newer files: their times tell.
        atomic_write(self._path, json.dumps(document).encode(), durable=False)


def manifest_path(destination: Path) -> Path:
    """Where the manifest of a snapshot lies; whoever removes a snapshot removes it, too."""
    return destination.with_name(f"{destination.name}.manifest.json")


def _look(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
