"""``wheelworks gc``: removes leftovers of killed runs, stale build folders and snapshots, old runs."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from wheelworks.commands.context import directory_of
from wheelworks.config.load import load
from wheelworks.config.parse import InvalidValueError, parse_size
from wheelworks.errors import EXIT_OK, UsageError
from wheelworks.gc import Candidate, choose_removals
from wheelworks.leftovers import sweep_leftovers
from wheelworks.locks import acquire
from wheelworks.preparation import STATE_FOLDER
from wheelworks.store import RunStore
from wheelworks.text import format_size

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from wheelworks.commands.context import CommandContext

#: A build folder that was not used for so long is of a toolchain or option that is gone.
UNUSED_DAYS = 30
KEPT_RUNS = 50
KEPT_RUN_DAYS = 90
DAY_SECONDS = 86400.0


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Remove what is not needed any more; ``dist/`` is never touched.

    Raises:
        UsageError: ``--max-size`` is no size.
    """
    loaded = load(directory_of(args), flags={}, environ=context.environ, package=args.package)
    state_dir = loaded.project.root / STATE_FOLDER
    try:
        max_bytes = parse_size(args.max_size) if args.max_size is not None else None
    except InvalidValueError as error:
        raise UsageError(f"--max-size: {error}", hint="write it as 5GiB or 800MiB") from error
    removals = choose_removals(
        _candidates(state_dir),
        max_bytes=max_bytes,
        unused_since=time.time() - UNUSED_DAYS * DAY_SECONDS,
    )
    for candidate in removals:
        context.result(f"{candidate.name}  {format_size(candidate.size)}")
    freed = sum(candidate.size for candidate in removals)
    if args.dry_run:
        context.say(f"would free {format_size(freed)}")
        return EXIT_OK
    sweep_leftovers(state_dir)
    for candidate in removals:
        _remove(state_dir, candidate.name)
    RunStore(state_dir).prune(max_runs=KEPT_RUNS, max_age_seconds=KEPT_RUN_DAYS * DAY_SECONDS)
    context.say(f"freed {format_size(freed)}")
    return EXIT_OK


def _candidates(state_dir: Path) -> tuple[Candidate, ...]:
    """Every build key's folders, with their size and the time they were last used."""
    keys = {
        folder.name
        for kind in ("build", "source")
        for folder in (state_dir / kind).glob("*")
        if folder.is_dir()
    }
    return tuple(_candidate(state_dir, key) for key in sorted(keys))


def _candidate(state_dir: Path, key: str) -> Candidate:
    folders = [state_dir / kind / key for kind in ("build", "source")]
    files = [path.lstat() for folder in folders if folder.is_dir() for path in folder.rglob("*")]
    used = max((folder.stat().st_mtime for folder in folders if folder.exists()), default=0.0)
    return Candidate(name=key, size=sum(file.st_size for file in files), last_used=used)


def _remove(state_dir: Path, key: str) -> None:
    """Remove a build key's folders under its lock, so that no running build loses its ground."""
    with acquire(state_dir / "locks" / f"{key}.lock", wait=False):
        for kind in ("build", "source"):
            shutil.rmtree(state_dir / kind / key, ignore_errors=True)
        (state_dir / "source" / f"{key}.manifest.json").unlink(missing_ok=True)
