"""The plan of one project on six machines, and the rules behind it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from container_samples import (
    a_toolchain_image,
    an_engine,
    build_containers,
    some_containers,
    unbuilt,
)
from plan_requests import LAYOUT, PROJECT, ROOT, SETTINGS, request

from wheelworks.config.settings import CellSettings, Override
from wheelworks.dataclass_json import to_plain
from wheelworks.errors import ConfigurationError
from wheelworks.planner import make_plan
from wheelworks.toolchains import FoundTool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.plan import Plan
    from wheelworks.toolchains import HostFacts

GOLDEN = Path(__file__).parent.parent / "snapshots" / "plans"
HOSTS = ("linux_x86_64", "linux_arm64", "macos_arm64", "macos_intel", "windows", "wsl")


def document(plan: Plan) -> str:
    """The plan as text, for comparing."""
    return json.dumps(to_plain(plan), indent=1) + "\n"


@pytest.mark.parametrize("goal", ["build", "test"])
@pytest.mark.parametrize("name", HOSTS)
def test_plans_of_six_machines_are_as_recorded(
    name: str, goal: str, hosts: Mapping[str, HostFacts]
) -> None:
    """The whole plan of a machine is compared; set WHEELWORKS_UPDATE_SNAPSHOTS=1 to record it anew."""
    check_golden(f"{name}-{goal}", make_plan(request(hosts[name], goal=goal)))


def check_golden(name: str, plan: Plan) -> None:
    """Compare a plan with the recorded one."""
    found = document(plan)
    golden = GOLDEN / f"{name}.json"
    if os.environ.get("WHEELWORKS_UPDATE_SNAPSHOTS") == "1":
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["linux_docker", "linux_docker_unbuilt", "arm64_docker", "mac_docker"]
)
def test_plans_of_machines_with_an_engine_are_as_recorded(
    name: str, hosts: Mapping[str, HostFacts]
) -> None:
    """Everything in the image on Linux, before and after it is built; on a Mac, whose own cells are served too."""
    image = a_toolchain_image()
    arm_engine = an_engine(platform="linux/arm64")
    arm_image = a_toolchain_image("linux/arm64")
    machines = {
        "linux_docker": (hosts["linux_x86_64"], build_containers(image)),
        "linux_docker_unbuilt": (hosts["linux_x86_64"], build_containers(unbuilt(image))),
        "arm64_docker": (
            replace(hosts["linux_arm64"], rust=None, rust_missing_reason="rustc is not on PATH"),
            build_containers(arm_image, engine=arm_engine, emulated=("linux/amd64",)),
        ),
        "mac_docker": (
            hosts["macos_arm64"],
            build_containers(unbuilt(arm_image), engine=replace(arm_engine, user=None)),
        ),
    }
    host, containers = machines[name]
    settings = replace(SETTINGS, pythons=("3.13",))
    plan = make_plan(request(replace(host, containers=containers), settings=settings))
    check_golden(f"{name}-build", plan)
    builds = [job for job in plan.jobs if job.kind == "build" and job.steps]
    assert {job.toolchain for job in builds} == {"container"}
    assert bool(plan.images) is ("unbuilt" in name or name == "mac_docker")


def test_the_test_plan_of_a_machine_with_containers_and_wine_is_as_recorded(
    hosts: Mapping[str, HostFacts],
) -> None:
    """Natively, in a container, under QEMU and under wine, each with the command of its platform."""
    host = replace(
        hosts["linux_x86_64"],
        containers=some_containers(),
        wine=FoundTool(path="/usr/bin/wine", version="9.0", size=1000, mtime_ns=1),
        wine_pythons=(("3.13", "/opt/python-3.13/python.exe"),),
        rust=hosts["linux_arm64"].rust,
        mingw=hosts["linux_arm64"].mingw,
    )
    windows = Override(
        select=("*-win_amd64",),
        values={
            "test.command": (
                "pytest {project}/tests -k 'not pty' --timeout=5 --timeout-method=thread",
            )
        },
    )
    settings = replace(SETTINGS, overrides=(windows,))
    wanted = replace(request(host, goal="test", settings=settings), emulates_tests=True)
    plan = make_plan(wanted)
    check_golden("linux_containers-test", plan)
    tests = {job.cells[0]: job for job in plan.jobs if job.kind == "test"}
    assert "not pty" in tests["cp313-win_amd64"].steps[-1].argv
    assert "not pty" not in tests["cp313-manylinux_aarch64"].steps[-1].argv
    places = {cell: (job.is_emulated, job.images != ()) for cell, job in tests.items()}
    assert places == {
        "cp312-manylinux_x86_64": (False, False),
        "cp313-manylinux_x86_64": (False, False),
        "cp314-manylinux_x86_64": (False, True),
        "cp313-manylinux_aarch64": (True, True),
        "cp314-manylinux_aarch64": (True, True),
        "cp313-win_amd64": (True, False),
    }


@pytest.mark.parametrize("name", HOSTS)
def test_every_selected_cell_is_planned_or_unavailable(
    name: str, hosts: Mapping[str, HostFacts]
) -> None:
    """No cell is silent, and none is both."""
    plan = make_plan(request(hosts[name]))
    planned = [cell for job in plan.jobs for cell in job.cells]
    unavailable = [cell.cell for cell in plan.unavailable]
    assert sorted(planned + unavailable) == sorted(plan.selected_cells)
    assert all(cell.reason for cell in plan.unavailable)


def test_cells_of_the_stable_abi_share_one_build(hosts: Mapping[str, HostFacts]) -> None:
    """An abi3 project has one build per target, whatever the number of interpreters."""
    project = replace(PROJECT, stable_abi=(3, 9))
    settings = replace(SETTINGS, targets=("manylinux_x86_64",))
    plan = make_plan(request(hosts["linux_x86_64"], project=project, settings=settings))
    (build,) = (job for job in plan.jobs if job.kind == "build")
    assert build.cells == tuple(f"cp3{minor}-manylinux_x86_64" for minor in (12, 13, 14))
    assert build.expects is not None
    assert (build.expects.python_tag, build.expects.abi_tag) == ("cp39", "abi3")
    assert "abi3audit" in {tool.name for tool in plan.tools}


def test_a_free_threaded_cell_of_an_abi3_project_has_a_build_of_its_own(
    hosts: Mapping[str, HostFacts],
) -> None:
    """The stable ABI does not serve free-threaded interpreters."""
    project = replace(PROJECT, stable_abi=(3, 9))
    settings = replace(SETTINGS, targets=("manylinux_x86_64",), pythons=("3.13", "3.14t"))
    plan = make_plan(request(hosts["linux_x86_64"], project=project, settings=settings))
    assert [job.cells for job in plan.jobs if job.kind == "build"] == [
        ("cp313-manylinux_x86_64",),
        ("cp314t-manylinux_x86_64",),
    ]


def test_builds_never_share_a_target_folder(hosts: Mapping[str, HostFacts]) -> None:
    """Each build key is used once: a shared folder would make every interpreter rebuild pyo3."""
    plan = make_plan(request(hosts["linux_arm64"]))
    keys = [job.build_key for job in plan.jobs if job.kind == "build"]
    assert len(keys) == len(set(keys))


def test_only_interpreters_of_one_kind_share_a_seeding_family(
    hosts: Mapping[str, HostFacts],
) -> None:
    """The crates below PyO3 are the same for every version; another target or other options are another family."""
    host = hosts["linux_x86_64"]
    settings = replace(SETTINGS, pythons=("3.12", "3.13", "3.14t"))
    plain = families(make_plan(request(host, settings=settings)))
    other = replace(settings, cell=replace(settings.cell, environment={"CFLAGS": "-O1"}))
    assert len({*plain, *families(make_plan(request(host, settings=other)))}) == 4
    assert sorted(map(sorted, plain.values())) == [["cp312", "cp313"], ["cp314t"]]


def families(plan: Plan) -> dict[str, set[str]]:
    """Seeding family -> interpreters of its builds for Linux."""
    found: dict[str, set[str]] = {}
    for job in plan.jobs:
        if job.kind == "build" and "manylinux_x86_64" in job.id:
            assert job.seeding_family is not None
            found.setdefault(job.seeding_family, set()).add(job.cells[0].partition("-")[0])
    return found


def test_different_options_give_different_build_keys(hosts: Mapping[str, HostFacts]) -> None:
    """Features, profile and level are part of the key, environment for tests is not."""
    host = hosts["linux_x86_64"]
    keys = set()
    for cell in (
        CellSettings(),
        CellSettings(features=("fast",)),
        CellSettings(no_default_features=True),
        CellSettings(profile="dist"),
        CellSettings(compatibility="manylinux_2_28"),
    ):
        settings = replace(SETTINGS, cell=cell, pythons=("3.13",), targets=("manylinux_x86_64",))
        keys |= {job.build_key for job in make_plan(request(host, settings=settings)).jobs}
    assert len(keys) == 5 + 1  # and the sdist's


def test_a_project_without_lock_file_gets_one_before_it_is_compiled(
    hosts: Mapping[str, HostFacts],
) -> None:
    """--locked needs a lock file; the step that makes it comes first."""
    plan = make_plan(request(hosts["linux_x86_64"], project=replace(PROJECT, has_lock_file=False)))
    for job in plan.jobs:
        assert job.steps[0].name == "lock"


def test_processors_are_shared_out_among_builds_side_by_side(
    hosts: Mapping[str, HostFacts],
) -> None:
    """The shares add up to no more than the machine, and a lone build has all of it."""
    host = replace(hosts["linux_x86_64"], cores=8)
    many = make_plan(request(host))
    builds = [job for job in many.jobs if job.kind == "build"]
    assert sum(job.cores for job in builds) <= 8
    lone = make_plan(request(host, settings=replace(SETTINGS, pythons=("3.13",))))
    assert [job.cores for job in lone.jobs if job.kind == "build"] == [8]


def test_little_memory_means_builds_one_after_another(hosts: Mapping[str, HostFacts]) -> None:
    """Memory bounds the number of builds: each then has more processors."""
    host = replace(hosts["linux_x86_64"], cores=8, memory_available_mib=2500)
    builds = [job for job in make_plan(request(host)).jobs if job.kind == "build"]
    assert {job.cores for job in builds} == {8}


def test_tests_need_the_build_of_their_cell(hosts: Mapping[str, HostFacts]) -> None:
    """A test waits for the job that builds its wheel."""
    plan = make_plan(request(hosts["linux_x86_64"], goal="test"))
    builds = {job.id: job for job in plan.jobs if job.kind == "build"}
    tests = [job for job in plan.jobs if job.kind == "test"]
    assert tests
    for test in tests:
        (need,) = test.needs
        assert test.cells[0] in builds[need].cells


def test_a_missing_interpreter_makes_a_test_unavailable_with_the_way_out(
    hosts: Mapping[str, HostFacts],
) -> None:
    """Nothing is built for a test that can't run."""
    settings = replace(SETTINGS, targets=("manylinux_x86_64",), pythons=("3.14",))
    plan = make_plan(request(hosts["linux_x86_64"], goal="test", settings=settings))
    assert plan.jobs == ()
    (cell,) = plan.unavailable
    assert "CPython 3.14" in cell.reason
    assert "3.14" in (cell.cure or "")


