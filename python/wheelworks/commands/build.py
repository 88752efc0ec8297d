"""``wheelworks build`` and ``wheelworks test``: prepare, run, report."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from wheelworks.commands.installing import prepare_with_consent
from wheelworks.commands.request import repeat_flags, request_of
from wheelworks.containers.removal import container_remover
from wheelworks.errors import UsageError
from wheelworks.events_json import event_to_json
from wheelworks.leftovers import RunRegistry, sweep_leftovers
from wheelworks.process import Cancellation
from wheelworks.report.render import report_to_json, report_to_markdown
from wheelworks.run import Run, RunOptions
from wheelworks.signals import interruptible
from wheelworks.ui.select import choose_display, open_display

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext
    from wheelworks.events import Event
    from wheelworks.preparation import Prepared
    from wheelworks.report.model import Report


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Build (or build and test) the selected cells.

    Returns:
        The exit code of the run's report.

    Raises:
        UsageError: two things want stdout.
        WheelworksError: the run could not start.
    """
    if args.json and args.events is not None:
        raise UsageError(
            "--json and --events both write to stdout",
            hint="choose one; every run leaves a report.json",
        )
    prepared = prepare_with_consent(request_of(args), context)
    options = RunOptions(
        command=context.command_line,
        strict=args.strict,
        fail_fast=args.fail_fast,
        waits_for_locks=not args.no_wait,
        repeat_flags=repeat_flags(args),
    )
    report = carry_out(prepared, options, args, context)
    with suppress(BrokenPipeError):
        _give_results(report, prepared, args, context)
    _write_step_summary(report, context)
    return report.exit_code


def carry_out(
    prepared: Prepared, options: RunOptions, args: argparse.Namespace, context: CommandContext
) -> Report:
    """Run what was prepared, with a display, and show its report on stderr.

    Args:
        prepared: the plan.
        options: how the run behaves.
        args: how it is shown: ``color``, ``quiet``, ``verbose``, ``events``.
        context: the outside world.
    """
    events = getattr(args, "events", None)
    sweep_leftovers(
        prepared.state_dir, container_remover(prepared.state_dir, context.runner, context.environ)
    )
    cancellation = Cancellation()
    with ExitStack() as stack:
        choice = choose_display(
            context.surroundings, color=args.color, quiet=args.quiet, verbose=bool(args.verbose)
        )
        display = stack.enter_context(open_display(choice, context.stderr))

        stdout_lock = Lock()

        def sink(event: Event) -> None:
            display(event)
            if events == "json":
                # Every job has threads of its own that come here. A reader that went away (`| head -1`) must not
                # end the builds.
                with stdout_lock, suppress(BrokenPipeError):
                    context.result(event_to_json(event))
                    context.stdout.flush()

        signals = stack.enter_context(interruptible(cancellation, sink))
        run = Run(
            prepared,
            options,
            runner=context.runner,
            environ=context.environ,
            sink=sink,
            cancellation=cancellation,
        )
        stack.enter_context(RunRegistry(prepared.state_dir).register(run.run_id, context.runner))
        report = run.carry_out(lambda: signals.exit_code)
    # Whether anybody reads it or not, the run ended as it did.
    with suppress(BrokenPipeError):
        context.show_report(report, color=args.color)
    return report


def _give_results(
    report: Report, prepared: Prepared, args: argparse.Namespace, context: CommandContext
) -> None:
    """Write the report, or the paths of the artifacts, to stdout."""
    if args.json:
        context.result(report_to_json(report))
    elif args.events is None:
        for result in report.results:
            artifact = result.artifact
            if artifact is not None and artifact.is_published and result.kind != "test":
                context.result(str(prepared.loaded.settings.dist / artifact.file_name))


def _write_step_summary(report: Report, context: CommandContext) -> None:
    """Add the report to the page of a GitHub Actions job, where this runs in one."""
    file = context.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    try:
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(report_to_markdown(report))
    except OSError as error:
        context.say(f"warning: the step summary {file} can't be written: {error.strerror}")
