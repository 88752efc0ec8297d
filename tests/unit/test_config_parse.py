"""Raw values become typed ones, or a fault that says how to write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wheelworks.config.options import Option, all_options
from wheelworks.config.parse import InvalidValueError, parse_size, parse_text, parse_value, show


def option(key: str) -> Option:
    """The option of that key."""
    return all_options()[key]


@pytest.mark.parametrize(
    ("key", "raw", "expected"),
    [
        ("rust", "1.85", "1.85"),
        ("provision", "never", "never"),
        ("dist", "out/wheels", Path("out/wheels")),
        ("pythons", ["3.12", "3.14t"], ("3.12", "3.14t")),
        ("skip", [], ()),
        ("test.command", "pytest -x", ("pytest -x",)),
        ("test.command", ["pytest a", "pytest b"], ("pytest a", "pytest b")),
        ("sdist", False, False),
        ("jobs", 4, 4),
        ("timeout", 90, 90.0),
        ("timeout", 0.5, 0.5),
        ("timeout", "90", 90.0),
        ("timeout", "90s", 90.0),
        ("timeout", "15m", 900.0),
        ("timeout", "1h30m", 5400.0),
        ("test.timeout", "1.5h", 5400.0),
        ("memory-per-build", "512MiB", 512),
        ("memory-per-build", "2 GiB", 2048),
        ("memory-per-build", "2GB", 1907),
        ("environment", {"A": "1"}, {"A": "1"}),
    ],
)
def test_gives_the_typed_value(key: str, raw: object, expected: object) -> None:
    """Each kind of option takes what TOML holds for it."""
    assert parse_value(option(key), raw) == expected


@pytest.mark.parametrize(
    ("key", "raw", "message"),
    [
        ("rust", 1.85, "expected a string, not 1.85 (a float)"),
        ("rust", " ", "expected a string that is not empty"),
        ("rust", "a\0b", r"'a\x00b' holds a NUL character, which no program can be given"),
        ("provision", "maybe", 'expected one of "ask", "always", "never", not "maybe"'),
        ("provision", [], 'expected one of "ask", "always", "never", not a list'),
        ("pythons", "3.12", 'expected a list of strings, not "3.12"'),
        (
            "pythons",
            ["3.12", 3.13],
            "expected a list of strings, not one that holds 3.13 (a float)",
        ),
        ("pythons", {}, "expected a list of strings, not a table"),
        ("test.command", 3, "expected a command, or a list of commands, not 3 (an integer)"),
        ("test.command", "pytest 'x", "can't be split into words: no closing quotation"),
        ("sdist", "yes", 'expected true or false, not "yes"'),
        ("jobs", 0, "expected a whole number of at least 1, not 0 (an integer)"),
        ("jobs", True, "expected a whole number of at least 1, not true (a boolean)"),
        ("timeout", "soon", 'such as "90s", "15m", "1h30m", not "soon"'),
        ("timeout", "", 'such as "90s", "15m", "1h30m", not ""'),
        ("timeout", True, "not true (a boolean)"),
        ("timeout", 0, "expected a time above zero and below ten years, not 0 (an integer)"),
        ("timeout", -1, "expected a time above zero and below ten years, not -1 (an integer)"),
        ("timeout", 10**400, "not a number of more than 60 digits (an integer)"),
        ("timeout", float("nan"), "expected a time above zero and below ten years"),
        ("timeout", float("inf"), "expected a time above zero and below ten years"),
        ("memory-per-build", 2048, 'expected a size with its unit, such as "512MiB" or "2GiB"'),
        ("memory-per-build", "2G", 'expected a size with its unit, such as "512MiB" or "2GiB"'),
        ("memory-per-build", "1KiB", "expected a size of at least 1MiB"),
        ("environment", ["A=1"], "expected a table of strings, not a list"),
        ("environment", {"A": 1}, 'expected a string for "A", not 1 (an integer)'),
        ("environment", {"A": []}, 'expected a string for "A", not a list'),
        ("environment", {"A": "\0"}, 'the value of "A" holds a NUL character'),
        ("environment", {"A=B": "1"}, '"A=B" can\'t be a name in this table'),
    ],
)
def test_refuses_with_what_was_found(key: str, raw: object, message: str) -> None:
    """The message says what was expected and what was found."""
    with pytest.raises(InvalidValueError) as caught:
        parse_value(option(key), raw)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("key", "raw", "hint"),
    [
        ("pythons", "3.12", 'write ["3.12"]'),
        ("environment", {"A": 1}, 'write A = "..."'),
        ("memory-per-build", 2, "a number alone does not say which unit is meant"),
        ("test.command", "'", "write quotes and backslashes as in a shell"),
    ],
)
def test_a_likely_slip_comes_with_a_hint(key: str, raw: object, hint: str) -> None:
    """Where it is clear what was meant, the hint says how to write it."""
    with pytest.raises(InvalidValueError) as caught:
        parse_value(option(key), raw)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("pythons", "3.12 3.13", ("3.12", "3.13")),
        ("pythons", "", ()),
        ("test.requires", "'foo >= 1' bar", ("foo >= 1", "bar")),
        ("test.command", "pytest -k 'not slow'", ("pytest -k 'not slow'",)),
        ("test.command", " ", ()),
        ("environment", "A=1 B='x y' C=", {"A": "1", "B": "x y", "C": ""}),
        ("sdist", "No", False),
        ("sdist", "1", True),
        ("jobs", " 8 ", 8),
        ("timeout", "2m", 120.0),
        ("memory-per-build", "1GiB", 1024),
        ("rust", " any ", "any"),
        ("dist", "out", Path("out")),
        ("provision", "ask", "ask"),
    ],
)
def test_text_stands_for_the_same_values(key: str, text: str, expected: object) -> None:
    """Environment variables and flags can say what TOML can."""
    assert parse_text(option(key), text) == expected


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("environment", "A", 'expected assignments such as NAME=value, not "A"'),
        ("sdist", "perhaps", 'expected true or false, not "perhaps"'),
        ("jobs", "many", 'expected a whole number of at least 1, not "many"'),
        ("jobs", "9" * 5000, "expected a whole number of at least 1"),
        ("pythons", '"3.12', "can't be split into words"),
    ],
)
def test_wrong_text_is_refused(key: str, text: str, message: str) -> None:
    """Text that gives no such value is named in the message."""
    with pytest.raises(InvalidValueError) as caught:
        parse_text(option(key), text)
    assert message in caught.value.message


def test_a_size_in_bytes() -> None:
    """For options of the command line that are no settings."""
    assert parse_size("5GiB") == 5 * 2**30
    with pytest.raises(InvalidValueError):
        parse_size("5")


def test_long_values_are_cut() -> None:
    """A message stays readable however long the value is."""
    assert len(show("x" * 5000)) == 60
