"""Collects artifacts, hashes them and moves them into ``dist/``.

Takes paths, gives frozen values. Writes to ``dist/`` only, and there only whole files: a file
appears under its name by rename after its bytes are on the disk, and nothing is unlinked first.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.errors import JobFailedError, MissingResourceError
from wheelworks.report.model import ArtifactInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUFFIXES = (".whl", ".tar.gz")
#: Files that begin so are ours, unfinished; a killed run leaves them.
_UNFINISHED_PREFIX = ".wheelworks-"
_HINTS = {
    errno.ENOSPC: "free some space (`wheelworks gc`), or set another dist folder",
    errno.EDQUOT: "the disk quota is used up: free some space, or set another dist folder",
    errno.EACCES: "make the folder writable for this user, or set another dist folder",
    errno.EPERM: "make the folder writable for this user, or set another dist folder",
    errno.EROFS: "the file system is read-only: set another dist folder",
}


def sha256_file(path: Path) -> str:
    """Digest of a file's content, 64 hexadecimal digits.

    Args:
        path: the file.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def collect(staging: Path) -> tuple[Path, ...]:
    """The wheel or sdist that a job left in its staging folder.

    Args:
        staging: the private output folder of one job run.

    Raises:
        JobFailedError: there is none, or more than one: the build made something else than planned.
    """
    found = sorted(path for path in _files(staging) if path.name.endswith(_SUFFIXES))
    if len(found) == 1:
        return tuple(found)
    names = ", ".join(path.name for path in found) or "no wheel or sdist"
    raise JobFailedError(
        f"expected one artifact in {staging}, found {names}",
        hint="look in the job's log which files maturin says it built",
    )


def publish(staged: Path, dist: Path, *, sha256: str) -> ArtifactInfo:
    """Puts an audited artifact into ``dist/``, whole or not at all.

    On one file system by rename; across file systems through a copy under a temporary name, whose
    digest is compared. A file of that name is replaced.

    Args:
        staged: the artifact; gone from its place afterwards.
        dist: the folder, made when it is missing.
        sha256: digest that the audit saw.

    Raises:
        MissingResourceError: ``dist`` can't be written (no space, no permission, read-only) or a
            copy is not what was audited; the artifacts in ``dist`` are as they were.
    """
    target = dist / staged.name
    try:
        size = staged.stat().st_size
        dist.mkdir(parents=True, exist_ok=True)
        _sync_file(staged)
        _move(staged, target, sha256)
        _sync_folder(dist)
    except OSError as error:
        raise MissingResourceError(
            f"can't put {staged.name} into {dist}: {error.strerror or error}",
            hint=_HINTS.get(error.errno or 0, f"check that {dist} is a folder you can write to"),
        ) from error
    return ArtifactInfo(file_name=staged.name, size=size, sha256=sha256)


def stale_files(dist: Path, current: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the wheels and sdists in ``dist/`` that are of another source state.

    Args:
        dist: the folder; none is an empty one.
        current: file name -> sha256 of what the present sources gave.
    """
    artifacts = sorted(path for path in _files(dist) if path.name.endswith(_SUFFIXES))
    return tuple(path.name for path in artifacts if current.get(path.name) != sha256_file(path))


def remove_unfinished(dist: Path) -> tuple[str, ...]:
    """Removes what a killed run left half-copied in ``dist/``; gives the names.

    The caller holds the lock of ``dist/``, so that nobody is copying now.

    Args:
        dist: the folder.

    Raises:
        OSError: a file can't be removed.
    """
    leftovers = sorted(path for path in _files(dist) if path.name.startswith(_UNFINISHED_PREFIX))
    for path in leftovers:
        path.unlink(missing_ok=True)
    return tuple(path.name for path in leftovers)


def _files(folder: Path) -> list[Path]:
    """The files of a folder; none when it does not exist."""
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []


def _move(staged: Path, target: Path, sha256: str) -> None:
    """Renames, or copies and renames where the file systems differ."""
    try:
        staged.replace(target)
    except OSError as error:
        # Overlay file systems report the same folder as two devices.
        if error.errno != errno.EXDEV:
            raise
        _copy(staged, target, sha256)
        staged.unlink(missing_ok=True)


def _copy(staged: Path, target: Path, sha256: str) -> None:
    """Copies under a temporary name beside the target, then renames."""
    handle, name = tempfile.mkstemp(prefix=_UNFINISHED_PREFIX, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        shutil.copyfile(staged, temporary)
        if sha256_file(temporary) != sha256:
            raise OSError(errno.EIO, "the copy differs from the audited file")
        shutil.copymode(staged, temporary)
        _sync_file(temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync_file(path: Path) -> None:
    """Waits until a file's bytes are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Waits until a folder's entries are on the disk. Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
