"""How images are asked for, made and removed: one engine, one log, one way to stop.

Starts the engine's client through the runner. Knows nothing of recipes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import platformdirs

from wheelworks.cancellation import Cancellation
from wheelworks.containers.build_errors import build_error
from wheelworks.containers.engine import engine_variables
from wheelworks.errors import InterruptedRunError, MissingResourceError
from wheelworks.process import child_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheelworks.containers.facts import EngineFacts
    from wheelworks.process import CommandResult, Runner

QUESTION_TIMEOUT_SECONDS = 60.0
#: What docker and podman say of an image that is not there.
ABSENT = r"no such (image|object)|image not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildProgress:
    """How far the build of an image has come."""

    step: int
    steps: int
    text: str
    """The instruction that runs."""


def _ignore(_: object) -> None:
    """Nobody listens."""


def default_work_dir() -> Path:
    """The user's folder of locks and unfinished files of images."""
    return platformdirs.user_cache_path("wheelworks", appauthor=False) / "images"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDoor:
    """The engine, as those who make images use it."""

    engine: EngineFacts
    runner: Runner
    environ: Mapping[str, str]
    """The caller's environment."""
    log: Path | None = None
    """File for everything that is printed meanwhile."""
    cancellation: Cancellation = field(default_factory=Cancellation)
    say: Callable[[str], None] = _ignore
    """Tells people what is done."""
    on_line: Callable[[str], None] = _ignore
    on_progress: Callable[[BuildProgress], None] = _ignore
    work_dir: Path = field(default_factory=default_work_dir)

    def ask(self, *arguments: str) -> CommandResult:
        """Run a short command of the engine and keep what it prints on stdout."""
        return self.call(
            (self.engine.path, *arguments),
            timeout_seconds=QUESTION_TIMEOUT_SECONDS,
            capture_stdout=True,
        )

    def call(
        self,
        argv: Sequence[str],
        *,
        timeout_seconds: float,
        set_: Mapping[str, str] | None = None,
        pass_: Sequence[str] = (),
        on_line: Callable[[str], None] | None = None,
        capture_stdout: bool = False,
        is_cleanup: bool = False,
    ) -> CommandResult:
        """Run a program with the caller's variables for the engine.

        Args:
            argv: program and arguments.
            timeout_seconds: longest time.
            set_: variables to set.
            pass_: further names of the caller's variables that are passed on.
            on_line: called with each line.
            capture_stdout: keep stdout for the result.
            is_cleanup: whether it runs to its end although the run is interrupted.

        Raises:
            InterruptedRunError: the run was interrupted meanwhile.
        """
        set_ = {**engine_variables(self.environ), **(set_ or {})}
        result = self.runner.run(
            argv,
            env=child_environment(self.environ, set_=set_, pass_=pass_),
            cwd=self.folder(),
            timeout_seconds=timeout_seconds,
            on_line=on_line,
            log=None if capture_stdout else self.log,
            cancellation=None if is_cleanup else self.cancellation,
            capture_stdout=capture_stdout,
        )
        if result.cancelled:
            raise InterruptedRunError("interrupted while an image was made")
        return result

    def folder(self) -> Path:
        """The folder of locks and unfinished files, made where needed."""
        try:
            self.work_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MissingResourceError(
                f"the folder {self.work_dir} can't be made: {error.strerror or error}",
                hint="make room or make it writable, or set XDG_CACHE_HOME",
            ) from error
        return self.work_dir

    def image_id(self, reference: str) -> str | None:
        """The id of a local image; None when there is none of that name.

        Raises:
            MissingResourceError: the engine does not answer.
        """
        result = self.ask("image", "inspect", "--format", "{{.Id}}", reference)
        if result.ok:
            return result.stdout.strip() or None
        if any(re.search(ABSENT, line, re.IGNORECASE) for line in result.tail):
            return None
        raise build_error(result, f"{self.engine.name} does not answer", self.log)
