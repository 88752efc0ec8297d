"""Where a Python interpreter may lie on this machine, best places first.

Takes a spec, the caller's environment and the kind of system; reads folder names, starts nothing.
Whether a candidate is what its name says is ``interpreter_discovery.py``'s question.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelworks.interpreters import InterpreterSpec
    from wheelworks.toolchains import HostSystem

#: Folders of small scripts (pyenv, mise, asdf) that start whatever version is chosen for the
#: moment.
SHIM_FOLDER = "shims"
#: Windows' placeholders that open the Store.
STORE_FOLDER = "windowsapps"
APPLE_FOLDER = Path("/usr/bin")
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that may be the interpreter."""

    path: Path
    origin: str
    """``PATH``, ``pyenv``, ``uv``, ``system``, ``configuration``, ``wheelworks``."""
    is_shim: bool = False


def candidates(
    spec: InterpreterSpec,
    *,
    system: HostSystem,
    environ: Mapping[str, str],
    own: Path | None = None,
) -> Iterator[Candidate]:
    """Every place for the spec, best first, without repetition of a path; lazily.

    Args:
        spec: the interpreter.
        system: kind of host.
        environ: the caller's environment (PATH, PYENV_ROOT, UV_PYTHON_INSTALL_DIR, HOME).
        own: the interpreter that runs wheelworks.
    """
    seen: set[Path] = set()
    for candidate in _all(spec, system, environ, own):
        if candidate.path not in seen and candidate.path.is_file():
            seen.add(candidate.path)
            yield candidate


def uv_candidates(
    spec: InterpreterSpec, *, system: HostSystem, environ: Mapping[str, str]
) -> Iterator[Candidate]:
    """Interpreters in uv's folder, newest first.

    They are named ``cpython-3.14.0+freethreaded-linux-x86_64-gnu``.
    """
    name = "pypy" if spec.implementation == "pp" else "cpython"
    threaded = r"\+freethreaded" if spec.free_threaded else ""
    pattern = rf"{name}-{re.escape(spec.version)}(\.\d+)?((a|b|rc)\d+)?{threaded}-.*"
    for folder in _newest(uv_folder(system, environ), pattern):
        yield Candidate(path=_program(folder, spec, system), origin="uv")


def uv_folder(system: HostSystem, environ: Mapping[str, str]) -> Path:
    """Where uv keeps the interpreters that it installed."""
    named = environ.get("UV_PYTHON_INSTALL_DIR")
    if named:
        return Path(named)
    if system == "windows":
        return Path(environ.get("APPDATA") or home_folder(environ)) / "uv" / "python"
    data = environ.get("XDG_DATA_HOME")
    return (Path(data) if data else home_folder(environ) / ".local" / "share") / "uv" / "python"


def home_folder(environ: Mapping[str, str]) -> Path:
    """The user's home folder."""
    named = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(named) if named else Path.home()


