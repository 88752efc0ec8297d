"""Universal2 groups: which slices they share, which they have to themselves, and the jobs of both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from plan_requests import PROJECT, SETTINGS, request

from wheelworks.cell_shell import compiling_job, host_fetch_steps
from wheelworks.config.settings import CellSettings, Override
from wheelworks.planner import make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.plan import Job, Plan
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts

UNIVERSAL = "build cp313-macosx_universal2"


def plan_of(
    host: HostFacts,
    *targets: str,
    project: Project = PROJECT,
    cell: CellSettings | None = None,
    overrides: tuple[Override, ...] = (),
) -> Plan:
    """The plan of CPython 3.13 on those targets."""
    settings = replace(
        SETTINGS,
        pythons=("3.13",),
        targets=targets,
        cell=cell or SETTINGS.cell,
        overrides=overrides,
    )
    return make_plan(replace(request(host, settings=settings, project=project), wants_sdist=False))


def by_id(plan: Plan) -> dict[str, Job]:
    """The jobs by their ids, in the plan's order."""
    return {job.id: job for job in plan.jobs}


@pytest.fixture
def mac(hosts: Mapping[str, HostFacts]) -> HostFacts:
    """A Mac with both standard libraries."""
    return hosts["macos_arm64"]


def test_a_universal2_wheel_alone_has_two_slices_of_its_own(mac: HostFacts) -> None:
    """They serve no cell, are not published, and come before the merge job, which starts nothing."""
    jobs = by_id(plan_of(mac, "macosx_universal2"))
    x86_64, arm64, merged = jobs.values()
    assert list(jobs) == ["slice cp313-macosx_x86_64", "slice cp313-macosx_arm64", UNIVERSAL]
    assert merged.merges == merged.needs == (x86_64.id, arm64.id)
    assert merged.steps == ()
    assert merged.cells == ("cp313-macosx_universal2",)
    assert merged.is_published
    for slice_, tag in ((x86_64, "macosx_10_12_x86_64"), (arm64, "macosx_11_0_arm64")):
        assert (slice_.cells, slice_.is_published, slice_.kind) == ((), False, "build")
        assert slice_.expects is not None
        assert slice_.expects.platform_tags == (tag,)
    assert merged.expects is not None
    assert merged.expects.platform_tags == (
        "macosx_10_12_x86_64",
        "macosx_11_0_arm64",
        "macosx_10_12_universal2",
    )


def test_each_slice_is_compiled_for_its_own_triple(mac: HostFacts) -> None:
    """Nothing is left of the call that compiled both."""
    targets = [
        step.argv[step.argv.index("--target") + 1]
        for job in plan_of(mac, "macosx_universal2").jobs
        for step in job.steps
    ]
    assert targets == ["x86_64-apple-darwin", "aarch64-apple-darwin"]


@pytest.mark.parametrize(
    ("targets", "ids"),
    [
        (
            ("macosx_x86_64", "macosx_universal2"),
            ["build cp313-macosx_x86_64", "slice cp313-macosx_arm64", UNIVERSAL],
        ),
        (
            ("macosx_universal2", "macosx_x86_64"),
            ["build cp313-macosx_x86_64", "slice cp313-macosx_arm64", UNIVERSAL],
        ),
        (
            ("macosx_arm64", "macosx_universal2", "macosx_x86_64"),
            ["build cp313-macosx_arm64", "build cp313-macosx_x86_64", UNIVERSAL],
        ),
    ],
)
def test_selected_cells_are_slices(
    mac: HostFacts, targets: tuple[str, ...], ids: list[str]
) -> None:
    """In whatever order the targets are named, what is merged comes first."""
    plan = plan_of(mac, *targets)
    assert list(by_id(plan)) == ids
    assert all(job.is_published is job.id.startswith("build ") for job in plan.jobs)


@pytest.mark.parametrize(
    "values",
    [
        {"features": ("fast",)},
        {"profile": "dist"},
        {"no-default-features": True},
        {"maturin-args": ("--strip",)},
        {"environment": {"CFLAGS": "-O3"}},
        {"compatibility": "macosx_10_15"},
    ],
)
def test_a_cell_with_other_options_is_no_slice(mac: HostFacts, values: dict[str, object]) -> None:
    """The slice is then one of its own, in folders of its own."""
    override = Override(select=("*-macosx_x86_64",), values=values)
    jobs = by_id(plan_of(mac, "macosx_x86_64", "macosx_universal2", overrides=(override,)))
    assert "slice cp313-macosx_x86_64" in jobs
    keys = [job.build_key for job in jobs.values()]
    assert len(set(keys)) == len(keys) == 4


