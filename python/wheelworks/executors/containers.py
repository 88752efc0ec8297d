"""How a step runs in a container: mounts prepared, secrets in a file, nothing left when it ends.

Touches the folders that are mounted, the run's staging folder and, through the Runner, the engine. What is run is
the plan's; what a failure means is ``containers.failures``.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from wheelworks.containers import paths
from wheelworks.containers.failures import ended_by_itself, missing_source
from wheelworks.containers.invocation import (
    engine_argv,
    engine_environment,
    environment_file_text,
    private_variables,
    run_labels,
)
from wheelworks.containers.removal import RunContainers
from wheelworks.errors import MissingResourceError
from wheelworks.files import unwritable
from wheelworks.plan import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wheelworks.containers.removal import Watch
    from wheelworks.executors.base import RunContext
    from wheelworks.plan import ContainerUse, Job, Mount, Step
    from wheelworks.process import Cancellation, CommandResult

SECRETS_FOLDER = ".environments"


def run_in_container(
    job: Job,
    step: Step,
    use: ContainerUse,
    context: RunContext,
    cancellation: Cancellation,
    placeholders: Mapping[str, str],
    on_line: Callable[[str], None],
) -> CommandResult:
    """Run a step in a fresh container and make sure that the container is gone afterwards.

    Args:
        job: the job it belongs to.
        step: the step.
        use: its container.
        context: the run.
        cancellation: stops it.
        placeholders: name -> value on the host.
        on_line: gets each line of output.

    Raises:
        MissingResourceError: something that is mounted is missing, or can't be made.
    """
    inside = placeholders_inside(placeholders)
    prepare_mounts(use.mounts, placeholders)
    name = _container_name(job, step, context.run_id)
    private = private_variables(step, context.environ, inside)
    # The door masks the values of what it is given; those that the caller has, it knows.
    own = {variable: value for variable, value in private.items() if variable in step.env}
    with (
        _environment_file(context.staging_dir / SECRETS_FOLDER / name, private) as file,
        _containers(context).watching(use.engine, name) as watch,
    ):
        result = context.runner.run(
            engine_argv(
                step,
                placeholders_host=placeholders,
                placeholders_inside=inside,
                labels=run_labels(str(context.state_dir), context.run_id),
                cidfile=str(watch.cidfile),
                environment_file=file,
                name=name,
            ),
            env=engine_environment(context.environ) | own,
            cwd=context.state_dir,
            timeout_seconds=step.timeout_seconds,
            on_line=on_line,
            log=context.log_path(job),
            cancellation=cancellation,
        )
        watch.is_gone = ended_by_itself(result)
    return result


@contextlib.contextmanager
def beside_containers(
    job: Job, step: Step, engine: str, context: RunContext
) -> Iterator[tuple[dict[str, str], Watch]]:
    """For a step on the host whose program makes a container by itself: nothing of that is left when the step ends.

    Args:
        job: the job it belongs to.
        step: the step.
        engine: path of the engine's client.
        context: the run.

    Yields:
        The placeholders ``cidfile`` and ``run``, and who is told that the program removed its container.

    Raises:
        MissingResourceError: the folder of the run's containers can't be written.
    """
    name = _container_name(job, step, context.run_id)
    with _containers(context).watching_unnamed(engine, name) as watch:
        yield {"cidfile": str(watch.cidfile), "run": context.run_id}, watch


def _containers(context: RunContext) -> RunContainers:
    return RunContainers(
        state_dir=context.state_dir,
        run_id=context.run_id,
        runner=context.runner,
        environ=context.environ,
    )


def placeholders_inside(placeholders: Mapping[str, str]) -> dict[str, str]:
    """What the placeholders are in the container: the wheel under test lies in the scratch folder."""
    known = {"staging": paths.OUTPUT, "scratch": paths.SCRATCH}
    inside = {name: known.get(name, value) for name, value in placeholders.items()}
    if "wheel" in placeholders and "scratch" in placeholders:
        relative = Path(placeholders["wheel"]).relative_to(placeholders["scratch"]).as_posix()
        inside["wheel"] = f"{paths.SCRATCH}/{relative}"
    return inside


def prepare_mounts(mounts: Sequence[Mount], placeholders: Mapping[str, str]) -> None:
    """Make the folders that are mounted, and the places in them that others are mounted over.

    Otherwise the engine makes them, and then they belong to root.

    Raises:
        MissingResourceError: what is only read is missing, or a folder can't be made.
    """
    sources = {mount.target: Path(fill(mount.source, placeholders)) for mount in mounts}
    for mount in mounts:
        source = sources[mount.target]
        if mount.is_read_only and not source.exists():
            trouble = missing_source(str(source), mount.target)
            raise MissingResourceError(trouble.reason, hint=trouble.cure)
        if not mount.is_read_only:
            _make_folder(source)
    for target, source in sources.items():
        for parent, folder in sources.items():
            inner = PurePosixPath(target)
            if inner != PurePosixPath(parent) and inner.is_relative_to(parent):
                _make_mount_point(folder / inner.relative_to(parent), is_folder=source.is_dir())


def _make_mount_point(place: Path, *, is_folder: bool) -> None:
    if place.exists():
        return
    if is_folder:
        _make_folder(place)
        return
    _make_folder(place.parent)
    with contextlib.suppress(FileExistsError):
        place.touch()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        # A file that is written to; whatever else it is, the engine says so.
        return
    except OSError as error:
        raise unwritable(folder, error) from error


@contextlib.contextmanager
def _environment_file(path: Path, variables: Mapping[str, str]) -> Iterator[str | None]:
    """A file with the variables that only its owner can read, as long as the container runs; None without any."""
    if not variables:
        yield None
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(environment_file_text(variables))
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield str(path)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _container_name(job: Job, step: Step, run_id: str) -> str:
    """Readable in the engine's list, and never used twice."""
    words = re.sub(r"[^A-Za-z0-9_.]+", "-", f"{job.id}-{step.name}")
    return f"wheelworks-{run_id}-{words}-{secrets.token_hex(3)}"
