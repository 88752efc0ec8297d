"""A place to work on single jobs outside of a run, for ``shell``, ``try`` and ``prefetch``.

Touches ``.wheelworks/staging/`` and, through the supplier, what it touches. What is left when this process is killed
is found by the next run, as a run's own leftovers are.
"""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheelworks.containers.failures import ENGINE_FAILED
from wheelworks.containers.removal import RunContainers, container_remover
from wheelworks.errors import (
    EXIT_JOB_FAILED,
    EXIT_TERMINATED,
    InterruptedRunError,
    JobFailedError,
    MissingResourceError,
    TerminatedRunError,
)
from wheelworks.events import JobOutput, RunNotice
from wheelworks.executors.attached import AttachedRunner
from wheelworks.executors.base import RunContext, run_steps
from wheelworks.executors.builds import BuildExecutor
from wheelworks.executors.workbench import Workbench
from wheelworks.ledger import Ledger
from wheelworks.leftovers import RunRegistry, sweep_leftovers
from wheelworks.process import Cancellation
from wheelworks.signals import interruptible
from wheelworks.supplies import Supplier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheelworks.commands.context import CommandContext
    from wheelworks.events import Event
    from wheelworks.executors.base import StepFailure
    from wheelworks.plan import Job, Step
    from wheelworks.preparation import Prepared

SHOWN_LINES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What work on a job is given."""

    run: RunContext
    prepared: Prepared
    context: CommandContext
    cancellation: Cancellation

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Stop what is prepared in order when a signal comes; a program that has the terminal gets them itself.

        Raises:
            InterruptedRunError: one came.
            TerminatedRunError: SIGTERM or SIGHUP came.
        """
        with interruptible(self.cancellation, self.run.sink) as signals:
            yield
        if signals.exit_code == EXIT_TERMINATED:
            raise TerminatedRunError("terminated")
        if signals.exit_code is not None:
            raise InterruptedRunError("interrupted")

    def executor(self) -> BuildExecutor:
        """What brings snapshots and crates."""
        ledger = Ledger(self.prepared, run_id=self.run.run_id, environ=self.run.environ)
        return BuildExecutor(self.run, Workbench(context=self.run, abi3audit=None, ledger=ledger))

    def attach(self, job: Job, step: Step, placeholders: Mapping[str, str]) -> int:
        """Give the terminal to a step; gives its exit code.

        Raises:
            MissingResourceError: it could not be started.
        """
        container = step.container
        door = AttachedRunner(
            runner=self.run.runner,
            is_terminal=self.context.surroundings.stdin_is_terminal,
            engine=container.engine if container is not None else None,
        )
        results, failure = run_steps(
            job, (step,), replace(self.run, runner=door), self.cancellation, placeholders
        )
        if failure is None:
            return results[0].returncode or 0
        if failure.result.start_error is not None or results[0].returncode == ENGINE_FAILED:
            trouble = failure.trouble
            hint = trouble.cure if trouble is not None else None
            raise MissingResourceError(failure.reason, hint=hint)
        code = results[0].returncode or EXIT_JOB_FAILED
        # As a shell says it of a program that a signal ended.
        return code if code > 0 else 128 - code

    def supply(self, jobs: Sequence[Job]) -> None:
        """Provide what the jobs need.

        Raises:
            MissingResourceError: something can't be had.
        """
        for error in self.try_to_supply(jobs).values():
            raise error

    def try_to_supply(self, jobs: Sequence[Job]) -> dict[str, MissingResourceError]:
        """Provide what the jobs need; gives job id -> why it can't run."""
        return Supplier(
            prepared=self.prepared,
            runner=self.run.runner,
            environ=self.run.environ,
            log_dir=self.run.log_dir,
            cancellation=self.cancellation,
            inform=self.context.say,
        ).supply(jobs)

    def insist(self, failure: StepFailure | None) -> None:
        """Go on only if no step failed.

        Raises:
            JobFailedError: with the step's last lines shown before.
        """
        # What a signal ended is told where the signal is known.
        if failure is None or failure.cancelled:
            return
        for line in failure.result.tail[-SHOWN_LINES:]:
            self.context.say(line)
        trouble = failure.trouble
        raise JobFailedError(failure.reason, hint=trouble.cure if trouble is not None else None)


@contextmanager
def open_bench(
    prepared: Prepared, context: CommandContext, *, name: str, is_verbose: bool = False
) -> Iterator[Bench]:
    """Make room for work, and remove what lies there at the end.

    Args:
        prepared: the plan that the work is about.
        context: the outside world.
        name: of the command.
        is_verbose: whether the output of steps is shown.
    """
    run_id = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    state_dir = prepared.state_dir
    staging = state_dir / "staging" / run_id
    sweep_leftovers(state_dir, container_remover(state_dir, context.runner, context.environ))

    def sink(event: Event) -> None:
        if isinstance(event, RunNotice):
            context.say(event.message)
        elif is_verbose and isinstance(event, JobOutput):
            context.say(event.line)

    with RunRegistry(state_dir).register(run_id, context.runner):
        staging.mkdir(parents=True, exist_ok=True)
        run = RunContext(
            run_id=run_id,
            project=prepared.loaded.project,
            layout=prepared.layout,
            state_dir=state_dir,
            dist_dir=prepared.loaded.settings.dist,
            source_root=prepared.loaded.project.source_root,
            log_dir=staging / "logs",
            staging_dir=staging,
            entries=prepared.entries,
            runner=context.runner,
            environ=context.environ,
            sink=sink,
            waits_for_locks=True,
        )
        containers = RunContainers(
            state_dir=state_dir, run_id=run_id, runner=context.runner, environ=context.environ
        )
        try:
            yield Bench(run=run, prepared=prepared, context=context, cancellation=Cancellation())
        finally:
            containers.close()
