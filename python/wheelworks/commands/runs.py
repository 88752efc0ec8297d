"""``wheelworks runs [RUN]``: past runs, newest first, or one run's summary."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wheelworks.commands.context import directory_of
from wheelworks.config.load import load
from wheelworks.errors import EXIT_OK, NothingSelectedError
from wheelworks.preparation import STATE_FOLDER
from wheelworks.report.build import summary_line
from wheelworks.report.render import report_from_json
from wheelworks.store import RunStore

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext
    from wheelworks.report.model import Report


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """List the runs, or show one.

    Raises:
        NothingSelectedError: there is no such run.
    """
    project = load(
        directory_of(args), flags={}, environ=context.environ, package=args.package
    ).project
    store = RunStore(project.root / STATE_FOLDER)
    if args.run is not None:
        return _show(args, store, context)
    reports = [(run_id, _report_of(store, run_id)) for run_id in store.list_runs()]
    if args.json:
        context.result_json(
            [report if report is not None else {"run_id": run_id} for run_id, report in reports]
        )
        return EXIT_OK
    for run_id, report in reports:
        context.result(_line(run_id, report))
    if not reports:
        context.say("no runs yet")
    return EXIT_OK


def _show(args: argparse.Namespace, store: RunStore, context: CommandContext) -> int:
    runs = store.list_runs()
    wanted = runs if args.run == "last" else tuple(run_id for run_id in runs if run_id == args.run)
    # One that is still at work, or was killed, has no report.
    finished = (report for run_id in wanted if (report := _report_of(store, run_id)) is not None)
    report = next(finished, None)
    if report is None:
        raise NothingSelectedError(
            f"there is no finished run {args.run!r}",
            hint="wheelworks runs lists them; 'last' is the newest finished one",
        )
    if args.json:
        context.result_json(report)
    else:
        context.show_report(report, color=args.color)
    return EXIT_OK


def _report_of(store: RunStore, run_id: str) -> Report | None:
    text = store.read_report(run_id)
    return report_from_json(text) if text is not None else None


def _line(run_id: str, report: Report | None) -> str:
    if report is None:
        return f"{run_id}  not finished"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(report.started))
    outcome = f"exit {report.exit_code}  {summary_line(report)}"
    return f"{run_id}  {when}  {report.seconds:.0f} s  {outcome}  ({report.command})"
