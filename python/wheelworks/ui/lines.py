"""Plain lines for CI logs and pipes.

Takes events, writes one line for each job that starts or ends and for each phase, and, where a job
says nothing for long, a heartbeat. Never redraws and never shows progress as it comes. Imports no
rich.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal, Self, TextIO

from wheelworks.events import (
    JobFinished,
    JobOutput,
    JobPhase,
    JobStarted,
    Outcome,
    RunNotice,
    RunStarted,
)
from wheelworks.text import counted, format_seconds, outcome_look, output_line
from wheelworks.threads import leave_signals_to_main_thread
from wheelworks.ui.progress import elapsed_seconds, remaining_seconds
from wheelworks.ui.state import BoardState, job_labels, reduce_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelworks.events import Event
    from wheelworks.text import TextStyle
    from wheelworks.ui.state import JobView

Verbosity = Literal["quiet", "normal", "verbose"]

#: A job that runs is mentioned at least this often, because CI services stop silent jobs.
HEARTBEAT_SECONDS: Final = 30.0
_TICK_SECONDS: Final = 5.0


class LinesDisplay:
    """Shows a run as plain lines; a context manager and an event sink.

    Events may come from any thread and from a signal handler.

    Args:
        stream: where the lines go; when it is closed or broken the display falls silent and the run
            goes on.
        style: whether colour and Unicode may be used.
        verbosity: ``quiet`` shows failures and warnings only, ``verbose`` every line of output too.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        style: TextStyle,
        verbosity: Verbosity = "normal",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream
        self._style = style
        self._verbosity = verbosity
        self._clock = clock
        self._state = BoardState()
        self._labels: dict[str, str] = {}
        self._spoken: dict[str, float] = {}
        self._unavailable: dict[str, list[str]] = {}
        self._lock = threading.RLock()
        self._pending: deque[Event] = deque()
        self._is_showing = False
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="wheelworks-lines", daemon=True)

    def __enter__(self) -> Self:
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._ticker.join(timeout=1.0)
        with self._lock:
            self._write(self._flush_unavailable())

    def __call__(self, event: Event) -> None:
        """Show the event."""
        with self._lock:
            self._pending.append(event)
            if self._is_showing:
                # A signal handler interrupted this thread below; the call there takes this event.
                return
            self._is_showing = True
            try:
                while self._pending:
                    self._show(self._pending.popleft())
            finally:
                self._is_showing = False

    def _show(self, event: Event) -> None:
        self._state = reduce_event(self._state, event)
        if self._state.jobs.keys() != self._labels.keys():
            self._labels = job_labels(self._state)
        lines = self._lines(event)
        if lines:
            # What was gathered comes first, so that the log stays in order.
            lines = [*self._flush_unavailable(), *lines]
        self._write(lines)

    def beat(self) -> None:
        """Mention every running job that nothing was said of for :data:`HEARTBEAT_SECONDS`."""
        with self._lock:
            lines = self._flush_unavailable()
            now = self._clock()
            for job in self._state.jobs.values():
                said = self._spoken.get(job.job_id, now)
                if job.is_running and now - said >= HEARTBEAT_SECONDS:
                    self._spoken[job.job_id] = now
                    lines.append(self._heartbeat(job, now))
            if self._verbosity != "quiet":
                self._write(lines)

    def _tick(self) -> None:
        leave_signals_to_main_thread()
        while not self._stop.wait(_TICK_SECONDS):
            self.beat()

    def _write(self, lines: list[str]) -> None:
        if not lines:
            return
        # A reader that went away (OSError), a closed stream (ValueError), a signal handler in the
        # middle of a write (RuntimeError): none of them may stop a build.
        with suppress(OSError, ValueError, RuntimeError):
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()

    def _lines(self, event: Event) -> list[str]:
        """What there is to say of the event."""
        match event:
            case RunNotice():
                return self._notice(event)
            case JobFinished():
                self._spoken.pop(event.job_id, None)
                return self._finished(event)
            case _ if self._verbosity == "quiet":
                return []
            case RunStarted():
                return [f"{counted(len(event.jobs), 'job')}, logs in {self._clean(event.log_dir)}"]
            case JobStarted():
                return [self._say(event.job_id, "started")]
            case JobPhase():
                return [self._say(event.job_id, event.phase)]
            case JobOutput() if self._verbosity == "verbose":
                return [self._say(event.job_id, f"| {output_line(event.line)}")]
            case _:
                return []

    def _notice(self, event: RunNotice) -> list[str]:
        if self._verbosity == "quiet" and event.level == "info":
            return []
        look = self._style.paint(f"{event.level}:", "yellow" if event.level == "warning" else "dim")
        return [f"{look} {self._clean(event.message)}"]

    def _finished(self, event: JobFinished) -> list[str]:
        if event.outcome is not Outcome.FAILED and self._verbosity == "quiet":
            return []
        if event.outcome is Outcome.UNAVAILABLE:
            reason = event.reason or "no reason given"
            names = self._state.jobs[event.job_id].cells or (event.job_id,)
            self._unavailable.setdefault(reason, []).extend(names)
            return []
        word = self._style.paint(event.outcome.value, outcome_look(event.outcome))
        parts = [word]
        if event.seconds:
            parts.append(f"in {format_seconds(event.seconds)}")
        why = event.reason or event.artifact
        text = " ".join(parts) + (f": {self._clean(why)}" if why else "")
        if event.outcome is Outcome.FAILED and event.log:
            text += f" (log: {self._clean(event.log)})"
        return [f"{self._prefix(event.job_id)} {text}"]

    def _flush_unavailable(self) -> list[str]:
        """One line for each reason, with all its cells."""
        groups, self._unavailable = self._unavailable, {}
        head = self._style.paint("unavailable here:", "yellow")
        return [
            f"{head} {self._clean(', '.join(dict.fromkeys(cells)))}: {self._clean(reason)}"
            for reason, cells in groups.items()
        ]

    def _heartbeat(self, job: JobView, now: float) -> str:
        total = f"/{job.total}" if job.total is not None else ""
        count = f" {job.done}{total}" if job.done or job.total else ""
        current = f" {job.current}" if job.current else ""
        left = remaining_seconds(job, now)
        tail = f", about {format_seconds(left)} left" if left is not None else ""
        text = f"still {job.phase}{count}{current}, {format_seconds(elapsed_seconds(job, now))}"
        return f"{self._prefix(job.job_id)} {self._clean(text)}{tail}"

    def _say(self, job_id: str, text: str) -> str:
        self._spoken[job_id] = self._clock()
        return f"{self._prefix(job_id)} {self._clean(text)}"

    def _prefix(self, job_id: str) -> str:
        return self._style.paint(f"[{self._clean(self._labels[job_id])}]", "bold")

    def _clean(self, text: str) -> str:
        return self._style.clean(text)
