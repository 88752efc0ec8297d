"""The command line as data."""

from __future__ import annotations

import pytest

from wheelworks.arguments import build_parser, parse_selectors, setting_flags
from wheelworks.cli import COMMANDS
from wheelworks.commands.request import repeat_flags


def test_every_command_of_the_parser_has_a_module() -> None:
    """A command that parses can be run, and none is left without a way to call it."""
    parser = build_parser()
    (commands,) = (action.choices for action in parser._actions if action.dest == "command")
    assert commands is not None
    assert set(commands) == set(COMMANDS)


@pytest.mark.parametrize(
    "argv",
    [["-C", "there", "build"], ["build", "-C", "there"], ["build", "cp313-*", "-C", "there"]],
)
def test_global_options_stand_before_or_after_the_command(argv: list[str]) -> None:
    """Where -C stands does not matter."""
    assert build_parser().parse_args(argv).directory == "there"


def test_an_option_before_the_command_survives_the_sub_parser() -> None:
    """The sub-parser's defaults do not undo what was given before."""
    args = build_parser().parse_args(["--json", "-v", "plan"])
    assert args.json
    assert args.verbose == 1


def test_several_selectors_may_share_one_argument() -> None:
    """Selectors are separated by white space, as cibuildwheel's are."""
    assert parse_selectors(["cp312-* cp313-*", "cp314-*"]) == ("cp312-*", "cp313-*", "cp314-*")


def test_only_given_flags_override_the_configuration() -> None:
    """What was not given leaves the configuration alone."""
    args = build_parser().parse_args(["build", "--pythons", "3.13", "3.14t", "-j", "4"])
    assert setting_flags(args) == {"pythons": ("3.13", "3.14t"), "jobs": "4"}


def test_flags_of_tables_and_flags_without_value() -> None:
    """--container-engine is the key container.engine; --offline alone means yes."""
    args = build_parser().parse_args(["build", "--offline", "--container-engine", "podman"])
    assert setting_flags(args) == {"offline": True, "container.engine": "podman"}
    assert repeat_flags(args) == ("--offline", "--container-engine", "podman")


def test_flags_given_twice_add_up() -> None:
    """--targets may be repeated."""
    args = build_parser().parse_args(["build", "--targets", "a", "--targets", "b"])
    assert setting_flags(args) == {"targets": ("a", "b")}


@pytest.mark.parametrize("argv", [["bild"], ["build", "--frob"], ["completion", "tcsh"]])
def test_wrong_usage_ends_with_2(argv: list[str]) -> None:
    """Argparse's own errors have the documented exit code."""
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(argv)
    assert caught.value.code == 2
