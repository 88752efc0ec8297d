"""Builds in containers: what each step sees, may write and reach; and what makes them stale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from container_samples import (
    a_native_image,
    a_toolchain_image,
    an_engine,
    build_containers,
    unbuilt,
)
from plan_requests import PROJECT, ROOT, SETTINGS, request

from wheelworks.config.settings import CellSettings
from wheelworks.containers import paths
from wheelworks.planner import make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.settings import Settings
    from wheelworks.plan import Job, Plan, Step
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts


def plan_for(
    host: HostFacts,
    target: str = "manylinux_aarch64",
    *,
    project: Project = PROJECT,
    settings: Settings = SETTINGS,
    **cell: object,
) -> Plan:
    """The plan of CPython 3.13 on a target."""
    changed = replace(settings.cell, **{"toolchain": "container", **cell})  # type: ignore[arg-type]
    wanted = replace(settings, pythons=("3.13",), targets=(target,), cell=changed)
    return make_plan(request(host, project=project, settings=wanted))


def build_of(plan: Plan) -> Job:
    """Its one build that compiles."""
    (job,) = (job for job in plan.jobs if job.kind == "build" and job.steps)
    return job


def step_of(job: Job, name: str) -> Step:
    """The step of that name."""
    return next(step for step in job.steps if step.name == name)


def writable(step: Step) -> set[str]:
    """The places that a step may write."""
    assert step.container is not None
    return {mount.target for mount in step.container.mounts if not mount.is_read_only}


@pytest.fixture
def linux(hosts: Mapping[str, HostFacts]) -> HostFacts:
    """A Linux of amd64 with an engine and built images."""
    return replace(hosts["linux_x86_64"], containers=build_containers())


def test_crates_are_fetched_before_the_network_is_off(linux: HostFacts) -> None:
    """For the target's triple and the image's own, as the lock file says; then cargo is told to stay offline."""
    job = build_of(plan_for(linux))
    assert [step.name for step in job.steps] == ["fetch", "compile"]
    fetch, compile_ = job.steps
    assert fetch.container is not None
    assert compile_.container is not None
    assert (fetch.container.network, compile_.container.network) == ("host", "none")
    assert "--locked" in fetch.argv
    assert "aarch64-unknown-linux-gnu" in fetch.argv
    assert "x86_64-unknown-linux-gnu" in fetch.argv
    assert compile_.env["CARGO_NET_OFFLINE"] == "true"
    assert "CARGO_NET_OFFLINE" not in fetch.env


def test_a_compiler_writes_neither_sources_nor_crates(linux: HostFacts) -> None:
    """Only its target folder, the staging folder and caches."""
    job = build_of(plan_for(linux))
    kept = {paths.SOURCE, paths.CARGO_HOME}
    assert not writable(step_of(job, "compile")) & kept
    assert {paths.TARGET, paths.OUTPUT, paths.HOME} <= writable(step_of(job, "compile"))
    assert kept <= writable(step_of(job, "fetch"))


def test_a_project_without_lock_file_gets_one_first(linux: HostFacts) -> None:
    """With the network, into the snapshot."""
    job = build_of(plan_for(linux, project=replace(PROJECT, has_lock_file=False)))
    assert [step.name for step in job.steps] == ["lock", "fetch", "compile"]
    assert paths.SOURCE in writable(job.steps[0])
    assert job.steps[0].container is not None
    assert job.steps[0].container.network == "host"


def test_nothing_inside_names_a_place_of_the_machine(linux: HostFacts) -> None:
    """Arguments, environment and folders are the container's; only the sources of mounts are the host's."""
    project = replace(PROJECT, root=ROOT / "py", manifest_path=ROOT / "py" / "rust" / "Cargo.toml")
    job = build_of(plan_for(linux, project=project))
    for step in job.steps:
        inside = " ".join((*step.argv, *step.env.values(), step.cwd))
        assert "/project" not in inside
        assert "/tools" not in inside
        assert "/home/dev" not in inside
        assert step.cwd == f"{paths.SOURCE}/py"
    argv = step_of(job, "compile").argv
    assert argv[argv.index("--manifest-path") + 1] == f"{paths.SOURCE}/py/rust/Cargo.toml"


def test_the_caller_owns_what_is_written(linux: HostFacts) -> None:
    """Its uid has no entry in the image, so HOME and the caches are said."""
    for step in build_of(plan_for(linux)).steps:
        assert step.container is not None
        assert step.container.user == "1000:1000"
        assert step.env["HOME"] == paths.HOME
        assert step.env["CARGO_HOME"] == paths.CARGO_HOME
    rootless = replace(
        linux,
        containers=build_containers(engine=an_engine(name="podman", user=None, keeps_id=True)),
    )
    for step in build_of(plan_for(rootless)).steps:
        assert step.container is not None
        assert (step.container.user, step.container.keeps_id) == (None, True)


def test_proxies_and_certificates_go_where_the_network_is(linux: HostFacts) -> None:
    """Proxies may hold passwords: they are passed on, never set; a compiler gets none."""
    job = build_of(plan_for(linux, environment_pass=("PRIVATE_TOKEN",)))
    fetch, compile_ = job.steps
    assert {"HTTPS_PROXY", "NO_PROXY", "PRIVATE_TOKEN"} <= set(fetch.env_pass)
    assert compile_.env_pass == ("PRIVATE_TOKEN",)
    assert fetch.env["CARGO_HTTP_CAINFO"] == paths.CA_BUNDLE
    assert "CARGO_HTTP_CAINFO" not in compile_.env


def test_configurations_of_cargo_outside_the_snapshot_stay_in_force(linux: HostFacts) -> None:
    """The user's own and one above the project; those within are in the snapshot."""
    assert linux.containers is not None
    host = replace(
        linux, containers=replace(linux.containers, cargo_config="/home/dev/.cargo/config.toml")
    )
    project = replace(
        PROJECT,
        cargo_config_files=(ROOT / ".cargo" / "config.toml", Path("/.cargo/config.toml")),
    )
    for step in build_of(plan_for(host, project=project)).steps:
        assert step.container is not None
        mounted = {mount.source: mount for mount in step.container.mounts}
        for source in ("/home/dev/.cargo/config.toml", "/.cargo/config.toml"):
            assert mounted[source].is_read_only
            assert mounted[source].target.endswith("/.cargo/config.toml")
        assert str(ROOT / ".cargo" / "config.toml") not in mounted
        # Wrappers that such a file names are programs of the host.
        assert step.env["RUSTC_WRAPPER"] == ""


