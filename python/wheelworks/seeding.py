"""Begins a build's target folder with the units that a sibling compiled, so that cargo compiles only what differs.

Touches target folders below ``.wheelworks/build`` and the run's staging folder. Starts no process; which builds are
siblings is the planner's knowledge (``Job.seeding_family``), what a target folder holds ``target_folder.py``'s.

Cargo may be at work in the sibling meanwhile. It empties a unit's fingerprint before it makes the unit and fills it
in afterwards, so fingerprints are copied first: where one is filled in, what it stands for is complete. A unit whose
fingerprint changed while the rest was copied is taken out again. Files are copied or reflinked, never linked: cargo
writes some in place, and hard links would corrupt the sibling.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wheelworks.target_folder import Unit, has_outputs, is_temporary, loose_files, units_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from wheelworks.cancellation import Cancellation
    from wheelworks.plan import Job

SEED_FILE: Final = "wheelworks-seed"
"""In a target folder from which others may begin: the name of its family."""
#: From linux/fs.h: make a file share another's blocks until one of them is written.
_FICLONE: Final = 0x40049409


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeding:
    """How a target folder is begun."""

    family: str
    """Whose siblings serve."""
    scratch: Path
    """A folder on the same file system that does not exist, in which the copy is made."""
    own_crates: frozenset[str]
    """Packages whose sources may differ from those that a sibling was built from: never copied. By times of files
    alone cargo could not tell."""
    is_moved: bool
    """Whether builds see the folder at another path than the sibling's: then what a build script wrote is made anew,
    because crates may have its place compiled in."""
    cancellation: Cancellation


def mark_seed(target_dir: Path, family: str) -> None:
    """Say that siblings may begin with a copy of the folder. A disk that refuses costs only time later."""
    with contextlib.suppress(OSError):
        (target_dir / SEED_FILE).write_text(family, encoding="utf-8")


def find_seed(build_dir: Path, family: str) -> Path | None:
    """The target folder of the family that was used last; None without any."""
    found = []
    for marker in build_dir.glob(f"*/{SEED_FILE}"):
        # ValueError: a torn marker need not be text.
        with contextlib.suppress(OSError, ValueError):
            if marker.read_text(encoding="utf-8") == family:
                found.append((marker.stat().st_mtime_ns, marker.parent))
    return max(found, default=(0, None))[1]


def seeded_families(jobs: Iterable[Job], build_dir: Path) -> frozenset[str]:
    """The jobs' families of which some target folder is worth a copy already."""
    families = {job.seeding_family for job in jobs if job.seeding_family is not None}
    return frozenset(family for family in families if find_seed(build_dir, family) is not None)


def seed_target(target_dir: Path, seeding: Seeding) -> Path | None:
    """Begin a target folder with a copy of a sibling's units; gives the sibling.

    Args:
        target_dir: the folder to make; its key's lock is held. One that holds anything is left as it is.
        seeding: how.

    Returns:
        None where there is no sibling, or it can't be copied (removed meanwhile, a full disk, a request to stop): the
        build then compiles everything.
    """
    if target_dir.exists() and any(target_dir.iterdir()):
        return None
    sibling = find_seed(target_dir.parent, seeding.family)
    if sibling is None:
        return None
    try:
        _Copy(sibling, target_dir, seeding).carry_out()
        if target_dir.exists():
            # A step that only fetched left it. Windows renames over no folder.
            target_dir.rmdir()
        seeding.scratch.rename(target_dir)
    except OSError:
        return None
    finally:
        shutil.rmtree(seeding.scratch, ignore_errors=True)
    return sibling


