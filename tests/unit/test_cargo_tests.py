"""Jobs of cargo's own tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from container_samples import a_test_image, some_containers
from plan_requests import SETTINGS, request

from wheelworks.cargo_tests import PROGRAMS, read_counts
from wheelworks.config.settings import CellSettings, TestSettings
from wheelworks.containers import paths
from wheelworks.containers.facts import ImageFacts
from wheelworks.planner import make_plan
from wheelworks.report.model import TestCounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.settings import ToolchainChoice
    from wheelworks.plan import Job, Plan, Step
    from wheelworks.toolchains import HostFacts

TESTS = TestSettings(command=("pytest",), cargo=True)
ARM = "aarch64-unknown-linux-gnu"


def plan(
    host: HostFacts,
    *targets: str,
    toolchain: ToolchainChoice = "auto",
    goal: str = "test",
    **cell: object,
) -> Plan:
    """The plan for CPython 3.13, with cargo's tests."""
    own = replace(CellSettings(toolchain=toolchain, test=TESTS), **cell)  # type: ignore[arg-type]
    settings = replace(SETTINGS, pythons=("3.13",), targets=targets, cell=own)
    return make_plan(replace(request(host, goal=goal, settings=settings), emulates_tests=True))


def cargo_jobs(found: Plan) -> list[Job]:
    """The jobs of cargo's tests."""
    return [job for job in found.jobs if job.id.startswith("test cargo-")]


def steps_of(job: Job) -> dict[str, Step]:
    """By name."""
    return {step.name: step for step in job.steps}


@pytest.fixture
def with_toolchain(hosts: Mapping[str, HostFacts]) -> HostFacts:
    """A Linux whose toolchain image compiles for everything, with images for tests."""
    host = hosts["linux_x86_64"]
    assert host.rust is not None
    toolchain = ImageFacts(
        role="toolchain",
        platform="linux/amd64",
        reference="wheelworks/toolchain:1-amd64",
        image_id="sha256:1",
        rust=replace(
            host.rust,
            targets=("x86_64-unknown-linux-gnu", ARM, "x86_64-pc-windows-gnu"),
            toolchain=None,
        ),
        pythons=(("3.13", "/usr/bin/python3.13"),),
    )
    images = (toolchain, a_test_image(), a_test_image("linux/arm64"))
    return replace(host, containers=some_containers(images=images))


def test_a_native_target_is_tested_by_cargo_on_the_host(hosts: Mapping[str, HostFacts]) -> None:
    """In the folders of the build, with the interpreter under test; cargo alone needs no zig."""
    (job,) = cargo_jobs(plan(hosts["linux_x86_64"], "manylinux_x86_64", features=("fast",)))
    (step,) = job.steps
    assert step.argv[:5] == ("cargo", "test", "--locked", "--tests", "--no-fail-fast")
    assert step.argv[-4:] == ("--target", "x86_64-unknown-linux-gnu", "--features", "fast")
    assert step.env["CARGO_TARGET_DIR"] == f"/project/.wheelworks/build/{job.build_key}"
    assert step.env["PYO3_PYTHON"].endswith("3.13.0/bin/python")
    assert (job.kind, job.test, job.expects, job.is_emulated) == ("test", None, None, False)
    assert job.needs == ("build cp313-manylinux_x86_64",)


def test_one_build_of_a_target_stands_for_all(hosts: Mapping[str, HostFacts]) -> None:
    """The crate's own tests do not depend on the interpreter, and builds run none."""
    host = hosts["linux_x86_64"]
    settings = replace(
        SETTINGS, targets=("manylinux_x86_64",), cell=CellSettings(test=TESTS), pythons=("3.12", "3.13")
    )  # fmt: skip
    found = make_plan(request(host, goal="test", settings=settings))
    assert [job.id for job in cargo_jobs(found)] == ["test cargo-manylinux_x86_64"]
    assert cargo_jobs(plan(host, "manylinux_x86_64", goal="build")) == []


def test_the_toolchain_image_tests_its_own_platform(with_toolchain: HostFacts) -> None:
    """With the crates that were fetched, and no network."""
    found = plan(with_toolchain, "manylinux_x86_64", toolchain="container")
    (job,) = cargo_jobs(found)
    steps = steps_of(job)
    assert list(steps) == ["fetch", "cargo test"]
    step = steps["cargo test"]
    assert step.container is not None
    assert (step.container.image, step.container.network) == (
        "wheelworks/toolchain:1-amd64",
        "none",
    )
    assert step.env["PYO3_PYTHON"] == "/usr/bin/python3.13"
    assert step.env["CARGO_TARGET_DIR"] == paths.TARGET
    assert not job.is_emulated


def test_programs_of_another_architecture_run_in_its_image(with_toolchain: HostFacts) -> None:
    """They are linked by zig for the wheel's glibc, kept by cargo's runner, and run under QEMU."""
    found = plan(with_toolchain, "manylinux_aarch64", toolchain="container")
    (job,) = cargo_jobs(found)
    steps = steps_of(job)
    assert list(steps) == ["fetch", "cargo test", "run tests"]
    linked, run = steps["cargo test"], steps["run tests"]
    assert linked.argv[4:6] == (PROGRAMS, "aarch64-linux-gnu.2.17")
    assert (
        linked.env["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER"]
        == f"cp --target-directory={PROGRAMS}"
    )
    assert linked.env["CARGO_ZIGBUILD_PYTHON_PATH"] == "/opt/wheelworks/bin/python"
    assert run.container is not None
    assert (run.container.image, run.container.platform) == (
        "wheelworks/tests:0123456789ab-arm64",
        "linux/arm64",
    )
    assert {mount.target for mount in run.container.mounts} == {
        paths.SOURCE,
        paths.OUTPUT,
        paths.HOME,
    }
    assert run.timeout_seconds == 5 * TESTS.timeout_seconds
    assert job.is_emulated
    assert job.images == ("wheelworks/toolchain:1-amd64", "wheelworks/tests:0123456789ab-arm64")
    assert {f"image {image}" for image in job.images} <= set(job.inputs)


@pytest.mark.parametrize(
    ("host", "target", "reason"),
    [
        ("linux_arm64", "manylinux_x86_64", "would be compiled on this machine"),
        ("macos_arm64", "macosx_universal2", "run for one architecture"),
    ],
)
def test_what_can_not_be_tested_says_why(
    hosts: Mapping[str, HostFacts], host: str, target: str, reason: str
) -> None:
    """As a line of its own, so that the cell's other tests count."""
    machine = replace(
        hosts[host],
        interpreters=tuple(replace(one, spec="3.13") for one in hosts[host].interpreters),
        containers=some_containers(images=(a_test_image(),), emulated=("linux/amd64",)),
    )
    found = plan(machine, target)
    assert cargo_jobs(found) == []
    (refused,) = (one for one in found.unavailable if one.cell == f"cargo-{target}")
    assert reason in refused.reason
    assert refused.job_id == f"test cargo-{target}"


def test_the_counts_of_all_test_programs_are_added_up() -> None:
    """Whatever stands between them; no word of a program is no count."""
    line = "test result: {}. {} passed; {} failed; {} ignored; 0 measured; 0 filtered out\n"
    output = line.format("ok", 3, 0, 1) + "noise\n" + line.format("FAILED", 1, 2, 0)
    assert read_counts(output) == TestCounts(total=7, failed=2, errors=0, skipped=1)
    assert read_counts("error: could not compile") is None
