"""``wheelworks why CELL``: everything behind one cell."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.commands.plan import plan_document, plan_lines
from wheelworks.commands.request import one_cell, request_of
from wheelworks.preparation import prepare_both
from wheelworks.toolchain_settlement import settle_toolchains
from wheelworks.toolchains import can_run_tests

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext
    from wheelworks.matrix import Cell
    from wheelworks.preparation import Prepared
    from wheelworks.toolchain_settlement import CellToolchains


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Print the options with their origins, the toolchains with their refusals, and what changed.

    Raises:
        UsageError: the pattern names more than one cell.
    """
    request = replace(request_of(args), selectors=(args.cell,))
    built, tested = prepare_both(request, context.runner, context.environ)
    cell = one_cell(built.cells, args.cell)
    if args.json:
        settled = _settled(cell, built)
        context.result_json(
            {
                "cell": cell.id,
                "policy": cell.policy,
                "built_for": cell.built_for.tag,
                "options": cell.settings,
                "origins": built.loaded.settings.origins,
                "toolchains": list(settled.choices),
                "refusals": list(settled.refusals),
                "build": plan_document(built),
                "test": plan_document(tested),
            }
        )
    else:
        context.result("\n".join(_lines(cell, built, tested)))
    return 0


def _settled(cell: Cell, built: Prepared) -> CellToolchains:
    """What the plan compiles the cell with, which the other cells of the matrix have a say in."""
    loaded = built.loaded
    return settle_toolchains(built.matrix.cells, loaded.project, loaded.settings, built.host)[
        cell.id
    ]


def _lines(cell: Cell, built: Prepared, tested: Prepared) -> list[str]:
    settled = _settled(cell, built)
    cannot_run = can_run_tests(cell.target, built.host, cell.policy)
    return [
        cell.id,
        f"  target       {cell.target.name} ({', '.join(cell.target.triples)})",
        f"  policy       {cell.policy}",
        f"  compiled for {cell.built_for.spec}",
        f"  runs here    {'yes' if cannot_run is None else 'no: ' + cannot_run}",
        "options",
        *_option_lines(cell, built),
        "toolchains",
        *(
            f"  {choice.toolchain}: {reason}"
            for choice in settled.choices
            for reason in choice.reasons
        ),
        *(
            f"  {refusal.toolchain}: refused, {refusal.reason}"
            + (f" (hint: {refusal.cure})" if refusal.cure else "")
            for refusal in settled.refusals
        ),
        "build",
        *(f"  {line}" for line in plan_lines(built, verbose=True)),
        "test",
        *(f"  {line}" for line in plan_lines(tested, verbose=False)),
    ]


def _option_lines(cell: Cell, built: Prepared) -> list[str]:
    origins = built.loaded.settings.origins
    lines = []
    for prefix, value in (("", cell.settings), ("test.", cell.settings.test)):
        for option in dataclasses.fields(value):
            # A table of its own, and an explanation that stands behind the command as its origin.
            if option.name in ("test", "no_command_reason"):
                continue
            key = prefix + option.name.removesuffix("_seconds").replace("_", "-")
            shown = getattr(value, option.name)
            lines.append(f"  {key} = {shown!r}  ({origins.get(key, 'default')})")
    return lines
