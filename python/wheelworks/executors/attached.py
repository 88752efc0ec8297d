"""A door to processes whose steps have the terminal, on this host and in containers alike.

Starts nothing itself: it hands a step's command to :meth:`Runner.attach`. With it, everything else about a step (its
environment, its container, what is removed afterwards) stays the executors' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheelworks.cancellation import Cancellation
    from wheelworks.runner import CommandResult, Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedRunner:
    """Gives the terminal to every command whose output nobody asks for; questions are asked as usual."""

    runner: Runner
    is_terminal: bool
    """Whether this process's input is a terminal."""
    engine: str | None = None
    """Path of the engine's client, for steps in containers."""

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
        """Run a program; see :class:`Runner`. Timeout, log and cancellation are for questions only."""
        if not capture_stdout:
            return self.attach(argv, env=env, cwd=cwd)
        return self.runner.run(
            argv,
            env=env,
            cwd=cwd,
            timeout_seconds=timeout_seconds,
            on_line=on_line,
            log=log,
            cancellation=cancellation,
            capture_stdout=capture_stdout,
        )

    def attach(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> CommandResult:
        """Run a program that has the terminal; a container gets one of its own, joined to it."""
        return self.runner.attach(self._joined(argv), env=env, cwd=cwd)

    def _joined(self, argv: Sequence[str]) -> tuple[str, ...]:
        if self.engine is None or tuple(argv[:2]) != (self.engine, "run"):
            return tuple(argv)
        tty = ("--tty",) if self.is_terminal else ()
        return (*argv[:2], "--interactive", *tty, *argv[2:])
