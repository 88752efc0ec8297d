"""The Python part of a project, by maturin's rules."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from wheelworks.config.layout import (
    find_layout,
    find_python_source,
    find_test_locations,
    holds_python,
    is_python_first,
)
from wheelworks.config.pyproject import PyProject, read_pyproject

if TYPE_CHECKING:
    from pathlib import Path


def tree(root: Path, *names: str) -> None:
    """Make empty files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def read(root: Path, text: str = "") -> PyProject:
    """The PyProject of a text in that folder."""
    return read_pyproject(tomllib.loads(text), root / "pyproject.toml")


def test_a_package_in_its_own_folder(tmp_path: Path) -> None:
    """``python-source`` holds the package and its stub."""
    tree(tmp_path, "python/a/__init__.py", "python/a.pyi")
    found = find_layout(read(tmp_path, '[tool.maturin]\npython-source = "python"'), "a._native")
    assert found.python_source == tmp_path / "python"
    assert found.package_dirs == (tmp_path / "python" / "a", tmp_path / "python" / "a.pyi")
    assert found.import_names == ("a",)


def test_a_package_beside_the_crate(tmp_path: Path) -> None:
    """The flat layout, with further packages."""
    tree(tmp_path, "a/__init__.py", "b/c/__init__.py")
    found = find_layout(
        read(tmp_path, '[tool.maturin]\npython-packages = ["b/c", "gone"]'), "a._native"
    )
    assert found.package_dirs == (tmp_path / "a", tmp_path / "b" / "c")
    assert found.import_names == ("a", "b")


def test_pure_rust(tmp_path: Path) -> None:
    """No package; a stub is still no part of the tests."""
    tree(tmp_path, "a.pyi")
    found = find_layout(read(tmp_path), "a")
    assert (found.python_source, found.import_names) == (None, ())
    assert found.package_dirs == (tmp_path / "a.pyi",)


def test_a_crate_of_the_same_name_is_no_package(tmp_path: Path) -> None:
    """A folder with Cargo.toml and without __init__.py."""
    tree(tmp_path, "a/Cargo.toml")
    assert find_layout(read(tmp_path), "a").python_source is None


def test_a_missing_package_is_a_fault(tmp_path: Path) -> None:
    """Maturin refuses a python-source without the package, so it is said at once."""
    (tmp_path / "python").mkdir()
    found = find_layout(read(tmp_path, '[tool.maturin]\npython-source = "python"'), "a")
    assert [fault.key for fault in found.faults] == ["tool.maturin.python-source"]


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ('[project]\nname = "my-pkg"', ("src/my_pkg/__init__.py",), True),
        ('[tool.maturin]\npython-packages = ["x"]', ("src/x/__init__.py",), True),
        ('[tool.maturin]\npython-source = "py"', (), True),
        ('[project]\nname = "my-pkg"', (), False),
        ("", (), False),
    ],
)
def test_the_python_first_layout(
    tmp_path: Path, text: str, files: tuple[str, ...], expected: bool
) -> None:
    """``rust/Cargo.toml`` beside ``src/<package>``, as maturin tells it."""
    assert not is_python_first(read(tmp_path, text))
    tree(tmp_path, "rust/Cargo.toml", *files)
    assert is_python_first(read(tmp_path, text)) is expected


def test_the_source_folder_of_the_python_first_layout(tmp_path: Path) -> None:
    """There the package is below ``src``."""
    tree(tmp_path, "rust/Cargo.toml", "src/a/__init__.py")
    assert find_python_source(read(tmp_path, '[project]\nname = "a"')) == tmp_path / "src"


@pytest.mark.parametrize(
    ("text", "files", "paths", "origin"),
    [
        ("", ("tests/test_a.py",), ("tests",), "folder tests"),
        ("", ("test/sub/test_a.py",), ("test",), "folder test"),
        ("", ("tests/it.rs", "test/a.py"), ("test",), "folder test"),
        ("", ("tests/it.rs",), (), "no tests"),
        ("", ("tests/.hidden/a.py", "tests/__pycache__/b.py"), (), "no tests"),
        (
            '[tool.maturin]\npython-source = "py"',
            ("py/tests/a.py",),
            ("py/tests",),
            "folder py/tests",
        ),
        (
            '[tool.maturin]\nmanifest-path = "crates/py/Cargo.toml"',
            ("crates/py/tests/a.py",),
            ("crates/py/tests",),
            "folder crates/py/tests",
        ),
        (
            '[tool.maturin]\nmanifest-path = "../py/Cargo.toml"',
            ("../py/tests/a.py",),
            (),
            "no tests",
        ),
        (
            '[tool.pytest.ini_options]\ntestpaths = ["x", "gone", "../up"]',
            ("x/a.py", "tests/a.py"),
            ("x",),
            "testpaths in pyproject.toml",
        ),
        (
            '[tool.pytest.ini_options]\ntestpaths = ["gone"]',
            ("tests/a.py",),
            ("tests",),
            "folder tests",
        ),
    ],
)
def test_places_of_tests(
    tmp_path: Path, text: str, files: tuple[str, ...], paths: tuple[str, ...], origin: str
) -> None:
    """What pytest's configuration names and exists; else a folder that holds Python."""
    tree(tmp_path, *files)
    found = find_test_locations(read(tmp_path, text))
    assert (found.paths, found.origin) == (paths, origin)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pytest.ini", "[pytest]\ntestpaths = spec\n"),
        ("tox.ini", "[tox]\n[pytest]\ntestpaths =\n  spec\n"),
        ("setup.cfg", "[tool:pytest]\ntestpaths = spec\n"),
    ],
)
def test_testpaths_in_pytests_other_files(tmp_path: Path, name: str, content: str) -> None:
    """They outrank pyproject.toml."""
    tree(tmp_path, "spec/a.py", "tests/a.py")
    (tmp_path / name).write_text(content)
    text = '[tool.pytest.ini_options]\ntestpaths = "tests"'
    found = find_test_locations(read(tmp_path, text))
    assert (found.paths, found.origin) == (("spec",), f"testpaths in {name}")


def test_broken_files_of_pytest_are_passed_over(tmp_path: Path) -> None:
    """Pytest itself complains of them."""
    tree(tmp_path, "tests/a.py")
    (tmp_path / "pytest.ini").write_text("no section")
    (tmp_path / "tox.ini").write_bytes(b"\xff")
    (tmp_path / "setup.cfg").write_text("[metadata]\n")
    assert find_test_locations(read(tmp_path)).paths == ("tests",)


def test_tests_too_deep_are_not_searched(tmp_path: Path) -> None:
    """The search is bounded, and a missing folder holds nothing."""
    tree(tmp_path, "1/2/3/a.py")
    assert holds_python(tmp_path, depth=3)
    assert not holds_python(tmp_path, depth=2)
    assert not holds_python(tmp_path / "gone")
