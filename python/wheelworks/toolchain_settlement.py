"""Which toolchain serves each cell once all cells of the matrix are looked at together: one rustc for all wheels.

Takes every cell of the matrix, whichever are selected, so that the choice does not depend on selectors; gives frozen
values. Probes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheelworks.cibuildwheel_choice import wants_cibuildwheel
from wheelworks.container_choice import choose_in_container
from wheelworks.rust_choice import Obstacle
from wheelworks.toolchain_order import choose_toolchain
from wheelworks.toolchains import choose_on_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.settings import Settings
    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts, Refusal, ToolchainChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class CellToolchains:
    """What compiles a cell here, and what was refused."""

    choices: tuple[ToolchainChoice, ...]
    """One per triple; empty when nothing serves the cell."""
    refusals: tuple[Refusal, ...]


def settle_toolchains(
    cells: tuple[Cell, ...], project: Project, settings: Settings, host: HostFacts
) -> Mapping[str, CellToolchains]:
    """The toolchain of each cell, by its id.

    Where some cells are served only by the container, and its rustc is not the host's (or shows only once the
    image is built), every cell that the container can serve goes there; ``rust = "any"`` leaves each where it is. A
    toolchain that a cell's settings force stays.

    Args:
        cells: every cell of the matrix.
        project: for its Rust.
        settings: for the option ``rust``.
        host: the machine, with its containers.
    """
    alone = {
        cell.id: CellToolchains(choices=choices, refusals=refusals)
        for cell in cells
        for choices, refusals in (choose_toolchain(cell, project, settings, host),)
    }
    in_container = [cell.id for cell in cells if _is_in_our_image(alone[cell.id])]
    if settings.rust == "any" or not in_container:
        return alone
    cause = in_container[0]
    theirs = alone[cause].choices[0]
    moved = {
        cell.id: _moved(cell, alone[cell.id], theirs, cause, project, settings, host)
        for cell in cells
        if cell.settings.toolchain == "auto" and _toolchain(alone[cell.id]) == "host"
    }
    return alone | moved


def needs_containers(
    cells: tuple[Cell, ...], project: Project, settings: Settings, host: HostFacts
) -> bool:
    """Whether the engine has to be asked: some cell is not the host's to build, by its settings or for want of a tool.

    Args:
        cells: every cell of the matrix.
        project: for its Rust.
        settings: for the option ``rust``.
        host: the machine, its containers not yet looked at.
    """
    return any(
        cell.settings.toolchain in ("container", "emulated", "cibuildwheel")
        or (
            cell.settings.toolchain == "auto"
            and (
                wants_cibuildwheel(cell, project)
                or isinstance(choose_on_host(cell, project, settings, host), Obstacle)
            )
        )
        for cell in cells
    )


def _is_in_our_image(settled: CellToolchains) -> bool:
    """Whether the Rust of one of our images compiles it without emulation."""
    has_image = any(choice.image is not None for choice in settled.choices)
    return has_image and _toolchain(settled) != "emulated"


def _toolchain(settled: CellToolchains) -> str | None:
    return settled.choices[0].toolchain if settled.choices else None


def _moved(
    cell: Cell,
    own: CellToolchains,
    theirs: ToolchainChoice,
    cause: str,
    project: Project,
    settings: Settings,
    host: HostFacts,
) -> CellToolchains:
    """A cell of the host's in the container, where that would give it another rustc and the container can serve it."""
    ours = own.choices[0].rust_version
    if ours is not None and ours == theirs.rust_version:
        return own
    here = f"rustc {ours}" if ours else "the Rust"
    there = f"rustc {theirs.rust_version}" if theirs.rust_version else "the Rust of the image"
    outcome = choose_in_container(cell, project, settings, host)
    if isinstance(outcome, Obstacle):
        warning = (
            f"warning: {cause} gets {there} in a container and this cell {here} of this machine, "
            f"because there {outcome.reason}"
        )
        choices = tuple(
            replace(choice, reasons=(*choice.reasons, warning)) for choice in own.choices
        )
        return replace(own, choices=choices)
    reason = (
        f"one rustc for all wheels: {cause} needs the container, whose Rust "
        f"{'is not' if theirs.rust_version else 'may not be'} {here} of this machine "
        '(rust = "any" allows both)'
    )
    choices = tuple(replace(choice, reasons=(reason, *choice.reasons)) for choice in outcome)
    return CellToolchains(choices=choices, refusals=own.refusals)
