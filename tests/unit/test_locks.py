"""Who holds what."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from wheelworks.errors import InterruptedRunError, MissingResourceError
from wheelworks.locks import LockHolder, acquire, read_holder
from wheelworks.process import Cancellation

if TYPE_CHECKING:
    from pathlib import Path


def holder_file(path: Path) -> Path:
    """Where the holder is written down."""
    return path.with_name(path.name + ".holder")


def test_holder_is_written_down_while_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Process, host, command and time are there inside, and gone afterwards."""
    monkeypatch.setattr(sys, "argv", ["/x/bin/wheelworks", "build", "cp313-*"])
    path = tmp_path / "locks" / "key.lock"
    before = time.time()
    with acquire(path, wait=False):
        holder = read_holder(path)
    assert holder is not None
    assert (holder.pid, holder.host) == (os.getpid(), socket.gethostname())
    assert holder.command == "wheelworks build 'cp313-*'"
    assert before <= holder.since <= time.time()
    assert read_holder(path) is None


def test_module_run_is_named_after_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``python -m wheelworks`` is shown as what a person would call it."""
    monkeypatch.setattr(sys, "argv", ["/x/wheelworks/__main__.py", "test"])
    with acquire(tmp_path / "a.lock", wait=False):
        holder = read_holder(tmp_path / "a.lock")
    assert holder is not None
    assert holder.command == "wheelworks test"


def test_held_lock_is_refused_with_its_holder(tmp_path: Path) -> None:
    """Not waiting means exit code 4, naming process, command and time, and a way out."""
    path = tmp_path / "key.lock"
    with acquire(path, wait=False):
        holder = read_holder(path)
        with pytest.raises(MissingResourceError) as caught, acquire(path, wait=False):
            pass
    assert caught.value.exit_code == 4
    assert caught.value.message == f"the lock key.lock is held by {holder}"
    assert str(os.getpid()) in caught.value.message
    assert "--no-wait" in str(caught.value.hint)


def test_lock_is_free_after_an_exception(tmp_path: Path) -> None:
    """A job that fails lets go."""
    path = tmp_path / "key.lock"
    with pytest.raises(ZeroDivisionError), acquire(path, wait=False):
        raise ZeroDivisionError
    with acquire(path, wait=False):
        assert read_holder(path) is not None


def test_waiting_ends_when_the_holder_lets_go(tmp_path: Path) -> None:
    """The one that waits is told for whom, once, and then has the lock."""
    path = tmp_path / "key.lock"
    told: list[LockHolder | None] = []
    is_waiting = threading.Event()
    order: list[str] = []

    def tell(holder: LockHolder | None) -> None:
        told.append(holder)
        is_waiting.set()

    def wait() -> None:
        with acquire(path, wait=True, on_wait=tell, poll_seconds=0.01):
            order.append("second")

    thread = threading.Thread(target=wait)
    with acquire(path, wait=True):
        thread.start()
        assert is_waiting.wait(60.0)
        order.append("first")
    thread.join(60.0)
    assert order == ["first", "second"]
    assert [holder and holder.pid for holder in told] == [os.getpid()]


def test_only_one_is_inside(tmp_path: Path) -> None:
    """Threads of one process exclude each other as processes do."""
    path = tmp_path / "key.lock"
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        with acquire(path, wait=True, poll_seconds=0.001):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert most == [1] * 6


def test_waiting_obeys_cancellation(tmp_path: Path) -> None:
    """An interrupt ends the wait at once; the lock stays with its holder."""
    path = tmp_path / "key.lock"
    cancellation = Cancellation()
    with (
        acquire(path, wait=True),
        pytest.raises(InterruptedRunError, match=r"waiting for the lock key\.lock"),
        acquire(
            path,
            wait=True,
            on_wait=lambda _: cancellation.request(),
            cancellation=cancellation,
            poll_seconds=3600.0,
        ),
    ):
        pass
    assert cancellation.requested


def test_holder_that_died_is_not_named(tmp_path: Path) -> None:
    """A killed process leaves its file behind; a free lock is taken all the same."""
    path = tmp_path / "key.lock"
    dead = {"pid": 2**22 + 1, "host": socket.gethostname(), "command": "x", "since": 1.0}
    holder_file(path).write_text(json.dumps(dead))
    assert read_holder(path) is None
    with acquire(path, wait=False):
        holder = read_holder(path)
        assert holder is not None
        assert holder.pid == os.getpid()


@pytest.mark.parametrize("text", ["", "[]", '{"pid": 1}', '{"pid": "x", "host": 1}', "\xff"])
def test_torn_holder_is_unknown(tmp_path: Path, text: str) -> None:
    """A file that can't be read names nobody; the refusal still says what is wrong."""
    path = tmp_path / "key.lock"
    with ExitStack() as stack:
        stack.enter_context(acquire(path, wait=False))
        holder_file(path).write_text(text, "latin-1")
        assert read_holder(path) is None
        with pytest.raises(MissingResourceError, match="is held by another run"):
            stack.enter_context(acquire(path, wait=False))


def test_holder_on_another_host_is_named_with_it() -> None:
    """On a shared disk the process number alone says nothing."""
    holder = LockHolder(pid=7, host="elsewhere", command="wheelworks build", since=0.0)
    assert str(holder).startswith("process 7 on elsewhere (wheelworks build), since ")


def test_lock_that_cannot_be_made_is_a_missing_resource(tmp_path: Path) -> None:
    """The file system's refusal is named."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(MissingResourceError, match="can't be written"),
        acquire(tmp_path / "file" / "key.lock", wait=True),
    ):
        pass


def test_holder_that_cannot_be_written_does_not_cost_the_lock(tmp_path: Path) -> None:
    """The file is for people only."""
    path = tmp_path / "key.lock"
    holder_file(path).mkdir()
    with acquire(path, wait=False), pytest.raises(MissingResourceError), acquire(path, wait=False):
        pass
