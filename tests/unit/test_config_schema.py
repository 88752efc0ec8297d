"""Schema and documentation follow from settings.py and are in step with it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from wheelworks.config import settings
from wheelworks.config.options import all_options
from wheelworks.config.schema import (
    BEGIN,
    END,
    describe_fields,
    json_schema,
    option_tables,
    replace_tables,
    schema_text,
)

SOURCE = inspect.getsource(settings)
DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


def at(schema: object, *keys: str) -> object:
    """The value under a path of keys."""
    for key in keys:
        assert isinstance(schema, Mapping)
        schema = schema[key]
    return schema


def test_every_option_is_described() -> None:
    """An option without a docstring could not be documented."""
    texts = describe_fields(SOURCE)
    missing = [
        option.key
        for option in all_options().values()
        if not texts.get((option.owner, option.attribute))
    ]
    assert missing == []


def test_the_schema_in_the_package_is_in_step() -> None:
    """After a change: ``python scripts/regenerate_docs.py``."""
    text = files("wheelworks").joinpath("resources/schema.json").read_text(encoding="utf-8")
    assert text == schema_text(SOURCE)


def test_the_docs_are_in_step() -> None:
    """After a change: ``python scripts/regenerate_docs.py``."""
    if not DOCS.parent.is_dir():
        pytest.skip("the docs folder is not beside these copied tests")
    text = DOCS.read_text(encoding="utf-8")
    assert replace_tables(text, SOURCE) == text


def test_the_schema_knows_every_key_and_refuses_others() -> None:
    """An editor can tell a mistyped key."""
    schema = json_schema(SOURCE)
    assert schema["additionalProperties"] is False
    for key in all_options():
        table, _, name = key.rpartition(".")
        path = ("properties", table, "properties", name) if table else ("properties", name)
        assert at(schema, *path, "description")
    assert at(schema, "properties", "provision", "enum") == ["ask", "always", "never"]
    assert json.loads(schema_text(SOURCE))["title"] == "[tool.wheelworks]"


def test_overrides_need_a_selector_and_hold_options_of_cells() -> None:
    """The schema of an override is the schema of a cell with select and inherit."""
    override = at(json_schema(SOURCE), "properties", "overrides", "items")
    assert at(override, "required") == ["select"]
    keys = at(override, "properties")
    assert isinstance(keys, Mapping)
    assert {"select", "inherit", "features", "test"} <= set(keys)
    assert "pythons" not in keys


def test_the_tables_show_defaults_as_toml() -> None:
    """Units, lists and booleans as they would be written."""
    text = option_tables(SOURCE)
    for row in (
        '| `memory-per-build` | `512MiB`, `2GiB` | `"2GiB"` |',
        '| `timeout` | seconds, or `90s`, `15m`, `1h30m` | `"15m"` |',
        '| `timeout` | seconds, or `90s`, `15m`, `1h30m` | `"1h"` |',
        '| `dist` | path | `"dist"` |',
        "| `sdist` | boolean | `true` |",
        "| `jobs` | whole number |  |",
        "| `environment` | table of strings | `{}` |",
    ):
        assert row in text


def test_what_is_outside_the_marks_stays() -> None:
    """The prose around the tables is written by hand."""
    text = replace_tables(f"before\n{BEGIN}\nold\n{END}\nafter\n", SOURCE)
    assert text.startswith(f"before\n{BEGIN}\n\n## ")
    assert text.endswith(f"{END}\nafter\n")
    assert "old\n" not in text


def test_lost_marks_are_told() -> None:
    """Without them nothing could be replaced."""
    with pytest.raises(ValueError, match="has lost one of its marks"):
        replace_tables("no marks", SOURCE)


def test_only_docstrings_of_attributes_are_taken() -> None:
    """Other statements between attributes describe nothing."""
    source = 'X = 1\nclass A:\n    a: int\n    """One\n    two."""\n    b: int\n    3\n    c: int\n'
    assert describe_fields(source) == {("A", "a"): "One two."}
