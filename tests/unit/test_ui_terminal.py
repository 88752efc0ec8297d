"""Tests of wheelworks.ui.terminal and ui.live, with real pseudo terminals."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo terminals are POSIX's", allow_module_level=True)

import fcntl
import pty
import struct
import termios

from wheelworks.threads import leave_signals_to_main_thread
from wheelworks.ui.terminal import KeyReader, guard_signals, in_foreground

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.starts_processes

PATIENCE_SECONDS = 60
SHOW_CURSOR = b"\x1b[?25h"
HIDE_CURSOR = b"\x1b[?25l"

#: A program that shows the sample run on stderr until its pipe is closed, then does what it is told.
PROGRAM = """
import os, select, sys
sys.path.insert(0, sys.argv[1])
from run_samples import run_events, START
from wheelworks.text import TextStyle
from wheelworks.ui.live import LiveDisplay

with LiveDisplay(sys.stderr, style=TextStyle(), keys=0, clock=lambda: START + 42) as display:
    for event in run_events():
        display(event)
    while not select.select([int(sys.argv[2])], [], [], 0.1)[0]:
        pass
    if sys.argv[3] == "raise":
        raise RuntimeError("in the middle")
os.write(1, b"went on")
sys.stderr.write("after the board\\n")
"""


class Terminal:
    """A pseudo terminal of 100 columns and 30 lines, and what a program wrote to it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.seen = b""

    def read_until(self, marker: bytes) -> None:
        """Collect output until the marker has come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while marker not in self.seen:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read_some(left):
                pytest.fail(f"{marker!r} did not come; seen: {self.seen!r}")

    def drain(self) -> bytes:
        """Everything that was written so far."""
        while self._read_some(0):
            pass
        return self.seen

    def _read_some(self, wait: float) -> bool:
        if not select.select([self.master], [], [], wait)[0]:
            return False
        self.seen += os.read(self.master, 65536)
        return True

    def is_line_buffered(self) -> bool:
        """Whether lines and echo are on, as a shell leaves them."""
        flags = termios.tcgetattr(self.slave)[3]
        assert isinstance(flags, int)
        return bool(flags & termios.ICANON) and bool(flags & termios.ECHO)

    def close(self) -> None:
        """Hang up."""
        for number in (self.master, self.slave):
            with suppress(OSError):
                os.close(number)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A fresh terminal."""
    made = Terminal()
    yield made
    made.close()


