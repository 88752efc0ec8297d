"""``wheelworks doctor [--fix]``: what this machine can build and test, what is missing, what mends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.commands.request import request_of
from wheelworks.doctor import Check, Mending, examine
from wheelworks.errors import EXIT_MISSING, EXIT_OK
from wheelworks.preparation import prepare_both
from wheelworks.process import child_environment, quote_command
from wheelworks.tool_install import provide, provided_version

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext
    from wheelworks.preparation import Prepared

DOCTOR_SCHEMA = 1
FIX_TIMEOUT_SECONDS = 1800.0
_MARKS = {"good": "ok      ", "missing": "missing ", "unavailable": "cannot  "}


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Print the checks; with ``--fix`` run what mends them.

    Returns:
        4 when something that the whole matrix needs is missing and was not mended, else 0.
    """
    builds, tests = prepare_both(request_of(args), context.runner, context.environ)
    provided = {name for name, tool in builds.tools.items() if provided_version(tool) is not None}
    checks = examine(builds.plan, tests.plan, builds.host, provided)
    if args.json:
        context.result_json({"schema": DOCTOR_SCHEMA, "checks": list(checks)})
    else:
        context.result("\n".join(_lines(checks)))
    if not args.fix:
        return EXIT_MISSING if any(check.is_fatal for check in checks) else EXIT_OK
    return _fix(checks, builds, context)


def _lines(checks: tuple[Check, ...]) -> list[str]:
    lines = []
    for check in checks:
        lines.append(f"{_MARKS[check.state]} {check.subject}: {check.detail}")
        if check.mending is not None:
            lines.append(f"          mend: {_spoken(check.mending)}")
        elif check.hint is not None:
            lines.append(f"          hint: {check.hint}")
    return lines


def _spoken(mending: Mending) -> str:
    return quote_command(mending.argv) if mending.argv else f"install {mending.tool} (doctor --fix)"


def _fix(checks: tuple[Check, ...], prepared: Prepared, context: CommandContext) -> int:
    failed = False
    for mending in (check.mending for check in checks if check.mending is not None):
        context.say(f"running: {_spoken(mending)}")
        if mending.tool is not None:
            request = next(tool for tool in prepared.plan.tools if tool.name == mending.tool)
            uv = prepared.host.uv
            provide(
                request,
                context.runner,
                tools_dir=Path(prepared.layout.tools_dir),
                environ=context.environ,
                uv=uv.path if uv is not None else None,
            )
            continue
        result = context.runner.run(
            mending.argv,
            env=child_environment(context.environ, set_={}),
            cwd=prepared.loaded.project.root,
            timeout_seconds=FIX_TIMEOUT_SECONDS,
            on_line=context.say,
        )
        failed = failed or not result.ok
    unmended = any(check.is_fatal and check.mending is None for check in checks)
    return EXIT_MISSING if failed or unmended else EXIT_OK
