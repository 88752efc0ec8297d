"""Whether a wheel can be executed on a host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wheelworks.targets import all_targets, target_named
from wheelworks.toolchains import FoundInterpreter, can_run_tests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.toolchains import HostFacts

RUNS = {
    "linux_x86_64": {"manylinux_x86_64"},
    "linux_arm64": {"manylinux_aarch64"},
    "macos_arm64": {"macosx_arm64", "macosx_universal2"},
    "macos_intel": {"macosx_x86_64", "macosx_universal2"},
    "windows": {"win_amd64"},
    "wsl": {"manylinux_x86_64"},
}


@pytest.mark.parametrize("name", RUNS)
def test_each_host_runs_its_own_wheels_only(hosts: Mapping[str, HostFacts], name: str) -> None:
    """Everything else has a reason."""
    runs = {target.name for target in all_targets() if can_run_tests(target, hosts[name]) is None}
    assert runs == RUNS[name]


@pytest.mark.parametrize(
    ("host", "target", "reason"),
    [
        ("linux_x86_64", "manylinux_aarch64", "run on aarch64, and this machine is x86_64"),
        ("linux_x86_64", "manylinux_i686", "no 32-bit Python is looked for"),
        ("linux_x86_64", "musllinux_x86_64", "need musl, and this Linux has glibc"),
        ("linux_x86_64", "macosx_arm64", "run on macOS, and this is Linux"),
        ("linux_x86_64", "win32", "run on Windows, and this is Linux"),
        ("windows", "manylinux_x86_64", "run on Linux, and this is Windows"),
        ("windows", "win32", "no 32-bit Python is looked for"),
        ("windows", "win_arm64", "need an arm64 machine"),
        ("macos_arm64", "musllinux_aarch64", "run on Linux, and this is macOS"),
        ("macos_arm64", "macosx_x86_64", "no x86_64 Python was found on this arm64 Mac"),
        ("macos_intel", "macosx_arm64", "Apple silicon"),
    ],
)
def test_the_reason_says_what_is_missing(
    hosts: Mapping[str, HostFacts], host: str, target: str, reason: str
) -> None:
    """A cell that can't be tested here is named with it."""
    found = can_run_tests(target_named(target), hosts[host])
    assert found is not None
    assert reason in found


def test_musl_wheels_run_on_a_musl_linux(hosts: Mapping[str, HostFacts]) -> None:
    """There the glibc ones don't."""
    alpine = replace(hosts["linux_x86_64"], libc="musl", libc_version=(1, 2))
    assert can_run_tests(target_named("musllinux_x86_64"), alpine) is None
    assert "need glibc, and this Linux has musl" in str(
        can_run_tests(target_named("manylinux_x86_64"), alpine)
    )
    unknown = replace(alpine, libc=None)
    assert "has another libc" in str(can_run_tests(target_named("musllinux_x86_64"), unknown))


@pytest.mark.parametrize(
    ("libc_version", "policy", "reason"),
    [
        ((2, 36), "manylinux_2_36", None),
        ((2, 36), "manylinux_2_39", "manylinux_2_39 needs glibc 2.39, and this Linux has 2.36"),
        ((2, 12), None, "manylinux2014 needs glibc 2.17, and this Linux has 2.12"),
        (None, "manylinux_2_39", None),
    ],
)
def test_the_glibc_here_must_satisfy_the_policy(
    hosts: Mapping[str, HostFacts],
    libc_version: tuple[int, int] | None,
    policy: str | None,
    reason: str | None,
) -> None:
    """Without a policy the target's lowest counts; an unknown version is given a try."""
    host = replace(hosts["linux_x86_64"], libc_version=libc_version)
    assert can_run_tests(target_named("manylinux_x86_64"), host, policy) == reason


@pytest.mark.parametrize(
    ("host", "target", "machine"),
    [("macos_arm64", "macosx_x86_64", "x86_64"), ("windows", "win_amd64", "amd64")],
)
def test_translation_is_believed_when_an_x86_64_python_was_seen_to_run(
    hosts: Mapping[str, HostFacts], host: str, target: str, machine: str
) -> None:
    """Rosetta and Prism can't be known otherwise."""
    arm = replace(hosts[host], machine="aarch64", interpreters=())
    assert "no x86_64 Python was found" in str(can_run_tests(target_named(target), arm))
    python = FoundInterpreter(
        spec="3.13",
        path="/python",
        version="3.13.1",
        machine=machine,
        origin="configuration",
        size=1,
        mtime_ns=1,
    )
    assert can_run_tests(target_named(target), replace(arm, interpreters=(python,))) is None


def test_arm64_windows_runs_its_own_wheels(hosts: Mapping[str, HostFacts]) -> None:
    """The machine is called aarch64 there too."""
    arm = replace(hosts["windows"], machine="aarch64")
    assert can_run_tests(target_named("win_arm64"), arm) is None
