"""``wheelworks prefetch [SELECTOR...]``: what a later run with ``--offline`` would need from the network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.cell_shell import fetch_key, host_fetch_steps, requirement_steps
from wheelworks.commands.bench import open_bench
from wheelworks.commands.installing import consent_of, host_completer
from wheelworks.commands.request import request_of
from wheelworks.config.sources import read_toml
from wheelworks.config.toml_values import table_at, texts_at, texts_of
from wheelworks.errors import (
    EXIT_MISSING,
    EXIT_OK,
    JobFailedError,
    MissingResourceError,
    UsageError,
)
from wheelworks.executors.base import run_steps
from wheelworks.preparation import prepare_both
from wheelworks.text import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from wheelworks.commands.bench import Bench
    from wheelworks.commands.context import CommandContext
    from wheelworks.errors import WheelworksError
    from wheelworks.plan import Job
    from wheelworks.preparation import Prepared

PREFETCH_SCHEMA = 1


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Bring tools, images, standard libraries, crates and test requirements of the selected cells.

    Returns:
        4 when something could not be brought, else 0.

    Raises:
        UsageError: it is to be done offline.
        WheelworksError: the configuration is wrong, a signal came.
    """
    builds, tests = prepare_both(
        request_of(args), context.runner, context.environ, complete_host=host_completer(context)
    )
    if builds.loaded.settings.offline:
        raise UsageError("prefetch needs the network, but offline is set", hint="leave it out")
    planned = _announced(builds, tests)
    if planned and not consent_of(builds.loaded, context).allows(planned):
        raise MissingResourceError(
            f"not allowed to install {', '.join(planned)}", hint='set provision = "always"'
        )
    failures: dict[str, WheelworksError] = {}
    with (
        open_bench(builds, context, name="prefetch", is_verbose=bool(args.verbose)) as bench,
        bench.stoppable(),
    ):
        failures |= _bring_crates(bench)
        failures |= _bring_requirements(replace(bench, prepared=tests))
    _tell(failures, builds, args, context)
    return EXIT_MISSING if failures else EXIT_OK


def _announced(builds: Prepared, tests: Prepared) -> tuple[str, ...]:
    """What is large: images and what rustup adds."""
    added = [item.what for item in builds.plan.provisioning]
    images = [
        f"the image {image.reference} ({image.size_mib} MiB, about {image.minutes} min)"
        for image in (*builds.plan.images, *tests.plan.images)
    ]
    return tuple(dict.fromkeys((*added, *images)))


def _bring_crates(bench: Bench) -> dict[str, WheelworksError]:
    """Tools and images of the builds, then the crates: once for all jobs that fetch the same."""
    jobs = tuple(job for job in bench.prepared.plan.jobs if job.merges is None)
    failures: dict[str, WheelworksError] = dict(bench.try_to_supply(jobs))
    executor = bench.executor()
    seen: set[tuple[object, ...]] = set()
    for job in jobs:
        key = fetch_key(job)
        if job.id in failures or not key or key in seen or bench.cancellation.requested:
            continue
        seen.add(key)
        bench.context.say(f"crates of {job.id}")
        try:
            bench.insist(executor.fetch(job, bench.cancellation, *host_fetch_steps(job)))
        except (JobFailedError, MissingResourceError) as error:
            failures[job.id] = error
    return failures


def _bring_requirements(bench: Bench) -> dict[str, WheelworksError]:
    """Tools and images of the tests, then their requirements, into uv's cache."""
    jobs = tuple(job for job in bench.prepared.plan.jobs if job.kind == "test")
    failures: dict[str, WheelworksError] = dict(bench.try_to_supply(jobs))
    document = read_toml(bench.run.project.root / "pyproject.toml")
    dependencies = texts_at(document, "project", "dependencies")
    extras = {
        name: texts_of(listed)
        for name, listed in table_at(document, "project", "optional-dependencies").items()
    }
    for job in jobs:
        if job.id in failures or bench.cancellation.requested:
            continue
        try:
            _install(bench, job, dependencies, extras)
        except (JobFailedError, MissingResourceError) as error:
            failures[job.id] = error
    return failures


def _install(
    bench: Bench, job: Job, dependencies: Sequence[str], extras: Mapping[str, Sequence[str]]
) -> None:
    steps = requirement_steps(job, dependencies, extras)
    if not steps:
        return
    bench.context.say(f"requirements of {job.id}")
    scratch = bench.run.staging_dir / job.id.replace(" ", "-")
    scratch.mkdir()
    _, failure = run_steps(job, steps, bench.run, bench.cancellation, {"scratch": str(scratch)})
    bench.insist(failure)


def _tell(
    failures: Mapping[str, WheelworksError],
    builds: Prepared,
    args: argparse.Namespace,
    context: CommandContext,
) -> None:
    for job_id, error in failures.items():
        context.say(f"{job_id}: {error.message}")
        if error.hint is not None:
            context.say(f"    hint: {error.hint}")
    if args.json:
        context.result_json(
            {
                "schema": PREFETCH_SCHEMA,
                "cells": list(builds.plan.selected_cells),
                "missing": {job_id: error.message for job_id, error in failures.items()},
                "unavailable": list(builds.plan.unavailable),
            }
        )
    unavailable = len(builds.plan.unavailable)
    rest = f", {unavailable} unavailable here" if unavailable else ""
    state = f"{counted(len(failures), 'job')} incomplete" if failures else "everything is here"
    context.say(f"{counted(len(builds.plan.selected_cells), 'cell')}: {state}{rest}")
