"""One rustc for all wheels: what is settled over the whole matrix, on machines with and without containers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import a_cell, a_project, some_settings
from container_samples import a_rust, a_toolchain_image, build_containers, unbuilt

from wheelworks.toolchain_settlement import needs_containers, settle_toolchains

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.containers.facts import ImageFacts
    from wheelworks.matrix import Cell
    from wheelworks.toolchain_settlement import CellToolchains
    from wheelworks.toolchains import HostFacts

OWN = a_cell("3.13", "manylinux_x86_64")
OTHERS = a_cell("3.13", "win_amd64")


def settled(
    host: HostFacts, *cells: Cell, image: ImageFacts | None = None, rust: str = "auto"
) -> Mapping[str, CellToolchains]:
    """The settlement on a Linux whose rustup adds nothing, with a toolchain image."""
    with_image = replace(host, containers=build_containers(image or a_toolchain_image()))
    return settle_toolchains(cells, a_project(), some_settings(rust=rust), with_image)


def names(result: Mapping[str, CellToolchains]) -> dict[str, str | None]:
    """Cell -> toolchain."""
    return {cell: one.choices[0].toolchain if one.choices else None for cell, one in result.items()}


@pytest.fixture
def linux(hosts: Mapping[str, HostFacts]) -> HostFacts:
    """Rust 1.95.0 with its own standard library only."""
    return hosts["linux_x86_64"]


def test_what_the_host_serves_alone_stays_there(linux: HostFacts) -> None:
    """A container with another rustc is no reason to leave the host."""
    assert names(settled(linux, OWN)) == {OWN.id: "host"}


@pytest.mark.parametrize("image", [a_toolchain_image(), unbuilt(a_toolchain_image())])
def test_all_go_where_one_has_to(linux: HostFacts, image: ImageFacts) -> None:
    """The container's rustc is another, or not known yet: every cell that it serves goes there, and says why."""
    result = settled(linux, OWN, OTHERS, image=image)
    assert names(result) == {OWN.id: "container", OTHERS.id: "container"}
    reason = result[OWN.id].choices[0].reasons[0]
    assert reason.startswith(f"one rustc for all wheels: {OTHERS.id} needs the container")


def test_the_same_rustc_leaves_each_where_it_is(linux: HostFacts) -> None:
    """The host is nearer, and nothing is mixed."""
    result = settled(linux, OWN, OTHERS, image=a_toolchain_image(rust=a_rust("1.95.0")))
    assert names(result) == {OWN.id: "host", OTHERS.id: "container"}


def test_any_rust_leaves_each_where_it_is(linux: HostFacts) -> None:
    """The project said that it does not mind."""
    result = settled(linux, OWN, OTHERS, rust="any")
    assert names(result) == {OWN.id: "host", OTHERS.id: "container"}


def test_a_forced_toolchain_stays(linux: HostFacts) -> None:
    """Both ways: a cell that must be the host's, and one that must be the container's."""
    forced = a_cell("3.13", "manylinux_x86_64", toolchain="host")
    assert names(settled(linux, forced, OTHERS)) == {forced.id: "host", OTHERS.id: "container"}
    forced = a_cell("3.12", "manylinux_x86_64", toolchain="container")
    assert names(settled(linux, OWN, forced)) == {OWN.id: "container", forced.id: "container"}


def test_what_the_container_cannot_serve_stays_and_names_the_mixture(linux: HostFacts) -> None:
    """A build is better than none; the reason says what is mixed."""
    own = a_toolchain_image(rust=a_rust(triples=("x86_64-pc-windows-gnu",)))
    result = settled(linux, OWN, OTHERS, image=own)
    assert names(result) == {OWN.id: "host", OTHERS.id: "container"}
    warning = result[OWN.id].choices[0].reasons[-1]
    assert warning.startswith(f"warning: {OTHERS.id} gets rustc 1.97.1 in a container")
    assert "rustc 1.95.0" in warning


def test_without_containers_each_cell_stands_alone(linux: HostFacts) -> None:
    """As on a machine where nobody looked for an engine."""
    result = settle_toolchains((OWN, OTHERS), a_project(), some_settings(), linux)
    assert names(result) == {OWN.id: "host", OTHERS.id: None}


def test_the_engine_is_needed_for_what_the_host_does_not_build(linux: HostFacts) -> None:
    """By want of a tool, or by the settings; not for a matrix that the host serves."""
    project, settings = a_project(), some_settings()
    assert not needs_containers((OWN,), project, settings, linux)
    assert needs_containers((OWN, OTHERS), project, settings, linux)
    for toolchain in ("container", "emulated", "cibuildwheel"):
        forced = a_cell("3.13", "manylinux_x86_64", toolchain=toolchain)
        assert needs_containers((forced,), project, settings, linux)
    refused = a_cell("3.13", "win_amd64", toolchain="host")
    assert not needs_containers((refused,), project, settings, linux)
