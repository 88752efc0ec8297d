"""The project that a folder stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheelworks.config.find import FoundProject, candidates_below, find_project
from wheelworks.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

MATURIN = '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n'


def project(folder: Path, name: str | None = None, section: str = "") -> Path:
    """Write a maturin project."""
    folder.mkdir(parents=True, exist_ok=True)
    named = f'[project]\nname = "{name}"\n' if name else ""
    (folder / "pyproject.toml").write_text(MATURIN + named + section)
    return folder


def other(folder: Path, section: str = "") -> Path:
    """Write a pyproject.toml of another backend."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "top"\n' + section)
    return folder


def root_of(found: FoundProject) -> Path:
    """The folder of the project that was found."""
    return found.pyproject.path.parent


def top_of(found: FoundProject) -> Path | None:
    """The folder of the top that was found."""
    return found.top.path.parent if found.top else None


def test_the_folder_itself(tmp_path: Path) -> None:
    """A maturin project here is the one that is meant."""
    found = find_project(project(tmp_path / "a"), None)
    assert (root_of(found), found.top) == (tmp_path / "a", None)


def test_a_folder_within_a_project(tmp_path: Path) -> None:
    """As cargo does, the nearest project above; one with another backend is passed over."""
    project(tmp_path)
    other(tmp_path / "tools")
    inner = tmp_path / "tools" / "x" / "y"
    inner.mkdir(parents=True)
    assert root_of(find_project(inner, None)) == tmp_path


def test_the_only_project_below(tmp_path: Path) -> None:
    """Where the top is none of maturin's, the one below is taken."""
    other(tmp_path)
    project(tmp_path / "bindings" / "python")
    found = find_project(tmp_path, None)
    assert (root_of(found), found.top) == (tmp_path / "bindings" / "python", None)


def test_the_top_is_found_without_a_pyproject(tmp_path: Path) -> None:
    """A repository's top needs no pyproject.toml of its own."""
    project(tmp_path / "python")
    assert root_of(find_project(tmp_path, None)) == tmp_path / "python"


def test_several_projects_are_named_with_the_way_out(tmp_path: Path) -> None:
    """Nothing is chosen by chance."""
    project(tmp_path / "a", "one")
    project(tmp_path / "b")
    with pytest.raises(ConfigurationError, match=r"several maturin projects.*: a \(one\), b$") as e:
        find_project(tmp_path, None)
    assert e.value.hint is not None
    for way in ("--package NAME", "-C FOLDER", 'package = "FOLDER"'):
        assert way in e.value.hint


@pytest.mark.parametrize("package", ["one", "ONE", "libs/a", "a"])
def test_a_package_is_chosen_by_name_or_folder(tmp_path: Path, package: str) -> None:
    """Project name, path below the top, or the folder's own name."""
    project(tmp_path / "libs" / "a", "One")
    project(tmp_path / "libs" / "b", "two")
    assert root_of(find_project(tmp_path, package)) == tmp_path / "libs" / "a"


def test_the_top_can_choose(tmp_path: Path) -> None:
    """[tool.wheelworks] package at the top, from there, from within, and from a folder beside."""
    other(tmp_path, '[tool.wheelworks]\npackage = "a"\njobs = 1\n')
    (tmp_path / "docs").mkdir()
    for name in ("a", "b"):
        project(tmp_path / name, name)
    for start in (tmp_path, tmp_path / "a", tmp_path / "docs"):
        found = find_project(start, None)
        assert (root_of(found), top_of(found)) == (tmp_path / "a", tmp_path)
    for found in (find_project(tmp_path, "b"), find_project(tmp_path / "b", None)):
        assert (root_of(found), found.top) == (tmp_path / "b", None)


def test_a_section_without_a_choice_is_for_all(tmp_path: Path) -> None:
    """A top that is no package itself speaks for the packages below."""
    other(tmp_path, "[tool.wheelworks]\njobs = 1\n")
    project(tmp_path / "a")
    assert top_of(find_project(tmp_path / "a", None)) == tmp_path


def test_a_package_above_is_no_top(tmp_path: Path) -> None:
    """A project inside another one, as a sample of its tests, has nothing from it."""
    project(tmp_path, "outer", "[tool.wheelworks]\njobs = 1\n")
    inner = project(tmp_path / "tests" / "sample", "inner")
    assert find_project(inner, None).top is None


def test_a_top_that_is_a_package_can_choose_another(tmp_path: Path) -> None:
    """By the option, or by its own name."""
    project(tmp_path, "outer", '[tool.wheelworks]\npackage = "libs/inner"\n')
    project(tmp_path / "libs" / "inner", "inner")
    assert root_of(find_project(tmp_path, None)) == tmp_path / "libs" / "inner"
    assert root_of(find_project(tmp_path, "outer")) == tmp_path
    assert root_of(find_project(tmp_path, "inner")) == tmp_path / "libs" / "inner"


def test_an_unknown_package_comes_with_the_nearest(tmp_path: Path) -> None:
    """Or with all that there are."""
    project(tmp_path / "alpha")
    with pytest.raises(ConfigurationError) as near:
        find_project(tmp_path, "alhpa")
    assert near.value.hint == "the nearest valid name is alpha"
    with pytest.raises(ConfigurationError) as far:
        find_project(tmp_path, "zzz")
    assert far.value.hint == "there are alpha"
    with pytest.raises(ConfigurationError) as none:
        find_project(tmp_path / "alpha", "zzz")
    assert none.value.hint == "there is none at all"


def test_copies_and_environments_are_left_out(tmp_path: Path) -> None:
    """So are hidden folders, outputs and what lies too deep; broken files are no candidates."""
    for name in (".hidden", ".venv", "target", "node_modules", "dist", "1/2/3/4/5"):
        project(tmp_path / name)
    project(tmp_path / "env" / "lib")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "pyproject.toml").write_text("= 3")
    deep = project(tmp_path / "a" / "b" / "c" / "d")
    project(deep / "sample")
    (tmp_path / "linked").symlink_to(deep)
    assert [found.path.parent for found in candidates_below(tmp_path)] == [deep]


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    """A repository of many samples does not fill the screen."""
    for number in range(12):
        project(tmp_path / f"sample{number:02}")
    with pytest.raises(ConfigurationError, match=r"sample09 and 2 more$"):
        find_project(tmp_path, None)


def test_no_project_at_all(tmp_path: Path) -> None:
    """The message says where was looked."""
    with pytest.raises(ConfigurationError, match="no project that maturin builds was found"):
        find_project(tmp_path, None)
    other(tmp_path)
    with pytest.raises(ConfigurationError, match="names another build backend"):
        find_project(tmp_path, None)


def test_no_such_folder(tmp_path: Path) -> None:
    """-C with a wrong path."""
    with pytest.raises(ConfigurationError, match="there is no folder"):
        find_project(tmp_path / "gone", None)


def test_a_broken_file_here_is_told(tmp_path: Path) -> None:
    """The file that is meant is not passed over."""
    (tmp_path / "pyproject.toml").write_text("= 3")
    with pytest.raises(ConfigurationError, match="is no valid TOML"):
        find_project(tmp_path, None)


def test_a_folder_that_is_not_readable_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without permission does not end the search."""

    def refuse(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr("wheelworks.config.find.os.scandir", refuse)
    assert candidates_below(tmp_path) == ()