class _Copy:
    """One copy of a sibling's units into the scratch folder."""

    def __init__(self, source: Path, final: Path, seeding: Seeding) -> None:
        self._source = source
        self._final = final
        self._seeding = seeding

    def carry_out(self) -> None:
        """Fingerprints, then what they stand for, then a second look at the fingerprints.

        Raises:
            OSError: a disk refuses, or somebody asked to stop.
        """
        self._seeding.scratch.mkdir(parents=True)
        units = [(unit, _look(self._source / unit.fingerprint)) for unit in self._wanted()]
        for unit, _ in units:
            self._copy_folder(unit.fingerprint)
        broken = [unit for unit, _ in units if not self._copy_unit(unit)]
        for path in loose_files(self._source, self._seeding.own_crates):
            self._copy_file(path)
        changed = [
            unit for unit, looked in units if _look(self._source / unit.fingerprint) != looked
        ]
        for unit in (*broken, *changed):
            for folder in unit.folders:
                shutil.rmtree(self._seeding.scratch / folder, ignore_errors=True)

    def _wanted(self) -> list[Unit]:
        return [
            unit
            for unit in units_of(self._source)
            if unit.package not in self._seeding.own_crates
            and unit.is_finished(self._source)
            and not (self._seeding.is_moved and has_outputs(self._source, unit))
        ]

    def _copy_unit(self, unit: Unit) -> bool:
        """Copy what a unit has besides its fingerprint; False when some of it vanished meanwhile."""
        folders = [folder for folder in unit.folders if folder != unit.fingerprint]
        return all(self._copy_folder(folder, without=unit.fingerprint) for folder in folders)

    def _copy_folder(self, folder: Path, *, without: Path | None = None) -> bool:
        """Copy a folder with all below it; False when a file vanished meanwhile."""
        is_whole = True
        for parent, folders, names in os.walk(self._source / folder):
            here = Path(parent).relative_to(self._source)
            links = [name for name in folders if (self._source / here / name).is_symlink()]
            folders[:] = [name for name in folders if here / name != without]
            (self._seeding.scratch / here).mkdir(parents=True, exist_ok=True)
            for name in (*names, *links):
                is_whole &= self._copy_file(here / name)
        return is_whole

    def _copy_file(self, path: Path) -> bool:
        """Copy a file or a link with its mode and times; False when it is gone."""
        if self._seeding.cancellation.requested:
            raise InterruptedError
        source, destination = self._source / path, self._seeding.scratch / path
        destination.parent.mkdir(parents=True, exist_ok=True)
        try:
            if source.is_symlink():
                destination.symlink_to(self._moved(source.readlink()))
                return True
            if not _reflink(source, destination):
                shutil.copyfile(source, destination)
            shutil.copystat(source, destination)
        except FileNotFoundError:
            if source.exists():
                raise
            # Of a unit that cargo is making, or of a folder that is being removed.
            destination.unlink(missing_ok=True)
            return is_temporary(path.name)
        return True

    def _moved(self, target: Path) -> Path:
        """Where a link has to lead from the new folder."""
        if target.is_relative_to(self._source):
            return self._final / target.relative_to(self._source)
        return target


def _look(folder: Path) -> dict[str, tuple[int, int]]:
    """What changes when cargo begins a unit anew: sizes and times of its fingerprint's files."""
    looked = {}
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            status = path.stat()
            looked[path.name] = (status.st_size, status.st_mtime_ns)
    return looked


def _reflink(source: Path, destination: Path) -> bool:
    """Whether the copy now shares the source's blocks; what was begun otherwise is overwritten by a plain copy."""
    if sys.platform != "linux":
        return False
    import fcntl

    with source.open("rb") as original, destination.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        except OSError:
            return False
    return True


def own_packages(names: Iterable[str], manifests: Iterable[Path]) -> frozenset[str]:
    """The packages whose sources lie in a tree: those that are known, and what its Cargo.toml files say.

    Args:
        names: as ``Project.own_crates``.
        manifests: every Cargo.toml of the tree; also of vendored crates, and of those that a ``.cargo/config.toml``
            patches in.
    """
    import tomllib

    found = set(names)
    for path in manifests:
        with contextlib.suppress(OSError, ValueError):
            package = tomllib.loads(path.read_text(encoding="utf-8")).get("package")
            if isinstance(package, dict) and isinstance(package.get("name"), str):
                found.add(package["name"])
    return frozenset(found)


def is_ripe(current: str, left: int, own_crates: Collection[str]) -> bool:
    """Whether cargo has compiled all that siblings can use.

    Args:
        current: the crates that it is at, as its bar says: ``syn, my-crate(build)``.
        left: units that are not done.
        own_crates: names of the packages that siblings compile themselves.
    """
    names = {name.partition("(")[0].strip() for name in current.split(",")}
    return left <= 1 or (bool(current) and names <= set(own_crates))
