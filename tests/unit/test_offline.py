"""Runs without a network: what the plan says, and what is told of what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jobs import a_job

from wheelworks.cancellation import Cancellation
from wheelworks.cell_choice import RunRequest
from wheelworks.offline import OFFLINE_ENVIRONMENT, without_network
from wheelworks.plan import ContainerUse, Plan, Step
from wheelworks.preparation import prepare
from wheelworks.rust_server import ask_server
from wheelworks.supplies import Supplier

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest
    from workshop import Workshop

    from wheelworks.toolchains import HostFacts

CONTAINER = ContainerUse(
    engine="/usr/bin/docker",
    engine_name="docker",
    image="i",
    platform="linux/amd64",
    mounts=(),
    network="host",
    user=None,
)
STEP = Step(name="fetch", argv=("cargo", "fetch"), env={"A": "1"}, cwd="/", timeout_seconds=1.0)


def test_every_step_is_told_and_containers_have_no_network() -> None:
    """Fetching and installing use what is here; the job's inputs stay what they were."""
    job = replace(
        a_job("build a"), steps=(STEP, replace(STEP, container=CONTAINER)), inputs={"x": "y"}
    )
    plan = Plan(
        jobs=(job,), unavailable=(), selected_cells=(), tools=(), provisioning=(), cores=1,
        memory_mib=1,
    )  # fmt: skip
    (planned,) = without_network(plan).jobs
    assert [dict(step.env) for step in planned.steps] == [{"A": "1", **OFFLINE_ENVIRONMENT}] * 2
    assert planned.steps[0].container is None
    assert planned.steps[1].container == replace(CONTAINER, network="none")
    assert planned.inputs == job.inputs


def test_no_server_is_asked(hosts: Mapping[str, HostFacts]) -> None:
    """What rustup would have to add is refused with that reason."""
    rust = hosts["linux_arm64"].rust
    assert rust is not None

    def fetch(_url: str, _seconds: float) -> None:
        raise AssertionError("asked")

    answered = ask_server(
        rust, missing_channel=None, provision="always", environ={}, is_offline=True, fetch=fetch
    )
    assert not answered.can_add_targets
    assert answered.cannot_add_reason == "this run is offline"


def test_an_offline_run_says_what_prefetch_would_have_brought(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tool that is not here fails its jobs; nothing is installed."""
    assert workshop.run("build", "--offline", "cp313-manylinux_x86_64") == 4
    err = capsys.readouterr().err
    assert "offline, and maturin==1.16.0 is not here" in err
    assert "run wheelworks prefetch" in err
    assert workshop.machine.called("uv") == []


def test_cibuildwheel_fails_at_once(workshop: Workshop) -> None:
    """What it installs for each build can't be brought before; a wheel that is up to date stays so."""
    cell = "cp313-manylinux_x86_64"
    prepared = prepare(
        RunRequest(
            goal="build", directory=workshop.root, package=None, flags={"offline": True},
            selectors=(cell,),
        ),
        workshop.machine,
        {},
    )  # fmt: skip
    (job,) = prepared.plan.jobs
    supplier = Supplier(
        prepared=prepared,
        runner=workshop.machine,
        environ={},
        log_dir=workshop.root,
        cancellation=Cancellation(),
        inform=lambda _: None,
    )
    missing = supplier.supply((replace(job, toolchain="cibuildwheel"),))
    assert "offline, and cibuildwheel installs what" in missing[job.id].message
    assert workshop.machine.calls == []


def test_what_was_built_online_is_up_to_date_offline(workshop: Workshop) -> None:
    """Being offline is no input of a job."""
    cell = "cp313-manylinux_x86_64"
    assert workshop.run("build", cell) == 0
    assert workshop.run("build", "--offline", cell) == 0
    assert workshop.outcomes()[f"build {cell}"] == "up to date"
    assert workshop.run("build", "--offline", "--force", cell) == 0
    (_, offline) = workshop.machine.called("maturin", "build")
    assert offline.env["CARGO_NET_OFFLINE"] == "true"
