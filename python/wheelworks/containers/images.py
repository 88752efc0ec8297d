"""Makes sure that an image is there: its base, what it is built on, then itself.

Touches the engine's images, the network during a build, and a folder with locks and build contexts. An
interrupted build leaves nothing but the engine's own cache of finished steps, from which the next one goes on.
"""

from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING

from wheelworks.containers.base_image import ensure_base
from wheelworks.containers.build_errors import build_error
from wheelworks.containers.image_door import BuildProgress
from wheelworks.containers.paths import LABEL_BUILDING, LABEL_LOCAL, LABEL_RECIPE
from wheelworks.containers.recipes import architecture
from wheelworks.containers.tree_images import load_tree
from wheelworks.errors import MissingResourceError
from wheelworks.locks import acquire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wheelworks.containers.image_door import ImageDoor
    from wheelworks.containers.recipes import Recipe
    from wheelworks.locks import LockHolder

BUILD_TIMEOUT_SECONDS = 3 * 3600.0
CLEANUP_TIMEOUT_SECONDS = 60.0
#: How long the server's own cleaning up is waited for.
SETTLE_SECONDS = 15.0
STOPPED = ("created", "exited", "dead")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
#: Further variables of the caller that a build sees when they are set.
BUILD_VARIABLES = ("PIP_INDEX_URL", "RUSTUP_DIST_SERVER")
#: ``Step 3/10 : RUN ...`` (docker without BuildKit), ``STEP 3/10: RUN ...`` (podman), ``#7 [3/10] RUN ...``.
STEP = re.compile(
    r"^(?:step (?P<a>\d+)/(?P<b>\d+) ?: |#\d+ \[(?:[\w-]+ )?(?P<c>\d+)/(?P<d>\d+)\] )(?P<text>.*)",
    re.IGNORECASE,
)


def ensure_image(recipe: Recipe, door: ImageDoor, *, ca_bundle: Path | None = None) -> str:
    """Make sure that an image is there; gives its id.

    Args:
        recipe: what it is made of.
        door: the engine, the log and whoever is told of progress.
        ca_bundle: the host's certificates, which go into it.

    Raises:
        MissingResourceError: it can't be built; says why and the way out.
        InterruptedRunError: the run was interrupted meanwhile.
    """
    found = door.image_id(recipe.reference)
    if found is not None:
        return found
    lock = door.folder() / f"{_name(recipe)}.lock"
    with acquire(
        lock, wait=True, on_wait=_tell_waiting(recipe, door), cancellation=door.cancellation
    ):
        # Another run may have built it while this one waited.
        found = door.image_id(recipe.reference)
        if found is None:
            below = _ensure_below(recipe, door, ca_bundle=ca_bundle)
            _build(recipe, door, below=below, ca_bundle=ca_bundle)
            found = door.image_id(recipe.reference)
    if found is None:
        raise MissingResourceError(
            f"the image {recipe.reference} is gone although its build succeeded",
            hint="somebody removes images meanwhile; run again",
            log=door.log,
        )
    return found


def parse_step(line: str) -> BuildProgress | None:
    """The step that a line of the engine's output begins, if it does."""
    found = STEP.match(line)
    if found is None:
        return None
    step, steps = (found["a"], found["b"]) if found["a"] else (found["c"], found["d"])
    return BuildProgress(step=int(step), steps=int(steps), text=found["text"])


def _tell_waiting(recipe: Recipe, door: ImageDoor) -> Callable[[LockHolder | None], None]:
    def tell(holder: LockHolder | None) -> None:
        door.say(f"waiting for {holder or 'another run'}, which builds a {recipe.role} image")

    return tell


def _ensure_below(recipe: Recipe, door: ImageDoor, *, ca_bundle: Path | None) -> str:
    """The reference of what the image is built on, which is there afterwards."""
    if recipe.parent is not None:
        ensure_image(recipe.parent, door, ca_bundle=ca_bundle)
        return recipe.parent.reference
    return ensure_base(recipe.lowest_base, door)


def _build(recipe: Recipe, door: ImageDoor, *, below: str, ca_bundle: Path | None) -> None:
    door.say(
        f"the {recipe.role} image for {recipe.platform} is built: about {recipe.minutes} min, "
        f"{recipe.size_mib / 1024:.1f} GiB"
    )
    context = door.folder() / f"{_name(recipe)}.context"
    _sweep(recipe, door)
    # What a killed run left; we hold the lock.
    shutil.rmtree(context, ignore_errors=True)
    try:
        _write_context(recipe, context, ca_bundle)
        arguments = tuple(_build_arguments(recipe, door, below=below, context=context))
        result = door.call(
            (door.engine.path, *arguments),
            timeout_seconds=BUILD_TIMEOUT_SECONDS,
            set_=_builder_variables(door),
            pass_=tuple(_passed_variables(door)),
            on_line=_listener(door),
        )
    except OSError as error:
        raise MissingResourceError(
            f"the files of the image's build could not be written to {context}: {error.strerror or error}",
            hint="make room there",
            log=door.log,
        ) from error
    finally:
        shutil.rmtree(context, ignore_errors=True)
        _sweep(recipe, door)
    if not result.ok:
        raise build_error(result, f"the {recipe.role} image could not be built", door.log)
    if recipe.is_tree:
        load_tree(recipe, _built_as(recipe), door, door.folder() / f"{_name(recipe)}.unfinished")


