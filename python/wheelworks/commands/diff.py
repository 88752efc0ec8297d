"""``wheelworks diff A.whl B.whl``: members, symbols and sizes that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.audit.facts import read_wheel
from wheelworks.commands.context import directory_of
from wheelworks.diff import diff_wheels, render_diff
from wheelworks.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Print what differs; differing is no failure, so the exit code is 0.

    Raises:
        UsageError: a file does not exist.
        AuditRefusedError: a file is no readable wheel.
    """
    paths = [directory_of(args) / name for name in (args.before, args.after)]
    for path in paths:
        if not path.is_file():
            raise UsageError(f"there is no file {path}", hint="name two wheels")
    before, after = (read_wheel(path) for path in paths)
    difference = diff_wheels(before, after)
    if args.json:
        context.result_json(difference)
    else:
        context.result("\n".join(render_diff(difference)))
    return EXIT_OK
