"""Signals of the terminal and the system -> the request to stop.

:func:`interruptible` is for a run, which stops its jobs in order; :func:`terminable` for all the
time around it. Both install handlers and put the former ones back. Nothing is stopped here.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from wheelworks.errors import EXIT_INTERRUPTED, EXIT_TERMINATED
from wheelworks.events import RunNotice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from wheelworks.cancellation import Cancellation
    from wheelworks.events import EventSink

#: Signal -> exit code of a run that it ended; names, because not every system has each.
_EXIT_CODES: Final = {
    "SIGINT": EXIT_INTERRUPTED,
    "SIGBREAK": EXIT_INTERRUPTED,
    "SIGTERM": EXIT_TERMINATED,
    "SIGHUP": EXIT_TERMINATED,
}
_FIRST: Final = "waiting for the running jobs to stop; interrupt again to kill them"
_SECOND: Final = "killing the running jobs"


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP came while there was no run to be stopped in order."""


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Raise :class:`Terminated` on SIGTERM and SIGHUP while the context is open.

    Left to the system they would end this process at once, and what it has started (a probe, an
    installer) would go on. Ctrl-C is such an exception without our doing.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGTERM", "SIGHUP"):
                _install(stack, name, handle)
        yield


@contextlib.contextmanager
def ignored_interrupts() -> Iterator[None]:
    """Leave Ctrl-C (and what else a terminal sends) to the program that has the terminal, while the context is open.

    A handler that does nothing, because a signal that is ignored would be so in the program, too.
    """
    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGQUIT", "SIGBREAK"):
                _install(stack, name, lambda _number, _frame: None)
        yield


@contextlib.contextmanager
def postponed_termination() -> Iterator[None]:
    """Let SIGTERM and SIGHUP come at the end of the context: what is being started in it is known then."""
    came: list[int] = []
    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGTERM", "SIGHUP"):
                _install(stack, name, lambda number, _frame: came.append(number))
        yield
    if came:
        signal.raise_signal(came[0])


class SignalState:
    """Which signal came first, if any."""

    def __init__(self) -> None:
        self.exit_code: int | None = None
        """130 or 143 once a signal came, else None."""


@contextlib.contextmanager
def interruptible(
    cancellation: Cancellation, sink: EventSink, *, clock: Callable[[], float] = time.time
) -> Iterator[SignalState]:
    """Turn signals into requests to stop while the context is open.

    The first one (SIGINT, SIGTERM, SIGHUP; on Windows Ctrl-C and Ctrl-Break) asks, the second
    kills. A signal that the caller ignores (``nohup``) stays ignored. Outside the main thread,
    where Python allows no handlers, nothing is installed.

    Args:
        cancellation: is requested.
        sink: gets a notice; called from a thread of its own, because a handler interrupts the main
            thread wherever it is, maybe inside the very lock that the sink needs.
        clock: seconds since the epoch, for the notices.
    """
    state = SignalState()
    notices: SimpleQueue[str | None] = SimpleQueue()

    def handle(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        is_second = cancellation.requested
        if state.exit_code is None:
            state.exit_code = _EXIT_CODES[name]
        cancellation.request(force=is_second)
        notices.put(f"{name}: {_SECOND if is_second else _FIRST}")

    def show() -> None:
        while (message := notices.get()) is not None:
            sink(RunNotice(time=clock(), level="warning", message=message))

    shower = threading.Thread(target=show, name="signal-notices", daemon=True)
    with contextlib.ExitStack() as stack:
        shower.start()
        stack.callback(shower.join)
        stack.callback(notices.put, None)
        if threading.current_thread() is threading.main_thread():
            for name in _EXIT_CODES:
                _install(stack, name, handle)
        yield state


def _install(
    stack: contextlib.ExitStack, name: str, handle: Callable[[int, FrameType | None], None]
) -> None:
    number = getattr(signal, name, None)
    # getsignal gives None for a handler that was not installed from Python; it can't be put back.
    if number is None or signal.getsignal(number) in (None, signal.SIG_IGN):
        return
    stack.callback(signal.signal, number, signal.signal(number, handle))
