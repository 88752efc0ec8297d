"""Tests of where interpreters are looked for, in made-up folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wheelworks.interpreter_places import (
    Candidate,
    candidates,
    is_shim_folder,
    registered_paths,
    uv_candidates,
    uv_folder,
)
from wheelworks.interpreters import parse_interpreter

if TYPE_CHECKING:
    from wheelworks.toolchains import HostSystem


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def _found(
    spec: str, home: Path, *, path: tuple[Path, ...] = (), system: HostSystem = "linux", **more: str
) -> list[Candidate]:
    environ = {"HOME": str(home), "PATH": os.pathsep.join(map(str, path)), **more}
    return list(candidates(parse_interpreter(spec), system=system, environ=environ))


def test_places_are_ordered_path_pyenv_uv_then_general_names(tmp_path: Path) -> None:
    """A name that says the version outranks one that does not."""
    exact = _touch(tmp_path / "bin/python3.13")
    general = _touch(tmp_path / "bin/python3")
    pyenv = _touch(tmp_path / ".pyenv/versions/3.13.0/bin/python")
    uv = _touch(tmp_path / ".local/share/uv/python/cpython-3.13.1-linux-x86_64-gnu/bin/python3.13")
    found = _found("3.13", tmp_path, path=(tmp_path / "bin",))
    assert [one.path for one in found] == [exact, pyenv, uv, general]
    assert [one.origin for one in found] == ["PATH", "pyenv", "uv", "PATH"]


def test_shims_come_last_and_are_marked(tmp_path: Path) -> None:
    """A shim starts whatever pyenv chooses for the folder, so anything else is better."""
    shim = _touch(tmp_path / ".pyenv/shims/python3.13")
    _touch(tmp_path / ".pyenv/shims/python3")
    real = _touch(tmp_path / ".pyenv/versions/3.13.0/bin/python")
    found = _found("3.13", tmp_path, path=(tmp_path / ".pyenv/shims",))
    assert [(one.path, one.is_shim) for one in found] == [(real, False), (shim, True)]


def test_the_newest_version_of_pyenv_is_tried_first(tmp_path: Path) -> None:
    """Numbers are compared as numbers, and pre-releases come after final versions."""
    for name in ("3.13.2", "3.13.10", "3.13.11rc1", "3.13-dev", "3.14.0", "3.13.1t", "mine"):
        _touch(tmp_path / ".pyenv/versions" / name / "bin/python")
    found = [one.path.parent.parent.name for one in _found("3.13", tmp_path)]
    assert found == ["3.13.10", "3.13.2", "3.13.11rc1", "3.13-dev"]


@pytest.mark.parametrize(
    ("spec", "folder"), [("3.14t", "3.14.0t"), ("pp311", "pypy3.11-7.3.20"), ("3.14", "3.14.0")]
)
def test_pyenv_folders_are_told_apart_by_their_names(
    tmp_path: Path, spec: str, folder: str
) -> None:
    """Free-threaded builds and PyPy have names of their own."""
    for name in ("3.14.0t", "pypy3.11-7.3.20", "3.14.0", "3.11.0"):
        _touch(tmp_path / ".pyenv/versions" / name / "bin/python")
    assert [one.path.parent.parent.name for one in _found(spec, tmp_path)] == [folder]


@pytest.mark.parametrize(
    ("spec", "folder", "program"),
    [
        ("3.14", "cpython-3.14.0-linux-x86_64-gnu", "python3.14"),
        ("3.14t", "cpython-3.14.0+freethreaded-linux-x86_64-gnu", "python3.14t"),
        ("pp311", "pypy-3.11.11-linux-x86_64-gnu", "pypy3.11"),
        ("3.15", "cpython-3.15.0rc1-macos-aarch64-none", "python3.15"),
    ],
)
def test_uv_folders_are_told_apart_by_their_names(
    tmp_path: Path, spec: str, folder: str, program: str
) -> None:
    """One folder serves one spec."""
    names = {
        "cpython-3.14.0-linux-x86_64-gnu": "python3.14",
        "cpython-3.14.0+freethreaded-linux-x86_64-gnu": "python3.14t",
        "pypy-3.11.11-linux-x86_64-gnu": "pypy3.11",
        "cpython-3.15.0rc1-macos-aarch64-none": "python3.15",
    }
    for name, python in names.items():
        _touch(tmp_path / name / "bin" / python)
    environ = {"UV_PYTHON_INSTALL_DIR": str(tmp_path)}
    found = list(uv_candidates(parse_interpreter(spec), system="linux", environ=environ))
    assert [one.path for one in found] == [tmp_path / folder / "bin" / program]


def test_a_named_pyenv_root_is_used(tmp_path: Path) -> None:
    """PYENV_ROOT outranks the home folder."""
    _touch(tmp_path / ".pyenv/versions/3.13.0/bin/python")
    other = _touch(tmp_path / "other/versions/3.13.1/bin/python")
    found = _found("3.13", tmp_path, PYENV_ROOT=str(tmp_path / "other"))
    assert [one.path for one in found] == [other]


def test_windows_layouts_are_known(tmp_path: Path) -> None:
    """Programs end in .exe and have no bin folder; the Store's placeholders come last."""
    exact = _touch(tmp_path / "bin/python3.13.exe")
    store = _touch(tmp_path / "WindowsApps/python3.13.exe")
    pyenv = _touch(tmp_path / ".pyenv/pyenv-win/versions/3.13.0/python.exe")
    uv = _touch(tmp_path / "roaming/uv/python/cpython-3.13.1-windows-x86_64-none/python.exe")
    installed = _touch(tmp_path / "local/Programs/Python/Python313/python.exe")
    found = _found(
        "3.13",
        tmp_path,
        path=(tmp_path / "WindowsApps", tmp_path / "bin"),
        system="windows",
        APPDATA=str(tmp_path / "roaming"),
        LOCALAPPDATA=str(tmp_path / "local"),
    )
    assert [one.path for one in found] == [exact, pyenv, uv, installed, store]
    assert found[-1].is_shim


