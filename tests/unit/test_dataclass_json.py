"""Tests of wheelworks.dataclass_json."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003  read at run time from the type hints
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

import pytest

from wheelworks.dataclass_json import from_plain, to_json, to_plain


class Colour(StrEnum):
    """A closed choice."""

    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A nested value."""

    size: int


@dataclass(frozen=True, kw_only=True)
class Outer:
    """One field of every shape that is known."""

    name: str
    ratio: float
    colour: Colour
    kind: Literal["a", "b"]
    inner: Inner | None
    many: tuple[Inner, ...]
    table: Mapping[str, int]
    flag: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)


VALUE = Outer(
    name="x",
    ratio=2.0,
    colour=Colour.RED,
    kind="a",
    inner=Inner(size=1),
    many=(Inner(size=2), Inner(size=3)),
    table={"k": 4},
    flag=True,
    notes=("n",),
)
PLAIN: dict[str, object] = {
    "name": "x",
    "ratio": 2.0,
    "colour": "red",
    "kind": "a",
    "inner": {"size": 1},
    "many": [{"size": 2}, {"size": 3}],
    "table": {"k": 4},
    "flag": True,
    "notes": ["n"],
}


def test_a_value_survives_the_round_trip() -> None:
    """Plain form and value describe each other, keys in the order of the fields."""
    plain = to_plain(VALUE)
    assert plain == PLAIN
    assert isinstance(plain, dict)
    assert list(plain) == list(PLAIN)
    assert from_plain(Outer, PLAIN) == VALUE


def test_defaults_fill_missing_keys_and_unknown_keys_are_ignored() -> None:
    """So that older and newer writers can be read."""
    short = {key: value for key, value in PLAIN.items() if key not in ("flag", "notes")}
    read = from_plain(Outer, {**short, "inner": None, "ratio": 2, "added": 1})
    assert (read.flag, read.notes, read.inner, read.ratio) == (False, (), None, 2.0)
    assert isinstance(read.ratio, float)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 3}, r"^\$\.name: 3 is not str$"),
        ({"name": None}, r"^\$\.name: None is not str$"),
        ({"flag": 1}, r"^\$\.flag: 1 is not bool$"),
        ({"ratio": True}, r"^\$\.ratio: True is not float$"),
        ({"colour": "blue"}, r"^\$\.colour: 'blue' is not a known choice$"),
        ({"kind": "c"}, r"^\$\.kind: 'c' is not one of \('a', 'b'\)$"),
        ({"inner": {}}, r"^\$\.inner\.size: missing$"),
        ({"inner": {"size": True}}, r"^\$\.inner\.size: True is not int$"),
        ({"many": {}}, r"^\$\.many: \{\} is not a list$"),
        ({"many": [{"size": 1}, 5]}, r"^\$\.many\[1\]: 5 is not an object$"),
        ({"table": []}, r"^\$\.table: \[\] is not an object$"),
        ({"table": {"k": "v"}}, r"^\$\.table\.k: 'v' is not int$"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(changes: dict[str, object], message: str) -> None:
    """The message says where, what was found and what belongs there."""
    with pytest.raises(ValueError, match=message):
        from_plain(Outer, {**PLAIN, **changes})


def test_a_value_without_json_form_is_refused() -> None:
    """Better an error when writing than a file that nobody can read."""
    with pytest.raises(TypeError, match="no JSON form for set"):
        to_plain({"x": {1, 2}})


def test_an_unknown_shape_of_field_is_a_bug() -> None:
    """A field type that has no reader is found by the first test that uses it."""

    @dataclass(frozen=True, kw_only=True)
    class Odd:
        value: list[int]

    with pytest.raises(AssertionError, match=r"BUG: \$\.value"):
        from_plain(Odd, {"value": [1]})


def test_the_fast_encoder_writes_what_the_plain_form_says() -> None:
    """Both ways to JSON agree on every shape that our values use."""
    value = {"jobs": (VALUE,), "mapping": MappingProxyType({"a": VALUE})}
    plain = {"jobs": [to_plain(VALUE)], "mapping": {"a": to_plain(VALUE)}}
    assert json.loads(to_json(value)) == plain


def test_the_fast_encoder_refuses_what_has_no_json_form() -> None:
    """A set is a mistake of ours, not an empty list."""
    with pytest.raises(TypeError, match="set"):
        to_json({"names": {"a"}})