def test_configured_features_reach_maturin(hosts: Mapping[str, HostFacts]) -> None:
    """Features and the switch for the default ones are passed on."""
    cell = CellSettings(features=("fast", "simd"), no_default_features=True)
    settings = replace(SETTINGS, cell=cell, targets=("manylinux_x86_64",), pythons=("3.13",))
    plan = make_plan(request(hosts["linux_x86_64"], settings=settings))
    (build,) = (job for job in plan.jobs if job.kind == "build")
    argv = build.steps[-1].argv
    assert argv[argv.index("--features") + 1] == "fast,simd"
    assert "--no-default-features" in argv


def test_a_sub_folder_package_is_built_in_its_place_in_the_snapshot(
    hosts: Mapping[str, HostFacts],
) -> None:
    """The snapshot mirrors the source root; maturin is called in the package's folder there."""
    project = replace(
        PROJECT,
        root=ROOT / "bindings" / "python",
        manifest_path=ROOT / "bindings" / "python" / "Cargo.toml",
    )
    layout_root = PurePosixPath("/project/bindings/python")
    wanted = replace(
        request(hosts["linux_x86_64"], project=project),
        layout=replace(LAYOUT, project_root=layout_root, state_dir=layout_root / ".wheelworks"),
    )
    for job in make_plan(wanted).jobs:
        snapshot = f"/project/bindings/python/.wheelworks/source/{job.build_key}"
        step = job.steps[-1]
        assert step.cwd == f"{snapshot}/bindings/python"
        assert step.argv[step.argv.index("--manifest-path") + 1] == f"{step.cwd}/Cargo.toml"


