"""Who holds which build folder and ``dist/``.

Takes the path of a lock, gives a context in which this thread holds it. The system's file lock
decides, so that a killed holder lets go by dying; a file beside it says who holds it, for people.
Knows nothing of what is protected.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from wheelworks.cancellation import Cancellation
from wheelworks.errors import InterruptedRunError, MissingResourceError
from wheelworks.files import atomic_write, unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHolder:
    """Who holds a lock."""

    pid: int
    host: str
    command: str
    since: float
    """Seconds since the epoch."""

    def __str__(self) -> str:
        """``process 4711 (wheelworks build), since 12:03:04``, for messages."""
        where = "" if self.host == socket.gethostname() else f" on {self.host}"
        since = time.strftime("%H:%M:%S", time.localtime(self.since))
        return f"process {self.pid}{where} ({self.command}), since {since}"


@contextlib.contextmanager
def acquire(
    path: Path,
    *,
    wait: bool,
    on_wait: Callable[[LockHolder | None], None] | None = None,
    cancellation: Cancellation | None = None,
    poll_seconds: float = POLL_SECONDS,
) -> Iterator[None]:
    """Hold a lock while the context is open; other threads and processes stay outside.

    Args:
        path: the lock's file; its folder is made where needed.
        wait: whether to wait for another holder.
        on_wait: called before waiting, and again when the holder changes, with the holder where it
            is known.
        cancellation: ends the waiting.
        poll_seconds: how often a waiting one looks.

    Raises:
        MissingResourceError: the lock is held and ``wait`` is False, or its file can't be written.
        InterruptedRunError: the cancellation was requested while waiting.
    """
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(
            lock, path, wait=wait, on_wait=on_wait, stop=cancellation, poll_seconds=poll_seconds
        )
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        _write_holder(path)
        yield
    finally:
        # Before the release: afterwards the file may already be the next holder's.
        with contextlib.suppress(OSError):
            _holder_file(path).unlink()
        lock.release()


def read_holder(path: Path) -> LockHolder | None:
    """Who wrote down to hold the lock; None when that is missing, torn or out of date."""
    try:
        document: object = json.loads(_holder_file(path).read_bytes())
        if not isinstance(document, dict):
            return None
        holder = LockHolder(
            pid=int(document["pid"]),
            host=str(document["host"]),
            command=str(document["command"]),
            since=float(document["since"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return holder if _may_live(holder) else None


def _acquire(
    lock: FileLock,
    path: Path,
    *,
    wait: bool,
    on_wait: Callable[[LockHolder | None], None] | None,
    stop: Cancellation | None,
    poll_seconds: float,
) -> None:
    """Take the lock, or tell who holds it and try again."""
    stop = stop or Cancellation()
    told: list[LockHolder | None] = []
    while True:
        with contextlib.suppress(Timeout):
            lock.acquire(blocking=False)
            return
        holder = read_holder(path)
        if not wait:
            raise MissingResourceError(
                f"{_purpose(path)} is held by {holder or 'another run'}",
                hint="wait until it has ended, or leave out --no-wait",
            )
        if not told or (holder is not None and holder != told[-1]):
            told.append(holder)
            if on_wait is not None:
                on_wait(holder)
        if stop.wait(poll_seconds):
            raise InterruptedRunError(f"interrupted while waiting for {_purpose(path)}")


def _purpose(path: Path) -> str:
    return f"the lock {path.name}"


def _holder_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")


def _write_holder(path: Path) -> None:
    """Say who we are. For people only, so that a full disk is no reason to give the lock back."""
    holder = LockHolder(
        pid=os.getpid(), host=socket.gethostname(), command=_command(), since=time.time()
    )
    with contextlib.suppress(OSError):
        atomic_write(_holder_file(path), json.dumps(asdict(holder)).encode(), durable=False)


def _command() -> str:
    """This process's command line as a person would type it."""
    program = Path(sys.argv[0] if sys.argv else "")
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name or "python", *sys.argv[1:]])


def _may_live(holder: LockHolder) -> bool:
    """Whether the holder's process may be alive; a killed one leaves its file behind."""
    if sys.platform == "win32" or holder.host != socket.gethostname():
        return True
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
