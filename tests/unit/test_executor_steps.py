"""How the steps of a job run: placeholders, environment, progress, reasons."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import Call, FakeRunner, Reply
from jobs import a_context, a_job

from wheelworks.events import JobOutput, JobProgress
from wheelworks.executors.base import run_steps
from wheelworks.plan import Step, fill
from wheelworks.process import Cancellation

if TYPE_CHECKING:
    from wheelworks.events import Event
    from wheelworks.executors.base import RunContext

STEP = Step(name="compile", argv=("maturin", "build"), env={}, cwd="/work", timeout_seconds=90.0)


def ran(
    context: RunContext, *steps: Step, **placeholders: str
) -> tuple[tuple[str, ...], str | None]:
    """Names of the steps that ran, and the reason of the failure."""
    results, failure = run_steps(a_job("b"), steps, context, Cancellation(), placeholders)
    return tuple(result.name for result in results), failure.reason if failure else None


def context_of(tmp_path: Path, runner: FakeRunner, **environ: str) -> RunContext:
    """A run with that door and those variables."""
    return replace(a_context(tmp_path), runner=runner, environ=environ)


def test_known_placeholders_are_filled_and_other_braces_stay() -> None:
    """A test command may hold braces of its own."""
    assert fill("{staging}/x {other} {}", {"staging": "/s"}) == "/s/x {other} {}"


def test_a_step_gets_its_words_folder_and_variables(tmp_path: Path) -> None:
    """Placeholders everywhere; of the caller's variables only what is allowed or passed on."""
    runner = FakeRunner(lambda _: Reply())
    step = replace(
        STEP,
        argv=("maturin", "--out", "{staging}"),
        env={"OUT": "{staging}/out"},
        cwd="{staging}",
        unset=("LANG",),
        env_pass=("FLAVOUR_*",),
        path_prepend=("{staging}/bin",),
    )
    caller = {
        "PATH": "/usr/bin",
        "LANG": "C",
        "FLAVOUR_A": "1",
        "VIRTUAL_ENV": "/v",
        "MY_TOKEN": "secret",
    }
    ran(context_of(tmp_path, runner, **caller), step, staging="/s")
    (call,) = runner.calls
    assert call == Call(
        argv=("maturin", "--out", "/s"),
        env={
            "PATH": os.pathsep.join(("/s/bin", "/usr/bin")),
            "FLAVOUR_A": "1",
            "OUT": "/s/out",
        },
        cwd=Path("/s"),
    )


def test_without_a_path_there_is_no_empty_entry(tmp_path: Path) -> None:
    """An empty entry of PATH would mean the current folder."""
    runner = FakeRunner(lambda _: Reply())
    ran(context_of(tmp_path, runner), replace(STEP, path_prepend=("/env/bin",)))
    assert runner.calls[0].env == {"PATH": "/env/bin"}


def test_output_is_told_as_lines_or_progress(tmp_path: Path) -> None:
    """Cargo's bar is not a line of output."""
    events: list[Event] = []
    bar = "    Building [====>    ] 12/45: serde, syn(build)"
    runner = FakeRunner(lambda _: Reply(stdout=f"Compiling serde\n{bar}\n"))
    ran(replace(context_of(tmp_path, runner), sink=events.append), STEP)
    output, progress = events
    assert isinstance(output, JobOutput)
    assert output.line == "Compiling serde"
    assert isinstance(progress, JobProgress)
    assert (progress.done, progress.total, progress.current) == (12, 45, "serde, syn(build)")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(returncode=101), "maturin ended with exit code 101 (step compile)"),
        (
            Reply(returncode=None, timed_out=True),
            "maturin was stopped after 90 s (step compile)",
        ),
        (Reply(returncode=None, cancelled=True), "maturin was stopped"),
        (
            Reply(returncode=None, start_error="no such file"),
            "maturin could not be started: no such file",
        ),
    ],
)
def test_the_first_failing_step_ends_the_job(tmp_path: Path, reply: Reply, reason: str) -> None:
    """With what happened to it, in words."""
    context = context_of(tmp_path, FakeRunner(lambda _: reply))
    assert ran(context, STEP, replace(STEP, name="next")) == (("compile",), reason)


def test_steps_run_in_order(tmp_path: Path) -> None:
    """All of them when none fails."""
    context = context_of(tmp_path, FakeRunner(lambda _: Reply()))
    assert ran(context, STEP, replace(STEP, name="next")) == (("compile", "next"), None)
