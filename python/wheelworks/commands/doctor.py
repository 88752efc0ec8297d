"""``wheelworks doctor [--fix]``: what this machine can build and test, what is missing, what mends it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.commands.bench import open_bench
from wheelworks.commands.installing import consent_of
from wheelworks.commands.request import request_of
from wheelworks.containers.emulation import (
    install_command,
    install_host_packages,
    manual_registration,
    register_binfmt,
)
from wheelworks.doctor import examine
from wheelworks.doctor_survey import survey
from wheelworks.errors import EXIT_MISSING, EXIT_OK, MissingResourceError
from wheelworks.host import with_containers
from wheelworks.preparation import prepare_both
from wheelworks.process import child_environment, quote_command
from wheelworks.tool_install import provide, provided_version

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.bench import Bench
    from wheelworks.commands.context import CommandContext
    from wheelworks.doctor_model import Check, Mending
    from wheelworks.preparation import Prepared

DOCTOR_SCHEMA = 1
FIX_TIMEOUT_SECONDS = 1800.0
_MARKS = {
    "good": "ok      ",
    "missing": "missing ",
    "unavailable": "cannot  ",
    "unneeded": "-       ",
}


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Print the checks; with ``--fix`` run what mends them.

    Returns:
        4 when something that the whole matrix needs is missing and was not mended, else 0.
    """
    found = _examined(args, context)
    if args.json:
        context.result_json({"schema": DOCTOR_SCHEMA, "checks": list(found.checks)})
    else:
        context.result("\n".join(_lines(found.checks)))
    if not args.fix:
        return EXIT_MISSING if any(check.is_fatal for check in found.checks) else EXIT_OK
    return _fix(found, args, context)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """The checks and what they are about."""

    builds: Prepared
    tests: Prepared
    checks: tuple[Check, ...]


def _examined(args: argparse.Namespace, context: CommandContext) -> _Examined:
    builds, tests = prepare_both(request_of(args), context.runner, context.environ)
    host = builds.host
    if host.containers is None and host.containers_missing is None:
        # No job needs the engine, so nobody has asked it.
        loaded = builds.loaded
        host = with_containers(
            host,
            context.runner,
            project=loaded.project,
            settings=loaded.settings,
            environ=context.environ,
        )
        builds = replace(builds, host=host)
    provided = {name for name, tool in builds.tools.items() if provided_version(tool) is not None}
    checks = examine(
        builds.plan,
        tests.plan,
        host,
        provided,
        survey=survey(builds, context.runner, context.environ),
        cells=builds.cells,
    )
    return _Examined(builds=builds, tests=tests, checks=checks)


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
    """The command that mends it: ours where there is none of the system."""
    if mending.argv:
        return quote_command(mending.argv)
    if mending.packages:
        return quote_command(install_command(mending.packages))
    if mending.emulates is not None:
        return f"wheelworks doctor --fix, or {manual_registration(mending.emulates)}"
    return f"install {mending.tool} (doctor --fix)" if mending.tool else "wheelworks doctor --fix"


def _fix(found: _Examined, args: argparse.Namespace, context: CommandContext) -> int:
    """Mend what images need, then what the jobs still lack beside them, the images last.

    Where images can be made, nothing that they hold has to be added to this machine's Rust.
    """
    groundwork = [one for one in _mendings(found) if one.packages or one.emulates]
    # A list, so that one failure does not keep the others from being mended.
    mended = [_is_mended(mending, found.builds, context) for mending in groundwork]
    if groundwork:
        found = _examined(args, context)
    rest = (one for one in _mendings(found) if not (one.packages or one.emulates or one.image))
    mended += [_is_mended(mending, found.builds, context) for mending in rest]
    are_built = _build_images(found, args, context)
    unmended = any(check.is_fatal and check.mending is None for check in found.checks)
    return EXIT_OK if all(mended) and are_built and not unmended else EXIT_MISSING


def _mendings(found: _Examined) -> list[Mending]:
    return [check.mending for check in found.checks if check.mending is not None]


def _is_mended(mending: Mending, prepared: Prepared, context: CommandContext) -> bool:
    doing = f"register QEMU for {mending.emulates}" if mending.emulates else _spoken(mending)
    context.say(f"running: {doing}")
    try:
        if mending.tool is not None:
            _provide(mending.tool, prepared, context)
        elif mending.packages:
            install_host_packages(mending.packages, context.runner, environ=context.environ)
        elif mending.emulates is not None:
            register_binfmt(mending.emulates, context.runner, environ=context.environ)
        else:
            return _is_run(mending.argv, prepared, context)
    except MissingResourceError as error:
        context.say(f"error: {error.message}")
        if error.hint is not None:
            context.say(f"hint: {error.hint}")
        return False
    return True


def _provide(tool: str, prepared: Prepared, context: CommandContext) -> None:
    request = next(one for one in prepared.plan.tools if one.name == tool)
    uv = prepared.host.uv
    provide(
        request,
        context.runner,
        tools_dir=Path(prepared.layout.tools_dir),
        environ=context.environ,
        uv=uv.path if uv is not None else None,
    )


def _is_run(argv: tuple[str, ...], prepared: Prepared, context: CommandContext) -> bool:
    result = context.runner.run(
        argv,
        env=child_environment(context.environ, set_={}),
        cwd=prepared.loaded.project.root,
        timeout_seconds=FIX_TIMEOUT_SECONDS,
        on_line=context.say,
    )
    return result.ok


def _build_images(found: _Examined, args: argparse.Namespace, context: CommandContext) -> bool:
    """Build the images that jobs wait for, with consent; whether all are there."""
    wanted = [check for check in found.checks if check.mending is not None and check.mending.image]
    if not wanted:
        return True
    described = [f"{check.subject}: {check.detail}" for check in wanted]
    if not consent_of(found.builds.loaded, context).allows(described):
        return False
    with (
        open_bench(found.builds, context, name="doctor", is_verbose=bool(args.verbose)) as bench,
        bench.stoppable(),
    ):
        benches = (replace(bench, prepared=one) for one in (found.builds, found.tests))
        # A list: each is tried.
        results = [_are_supplied(one) for one in benches]
    return all(results)


def _are_supplied(bench: Bench) -> bool:
    waiting = {job_id for image in bench.prepared.plan.images for job_id in image.needed_by}
    jobs = tuple(job for job in bench.prepared.plan.jobs if job.id in waiting)
    errors = bench.try_to_supply(jobs)
    for error in dict.fromkeys(errors.values()):
        bench.context.say(f"error: {error.message}")
        if error.hint is not None:
            bench.context.say(f"hint: {error.hint}")
    return not errors
