"""The jobs that cibuildwheel carries out, and what it is told."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from container_samples import some_containers
from golden import check_golden
from plan_requests import PROJECT, SETTINGS, request

from wheelworks.cibuildwheel_facts import CibuildwheelFacts
from wheelworks.config.settings import CellSettings, Override, Settings
from wheelworks.containers.facts import ContainerFacts, ImageFacts
from wheelworks.dataclass_json import to_plain
from wheelworks.planner import job_tools, make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.plan import Job, Plan
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts

ADOPTER = replace(
    PROJECT,
    has_cibuildwheel=True,
    cibuildwheel=CibuildwheelFacts(
        create_args=("--memory", "2 g"), environment_pass=("BUILD_NUMBER",)
    ),
)
LINUX = replace(SETTINGS, targets=("manylinux_x86_64",), pythons=("3.13",))
BY_NAME = replace(LINUX, cell=CellSettings(toolchain="cibuildwheel"))


def some_images(*, image_id: str | None = "sha256:1") -> tuple[ImageFacts, ...]:
    """The local images of both platforms."""
    return tuple(
        ImageFacts(
            role="cibuildwheel",
            platform=f"linux/{arch}",
            reference=f"wheelworks/cibuildwheel:0123456789ab-{arch}",
            image_id=image_id,
            pythons=(("3.13", "/usr/bin/python3.13"), ("3.14", "/usr/bin/python3.14")),
            size_mib=2800,
            minutes=11,
        )
        for arch in ("amd64", "arm64")
    )


def a_plan(
    hosts: Mapping[str, HostFacts],
    settings: Settings = LINUX,
    project: Project = ADOPTER,
    containers: ContainerFacts | None = None,
) -> Plan:
    """The plan on a Linux machine with the local images."""
    facts = containers or some_containers(images=some_images())
    host = replace(hosts["linux_x86_64"], containers=facts)
    return make_plan(request(host, project=project, settings=settings))


def the_job(plan: Plan) -> Job:
    """Its only build."""
    (job,) = (job for job in plan.jobs if job.kind == "build")
    return job


def create_args(job: Job) -> list[str]:
    """The arguments for the engine's ``create``, as cibuildwheel splits them."""
    engine = job.steps[0].env["CIBW_CONTAINER_ENGINE"]
    return shlex.split(engine.split(";")[1].partition(":")[2])


def test_the_plan_of_a_project_with_the_table_is_as_recorded(
    hosts: Mapping[str, HostFacts],
) -> None:
    """Its Linux cells go through cibuildwheel, the others and what it can't serve here do not."""
    asked = Override(
        select=("cp313-manylinux_aarch64",),
        values={
            "toolchain": "cibuildwheel",
            "environment": {"RUSTFLAGS": "-C opt-level=2", "CIBW_TEST_SKIP": "*"},
            "environment-pass": ("API_HOST", "CORP_*"),
        },
    )
    settings = replace(
        SETTINGS,
        targets=("manylinux_x86_64", "manylinux_aarch64"),
        pythons=("3.12", "3.13"),
        overrides=(asked,),
    )
    containers = some_containers(images=some_images(image_id=None))
    plan = a_plan(hosts, settings, containers=containers)
    check_golden("plans/linux_cibuildwheel-build.json", json.dumps(to_plain(plan), indent=1) + "\n")
    served = {cell: job.toolchain for job in plan.jobs for cell in job.cells}
    assert served == {
        "cp312-manylinux_x86_64": "host",
        "cp313-manylinux_x86_64": "cibuildwheel",
        "cp313-manylinux_aarch64": "cibuildwheel",
    }
    assert [(image.role, image.platform, image.needed_by) for image in plan.images] == [
        ("cibuildwheel", "linux/amd64", ("build cp313-manylinux_x86_64",)),
        ("cibuildwheel", "linux/arm64", ("build cp313-manylinux_aarch64",)),
    ]


def test_a_call_builds_one_wheel_in_the_snapshot(hosts: Mapping[str, HostFacts]) -> None:
    """All of its working folder is copied into its container."""
    job = the_job(a_plan(hosts))
    (step,) = job.steps
    assert step.argv[1:] == (
        "--only",
        "cp313-manylinux_x86_64",
        "--output-dir",
        "{staging}",
        f"/project/.wheelworks/source/{job.build_key}",
    )
    assert step.cwd == f"/project/.wheelworks/source/{job.build_key}"
    assert step.makes_containers_with == "/usr/bin/docker"
    assert step.path_prepend == ("/usr/bin",)
    assert job_tools(job, hosts["linux_x86_64"]) == {"cibuildwheel"}


def test_its_container_is_found_by_label_and_id(hosts: Mapping[str, HostFacts]) -> None:
    """So that it is removed when cibuildwheel is killed; the project's own arguments stay."""
    args = create_args(the_job(a_plan(hosts)))
    assert args[:4] == ["--memory", "2 g", "--network", "host"]
    labels = [args[at + 1] for at, word in enumerate(args) if word == "--label"]
    assert labels[0].startswith("dev.wheelworks.project=")
    assert labels[1] == "dev.wheelworks.run={run}"
    assert args[args.index("--cidfile") + 1] == "{cidfile}"


def test_the_network_is_the_projects_own_where_it_names_one(hosts: Mapping[str, HostFacts]) -> None:
    """The engine would refuse two."""
    project = replace(ADOPTER, cibuildwheel=CibuildwheelFacts(create_args=("--network=mine",)))
    args = create_args(the_job(a_plan(hosts, project=project)))
    assert "--network" not in args


