"""Parsed arguments -> what a command asks for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wheelworks.arguments import parse_selectors, setting_flags
from wheelworks.cell_choice import RunRequest
from wheelworks.commands.context import directory_of

if TYPE_CHECKING:
    import argparse


def request_of(args: argparse.Namespace) -> RunRequest:
    """What the command line asks for."""
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


def _sdist(args: argparse.Namespace) -> Literal["default", "yes", "no", "only"]:
    if getattr(args, "sdist_only", False):
        return "only"
    if getattr(args, "sdist", False):
        return "yes"
    return "no" if getattr(args, "no_sdist", False) else "default"
