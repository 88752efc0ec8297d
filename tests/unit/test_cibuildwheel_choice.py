"""When cibuildwheel builds a cell, in which image, and what is said when it can't."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import a_cell, a_project, some_settings
from container_samples import an_engine, some_containers

from wheelworks.cibuildwheel_choice import (
    choose_cibuildwheel,
    identifier_python,
    own_image,
    wants_cibuildwheel,
)
from wheelworks.cibuildwheel_facts import CibuildwheelFacts
from wheelworks.containers.facts import ContainerFacts, ImageFacts
from wheelworks.interpreters import parse_interpreter
from wheelworks.rust_choice import Obstacle
from wheelworks.toolchain_order import choose_toolchain
from wheelworks.toolchain_settlement import needs_containers, settle_toolchains

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts, ToolchainChoice

ABSENT = "cibuildwheel's own images lie at quay.io, which does not answer"


def an_image(platform: str = "linux/amd64", **changes: object) -> ImageFacts:
    """The local image, there, with CPython 3.13 and 3.14."""
    usual = ImageFacts(
        role="cibuildwheel",
        platform=platform,
        reference=f"wheelworks/cibuildwheel:0123456789ab-{platform.rpartition('/')[2]}",
        image_id="sha256:1",
        pythons=(("3.13", "/usr/bin/python3.13"), ("3.14", "/usr/bin/python3.14")),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def containers(*images: ImageFacts, **changes: object) -> ContainerFacts:
    """An engine with those images."""
    return some_containers(images=images or (an_image(), an_image("linux/arm64")), **changes)


def a_host(hosts: Mapping[str, HostFacts], facts: ContainerFacts | None = None) -> HostFacts:
    """A Linux machine with that engine."""
    return replace(hosts["linux_x86_64"], containers=facts or containers())


def adopter(**facts: object) -> Project:
    """A project with ``[tool.cibuildwheel]``."""
    return a_project(
        has_cibuildwheel=True,
        cibuildwheel=CibuildwheelFacts(**facts),  # type: ignore[arg-type]
    )


def chosen(
    host: HostFacts, cell: Cell | None = None, project: Project | None = None, **settings: object
) -> ToolchainChoice:
    """The only choice, of CPython 3.13 on manylinux_x86_64 where no cell is given."""
    outcome = choose_cibuildwheel(
        cell or a_cell("3.13", "manylinux_x86_64", toolchain="cibuildwheel"),
        project or a_project(),
        some_settings(**settings),
        host,
    )
    assert not isinstance(outcome, Obstacle), outcome
    (choice,) = outcome
    return choice


def refused(
    host: HostFacts, cell: Cell | None = None, project: Project | None = None, **settings: object
) -> Obstacle:
    """What stands in the way."""
    outcome = choose_cibuildwheel(
        cell or a_cell("3.13", "manylinux_x86_64", toolchain="cibuildwheel"),
        project or a_project(),
        some_settings(**settings),
        host,
    )
    assert isinstance(outcome, Obstacle)
    return outcome


def test_the_local_image_serves_where_no_registry_answers(hosts: Mapping[str, HostFacts]) -> None:
    """It links by zig, because its own glibc is newer than any policy allows."""
    choice = chosen(a_host(hosts))
    assert (choice.toolchain, choice.linker) == ("cibuildwheel", "zig")
    assert choice.image == an_image()
    assert choice.reasons == (
        "cibuildwheel in wheelworks/cibuildwheel:0123456789ab-amd64, because quay.io does not answer",
        "which Rust the image wheelworks/cibuildwheel:0123456789ab-amd64 holds shows once it is built",
        "zig links with the glibc that manylinux2014 asks for",
    )


def test_an_image_that_is_not_there_is_built_first(hosts: Mapping[str, HostFacts]) -> None:
    """Unless that is forbidden, or impossible."""
    unbuilt = an_image(image_id=None, minutes=11)
    host = a_host(hosts, containers(unbuilt))
    assert "built first, about 11 minutes" in chosen(host).reasons
    assert 'provision = "never" forbids building it' in refused(host, provision="never").reason
    impossible = replace(unbuilt, cannot_provide_reason="the disk is full", cure="free some")
    found = refused(a_host(hosts, containers(impossible)))
    assert found == Obstacle(
        reason=f"{ABSENT}, and the local image can't be built: the disk is full", cure="free some"
    )


def test_own_images_are_taken_where_their_registry_answers(hosts: Mapping[str, HostFacts]) -> None:
    """Then everything of the project's own configuration has its meaning."""
    host = a_host(hosts, containers(registries=("quay.io",)))
    project = adopter(commands=(("before-all", "yum install -y openssl"),))
    choice = chosen(host, a_cell("3.12", "musllinux_x86_64"), project)
    assert (choice.image, choice.linker) == (None, "system")
    assert choice.reasons == ("cibuildwheel in its own image musllinux_1_2",)


