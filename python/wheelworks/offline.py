"""A plan for work without a network: every step told so, and kept from it where a container can keep it.

Pure: takes a plan, gives a plan. What the variables say is no input of a job: a wheel is the same with and without.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.errors import MissingResourceError

if TYPE_CHECKING:
    from wheelworks.plan import Job, Plan, Step

OFFLINE_ENVIRONMENT = {
    "CARGO_NET_OFFLINE": "true",
    "UV_OFFLINE": "1",
    "PIP_NO_INDEX": "1",
    # A build script that lets cargo or git of its own fetch something fails soon instead of waiting.
    "GIT_TERMINAL_PROMPT": "0",
}
PREFETCH_HINT = "run wheelworks prefetch where there is a network"


def without_network(plan: Plan) -> Plan:
    """The plan with steps that use what is here only."""
    return replace(plan, jobs=tuple(_offline_job(job) for job in plan.jobs))


def not_here(what: str) -> MissingResourceError:
    """The error of an offline run that lacks something."""
    return MissingResourceError(f"offline, and {what} is not here", hint=PREFETCH_HINT)


def needs_network(job: Job) -> MissingResourceError:
    """The error of an offline run whose job can't do without: cibuildwheel installs what a build requires each time."""
    return MissingResourceError(
        f"offline, and {job.toolchain} installs what {job.id} requires from the network",
        hint="--toolchain container builds without one, or leave --offline out",
    )


def _offline_job(job: Job) -> Job:
    return replace(job, steps=tuple(_offline_step(step) for step in job.steps))


def _offline_step(step: Step) -> Step:
    container = step.container
    return replace(
        step,
        env={**step.env, **OFFLINE_ENVIRONMENT},
        container=replace(container, network="none") if container is not None else None,
    )
