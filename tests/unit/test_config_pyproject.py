"""A pyproject.toml becomes a PyProject."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from wheelworks.config.pyproject import (
    ConditionalFeature,
    PyProject,
    normalize_name,
    read_pyproject,
    requirement_name,
    resolve_groups,
)


def read(text: str) -> PyProject:
    """The PyProject of a text."""
    return read_pyproject(tomllib.loads(text), Path("/p/pyproject.toml"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[build-system]\nbuild-backend = "maturin"', True),
        ('[build-system]\nbuild-backend = "hatchling.build"\nrequires = ["maturin"]', False),
        (
            '[build-system]\nbuild-backend = "own"\nbackend-path = ["."]\nrequires = ["maturin>1"]',
            True,
        ),
        ('[tool.maturin]\nbindings = "bin"', True),
        ('[project]\nname = "x"', False),
        ("build-system = 3", False),
    ],
)
def test_maturin_is_told_by_the_backend(text: str, expected: bool) -> None:
    """The backend counts, also behind one of the project's own; a section only without any."""
    assert read(text).is_maturin is expected


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("maturin>=1.9,<2", ">=1.9,<2"),
        ("Maturin[zig] >= 1.9 ; python_version > '3'", ">= 1.9"),
        ("maturin (>=1)", ">=1"),
        ("maturin", None),
        ("maturin @ file:///x", None),
        ("setuptools", None),
        ("?", None),
    ],
)
def test_the_requirement_of_maturin(requirement: str, expected: str | None) -> None:
    """Only the version specifiers of the requirement with that name."""
    text = f'[build-system]\nrequires = ["wheel", "{requirement}"]'
    assert read(text).maturin_requirement == expected


def test_features_are_split_by_their_conditions() -> None:
    """An entry without a condition is a plain feature, whatever its spelling."""
    maturin = read(
        """
        [tool.maturin]
        features = [
          "pyo3/extension-module",
          { feature = "plain" },
          { feature = "pyo3/abi3-py311", python-version = ">=3.11" },
          { feature = "pp", python-implementation = "pypy" },
          { python-version = ">=3" },
          7,
        ]
        no-default-features = true
        """
    ).maturin
    assert maturin.features == ("pyo3/extension-module", "plain")
    assert maturin.conditional_features == (
        ConditionalFeature(feature="pyo3/abi3-py311", python_version=">=3.11", implementation=None),
        ConditionalFeature(feature="pp", python_version=None, implementation="pypy"),
    )
    assert maturin.no_default_features
    assert not maturin.all_features


def test_groups_hold_what_they_include() -> None:
    """Included groups count by their normalized name; circles and strangers end quietly."""
    groups = resolve_groups(
        {
            "Test_All": ["pytest", {"include-group": "base"}, {"include-group": "test-all"}],
            "base": ["hypothesis", {"include-group": "TEST.ALL"}, {"include-group": "gone"}, 3],
            "wrong": "pytest",
        }
    )
    assert groups == {
        "Test_All": ("pytest", "hypothesis"),
        "base": ("hypothesis", "pytest"),
        "wrong": (),
    }


@pytest.mark.parametrize(
    ("project", "files"),
    [
        ('readme = "R.md"\nlicense = { file = "L" }', ("R.md", "L")),
        ('readme = { file = "R.rst" }\nlicense-files = ["L*"]', ("R.rst", "L*")),
        ('readme = { text = "hello" }\nlicense = "MIT"', ()),
    ],
)
def test_metadata_files(project: str, files: tuple[str, ...]) -> None:
    """Readme and licences in both of their spellings."""
    assert read(f"[project]\n{project}").metadata_files == files


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('[tool.pytest.ini_options]\ntestpaths = "tests more"', ("tests", "more")),
        ('[tool.pytest.ini_options]\ntestpaths = ["tests"]', ("tests",)),
        ('[tool.pytest]\ntestpaths = ["t"]', ("t",)),
        ("[tool.pytest]\ntestpaths = 3", ()),
    ],
)
def test_testpaths(text: str, paths: tuple[str, ...]) -> None:
    """Both of pytest's sections, text or list."""
    assert read(text).testpaths == paths


def test_sections_are_handed_on_raw() -> None:
    """What [tool.wheelworks] holds is for others to read, also when it is no table."""
    assert read("[tool]\nwheelworks = 3").section == 3
    assert read("[tool.cibuildwheel]\nskip = 'x'").cibuildwheel == {"skip": "x"}
    assert read("[tool]\ncibuildwheel = 3").cibuildwheel is None


def test_wrong_types_count_as_missing() -> None:
    """Maturin itself complains of them."""
    found = read(
        '[project]\nname = 3\nclassifiers = "x"\noptional-dependencies = [1]\n'
        "[tool.maturin]\nfeatures = 3\npython-packages = [3, 'a']"
    )
    assert (found.name, found.classifiers, found.extras) == (None, (), {})
    assert (found.maturin.features, found.maturin.python_packages) == ((), ("a",))


def test_names_are_compared_as_pep_503_says() -> None:
    """Case and the kind of dash do not matter."""
    assert normalize_name("A_b.-C") == "a-b-c"
    assert requirement_name("Foo_Bar[x]>=1; python_version>'3'") == "foo-bar"
    assert requirement_name("-r other.txt") is None