@pytest.mark.parametrize(
    ("configured", "image"),
    [
        ("registry.example/mine:1", "registry.example/mine:1"),
        ("mine:1", "mine:1"),
        ("manylinux_2_28", "manylinux2014"),
        (None, "manylinux2014"),
    ],
)
def test_the_image_is_that_of_the_policy_unless_named_in_full(
    configured: str | None, image: str
) -> None:
    """The policy decides what the wheel is held to; a name like manylinux_2_28 is one, too."""
    images = (("manylinux-x86_64-image", configured),) if configured else ()
    assert own_image(a_cell("3.13", "manylinux_x86_64"), adopter(images=images)) == image


@pytest.mark.parametrize(
    ("python", "target", "facts", "reason"),
    [
        ("3.13", "musllinux_x86_64", containers(), f"{ABSENT}, and the local image has no musl"),
        (
            "3.12",
            "manylinux_x86_64",
            containers(),
            f"{ABSENT}, and the local image has Python 3.13 and 3.14 only",
        ),
        (
            "3.13",
            "manylinux_aarch64",
            containers(an_image()),
            f"{ABSENT}, and there is no local image for linux/arm64",
        ),
        (
            "3.13",
            "manylinux_aarch64",
            containers(emulated=(), emulation_problems=(("linux/arm64", "no QEMU"),)),
            "containers of linux/arm64 do not run here: no QEMU",
        ),
        ("3.8", "manylinux_x86_64", containers(), "cibuildwheel builds for CPython 3.9 and later"),
        (
            "3.13",
            "win_amd64",
            containers(),
            "cibuildwheel builds win_amd64 wheels on Windows only",
        ),
    ],
)
def test_what_is_missing_is_said(
    hosts: Mapping[str, HostFacts],
    python: str,
    target: str,
    facts: ContainerFacts,
    reason: str,
) -> None:
    """Each with the first thing in the way."""
    cell = a_cell(python, target, toolchain="cibuildwheel")
    assert refused(a_host(hosts, facts), cell).reason == reason


def test_without_an_engine_the_probe_says_why(hosts: Mapping[str, HostFacts]) -> None:
    """Its reason and its cure."""
    missing = Obstacle(reason="docker does not answer", cure="start it")
    assert refused(replace(hosts["linux_x86_64"], containers_missing=missing)) == missing


@pytest.mark.parametrize(
    ("command", "is_refused"),
    [
        ("yum install -y openssl-devel", True),
        ("(dnf install x) || true", True),
        ("yum install -y x || apt-get install -y x", False),
        ("sh /yum install", False),
        ("curl -sSf https://sh.rustup.rs | sh -s -- -y", False),
    ],
)
def test_commands_for_another_distribution_keep_the_local_image_out(
    hosts: Mapping[str, HostFacts], command: str, is_refused: bool
) -> None:
    """They would fail there; what also knows apt may run."""
    outcome = choose_cibuildwheel(
        a_cell("3.13", "manylinux_x86_64"),
        adopter(commands=(("before-all", command),)),
        some_settings(),
        a_host(hosts),
    )
    assert isinstance(outcome, Obstacle) is is_refused


def test_arguments_for_maturin_must_keep_zig(hosts: Mapping[str, HostFacts]) -> None:
    """They replace ours, and without zig auditwheel would refuse the wheel at the very end."""
    assert (
        "without --zig" in refused(a_host(hosts), project=adopter(maturin_args="--locked")).reason
    )
    assert chosen(a_host(hosts), project=adopter(maturin_args="--zig --locked")).linker == "zig"


def test_the_rust_of_the_image_must_suit_the_project(hosts: Mapping[str, HostFacts]) -> None:
    """Unless a command of the project installs its own."""
    rust = hosts["linux_x86_64"].rust
    assert rust is not None
    host = a_host(hosts, containers(an_image(rust=rust)))
    assert chosen(host).rust_version == "1.95.0"
    needy = replace(adopter(), rust_version="1.99")
    assert "rustc 1.95.0 is older than 1.99" in refused(host, project=needy).reason
    bringing = replace(
        adopter(commands=(("before-all", "curl https://sh.rustup.rs | sh"),)), rust_version="1.99"
    )
    choice = chosen(host, project=bringing)
    assert choice.rust_version is None
    assert "Rust as the project's own commands install it" in choice.reasons


def test_emulation_is_only_on_request(hosts: Mapping[str, HostFacts]) -> None:
    """Cross-compiling is many times faster, so that nobody gets it unasked."""
    asked = a_cell("3.13", "manylinux_aarch64", toolchain="cibuildwheel")
    choice = chosen(a_host(hosts), asked)
    assert choice.image == an_image("linux/arm64")
    assert choice.reasons[-1] == "under QEMU, because this machine is linux/amd64"
    unasked = refused(a_host(hosts), a_cell("3.13", "manylinux_aarch64"), adopter())
    assert unasked.reason.startswith("cibuildwheel would compile under QEMU")
    arm = containers(engine=an_engine(platform="linux/arm64"))
    assert chosen(a_host(hosts, arm), a_cell("3.13", "manylinux_aarch64"), adopter())


