"""What every command is given. Pure data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from wheelworks.dataclass_json import JsonValue
    from wheelworks.process import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """The outside world of a command."""

    environ: Mapping[str, str]
    runner: Runner
    stdout: TextIO
    stderr: TextIO
    command_line: str
    """As typed, for reports."""

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
