"""Fakes of the doors to the outside world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheelworks.process import CommandResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheelworks.process import Cancellation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How a faked program answers."""

    stdout: str = ""
    stderr: str = ""
    returncode: int | None = 0
    start_error: str | None = None
    timed_out: bool = False
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that a fake runner was asked to make."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path


@dataclass
class FakeRunner:
    """A runner that starts nothing: a function answers each call, and every call is kept."""

    answer: Callable[[Call], Reply | None]
    """Gives the reply, or None when there is no such program."""
    calls: list[Call] = field(default_factory=list)
    attached: list[Call] = field(default_factory=list)
    """The calls that had the terminal; they are among ``calls``, too."""
    writes_logs: bool = False
    """Whether the output goes to the log, as with the real runner."""

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
        """Answer as the function says."""
        call = Call(argv=tuple(argv), env=dict(env), cwd=cwd)
        self.calls.append(call)
        missing = Reply(returncode=None, start_error=f"{argv[0]}: no such program")
        reply = self.answer(call) or missing
        lines = (*reply.stdout.splitlines(), *reply.stderr.splitlines())
        for line in lines:
            if on_line is not None:
                on_line(line)
        if self.writes_logs and log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
        return CommandResult(
            argv=call.argv,
            returncode=reply.returncode,
            seconds=0.0,
            timed_out=reply.timed_out,
            cancelled=reply.cancelled,
            stdout=reply.stdout if capture_stdout else "",
            tail=lines,
            start_error=reply.start_error,
        )

    def attach(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> CommandResult:
        """Answer as the function says, and remember that it had the terminal."""
        result = self.run(argv, env=env, cwd=cwd, timeout_seconds=0.0)
        self.attached.append(self.calls[-1])
        return result