@contextmanager
def board_on(terminal: Terminal, then: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The program with its board on the terminal, and the pipe that ends it."""
    waits, ends = os.pipe()
    here = str(Path(__file__).parent.parent)
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, here, str(waits), then],
        stdin=terminal.slave,
        stdout=subprocess.PIPE,
        stderr=terminal.slave,
        pass_fds=(waits,),
        start_new_session=True,
    )
    os.close(waits)
    try:
        terminal.read_until(b"(t: details)")
        yield child, ends
    finally:
        with suppress(OSError):
            os.close(ends)
        child.kill()
        child.communicate()


def test_the_board_takes_the_terminal_and_gives_it_back(terminal: Terminal) -> None:
    """Inside single keys and no cursor, afterwards lines, echo and the cursor; the board is gone."""
    assert terminal.is_line_buffered()
    with board_on(terminal, "leave") as (child, ends):
        assert not terminal.is_line_buffered()
        assert "● cp313-manylinux_x86_64   compiling 11/80".encode() in terminal.seen
        os.close(ends)
        assert child.wait(PATIENCE_SECONDS) == 0
    terminal.read_until(b"after the board")
    assert terminal.is_line_buffered()
    assert terminal.seen.rindex(SHOW_CURSOR) > terminal.seen.rindex(HIDE_CURSOR)


def test_the_key_t_tells_what_every_running_job_does(terminal: Terminal) -> None:
    """Above the board, with the last lines of output; other keys do nothing."""
    with board_on(terminal, "leave") as (child, ends):
        os.write(terminal.master, b"x\xff\xc3\xa4t")
        terminal.read_until(b"crate6 v0.6")
        terminal.read_until(b"in all)")
        os.close(ends)
        assert child.wait(PATIENCE_SECONDS) == 0


def test_an_exception_gives_the_terminal_back(terminal: Terminal) -> None:
    """And is not swallowed."""
    with board_on(terminal, "raise") as (child, ends):
        os.close(ends)
        assert child.wait(PATIENCE_SECONDS) == 1
    # Python 3.13 colours the name of the exception apart from its text.
    terminal.read_until(b"in the middle")
    assert terminal.is_line_buffered()
    assert terminal.seen.rindex(SHOW_CURSOR) > terminal.seen.rindex(HIDE_CURSOR)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_deadly_signal_gives_the_terminal_back(
    terminal: Terminal, number: signal.Signals
) -> None:
    """The program still dies of it, as its parent expects."""
    with board_on(terminal, "leave") as (child, _ends):
        child.send_signal(number)
        assert child.wait(PATIENCE_SECONDS) == -number
    assert terminal.is_line_buffered()
    seen = terminal.drain()
    assert seen.rindex(SHOW_CURSOR) > seen.rindex(HIDE_CURSOR)


def test_a_terminal_that_goes_away_does_not_stop_the_run(terminal: Terminal) -> None:
    """The window is closed; what runs goes on to its end."""
    with board_on(terminal, "leave") as (child, ends):
        terminal.close()
        os.close(ends)
        assert child.communicate(timeout=PATIENCE_SECONDS)[0] == b"went on"


def test_keys_are_read_and_the_reader_ends_at_once(terminal: Terminal) -> None:
    """Each key is a call; leaving does not wait for another key."""
    keys: list[str] = []
    arrived = threading.Event()

    def on_key(key: str) -> None:
        keys.append(key)
        if key == "t":
            arrived.set()

    with KeyReader(terminal.slave, on_key) as reader:
        os.write(terminal.master, b"at")
        assert arrived.wait(PATIENCE_SECONDS)
        reader.suspend()
        assert terminal.is_line_buffered()
        reader.resume()
        assert not terminal.is_line_buffered()
    assert keys == ["a", "t"]
    assert terminal.is_line_buffered()
    assert "wheelworks-keys" not in [thread.name for thread in threading.enumerate()]


def test_signals_are_guarded_only_while_it_lasts_and_only_when_nobody_else_does() -> None:
    """A handler of the program stays in place; afterwards everything is as before."""

    def theirs(*_: object) -> None:
        """Somebody's own way to end."""

    before = signal.signal(signal.SIGTERM, theirs)
    try:
        with guard_signals(lambda: None, lambda: None):
            assert signal.getsignal(signal.SIGTERM) is theirs
            assert signal.getsignal(signal.SIGTSTP) not in (signal.SIG_DFL, None)
        assert signal.getsignal(signal.SIGTERM) is theirs
        assert signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_handler_that_came_later_is_left_in_place() -> None:
    """Whoever took a signal meanwhile keeps it."""

    def later(*_: object) -> None:
        """A handler of the block's own."""

    try:
        with guard_signals(lambda: None, lambda: None):
            signal.signal(signal.SIGHUP, later)
        assert signal.getsignal(signal.SIGHUP) is later
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_after_a_stop_the_terminal_is_taken_again() -> None:
    """Ctrl-Z gives it back, going on takes it."""
    calls: list[str] = []
    with guard_signals(lambda: calls.append("back"), lambda: calls.append("again")):
        signal.raise_signal(signal.SIGCONT)
    assert calls == ["again"]


def test_outside_the_main_thread_no_handler_is_set() -> None:
    """Python forbids it there, so the display works without."""
    handlers: list[object] = []

    def work() -> None:
        with guard_signals(lambda: None, lambda: None):
            handlers.append(signal.getsignal(signal.SIGTSTP))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.SIG_DFL]


def test_a_terminal_that_is_not_ours_has_no_background(terminal: Terminal) -> None:
    """Without job control nobody stops us."""
    assert in_foreground(terminal.slave)


def test_our_threads_leave_signals_to_the_main_thread() -> None:
    """Else a Ctrl-C that the system hands to one of them does not wake a waiting main thread."""
    masks: list[set[signal.Signals | int]] = []

    def work() -> None:
        leave_signals_to_main_thread()
        masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= masks[0]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
