"""Entries in order of priority become Settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from wheelworks.config.merge import Value, build_settings, typed_values
from wheelworks.config.settings import CellSettings, ContainerSettings, Override
from wheelworks.config.sources import Entry

ROOT = Path("/project")


def entry(key: str, raw: object, origin: str, *, is_text: bool = False) -> Entry:
    """An entry with a label of its own."""
    return Entry(key=key, raw=raw, label=f"t.{key}", origin=origin, is_text=is_text)


def test_the_last_entry_wins_and_keeps_its_origin() -> None:
    """A stronger source comes later."""
    values, faults = typed_values(
        [entry("jobs", 1, "file"), entry("jobs", "2", "variable", is_text=True)]
    )
    assert values == {"jobs": Value(value=2, origin="variable")}
    assert faults == ()


def test_a_wrong_value_is_a_fault_even_when_another_wins() -> None:
    """Else it would bite on the day when the variable is not set."""
    values, faults = typed_values([entry("jobs", "many", "file"), entry("jobs", 2, "flag")])
    assert values["jobs"].value == 2
    assert [(fault.key, fault.origin) for fault in faults] == [("t.jobs", "file")]


def test_values_reach_their_dataclass() -> None:
    """Each option ends up in the attribute that declares it; the rest has defaults."""
    override = Override(select=("*",), values={})
    settings = build_settings(
        {
            "pythons": Value(value=("3.13",), origin="a"),
            "dist": Value(value=Path("out"), origin="b"),
            "features": Value(value=("x",), origin="c"),
            "test.timeout": Value(value=5.0, origin="d"),
            "container.packages": Value(value=("cmake",), origin="e"),
        },
        root=ROOT,
        overrides=(override,),
        no_command_reason="none",
    )
    assert settings.pythons == ("3.13",)
    assert settings.dist == ROOT / "out"
    assert settings.cell.features == ("x",)
    assert settings.cell.test.timeout_seconds == 5.0
    assert settings.cell.test.no_command_reason == "none"
    assert settings.cell.timeout_seconds == CellSettings().timeout_seconds
    assert settings.overrides == (override,)
    assert settings.container == ContainerSettings(packages=("cmake",))
    assert settings.origins == {
        "pythons": "a",
        "dist": "b",
        "features": "c",
        "test.timeout": "d",
        "container.packages": "e",
    }
    assert "win_amd64" in settings.targets


def test_an_absolute_dist_stays() -> None:
    """Only a relative one lies in the project."""
    elsewhere = ROOT.parent / "elsewhere"
    values = {
        "pythons": Value(value=(), origin=""),
        "dist": Value(value=elsewhere, origin=""),
    }
    assert build_settings(values, root=ROOT).dist == elsewhere


def test_interpreters_have_to_be_given() -> None:
    """Their default needs the project, so its absence is our own mistake."""
    with pytest.raises(AssertionError, match="BUG"):
        build_settings({}, root=ROOT)
