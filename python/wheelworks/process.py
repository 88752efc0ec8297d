"""The only module that starts processes.

Takes an argv sequence (never a shell string), environment, folder, timeout and callbacks; gives a frozen
result. Every process runs in a group of its own; stopping is polite first, then by force. A failing
command is a value, not an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


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


class Cancellation:
    """Asks running processes to stop. Thread-safe."""

    def request(self, *, force: bool = False) -> None:
        """Ask every process to stop (SIGTERM to its group); with ``force`` kill."""
        raise NotImplementedError

    @property
    def requested(self) -> bool:
        """Whether somebody asked."""
        raise NotImplementedError

    @property
    def forced(self) -> bool:
        """Whether somebody asked with force."""
        raise NotImplementedError


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
            on_line: called with each line of both streams, without its end, from a reader thread; a carriage
                return ends a line too (progress bars).
            log: file that the output is appended to, begun with the quoted command and its changed variables;
                text that ends with a carriage return (a progress bar) is left out.
            cancellation: stops the group when requested.
            capture_stdout: keep stdout for the result.
        """
        ...


def child_environment(
    caller: Mapping[str, str],
    *,
    set_: Mapping[str, str],
    unset: Sequence[str] = (),
    pass_: Sequence[str] = (),
) -> dict[str, str]:
    """The environment of a child: allow-listed variables of the caller plus ``set_``.

    The allow-list holds what programs need everywhere (PATH, HOME, LANG, LC_*, TMPDIR, proxies, CA bundles,
    SSH_AUTH_SOCK never, CARGO_HOME, RUSTUP_HOME, CARGO_HTTP_*, CARGO_NET_*, CARGO_REGISTRIES_*_INDEX,
    PIP_* and UV_* without tokens, SOURCE_DATE_EPOCH, Windows' SYSTEMROOT and so on), never ``PYO3_*``, ``VIRTUAL_ENV``,
    ``CONDA_PREFIX``, ``PYTHONPATH``, ``PYTHONHOME`` or a name that looks like a secret (TOKEN, SECRET, PASSWORD, KEY).
    """
    raise NotImplementedError
