"""Whether a container serves a cell, and what stands in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import a_cell, a_project, some_settings
from container_samples import (
    a_native_image,
    a_rust,
    a_toolchain_image,
    build_containers,
    unbuilt,
)

from wheelworks.container_choice import choose_emulated, choose_in_container, inside
from wheelworks.containers import paths
from wheelworks.rust_choice import Obstacle
from wheelworks.targets import all_targets
from wheelworks.toolchain_order import choose_toolchain, joined_reason
from wheelworks.toolchains import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.containers.facts import ImageFacts
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts, ToolchainChoice

SERVED = (
    "manylinux_x86_64:zig manylinux_aarch64:zig musllinux_x86_64:zig musllinux_aarch64:zig "
    "macosx_x86_64:zig macosx_arm64:zig macosx_universal2:zig,zig win_amd64:mingw"
)


@pytest.fixture
def linux(hosts: Mapping[str, HostFacts]) -> HostFacts:
    """A Linux of amd64 with an engine and built images."""
    return with_images(hosts["linux_x86_64"])


def with_images(host: HostFacts, *images: ImageFacts) -> HostFacts:
    """The machine with those images, or the usual two."""
    return replace(host, containers=build_containers(*images))


def chosen(
    host: HostFacts, target: str, project: Project | None = None, **settings: object
) -> tuple[ToolchainChoice, ...] | Obstacle:
    """What the container does for CPython 3.13 on a target."""
    cell = a_cell("3.13", target)
    return choose_in_container(cell, project or a_project(), some_settings(**settings), host)


def hindered(
    host: HostFacts, target: str, project: Project | None = None, **settings: object
) -> Obstacle:
    """What stands in the way, which there must be."""
    outcome = chosen(host, target, project, **settings)
    assert isinstance(outcome, Obstacle)
    return outcome


@pytest.mark.parametrize("is_built", [True, False])
def test_the_toolchain_image_serves_what_its_recipe_makes(linux: HostFacts, is_built: bool) -> None:
    """The same targets before and after it is built; all others are refused with a reason."""
    if not is_built:
        linux = with_images(linux, unbuilt(a_toolchain_image()))
    outcomes = {target.name: chosen(linux, target.name) for target in all_targets()}
    built = [
        f"{name}:{','.join(choice.linker for choice in outcome)}"
        for name, outcome in outcomes.items()
        if not isinstance(outcome, Obstacle)
    ]
    assert " ".join(built) == SERVED
    assert all(outcome.reason for outcome in outcomes.values() if isinstance(outcome, Obstacle))


def test_a_choice_names_its_image_and_its_rust(linux: HostFacts) -> None:
    """What is known of the image goes into the reasons, and what rustup would do does not."""
    (choice,) = tuple_of(chosen(linux, "manylinux_aarch64"))
    assert (choice.toolchain, choice.triple) == ("container", "aarch64-unknown-linux-gnu")
    assert choice.image == a_toolchain_image()
    assert choice.rust_version == "1.97.1"
    assert (choice.rustup_target_to_add, choice.rustup_toolchain) == (None, None)
    assert choice.reasons == (
        "in the image wheelworks/toolchain:0123456789ab-amd64",
        "rustc 1.97.1: the project asks for no Rust version",
        "zig links with glibc 2.17, as manylinux2014 asks",
    )


def tuple_of(outcome: tuple[ToolchainChoice, ...] | Obstacle) -> tuple[ToolchainChoice, ...]:
    """The choices, which there must be."""
    assert not isinstance(outcome, Obstacle), outcome
    return outcome


def test_an_image_that_is_not_built_says_so(linux: HostFacts) -> None:
    """How large it is and how long it takes; its Rust is not claimed to be known."""
    host = with_images(linux, unbuilt(a_toolchain_image()))
    (choice,) = tuple_of(chosen(host, "manylinux_x86_64"))
    assert choice.rust_version is None
    assert "built first, about 2600 MiB and 9 minutes" in choice.reasons[0]
    assert "shows once it is built" in choice.reasons[1]


def test_a_pinned_rust_is_known_before_the_image_is_built(linux: HostFacts) -> None:
    """Rustup's variant: the exact version where it pins one, none for a series."""
    project = a_project(rust_toolchain="1.90.0")
    host = with_images(linux, unbuilt(a_toolchain_image(rust_version="1.90.0")))
    assert tuple_of(chosen(host, "win_amd64", project))[0].rust_version == "1.90.0"
    project = a_project(rust_toolchain="1.90")
    host = with_images(linux, unbuilt(a_toolchain_image(rust_version="1.90")))
    assert tuple_of(chosen(host, "win_amd64", project))[0].rust_version is None


