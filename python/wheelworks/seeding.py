"""Begins a build's target folder with a copy of a sibling's, so that cargo compiles only what differs.

Touches target folders below ``.wheelworks/build`` and the run's staging folder. Starts no process; which builds are
siblings is the planner's knowledge (``Job.seeding_family``).

Cargo may be at work in the sibling meanwhile. It empties a unit's fingerprint before it writes the unit and fills it
in afterwards, so fingerprints are copied first: where one is filled in, what it stands for is complete. One that
changed while the rest was copied is taken out again; cargo then compiles that unit anew. Those of the project's own
crates are left out: by the times of files alone cargo could not tell that a sibling was built from other sources.
Files are copied or reflinked, never linked: cargo writes some in place, and hard links would corrupt the sibling.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from wheelworks.plan import Job

SEED_FILE: Final = "wheelworks-seed"
"""In a target folder from which others may begin: the name of its family."""
_FINGERPRINTS: Final = ".fingerprint"
#: What is of one wheel only, or of one cargo process.
_LEFT_OUT: Final = frozenset({"maturin", "wheels", "tmp", "incremental", "examples", SEED_FILE})
#: From linux/fs.h: make a file share another's blocks until one of them is written.
_FICLONE: Final = 0x40049409


def mark_seed(target_dir: Path, family: str) -> None:
    """Say that siblings may begin with a copy of the folder. A disk that refuses costs only time later."""
    with contextlib.suppress(OSError):
        (target_dir / SEED_FILE).write_text(family, encoding="utf-8")


def find_seed(build_dir: Path, family: str) -> Path | None:
    """The target folder of the family that was used last; None without any."""
    found = []
    for marker in build_dir.glob(f"*/{SEED_FILE}"):
        with contextlib.suppress(OSError):
            if marker.read_text(encoding="utf-8") == family:
                found.append((marker.stat().st_mtime_ns, marker.parent))
    return max(found, default=(0, None))[1]


def seeded_families(jobs: Iterable[Job], build_dir: Path) -> frozenset[str]:
    """The jobs' families of which some target folder is worth a copy already."""
    families = {job.seeding_family for job in jobs if job.seeding_family is not None}
    return frozenset(family for family in families if find_seed(build_dir, family) is not None)


def seed_target(
    target_dir: Path, family: str, *, scratch: Path, own_crates: Collection[str] = ()
) -> Path | None:
    """Begin a target folder that is not there yet with a copy of a sibling's; gives the sibling.

    Args:
        target_dir: the folder to make; its key's lock is held. One that holds anything is left as it is.
        family: whose siblings serve.
        scratch: a folder on the same file system that does not exist, in which the copy is made.
        own_crates: names of the packages that are compiled anew in any case.

    Returns:
        None where there is no sibling, or it can't be copied (removed meanwhile, a full disk): the build
        then compiles everything.
    """
    if _holds_anything(target_dir):
        return None
    sibling = find_seed(target_dir.parent, family)
    if sibling is None:
        return None
    try:
        _copy_seed(sibling, scratch, frozenset(own_crates))
        if target_dir.exists():
            # A step that only fetched left it. Windows renames over no folder.
            target_dir.rmdir()
        scratch.rename(target_dir)
    except OSError:
        return None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return sibling


def _holds_anything(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir())


def _copy_seed(source: Path, destination: Path, own_crates: frozenset[str]) -> None:
    destination.mkdir(parents=True)
    copied = {}
    for path in _files(source, fingerprints=True):
        # .fingerprint/<package>-<hash>/<file>
        if path.parent.name.rpartition("-")[0] in own_crates:
            continue
        looked = _look(source / path)
        _copy(source / path, destination / path)
        copied[path] = looked
    for path in _files(source, fingerprints=False):
        _copy(source / path, destination / path)
    for path, looked in copied.items():
        if _look(source / path) != looked:
            shutil.rmtree((destination / path).parent, ignore_errors=True)


def _files(root: Path, *, fingerprints: bool) -> Iterator[Path]:
    """Paths, relative to the root, of the files that are copied: only the fingerprints, or all others."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        relative = Path(folder).relative_to(root)
        if (_FINGERPRINTS in relative.parts) == fingerprints:
            yield from (relative / name for name in names if name not in _LEFT_OUT)


def _look(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None when it is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _copy(source: Path, destination: Path) -> None:
    """Copy a file with its mode and times, sharing its blocks where the file system can.

    One that cargo or a compiler removes meanwhile belongs to a unit that is not finished.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if not _reflink(source, destination):
            shutil.copyfile(source, destination, follow_symlinks=False)
        shutil.copystat(source, destination, follow_symlinks=False)


def _reflink(source: Path, destination: Path) -> bool:
    """Whether the copy now shares the source's blocks; what was begun otherwise is overwritten by a plain copy."""
    if sys.platform != "linux" or source.is_symlink():
        return False
    import fcntl

    with source.open("rb") as original, destination.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        except OSError:
            return False
    return True
