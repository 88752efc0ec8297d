"""Finds the maturin project that is meant, as cargo finds a package: here, above, or the one below.

(!) Reads pyproject.toml files. Takes a folder and perhaps a name, gives the package's PyProject and
that of the repository's top. Does not read Cargo.toml, nor what the sections hold.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.config.cargo import join
from wheelworks.config.pyproject import PyProject, normalize_name, read_pyproject
from wheelworks.config.sources import read_toml
from wheelworks.config.toml_values import text_at
from wheelworks.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PYPROJECT = "pyproject.toml"
_DEPTH = 4
#: How many candidates a message names.
_LISTED = 10
#: Folders that hold copies, environments and what builds leave behind.
_SKIPPED = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "target"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProject:
    """The package that is meant."""

    pyproject: PyProject
    top: PyProject | None
    """The pyproject.toml at the top of a repository with several packages, whose section applies
    to this one below the package's own."""


def find_project(start: Path, package: str | None) -> FoundProject:
    """The project that a folder stands for.

    Args:
        start: the folder that was started in, or that ``-C`` names.
        package: folder or project name of the package that is wanted; None for the only one.

    Raises:
        ConfigurationError: there is none, there are several, or a pyproject.toml is broken.
    """
    start = Path(os.path.abspath(start))  # noqa: PTH100  resolve() would follow symbolic links
    if not start.is_dir():
        msg = f"there is no folder {start}"
        raise ConfigurationError(msg, hint="name another one by -C FOLDER")
    here = _read_in(start)
    if here is not None:
        return _find_from(start, here, package)
    above = next(_readable_above(start, wanted=_is_anchor), None)
    if above is None:
        return _find_below(start, None, package)
    return _find_from(above.path.parent, above, package)


def candidates_below(folder: Path) -> tuple[PyProject, ...]:
    """The maturin projects in the folders below, up to four levels deep, in order of their paths.

    Hidden folders, environments and build outputs are left out, and so is what lies inside a
    project that was found.
    """
    found = (_read_quietly(path) for path in _walk(folder, _DEPTH))
    return tuple(pyproject for pyproject in found if pyproject is not None)


def _find_from(folder: Path, here: PyProject, package: str | None) -> FoundProject:
    """The project of a folder that has a pyproject.toml."""
    wanted = package or text_at(here.section, "package")
    is_here = here.is_maturin and (wanted is None or _is_called(here, wanted, folder))
    return _found(here) if is_here else _find_below(folder, here, wanted)


def _find_below(folder: Path, top: PyProject | None, package: str | None) -> FoundProject:
    if package is not None:
        direct = _read_in(join(folder, package))
        if direct is not None and direct.is_maturin:
            return _found(direct)
    candidates = candidates_below(folder)
    if package is not None:
        named = [found for found in candidates if _is_called(found, package, folder)]
        if not named:
            raise _unknown_package(folder, package, candidates)
        candidates = tuple(named)
    if not candidates:
        raise _no_project(folder, top)
    if len(candidates) > 1:
        raise _several(folder, candidates)
    return _found(candidates[0])


def _found(pyproject: PyProject) -> FoundProject:
    return FoundProject(pyproject=pyproject, top=_top_of(pyproject))


def _is_called(pyproject: PyProject, wanted: str, base: Path) -> bool:
    """Whether a package is meant by a folder below the base, or by its name."""
    folder = pyproject.path.parent
    if join(base, wanted) == folder:
        return True
    names = {normalize_name(name) for name in (pyproject.name, folder.name) if name}
    return normalize_name(wanted) in names


def _top_of(pyproject: PyProject) -> PyProject | None:
    """The nearest pyproject.toml above whose section is for this package.

    It names the package, or names none and is no package of maturin's itself. So the same settings
    apply, whether one starts at the top or in the package.
    """

    def is_for_it(above: PyProject) -> bool:
        if above.section is None:
            return False
        wanted = text_at(above.section, "package")
        if wanted is None:
            return not above.is_maturin
        return _is_called(pyproject, wanted, above.path.parent)

    return next(_readable_above(pyproject.path.parent, wanted=is_for_it), None)


def _is_anchor(pyproject: PyProject) -> bool:
    """Whether a folder below it stands for this project: maturin's, or one with our section."""
    return pyproject.is_maturin or pyproject.section is not None


def _readable_above(folder: Path, *, wanted: Callable[[PyProject], bool]) -> Iterator[PyProject]:
    for parent in folder.parents:
        pyproject = _read_quietly(parent / PYPROJECT)
        if pyproject is not None and wanted(pyproject):
            yield pyproject


def _read_in(folder: Path) -> PyProject | None:
    path = folder / PYPROJECT
    return read_pyproject(read_toml(path), path) if path.is_file() else None


def _read_quietly(path: Path) -> PyProject | None:
    """A pyproject.toml; None where it is missing or broken, because it may not be the one meant."""
    try:
        return _read_in(path.parent)
    except ConfigurationError:
        return None


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    """The pyproject.toml files of maturin projects below a folder."""
    try:
        names = sorted(e.name for e in os.scandir(folder) if e.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in names:
        if name.startswith(".") or name in _SKIPPED:
            continue
        path = folder / name / PYPROJECT
        found = _read_quietly(path)
        if found is not None and found.is_maturin:
            yield path
        elif depth > 1 and not (folder / name / "pyvenv.cfg").exists():
            yield from _walk(folder / name, depth - 1)


def _no_project(folder: Path, top: PyProject | None) -> ConfigurationError:
    where = f"in {folder}, the folders above it, or {_DEPTH} levels below it"
    message = f"no project that maturin builds was found {where}"
    if top is not None:
        message += f"; {top.path} names another build backend"
    hint = (
        'go to the project, name its folder by -C FOLDER, or set build-backend = "maturin"'
        " under [build-system]"
    )
    return ConfigurationError(message, hint=hint)


def _several(folder: Path, candidates: Sequence[PyProject]) -> ConfigurationError:
    listed = ", ".join(_describe(found, folder) for found in candidates[:_LISTED])
    if len(candidates) > _LISTED:
        listed += f" and {len(candidates) - _LISTED} more"
    message = f"several maturin projects lie below {folder}: {listed}"
    hint = (
        "choose one by --package NAME or -C FOLDER, or by [tool.wheelworks] package = "
        f'"FOLDER" in {folder / PYPROJECT}'
    )
    return ConfigurationError(message, hint=hint)


def _unknown_package(
    folder: Path, package: str, candidates: Sequence[PyProject]
) -> ConfigurationError:
    listed = [_describe(found, folder) for found in candidates]
    names = [name for found in candidates for name in (found.name, found.path.parent.name) if name]
    near = difflib.get_close_matches(package, names, n=1)
    message = f"no maturin project below {folder} is called {package!r}"
    hint = f"the nearest valid name is {near[0]}" if near else None
    if hint is None:
        hint = f"there are {', '.join(listed)}" if listed else "there is none at all"
    fault = Fault(key="package", origin=str(folder), message=message, hint=hint)
    return ConfigurationError(message, faults=(fault,), hint=hint)


def _describe(pyproject: PyProject, base: Path) -> str:
    folder = pyproject.path.parent.relative_to(base).as_posix()
    return f"{folder} ({pyproject.name})" if pyproject.name else folder
