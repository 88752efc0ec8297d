"""``wheelworks plan``: what build (or test) would do; builds nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.commands.request import request_of
from wheelworks.containers.invocation import engine_argv, run_labels
from wheelworks.executors.containers import placeholders_inside
from wheelworks.preparation import prepare
from wheelworks.process import quote_command
from wheelworks.text import counted

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext
    from wheelworks.freshness import Verdict
    from wheelworks.plan import Job, Step
    from wheelworks.preparation import Prepared

PLAN_SCHEMA = 1
#: So many reasons are named in a line before the rest is counted.
SHOWN_REASONS = 3


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Print the plan to stdout."""
    wants_tests = args.test or args.python is not None
    request = replace(request_of(args), goal="test" if wants_tests else "build")
    prepared = prepare(request, context.runner, context.environ)
    if args.json:
        context.result_json(plan_document(prepared))
    else:
        context.result("\n".join(plan_lines(prepared, verbose=bool(args.verbose))))
    for warning in prepared.loaded.warnings:
        context.say(f"warning: {warning}")
    return 0


def plan_document(prepared: Prepared) -> dict[str, object]:
    """The plan as one JSON document."""
    plan = prepared.plan
    return {
        "schema": PLAN_SCHEMA,
        "project": prepared.loaded.project.name,
        "version": prepared.loaded.project.version,
        "cells": list(plan.selected_cells),
        "jobs": [
            {
                "id": job.id,
                "kind": job.kind,
                "cells": list(job.cells),
                "needs": list(job.needs),
                "merges": list(job.merges or ()),
                "is_published": job.is_published,
                "toolchain": job.toolchain,
                "images": list(job.images),
                "is_emulated": job.is_emulated,
                "up_to_date": prepared.verdicts[job.id].is_fresh,
                "stale_because": list(prepared.verdicts[job.id].reasons),
                "reasons": list(job.reasons),
                "cores": job.cores,
                "memory_mib": job.memory_mib,
                "timeout_seconds": job.timeout_seconds,
                "estimate_seconds": job.estimate_seconds,
                "steps": list(job.steps),
                "expects": job.expects if job.expects is not None else None,
            }
            for job in plan.jobs
        ],
        "unavailable": list(plan.unavailable),
        "impossible": list(prepared.matrix.impossible),
        "provisioning": list(plan.provisioning),
        "images": list(plan.images),
        "tools": list(plan.tools),
    }


def plan_lines(prepared: Prepared, *, verbose: bool) -> list[str]:
    """The plan for people: a block per job, then what is unavailable, then a count."""
    plan = prepared.plan
    lines: list[str] = []
    for job in plan.jobs:
        state_dir = str(prepared.layout.state_dir)
        lines += _job_lines(job, prepared.verdicts[job.id], state_dir, verbose=verbose)
    by_reason: dict[tuple[str, str | None], list[str]] = {}
    for cell in plan.unavailable:
        by_reason.setdefault((cell.reason, cell.cure), []).append(cell.cell)
    for (reason, cure), cells in by_reason.items():
        lines.append(f"unavailable here: {', '.join(cells)}")
        lines.append(f"    {reason}")
        if cure is not None:
            lines.append(f"    hint: {cure}")
    lines += [f"first: {quote_command(item.argv)}  ({item.what})" for item in plan.provisioning]
    lines += [
        f"first: the image {image.reference} is built for {image.platform}, about "
        f"{image.size_mib} MiB and {image.minutes} minutes"
        for image in plan.images
    ]
    if not verbose:
        lines.append("(-v shows the reasons and the commands)")
    lines.append(_count_line(prepared))
    return lines


def _job_lines(job: Job, verdict: Verdict, state_dir: str, *, verbose: bool) -> list[str]:
    state = "up to date" if verdict.is_fresh else "stale: " + _some(verdict.reasons)
    served = f", serves {', '.join(job.cells)}" if len(job.cells) > 1 else ""
    toolchain = f"  [{job.toolchain}]" if job.toolchain is not None else ""
    lines = [f"{job.id}{toolchain}{served}: {state}"]
    if verbose:
        lines += [f"    {reason}" for reason in job.reasons]
        lines += [f"    {_step_line(step, state_dir)}" for step in job.steps]
    return lines


def _step_line(step: Step, state_dir: str) -> str:
    """What the step runs, so that it can be run by hand; in a container, the engine's call."""
    if step.container is None:
        changed = " ".join(f"{name}={value}" for name, value in sorted(step.env.items()))
        return f"{step.name}: cd {step.cwd} && {changed} {quote_command(step.argv)}"
    use = step.container
    call = engine_argv(
        step,
        placeholders_host={},
        placeholders_inside=placeholders_inside({"staging": "", "scratch": ""}),
        labels=run_labels(state_dir, "{run}"),
        cidfile=None,
        environment_file=None,
        name=f"wheelworks-{{run}}-{step.name}",
    )
    network = "no network" if use.network == "none" else f"network {use.network}"
    passed = f", passes {', '.join(step.env_pass)}" if step.env_pass else ""
    return f"{step.name} in {use.image} ({use.platform}, {network}{passed}): {quote_command(call)}"


def _some(reasons: tuple[str, ...]) -> str:
    shown = ", ".join(reasons[:SHOWN_REASONS])
    more = len(reasons) - SHOWN_REASONS
    return f"{shown} and {more} more" if more > 0 else shown


def _count_line(prepared: Prepared) -> str:
    plan = prepared.plan
    stale = Counter(job.kind for job in plan.jobs if not prepared.verdicts[job.id].is_fresh)
    fresh = sum(verdict.is_fresh for verdict in prepared.verdicts.values())
    parts = [f"{counted(number, f'{kind} job')} to run" for kind, number in sorted(stale.items())]
    if fresh:
        parts.append(f"{fresh} up to date")
    if plan.unavailable:
        parts.append(f"{len(plan.unavailable)} unavailable here")
    return f"{counted(len(plan.selected_cells), 'cell')}: " + (", ".join(parts) or "nothing to do")
