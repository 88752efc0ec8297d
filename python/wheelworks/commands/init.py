"""``wheelworks init``: shows what it would add to a project, asks, and writes it.

Takes the command line; reads and writes the project's files. What is written is decided by
``init_plan``; this module writes exactly that, or nothing when a file has changed meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.commands.context import directory_of
from wheelworks.config.load import load
from wheelworks.errors import EXIT_OK, MissingResourceError, UsageError
from wheelworks.init_plan import (
    NOXFILE,
    PYPROJECT,
    SECOND_NOXFILE,
    ExistingFiles,
    propose,
    render_proposal,
    shown_path,
)

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext
    from wheelworks.dataclass_json import JsonValue
    from wheelworks.init_plan import Proposal, ProposedFile

INIT_SCHEMA = 1


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Show the proposal; write it with ``--yes`` or when the answer is yes.

    Returns:
        0, also when there was nothing to write or the answer was no.

    Raises:
        ConfigurationError: the project or its configuration is wrong.
        UsageError: nobody can be asked, or a file changed while the question was open.
        MissingResourceError: a file can't be written.
    """
    started_in = directory_of(args)
    loaded = load(started_in, flags={}, environ=context.environ, package=args.package)
    existing = read_existing(loaded.project.root)
    proposal = propose(loaded.project, loaded.settings, existing)
    # The project may lie in a sub-folder of where one is: its path has to be seen.
    context.say(render_proposal(proposal, started_in))
    writes = bool(proposal.files) and not args.dry_run and (args.yes or _agrees(context))
    if writes:
        apply(proposal)
        written = ", ".join(shown_path(file.path, started_in) for file in proposal.files)
        context.say(f"\nwritten: {written}")
    elif proposal.files:
        context.say("\nnothing was written")
    if args.json:
        context.result_json(_to_json(proposal, is_written=writes))
    return EXIT_OK


def read_existing(root: Path) -> ExistingFiles:
    """What the files hold that ``init`` may touch.

    Raises:
        MissingResourceError: a file is there and can't be read.
    """
    return ExistingFiles(
        pyproject=_read(root / PYPROJECT) or b"",
        noxfile=_read(root / NOXFILE),
        second_noxfile=_read(root / SECOND_NOXFILE),
    )


def apply(proposal: Proposal) -> None:
    """Write the proposal: every file by rename, and none before all have been checked.

    Raises:
        UsageError: a file does not hold what the proposal was made from.
        MissingResourceError: a file or its folder can't be written.
    """
    for file in proposal.files:
        _check(file)
    for file in proposal.files:
        try:
            _write(file)
        except OSError as error:
            raise MissingResourceError(
                f"{file.path} can't be written: {error.strerror}",
                hint="mend its permissions, or add the lines by hand",
            ) from error


def _agrees(context: CommandContext) -> bool:
    """Ask on stderr, so that a redirected stdout holds no question."""
    if not sys.stdin.isatty():
        raise UsageError(
            "nothing was written: there is no terminal to ask at", hint="write with --yes"
        )
    context.stderr.write("\nWrite this? [y/N] ")
    context.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MissingResourceError(f"{path} can't be read: {error.strerror}") from error


def _check(file: ProposedFile) -> None:
    if _read(file.path) != file.before:
        raise UsageError(
            f"{file.path} changed since it was shown; nothing was written", hint="run init again"
        )
    # A rename would replace a file that its owner has write-protected.
    if file.before is not None and not stat.S_IMODE(file.path.stat().st_mode) & 0o222:
        raise MissingResourceError(
            f"{file.path} is write-protected; nothing was written",
            hint="make it writable, or add the lines by hand",
        )


def _write(file: ProposedFile) -> None:
    """Write beside the file that a link points to, with its permissions, then rename."""
    target = file.path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(file.after)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(_mode(target, file))
        _move(temporary, target, may_replace=file.before is not None)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _mode(target: Path, file: ProposedFile) -> int:
    if file.before is not None:
        return stat.S_IMODE(target.stat().st_mode)
    # mkstemp's files are for the owner alone; a new file gets what the process' mask allows. The
    # mask can't be read without setting it.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _move(temporary: Path, target: Path, *, may_replace: bool) -> None:
    if may_replace:
        temporary.replace(target)
        return
    # A link fails where the file has appeared meanwhile; a POSIX rename would replace it.
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise
        temporary.rename(target)


def _to_json(proposal: Proposal, *, is_written: bool) -> JsonValue:
    return {
        "schema": INIT_SCHEMA,
        "written": is_written,
        "files": [
            {
                "path": str(file.path),
                "is_new": file.before is None,
                "added": file.added.decode("utf-8"),
            }
            for file in proposal.files
        ],
        "notes": list(proposal.notes),
    }
