"""Which display a run gets.

Takes facts about the streams, the environment and the flags as values, decides, and opens the
display. Reads no environment itself. rich is imported only when the board is chosen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self, TextIO

from wheelworks.text import TextStyle
from wheelworks.ui.lines import LinesDisplay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelworks.events import Event
    from wheelworks.ui.lines import Verbosity

ColorChoice = Literal["auto", "always", "never"]


class Display(Protocol):
    """An event sink that is entered before the run and left after it."""

    def __enter__(self) -> Self:
        """Take the stream."""
        ...

    def __exit__(self, *error: object) -> None:
        """Give it back, whatever happened."""
        ...

    def __call__(self, event: Event) -> None:
        """Show the event."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the choice depends on besides the flags."""

    stdin_is_terminal: bool
    stream_is_terminal: bool
    """Of the stream that the text goes to, usually stderr."""
    stream_encoding: str | None
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayChoice:
    """The display of a run."""

    kind: Literal["live", "lines"]
    verbosity: Verbosity
    style: TextStyle
    reads_keys: bool


def choose_style(surroundings: Surroundings, color: ColorChoice = "auto") -> TextStyle:
    """Whether the stream gets colour and Unicode.

    ``--color`` wins over ``NO_COLOR``, that over ``FORCE_COLOR``, that over what the stream is.
    """
    encoding = (surroundings.stream_encoding or "").lower().replace("-", "").replace("_", "")
    return TextStyle(color=_wants_color(surroundings, color), unicode=encoding.startswith("utf"))


def _wants_color(surroundings: Surroundings, color: ColorChoice) -> bool:
    if color != "auto":
        return color == "always"
    environment = surroundings.environment
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return surroundings.stream_is_terminal and environment.get("TERM") != "dumb"


def choose_display(
    surroundings: Surroundings,
    *,
    color: ColorChoice = "auto",
    quiet: bool = False,
    verbose: bool = False,
) -> DisplayChoice:
    """The board for a person at a terminal, else plain lines.

    ``-q`` and ``-v`` give lines everywhere: the one shows next to nothing, the other every line of
    output, and neither goes with a board that is redrawn.
    """
    environment = surroundings.environment
    in_ci = environment.get("CI", "").lower() not in ("", "0", "false")
    can_redraw = surroundings.stream_is_terminal and environment.get("TERM") != "dumb"
    is_live = can_redraw and not (in_ci or quiet or verbose)
    return DisplayChoice(
        kind="live" if is_live else "lines",
        verbosity="quiet" if quiet else "verbose" if verbose else "normal",
        style=choose_style(surroundings, color),
        reads_keys=is_live and surroundings.stdin_is_terminal,
    )


def open_display(
    choice: DisplayChoice,
    stream: TextIO,
    *,
    stdin_fd: int = 0,
    clock: Callable[[], float] = time.time,
) -> Display:
    """The chosen display, not yet entered.

    Args:
        choice: what :func:`choose_display` gave.
        stream: where it is shown, usually stderr.
        stdin_fd: where keys are read from.
        clock: seconds since the epoch.
    """
    if choice.kind == "lines":
        return LinesDisplay(stream, style=choice.style, verbosity=choice.verbosity, clock=clock)
    # Imported here, because rich doubles the start-up time of runs that never show a board.
    from wheelworks.ui.live import LiveDisplay

    keys = stdin_fd if choice.reads_keys else None
    return LiveDisplay(stream, style=choice.style, keys=keys, clock=clock)