def test_the_hosts_folders_are_mounted_only_for_projects_that_may_use_them(
    hosts: Mapping[str, HostFacts],
) -> None:
    """Cibuildwheel's default mounts all of them, writable."""
    closed = "; disable_host_mount: yes"
    with_table = the_job(a_plan(hosts)).steps[0].env["CIBW_CONTAINER_ENGINE"]
    without = the_job(a_plan(hosts, BY_NAME, PROJECT)).steps[0].env["CIBW_CONTAINER_ENGINE"]
    refusing = replace(ADOPTER, cibuildwheel=CibuildwheelFacts(disables_host_mount=True))
    said = the_job(a_plan(hosts, project=refusing)).steps[0].env["CIBW_CONTAINER_ENGINE"]
    assert [text.endswith(closed) for text in (with_table, without, said)] == [False, True, True]


def test_the_options_of_the_cell_reach_maturin(hosts: Mapping[str, HostFacts]) -> None:
    """Through the build backend's variable, together with what the local image needs."""
    cell = CellSettings(
        features=("fast",),
        no_default_features=True,
        profile="dist",
        compatibility="manylinux_2_28",
        maturin_args=("--strip",),
        environment={"NAME": "it's $x"},
    )
    project = replace(ADOPTER, maturin_features=("python",))
    env = the_job(a_plan(hosts, replace(LINUX, cell=cell), project)).steps[0].env
    defaults = dict(word.split("=", 1) for word in shlex.split(env["CIBW_ENVIRONMENT"]))
    assert defaults == {
        "MATURIN_PEP517_ARGS": "--locked --zig --compatibility manylinux_2_28 --profile dist "
        "--features python,fast --no-default-features --strip",
        "CARGO_ZIGBUILD_PYTHON_PATH": "/opt/wheelworks/bin/python",
        "AUDITWHEEL_PLAT": "manylinux_2_28_x86_64",
        "MATURIN_NO_INSTALL_RUST": "1",
    }
    assert shlex.split(env["CIBW_ENVIRONMENT_LINUX"]) == ["NAME=it's $x"]
    assert env["CIBW_INHERIT"].startswith("environment: prepend; environment-linux: append")


def test_in_its_own_image_cibuildwheel_is_left_alone(hosts: Mapping[str, HostFacts]) -> None:
    """Neither zig nor a platform: those images have the right libc."""
    containers = some_containers(images=(), registries=("quay.io",))
    job = the_job(a_plan(hosts, containers=containers))
    env = job.steps[0].env
    assert env["CIBW_MANYLINUX_X86_64_IMAGE"] == "manylinux2014"
    assert env["CIBW_ENVIRONMENT"] == "MATURIN_PEP517_ARGS=--locked"
    assert job.images == ()


def test_the_wheel_depends_on_tool_image_and_options(hosts: Mapping[str, HostFacts]) -> None:
    """And not on this run, this machine's certificates or its number of processors."""
    inputs = the_job(a_plan(hosts)).inputs
    assert "image wheelworks/cibuildwheel:0123456789ab-amd64" in inputs
    assert inputs["cibuildwheel"].endswith("4.3.3")
    assert inputs["arguments"] == "--only cp313-manylinux_x86_64"
    assert "env CIBW_ENVIRONMENT" in inputs
    assert "passed env BUILD_NUMBER" in inputs
    assert not [name for name in inputs if "ENGINE" in name or "DOCKER" in name]
    certified = some_containers(images=some_images(), ca_bundle="/elsewhere.pem")
    assert the_job(a_plan(hosts, containers=certified)).inputs == inputs


def test_emulated_builds_have_more_time(hosts: Mapping[str, HostFacts]) -> None:
    """And are marked."""
    settings = replace(BY_NAME, targets=("manylinux_aarch64",))
    job = the_job(a_plan(hosts, settings))
    assert (job.is_emulated, job.timeout_seconds) == (True, 36000.0)
    native = the_job(a_plan(hosts))
    assert (native.is_emulated, native.timeout_seconds) == (False, 3600.0)


def test_the_cells_of_a_stable_abi_share_one_call(hosts: Mapping[str, HostFacts]) -> None:
    """By an interpreter that the image has, though the first cell's is not there."""
    settings = replace(LINUX, pythons=("3.12", "3.13", "3.14"))
    job = the_job(a_plan(hosts, settings, replace(ADOPTER, stable_abi=(3, 10))))
    assert job.cells == tuple(f"cp3{minor}-manylinux_x86_64" for minor in (12, 13, 14))
    assert job.steps[0].argv[2] == "cp313-manylinux_x86_64"
    assert job_tools(job, hosts["linux_x86_64"]) == {"cibuildwheel", "abi3audit"}


def test_native_cells_run_without_containers(hosts: Mapping[str, HostFacts]) -> None:
    """On a Mac, by request, with the Rust of the machine."""
    settings = replace(BY_NAME, targets=("macosx_arm64",))
    plan = make_plan(request(hosts["macos_arm64"], project=PROJECT, settings=settings))
    job = the_job(plan)
    (step,) = job.steps
    assert (step.makes_containers_with, job.images) == (None, ())
    assert "CIBW_CONTAINER_ENGINE" not in step.env
    assert step.env["CIBW_AUDIT_COMMAND"] == ""
    assert "environment-macos: append" in step.env["CIBW_INHERIT"]
    assert "rustc" in job.inputs
