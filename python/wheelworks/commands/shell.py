"""``wheelworks shell CELL [-- COMMAND]``: a shell, or a command, in the environment that a cell is compiled in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.cell_shell import compile_command, compiling_job, shell_step
from wheelworks.commands.bench import open_bench
from wheelworks.commands.installing import prepare_with_consent
from wheelworks.commands.request import one_cell, request_of
from wheelworks.errors import NothingSelectedError
from wheelworks.executors.containers import placeholders_inside
from wheelworks.process import quote_command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from wheelworks.commands.context import CommandContext
    from wheelworks.plan import Job, Step
    from wheelworks.preparation import Prepared


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Bring the cell's sources and tools, tell how it is built, give the terminal to the shell.

    Returns:
        The exit code of the shell or the command.

    Raises:
        UsageError: the pattern names more than one cell.
        NothingSelectedError: the cell can't be built here.
        WheelworksError: something that it needs can't be had.
    """
    request = replace(request_of(args), selectors=(args.cell,), sdist="no")
    prepared = prepare_with_consent(request, context)
    cell = one_cell(prepared.cells, args.cell)
    job = _job(prepared, cell.id)
    with open_bench(prepared, context, name="shell", is_verbose=bool(args.verbose)) as bench:
        with bench.stoppable():
            bench.supply((job,))
            bench.insist(bench.executor().fetch(job, bench.cancellation))
        staging = bench.run.staging_dir / "wheels"
        staging.mkdir()
        placeholders = {"staging": str(staging)}
        step = shell_step(
            job,
            cell.id,
            args.rest,
            has_network=not (args.no_network or prepared.loaded.settings.offline),
            tool_folders=[str(tool.bin_dir) for tool in prepared.tools.values()],
        )
        if not args.quiet:
            context.say("\n".join(_explanation(job, step, placeholders)))
        return bench.attach(job, step, placeholders)


def _job(prepared: Prepared, cell: str) -> Job:
    job = compiling_job(prepared.plan, cell)
    if job is not None and any(step.name == "compile" for step in job.steps):
        return job
    missing = next((one for one in prepared.plan.unavailable if one.cell == cell), None)
    reason = missing.reason if missing is not None else "its toolchain has no step to look into"
    raise NothingSelectedError(
        f"{cell} has no shell here: {reason}", hint=missing.cure if missing is not None else None
    )


def _explanation(job: Job, step: Step, placeholders: Mapping[str, str]) -> Iterator[str]:
    """What a person has to know before the prompt."""
    yield f"{job.id}, toolchain {job.toolchain}"
    if step.container is not None:
        network = "no network" if step.container.network == "none" else "with network"
        yield f"image    {step.container.image} ({step.container.platform}), {network}"
        placeholders = placeholders_inside(placeholders)
    yield f"folder   {step.cwd} (a snapshot: the next build undoes what is changed there)"
    yield f"build    {quote_command(compile_command(job, placeholders))}"
    yield f"wheels   {placeholders['staging']} (removed when the shell ends)"
