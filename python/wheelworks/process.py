"""The only module that starts processes.

Takes an argv sequence (never a shell string), environment, folder, timeout and callbacks; gives a
frozen result. Every process runs in a group of its own; stopping is polite first, then by force. A
failing command is a value, not an exception. Knows nothing of jobs or tools.

A grandchild that makes itself a session of its own (``setsid``, a daemon such as the sccache
server) leaves the group and is not stopped; that is what such programs ask for. On Windows the tree
below the process is stopped.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Final, Literal

from wheelworks.cancellation import Cancellation, sleep_on
from wheelworks.childenv import (
    child_environment,
    describe_changes,
    mask_secrets,
    quote_command,
    secret_values,
)
from wheelworks.output import opened_sink
from wheelworks.runner import CommandResult, Runner
from wheelworks.signals import ignored_interrupts, postponed_termination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wheelworks.output import OutputSink
    from wheelworks.runner import GroupRecorder

__all__ = [
    "Cancellation",
    "CommandResult",
    "ProcessRunner",
    "Runner",
    "child_environment",
    "mask_secrets",
    "quote_command",
]

STOP_GRACE_SECONDS: Final = 10.0
"""From the polite request to stop to the kill."""
DRAIN_SECONDS: Final = 2.0
"""How long output is waited for after the main process ended: others may hold the pipe open."""
_CHUNK: Final = 65536
if sys.platform == "win32":
    _CREATION_FLAGS: Final = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _CREATION_FLAGS: Final = 0


class ProcessRunner:
    """The Runner that starts real processes. Thread-safe.

    Args:
        caller: the caller's variables: their secrets are masked, and the log names only what
            differs from them; default ``os.environ``.
        recorder: is told of every group.
        stop_grace_seconds: from the polite request to stop to the kill.
        drain_seconds: how long output is waited for after the main process ended.
    """

    def __init__(
        self,
        caller: Mapping[str, str] | None = None,
        *,
        recorder: GroupRecorder | None = None,
        stop_grace_seconds: float = STOP_GRACE_SECONDS,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._caller = dict(os.environ if caller is None else caller)
        self._recorder = recorder
        self._stop_grace_seconds = stop_grace_seconds
        self._drain_seconds = drain_seconds

    @contextlib.contextmanager
    def recording(self, recorder: GroupRecorder) -> Iterator[None]:
        """Tell a recorder of every group that starts or ends while the context is open."""
        before, self._recorder = self._recorder, recorder
        try:
            yield
        finally:
            self._recorder = before

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        timeout_seconds: float,
        on_line: Callable[[str], None] | None = None,
        log: Path | None = None,
        cancellation: Cancellation | None = None,
        capture_stdout: bool = False,
    ) -> CommandResult:
        """Run a program to its end; see :class:`Runner`.

        Raises:
            Exception: whatever ``on_line`` raised, once the process has ended.
        """
        started = time.monotonic()
        stop = cancellation or Cancellation()
        secrets = secret_values({**self._caller, **env})
        with opened_sink(log, secrets=secrets, on_line=on_line) as sink:
            self._write_header(sink, argv, env=env, cwd=cwd, secrets=secrets)
            captured: list[str] | None = [] if capture_stdout else None
            ended = _Ended()
            if stop.requested:
                ended.reason = "cancelled"
            else:
                self._start_and_wait(argv, env, cwd, timeout_seconds, stop, sink, captured, ended)
            seconds = time.monotonic() - started
            sink.write_log(f"# {ended.describe()} after {seconds:.1f} s")
        if sink.error is not None:
            raise sink.error
        return CommandResult(
            argv=tuple(argv),
            returncode=ended.returncode if ended.reason is None else None,
            seconds=seconds,
            timed_out=ended.reason == "timeout",
            cancelled=ended.reason == "cancelled",
            stdout="".join(captured or ()).replace("\r\n", "\n"),
            tail=sink.tail,
            start_error=ended.start_error,
        )

    def attach(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> CommandResult:
        """Run a program that has the terminal; see :class:`Runner`."""
        started = time.monotonic()
        returncode, start_error = None, None
        # From before the start: the program may have the terminal before Popen comes back.
        with ignored_interrupts():
            try:
                returncode = _start_attached(argv, env, cwd, self._stop_grace_seconds)
            except (OSError, ValueError) as error:
                start_error = _start_error(argv, cwd, error)
        return CommandResult(
            argv=tuple(argv),
            returncode=returncode,
            seconds=time.monotonic() - started,
            timed_out=False,
            cancelled=False,
            stdout="",
            tail=(),
            start_error=start_error,
        )

    def _write_header(
        self,
        sink: OutputSink,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        secrets: Sequence[str],
    ) -> None:
        sink.write_log(f"# in {cwd}")
        for change in describe_changes(self._caller, env, secrets):
            sink.write_log(f"# with {change}")
        # Masked before it is quoted, because quoting changes a secret that holds a quote.
        sink.write_log("$ " + quote_command([mask_secrets(word, secrets) for word in argv]))

    def _start_and_wait(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        timeout_seconds: float,
        stop: Cancellation,
        sink: OutputSink,
        captured: list[str] | None,
        ended: _Ended,
    ) -> None:
        try:
            process = _start(argv, env=env, cwd=cwd, merges_streams=captured is None)
        except (OSError, ValueError) as error:
            ended.start_error = _start_error(argv, cwd, error)
            return
        try:
            if self._recorder is not None:
                self._recorder.group_started(process.pid)
            readers = _start_readers(process, sink, captured)
            ended.reason = self._wait(process, timeout_seconds, stop)
            self._drain(process, readers)
        finally:
            # Also when an exception passes (an interrupt in the main thread): nothing may go on
            # running.
            _signal_group(process, force=True)
            # Bounded, because a process that hangs in the kernel (a dead network disk) can't even
            # be killed.
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended.returncode = process.wait(self._stop_grace_seconds)
            if self._recorder is not None:
                self._recorder.group_ended(process.pid)

    def _wait(
        self, process: subprocess.Popen[bytes], timeout_seconds: float, stop: Cancellation
    ) -> _StopReason | None:
        """Wait for the main process, stopping it at the timeout or on request; gives why."""
        woken: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=_tell_end, args=(process, woken), daemon=True).start()
        with stop.waking(lambda: woken.put(None)):
            _sleep_while_running(process, woken, timeout_seconds, lambda: stop.requested)
            if process.returncode is not None:
                return None
            reason: _StopReason = "cancelled" if stop.requested else "timeout"
            if not stop.forced:
                _signal_group(process, force=False)
                _sleep_while_running(process, woken, self._stop_grace_seconds, lambda: stop.forced)
            if process.returncode is None:
                _signal_group(process, force=True)
        return reason

    def _drain(self, process: subprocess.Popen[bytes], readers: Sequence[threading.Thread]) -> None:
        """Let the readers come to the end, but never wait for whoever holds the pipe open."""
        _join(readers, self._drain_seconds)
        if any(reader.is_alive() for reader in readers):
            _signal_group(process, force=True)
            # What left the group can still hold the pipe; its reader is a daemon thread and is left
            # behind.
            _join(readers, self._drain_seconds)


_StopReason = Literal["timeout", "cancelled"]


class _Ended:
    """What becomes known while a process runs."""

    def __init__(self) -> None:
        self.returncode: int | None = None
        self.reason: _StopReason | None = None
        self.start_error: str | None = None

    def describe(self) -> str:
        """For the log's last line."""
        if self.start_error is not None:
            return f"not started: {self.start_error}"
        if self.reason is not None:
            return "stopped by its timeout" if self.reason == "timeout" else "cancelled"
        return f"exit code {self.returncode}"


