"""``wheelworks gc``: removes leftovers of killed runs, stale build folders and snapshots, old runs and images."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.commands.context import directory_of
from wheelworks.commands.gc_images import collect_images
from wheelworks.config.load import load
from wheelworks.config.parse import InvalidValueError, parse_size
from wheelworks.containers.removal import container_remover
from wheelworks.errors import EXIT_OK, MissingResourceError, UsageError
from wheelworks.gc import (
    KEPT_RUN_SECONDS,
    KEPT_RUNS,
    UNUSED_SECONDS,
    Candidate,
    choose_removals,
)
from wheelworks.leftovers import sweep_leftovers
from wheelworks.locks import acquire
from wheelworks.preparation import STATE_FOLDER
from wheelworks.snapshot import manifest_path
from wheelworks.store import RunStore
from wheelworks.text import format_size

if TYPE_CHECKING:
    import argparse

    from wheelworks.commands.context import CommandContext

GC_SCHEMA = 1
#: Folders of the state folder that hold one folder per build key.
KEY_FOLDERS = ("build", "source", "slices", "homes")


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
        _candidates(state_dir), max_bytes=max_bytes, unused_since=time.time() - UNUSED_SECONDS
    )
    if not args.dry_run:
        sweep_leftovers(state_dir, container_remover(state_dir, context.runner, context.environ))
        removals = tuple(one for one in removals if _is_removed(state_dir, one.name, context))
        RunStore(state_dir).prune(max_runs=KEPT_RUNS, max_age_seconds=KEPT_RUN_SECONDS)
    removals += collect_images(loaded, context, takes_all=args.images, dry_run=args.dry_run)
    freed = sum(candidate.size for candidate in removals)
    if args.json:
        context.result_json(
            {
                "schema": GC_SCHEMA,
                "dry_run": args.dry_run,
                "removed": [{"name": one.name, "size": one.size} for one in removals],
                "freed": freed,
            }
        )
    else:
        for candidate in removals:
            context.result(f"{candidate.name}  {format_size(candidate.size)}")
    context.say(f"{'would free' if args.dry_run else 'freed'} {format_size(freed)}")
    return EXIT_OK


def _candidates(state_dir: Path) -> tuple[Candidate, ...]:
    """Every build key's folders, with their size and the time they were last used."""
    keys = {
        folder.name
        for kind in KEY_FOLDERS
        for folder in (state_dir / kind).glob("*")
        if folder.is_dir()
    }
    return tuple(_candidate(state_dir, key) for key in sorted(keys))


def _candidate(state_dir: Path, key: str) -> Candidate:
    folders = [state_dir / kind / key for kind in KEY_FOLDERS]
    used = max((folder.stat().st_mtime for folder in folders if folder.exists()), default=0.0)
    return Candidate(name=key, size=sum(map(_size, folders)), last_used=used)


def _size(folder: Path) -> int:
    """Bytes of all files below; what a running build removes meanwhile does not count."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


def _remove_folders(state_dir: Path, key: str) -> None:
    """Out of sight at once, then off the disk: a build that copies from them meanwhile must not meet half of them."""
    away = state_dir / "staging" / f"gc-{secrets.token_hex(4)}"
    away.mkdir(parents=True)
    for kind in KEY_FOLDERS:
        folder = state_dir / kind / key
        with contextlib.suppress(FileNotFoundError):
            try:
                folder.rename(away / kind)
            except PermissionError:
                # Windows moves no folder with an open file.
                shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(away, ignore_errors=True)


def _is_removed(state_dir: Path, key: str, context: CommandContext) -> bool:
    """Remove a build key's folders under its lock; those of a running build stay."""
    try:
        with acquire(state_dir / "locks" / f"{key}.lock", wait=False):
            _remove_folders(state_dir, key)
            manifest_path(state_dir / "source" / key).unlink(missing_ok=True)
    except MissingResourceError as error:
        context.say(f"{key} stays: {error.message}")
        return False
    return True
