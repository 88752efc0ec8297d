"""The interpreters of a project that names none."""

from __future__ import annotations

import pytest

from wheelworks.config.pythons import default_pythons, known_cpythons, lowest_minor


def classifiers(*minors: int) -> list[str]:
    """The classifiers of some minor versions."""
    return [f"Programming Language :: Python :: 3.{minor}" for minor in minors]


def test_classifiers_within_requires_python_are_taken() -> None:
    """A classifier below requires-python is out of date, not an interpreter to build for."""
    found = default_pythons(">=3.12", classifiers(13, 11, 12))
    assert found.versions == ("3.12", "3.13")
    assert found.origin == "default (classifiers)"
    assert found.left_out == ()


def test_versions_past_their_end_are_left_out_with_the_date() -> None:
    """What is left out is said, never silent."""
    found = default_pythons(">=3.9", classifiers(9, 12))
    assert found.versions == ("3.12",)
    assert found.left_out == ("CPython 3.9 reached its end of life on 2025-10-31",)


def test_pre_releases_and_unknown_versions_are_left_out() -> None:
    """A version whose ABI is not settled, or that the table does not know, is not built for."""
    found = default_pythons(None, classifiers(13, 16, 99))
    assert found.versions == ("3.13",)
    assert found.left_out == (
        "CPython 3.16 is a pre-release",
        "CPython 3.99 is not known to this release of wheelworks",
    )


def test_other_classifiers_add_nothing() -> None:
    """Free-threading and PyPy say nothing of versions; 3 alone and 2.7 neither."""
    found = default_pythons(
        ">=3.13",
        [
            *classifiers(13),
            "Programming Language :: Python :: 3",
            "Programming Language :: Python :: 2.7",
            "Programming Language :: Python :: 3 :: Only",
            "Programming Language :: Python :: Free Threading :: 3 - Stable",
            "Programming Language :: Python :: Implementation :: PyPy",
        ],
    )
    assert found.versions == ("3.13",)


def test_without_classifiers_the_usual_ones_are_taken() -> None:
    """A newer one than most releases of PyO3 know waits for the next table."""
    assert default_pythons(None, []).versions == ("3.11", "3.12", "3.13", "3.14")
    assert default_pythons(None, []).origin == "default (maintained CPythons)"
    assert default_pythons(">=3.13", []).versions == ("3.13", "3.14")
    assert default_pythons(">=3.13", []).origin == "default (requires-python)"


def test_a_project_for_newer_versions_only_gets_one() -> None:
    """requires-python above the usual versions asks for the first that it allows."""
    assert default_pythons(">=3.15", []).versions == ("3.15",)


def test_only_outdated_classifiers_count_as_none() -> None:
    """Old classifiers do not keep a project from today's interpreters."""
    found = default_pythons(">=3.7", classifiers(7, 8))
    assert found.versions == ("3.11", "3.12", "3.13", "3.14")
    assert len(found.left_out) == 2


def test_nothing_may_be_left() -> None:
    """A project for versions that nobody maintains gets none, which load.py makes a fault of."""
    assert default_pythons("<3.9", []).versions == ()


def test_broken_requires_python_is_refused() -> None:
    """The message quotes what was written."""
    with pytest.raises(ValueError, match="latest"):
        default_pythons("latest", [])


@pytest.mark.parametrize(
    ("requires", "lowest"),
    [(None, None), (">=3.8", 8), (">3.9,<4", 9), (">=3", None), (">=4", None)],
)
def test_lowest_minor_of_requires_python(requires: str | None, lowest: int | None) -> None:
    """The floor of a plain abi3 is the lowest version that is allowed."""
    assert lowest_minor(requires) == lowest


def test_the_table_is_in_order_and_dated() -> None:
    """Versions follow each other, each living longer than the one before."""
    rows = known_cpythons()
    assert [row.minor for row in rows] == list(range(rows[0].minor, rows[-1].minor + 1))
    assert [row.end_of_life for row in rows] == sorted(row.end_of_life for row in rows)
    assert next(row.version for row in rows if row.is_maintained) == "3.11"