def test_an_image_with_another_rust_than_asked_for_is_refused(linux: HostFacts) -> None:
    """Known or not: nobody builds nine minutes to learn that it was in vain."""
    project = a_project(rust_toolchain="1.85.0")
    for host in (linux, with_images(linux, unbuilt(a_toolchain_image()))):
        obstacle = hindered(host, "manylinux_x86_64", project)
        assert "1.85.0" in obstacle.reason
        assert 'rust = "any"' in (obstacle.cure or "")
        assert tuple_of(chosen(host, "manylinux_x86_64", project, rust="any"))


def test_provision_never_builds_no_image(linux: HostFacts) -> None:
    """One that is there is used all the same."""
    assert tuple_of(chosen(linux, "manylinux_x86_64", provision="never"))
    host = with_images(linux, unbuilt(a_toolchain_image()))
    obstacle = hindered(host, "manylinux_x86_64", provision="never")
    assert 'provision = "never"' in obstacle.reason
    assert obstacle.cure is not None


def test_an_image_that_cannot_be_had_is_refused_with_the_probes_reason(linux: HostFacts) -> None:
    """And its cure."""
    image = unbuilt(
        a_toolchain_image(cannot_provide_reason="no mirror answers", cure="wheelworks doctor --fix")
    )
    obstacle = hindered(with_images(linux, image), "manylinux_x86_64")
    assert "no mirror answers" in obstacle.reason
    assert obstacle.cure == "wheelworks doctor --fix"


def test_an_image_of_ones_own_says_what_it_has(linux: HostFacts) -> None:
    """A target beyond our recipe is served where the standard library is there, and only there."""
    triples = ("i686-unknown-linux-gnu", "x86_64-unknown-linux-gnu")
    host = with_images(linux, a_toolchain_image(reference="own:1", rust=a_rust(triples=triples)))
    assert tuple_of(chosen(host, "manylinux_i686"))
    obstacle = hindered(host, "manylinux_aarch64")
    assert obstacle.reason == (
        "the image own:1 has no standard library for aarch64-unknown-linux-gnu"
    )


def test_frameworks_need_the_sdk_of_the_user(linux: HostFacts) -> None:
    """Without it a crate that links one is refused by name; with it, it lies at a constant place."""
    project = a_project(framework_crates=("core-foundation-sys",))
    obstacle = hindered(linux, "macosx_universal2", project)
    assert "core-foundation-sys" in obstacle.reason
    assert "SDKROOT" in (obstacle.cure or "")
    host = replace(linux, macos_sdk="/home/dev/MacOSX.sdk")
    choices = tuple_of(chosen(host, "macosx_universal2", project))
    assert [choice.triple for choice in choices] == ["x86_64-apple-darwin", "aarch64-apple-darwin"]
    assert any(paths.SDK in reason for reason in choices[0].reasons)
    assert tuple_of(chosen(linux, "manylinux_x86_64", project))


def test_microsofts_linker_is_never_taken_without_consent(linux: HostFacts) -> None:
    """Refused until the licence is accepted; then only for want of a standard library."""
    cell = a_cell("3.13", "win_amd64", windows_linker="xwin")
    refused = choose_in_container(cell, a_project(), some_settings(), linux)
    assert isinstance(refused, Obstacle)
    assert "accept-microsoft-licence = true" in (refused.cure or "")
    accepted = some_settings(accept_microsoft_licence=True)
    lacking = choose_in_container(cell, a_project(), accepted, linux)
    assert isinstance(lacking, Obstacle)
    assert "x86_64-pc-windows-msvc" in lacking.reason
    own = a_toolchain_image(rust=a_rust(triples=("x86_64-pc-windows-msvc",)))
    (choice,) = tuple_of(choose_in_container(cell, a_project(), accepted, with_images(linux, own)))
    assert (choice.linker, choice.triple) == ("xwin", "x86_64-pc-windows-msvc")
    assert any("network stays on" in reason for reason in choice.reasons)


