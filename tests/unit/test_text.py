"""Tests of wheelworks.text."""

from __future__ import annotations

import pytest

from wheelworks.events import Outcome
from wheelworks.text import (
    TextStyle,
    counted,
    format_clock,
    format_seconds,
    format_size,
    outcome_look,
    output_line,
    pad,
    printable,
    shorten,
    strip_ansi,
    text_width,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cp313-manylinux_x86_64", "cp313-manylinux_x86_64"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202eabc", "\\u202eabc"),
        ("bad \udc80 byte", "bad \\udc80 byte"),
        ("no\xa0break Grüße 日本\x07", "no\xa0break Grüße 日本\\x07"),
    ],
)
def test_what_a_terminal_could_act_upon_is_escaped(text: str, shown: str) -> None:
    """Control, format and surrogate characters are written as escapes, letters are kept."""
    assert printable(text) == shown


def test_terminal_sequences_are_removed_from_output() -> None:
    """Colours, links and titles go, tabs become spaces, what is left over is escaped."""
    line = "\x1b[1;32m   Compiling\x1b[0m \x1b]8;;http://x\x07serde\x1b]8;;\x1b\\\tv1 \x08 "
    assert output_line(line) == "   Compiling serde  v1 \\x08"
    assert strip_ansi("plain") == "plain"


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("Grüße", 5), ("", 0)]
)
def test_width_counts_columns(text: str, width: int) -> None:
    """Wide characters take two columns, combining ones none."""
    assert text_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 4, "abc…"),
        ("日本語", 4, "日…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("abcdef", -3, ""),
    ],
)
def test_text_is_cut_to_columns(text: str, width: int, cut: str) -> None:
    """No more columns than asked for, and an ellipsis where something is missing."""
    assert shorten(text, width) == cut


def test_padding_goes_to_the_right_side() -> None:
    """Left-aligned text gets its spaces behind it, right-aligned before it; too long text none."""
    assert pad("日", 4) == "日  "
    assert pad("12", 4, "right") == "  12"
    assert pad("12345", 4) == "12345"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1.0, "0.0 s"),
        (0.84, "0.8 s"),
        (9.96, "10.0 s"),
        (34.4, "34 s"),
        (59.7, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.9, "1 h 00 min"),
        (3780, "1 h 03 min"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    """Rounded to what a person wants to know, never 60 seconds or 60 minutes."""
    assert format_seconds(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "clock"), [(7.9, "0:07"), (725, "12:05"), (3800, "1:03:20"), (-5, "0:00")]
)
def test_durations_as_a_clock(seconds: float, clock: str) -> None:
    """Minutes and seconds, hours when there are some."""
    assert format_clock(seconds) == clock


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (812, "812 B"),
        (391_204, "391 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_250_000, "1.2 MB"),
    ],
)
def test_sizes(size: int, words: str) -> None:
    """Decimal units, as package indexes write them."""
    assert format_size(size) == words


def test_numbers_with_nouns() -> None:
    """One is singular, everything else plural."""
    assert [counted(number, "cell") for number in (0, 1, 2)] == ["0 cells", "1 cell", "2 cells"]


def test_style_without_colour_and_unicode_is_plain_ascii() -> None:
    """Nothing but ASCII leaves such a style."""
    style = TextStyle(color=False, unicode=False)
    text = style.paint(style.clean("Grüße … \x1b"), "red")
    assert text == "Gr\\xfc\\xdfe ... \\x1b"
    assert style.ellipsis == "..."
    assert all(style.mark(outcome).isascii() for outcome in Outcome)


def test_style_with_colour_paints_and_ends_the_colour() -> None:
    """A look is switched on before the text and off behind it; plain and empty text stay."""
    style = TextStyle(color=True)
    assert style.paint("x", "red") == "\x1b[31mx\x1b[0m"
    assert style.paint("x", "plain") == "x"
    assert style.paint("", "red") == ""
    assert style.ellipsis == "…"


def test_failures_are_red_and_outcomes_differ_in_their_mark() -> None:
    """Every outcome can be told by its mark alone, with Unicode and without."""
    assert outcome_look(Outcome.FAILED) == "red"
    for style in (TextStyle(unicode=True), TextStyle(unicode=False)):
        assert len({style.mark(outcome) for outcome in Outcome}) == len(Outcome)
