"""The board on a terminal.

Takes events and shows the board on the stream, redrawn a little after an event and on a slow tick;
the key ``t`` prints what every running job is doing. Owns the terminal while entered and gives
it back whatever happens. Decides nothing about what is shown: that is ``board.py``.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Self, TextIO

from rich.console import Console
from rich.live import Live

from wheelworks.threads import leave_signals_to_main_thread
from wheelworks.ui.board import render_board, render_details
from wheelworks.ui.state import BoardState, reduce_event
from wheelworks.ui.terminal import KeyReader, guard_signals, in_foreground

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from wheelworks.events import Event
    from wheelworks.text import TextStyle

#: Events come in bursts; one redraw serves all that arrive within this time.
_DELAY_SECONDS: Final = 0.08
#: Without events the clocks still advance.
_TICK_SECONDS: Final = 1.0
_SHOW_CURSOR: Final = b"\x1b[?25h\r\n"
_HIDE_CURSOR: Final = b"\x1b[?25l"


class LiveDisplay:
    """Shows a run as a board; a context manager and an event sink.

    Events may come from any thread and from a signal handler.

    Args:
        stream: a terminal, usually stderr.
        style: whether colour and Unicode may be used.
        keys: file descriptor that keys are read from (standard input); None to read none.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        style: TextStyle,
        keys: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream
        self._style = style
        self._keys = keys
        self._clock = clock
        self._state = BoardState()
        # A SimpleQueue has no lock that a signal handler could find taken by what it interrupted.
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._stack = ExitStack()
        self._key_reader: KeyReader | None = None
        self._console = Console(
            file=stream,
            force_terminal=True,
            color_system="standard" if style.color else None,
            markup=False,
            emoji=False,
            highlight=False,
        )
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            vertical_overflow="crop",
        )
        self._painter = threading.Thread(target=self._paint, name="wheelworks-board", daemon=True)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            # Left in reverse order: no more keys, no more drawing, board erased, signals back.
            stack.enter_context(guard_signals(self._suspend, self._resume))
            stack.enter_context(self._live)
            self._painter.start()
            stack.callback(self._end_painter)
            if self._keys is not None:
                self._key_reader = KeyReader(self._keys, self._on_key)
                stack.enter_context(self._key_reader)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        # A terminal that has gone away can't be cleaned; what happened before is what matters.
        with suppress(OSError):
            self._stack.close()

    def __call__(self, event: Event) -> None:
        """Show the event a little later."""
        self._events.put(event)

    def _end_painter(self) -> None:
        self._events.put(None)
        self._painter.join(timeout=1.0)

    def _paint(self) -> None:
        """Take events and draw, until None comes."""
        leave_signals_to_main_thread()
        while self._take_events(_TICK_SECONDS):
            try:
                self._draw()
            except OSError:
                # The terminal has gone away (a closed window); the run goes on without a board.
                return
            if not self._take_events(0, delay=_DELAY_SECONDS):
                return

    def _take_events(self, wait: float, *, delay: float = 0) -> bool:
        """Reduce what has come, waiting a while for the first; False when the display ends."""
        deadline = time.monotonic() + delay
        while True:
            left = deadline - time.monotonic()
            try:
                event = self._events.get(timeout=max(left, wait, 0))
            except Empty:
                return True
            if event is None:
                return False
            self._state = reduce_event(self._state, event)
            wait = 0

    def _draw(self) -> None:
        if in_foreground(self._stream.fileno()):
            self._live.update(self._board(), refresh=True)

    def _board(self) -> RenderableType:
        size = self._console.size
        return render_board(
            self._state,
            width=size.width,
            height=size.height,
            now=self._clock(),
            style=self._style,
            keys=self._key_reader is not None,
        )

    def _on_key(self, key: str) -> None:
        if key in ("t", "T"):
            with suppress(OSError):
                details = render_details(self._state, now=self._clock(), style=self._style)
                self._console.print(details)

    def _suspend(self) -> None:
        # Straight to the descriptor: a signal handler must not wait for a lock it has interrupted.
        if self._key_reader is not None:
            self._key_reader.suspend()
        self._write_raw(_SHOW_CURSOR)

    def _resume(self) -> None:
        if self._key_reader is not None:
            self._key_reader.resume()
        if in_foreground(self._stream.fileno()):
            self._write_raw(_HIDE_CURSOR)

    def _write_raw(self, data: bytes) -> None:
        with suppress(OSError):
            os.write(self._stream.fileno(), data)