def test_the_sdk_of_the_user_is_mounted(linux: HostFacts) -> None:
    """At one place for all machines, read-only."""
    host = replace(linux, macos_sdk="/home/dev/MacOSX.sdk")
    step = step_of(build_of(plan_for(host, "macosx_arm64")), "compile")
    assert step.container is not None
    (mount,) = (mount for mount in step.container.mounts if mount.target == paths.SDK)
    assert (mount.source, mount.is_read_only) == ("/home/dev/MacOSX.sdk", True)
    assert step.env["SDKROOT"] == paths.SDK


def test_mingw_of_the_image_links_for_windows(linux: HostFacts) -> None:
    """By its name on the image's PATH, whatever this machine has."""
    env = step_of(build_of(plan_for(linux, "win_amd64")), "compile").env
    assert env["CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER"] == "x86_64-w64-mingw32-gcc"


def test_the_image_is_an_input_and_the_hosts_tools_are_none(linux: HostFacts) -> None:
    """Its id is filled in late, because the run may have to build it."""
    plan = plan_for(linux)
    job = build_of(plan)
    reference = a_toolchain_image().reference
    assert job.images == (reference,)
    assert job.inputs[f"image {reference}"] == ""
    assert not {"rustc", "cargo", "maturin", "ziglang"} & set(job.inputs)
    assert {tool.name for tool in plan.tools} == {"maturin"}, "for the sdist alone"


def test_inputs_do_not_name_a_folder(linux: HostFacts) -> None:
    """The same project elsewhere is as fresh as here."""
    moved = replace(
        linux,
        containers=build_containers(cargo_home="/elsewhere", zig_cache="/zig", ca_bundle=None),
    )
    assert build_of(plan_for(linux)).inputs == build_of(plan_for(moved)).inputs


def test_building_the_image_changes_no_key(linux: HostFacts) -> None:
    """Else the run after the one that built it would find neither target folder nor slices."""
    before = replace(linux, containers=build_containers(unbuilt(a_toolchain_image())))
    first, second = build_of(plan_for(before)), build_of(plan_for(linux))
    assert first.build_key == second.build_key
    assert first.inputs == second.inputs


def test_host_container_and_emulation_share_no_folder(linux: HostFacts) -> None:
    """Build scripts of one do not run on the other."""
    keys = {
        build_of(plan_for(linux, "manylinux_x86_64", toolchain="host")).build_key,
        build_of(plan_for(linux, "manylinux_x86_64")).build_key,
        build_of(plan_for(linux)).build_key,
        build_of(plan_for(linux, toolchain="emulated")).build_key,
    }
    assert len(keys) == 4


def test_emulated_builds_are_marked_and_have_more_time(linux: HostFacts) -> None:
    """In the image of the target's platform, linked by zig all the same."""
    quick, slow = build_of(plan_for(linux)), build_of(plan_for(linux, toolchain="emulated"))
    assert (quick.is_emulated, slow.is_emulated) == (False, True)
    assert slow.timeout_seconds == 10 * quick.timeout_seconds
    step = step_of(slow, "compile")
    assert step.timeout_seconds == slow.timeout_seconds
    assert step.container is not None
    assert step.container.platform == "linux/arm64"
    assert step.container.image == a_native_image().reference
    assert "--zig" in step.argv


def test_images_to_build_are_named_once_with_all_that_wait(linux: HostFacts) -> None:
    """Those that are there, or that nothing needs, are not."""
    host = replace(linux, containers=build_containers(unbuilt(a_toolchain_image())))
    settings = replace(
        SETTINGS,
        targets=("manylinux_x86_64", "win_amd64"),
        pythons=("3.13",),
        cell=CellSettings(),
    )
    plan = make_plan(request(host, settings=settings))
    (image,) = plan.images
    assert image.needed_by == ("build cp313-manylinux_x86_64", "build cp313-win_amd64")
    assert (image.role, image.size_mib, image.minutes) == ("toolchain", 2600, 9)
    assert make_plan(request(linux, settings=settings)).images == ()


def test_zig_of_an_image_of_ones_own_is_on_its_path(linux: HostFacts) -> None:
    """Our place of it is not claimed to be there, unless the configuration says where it is."""
    own = a_toolchain_image(reference="own:1")
    host = replace(linux, containers=build_containers(own))
    variable = "CARGO_ZIGBUILD_PYTHON_PATH"
    assert variable in step_of(build_of(plan_for(linux)), "compile").env
    assert variable not in step_of(build_of(plan_for(host)), "compile").env
    told = plan_for(host, environment={variable: "/opt/py/bin/python"})
    assert step_of(build_of(told), "compile").env[variable] == "/opt/py/bin/python"
