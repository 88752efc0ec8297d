"""Which Python versions a project's metadata asks for."""

from __future__ import annotations

import pytest

from wheelworks.python_versions import MAINTAINED_PYTHONS, admits_python, classified_pythons


def classifiers(*minors: int) -> list[str]:
    """Trove classifiers of these minor versions."""
    return [f"Programming Language :: Python :: 3.{minor}" for minor in minors]


def test_classifiers_outside_requires_python_are_dropped() -> None:
    """A classifier counts only where requires-python admits the version."""
    assert classified_pythons(classifiers(14, 9, 12), ">=3.11") == ("3.12", "3.14")


def test_versions_are_ordered_as_numbers() -> None:
    """3.9 comes before 3.10, though its text does not."""
    assert classified_pythons(classifiers(10, 9), None) == ("3.9", "3.10")


def test_other_classifiers_say_nothing() -> None:
    """Only classifiers that name exactly a minor version count."""
    texts = [
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.12.1",
        "Programming Language :: Rust",
        *classifiers(13),
    ]
    assert classified_pythons(texts, None) == ("3.13",)


def test_without_classifiers_the_maintained_versions_are_taken() -> None:
    """A project that names no version gets the maintained ones within requires-python."""
    assert classified_pythons([], None) == MAINTAINED_PYTHONS
    assert classified_pythons([], ">=3.13") == ("3.13", "3.14")


def test_a_floor_above_the_maintained_versions_is_taken_itself() -> None:
    """A project for future or old Pythons alone is built for its lower bound."""
    assert classified_pythons([], ">=3.15") == ("3.15",)
    assert classified_pythons([], "==3.9.*") == ("3.9",)


@pytest.mark.parametrize("requires", ["<3.0", ">=4", ">=3.9,<3.9", "<3.5"])
def test_nothing_is_said_where_nothing_fits(requires: str) -> None:
    """An impossible or unbounded-below range gives no version rather than a wrong one."""
    assert classified_pythons([], requires) == ()


@pytest.mark.parametrize(
    ("requires", "minor", "expected"),
    [
        (">=3.11.4", 11, True),
        (">3.11", 11, True),
        ("<3.12", 12, False),
        ("<3.12.3", 12, True),
        ("<=3.12", 12, True),
        ("~=3.10", 14, True),
        ("~=3.10.2", 11, False),
        ("!=3.12.*", 12, False),
        ("!=3.12.1", 12, True),
        ("!=3.12.1.*", 12, True),
        ("!=3.*", 12, False),
        ("==3.*", 12, True),
        ("==3.12", 13, False),
        ("===3.12.4", 12, True),
        (">=3.11, <4 ,", 13, True),
    ],
)
def test_specifiers_admit_a_version(requires: str, minor: int, *, expected: bool) -> None:
    """A version is admitted when some patch release of it is."""
    assert admits_python(requires, minor) is expected


@pytest.mark.parametrize("requires", ["3.11", "^3.11", ">=three"])
def test_text_that_is_no_specifier_is_refused(requires: str) -> None:
    """The error names the text, because it comes from the user's pyproject.toml."""
    with pytest.raises(ValueError, match="no list of version specifiers"):
        classified_pythons([], requires)
