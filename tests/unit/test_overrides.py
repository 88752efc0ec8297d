"""Overrides: which apply to a cell, and how values replace or join each other."""

from __future__ import annotations

import pytest

from wheelworks.config.overrides import cell_settings, merge_overrides
from wheelworks.config.settings import CellSettings, Inheritance, Override, TestSettings

BASE = CellSettings(
    features=("a",),
    environment={"K": "base", "ONLY_BASE": "1"},
    test=TestSettings(requires=("pytest",), timeout_seconds=60.0),
)


def test_without_a_matching_override_the_base_stays() -> None:
    """A cell that no override selects has the settings of all."""
    override = Override(select=("*-win_amd64",), values={"profile": "dev"})
    assert cell_settings(BASE, [override], "cp313-manylinux_x86_64") == BASE


def test_a_matching_override_replaces_values_also_in_the_test_table() -> None:
    """Keys are dotted as in TOML, and may differ from the attribute's name."""
    override = Override(
        select=("cp312-*", "*-win_amd64"),
        values={
            "profile": "dev",
            "no-default-features": True,
            "timeout": 5.0,
            "test.timeout": 7.0,
            "test.command": ("pytest -k fast",),
            "features": ("b",),
        },
    )
    found = cell_settings(BASE, [override], "cp313-win_amd64")
    assert (found.profile, found.no_default_features, found.timeout_seconds) == ("dev", True, 5.0)
    assert found.features == ("b",)
    assert (found.test.timeout_seconds, found.test.command) == (7.0, ("pytest -k fast",))
    assert found.test.requires == ("pytest",)


@pytest.mark.parametrize(
    ("way", "features", "environment"),
    [
        ("none", ("b",), {"K": "new"}),
        ("append", ("a", "b"), {"K": "new", "ONLY_BASE": "1"}),
        ("prepend", ("b", "a"), {"K": "base", "ONLY_BASE": "1"}),
    ],
)
def test_inherit_joins_lists_and_tables(
    way: Inheritance, features: tuple[str, ...], environment: dict[str, str]
) -> None:
    """Appended keys win over the base's, prepended ones lose, as in cibuildwheel."""
    override = Override(
        select=("*",),
        values={"features": ("b",), "environment": {"K": "new"}},
        inherit={"features": way, "environment": way},
    )
    found = cell_settings(BASE, [override], "cp313-win32")
    assert (found.features, found.environment) == (features, environment)


def test_joining_what_has_no_value_yet_gives_the_new_value() -> None:
    """An option whose default is computed later has nothing to be joined to."""
    override = Override(
        select=("*",), values={"test.groups": ("test",)}, inherit={"test.groups": "append"}
    )
    assert cell_settings(BASE, [override], "cp313-win32").test.groups == ("test",)


def test_later_overrides_build_on_earlier_ones() -> None:
    """The second override joins what the first one made."""
    first = Override(select=("*",), values={"features": ("b",)}, inherit={"features": "append"})
    second = Override(select=("*",), values={"features": ("c",)}, inherit={"features": "prepend"})
    assert merge_overrides(BASE, [first, second]).features == ("c", "a", "b")


def test_a_wrong_pattern_is_an_error() -> None:
    """An override that selects by a path never applies silently to nothing."""
    with pytest.raises(ValueError, match="which no cell id has"):
        cell_settings(BASE, [Override(select=("dist/*",), values={})], "cp313-win32")
