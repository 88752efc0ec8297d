"""The toolchains in the order in which they are considered for a cell.

Takes a cell and HostFacts, gives the first toolchain that serves it and every one refused before, with its reason.
Looks at one cell only; what all wheels of a run share is ``toolchain_settlement.py``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wheelworks.cibuildwheel_choice import choose_cibuildwheel, wants_cibuildwheel
from wheelworks.container_choice import choose_emulated, choose_in_container
from wheelworks.rust_choice import Obstacle
from wheelworks.toolchains import Refusal, choose_on_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from wheelworks.config.settings import Settings
    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts, ToolchainChoice, ToolchainName

    Chooser: TypeAlias = Callable[
        [Cell, Project, Settings, HostFacts], tuple[ToolchainChoice, ...] | Obstacle
    ]

CHOOSERS: Final[tuple[tuple[ToolchainName, Chooser], ...]] = (
    ("host", choose_on_host),
    ("container", choose_in_container),
    ("emulated", choose_emulated),
)
CIBUILDWHEEL: Final[tuple[ToolchainName, Chooser]] = ("cibuildwheel", choose_cibuildwheel)
"""Considered first for Linux cells of projects with ``[tool.cibuildwheel]``, else only where it is asked for."""


def choose_toolchain(
    cell: Cell, project: Project, settings: Settings, host: HostFacts
) -> tuple[tuple[ToolchainChoice, ...], tuple[Refusal, ...]]:
    """The choice per triple of the cell's target (two for universal2), and every toolchain refused before it.

    The first tuple is empty when nothing serves the cell here; the refusals then say why, each
    with the first thing in the way. A toolchain that the cell's settings force is the only one considered.
    """
    refusals: list[Refusal] = []
    for name, choose in _considered(cell, project, host):
        outcome = choose(cell, project, settings, host)
        if not isinstance(outcome, Obstacle):
            return outcome, tuple(refusals)
        refusals.append(Refusal(toolchain=name, reason=outcome.reason, cure=outcome.cure))
    return (), tuple(refusals)


def joined_reason(refusals: tuple[Refusal, ...]) -> str:
    """The reasons of all refusals as one text, each with its toolchain where there are several."""
    by_reason: dict[str, list[str]] = {}
    for refusal in refusals:
        by_reason.setdefault(refusal.reason, []).append(refusal.toolchain)
    if len(by_reason) == 1:
        return next(iter(by_reason))
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())


def _considered(
    cell: Cell, project: Project, host: HostFacts
) -> tuple[tuple[ToolchainName, Chooser], ...]:
    forced = cell.settings.toolchain
    if forced != "auto":
        return tuple(pair for pair in (*CHOOSERS, CIBUILDWHEEL) if pair[0] == forced)
    if host.containers is None and host.containers_missing is None:
        # Nobody looked for an engine, so that there is nothing to say of it.
        return tuple(pair for pair in CHOOSERS if pair[0] == "host")
    return (CIBUILDWHEEL, *CHOOSERS) if wants_cibuildwheel(cell, project) else CHOOSERS
