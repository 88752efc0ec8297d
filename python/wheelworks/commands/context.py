"""What every command is given: the streams, the environment, the door to processes. Writes to the streams only."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from wheelworks.report.text import summary_text
from wheelworks.ui.select import Surroundings, choose_style

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from wheelworks.dataclass_json import JsonValue
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
        for block in failure_blocks(report, width=width, style=style):
            self.say(block)
        self.say(summary_text(report, width=width, style=style))

    def result(self, text: str) -> None:
        """Write a result to stdout."""
        self.stdout.write(text if text.endswith("\n") else text + "\n")

    def result_json(self, document: JsonValue) -> None:
        """Write one JSON document to stdout."""
        self.result(json.dumps(document, indent=2))

    def say(self, text: str) -> None:
        """Tell a person something, on stderr."""
        self.stderr.write(text if text.endswith("\n") else text + "\n")


def directory_of(args: argparse.Namespace) -> Path:
    """The folder that ``-C`` names, else the current one (absolute)."""
    return Path(args.directory or ".").resolve()
