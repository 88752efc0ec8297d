"""Text for people: escaping, durations, sizes, widths, colours.

Takes strings and numbers, gives strings; a leaf that imports only the events. Does not know what
is shown, nor the terminal: whether colour and Unicode may be used is an argument.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from wheelworks.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

Look = Literal["plain", "bold", "dim", "red", "green", "yellow", "cyan"]
Align = Literal["left", "right"]

_SGR: Final[Mapping[str, str]] = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
}

# Control sequences (colours, cursor), operating system commands (titles, links), short escapes.
_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")

_OUTCOME_MARKS: Final[Mapping[Outcome, tuple[str, str, Look]]] = {
    Outcome.SUCCEEDED: ("✓", "+", "green"),
    Outcome.UP_TO_DATE: ("=", "=", "green"),
    Outcome.FAILED: ("✗", "x", "red"),
    Outcome.UNAVAILABLE: ("–", "-", "yellow"),  # noqa: RUF001  an en dash is meant
    Outcome.SKIPPED: ("»", ">", "yellow"),
    Outcome.CANCELLED: ("■", "!", "yellow"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """What the place that text goes to can show."""

    color: bool = False
    unicode: bool = True

    def paint(self, text: str, look: Look) -> str:
        """The text in that look, or unchanged where colour is not wanted."""
        code = _SGR.get(look)
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code and text else text

    def clean(self, text: str) -> str:
        """The text on one line with nothing in it that a terminal could act upon."""
        safe = printable(text)
        return safe if self.unicode else _to_ascii(safe)

    def mark(self, outcome: Outcome) -> str:
        """One character that stands for the outcome, without colour."""
        fancy, plain, _look = _OUTCOME_MARKS[outcome]
        return fancy if self.unicode else plain

    @property
    def ellipsis(self) -> str:
        """What stands for text that was left out."""
        return "…" if self.unicode else "..."


def outcome_look(outcome: Outcome) -> Look:
    """The look that an outcome has everywhere."""
    return _OUTCOME_MARKS[outcome][2]


def _to_ascii(text: str) -> str:
    """The text in ASCII: our own punctuation replaced by its like, the rest escaped."""
    return text.replace("…", "...").encode("ascii", "backslashreplace").decode("ascii")


def strip_ansi(text: str) -> str:
    """The text without terminal sequences."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def printable(text: str) -> str:
    r"""The text with control, format and surrogate characters escaped (``\x1b``, ``\u202e``).

    A cell, crate or file name can hold anything; shown as it is, it could move the cursor, reorder
    the line or fail to encode.
    """
    if text.isprintable():
        return text
    return "".join(char if _is_harmless(char) else _escape(char) for char in text)


def _is_harmless(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def output_line(text: str) -> str:
    """A program's line, fit to be shown: colours removed, tabs as spaces, the rest escaped."""
    return printable(strip_ansi(text).expandtabs(4).rstrip())


def text_width(text: str) -> int:
    """How many columns the text takes in a terminal (wide characters two, combining ones none)."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shorten(text: str, width: int, *, ellipsis: str = "…") -> str:
    """The text cut to at most that many columns; what was cut ends with the ellipsis."""
    if text_width(text) <= width:
        return text
    if width <= len(ellipsis):
        return ellipsis[: max(width, 0)]
    room = width - len(ellipsis)
    kept = 0
    for index, char in enumerate(text):
        kept += _char_width(char)
        if kept > room:
            return text[:index] + ellipsis
    return text  # pragma: no cover  # the text is wider than the room, so the loop returns


def pad(text: str, width: int, align: Align = "left") -> str:
    """The text with spaces up to that many columns."""
    spaces = " " * max(width - text_width(text), 0)
    return text + spaces if align == "left" else spaces + text


def format_seconds(seconds: float) -> str:
    """A duration in words: ``0.8 s``, ``34 s``, ``2 min 05 s``, ``1 h 03 min``."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def format_clock(seconds: float) -> str:
    """A duration as a clock: ``0:07``, ``12:05``, ``1:03:20``."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def format_size(size: int) -> str:
    """A size as package indexes write it: ``812 B``, ``391 kB``, ``1.2 MB``."""
    if size < 1000:
        return f"{size} B"
    if size < 999_500:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB"


def counted(number: int, noun: str) -> str:
    """``1 cell``, ``3 cells``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