def _all(
    spec: InterpreterSpec, system: HostSystem, environ: Mapping[str, str], own: Path | None
) -> Iterator[Candidate]:
    search = [Path(folder) for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    plain = [folder for folder in search if not is_shim_folder(folder)]
    shims = [folder for folder in search if is_shim_folder(folder)]
    suffix = ".exe" if system == "windows" else ""
    exact, general = (
        f"{_name(spec)}{suffix}",
        tuple(f"{name}{suffix}" for name in _general_names(spec)),
    )
    yield from (Candidate(path=folder / exact, origin="PATH") for folder in plain)
    yield from _pyenv(spec, system, environ)
    yield from uv_candidates(spec, system=system, environ=environ)
    yield from _system_wide(spec, system, environ)
    # Apple's python3 is too old, and without developer tools it opens a dialogue.
    spoken = [one for one in plain if system != "macos" or one != APPLE_FOLDER]
    yield from (
        Candidate(path=folder / name, origin="PATH") for folder in spoken for name in general
    )
    if own is not None:
        yield Candidate(path=own, origin="wheelworks")
    for folder in shims:
        yield Candidate(path=folder / exact, origin="PATH", is_shim=True)


def is_shim_folder(folder: Path) -> bool:
    """Whether the programs in a folder of PATH are not what their names say."""
    return folder.name == SHIM_FOLDER or folder.name.lower() == STORE_FOLDER


def _name(spec: InterpreterSpec) -> str:
    if spec.implementation == "pp":
        return f"pypy{spec.version}"
    return f"python{spec.version}{'t' if spec.free_threaded else ''}"


def _general_names(spec: InterpreterSpec) -> tuple[str, ...]:
    return ("pypy3", "pypy") if spec.implementation == "pp" else ("python3", "python")


def _pyenv(
    spec: InterpreterSpec, system: HostSystem, environ: Mapping[str, str]
) -> Iterator[Candidate]:
    named = environ.get("PYENV_ROOT")
    root = Path(named) if named else home_folder(environ) / ".pyenv"
    if system == "windows" and not named:
        root = root / "pyenv-win"
    version = re.escape(spec.version)
    if spec.implementation == "pp":
        pattern = rf"pypy{version}(-.*)?"
    else:
        threaded = "t" if spec.free_threaded else ""
        pattern = rf"{version}(\.\d+)?(-dev|(a|b|rc)\d+)?{threaded}"
    for folder in _newest(root / "versions", pattern):
        python = folder / "python.exe" if system == "windows" else folder / "bin" / "python"
        yield Candidate(path=python, origin="pyenv")


def _system_wide(
    spec: InterpreterSpec, system: HostSystem, environ: Mapping[str, str]
) -> Iterator[Candidate]:
    """Installers' folders that are often not on PATH."""
    if system == "windows":
        yield from _windows(spec, environ)
    if system != "macos":
        return
    framework = "PythonT.framework" if spec.free_threaded else "Python.framework"
    folders = (
        Path("/Library/Frameworks") / framework / "Versions" / spec.version / "bin",
        Path("/opt/homebrew/bin"),
        Path("/usr/local/bin"),
    )
    yield from (Candidate(path=folder / _name(spec), origin="system") for folder in folders)


def _windows(spec: InterpreterSpec, environ: Mapping[str, str]) -> Iterator[Candidate]:
    for path in registered_paths(spec):
        yield Candidate(path=path, origin="system")
    if spec.implementation == "pp":
        return
    threaded = "t" if spec.free_threaded else ""
    folder = f"Python{spec.major}{spec.minor}"
    for variable, parts in (("LOCALAPPDATA", ("Programs", "Python")), ("PROGRAMFILES", ())):
        if environ.get(variable):
            base = Path(environ[variable], *parts, folder)
            yield Candidate(path=base / f"python{spec.version}{threaded}.exe", origin="system")
            yield Candidate(path=base / "python.exe", origin="system")


if sys.platform == "win32":

    def registered_paths(spec: InterpreterSpec) -> Iterator[Path]:
        """What installers wrote into the registry (PEP 514); ``py --list-paths`` shows the same."""
        import winreg

        threaded = "t" if spec.free_threaded else ""
        tags = (
            f"{spec.version}{threaded}",
            f"{spec.version}{threaded}-arm64",
            f"{spec.version}-32",
        )
        for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
            for company in ("PythonCore", "Astral", "PyPy"):
                for tag in tags:
                    key = rf"Software\Python\{company}\{tag}\InstallPath"
                    try:
                        with winreg.OpenKey(root, key) as opened:
                            yield Path(str(winreg.QueryValueEx(opened, "ExecutablePath")[0]))
                    except OSError:
                        continue

else:

    def registered_paths(spec: InterpreterSpec) -> Iterator[Path]:
        """Only Windows has a registry."""
        yield from ()


def _program(folder: Path, spec: InterpreterSpec, system: HostSystem) -> Path:
    if system == "windows":
        return folder / ("pypy.exe" if spec.implementation == "pp" else "python.exe")
    return folder / "bin" / _name(spec)


def _newest(parent: Path, pattern: str) -> Iterable[Path]:
    """Folders whose name matches, the highest version first."""
    try:
        found = [entry for entry in parent.iterdir() if re.fullmatch(pattern, entry.name)]
    except OSError:
        return ()
    return sorted(found, key=_version_order, reverse=True)


def _version_order(folder: Path) -> tuple[bool, tuple[int, ...], str]:
    """Final versions after pre-releases, then by number."""
    is_final = re.search(r"\d(a|b|rc)\d|-dev", folder.name) is None
    return is_final, tuple(int(number) for number in NUMBER.findall(folder.name)), folder.name
