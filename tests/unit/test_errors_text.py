"""Tests of wheelworks.errors_text."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

from wheelworks.errors import ConfigurationError, Fault, JobFailedError, UsageError
from wheelworks.errors_text import error_text
from wheelworks.text import TextStyle

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = TextStyle()


def test_every_fault_has_its_line() -> None:
    """File, key and message on one line, the fault's own hint below it, the general hint last."""
    error = ConfigurationError(
        "the configuration has 2 faults",
        faults=(
            Fault(
                key="tool.wheelworks.pythns",
                origin="pyproject.toml",
                message="unknown key",
                hint="did you mean pythons?",
            ),
            Fault(key="", origin="--jobs", message="'x' is not a number"),
        ),
        hint="docs/configuration.md lists every key",
    )
    assert error_text(error, style=PLAIN).splitlines() == [
        "error: the configuration has 2 faults",
        "  pyproject.toml: tool.wheelworks.pythns: unknown key",
        "    hint: did you mean pythons?",
        "  --jobs: 'x' is not a number",
        "hint: docs/configuration.md lists every key",
    ]


def test_hint_and_log_follow_the_error() -> None:
    """What helps comes last, so that it is what stays on the screen."""
    log = cast("Path", PurePosixPath(".wheelworks/runs/r1/x.log"))
    error = JobFailedError("one job failed\nand says more", hint="wheelworks rerun", log=log)
    assert error_text(error, style=PLAIN) == (
        "error: one job failed\n  and says more\n"
        "hint: wheelworks rerun\nlog: .wheelworks/runs/r1/x.log\n"
    )


def test_an_error_without_more_is_one_line() -> None:
    """Nothing is shown that is not there."""
    assert error_text(UsageError("no cell 'cp9-*'"), style=PLAIN) == "error: no cell 'cp9-*'\n"


def test_values_from_outside_cannot_act_on_the_terminal() -> None:
    """A selector with an escape sequence is shown, not obeyed."""
    text = error_text(UsageError("no cell '\x1b[2J'"), style=TextStyle(color=True))
    assert "\\x1b[2J" in text
    assert text.startswith("\x1b[31merror:\x1b[0m")
