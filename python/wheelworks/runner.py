"""The door to processes as a contract: what a command is given and how it ended.

Pure types. ``process.py`` has the implementation that starts real processes; tests have fakes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheelworks.cancellation import Cancellation


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """How a process ended."""

    argv: tuple[str, ...]
    returncode: int | None
    """None when it could not be started, or was stopped by timeout or cancellation."""
    seconds: float
    timed_out: bool
    cancelled: bool
    stdout: str
    """Everything it printed there when captured, else empty."""
    tail: tuple[str, ...]
    """The last lines (at most 200) that it printed on both streams, secrets masked."""
    start_error: str | None
    """Why it could not be started (program not found, no permission)."""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with code 0."""
        return self.returncode == 0


class Runner(Protocol):
    """The door to processes, passed in as an argument so that tests hand over a fake."""

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
        r"""Run a program to its end.

        Args:
            argv: program and arguments; the program is looked up in ``env["PATH"]``.
            env: the whole environment of the child (see :func:`child_environment`).
            cwd: working folder.
            timeout_seconds: then the group is stopped.
            on_line: called with each line of both streams, without its end, from a reader thread; a
                carriage return ends a line too (progress bars).
            log: file that the output is appended to, begun with the quoted command and its changed
                variables; text that ends with a carriage return (a progress bar) is left out.
            cancellation: stops the group when requested.
            capture_stdout: keep stdout for the result, as it is; it then goes to the tail, but
                neither to the log nor to ``on_line``.
        """
        ...

    def attach(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> CommandResult:
        """Run a program that has this process's terminal and streams, until it ends by itself.

        Nothing is logged or masked. Interrupts of the terminal (Ctrl-C) are left to the program; when this
        process is terminated, the program is stopped first.

        Args:
            argv: program and arguments; the program is looked up in ``env["PATH"]``.
            env: the whole environment of the child.
            cwd: working folder.
        """
        ...


class GroupRecorder(Protocol):
    """Is told of process groups, so that the next run finds those that a killed run left."""

    def group_started(self, pid: int) -> None:
        """A process was started as the leader of a new group."""
        ...

    def group_ended(self, pid: int) -> None:
        """The group of that process is gone."""
        ...