def _start(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, merges_streams: bool
) -> subprocess.Popen[bytes]:
    program = _resolve(argv[0], env=env, cwd=cwd)
    return subprocess.Popen(
        [program, *argv[1:]],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merges_streams else subprocess.PIPE,
        bufsize=0,
        # A session of its own is a group without a terminal: nothing in it can stop to ask for a
        # password.
        start_new_session=sys.platform != "win32",
        creationflags=_CREATION_FLAGS,
    )


def _resolve(program: str, *, env: Mapping[str, str], cwd: Path) -> str:
    """The program's file: looked up in the child's PATH, or relative to the child's folder.

    Raises:
        FileNotFoundError: there is none.
    """
    if Path(program).name != program:
        return str(cwd / program)
    found = shutil.which(program, path=env.get("PATH", os.defpath))
    if found is None:
        raise FileNotFoundError(f"program {program!r} not found on PATH")
    # An entry of PATH may be relative; the child starts in another folder.
    return str(Path(found).absolute())


def _start_error(argv: Sequence[str], cwd: Path, error: OSError | ValueError) -> str:
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    if not cwd.is_dir():
        return f"the working folder {cwd} is missing"
    if isinstance(error, FileNotFoundError):
        return f"{argv[0]}, or the interpreter that its first line names, is missing"
    return f"{argv[0]}: {error.strerror}"


def _start_attached(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path, stop_grace_seconds: float
) -> int:
    """Give a program the terminal and wait for it; whatever ends us ends it, too."""
    process = None
    try:
        with postponed_termination():
            # In this process's own group: else the terminal would not let it read.
            process = subprocess.Popen(
                [_resolve(argv[0], env=env, cwd=cwd), *argv[1:]], env=env, cwd=cwd
            )
        return process.wait()
    except BaseException:
        if process is None:
            raise
        process.terminate()
        try:
            process.wait(stop_grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


def _start_readers(
    process: subprocess.Popen[bytes], sink: OutputSink, captured: list[str] | None
) -> list[threading.Thread]:
    streams = [(process.stdout, captured), (process.stderr, None)]
    readers = [
        threading.Thread(target=sink.copy, args=(_chunks(pipe), kept), daemon=True)
        for pipe, kept in streams
        if pipe is not None
    ]
    for reader in readers:
        reader.start()
    return readers


def _chunks(pipe: IO[bytes]) -> Iterator[bytes]:
    with pipe:
        while chunk := pipe.read(_CHUNK):
            yield chunk


def _tell_end(process: subprocess.Popen[bytes], woken: SimpleQueue[None]) -> None:
    process.wait()
    woken.put(None)


def _sleep_while_running(
    process: subprocess.Popen[bytes],
    woken: SimpleQueue[None],
    seconds: float,
    is_over: Callable[[], bool],
) -> None:
    """Sleep until the process has ended, or ``is_over``, or for so long."""
    deadline = time.monotonic() + seconds
    while process.returncode is None and not is_over():
        left = deadline - time.monotonic()
        if left <= 0:
            return
        sleep_on(woken, left)


def _join(threads: Sequence[threading.Thread], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _signal_group(process: subprocess.Popen[bytes], *, force: bool) -> None:
    """Ask the whole group to stop, or kill it; a group that is gone already is fine."""
    if sys.platform == "win32":
        _signal_tree(process, force=force)
        return
    # The group's number is not given to another process as long as a member lives.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)


if sys.platform == "win32":

    def _signal_tree(process: subprocess.Popen[bytes], *, force: bool) -> None:
        """Ctrl-Break reaches the group; only taskkill reaches the tree by force."""
        if process.poll() is not None:
            return
        with contextlib.suppress(OSError):
            if force:
                command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
                subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
                process.kill()
            else:
                process.send_signal(signal.CTRL_BREAK_EVENT)
