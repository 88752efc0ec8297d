"""Tasks of wheelworks for a project that uses invoke.

Takes a prefix, gives an ``invoke.Collection`` with the tasks ``wheels``, ``sdist``, ``test``,
``audit`` and ``doctor``, which do what the nox sessions of these names do. A task runs the command
line of wheelworks in invoke's own process: it has the terminal and ends with that exit code.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from wheelworks.cli import main

if TYPE_CHECKING:
    from invoke.context import Context

try:
    from invoke.collection import Collection
    from invoke.exceptions import Exit
    from invoke.tasks import Task
except ModuleNotFoundError as error:
    message = 'wheelworks.invoke needs invoke: install "wheelworks[invoke]"'
    raise ModuleNotFoundError(message, name=error.name) from error

__all__ = ["collection"]

_ARGS_HELP = {"args": "selectors and flags of wheelworks, as in \"'cp313-*' -v\""}


def collection(*, prefix: str = "") -> Collection:
    """The tasks ``wheels``, ``sdist``, ``test``, ``audit`` and ``doctor``.

    In a tasks.py: ``ns = wheelworks.invoke.collection()``, or ``ns.add_collection(...)`` where
    there are other tasks.

    Args:
        prefix: put before every name.
    """
    tasks = Collection()
    tasks.add_task(Task(_wheels, help=_ARGS_HELP), name=f"{prefix}wheels")
    tasks.add_task(Task(_sdist, help=_ARGS_HELP), name=f"{prefix}sdist")
    tasks.add_task(Task(_test, help=_ARGS_HELP), name=f"{prefix}test")
    tasks.add_task(Task(_audit, help=_ARGS_HELP), name=f"{prefix}audit")
    tasks.add_task(Task(_doctor, help=_ARGS_HELP), name=f"{prefix}doctor")
    return tasks


def _wheels(_context: Context, args: str = "") -> None:
    """Build and audit every wheel that this machine can build, and the sdist."""
    _run("build", *shlex.split(args))


def _sdist(_context: Context, args: str = "") -> None:
    """Build the source distribution."""
    _run("build", "--sdist-only", *shlex.split(args))


def _test(_context: Context, python: str = "", args: str = "") -> None:
    """Test the built wheels, with one Python (--python 3.13) or all that are here."""
    chosen = ("--python", python) if python else ()
    _run("test", *chosen, *shlex.split(args))


def _audit(_context: Context, args: str = "") -> None:
    """Audit everything in dist/, or the files that are named."""
    _run("audit", *shlex.split(args))


def _doctor(_context: Context, args: str = "") -> None:
    """Tell what this machine can build and test, and what is missing."""
    _run("doctor", *shlex.split(args))


def _run(*arguments: str) -> None:
    code = main(arguments)
    if code:
        raise Exit(code=code)
