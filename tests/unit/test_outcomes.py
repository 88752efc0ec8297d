"""Exceptions as results."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from jobs import a_job

from wheelworks.errors import (
    InterruptedRunError,
    JobFailedError,
    MissingResourceError,
    TerminatedRunError,
)
from wheelworks.events import Outcome
from wheelworks.outcomes import result_of_error, unstarted

JOB = a_job("build x")


def test_error_of_ours_keeps_its_words_and_exit_code() -> None:
    """Reason, cure and log come from the error."""
    error = MissingResourceError("no zig", hint="install it", log=Path("logs") / "x.log")
    result = result_of_error(JOB, error, 3.0)
    assert (result.outcome, result.exit_code, result.seconds) == (Outcome.FAILED, 4, 3.0)
    assert (result.reason, result.cure) == ("no zig", "install it")
    assert result.log == str(Path("logs") / "x.log")


def test_failed_job_is_exit_code_one() -> None:
    """A plain failure has no log when the error names none."""
    result = result_of_error(JOB, JobFailedError("it broke"), 0.0)
    assert (result.exit_code, result.log) == (1, None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InterruptedRunError("stopped waiting"), "stopped waiting"),
        (TerminatedRunError("ended"), "ended"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_interrupt_cancels(error: BaseException, reason: str) -> None:
    """An interrupted job did not fail and adds nothing; the signal itself gives the exit code."""
    result = result_of_error(JOB, error, 0.0)
    assert (result.outcome, result.exit_code, result.reason) == (Outcome.CANCELLED, 0, reason)


@pytest.mark.parametrize(
    ("number", "path", "reason"),
    [
        (errno.ENOSPC, "dist/x.whl", "No space left on device: dist/x.whl"),
        (errno.EACCES, "dist", "Permission denied: dist"),
        (errno.EROFS, None, "Read-only file system"),
    ],
)
def test_full_or_forbidden_disk_is_a_missing_resource(
    number: int, path: str | None, reason: str
) -> None:
    """That is the machine's fault, not a bug: exit code 4 with the place."""
    words = reason.partition(":")[0]
    error = OSError(number, words) if path is None else OSError(number, words, path)
    result = result_of_error(JOB, error, 0.0)
    assert (result.exit_code, result.reason) == (4, reason)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("oh"), OSError(errno.EBADF, "bad"), SystemExit(3)]
)
def test_anything_else_is_a_bug(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Exit code 70, and the traceback goes to the log."""
    result = result_of_error(JOB, error, 0.0)
    assert (result.outcome, result.exit_code) == (Outcome.FAILED, 70)
    assert result.reason is not None
    assert result.reason.startswith(f"a bug of wheelworks: {type(error).__name__}")
    assert "BUG: build x raised" in caplog.text


def test_unstarted_job_adds_nothing() -> None:
    """A skipped or cancelled job has its reason, no time and exit code 0."""
    result = unstarted(JOB, Outcome.SKIPPED, "because")
    assert (result.outcome, result.reason, result.exit_code) == (Outcome.SKIPPED, "because", 0)
    assert (result.job_id, result.kind, result.cells) == (JOB.id, JOB.kind, JOB.cells)
    assert result.seconds == 0.0
