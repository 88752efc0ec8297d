"""``wheelworks completion SHELL``: the shell's completion script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.completion import completion_script
from wheelworks.errors import EXIT_OK

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Print the script to stdout."""
    context.result(completion_script(args.shell))
    return EXIT_OK