def test_emulation_serves_only_foreign_linux(linux: HostFacts) -> None:
    """Its own platform needs none, other systems can't, an unregistered one says why."""
    settings, project = some_settings(), a_project()

    def emulated(target: str, host: HostFacts = linux) -> tuple[ToolchainChoice, ...] | Obstacle:
        return choose_emulated(a_cell("3.13", target), project, settings, host)

    (choice,) = tuple_of(emulated("manylinux_aarch64"))
    assert (choice.toolchain, choice.linker) == ("emulated", "zig")
    assert choice.image == a_native_image()
    for target, word in (
        ("manylinux_x86_64", "no emulation"),
        ("macosx_arm64", "not Linux"),
        ("win_amd64", "not Linux"),
        ("musllinux_aarch64", "aarch64-unknown-linux-musl"),
        ("manylinux_s390x", "linux/s390x"),
    ):
        outcome = emulated(target)
        assert isinstance(outcome, Obstacle)
        assert word in outcome.reason
    bare = replace(
        linux,
        containers=build_containers(
            emulated=(), emulation_problems=(("linux/arm64", "binfmt_misc is not mounted"),)
        ),
    )
    outcome = emulated("manylinux_aarch64", bare)
    assert isinstance(outcome, Obstacle)
    assert "binfmt_misc is not mounted" in outcome.reason
    assert outcome.cure == "wheelworks doctor --fix"


def test_the_inside_of_an_image_is_a_machine_of_its_own(hosts: Mapping[str, HostFacts]) -> None:
    """Whatever the host is: Linux, the image's Rust and mingw-w64, no interpreters of the host."""
    facts = inside(hosts["macos_arm64"], a_toolchain_image("linux/arm64"))
    assert (facts.system, facts.machine, facts.libc) == ("linux", "aarch64", "glibc")
    assert dict(facts.mingw)["x86_64-pc-windows-gnu"].path == "x86_64-w64-mingw32-gcc"
    assert facts.macos_sdk is None, "engines on a Mac do not share where it lies"
    assert facts.interpreters == ()
    named = replace(hosts["linux_x86_64"], macos_sdk="/home/dev/MacOSX.sdk")
    assert inside(named, a_toolchain_image()).macos_sdk == paths.SDK
    assert inside(hosts["linux_x86_64"], a_native_image()).mingw == ()


def test_every_refusal_is_heard_when_nothing_serves(linux: HostFacts) -> None:
    """In the order in which they were considered, the reasons of several told apart."""
    choices, refusals = choose_toolchain(
        a_cell("3.13", "manylinux_s390x"), a_project(), some_settings(), linux
    )
    assert choices == ()
    assert [refusal.toolchain for refusal in refusals] == ["host", "container", "emulated"]
    assert joined_reason(refusals) == (
        "host, container: zig can't link for s390x, and this machine is no such Linux; "
        "emulated: there is no native image for linux/s390x"
    )
    one = Refusal(toolchain="container", reason="no engine")
    assert joined_reason((one, replace(one, toolchain="emulated"))) == "no engine"


def test_a_missing_engine_is_said_with_its_cure(hosts: Mapping[str, HostFacts]) -> None:
    """Only where somebody looked for one."""
    missing = Obstacle(reason="no container engine answers", cure="install docker or podman")
    host = replace(hosts["linux_x86_64"], containers_missing=missing)
    cell, project, settings = a_cell("3.13", "win_amd64"), a_project(), some_settings()
    _, refusals = choose_toolchain(cell, project, settings, host)
    assert [refusal.toolchain for refusal in refusals] == ["host", "container", "emulated"]
    assert refusals[1].cure == "install docker or podman"
    _, refusals = choose_toolchain(cell, project, settings, hosts["linux_x86_64"])
    assert [refusal.toolchain for refusal in refusals] == ["host"]


def test_a_forced_toolchain_is_the_only_one_considered(linux: HostFacts) -> None:
    """Even where another would serve."""
    cell = a_cell("3.13", "manylinux_x86_64", toolchain="emulated")
    choices, refusals = choose_toolchain(cell, a_project(), some_settings(), linux)
    assert choices == ()
    assert [refusal.toolchain for refusal in refusals] == ["emulated"]
    cell = a_cell("3.13", "manylinux_x86_64", toolchain="container")
    (choice,), _ = choose_toolchain(cell, a_project(), some_settings(), linux)
    assert choice.toolchain == "container"