def test_without_rust_the_sdist_is_unavailable_too(hosts: Mapping[str, HostFacts]) -> None:
    """Packing asks cargo: a job that can only fail is not planned."""
    host = replace(hosts["linux_x86_64"], rust=None, rust_missing_reason="rustc is not on PATH")
    plan = make_plan(request(host))
    assert plan.jobs == ()
    (sdist,) = (one for one in plan.unavailable if one.kind == "sdist")
    assert (sdist.job_id, sdist.cells, sdist.reason) == ("sdist", (), "rustc is not on PATH")
    assert sdist.cure is not None


def test_the_sdist_does_not_need_the_toolchain_of_the_project(
    hosts: Mapping[str, HostFacts],
) -> None:
    """Where rust-toolchain.toml names a Rust that is missing, the one that was probed packs."""
    host = hosts["linux_x86_64"]
    assert host.rust is not None
    host = replace(host, rust=replace(host.rust, toolchain="stable-x86_64-unknown-linux-gnu"))
    project = replace(PROJECT, rust_toolchain="1.41.1", has_lock_file=False)
    (sdist,) = (job for job in make_plan(request(host, project=project)).jobs if job.id == "sdist")
    assert [step.name for step in sdist.steps] == ["lock", "pack"]
    for step in sdist.steps:
        assert step.env["RUSTUP_TOOLCHAIN"] == "stable-x86_64-unknown-linux-gnu"


