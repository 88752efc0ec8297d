"""What doctor says of a machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jobs import a_job

from wheelworks.doctor import examine
from wheelworks.doctor_model import Mending, Survey
from wheelworks.plan import Plan, Provisioning, ToolRequest, UnavailableCell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.toolchains import HostFacts

EMPTY = Plan(
    jobs=(), unavailable=(), selected_cells=(), tools=(), provisioning=(), cores=1, memory_mib=1
)


def test_a_missing_rust_is_fatal_and_says_how_to_get_it(hosts: Mapping[str, HostFacts]) -> None:
    """Nothing can be built without Rust, unless containers bring it."""
    host = replace(hosts["linux_x86_64"], rust=None, rust_missing_reason="rustc is not on PATH")
    (check,) = (
        one for one in examine(EMPTY, EMPTY, host, (), survey=Survey()) if one.subject == "rust"
    )
    assert check.is_fatal
    assert check.detail == "rustc is not on PATH"
    assert check.hint is not None
    built = replace(EMPTY, jobs=(a_job("build a"),))
    (check,) = (
        one for one in examine(built, EMPTY, host, (), survey=Survey()) if one.subject == "rust"
    )
    assert (check.state, check.is_fatal) == ("missing", False)


def test_a_tool_that_is_not_there_yet_can_be_mended(hosts: Mapping[str, HostFacts]) -> None:
    """Doctor --fix installs it; one that is there needs nothing."""
    tools = tuple(
        ToolRequest(name=name, requirement=f"{name}==1", is_pinned=True)
        for name in ("maturin", "ziglang")
    )
    checks = examine(
        replace(EMPTY, tools=tools), EMPTY, hosts["linux_x86_64"], {"maturin"}, survey=Survey()
    )
    by_subject = {check.subject: check for check in checks}
    assert by_subject["maturin"].state == "good"
    assert by_subject["ziglang"].mending == Mending(tool="ziglang")


def test_what_rustup_can_add_is_mended_by_its_command(hosts: Mapping[str, HostFacts]) -> None:
    """The command is the plan's own."""
    argv = ("rustup", "target", "add", "aarch64-unknown-linux-gnu")
    plan = replace(
        EMPTY, provisioning=(Provisioning(argv=argv, what="standard library", needed_by=()),)
    )
    checks = examine(plan, EMPTY, hosts["linux_x86_64"], (), survey=Survey())
    assert Mending(argv=argv) in [check.mending for check in checks]


def test_unavailable_cells_are_grouped_by_reason(hosts: Mapping[str, HostFacts]) -> None:
    """One line per reason names all its cells and the cure."""
    unavailable = tuple(
        UnavailableCell(cell=cell, kind="build", reason="no standard library", cure="rustup ...")
        for cell in ("cp312-win_amd64", "cp313-win_amd64")
    )
    checks = examine(
        replace(EMPTY, unavailable=unavailable), EMPTY, hosts["linux_x86_64"], (), survey=Survey()
    )
    (check,) = (one for one in checks if one.state == "unavailable")
    assert check.detail == "cp312-win_amd64, cp313-win_amd64: no standard library"
    assert check.hint == "rustup ..."
