"""[[tool.wheelworks.overrides]] become Override values, and each wrong one a fault."""

from __future__ import annotations

import pytest

from wheelworks.config.override_tables import parse_overrides
from wheelworks.config.settings import Override

PREFIX = "tool.wheelworks.overrides[0]"


def test_reads_select_values_and_inherit() -> None:
    """Values are typed and known by their dotted keys."""
    overrides, faults = parse_overrides(
        [
            {
                "select": "*-win_amd64",
                "features": ["simd"],
                "test": {"command": "pytest -x", "timeout": "5m"},
                "inherit": {"features": "append", "test": {"command": "prepend"}},
            }
        ],
        origin="f",
    )
    assert not faults
    assert overrides == (
        Override(
            select=("*-win_amd64",),
            values={
                "features": ("simd",),
                "test.command": ("pytest -x",),
                "test.timeout": 300.0,
            },
            inherit={"features": "append", "test.command": "prepend"},
        ),
    )


def test_select_may_be_a_list() -> None:
    """Several patterns select together."""
    overrides, _ = parse_overrides([{"select": ["a-*", "b-*"], "profile": "dev"}], origin="f")
    assert overrides[0].select == ("a-*", "b-*")


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        ("no table", PREFIX, 'expected a table, not "no table"'),
        ({"profile": "dev"}, f"{PREFIX}.select", "is missing"),
        ({"select": []}, f"{PREFIX}.select", "expected at least one pattern"),
        ({"select": 3}, f"{PREFIX}.select", "expected a list of strings, not 3 (an integer)"),
        ({"select": "*", "pythons": []}, f"{PREFIX}.pythons", "unknown key"),
        (
            {"select": "*", "profile": 3},
            f"{PREFIX}.profile",
            "expected a string, not 3 (an integer)",
        ),
        ({"select": "*", "inherit": 3}, f"{PREFIX}.inherit", "expected a table"),
        (
            {"select": "*", "features": [], "inherit": {"features": "apend"}},
            f"{PREFIX}.inherit.features",
            'expected "none", "append" or "prepend", not "apend"',
        ),
        (
            {"select": "*", "features": [], "inherit": {"features": 1}},
            f"{PREFIX}.inherit.features",
            'expected "none", "append" or "prepend", not 1 (an integer)',
        ),
        (
            {"select": "*", "inherit": {"features": "append"}},
            f"{PREFIX}.inherit.features",
            "this override does not set features, so there is nothing to join",
        ),
        (
            {"select": "*", "profile": "dev", "inherit": {"profile": "append"}},
            f"{PREFIX}.inherit.profile",
            "unknown key",
        ),
    ],
)
def test_each_fault_names_its_key(table: object, key: str, message: str) -> None:
    """The number of the table is part of the key, and a faulty override is not used."""
    overrides, faults = parse_overrides([table], origin="f")
    assert [(fault.key, fault.message, fault.origin) for fault in faults] == [(key, message, "f")]
    assert not overrides


def test_all_faults_of_all_tables_are_gathered() -> None:
    """A wrong value is told once, also when it is to be joined."""
    _, faults = parse_overrides(
        [
            {"select": "*", "features": 1, "inherit": {"features": "append"}},
            {"select": "*", "test": {"timeout": "x"}, "typo": 1},
        ],
        origin="f",
    )
    assert [fault.key.partition("[")[2] for fault in faults] == [
        "0].features",
        "1].typo",
        "1].test.timeout",
    ]