@pytest.mark.parametrize("name", HOSTS)
def test_no_step_lets_rustup_install_anything(name: str, hosts: Mapping[str, HostFacts]) -> None:
    """A rust-toolchain.toml names components; what rustup adds is provisioned, or it is not added."""
    for job in make_plan(request(hosts[name])).jobs:
        assert {step.env["RUSTUP_AUTO_INSTALL"] for step in job.steps} <= {"0"}


def test_cells_of_a_program_share_one_build(hosts: Mapping[str, HostFacts]) -> None:
    """A wheel without a module serves every Python 3, so it is built once, whichever cells are selected."""
    host = hosts["linux_x86_64"]
    project = replace(PROJECT, bindings="bin")
    settings = replace(SETTINGS, targets=("manylinux_x86_64",))
    plan = make_plan(request(host, project=project, settings=settings))
    (build,) = (job for job in plan.jobs if job.kind == "build")
    assert build.id == "build py3-manylinux_x86_64"
    assert build.cells == tuple(f"cp3{minor}-manylinux_x86_64" for minor in (12, 13, 14))
    one = make_plan(
        request(host, project=project, settings=replace(settings, pythons=("3.14",)))
    ).jobs[-1]
    assert (one.id, one.build_key) == (build.id, build.build_key)


@pytest.mark.parametrize(
    "values", [{"environment": {"X": "1"}}, {"compatibility": "manylinux_2_28"}]
)
def test_cells_of_one_wheel_with_different_options_are_refused(
    hosts: Mapping[str, HostFacts], values: dict[str, object]
) -> None:
    """Two builds of a stable-ABI wheel would overwrite each other; the cells are named."""
    override = Override(select=("cp313-*",), values=values)
    settings = replace(SETTINGS, targets=("manylinux_x86_64",), overrides=(override,))
    wanted = request(
        hosts["linux_x86_64"], project=replace(PROJECT, stable_abi=(3, 9)), settings=settings
    )
    with pytest.raises(
        ConfigurationError, match="cp312-manylinux_x86_64 and cp313-manylinux_x86_64"
    ):
        make_plan(wanted)


def test_what_a_build_is_told_is_an_input(hosts: Mapping[str, HostFacts]) -> None:
    """Also what we set: another SDK, floor or toolchain makes a wheel stale; where zig lies does not."""
    mac = replace(hosts["macos_arm64"], macos_sdk="/SDKs/15")
    settings = replace(
        SETTINGS,
        targets=("macosx_arm64",),
        pythons=("3.13",),
        cell=replace(SETTINGS.cell, compatibility="macosx_12_0"),
    )
    (build,) = (job for job in make_plan(request(mac, settings=settings)).jobs if job.expects)
    assert build.inputs["env SDKROOT"] == "/SDKs/15"
    assert build.inputs["env MACOSX_DEPLOYMENT_TARGET"] == "12.0"
    assert build.inputs["passed env SOURCE_DATE_EPOCH"] == ""
    zig = make_plan(request(hosts["linux_x86_64"])).jobs
    assert not [name for job in zig for name in job.inputs if "ZIGBUILD" in name]


def test_each_slice_of_universal2_keeps_its_own_floor(hosts: Mapping[str, HostFacts]) -> None:
    """One variable for both would stamp Intel's 10.12 into arm64 code; the caller's does not count."""
    settings = replace(SETTINGS, targets=("macosx_universal2",), pythons=("3.13",))
    jobs = make_plan(request(hosts["macos_arm64"], settings=settings)).jobs
    steps = [step for job in jobs if job.expects for step in job.steps]
    assert len(steps) == 2
    for step in steps:
        assert "MACOSX_DEPLOYMENT_TARGET" not in step.env
        assert "MACOSX_DEPLOYMENT_TARGET" in step.unset


@pytest.mark.parametrize(("python", "expected"), [(None, "3.12"), ("3.13", "3.13")])
def test_a_stable_abi_cell_is_tested_with_its_floor_or_what_is_asked_for(
    hosts: Mapping[str, HostFacts], python: str | None, expected: str
) -> None:
    """One cell, any of its interpreters; another interpreter makes the test stale."""
    project = replace(PROJECT, stable_abi=(3, 12))
    settings = replace(SETTINGS, targets=("manylinux_x86_64",), pythons=("abi3-py312",))
    wanted = request(hosts["linux_x86_64"], goal="test", project=project, settings=settings)
    (test,) = (
        job for job in make_plan(replace(wanted, test_python=python)).jobs if job.test is not None
    )
    assert test.test is not None
    assert test.test.interpreter_spec == expected
    assert test.inputs["interpreter"].startswith(f"{expected}.")
