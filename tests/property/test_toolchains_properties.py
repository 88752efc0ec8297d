"""The choice of a toolchain: for every target and wish either a full choice or a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders import a_cell, a_project, some_settings
from hypothesis import given
from hypothesis import strategies as st

from wheelworks.targets import all_targets
from wheelworks.toolchain_order import choose_toolchain
from wheelworks.toolchains import can_run_tests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.targets import Target
    from wheelworks.toolchains import HostFacts

NAMES = ("linux_x86_64", "linux_arm64", "macos_arm64", "macos_intel", "windows", "wsl")
channels = st.sampled_from([None, "stable", "nightly", "1.85.0", "1.95.0", "1.95", "1.91.1"])
options = st.sampled_from(["auto", "any", "1.90.0", "stable", "1.95.0"])


@given(
    st.sampled_from(NAMES),
    st.sampled_from(all_targets()),
    channels,
    options,
    st.sampled_from([None, "1.63", "1.93", "1.99"]),
)
def test_there_is_a_choice_for_every_triple_or_one_reason(
    hosts: Mapping[str, HostFacts],
    name: str,
    target: Target,
    channel: str | None,
    option: str,
    msrv: str | None,
) -> None:
    """Never half a universal2, never a refusal without words, never rustup where there is none."""
    host = hosts[name]
    cell = a_cell("3.13", target.name)
    project = a_project(rust_toolchain=channel, rust_version=msrv)
    choices, refusals = choose_toolchain(cell, project, some_settings(rust=option), host)
    if not choices:
        assert len(refusals) == 1
        assert refusals[0].reason
        return
    assert refusals == ()
    assert len(choices) == len(cell.target.triples)
    assert all(choice.reasons for choice in choices)
    assert host.rust is not None
    for choice in choices:
        added = choice.rustup_target_to_add or choice.rustup_toolchain_to_install
        assert added is None or host.rust.can_add_targets
        assert choice.rustup_toolchain is None or host.rust.rustup is not None


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_two_hosts_that_differ_run_different_wheels(
    hosts: Mapping[str, HostFacts], one: str, other: str
) -> None:
    """Only a universal2 wheel runs on machines of two kinds."""
    runs = [
        {target.name for target in all_targets() if can_run_tests(target, hosts[name]) is None}
        for name in (one, other)
    ]
    kinds = [(hosts[name].system, hosts[name].machine) for name in (one, other)]
    if kinds[0] == kinds[1]:
        assert runs[0] == runs[1]
    else:
        assert runs[0] & runs[1] <= {"macosx_universal2"}
