"""Parsed arguments -> what a command asks for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wheelworks.arguments import SETTING_FLAGS, parse_selectors, setting_flags
from wheelworks.cell_choice import RunRequest
from wheelworks.commands.context import directory_of
from wheelworks.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from wheelworks.matrix import Cell


def request_of(args: argparse.Namespace) -> RunRequest:
    """What the command line asks for.

    Raises:
        UsageError: cells are named where only the sdist is wanted.
    """
    if getattr(args, "sdist_only", False) and args.selectors:
        raise UsageError(
            "--sdist-only builds no cells, but selectors are given", hint="leave one of them out"
        )
    goal: Literal["build", "test"] = "test" if args.command == "test" else "build"
    return RunRequest(
        goal=goal,
        directory=directory_of(args),
        package=args.package,
        flags=setting_flags(args),
        selectors=parse_selectors(getattr(args, "selectors", [])),
        python=getattr(args, "python", None),
        sdist=_sdist(args),
        force=getattr(args, "force", False),
    )


def one_cell(cells: Sequence[Cell], written: str) -> Cell:
    """The only selected cell.

    Raises:
        UsageError: there are more.
    """
    if len(cells) > 1:
        raise UsageError(
            f"{written!r} names {len(cells)} cells", hint=f"name one, as {cells[0].id}"
        )
    return cells[0]


def repeat_flags(args: argparse.Namespace) -> tuple[str, ...]:
    """The flags without which a command for one of this run's cells would mean something else."""
    given = {
        "-C": args.directory,
        "--package": args.package,
        "--python": getattr(args, "python", None),
    }
    given |= {f"--{name}": getattr(args, name.replace("-", "_"), None) for name in SETTING_FLAGS}
    return tuple(
        word
        for flag, value in given.items()
        if value is not None
        for word in (flag, *_words(value))
    )


def _words(value: object) -> tuple[str, ...]:
    """What follows a flag on the command line."""
    if isinstance(value, bool):
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _sdist(args: argparse.Namespace) -> Literal["default", "yes", "no", "only"]:
    if getattr(args, "sdist_only", False):
        return "only"
    if getattr(args, "sdist", False):
        return "yes"
    return "no" if getattr(args, "no_sdist", False) else "default"
