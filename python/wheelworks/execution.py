"""Who runs a job: the executor of its kind, in what the jobs of a run share.

Takes what was prepared; touches nothing by itself. Imported by runs that have something to do: the executors bring the
installer and the audit along, which would be a good part of the time of a run that has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.executors.base import RunContext
from wheelworks.executors.builds import BuildExecutor
from wheelworks.executors.cargo_tests import CargoTestExecutor
from wheelworks.executors.merge import MergeExecutor
from wheelworks.executors.wheeltests import TestExecutor
from wheelworks.executors.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wheelworks.events import EventSink
    from wheelworks.executors.base import Executor
    from wheelworks.ledger import Ledger
    from wheelworks.plan import Job
    from wheelworks.preparation import Prepared
    from wheelworks.process import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class Executors:
    """The executors of a run."""

    builds: BuildExecutor
    merging: MergeExecutor
    cargo_tests: CargoTestExecutor
    tests: TestExecutor

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        context: RunContext,
        ledger: Ledger,
        *,
        ripen: Callable[[str], None],
    ) -> Executors:
        """The executors of a prepared plan.

        Args:
            prepared: the plan and its tools.
            context: what the jobs of the run share.
            ledger: knows the wheels that are tested and merged.
            ripen: as for :class:`BuildExecutor`.
        """
        has_abi3audit = any(tool.name == "abi3audit" for tool in prepared.plan.tools)
        workbench = Workbench(
            context=context,
            abi3audit=prepared.tools["abi3audit"] if has_abi3audit else None,
            ledger=ledger,
        )
        builds = BuildExecutor(context, workbench, ripen=ripen)
        return cls(
            builds=builds,
            merging=MergeExecutor(context, workbench, slices_of=ledger.wheels_of),
            cargo_tests=CargoTestExecutor(context, builds),
            tests=TestExecutor(context, wheel_under_test=ledger.wheel_under_test),
        )

    def of_job(self, job: Job) -> Executor:
        """Who runs the job."""
        if job.merges is not None:
            return self.merging
        if job.kind != "test":
            return self.builds
        return self.cargo_tests if job.test is None else self.tests


def run_context(
    prepared: Prepared,
    *,
    run_id: str,
    folder: Path,
    runner: Runner,
    environ: Mapping[str, str],
    sink: EventSink,
    waits_for_locks: bool,
) -> RunContext:
    """What all jobs of a run share.

    Args:
        prepared: the plan and the project.
        run_id: the run.
        folder: of its logs and its report.
        runner: the door to processes.
        environ: the caller's environment.
        sink: gets events.
        waits_for_locks: whether a lock that another run holds is waited for.
    """
    return RunContext(
        run_id=run_id,
        project=prepared.loaded.project,
        layout=prepared.layout,
        state_dir=prepared.state_dir,
        dist_dir=prepared.loaded.settings.dist,
        source_root=prepared.loaded.project.source_root,
        log_dir=folder / "logs",
        staging_dir=prepared.state_dir / "staging" / run_id,
        entries=prepared.entries,
        runner=runner,
        environ=environ,
        sink=sink,
        waits_for_locks=waits_for_locks,
    )
