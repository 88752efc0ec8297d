"""``wheelworks try CELL``: a Python prompt in a fresh environment that holds the cell's wheel."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks import wheeltest
from wheelworks.cell_shell import trying_step
from wheelworks.commands.bench import open_bench
from wheelworks.commands.build import carry_out
from wheelworks.commands.installing import prepare_with_consent
from wheelworks.commands.request import one_cell, repeat_flags, request_of
from wheelworks.errors import NothingSelectedError
from wheelworks.executors.base import run_steps
from wheelworks.run import RunOptions

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from wheelworks.commands.bench import Bench
    from wheelworks.commands.context import CommandContext
    from wheelworks.plan import Job
    from wheelworks.preparation import Prepared

#: The environment holds the wheel and what it requires, nothing else.
_BARE = {
    "test.command": ("{python}",),
    "test.requires": (),
    "test.groups": (),
    "test.extras": (),
}


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Build the wheel where it is stale, install it, give the terminal to Python.

    Returns:
        The exit code of Python, or of the run that could not build the wheel.

    Raises:
        UsageError: the pattern names more than one cell.
        NothingSelectedError: the cell's wheel can't run here.
        WheelworksError: something that it needs can't be had.
    """
    asked = request_of(args)
    request = replace(asked, goal="test", selectors=(args.cell,), flags={**asked.flags, **_BARE})
    prepared = prepare_with_consent(request, context)
    cell = one_cell(prepared.cells, args.cell)
    job = next((one for one in prepared.plan.jobs if one.kind == "test"), None)
    if job is None:
        missing = prepared.plan.unavailable[0]
        raise NothingSelectedError(
            f"{cell.id} can't be tried here: {missing.reason}", hint=missing.cure
        )
    wheel = _built(prepared, job, args, context)
    if isinstance(wheel, int):
        return wheel
    with open_bench(prepared, context, name="try", is_verbose=bool(args.verbose)) as bench:
        placeholders = _install(bench, job, wheel)
        words = ("-c", args.code, *args.rest) if args.code is not None else args.rest
        if not words and not args.quiet:
            context.say(f"{wheel.name} in a fresh environment, which is removed at the end")
        return bench.attach(job, trying_step(job, words), placeholders)


def _built(
    prepared: Prepared, test: Job, args: argparse.Namespace, context: CommandContext
) -> Path | int:
    """The wheel; or the exit code of the run that failed to build it."""
    builds = tuple(job for job in prepared.plan.jobs if job.kind == "build")
    folder = prepared.loaded.settings.dist
    record = prepared.verdicts[test.needs[0]].record
    if record is not None and all(prepared.verdicts[job.id].is_fresh for job in builds):
        return folder / str(record.artifact)
    report = carry_out(
        replace(prepared, plan=replace(prepared.plan, jobs=builds)),
        RunOptions(command=context.command_line, repeat_flags=repeat_flags(args)),
        args,
        context,
    )
    built = next((one for one in report.results if one.job_id == test.needs[0]), None)
    if report.exit_code or built is None or built.artifact is None:
        return report.exit_code
    return folder / built.artifact.file_name


def _install(bench: Bench, job: Job, wheel: Path) -> dict[str, str]:
    """Make the environment; gives the placeholders of the steps."""
    if job.test is None:
        raise AssertionError(f"BUG: {job.id} has no test plan")
    run = bench.run
    scratch = run.staging_dir / "try"
    # No file of the project: what is imported comes from the wheel.
    plan = replace(job.test, sources=None)
    project = run.project
    folder = project.root.relative_to(project.source_root).as_posix()
    wheeltest.prepare(scratch, plan, source_root=run.source_root, files=(), project_folder=folder)
    copy = scratch / "wheel" / wheel.name
    copy.parent.mkdir()
    shutil.copyfile(wheel, copy)
    placeholders = {"scratch": str(scratch), "wheel": str(copy)}
    preparing = tuple(step for step in job.steps if not step.name.startswith("test"))
    with bench.stoppable():
        bench.supply((job,))
        _, failure = run_steps(job, preparing, run, bench.cancellation, placeholders)
        bench.insist(failure)
    return placeholders
