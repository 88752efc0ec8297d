"""The choice of a toolchain as a whole, on six hosts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import a_cell, a_project, some_settings

from wheelworks.targets import all_targets
from wheelworks.toolchain_order import choose_toolchain
from wheelworks.toolchains import (
    HostFacts,
    Refusal,
    ToolchainChoice,
    can_run_tests,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.project import Project

LINUX = "x86_64-unknown-linux-gnu"
ARM = "aarch64-unknown-linux-gnu"

#: Per host the targets that are built, with linker and, marked by +, an added standard library.
BUILDS = {
    "linux_x86_64": "manylinux_x86_64:zig",
    "linux_arm64": (
        "manylinux_x86_64:zig+ manylinux_aarch64:zig manylinux_i686:zig+ manylinux_armv7l:zig+ "
        "manylinux_ppc64le:zig+ manylinux_riscv64:zig+ musllinux_x86_64:zig+ "
        "musllinux_aarch64:zig+ musllinux_i686:zig+ musllinux_armv7l:zig+ musllinux_ppc64le:zig+ "
        "musllinux_riscv64:zig+ macosx_x86_64:zig+ macosx_arm64:zig+ "
        "macosx_universal2:zig+,zig+ win_amd64:mingw+"
    ),
    "macos_arm64": (
        "manylinux_x86_64:zig+ manylinux_aarch64:zig+ manylinux_i686:zig+ manylinux_armv7l:zig+ "
        "manylinux_ppc64le:zig+ manylinux_riscv64:zig+ musllinux_x86_64:zig+ "
        "musllinux_aarch64:zig+ musllinux_i686:zig+ musllinux_armv7l:zig+ musllinux_ppc64le:zig+ "
        "musllinux_riscv64:zig+ macosx_x86_64:system macosx_arm64:system "
        "macosx_universal2:system,system"
    ),
    "windows": (
        "manylinux_x86_64:zig+ manylinux_aarch64:zig+ manylinux_i686:zig+ manylinux_armv7l:zig+ "
        "manylinux_ppc64le:zig+ manylinux_riscv64:zig+ musllinux_x86_64:zig+ "
        "musllinux_aarch64:zig+ musllinux_i686:zig+ musllinux_armv7l:zig+ musllinux_ppc64le:zig+ "
        "musllinux_riscv64:zig+ macosx_x86_64:zig+ macosx_arm64:zig+ "
        "macosx_universal2:zig+,zig+ win_amd64:system win_arm64:system+ win32:system+"
    ),
    "wsl": "manylinux_x86_64:zig win_amd64:mingw",
}
BUILDS["macos_intel"] = BUILDS["macos_arm64"]


def choose(
    host: HostFacts,
    target: str = "manylinux_x86_64",
    project: Project | None = None,
    **settings: object,
) -> tuple[tuple[ToolchainChoice, ...], tuple[Refusal, ...]]:
    """The choice for CPython 3.13 on a target."""
    cell = a_cell("3.13", target)
    return choose_toolchain(cell, project or a_project(), some_settings(**settings), host)


def _said(choices: tuple[ToolchainChoice, ...]) -> str:
    return ",".join(
        choice.linker + ("+" if choice.rustup_target_to_add else "") for choice in choices
    )


@pytest.mark.parametrize("name", BUILDS)
def test_each_host_builds_what_it_can(hosts: Mapping[str, HostFacts], name: str) -> None:
    """Over all targets: what is built, by which linker, with which library added."""
    outcomes = {target.name: choose(hosts[name], target.name) for target in all_targets()}
    built = [f"{target}:{_said(choices)}" for target, (choices, _) in outcomes.items() if choices]
    assert " ".join(built) == BUILDS[name]
    for choices, refusals in outcomes.values():
        assert (len(refusals) == 1) is (not choices)


def test_a_choice_says_everything_that_a_build_needs(hosts: Mapping[str, HostFacts]) -> None:
    """The triple, what rustup adds, and why, in the order of the decisions."""
    choices, refusals = choose(hosts["linux_arm64"], "manylinux_x86_64")
    assert refusals == ()
    assert choices == (
        ToolchainChoice(
            toolchain="host",
            triple=LINUX,
            linker="zig",
            rustup_target_to_add=LINUX,
            rustup_toolchain=None,
            rustup_toolchain_to_install=None,
            reasons=(
                f"rustc 1.95.0 (stable-{ARM}): the project asks for no Rust version",
                "zig links with glibc 2.17, as manylinux2014 asks",
                f"rustup adds the standard library of {LINUX}",
            ),
            rust_version="1.95.0",
        ),
    )


def test_without_rust_everything_is_refused(hosts: Mapping[str, HostFacts]) -> None:
    """The probe's own reason is shown, and how to get Rust."""
    host = replace(hosts["linux_x86_64"], rust=None, rust_missing_reason="no cargo on PATH")
    assert choose(host) == (
        (),
        (
            Refusal(
                toolchain="host",
                reason="no cargo on PATH",
                cure="install Rust through rustup, or name its folder in PATH",
            ),
        ),
    )
    unexplained = replace(host, rust_missing_reason=None)
    assert choose(unexplained)[1][0].reason == "there is no rustc here"


