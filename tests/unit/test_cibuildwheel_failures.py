"""What cibuildwheel's exit codes mean for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheelworks.cibuildwheel_failures import cibuildwheel_trouble
from wheelworks.errors import EXIT_JOB_FAILED, EXIT_MISSING
from wheelworks.plan import Step
from wheelworks.runner import CommandResult

if TYPE_CHECKING:
    from wheelworks.containers.failures import Trouble


def trouble(
    returncode: int | None = 1,
    *tail: str,
    program: str = "cibuildwheel",
    start_error: str | None = None,
    cancelled: bool = False,
    timed_out: bool = False,
) -> Trouble | None:
    """What a step that ended so has to say."""
    step = Step(name="compile", argv=(f"/t/{program}",), env={}, cwd="/", timeout_seconds=1)
    result = CommandResult(
        argv=step.argv,
        returncode=returncode,
        seconds=1.0,
        tail=tail,
        stdout="",
        start_error=start_error,
        cancelled=cancelled,
        timed_out=timed_out,
    )
    return cibuildwheel_trouble(step, result)


@pytest.mark.parametrize("code", [2, 3, 4, 5, 8, 9, 10])
def test_each_code_has_a_reason_and_a_way_out(code: int) -> None:
    """They are failures of the job."""
    found = trouble(code)
    assert found is not None
    assert found.exit_code == EXIT_JOB_FAILED
    assert found.cure


def test_an_old_engine_is_a_missing_resource() -> None:
    """The cure is doctor's."""
    found = trouble(7)
    assert found is not None
    assert found.exit_code == EXIT_MISSING


def test_an_image_that_is_nowhere_is_a_missing_resource() -> None:
    """The engine's own line is shown."""
    found = trouble(1, "Error response from daemon: pull access denied for x, repository ...")
    assert found is not None
    assert found.exit_code == EXIT_MISSING
    assert "pull access denied for x" in found.reason


def test_auditwheels_refusal_is_explained() -> None:
    """Its own text names a symbol and no option."""
    line = "cannot repair x.whl because of the presence of too-recent versioned symbols"
    found = trouble(1, line)
    assert found is not None
    assert found.cure is not None
    assert "compatibility" in found.cure


def test_other_failures_are_left_to_the_log() -> None:
    """A failed compilation, an interrupt, a timeout, a program that could not be started, another program."""
    assert trouble(1, "error[E0308]: mismatched types") is None
    assert trouble(None, start_error="no such file") is None
    assert trouble(2, cancelled=True) is None
    assert trouble(2, timed_out=True) is None
    assert trouble(2, program="maturin") is None
