"""Which cells share one compilation, and so one wheel.

Pure: takes cells with their chosen toolchains, gives groups. Knows nothing of jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.errors import ConfigurationError
from wheelworks.project import PYTHON_INDEPENDENT_BINDINGS as PYTHON_INDEPENDENT_BINDINGS

if TYPE_CHECKING:
    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.toolchains import ToolchainChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildGroup:
    """Cells that one compilation serves."""

    cells: tuple[Cell, ...]
    choices: tuple[ToolchainChoice, ...]
    is_published: bool = True
    """Whether its wheel is one of the cells', not only a slice of another."""
    slices: tuple[BuildGroup, BuildGroup] | None = None
    """Of universal2 groups: what is merged instead of compiling anything, x86_64 first."""


def build_shares(
    servable: tuple[tuple[Cell, tuple[ToolchainChoice, ...]], ...], project: Project
) -> tuple[BuildGroup, ...]:
    """Group the cells that one compilation serves: same target, same ABI, same options and toolchain.

    Only the build options count: cells with other tests still share their wheel.

    Raises:
        ConfigurationError: cells that share a wheel (stable ABI, programs) have different build options.
    """
    groups: dict[object, list[tuple[Cell, tuple[ToolchainChoice, ...]]]] = {}
    for cell, choices in servable:
        identity = group_identity(cell, choices, project)
        groups.setdefault(identity, []).append((cell, choices))
    found = tuple(
        BuildGroup(cells=tuple(cell for cell, _ in members), choices=members[0][1])
        for members in groups.values()
    )
    _refuse_rivals(found, project)
    return found


def group_identity(
    cell: Cell, choices: tuple[ToolchainChoice, ...], project: Project
) -> tuple[object, ...]:
    """Everything that one compilation's cells have in common."""
    settings = cell.settings
    return (
        cell.target.name, shared_tag(cell, project), cell.policy, settings.features,
        settings.no_default_features, settings.profile, settings.maturin_args,
        tuple(sorted(settings.environment.items())), settings.environment_pass,
        tuple(
            (choice.toolchain, choice.triple, choice.linker, choice.rustup_toolchain, choice.image)
            for choice in choices
        ),
    )  # fmt: skip


def group_tag(group: BuildGroup, project: Project) -> str:
    """What names the group's job: ``cp313-manylinux_x86_64``, ``cp39-abi3-win_amd64``."""
    cell = group.cells[0]
    return f"{shared_tag(cell, project)}-{cell.target.name}"


def shared_tag(cell: Cell, project: Project) -> str:
    """What is common to the interpreters that the cell's wheel serves: ``cp313``, ``cp39-abi3``, ``py3``."""
    return "py3" if project.bindings in PYTHON_INDEPENDENT_BINDINGS else cell.built_for.tag


def _refuse_rivals(groups: tuple[BuildGroup, ...], project: Project) -> None:
    """Two builds of one wheel would overwrite each other in ``dist/``."""
    first: dict[tuple[str, str], Cell] = {}
    for group in groups:
        cell = group.cells[0]
        rival = first.setdefault((shared_tag(cell, project), cell.target.name), cell)
        if rival is not cell:
            raise ConfigurationError(
                f"{rival.id} and {cell.id} share one wheel ({shared_tag(cell, project)}), "
                "but their build options differ",
                hint="let the override select all cells of the target, or build them one by one",
            )
