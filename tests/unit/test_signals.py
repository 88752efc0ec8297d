"""Signals as requests to stop."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from wheelworks.events import RunNotice
from wheelworks.process import Cancellation
from wheelworks.signals import Terminated, interruptible, postponed_termination, terminable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks.events import Event

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows raises no such signals")


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    """The handlers that Python begins with, whatever the shell left ignored for us."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def messages(events: list[Event]) -> list[str]:
    """The texts of the notices."""
    return [event.message for event in events if isinstance(event, RunNotice)]


def test_quiet_run_has_no_exit_code() -> None:
    """Without a signal nothing is requested and nothing is said."""
    events: list[Event] = []
    cancellation = Cancellation()
    with interruptible(cancellation, events.append) as state:
        pass
    assert state.exit_code is None
    assert not cancellation.requested
    assert events == []


@pytest.mark.parametrize(
    ("name", "exit_code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 143)]
)
def test_first_asks_second_kills(name: str, exit_code: int) -> None:
    """The first signal is polite and decides the exit code; the second forces."""
    events: list[Event] = []
    cancellation = Cancellation()
    with interruptible(cancellation, events.append, clock=lambda: 5.0) as state:
        signal.raise_signal(signal.Signals[name])
        assert (cancellation.requested, cancellation.forced) == (True, False)
        signal.raise_signal(signal.SIGINT)
        assert cancellation.forced
    assert state.exit_code == exit_code
    assert messages(events) == [
        f"{name}: waiting for the running jobs to stop; interrupt again to kill them",
        "SIGINT: killing the running jobs",
    ]


def test_handlers_are_put_back() -> None:
    """Afterwards the caller's own handlers are in force again."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interruptible(Cancellation(), lambda _: None):
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_ignored_signal_stays_ignored() -> None:
    """``nohup wheelworks build`` survives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        cancellation = Cancellation()
        with interruptible(cancellation, lambda _: None):
            signal.raise_signal(signal.SIGHUP)
        assert not cancellation.requested
    finally:
        signal.signal(signal.SIGHUP, before)


def test_sink_may_need_a_lock_that_the_main_thread_holds() -> None:
    """A signal that comes while the display is locked does not deadlock."""
    lock = threading.Lock()
    events: list[Event] = []

    def locked(event: Event) -> None:
        with lock:
            events.append(event)

    with interruptible(Cancellation(), locked), lock:
        signal.raise_signal(signal.SIGINT)
    assert len(events) == 1


def test_other_threads_install_nothing() -> None:
    """Used from a thread, it only gives its state."""
    states: list[int | None] = []

    def use() -> None:
        with interruptible(Cancellation(), lambda _: None) as state:
            states.append(state.exit_code)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert states == [None]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_outside_of_a_run_the_end_comes_as_an_exception(name: str) -> None:
    """So that what was started is stopped on the way out; afterwards the system decides again."""
    number = signal.Signals[name]
    with pytest.raises(Terminated), terminable():
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_run_takes_the_signals_over_and_gives_them_back() -> None:
    """Inside a run the request is orderly; behind it an exception again."""
    cancellation = Cancellation()
    with terminable():
        with interruptible(cancellation, lambda _: None):
            signal.raise_signal(signal.SIGTERM)
        assert cancellation.requested
        with pytest.raises(Terminated):
            signal.raise_signal(signal.SIGTERM)


def test_an_ignored_hangup_stays_ignored() -> None:
    """``nohup wheelworks``: the terminal may go."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with terminable():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_another_thread_installs_no_handlers() -> None:
    """Python allows it in the main thread only."""
    found: list[object] = []

    def work() -> None:
        with terminable():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


def test_a_termination_is_postponed_until_what_is_started_is_known() -> None:
    """It comes at the end of the context and not in the middle of a start; nothing is lost."""
    started = []

    def start(*, is_terminated: bool) -> None:
        with postponed_termination():
            if is_terminated:
                signal.raise_signal(signal.SIGTERM)
            started.append(is_terminated)

    with terminable():
        with pytest.raises(Terminated):
            start(is_terminated=True)
        start(is_terminated=False)
    assert started == [True, False]
