"""What every executor is given, and how the steps of a job run.

Touches the outside only through the Runner door and the folders it is given.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wheelworks.cibuildwheel_failures import cibuildwheel_trouble
from wheelworks.containers.failures import container_trouble
from wheelworks.errors import EXIT_JOB_FAILED, EXIT_MISSING
from wheelworks.events import JobOutput, JobPhase, JobProgress, Outcome, RunNotice
from wheelworks.executors.containers import beside_containers, run_in_container
from wheelworks.executors.progress import read_progress
from wheelworks.plan import fill
from wheelworks.process import child_environment, quote_command
from wheelworks.report.model import JobResult, StepResult
from wheelworks.text import format_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wheelworks.containers.failures import Trouble
    from wheelworks.events import EventSink, Phase
    from wheelworks.executors.progress import Progress
    from wheelworks.locks import LockHolder
    from wheelworks.plan import Job, Layout, Step
    from wheelworks.process import Cancellation, CommandResult, Runner
    from wheelworks.project import Project
    from wheelworks.snapshot import SourceFile

#: With less room than this left, a failed build failed for lack of it, whatever it said: a linker that can't write
#: often says nothing at all (zig's), and what it wrote is removed already.
FULL_DISK_BYTES = 8 * 1024 * 1024
_FULL_DISK_CURE = "run wheelworks gc, or free space there"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What the jobs of one run share."""

    run_id: str
    project: Project
    layout: Layout
    state_dir: Path
    dist_dir: Path
    source_root: Path
    log_dir: Path
    staging_dir: Path
    """Private to the run, on the same filesystem as ``dist_dir``."""
    entries: Sequence[SourceFile]
    """The fingerprinted source tree."""
    runner: Runner
    environ: Mapping[str, str]
    """The caller's environment."""
    sink: EventSink
    waits_for_locks: bool
    watch: Callable[[Job, Progress], None] = lambda _job, _progress: None
    """Is told of the progress that a step's output shows."""

    def emit_phase(self, job: Job, phase: Phase) -> None:
        """Tell the display that the job entered a phase."""
        self.sink(JobPhase(job_id=job.id, time=time.time(), phase=phase))

    def notice_wait(self, job: Job) -> Callable[[LockHolder | None], None]:
        """What tells the display that a lock is waited for, and who holds it."""

        def notice(holder: LockHolder | None) -> None:
            who = str(holder) if holder is not None else "another run"
            self.sink(
                RunNotice(time=time.time(), level="info", message=f"{job.id} waits for {who}")
            )

        return notice

    def log_path(self, job: Job) -> Path:
        """The job's log file."""
        return self.log_dir / f"{job.id.replace(' ', '-')}.log"


