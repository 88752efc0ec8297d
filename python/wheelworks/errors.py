"""Every exception class of wheelworks and its exit code.

Only ``cli.py`` turns an exception into an exit; everything else raises one of these.
A message is a lower-case fragment without a full stop that says what, which value and where
from; ``hint`` is the option or command that helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

EXIT_OK = 0
EXIT_JOB_FAILED = 1
EXIT_CONFIGURATION = 2
EXIT_NOTHING_SELECTED = 3
EXIT_MISSING = 4
EXIT_AUDIT = 5
EXIT_DRIFT = 6
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

#: When more than one applies, the first of these is the exit code (docs/design.md section 5).
EXIT_PRIORITY = (
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    EXIT_BUG,
    EXIT_CONFIGURATION,
    EXIT_MISSING,
    EXIT_JOB_FAILED,
    EXIT_AUDIT,
    EXIT_DRIFT,
    EXIT_NOTHING_SELECTED,
)


def strongest_exit(codes: Iterable[int]) -> int:
    """The exit code that outranks the others; 0 when there is none."""
    present = set(codes)
    return next((code for code in EXIT_PRIORITY if code in present), EXIT_OK)


class WheelworksError(Exception):
    """Root of all errors that a user can meet.

    Args:
        message: what, which value, where from.
        hint: the way out, or None.
        log: the log file with the details, or None.
    """

    exit_code: ClassVar[int] = EXIT_BUG

    def __init__(self, message: str, *, hint: str | None = None, log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a configuration."""

    key: str
    """Dotted path, ``tool.wheelworks.test.command``."""
    origin: str
    """The file, environment variable or flag it came from."""
    message: str
    """What is wrong with which value."""
    hint: str | None = None


class ConfigurationError(WheelworksError):
    """The configuration is wrong; carries every fault that was found."""

    exit_code = EXIT_CONFIGURATION

    def __init__(
        self, message: str, *, faults: tuple[Fault, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.faults = faults


class UsageError(WheelworksError):
    """The command line is wrong (a bad selector, an unknown cell)."""

    exit_code = EXIT_CONFIGURATION


class NothingSelectedError(WheelworksError):
    """No cell was selected, or none of the selected ones is available here."""

    exit_code = EXIT_NOTHING_SELECTED


class MissingResourceError(WheelworksError):
    """A tool or resource that the plan needs is missing and could not be provided."""

    exit_code = EXIT_MISSING


class JobFailedError(WheelworksError):
    """A job ended without success."""

    exit_code = EXIT_JOB_FAILED


class SourcesChangedError(JobFailedError):
    """A source file is not what was fingerprinted any more."""


class AuditRefusedError(WheelworksError):
    """An audit refused an artifact."""

    exit_code = EXIT_AUDIT


class WheelUnreadableError(AuditRefusedError):
    """An archive can't be read at all: no file, no zip, a bomb."""


class InterruptedRunError(WheelworksError):
    """The run was interrupted (130) or terminated (143)."""

    exit_code = EXIT_INTERRUPTED


class TerminatedRunError(WheelworksError):
    """SIGTERM ended the run."""

    exit_code = EXIT_TERMINATED
