"""The terminal's own state: reading single keys, and putting everything back.

Takes a file descriptor of a terminal and callbacks. Touches its settings (termios), the handlers of
the signals that would leave it changed, and a reader thread. Does not know what is shown.

On POSIX the terminal is switched to cbreak (no line buffer, no echo, but Ctrl-C and Ctrl-Z still
send signals); on Windows the console is polled through msvcrt, which changes nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self

from wheelworks.threads import leave_signals_to_main_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_POLL_SECONDS: Final = 0.1
_JOIN_SECONDS: Final = 1.0


if sys.platform == "win32":
    import msvcrt

    def in_foreground(fd: int) -> bool:
        """Whether this program may use the terminal now; Windows knows no background."""
        del fd
        return True

    class KeyReader:
        """Calls back with each key that is pressed, from a thread of its own.

        Args:
            fd: standard input, which must be a console.
            on_key: called with one character.
        """

        def __init__(self, fd: int, on_key: Callable[[str], None]) -> None:
            del fd
            self._on_key = on_key
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._watch, name="wheelworks-keys", daemon=True)

        def __enter__(self) -> Self:
            self._thread.start()
            return self

        def __exit__(self, *_: object) -> None:
            self._stop.set()
            self._thread.join(timeout=_JOIN_SECONDS)

        def suspend(self) -> None:
            """Nothing was changed, so nothing is put back."""

        def resume(self) -> None:
            """Nothing was put back, so nothing is changed."""

        def _watch(self) -> None:
            while not self._stop.wait(_POLL_SECONDS):
                while msvcrt.kbhit():
                    self._on_key(msvcrt.getwch())

    @contextmanager
    def guard_signals(suspend: Callable[[], None], resume: Callable[[], None]) -> Iterator[None]:
        """Nothing to guard: the console is left as it is."""
        del suspend, resume
        yield

else:
    import select
    import termios

    # Their default action ends the program without a chance to put the terminal back.
    _FATAL: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

    def in_foreground(fd: int) -> bool:
        """Whether this program may use the terminal now.

        A program that a shell has put into the background is stopped when it reads or changes it.
        Where the terminal is not the controlling one there is no job control.
        """
        try:
            return os.tcgetpgrp(fd) == os.getpgrp()
        except OSError:
            return True

    class KeyReader:
        """Calls back with each key that is pressed, from a thread of its own.

        Args:
            fd: standard input, which must be a terminal.
            on_key: called with one character.
        """

        def __init__(self, fd: int, on_key: Callable[[str], None]) -> None:
            self._fd = fd
            self._on_key = on_key
            self._saved = termios.tcgetattr(fd)
            self._wake_reader, self._wake_writer = os.pipe()
            self._thread = threading.Thread(target=self._watch, name="wheelworks-keys", daemon=True)

        def __enter__(self) -> Self:
            self.resume()
            self._thread.start()
            return self

        def __exit__(self, *_: object) -> None:
            self.suspend()
            os.write(self._wake_writer, b"x")
            self._thread.join(timeout=_JOIN_SECONDS)
            if not self._thread.is_alive():
                # A thread that still waits must not find a number that by then means another file.
                os.close(self._wake_reader)
                os.close(self._wake_writer)

        def suspend(self) -> None:
            """Give the terminal back as it was found. Safe in a signal handler."""
            if in_foreground(self._fd):
                with suppress(termios.error):
                    termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)

        def resume(self) -> None:
            """Switch to single keys. Safe in a signal handler."""
            if not in_foreground(self._fd):
                return
            settings = list(self._saved)
            flags = settings[3]
            if isinstance(flags, int):
                settings[3] = flags & ~(termios.ICANON | termios.ECHO)
            # A terminal that has hung up can't be set; the reader will notice.
            with suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, settings)

        def _watch(self) -> None:
            leave_signals_to_main_thread()
            while True:
                ready, _, _ = select.select([self._fd, self._wake_reader], [], [])
                if self._wake_reader in ready:
                    return
                if not in_foreground(self._fd):
                    # The key is the shell's; look again later without spinning.
                    if select.select([self._wake_reader], [], [], _POLL_SECONDS)[0]:
                        return
                    continue
                try:
                    data = os.read(self._fd, 64)
                except OSError:
                    return
                if not data:
                    return
                for char in data.decode("utf-8", "ignore"):
                    self._on_key(char)

    @contextmanager
    def guard_signals(suspend: Callable[[], None], resume: Callable[[], None]) -> Iterator[None]:
        """Put the terminal back before a signal ends or stops the program; take it again later.

        Signals that somebody handles already are left alone: their handler lets the program end in
        order. Outside the main thread, where Python sets no handlers, nothing happens.

        Args:
            suspend: gives the terminal back; called in a signal handler.
            resume: takes it again after Ctrl-Z and ``fg``; called in a signal handler.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def end(number: int, _frame: FrameType | None) -> None:
            suspend()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

        def stop(number: int, _frame: FrameType | None) -> None:
            suspend()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            # Here the program has been stopped and continued, or the signal did nothing, because
            # nobody could continue it (an orphaned group).
            signal.signal(number, stop)
            resume()

        def go_on(_number: int, _frame: FrameType | None) -> None:
            resume()

        handlers = {**dict.fromkeys(_FATAL, end), signal.SIGTSTP: stop, signal.SIGCONT: go_on}
        ours = [number for number in handlers if signal.getsignal(number) == signal.SIG_DFL]
        for number in ours:
            signal.signal(number, handlers[number])
        try:
            yield
        finally:
            for number in ours:
                if signal.getsignal(number) is handlers[number]:
                    signal.signal(number, signal.SIG_DFL)