def _built_as(recipe: Recipe) -> str:
    """What the Dockerfile's result is called: the image itself, or the one that has its tree."""
    return f"{recipe.reference}-tree" if recipe.is_tree else recipe.reference


def _name(recipe: Recipe) -> str:
    """What builds that wait for each other have in common."""
    return f"{recipe.role}-{architecture(recipe.platform)}"


def _write_context(recipe: Recipe, context: Path, ca_bundle: Path | None) -> None:
    context.mkdir(parents=True)
    # Builds of a role for two architectures go on side by side, and each removes its own leftovers only.
    own = f'{LABEL_BUILDING}="{recipe.role}"', f'{LABEL_BUILDING}="{_name(recipe)}"'
    for name, text in (*recipe.files, ("Dockerfile", recipe.dockerfile.replace(*own))):
        (context / name).write_text(text, encoding="utf-8", newline="\n")
    (context / "ca.crt").write_bytes(ca_bundle.read_bytes() if ca_bundle is not None else b"")


def _build_arguments(
    recipe: Recipe, door: ImageDoor, *, below: str, context: Path
) -> Iterator[str]:
    yield from ("build", "--rm", "--force-rm", "--network", "host")
    yield from ("--platform", recipe.build_platform)
    if door.engine.name == "podman":
        # The format of OCI keeps no SHELL, and docker's labels are looked for.
        yield from ("--format", "docker")
    yield from ("--tag", _built_as(recipe))
    labels = {LABEL_RECIPE: recipe.digest, LABEL_LOCAL: "true", LABEL_BUILDING: ""}
    for label, value in labels.items():
        yield from ("--label", f"{label}={value}")
    yield from ("--build-arg", f"BASE={below}")
    for name, value in recipe.build_args:
        yield from ("--build-arg", f"{name}={value}")
    # By name only: the value may hold a password, and the client reads it from its environment.
    for name in _passed_variables(door):
        yield from ("--build-arg", name)
    yield str(context)


def _passed_variables(door: ImageDoor) -> Iterator[str]:
    for name, value in sorted(door.environ.items()):
        if value and (name.upper() in PROXIES or name in BUILD_VARIABLES):
            yield name


def _builder_variables(door: ImageDoor) -> dict[str, str]:
    """Docker's builder: the old one where its client lacks buildx, without which it refuses the new one."""
    if door.engine.name != "docker":
        return {}
    has_buildx = door.ask("buildx", "version").ok
    return {"BUILDKIT_PROGRESS": "plain"} if has_buildx else {"DOCKER_BUILDKIT": "0"}


def _listener(door: ImageDoor) -> Callable[[str], None]:
    def listen(line: str) -> None:
        door.on_line(line)
        progress = parse_step(line)
        if progress is not None:
            door.on_progress(progress)

    return listen


def _sweep(recipe: Recipe, door: ImageDoor) -> None:
    """Remove containers of unfinished steps that a build of this role and architecture left.

    The label is set at the top of each Dockerfile and emptied in the finished image, so that no job's
    container has it; such builds wait for each other. The server goes on for a moment after its client
    was stopped; a container that runs on may be another user's and is left alone.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        stopped = [
            one for status in STOPPED for one in _containers(recipe, door, f"status={status}")
        ]
        if stopped:
            door.call(
                (door.engine.path, "rm", "--force", *stopped),
                timeout_seconds=CLEANUP_TIMEOUT_SECONDS,
                is_cleanup=True,
            )
        if not _containers(recipe, door) or time.monotonic() > deadline:
            return
        time.sleep(0.5)


def _containers(recipe: Recipe, door: ImageDoor, *filters: str) -> list[str]:
    """Ids of the containers of unfinished steps; empty when the engine does not answer."""
    arguments = [f"--filter={one}" for one in (f"label={LABEL_BUILDING}={_name(recipe)}", *filters)]
    listed = door.call(
        (door.engine.path, "ps", "--all", "--quiet", *arguments),
        timeout_seconds=CLEANUP_TIMEOUT_SECONDS,
        capture_stdout=True,
        is_cleanup=True,
    )
    return listed.stdout.split() if listed.ok else []
