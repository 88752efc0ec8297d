"""What every command is given: the streams, the environment, the door to processes. Writes to the streams only."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from wheelworks.dataclass_json import to_json
from wheelworks.events import Outcome
from wheelworks.report.text import summary_text
from wheelworks.ui.failure import failure_block
from wheelworks.ui.select import Surroundings, choose_style

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from wheelworks.process import Runner
    from wheelworks.report.model import Report
    from wheelworks.text import TextStyle
    from wheelworks.ui.select import ColorChoice

#: Width of tables where there is no terminal.
PLAIN_WIDTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """The outside world of a command."""

    environ: Mapping[str, str]
    runner: Runner
    stdout: TextIO
    stderr: TextIO
    command_line: str
    """As typed, for reports."""

    @property
    def surroundings(self) -> Surroundings:
        """What the display of a run depends on."""
        return Surroundings(
            stdin_is_terminal=sys.stdin is not None and sys.stdin.isatty(),
            stream_is_terminal=self.stderr.isatty(),
            stream_encoding=self.stderr.encoding,
            environment=self.environ,
        )

    def style(self, color: ColorChoice) -> TextStyle:
        """How text on stderr is painted."""
        return choose_style(self.surroundings, color)

    def show_report(self, report: Report, *, color: ColorChoice) -> None:
        """Write failures, the summary table and the last line to stderr."""
        style = self.style(color)
        width = shutil.get_terminal_size().columns if self.stderr.isatty() else PLAIN_WIDTH
        for result in report.results:
            if result.outcome is Outcome.FAILED:
                self.say(failure_block(result, read_log(result.log), width=width, style=style))
        self.say(summary_text(report, width=width, style=style))

    def result(self, text: str) -> None:
        """Write a result to stdout; what its encoding lacks is written as an escape."""
        line = text if text.endswith("\n") else text + "\n"
        encoding = self.stdout.encoding or "utf-8"
        self.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding))

    def confirm(self, question: str) -> bool:
        """Ask a person yes or no; an empty line means yes, the end of the input no."""
        self.stderr.write(f"{question} [Y/n] ")
        self.stderr.flush()
        answer = sys.stdin.readline()
        return answer != "" and answer.strip().lower() in ("", "y", "yes")

    def result_json(self, document: object) -> None:
        """Write one JSON document to stdout; our dataclasses may stand in it."""
        self.result(to_json(document))

    def say(self, text: str) -> None:
        """Tell a person something, on stderr."""
        self.stderr.write(text if text.endswith("\n") else text + "\n")


def directory_of(args: argparse.Namespace) -> Path:
    """The folder that ``-C`` names, else the current one (absolute)."""
    return Path(args.directory or ".").resolve()


def read_log(log: str | None) -> str:
    """The text of a job's log; empty when there is none any more."""
    if log is None:
        return ""
    try:
        return Path(log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