@pytest.mark.parametrize(
    ("host", "target", "reason", "cure"),
    [
        (
            "linux_x86_64",
            "manylinux_aarch64",
            f"rustc 1.95.0 here has no standard library for {ARM}, and "
            "rustup can't reach its server",
            f"rustup target add {ARM}",
        ),
        (
            "linux_x86_64",
            "macosx_universal2",
            "rustc 1.95.0 here has no standard library for x86_64-apple-darwin and "
            "aarch64-apple-darwin, and rustup can't reach its server",
            "rustup target add x86_64-apple-darwin aarch64-apple-darwin",
        ),
        (
            "wsl",
            "musllinux_x86_64",
            "rustc 1.91.1 here has no standard library for x86_64-unknown-linux-musl, and "
            "there is no rustup here",
            "install Rust through rustup, then rustup target add x86_64-unknown-linux-musl; "
            "or your distribution's package of it",
        ),
    ],
)
def test_a_missing_standard_library_is_refused_with_the_cure(
    hosts: Mapping[str, HostFacts], host: str, target: str, reason: str, cure: str
) -> None:
    """Both slices of universal2 are named at once."""
    assert choose(hosts[host], target) == (
        (),
        (Refusal(toolchain="host", reason=reason, cure=cure),),
    )


def test_an_unprobed_toolchain_is_trusted_for_its_host_only(
    hosts: Mapping[str, HostFacts],
) -> None:
    """Another installed toolchain is there, but its libraries for other triples are unknown."""
    rust = hosts["linux_x86_64"].rust
    assert rust is not None
    installed = replace(rust, installed_toolchains=("1.90.0",), cannot_add_reason=None)
    host = replace(hosts["linux_x86_64"], rust=installed)
    (choice,), _ = choose(host, rust="1.90.0")
    assert (choice.rustup_toolchain, choice.rustup_target_to_add) == ("1.90.0", None)
    (refusal,) = choose(host, "manylinux_aarch64", rust="1.90.0")[1]
    assert refusal == Refusal(
        toolchain="host",
        reason=f"Rust 1.90.0 here is not known to have a standard library for {ARM}, and "
        "rustup can add nothing here",
        cure=f"rustup target add --toolchain 1.90.0 {ARM}",
    )


def test_a_toolchain_to_install_gets_its_library_too(hosts: Mapping[str, HostFacts]) -> None:
    """A fresh toolchain lacks what the probed one has."""
    project = a_project(rust_toolchain="1.85.0")
    (choice,), _ = choose(hosts["macos_arm64"], "macosx_x86_64", project)
    assert choice.rustup_toolchain_to_install == "1.85.0"
    assert choice.rustup_target_to_add == "x86_64-apple-darwin"
    (choice,), _ = choose(hosts["macos_arm64"], "macosx_arm64", project)
    assert choice.rustup_target_to_add is None


def test_the_first_thing_in_the_way_is_named(hosts: Mapping[str, HostFacts]) -> None:
    """Neither the linker nor the library matters when the version can't be had."""
    (refusal,) = choose(hosts["linux_x86_64"], "win_arm64", a_project(rust_version="1.99"))[1]
    assert "older than 1.99" in refusal.reason
    (refusal,) = choose(hosts["linux_x86_64"], "win_arm64")[1]
    assert "licence" in refusal.reason


@pytest.mark.parametrize(
    ("rustc", "target", "requirement", "maturin", "is_warned"),
    [
        ("1.98.0", "manylinux_aarch64", ">=1.9,<1.14", "auto", True),
        ("1.98.0", "manylinux_aarch64", "==1.13.*", "auto", True),
        ("1.98.0", "manylinux_aarch64", "~=1.13.0", "auto", True),
        ("1.98.0", "manylinux_aarch64", ">=1.9,<2", "1.14.0", True),
        ("1.99.0-nightly", "manylinux_aarch64", "<1.14", "auto", True),
        ("1.98.0", "manylinux_aarch64", ">=1.9,<2", "1.16.0", False),
        ("1.98.0", "manylinux_aarch64", ">=1.9,<2", "auto", False),
        ("1.98.0", "manylinux_aarch64", None, "auto", False),
        ("1.98.0", "manylinux_aarch64", "==1.17.0", "auto", False),
        ("1.98.0", "manylinux_aarch64", ">1.15,<1.17", "auto", False),
        ("1.98.0", "manylinux_aarch64", "unreadable", "auto", False),
        ("1.97.9", "manylinux_aarch64", "<1.14", "auto", False),
        ("1.98.0", "musllinux_aarch64", "<1.14", "auto", False),
        ("1.98.0", "manylinux_x86_64", "<1.14", "auto", False),
    ],
)
def test_new_rust_with_an_old_maturin_is_warned_of_on_aarch64(
    hosts: Mapping[str, HostFacts],
    rustc: str,
    target: str,
    requirement: str | None,
    maturin: str,
    is_warned: bool,
) -> None:
    """cargo-zigbuild before 0.23.0 stumbles over a new linker argument of rustc."""
    rust = hosts["linux_arm64"].rust
    assert rust is not None
    newer = replace(rust, rustc=replace(rust.rustc, version=rustc))
    (choice,), _ = choose(
        replace(hosts["linux_arm64"], rust=newer),
        target,
        a_project(maturin_requirement=requirement),
        maturin=maturin,
    )
    assert any(reason.startswith("warning:") for reason in choice.reasons) is is_warned


def test_can_run_tests_is_offered_here_too(hosts: Mapping[str, HostFacts]) -> None:
    """The planner asks this module both questions."""
    target = a_cell("3.13", "manylinux_x86_64").target
    assert can_run_tests(target, hosts["linux_x86_64"]) is None