class Executor(Protocol):
    """A backend that runs jobs."""

    def execute(self, job: Job, cancellation: Cancellation) -> JobResult:
        """Run a job to its end; a failure is a result, not an exception."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailure:
    """The step that ended a job, for people."""

    step: Step
    result: CommandResult
    reason: str
    cancelled: bool
    trouble: Trouble | None = None
    """What its container or cibuildwheel had to do with it."""


def run_steps(
    job: Job,
    steps: Sequence[Step],
    context: RunContext,
    cancellation: Cancellation,
    placeholders: Mapping[str, str],
) -> tuple[tuple[StepResult, ...], StepFailure | None]:
    """Run steps one after another until one fails.

    Args:
        job: the job they belong to.
        steps: its steps.
        context: the run.
        cancellation: stops the running step.
        placeholders: name -> value for ``{name}`` in argv, env and cwd.
    """
    results: list[StepResult] = []
    for step in steps:
        result = _run_step(job, step, context, cancellation, placeholders)
        results.append(
            StepResult(
                name=step.name,
                command=quote_command(result.argv),
                returncode=result.returncode,
                seconds=result.seconds,
            )
        )
        if not result.ok:
            trouble = container_trouble(step, result) or cibuildwheel_trouble(step, result)
            return tuple(results), StepFailure(
                step=step,
                result=result,
                reason=_failure_reason(step, result) if trouble is None else trouble.reason,
                cancelled=result.cancelled,
                trouble=trouble,
            )
    return tuple(results), None


def failed_result(
    job: Job,
    steps: tuple[StepResult, ...],
    failure: StepFailure,
    context: RunContext,
    started: float,
) -> JobResult:
    """The result of a job that a step ended."""
    free = None if failure.cancelled or job.kind == "test" else _scarce_bytes(context.state_dir)
    full = "" if free is None else f"; only {format_size(free)} are free at {context.state_dir}"
    cure = failure.trouble.cure if failure.trouble is not None else None
    exit_code = EXIT_MISSING if free is not None else _failure_exit(failure)
    return JobResult(
        job_id=job.id,
        kind=job.kind,
        cells=job.cells,
        outcome=Outcome.CANCELLED if failure.cancelled else Outcome.FAILED,
        reason=failure.reason + full,
        exit_code=0 if failure.cancelled else exit_code,
        seconds=time.monotonic() - started,
        steps=steps,
        log=str(context.log_path(job)),
        cure=_FULL_DISK_CURE if free is not None else cure,
    )


def _run_step(
    job: Job,
    step: Step,
    context: RunContext,
    cancellation: Cancellation,
    placeholders: Mapping[str, str],
) -> CommandResult:
    def on_line(line: str) -> None:
        now = time.time()
        progress = read_progress(line)
        if progress is None:
            context.sink(JobOutput(job_id=job.id, time=now, line=line))
        else:
            context.watch(job, progress)
            context.sink(
                JobProgress(
                    job_id=job.id,
                    time=now,
                    done=progress.done,
                    total=progress.total,
                    current=progress.current,
                )
            )

    if step.container is not None:
        return run_in_container(
            job, step, step.container, context, cancellation, placeholders, on_line
        )
    if step.makes_containers_with is None:
        return _run_on_host(job, step, context, cancellation, placeholders, on_line)
    with beside_containers(job, step, step.makes_containers_with, context) as (more, watch):
        result = _run_on_host(job, step, context, cancellation, {**placeholders, **more}, on_line)
        watch.is_gone = result.ok
    return result


def _run_on_host(
    job: Job,
    step: Step,
    context: RunContext,
    cancellation: Cancellation,
    placeholders: Mapping[str, str],
    on_line: Callable[[str], None],
) -> CommandResult:
    environment = child_environment(
        context.environ,
        set_={name: fill(value, placeholders) for name, value in step.env.items()},
        unset=step.unset,
        pass_=step.env_pass,
    )
    if step.path_prepend:
        folders = [fill(folder, placeholders) for folder in step.path_prepend]
        environment["PATH"] = os.pathsep.join(filter(None, (*folders, environment.get("PATH"))))
    return context.runner.run(
        [fill(word, placeholders) for word in step.argv],
        env=environment,
        cwd=Path(fill(step.cwd, placeholders)),
        timeout_seconds=step.timeout_seconds,
        on_line=on_line,
        log=context.log_path(job),
        cancellation=cancellation,
    )


def _failure_reason(step: Step, result: CommandResult) -> str:
    program = Path(step.argv[0]).name
    if result.cancelled:
        return f"{program} was stopped"
    if result.start_error is not None:
        return f"{program} could not be started: {result.start_error}"
    if result.timed_out:
        return f"{program} was stopped after {step.timeout_seconds:g} s (step {step.name})"
    return f"{program} ended with exit code {result.returncode} (step {step.name})"


def _failure_exit(failure: StepFailure) -> int:
    """4 when the program is missing or the disk is full, else 1."""
    if failure.trouble is not None:
        return failure.trouble.exit_code
    result = failure.result
    no_space = any(
        "No space left on device" in line or "os error 28" in line for line in result.tail
    )
    return EXIT_MISSING if result.start_error is not None or no_space else EXIT_JOB_FAILED


def _scarce_bytes(folder: Path) -> int | None:
    """How much room is left for a build, if that is next to nothing."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return None
    return free if free < FULL_DISK_BYTES else None
