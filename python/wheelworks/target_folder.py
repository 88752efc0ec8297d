"""What lies in a cargo target folder: profiles, units and their fingerprints, in both of cargo's layouts.

Reads folders and changes nothing. Until 1.99 a profile has ``.fingerprint/<package>-<hash>/``, with a build script's
folder at ``build/<package>-<hash>/`` and libraries side by side in ``deps/``. The layout that is the default from 1.100
on (rust-lang/cargo#17354, before ``-Zbuild-dir-new-layout``) has one folder per unit, ``build/<package>/<hash>/``, that
holds all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_OLD: Final = ".fingerprint"
_NEW: Final = "fingerprint"
#: Facts about the folder as a whole, which save cargo a question.
_TOP_FILES: Final = (".rustc_info.json", "CACHEDIR.TAG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What cargo makes in one go: a library, a build script, the run of one. Paths relative to the target folder."""

    package: str
    fingerprint: Path
    """Folder in which cargo notes what the unit was made from; its hash file is empty while the unit is being made."""
    folders: tuple[Path, ...]
    """All folders that are the unit's alone, the fingerprint's among them."""
    out: Path
    """Where a build script writes (``OUT_DIR``), if the unit is the run of one."""

    def is_finished(self, root: Path) -> bool:
        """Whether the hash is filled in. Beside it lie its explanation (.json), dep-info and a time stamp."""
        sizes = [
            path.stat().st_size
            for path in (root / self.fingerprint).glob("*")
            if path.suffix != ".json"
            and not path.name.startswith("dep-")
            and path.name != "invoked.timestamp"
        ]
        return bool(sizes) and all(sizes)


def units_of(root: Path) -> Iterator[Unit]:
    """Every unit of a target folder, finished or not."""
    for profile in _profiles(root):
        for folder in sorted(_folders(root / profile / _OLD)):
            own = profile / "build" / folder.name
            mark = profile / _OLD / folder.name
            yield Unit(
                package=folder.name.rpartition("-")[0],
                fingerprint=mark,
                folders=(mark, own),
                out=own / "out",
            )
        for fingerprint in sorted((root / profile / "build").glob(f"*/*/{_NEW}")):
            own = fingerprint.parent.relative_to(root)
            yield Unit(
                package=fingerprint.parent.parent.name,
                fingerprint=own / _NEW,
                folders=(own,),
                out=own / "out",
            )


def has_outputs(root: Path, unit: Unit) -> bool:
    """Whether the unit is the run of a build script that wrote files, or that spoke of a place in the target folder.

    Libraries of the new layout lie in ``out``, too; what a script said lies in ``output`` or ``run/stdout``.
    """
    holder = root / unit.out.parent
    for said in (holder / "output", holder / "run" / "stdout"):
        if said.is_file():
            wrote = any(path.is_file() for path in (root / unit.out).rglob("*"))
            return wrote or bytes(root) in said.read_bytes()
    return False


def loose_files(root: Path, own_crates: frozenset[str]) -> Iterator[Path]:
    """The files that units of the old layout share folders for, and those of the target folder as a whole.

    Without what belongs to the named packages, as far as names tell, and without a compiler's temporary files. A
    library whose fingerprint is missing is made anew, so one too many does no harm.
    """
    yield from (Path(name) for name in _TOP_FILES if (root / name).is_file())
    stems = tuple(
        f"{prefix}{crate.replace('-', '_')}-" for crate in own_crates for prefix in ("", "lib")
    )
    for profile in _profiles(root):
        for path in sorted((root / profile / "deps").glob("*")):
            is_own = bool(stems) and path.name.startswith(stems)
            if path.is_file() and not is_own and not is_temporary(path.name):
                yield path.relative_to(root)


def is_temporary(name: str) -> bool:
    """Whether a compiler removes the file by itself: object files before they are linked, unfinished metadata."""
    return name.endswith(".rcgu.o") or name.startswith("rmeta")


def _profiles(root: Path) -> Iterator[Path]:
    """``release`` for the host's own units and ``<triple>/release`` for the target's, relative to the folder."""
    for first in sorted(_folders(root)):
        for folder in (first, *sorted(_folders(first))):
            if (folder / _OLD).is_dir() or (folder / "build").is_dir():
                yield folder.relative_to(root)


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_dir() and not path.is_symlink()]