def test_pypy_on_windows_is_not_looked_for_in_cpythons_folders(tmp_path: Path) -> None:
    """The installers' folders hold CPython only."""
    _touch(tmp_path / "local/Programs/Python/Python311/python.exe")
    found = _found("pp311", tmp_path, system="windows", LOCALAPPDATA=str(tmp_path / "local"))
    assert found == []


def test_mac_frameworks_are_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The installer of python.org puts its frameworks where PATH may not reach."""
    tried: list[str] = []

    def is_file(path: Path) -> bool:
        tried.append(path.as_posix())
        return False

    monkeypatch.setattr("pathlib.Path.is_file", is_file)
    path = (Path("/usr/bin"), Path("/opt/bin"))
    assert _found("3.14t", tmp_path, path=path, system="macos") == []
    framework = "/Library/Frameworks/PythonT.framework/Versions/3.14/bin/python3.14t"
    assert framework in tried
    assert "/opt/homebrew/bin/python3.14t" in tried
    assert "/opt/bin/python3" in tried
    # Apple's placeholder would open a dialogue.
    assert "/usr/bin/python3" not in tried


def test_our_own_interpreter_is_a_last_resort(tmp_path: Path) -> None:
    """The Python that runs wheelworks may lie nowhere else."""
    own = _touch(tmp_path / "deep/python")
    spec = parse_interpreter("3.13")
    found = list(candidates(spec, system="linux", environ={"HOME": str(tmp_path)}, own=own))
    assert found == [Candidate(path=own, origin="wheelworks")]


def test_a_path_is_given_once(tmp_path: Path) -> None:
    """A folder that is on PATH twice is tried once."""
    exact = _touch(tmp_path / "bin/python3.13")
    found = _found("3.13", tmp_path, path=(tmp_path / "bin", tmp_path / "bin"))
    assert [one.path for one in found] == [exact]


def test_uv_folder_follows_the_systems_conventions(tmp_path: Path) -> None:
    """As uv computes it."""
    assert uv_folder("linux", {"XDG_DATA_HOME": "/data"}).as_posix() == "/data/uv/python"
    assert uv_folder("macos", {"HOME": "/h"}).as_posix() == "/h/.local/share/uv/python"
    assert uv_folder("windows", {"APPDATA": "/r"}).as_posix() == "/r/uv/python"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [(".pyenv/shims", True), ("Microsoft/WindowsApps", True), ("usr/bin", False)],
)
def test_shim_folders_are_known_by_name(tmp_path: Path, folder: str, expected: bool) -> None:
    """All version managers call it so."""
    assert is_shim_folder(tmp_path / folder) is expected


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a registry")
def test_other_systems_have_no_registry() -> None:
    """Nothing is looked up there."""
    assert list(registered_paths(parse_interpreter("3.13"))) == []
