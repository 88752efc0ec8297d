"""What ``[tool.cibuildwheel]`` says that decides whether and how a cell runs through cibuildwheel.

Pure types; ``config/cibuildwheel_table.py`` fills them. cibuildwheel reads the table itself, too: nothing of it is
repeated to it but what one of our options would otherwise replace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.selectors import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

CommandKey = str
"""``before-all``, ``before-build``, ``repair-wheel-command``, ``before-test``, ``test-command``"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOverride:
    """The commands that ``[[tool.cibuildwheel.overrides]]`` sets for some cells."""

    select: tuple[str, ...]
    commands: tuple[tuple[CommandKey, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CibuildwheelFacts:
    """``[tool.cibuildwheel]`` as it holds for Linux."""

    create_args: tuple[str, ...] = ()
    """``create-args`` of ``container-engine``."""
    disables_host_mount: bool = False
    images: tuple[tuple[str, str], ...] = ()
    """Option -> value: ``("manylinux-x86_64-image", "manylinux_2_28")``."""
    commands: tuple[tuple[CommandKey, str], ...] = ()
    overrides: tuple[CommandOverride, ...] = ()
    environment_pass: tuple[str, ...] = ()
    """Names of the caller's variables that it wants in its containers."""
    maturin_args: str | None = None
    """Arguments that it hands to maturin (MATURIN_PEP517_ARGS, ``build-args``); None where it hands none."""

    def commands_for(self, cell_id: str) -> Mapping[CommandKey, str]:
        """The commands of a cell, after the overrides that match it."""
        found = dict(self.commands)
        for override in self.overrides:
            if any(_selects(pattern, cell_id) for pattern in override.select):
                found.update(override.commands)
        return found


def _selects(pattern: str, cell_id: str) -> bool:
    """Whether a pattern of cibuildwheel's names the cell; one that only cibuildwheel understands (``[ab]``) doesn't."""
    try:
        return matches(cell_id, pattern)
    except ValueError:
        return False
