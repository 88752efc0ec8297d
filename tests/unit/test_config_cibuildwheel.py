"""[tool.cibuildwheel] gives defaults where nothing is lost by it."""

from __future__ import annotations

import pytest

from wheelworks.config.cibuildwheel import cibuildwheel_values


def test_skip_and_test_options_are_taken_over() -> None:
    """Text and lists, each with the key that it came from."""
    values, warnings = cibuildwheel_values(
        {
            "skip": "pp* *-musllinux_[ai]* cp38-*",
            "test-requires": ["pytest", "hypothesis"],
            "test-groups": "test",
            "test-extras": ["tests"],
            "test-sources": ["tests"],
            "test-command": "pytest {package}/tests -k 'not slow' && python -m doctest {project}/x",
            "build": "cp313-*",
        }
    )
    assert {key: value.value for key, value in values.items()} == {
        "skip": ("pp*", "cp38-*"),
        "test.requires": ("pytest", "hypothesis"),
        "test.groups": ("test",),
        "test.extras": ("tests",),
        "test.sources": ("tests",),
        "test.command": (
            "pytest {project}/tests -k 'not slow'",
            "python -m doctest {project}/x",
        ),
    }
    assert values["skip"].origin == "[tool.cibuildwheel] skip"
    assert warnings == ()


def test_an_empty_table_says_nothing() -> None:
    """Wrong types count as missing; cibuildwheel complains of them."""
    assert cibuildwheel_values({"skip": 3, "test-command": 3, "test-requires": []}) == ({}, ())


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("cd {project} && pytest", "'cd' in it needs a shell"),
        ("pytest | tee log", "'|' in it needs a shell"),
        ("pytest $ARGS", "'$' in it needs a shell"),
        ("A=1 pytest", "'A=1' in it needs a shell"),
        ("pytest {wheel}", "{wheel} has no meaning here"),
        ("pytest 'x", "\"pytest 'x\" can't be split into words"),
        ("pytest & wait", "'&' in it needs a shell"),
    ],
)
def test_a_command_for_a_shell_is_left_out_with_a_warning(command: str, reason: str) -> None:
    """Running half of it would be worse than none."""
    values, (warning,) = cibuildwheel_values({"test-command": ["pytest", command]})
    assert "test.command" not in values
    assert reason in warning
