"""``.git`` in a snapshot, so that build scripts find HEAD and tags as in the project.

Takes the project's folder and the snapshot's; starts git through the Runner. The project's
repository is only read: the snapshot's has its own refs and index and borrows the objects.
"""

from __future__ import annotations

import glob
import hashlib
import secrets
import shutil
from typing import TYPE_CHECKING, Final

from wheelworks.childenv import child_environment
from wheelworks.errors import InterruptedRunError, JobFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelworks.cancellation import Cancellation
    from wheelworks.runner import CommandResult, Runner

GIT_FOLDER: Final = ".git"
_STAMP: Final = "wheelworks-refs"
_TIMEOUT_SECONDS: Final = 300.0


def sync_git(
    source_root: Path,
    destination: Path,
    *,
    wanted: bool,
    runner: Runner,
    environ: Mapping[str, str],
    cancellation: Cancellation | None = None,
) -> bool:
    """Put ``.git`` into a snapshot, make it anew when a ref moved, or remove it.

    Call it after the files are in step, because the index is compared with them.

    Args:
        source_root: a folder in the project's work tree.
        destination: the snapshot.
        wanted: whether there shall be one.
        runner: starts git.
        environ: the caller's variables.
        cancellation: stops git.

    Returns:
        Whether there is one now; never where the project has no repository, no commit, or git is
        missing.

    Raises:
        JobFailedError: git failed.
        InterruptedRunError: it was stopped.
    """
    ours = destination / GIT_FOLDER
    git = _Git(runner, environ, cancellation)
    refs = git.refs(source_root) if wanted else None
    if refs is None:
        _remove(ours)
        return False
    stamp = ours / _STAMP
    if stamp.is_file() and stamp.read_text("utf-8") == refs:
        return True
    for path in (ours, *destination.parent.glob(glob.escape(destination.name) + ".git-*")):
        # The second kind is what a killed sync left.
        _remove(path)
    fresh = destination.with_name(f"{destination.name}.git-{secrets.token_hex(4)}")
    try:
        _clone(git, git.top_level(source_root), fresh)
        (fresh / GIT_FOLDER).rename(ours)
    finally:
        _remove(fresh)
    # The index is filled from HEAD, so that `git describe --dirty` sees only real changes.
    git.run(["reset", "--quiet", "--mixed"], destination)
    # Last: without the stamp, the next sync begins again.
    stamp.write_text(refs, "utf-8")
    return True


def _clone(git: _Git, top_level: str, fresh: Path) -> None:
    git.run(
        ["clone", "--quiet", "--shared", "--no-checkout", "--template=", top_level, str(fresh)],
        fresh.parent,
    )
    # A build script that pushes must not reach the project.
    git.run(["remote", "remove", "origin"], fresh)
    for option in ("core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false"):
        git.run(["config", *option.split("=")], fresh)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


class _Git:
    """Runs git commands."""

    def __init__(
        self, runner: Runner, environ: Mapping[str, str], cancellation: Cancellation | None
    ) -> None:
        self._runner = runner
        self._cancellation = cancellation
        # GIT_DIR and its like are not on the allow-list: nox in a git hook has them set.
        self._environment = child_environment(
            environ,
            set_={"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        )

    def refs(self, folder: Path) -> str | None:
        """What HEAD and the tags are, as a digest; None without repository, commit or git.

        Raises:
            JobFailedError: the repository belongs to somebody else.
            InterruptedRunError: git was stopped.
        """
        shown = self._try(["show-ref", "--head", "--tags"], folder)
        if any("dubious ownership" in line for line in shown.tail):
            raise JobFailedError(
                f"git does not trust the repository of {folder}: it belongs to another user",
                hint=f'git config --global --add safe.directory {folder}, or snapshot-git = "never"',
            )
        if not shown.ok:
            return None
        branch = self._try(["symbolic-ref", "--quiet", "HEAD"], folder)
        return hashlib.sha256(f"{branch.stdout}\n{shown.stdout}".encode()).hexdigest()

    def top_level(self, folder: Path) -> str:
        """The root of the work tree."""
        return self.run(["rev-parse", "--show-toplevel"], folder).stdout.rstrip("\n")

    def run(self, arguments: Sequence[str], folder: Path) -> CommandResult:
        """Run git.

        Raises:
            JobFailedError: it failed.
            InterruptedRunError: it was stopped.
        """
        result = self._try(arguments, folder)
        if not result.ok:
            said = result.tail[-1] if result.tail else result.start_error
            raise JobFailedError(
                f"git {arguments[0]} failed in {folder}: {said}",
                hint='snapshot-git = "never" builds without .git',
            )
        return result

    def _try(self, arguments: Sequence[str], folder: Path) -> CommandResult:
        result = self._runner.run(
            ["git", *arguments],
            env=self._environment,
            cwd=folder,
            timeout_seconds=_TIMEOUT_SECONDS,
            cancellation=self._cancellation,
            capture_stdout=True,
        )
        if result.cancelled:
            raise InterruptedRunError(f"interrupted while git {arguments[0]} ran")
        return result
