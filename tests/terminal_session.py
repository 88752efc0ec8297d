"""A program on a terminal of its own (POSIX), for tests of what a person does there."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

HANGING_SECONDS = 120.0
#: Makes the terminal the new session's controlling one, so that Ctrl-C reaches the group; then becomes the program.
_TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvpe(sys.argv[1], sys.argv[1:], os.environ)
"""


class TerminalSession:
    """A program whose streams are a terminal.

    Args:
        argv: the program.
        env: all variables.
        cwd: its folder.
    """

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        self._master, slave = os.openpty()
        # Wide: shells shift long lines out of sight.
        termios.tcsetwinsize(slave, (50, 500))
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _TAKE_TERMINAL, *argv],
                env=dict(env), cwd=cwd, stdin=slave, stdout=slave, stderr=slave,
                start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(slave)
        self.text = ""
        self._seen = 0

    def __enter__(self) -> TerminalSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def await_text(self, text: str) -> None:
        """Wait until the terminal shows a text after what was awaited before.

        Raises:
            AssertionError: it does not.
        """
        deadline = time.monotonic() + HANGING_SECONDS
        while (found := self.text.find(text, self._seen)) < 0:
            assert time.monotonic() < deadline, f"waited in vain for {text!r} in:\n{self.text}"
            if not self._read():
                raise AssertionError(f"ended without {text!r}:\n{self.text}")
        self._seen = found + len(text)

    def type(self, text: str) -> None:
        """Type something; character 3 is Ctrl-C, 4 the end of the input."""
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Read to the end; gives the exit code."""
        deadline = time.monotonic() + HANGING_SECONDS
        while self._read():
            assert time.monotonic() < deadline, f"does not end:\n{self.text}"
        return self.process.wait(HANGING_SECONDS)

    def _read(self) -> bool:
        """Take what the terminal shows within a moment; False when nobody holds it open any more."""
        if not select.select([self._master], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            chunk = os.read(self._master, 65536)
        except OSError:
            # EIO: every other end is closed.
            return False
        self.text += chunk.decode(errors="replace").replace("\r\n", "\n")
        return bool(chunk)
