"""The settlement of toolchains over machines, images and matrices: nothing is lost, no selection changes a choice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builders import a_cell, a_project, some_settings
from container_samples import (
    a_native_image,
    a_rust,
    a_toolchain_image,
    build_containers,
    unbuilt,
)
from hypothesis import given
from hypothesis import strategies as st
from plan_requests import request

from wheelworks.planner import make_plan
from wheelworks.targets import all_targets
from wheelworks.toolchain_settlement import needs_containers, settle_toolchains

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.settings import Settings
    from wheelworks.containers.facts import ContainerFacts
    from wheelworks.matrix import Cell
    from wheelworks.toolchain_settlement import CellToolchains
    from wheelworks.toolchains import HostFacts

NAMES = st.sampled_from(["linux_x86_64", "linux_arm64", "macos_arm64", "windows", "wsl"])
RUSTS = st.sampled_from(["auto", "any", "1.95.0", "1.97.1"])


@st.composite
def containers(draw: st.DrawFn) -> ContainerFacts | None:
    """None, or an engine with images of some version of Rust, built or not."""
    if draw(st.booleans()):
        return None
    version = draw(st.sampled_from(["1.91.1", "1.95.0", "1.97.1"]))
    image = a_toolchain_image(rust=a_rust(version))
    found = build_containers(
        unbuilt(image) if draw(st.booleans()) else image,
        *([a_native_image()] if draw(st.booleans()) else []),
    )
    return found if draw(st.booleans()) else replace(found, emulated=())


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Cell, ...]:
    """Cells of different targets, some with a toolchain of their own."""
    targets = draw(st.lists(st.sampled_from(all_targets()), unique=True, min_size=1, max_size=6))
    toolchain = st.sampled_from(["auto", "auto", "auto", "host", "container", "emulated"])
    return tuple(a_cell("3.13", target.name, toolchain=draw(toolchain)) for target in targets)


def settle(
    cells: tuple[Cell, ...], settings: Settings, host: HostFacts
) -> Mapping[str, CellToolchains]:
    """The settlement for the usual project."""
    return settle_toolchains(cells, a_project(), settings, host)


@given(NAMES, containers(), matrices(), RUSTS)
def test_every_cell_is_served_or_refused_with_reasons(
    hosts: Mapping[str, HostFacts],
    name: str,
    found: ContainerFacts | None,
    cells: tuple[Cell, ...],
    rust: str,
) -> None:
    """One choice per triple, or a reason from everything that was considered; a forced toolchain is kept."""
    host = replace(hosts[name], containers=found)
    settled = settle(cells, some_settings(rust=rust), host)
    assert set(settled) == {cell.id for cell in cells}
    for cell in cells:
        one = settled[cell.id]
        forced = cell.settings.toolchain
        if one.choices:
            assert len(one.choices) == len(cell.target.triples)
            assert len({choice.toolchain for choice in one.choices}) == 1
            assert forced in ("auto", one.choices[0].toolchain)
            assert all(choice.reasons for choice in one.choices)
            in_image = one.choices[0].toolchain != "host"
            assert (one.choices[0].image is not None) is in_image
        else:
            assert one.refusals
            assert all(refusal.reason for refusal in one.refusals)
            assert forced == "auto" or {refusal.toolchain for refusal in one.refusals} == {forced}


@given(NAMES, containers(), matrices(), RUSTS)
def test_cells_mix_rustc_only_where_it_is_said(
    hosts: Mapping[str, HostFacts],
    name: str,
    found: ContainerFacts | None,
    cells: tuple[Cell, ...],
    rust: str,
) -> None:
    """A cell left on the host beside one in a container has the same rustc, a warning, or was told to stay."""
    host = replace(hosts[name], containers=found)
    settled = settle(cells, some_settings(rust=rust), host)
    first = {cell.id: one.choices[0] for cell in cells if (one := settled[cell.id]).choices}
    inside = {choice.rust_version for choice in first.values() if choice.toolchain == "container"}
    for cell in cells:
        choice = first.get(cell.id)
        if choice is None or choice.toolchain != "host" or not inside or rust == "any":
            continue
        is_warned = any(reason.startswith("warning: ") for reason in choice.reasons)
        assert inside == {choice.rust_version} or is_warned or cell.settings.toolchain == "host"


@given(NAMES, containers(), matrices(), RUSTS, st.data())
def test_the_choice_does_not_depend_on_the_selection(
    hosts: Mapping[str, HostFacts],
    name: str,
    found: ContainerFacts | None,
    cells: tuple[Cell, ...],
    rust: str,
    data: st.DataObject,
) -> None:
    """The job of a selected cell is the same, whichever others are selected with it."""
    host = replace(hosts[name], containers=found)
    selected = data.draw(
        st.lists(st.sampled_from(cells), unique_by=lambda cell: cell.id, min_size=1)
    )
    whole = replace(
        request(host, cells=cells, settings=some_settings(rust=rust)), matrix_cells=cells
    )
    some = replace(whole, cells=tuple(selected))
    jobs = {job.id: job for job in make_plan(whole).jobs}
    for job in make_plan(some).jobs:
        if job.is_published and job.merges is None:
            assert (job.toolchain, job.build_key, job.images) == (
                jobs[job.id].toolchain,
                jobs[job.id].build_key,
                jobs[job.id].images,
            )


@given(NAMES, containers(), matrices(), RUSTS)
def test_where_no_engine_is_needed_none_changes_anything(
    hosts: Mapping[str, HostFacts],
    name: str,
    found: ContainerFacts | None,
    cells: tuple[Cell, ...],
    rust: str,
) -> None:
    """Not asking the engine gives the same plan as asking it."""
    host, settings = hosts[name], some_settings(rust=rust)
    if not needs_containers(cells, a_project(), settings, host):
        assert settle(cells, settings, host) == settle(
            cells, settings, replace(host, containers=found)
        )
