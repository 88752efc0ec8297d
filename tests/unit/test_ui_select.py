"""Tests of wheelworks.ui.select."""

from __future__ import annotations

from io import StringIO

import pytest

from wheelworks.text import TextStyle
from wheelworks.ui.lines import LinesDisplay
from wheelworks.ui.live import LiveDisplay
from wheelworks.ui.select import (
    ColorChoice,
    DisplayChoice,
    Surroundings,
    choose_display,
    choose_style,
    open_display,
)


def place(
    *, stdin: bool = True, stream: bool = True, encoding: str | None = "utf-8", **environment: str
) -> Surroundings:
    """A terminal in the usual state, with these differences."""
    return Surroundings(
        stdin_is_terminal=stdin,
        stream_is_terminal=stream,
        stream_encoding=encoding,
        environment={"TERM": "xterm-256color", **environment},
    )


def test_a_person_at_a_terminal_gets_the_board_and_the_keys() -> None:
    """The usual case."""
    assert choose_display(place()) == DisplayChoice(
        kind="live",
        verbosity="normal",
        style=TextStyle(color=True, unicode=True),
        reads_keys=True,
    )


@pytest.mark.parametrize(
    "surroundings",
    [place(stream=False), place(CI="true"), place(CI="1"), place(TERM="dumb")],
    ids=["pipe", "CI=true", "CI=1", "dumb"],
)
def test_where_nothing_can_be_redrawn_there_are_lines(surroundings: Surroundings) -> None:
    """Pipes, CI services and dumb terminals."""
    choice = choose_display(surroundings)
    assert (choice.kind, choice.reads_keys) == ("lines", False)


@pytest.mark.parametrize("value", ["", "0", "false", "False"])
def test_ci_switched_off_is_no_ci(value: str) -> None:
    """People set CI=false to see what they see at home."""
    assert choose_display(place(CI=value)).kind == "live"


def test_keys_are_read_from_a_terminal_only() -> None:
    """A script's input is not ours to read."""
    choice = choose_display(place(stdin=False))
    assert (choice.kind, choice.reads_keys) == ("live", False)


def test_quiet_and_verbose_are_lines() -> None:
    """Neither goes with a board; quiet wins."""
    assert choose_display(place(), quiet=True).verbosity == "quiet"
    assert choose_display(place(), verbose=True).verbosity == "verbose"
    assert choose_display(place(), quiet=True, verbose=True).verbosity == "quiet"
    assert choose_display(place(), verbose=True).kind == "lines"


@pytest.mark.parametrize(
    ("surroundings", "color", "wanted"),
    [
        (place(), "auto", True),
        (place(stream=False), "auto", False),
        (place(TERM="dumb"), "auto", False),
        (place(NO_COLOR="1"), "auto", False),
        (place(NO_COLOR=""), "auto", True),
        (place(NO_COLOR="1", FORCE_COLOR="1"), "auto", False),
        (place(stream=False, FORCE_COLOR="1"), "auto", True),
        (place(stream=False, FORCE_COLOR="0"), "auto", False),
        (place(stream=False, NO_COLOR="1"), "always", True),
        (place(), "never", False),
    ],
)
def test_colour(surroundings: Surroundings, color: ColorChoice, wanted: bool) -> None:
    """The flag wins over NO_COLOR, that over FORCE_COLOR, that over what the stream is."""
    assert choose_style(surroundings, color).color is wanted


@pytest.mark.parametrize(
    ("encoding", "unicode"),
    [
        ("utf-8", True),
        ("UTF8", True),
        ("utf_16", True),
        ("cp1252", False),
        ("ascii", False),
        (None, False),
    ],
)
def test_unicode_needs_the_encoding(encoding: str | None, unicode: bool) -> None:
    """Everything else gets ASCII."""
    assert choose_style(place(encoding=encoding)).unicode is unicode


def test_the_chosen_display_is_opened() -> None:
    """Lines for lines, the board for the board; entering is the caller's work."""
    lines = open_display(choose_display(place(CI="1")), StringIO())
    live = open_display(choose_display(place()), StringIO())
    assert isinstance(lines, LinesDisplay)
    assert isinstance(live, LiveDisplay)
