"""The containers of a run: written down before they start, removed when they outlive their step or their run.

Touches ``.wheelworks/running/<run id>.containers/`` and, through the Runner, the engine. Killing the engine's client
stops no container, so that one is removed by name, and those of a dead run by their label.

The folder is there as long as the run may have containers. ``engine.json`` in it names the client and where it finds
the engine; a ``.cid`` file stands for a container that may be there.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wheelworks.childenv import passed_variables
from wheelworks.containers import paths
from wheelworks.containers.invocation import engine_environment
from wheelworks.files import atomic_write, unwritable
from wheelworks.leftovers import CONTAINERS_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from wheelworks.runner import CommandResult, Runner

REMOVAL_SECONDS: Final = 20.0
"""How long an engine may take to list or remove containers; what it does not is tried again by the next run."""
_ENGINE_FILE: Final = "engine.json"
_GONE: Final = ("no such container", "no container with", "is already in progress")
#: Where the engine is, without what may hold a password.
_PLACE: Final = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH",
                 "DOCKER_TLS_VERIFY", "CONTAINER_HOST", "CONTAINER_CONNECTION", "XDG_RUNTIME_DIR")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContainers:
    """The containers of one run.

    Args:
        state_dir: ``.wheelworks`` in the project.
        run_id: the run.
        runner: the door to the engine's client.
        environ: the caller's environment.
    """

    state_dir: Path
    run_id: str
    runner: Runner
    environ: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where they are written down."""
        return self.state_dir / "running" / f"{self.run_id}{CONTAINERS_SUFFIX}"

    @contextlib.contextmanager
    def watching(self, engine: str, name: str) -> Iterator[Watch]:
        """Write a container down, and remove it at the end unless it is known to be gone.

        Args:
            engine: path of the engine's client.
            name: the container's name.

        Yields:
            Where its id goes, and who is told that it is gone.

        Raises:
            MissingResourceError: the folder can't be written.
        """
        self._note_engine(engine)
        watch = Watch(cidfile=self.folder / f"{name}.cid")
        try:
            yield watch
        finally:
            if watch.is_gone or self._is_removed(engine, name):
                watch.cidfile.unlink(missing_ok=True)
            else:
                # The engine may still be making it, and then it has no id yet.
                with contextlib.suppress(OSError):
                    watch.cidfile.touch()

    @contextlib.contextmanager
    def watching_unnamed(self, engine: str, name: str) -> Iterator[Watch]:
        """The same for a container that another program makes and names: only its id is known, once it is there.

        Args:
            engine: path of the engine's client.
            name: what it is written down as.

        Yields:
            As :meth:`watching`.

        Raises:
            MissingResourceError: the folder can't be written.
        """
        self._note_engine(engine)
        watch = Watch(cidfile=self.folder / f"{name}.cid")
        try:
            yield watch
        finally:
            with contextlib.suppress(OSError):
                if watch.is_gone or self._is_removed_by_id(engine, watch.cidfile):
                    watch.cidfile.unlink(missing_ok=True)
                else:
                    # The program may have been stopped while the engine made it; its label says whose it is.
                    watch.cidfile.touch()

    def close(self) -> None:
        """Remove what outlived its step; no engine is asked when nothing did."""
        if any(self.folder.glob("*.cid")):
            self.remove_all()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def remove_all(self) -> tuple[str, ...]:
        """Remove all containers with the run's label; gives their ids. The folder stays if that fails."""
        try:
            document: dict[str, str] = json.loads((self.folder / _ENGINE_FILE).read_bytes())
            engine = document.pop("engine")
        except (OSError, ValueError, KeyError, AttributeError):
            # The run was killed before it wrote the file whole, which it does before the first container.
            shutil.rmtree(self.folder, ignore_errors=True)
            return ()
        label = f"label={paths.LABEL_RUN}={self.run_id}"
        listed = self._ask(engine, "ps", "--all", "--quiet", "--filter", label, place=document)
        ids = tuple(listed.stdout.split())
        removed = tuple(one for one in ids if self._is_removed(engine, one, place=document))
        if listed.ok and removed == ids:
            shutil.rmtree(self.folder, ignore_errors=True)
        return removed

    def _note_engine(self, engine: str) -> None:
        file = self.folder / _ENGINE_FILE
        if file.exists():
            return
        document = {"engine": engine, **passed_variables(self.environ, _PLACE)}
        try:
            atomic_write(file, json.dumps(document).encode(), durable=False)
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def _is_removed(
        self, engine: str, name: str, *, place: Mapping[str, str] | None = None
    ) -> bool:
        result = self._ask(engine, "rm", "--force", name, place=place or {})
        text = "\n".join(result.tail).lower()
        return result.ok or any(words in text for words in _GONE)

    def _is_removed_by_id(self, engine: str, cidfile: Path) -> bool:
        container = cidfile.read_text(encoding="ascii").strip() if cidfile.exists() else ""
        return bool(container) and self._is_removed(engine, container)

    def _ask(self, engine: str, *arguments: str, place: Mapping[str, str]) -> CommandResult:
        """Call the client; nothing stops it but its bound."""
        return self.runner.run(
            (engine, *arguments),
            env={**engine_environment(self.environ), **place},
            cwd=self.state_dir,
            timeout_seconds=REMOVAL_SECONDS,
            capture_stdout=True,
        )


def container_remover(
    state_dir: Path, runner: Runner, environ: Mapping[str, str]
) -> Callable[[str], tuple[str, ...]]:
    """What removes the containers of a dead run, given its id; see ``leftovers.sweep_leftovers``."""

    def remove(run_id: str) -> tuple[str, ...]:
        containers = RunContainers(
            state_dir=state_dir, run_id=run_id, runner=runner, environ=environ
        )
        return containers.remove_all()

    return remove


@dataclass(slots=True)
class Watch:
    """A container that may be there."""

    cidfile: Path
    """Where the engine writes its id; not there yet."""
    is_gone: bool = False
    """Set by whoever saw it end."""