def test_other_test_options_change_no_slice(mac: HostFacts) -> None:
    """Only what is compiled counts."""
    override = Override(select=("*-macosx_x86_64",), values={"audit-ignore": ("W001",)})
    plan = plan_of(mac, "macosx_x86_64", "macosx_universal2", overrides=(override,))
    assert "slice cp313-macosx_x86_64" not in by_id(plan)


def test_a_slice_has_the_build_key_of_its_cell(mac: HostFacts) -> None:
    """What one of them compiled the other finds."""
    keys = [
        next(job.build_key for job in plan_of(mac, target).jobs)
        for target in ("macosx_x86_64", "macosx_universal2")
    ]
    assert keys[0] == keys[1]


def test_the_floor_of_the_project_reaches_each_slice(mac: HostFacts) -> None:
    """10.15 raises x86_64 only: no arm64 Mac runs anything below 11.0."""
    cell = replace(SETTINGS.cell, compatibility="macosx_10_15")
    x86_64, arm64, merged = plan_of(mac, "macosx_universal2", cell=cell).jobs
    assert x86_64.steps[-1].env["MACOSX_DEPLOYMENT_TARGET"] == "10.15"
    assert "MACOSX_DEPLOYMENT_TARGET" not in arm64.steps[-1].env
    assert [job.expects.platform_tags for job in (x86_64, arm64, merged) if job.expects] == [
        ("macosx_10_15_x86_64",),
        ("macosx_11_0_arm64",),
        ("macosx_10_15_x86_64", "macosx_11_0_arm64", "macosx_10_15_universal2"),
    ]


def test_cells_of_the_stable_abi_share_slices(hosts: Mapping[str, HostFacts]) -> None:
    """Three interpreters, one merged wheel, two compilations."""
    settings = replace(SETTINGS, targets=("macosx_x86_64", "macosx_universal2"))
    project = replace(PROJECT, stable_abi=(3, 9))
    wanted = request(hosts["macos_intel"], settings=settings, project=project)
    plan = make_plan(replace(wanted, wants_sdist=False))
    assert list(by_id(plan)) == [
        "build cp39-abi3-macosx_x86_64",
        "slice cp39-abi3-macosx_arm64",
        "build cp39-abi3-macosx_universal2",
    ]
    assert len(plan.jobs[-1].cells) == 3
    assert "abi3audit" in {tool.name for tool in plan.tools}


def test_a_slice_that_cannot_be_compiled_makes_the_cell_unavailable(mac: HostFacts) -> None:
    """Nothing of it is planned, and the reason names the triple."""
    assert mac.rust is not None
    rust = replace(
        mac.rust,
        targets=("aarch64-apple-darwin",),
        can_add_targets=False,
        cannot_add_reason="provision is never",
    )
    plan = plan_of(replace(mac, rust=rust), "macosx_universal2")
    assert plan.jobs == ()
    (cell,) = plan.unavailable
    assert cell.cell == "cp313-macosx_universal2"
    assert "x86_64-apple-darwin" in cell.reason


def test_rustup_adds_for_slices_and_merging_needs_no_tool(hosts: Mapping[str, HostFacts]) -> None:
    """A standard library is provided to the slice that needs it, and maturin to those that call it."""
    plan = plan_of(hosts["linux_arm64"], "macosx_x86_64", "macosx_universal2")
    waiting = {job_id for item in plan.provisioning for job_id in item.needed_by}
    assert waiting == {"build cp313-macosx_x86_64", "slice cp313-macosx_arm64"}
    assert {tool.name for tool in plan.tools} == {"maturin", "ziglang"}


def test_estimates_of_slices_are_their_own(mac: HostFacts) -> None:
    """What a slice took is remembered under its id."""
    settings = replace(SETTINGS, pythons=("3.13",), targets=("macosx_universal2",))
    wanted = request(mac, settings=settings, estimates={"slice cp313-macosx_arm64": 7.0})
    jobs = by_id(make_plan(wanted))
    assert jobs["slice cp313-macosx_arm64"].estimate_seconds == 7.0
    assert jobs["slice cp313-macosx_x86_64"].estimate_seconds is None


def test_a_shell_of_a_universal2_cell_is_that_of_its_first_slice(mac: HostFacts) -> None:
    """Merging has nothing to look into."""
    job = compiling_job(plan_of(mac, "macosx_universal2"), "cp313-macosx_universal2")
    assert job is not None
    assert job.id == "slice cp313-macosx_x86_64"
    (fetch,) = host_fetch_steps(job)
    assert fetch.argv[-2:] == ("--target", "x86_64-apple-darwin")