def test_native_cells_use_the_rust_of_the_machine(hosts: Mapping[str, HostFacts]) -> None:
    """And say what stands in its way."""
    cell = a_cell("3.13", "macosx_arm64", toolchain="cibuildwheel")
    choice = chosen(hosts["macos_arm64"], cell)
    assert (choice.toolchain, choice.linker, choice.image) == ("cibuildwheel", "system", None)
    assert choice.reasons[0] == "cibuildwheel on this macOS machine"
    bare = replace(hosts["macos_arm64"], rust=None, rust_missing_reason="no cargo on PATH")
    assert refused(bare, cell).reason == "no cargo on PATH"


@pytest.mark.parametrize(
    ("spec", "built_for", "available", "expected"),
    [
        ("3.13", "3.13", ("3.13", "3.14"), "3.13"),
        ("3.12", "3.12", ("3.13", "3.14"), None),
        ("3.12", "abi3-py310", ("3.13", "3.14"), "3.13"),
        ("3.12", "abi3-py310", ("3.9", "3.14t"), None),
        ("3.12", "abi3-py310", None, "3.12"),
        ("abi3-py38", "abi3-py38", None, "3.9"),
        ("abi3-py310", "abi3-py310", ("3.14",), "3.14"),
        ("pp311", "pp311", None, "pp311"),
        ("3.8", "3.8", None, None),
    ],
)
def test_a_stable_abi_wheel_may_be_built_by_any_later_interpreter(
    spec: str, built_for: str, available: tuple[str, ...] | None, expected: str | None
) -> None:
    """By the cell's own where the image has it."""
    cell = replace(a_cell(spec, "manylinux_x86_64"), built_for=parse_interpreter(built_for))
    found = identifier_python(cell, a_project(), available)
    assert (found.spec if found else None) == expected


def test_a_program_may_be_built_by_any_interpreter() -> None:
    """Its wheel holds no extension; the lowest is taken, so that all its cells share one build."""
    cells = [a_cell(python, "manylinux_x86_64") for python in ("3.8", "3.12")]
    program = a_project(bindings="bin")
    found = [identifier_python(cell, program, ("3.13", "3.14")) for cell in cells]
    assert [spec.spec if spec else None for spec in found] == ["3.13", "3.13"]


def test_a_project_with_the_table_goes_through_it_first(hosts: Mapping[str, HostFacts]) -> None:
    """And falls back to the others, with the reason; nobody else is sent there unasked."""
    host = a_host(hosts)
    cell = a_cell("3.13", "manylinux_x86_64")
    choices, refusals = choose_toolchain(cell, adopter(), some_settings(), host)
    assert ([choice.toolchain for choice in choices], refusals) == (["cibuildwheel"], ())
    older = a_cell("3.12", "manylinux_x86_64")
    choices, (refusal,) = choose_toolchain(older, adopter(), some_settings(), host)
    assert ([choice.toolchain for choice in choices], refusal.toolchain) == (
        ["host"],
        "cibuildwheel",
    )
    choices, _ = choose_toolchain(cell, a_project(), some_settings(), host)
    assert [choice.toolchain for choice in choices] == ["host"]
    assert not wants_cibuildwheel(a_cell("3.13", "macosx_arm64"), adopter())


def test_one_rustc_counts_the_local_image_too(hosts: Mapping[str, HostFacts]) -> None:
    """A cell that falls back goes to the container rather than to another Rust on the host."""
    rust = hosts["linux_x86_64"].rust
    assert rust is not None
    newer = replace(rust, rustc=replace(rust.rustc, version="1.97.1"))
    toolchain = replace(an_image(rust=newer), role="toolchain", reference="wheelworks/toolchain:1")
    host = a_host(hosts, containers(an_image(rust=newer), toolchain))
    cells = (a_cell("3.12", "manylinux_x86_64"), a_cell("3.13", "manylinux_x86_64"))
    settled = settle_toolchains(cells, adopter(), some_settings(), host)
    assert [settled[cell.id].choices[0].toolchain for cell in cells] == [
        "container",
        "cibuildwheel",
    ]


def test_the_engine_is_asked_for_projects_with_the_table(hosts: Mapping[str, HostFacts]) -> None:
    """Others have no need of it as long as the host builds everything."""
    cells = (a_cell("3.13", "manylinux_x86_64"),)
    host = hosts["linux_x86_64"]
    assert needs_containers(cells, adopter(), some_settings(), host)
    assert not needs_containers(cells, a_project(), some_settings(), host)
