"""From bytes to lines."""

from __future__ import annotations

import io

import pytest

from wheelworks.output import MAX_LINE, TAIL_LINES, LineSplitter, OutputSink


def lines_of(*chunks: str) -> list[tuple[str, bool, bool]]:
    """(line, is shown, is kept) of everything that the chunks hold."""
    splitter = LineSplitter()
    found = [line for chunk in chunks for line in splitter.feed(chunk)]
    return [(line, shown, kept) for line, _, shown, kept in (*found, *splitter.rest())]


def test_newline_and_rest() -> None:
    """A last line needs no end; an empty line is a line."""
    assert lines_of("a\n\nb") == [("a", True, True), ("", True, True), ("b", True, True)]


def test_carriage_return_and_newline_are_one_end() -> None:
    """Windows' line ends give each line once, shown and kept."""
    assert lines_of("a\r\nb\r", "\nc") == [
        ("a", True, False),
        ("a", False, True),
        ("b", True, False),
        ("b", False, True),
        ("c", True, True),
    ]


def test_progress_is_shown_at_once() -> None:
    """A progress bar is not held back until its next step comes."""
    splitter = LineSplitter()
    assert list(splitter.feed("10/11: last crate\r")) == [("10/11: last crate", False, True, False)]
    assert list(splitter.feed("done\n")) == [("done", False, True, True)]


def sink_of(*chunks: bytes, secrets: tuple[str, ...] = ()) -> tuple[OutputSink, str, list[str]]:
    """A sink that took the chunks, its log's text and the shown lines."""
    log = io.BytesIO()
    shown: list[str] = []
    sink = OutputSink(log=log, secrets=secrets, on_line=shown.append)
    sink.copy(iter(chunks))
    return sink, log.getvalue().decode(), shown


def test_character_split_between_chunks() -> None:
    """A character whose bytes come in two chunks is one character."""
    _, log, _ = sink_of("grün\n".encode()[:3], "grün\n".encode()[3:])
    assert log == "grün\n"


def test_torn_last_character_is_replaced() -> None:
    """An end in the middle of a character is no error."""
    assert sink_of("ü".encode()[:1])[1] == "\ufffd\n"


def test_long_line_is_cut() -> None:
    """Megabytes without a line end cost bounded memory, and what follows is not lost."""
    sink, log, shown = sink_of(b"x" * 1_000_000, b"y\nnext\n")
    assert shown == ["x" * MAX_LINE + " [...]", "next"]
    assert log == f"{shown[0]}\nnext\n"
    assert sink.tail == tuple(shown)


@pytest.mark.parametrize("before", range(MAX_LINE - 12, MAX_LINE + 12))
def test_cut_never_leaves_a_part_of_a_secret(before: int) -> None:
    """Wherever the cut falls, no part of the secret that would be recognised is shown."""
    secret = "0123456789abcdef"
    _, log, _ = sink_of(b"x" * before + secret.encode() + b"z" * 100 + b"\n", secrets=(secret,))
    assert "0" not in log


def test_tail_is_bounded() -> None:
    """The last lines are kept, and only those."""
    sink, _, _ = sink_of(b"".join(f"{n}\n".encode() for n in range(1000)))
    assert sink.tail == tuple(str(n) for n in range(1000 - TAIL_LINES, 1000))


def test_closed_sink_drops_lines() -> None:
    """A reader that was left behind can't write into a log that is closed."""
    log = io.BytesIO()
    shown: list[str] = []
    sink = OutputSink(log=log, secrets=(), on_line=shown.append)
    sink.close()
    log.close()
    sink.copy(iter([b"late\n"]))
    assert shown == []
