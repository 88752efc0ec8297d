"""What a process prints: from bytes to lines, from lines to a log, a tail and a callback.

Takes bytes as they come from a pipe. Writes to the one log file it is given; knows nothing of
processes.
"""

from __future__ import annotations

import codecs
import contextlib
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, Final

from wheelworks.childenv import mask_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

TAIL_LINES: Final = 200
MAX_LINE: Final = 8192
"""Characters of a line that are kept; a compiler error about a generated table can be megabytes
long."""
_ELLIPSIS: Final = " [...]"
_LINE_END: Final = re.compile(r"[\r\n]")


class LineSplitter:
    r"""Cuts text into lines, whatever the chunks are that it comes in.

    ``\n`` and ``\r\n`` end a line that stays; a lone ``\r`` ends one that is overwritten (a
    progress bar). The latter can only be told from the former by the next character, which may be
    long in coming; so a line is *shown* as soon as its ``\r`` is there, and *kept* once its ``\n``
    is.

    Args:
        reserve: length of the longest secret. So much of an overlong line is dropped from its end,
            so that no cut leaves the beginning of a secret, which masking would not know.
    """

    def __init__(self, *, reserve: int = 0) -> None:
        self._limit = MAX_LINE + reserve
        self._line = ""
        self._is_cut = False
        self._held: tuple[str, bool] | None = None

    def feed(self, text: str) -> Iterator[tuple[str, bool, bool, bool]]:
        """Lines of the text as (line, is cut, is shown, is kept)."""
        at = 0
        while at < len(text):
            if self._held is not None:
                line, is_cut = self._held
                self._held = None
                if text[at] == "\n":
                    yield line, is_cut, False, True
                    at += 1
                    continue
            end = _LINE_END.search(text, at)
            if end is None:
                self._append(text[at:])
                return
            self._append(text[at : end.start()])
            at = end.end()
            line, is_cut = self._take()
            is_kept = end[0] == "\n"
            if not is_kept:
                self._held = (line, is_cut)
            yield line, is_cut, True, is_kept

    def rest(self) -> Iterator[tuple[str, bool, bool, bool]]:
        """A last line without an end."""
        if self._line:
            line, is_cut = self._take()
            yield line, is_cut, True, True

    def _append(self, text: str) -> None:
        free = self._limit - len(self._line)
        self._line += text[:free]
        self._is_cut = self._is_cut or len(text) > free

    def _take(self) -> tuple[str, bool]:
        taken = (self._line, self._is_cut)
        self._line, self._is_cut = "", False
        return taken


class OutputSink:
    """Where the lines of one process go: log, tail, callback. Thread-safe.

    Nothing that goes wrong here stops the reading, because a process whose pipe nobody empties
    hangs: a log that can't be written is given up with a word in the tail, and an exception of the
    callback is kept in ``error``.
    """

    def __init__(
        self, *, log: BinaryIO | None, secrets: Sequence[str], on_line: Callable[[str], None] | None
    ) -> None:
        self._log = log
        self._secrets = secrets
        self._reserve = max(map(len, secrets), default=0)
        self._on_line = on_line
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._lock = threading.Lock()
        self.error: Exception | None = None

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, secrets masked."""
        with self._lock:
            return tuple(self._tail)

    def copy(self, chunks: Iterator[bytes], captured: list[str] | None = None) -> None:
        """Take a stream to its end.

        Args:
            chunks: the bytes; bytes that are no UTF-8 are replaced.
            captured: gets the decoded text as it is. Such a stream is data (JSON, mostly), not
                something to read along: it goes to the tail, but not to the log or the callback.
        """
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        splitter = LineSplitter(reserve=self._reserve)
        is_data = captured is not None
        for chunk in chunks:
            text = decoder.decode(chunk)
            if captured is not None:
                captured.append(text)
            for line in splitter.feed(text):
                self._take(*line, is_data=is_data)
        last = decoder.decode(b"", final=True)
        if captured is not None:
            captured.append(last)
        for line in (*splitter.feed(last), *splitter.rest()):
            self._take(*line, is_data=is_data)

    def note(self, line: str) -> None:
        """Add a line of our own to the tail."""
        with self._lock:
            self._tail.append(line)

    def close(self) -> None:
        """Let go of log and callback; lines that a reader left behind still brings are dropped."""
        with self._lock:
            self._log = None
            self._on_line = None

    def write_log(self, line: str) -> None:
        """Write one line to the log, secrets masked."""
        with self._lock:
            self._write(mask_secrets(line, self._secrets))

    def _take(
        self, line: str, is_cut: bool, is_shown: bool, is_kept: bool, *, is_data: bool
    ) -> None:
        text = self._presentable(line, is_cut=is_cut)
        with self._lock:
            if is_kept:
                self._tail.append(text)
            if is_data:
                return
            if is_kept:
                self._write(text)
            if is_shown and self._on_line is not None:
                self._call(self._on_line, text)

    def _presentable(self, line: str, *, is_cut: bool) -> str:
        text = mask_secrets(line, self._secrets)
        if is_cut:
            text = text[: max(0, len(text) - self._reserve)]
        if is_cut or len(text) > MAX_LINE:
            return text[:MAX_LINE] + _ELLIPSIS
        return text

    def _call(self, on_line: Callable[[str], None], text: str) -> None:
        try:
            on_line(text)
        except Exception as error:
            # run() raises it once the process has ended.
            self.error = self.error or error

    def _write(self, line: str) -> None:
        if self._log is None:
            return
        try:
            self._log.write(line.encode("utf-8", errors="replace") + b"\n")
            self._log.flush()
        except OSError as error:
            self._log = None
            self._tail.append(
                f"wheelworks: the log could not be written any further: {error.strerror}"
            )


@contextlib.contextmanager
def opened_sink(
    log: Path | None, *, secrets: Sequence[str], on_line: Callable[[str], None] | None
) -> Iterator[OutputSink]:
    """A sink whose log is opened for appending, and closed at the end.

    A log that can't be opened is named in the tail: a build needs no log.
    """
    file: BinaryIO | None = None
    problem: str | None = None
    if log is not None:
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            file = log.open("ab")
        except OSError as error:
            problem = f"wheelworks: the log {log} can't be written: {error.strerror}"
    sink = OutputSink(log=file, secrets=secrets, on_line=on_line)
    if problem is not None:
        sink.note(problem)
    try:
        yield sink
    finally:
        sink.close()
        if file is not None:
            # Closing flushes, which fails again on a full disk.
            with contextlib.suppress(OSError):
                file.close()
