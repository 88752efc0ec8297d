"""The request to stop."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from wheelworks.cancellation import Cancellation


def test_begins_unrequested() -> None:
    """Nobody has asked yet."""
    cancellation = Cancellation()
    assert (cancellation.requested, cancellation.forced) == (False, False)


def test_force_stays() -> None:
    """A polite request after a forced one takes nothing back."""
    cancellation = Cancellation()
    cancellation.request(force=True)
    cancellation.request()
    assert (cancellation.requested, cancellation.forced) == (True, True)


def test_wakes_only_inside_the_context() -> None:
    """Each request wakes who is waiting then."""
    cancellation = Cancellation()
    woken: list[int] = []
    with cancellation.waking(lambda: woken.append(1)), cancellation.waking(lambda: woken.append(2)):
        cancellation.request()
    cancellation.request(force=True)
    assert woken == [1, 2]


def test_wait_ends_by_time() -> None:
    """Without a request the time passes."""
    assert Cancellation().wait(0.01) is False


def test_wait_ends_at_once_when_requested_before() -> None:
    """A request that came first is not slept through."""
    cancellation = Cancellation()
    cancellation.request()
    assert cancellation.wait(3600.0) is True


@pytest.mark.skipif(sys.platform == "win32", reason="timers are POSIX")
def test_request_from_a_signal_handler_ends_a_wait_of_the_main_thread() -> None:
    """A handler interrupts the very thread that waits; nothing deadlocks."""
    cancellation = Cancellation()
    before = signal.signal(signal.SIGALRM, lambda *_: cancellation.request())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert cancellation.wait(3600.0) is True
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX delivers signals to threads")
def test_signal_that_another_thread_gets_ends_a_wait_of_the_main_thread() -> None:
    """The system chooses the thread; the request must come through whichever it takes."""
    cancellation = Cancellation()
    before = signal.signal(signal.SIGUSR1, lambda *_: cancellation.request())
    try:
        thread = threading.Thread(
            target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        )
        starter = threading.Timer(0.05, thread.start)
        starter.start()
        assert cancellation.wait(3600.0) is True
        starter.join()
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
