"""The request to stop, shared by whoever asks and whoever runs something.

Takes requests from any thread and from signal handlers, gives flags and wakes sleepers. Starts and
stops nothing itself.
"""

from __future__ import annotations

import contextlib
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Python runs signal handlers in the main thread only, and nothing wakes it from a lock when the
#: system delivers the signal to another thread (macOS may) or has no such interruption (Windows).
#: So it looks up.
_LONGEST_SLEEP: Final = 0.5


def sleep_on(woken: SimpleQueue[None], seconds: float) -> None:
    """Sleep until something is put into the queue, or for so long; may wake up early."""
    with contextlib.suppress(Empty):
        woken.get(timeout=min(max(seconds, 0.0), _LONGEST_SLEEP))


class Cancellation:
    """Asks running processes to stop. Thread-safe, and safe to request from a signal handler.

    A handler runs between two instructions of the main thread, which may hold any lock at that
    moment. So ``request`` takes none: it sets flags and calls the wakers of an immutable tuple.
    """

    def __init__(self) -> None:
        self._requested = False
        self._forced = False
        self._wakers: tuple[Callable[[], None], ...] = ()
        self._lock = threading.Lock()

    def request(self, *, force: bool = False) -> None:
        """Ask every process to stop (SIGTERM to its group); with ``force`` kill."""
        self._forced = self._forced or force
        self._requested = True
        for wake in self._wakers:
            wake()

    @property
    def requested(self) -> bool:
        """Whether somebody asked."""
        return self._requested

    @property
    def forced(self) -> bool:
        """Whether somebody asked with force."""
        return self._forced

    @contextlib.contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call ``wake`` at each request while the context is open.

        Look at ``requested`` after entering: a request made before does not wake anybody.

        Args:
            wake: called from any thread or a signal handler; must not take a lock
                (``SimpleQueue.put`` is fine).
        """
        with self._lock:
            self._wakers = (*self._wakers, wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers = tuple(waker for waker in self._wakers if waker is not wake)

    def wait(self, seconds: float) -> bool:
        """Sleep until somebody asks or the time is over; gives whether somebody asked."""
        woken: SimpleQueue[None] = SimpleQueue()
        deadline = time.monotonic() + seconds
        with self.waking(lambda: woken.put(None)):
            while not self._requested and (left := deadline - time.monotonic()) > 0:
                sleep_on(woken, left)
        return self._requested
