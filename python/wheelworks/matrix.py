"""The matrix: settings -> cells.

Takes settings and the project's own facts, gives a tuple of frozen cells in a stable order (target by
target, interpreter by interpreter). Does not know this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheelworks.config.settings import CellSettings, Settings
    from wheelworks.interpreters import InterpreterSpec
    from wheelworks.project import Project
    from wheelworks.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One interpreter on one target."""

    id: str
    """cibuildwheel's build identifier: ``cp313-manylinux_aarch64``."""
    interpreter: InterpreterSpec
    target: Target
    policy: str
    """Platform policy it is built for and held to: ``manylinux2014``."""
    built_for: InterpreterSpec
    """What is compiled: the interpreter itself, or the stable-ABI floor that serves it."""
    settings: CellSettings
    """The settings after the overrides that match this cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpossibleCell:
    """A combination that nobody builds (PyPy on musllinux or universal2), with the reason."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All cells of the project, before selection."""

    cells: tuple[Cell, ...]
    impossible: tuple[ImpossibleCell, ...]


def expand_matrix(settings: Settings, project: Project) -> Matrix:
    """Every cell that the settings name, without the skipped ones.

    Linear in the number of cells.

    Raises:
        ConfigurationError: a spec, target or level is wrong; all faults together.
    """
    raise NotImplementedError
