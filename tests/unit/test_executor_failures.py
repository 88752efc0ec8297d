"""How the failure of a step becomes the result of its job."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from jobs import a_context, a_job

from wheelworks.events import Outcome
from wheelworks.executors.base import FULL_DISK_BYTES, StepFailure, failed_result
from wheelworks.plan import Step
from wheelworks.process import CommandResult

if TYPE_CHECKING:
    from pathlib import Path

STEP = Step(name="compile", argv=("/bin/maturin",), env={}, cwd="/", timeout_seconds=60.0)


def a_failure(*tail: str, cancelled: bool = False, start_error: str | None = None) -> StepFailure:
    """A step that ended so."""
    result = CommandResult(
        argv=STEP.argv,
        returncode=None if cancelled or start_error else 1,
        seconds=1.0,
        timed_out=False,
        cancelled=cancelled,
        stdout="",
        tail=tail,
        start_error=start_error,
    )
    return StepFailure(step=STEP, result=result, reason="it failed", cancelled=cancelled)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The room on every disk, ``bytes`` of it; None where it can't be told."""
    disk = SimpleNamespace(bytes=FULL_DISK_BYTES)

    def disk_usage(_: Path) -> SimpleNamespace:
        if disk.bytes is None:
            raise OSError
        return SimpleNamespace(free=disk.bytes)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    return disk


@pytest.mark.parametrize("room", [FULL_DISK_BYTES, None])
def test_a_failed_step_fails_the_job(
    tmp_path: Path, free: SimpleNamespace, room: int | None
) -> None:
    """Exit 1 and its reason, where the disk has room or nothing is known of it."""
    free.bytes = room
    result = failed_result(a_job("b"), (), a_failure("error"), a_context(tmp_path), 0.0)
    assert (result.outcome, result.exit_code) == (Outcome.FAILED, 1)
    assert (result.reason, result.cure) == ("it failed", None)


def test_a_build_that_fails_on_a_full_disk_lacks_a_resource(
    tmp_path: Path, free: SimpleNamespace
) -> None:
    """The linker of zig says nothing when it can't write: the room that is left says it."""
    free.bytes = 12_345
    context = a_context(tmp_path)
    result = failed_result(a_job("b"), (), a_failure("error: linking failed"), context, 0.0)
    assert (result.outcome, result.exit_code) == (Outcome.FAILED, 4)
    assert result.reason == f"it failed; only 12 kB are free at {tmp_path}"
    assert result.cure == "run wheelworks gc, or free space there"


def test_tests_that_fail_are_not_blamed_on_the_disk(tmp_path: Path, free: SimpleNamespace) -> None:
    """Their own output says why they fail."""
    free.bytes = 0
    result = failed_result(a_job("t", kind="test"), (), a_failure(), a_context(tmp_path), 0.0)
    assert (result.exit_code, result.reason) == (1, "it failed")


@pytest.mark.parametrize(
    "failure",
    [
        a_failure("rustc: No space left on device (os error 28)"),
        a_failure(start_error="maturin is missing"),
    ],
    ids=["the output says so", "not started"],
)
def test_what_the_machine_lacks_gives_another_code(
    tmp_path: Path, free: SimpleNamespace, failure: StepFailure
) -> None:
    """A full disk that a tool names, or a missing program: exit 4."""
    assert free.bytes == FULL_DISK_BYTES
    assert failed_result(a_job("b"), (), failure, a_context(tmp_path), 0.0).exit_code == 4


def test_a_cancelled_step_is_no_failure(tmp_path: Path, free: SimpleNamespace) -> None:
    """Also on a full disk, the signal was the cause."""
    free.bytes = 0
    failure = a_failure(cancelled=True)
    result = failed_result(a_job("b"), (), failure, a_context(tmp_path), 0.0)
    assert (result.outcome, result.exit_code) == (Outcome.CANCELLED, 0)
    assert result.reason == "it failed"
