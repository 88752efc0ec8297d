"""Our images on this machine: which there are, which go, and their removal.

Asks the engine and removes images through it. Images of others are never touched: ours are known by their name,
unfinished ones by their label.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from wheelworks.containers.paths import LABEL_BUILDING
from wheelworks.containers.recipes import REPOSITORY
from wheelworks.gc import DAY_SECONDS, UNUSED_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheelworks.containers.image_door import ImageDoor
    from wheelworks.containers.recipes import Recipe

LIST_FORMAT = "{{.Repository}}:{{.Tag}}\t{{.ID}}"
INSPECT_FORMAT = "{{.Id}}\t{{.Size}}\t{{.Created}}"
REMOVE_TIMEOUT_SECONDS = 300.0
#: How long the finished steps of an interrupted build wait for the next one.
UNFINISHED_SECONDS = DAY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImage:
    """An image of ours that the engine has."""

    reference: str | None
    """``wheelworks/toolchain:0123456789ab-amd64``; None for finished steps of an unfinished build."""
    image_id: str
    size: int
    """Bytes, with what it shares with others."""
    created: float
    """Seconds since the epoch."""

    @property
    def name(self) -> str:
        """For people."""
        return self.reference or f"unfinished image {self.image_id.removeprefix('sha256:')[:12]}"


def list_images(door: ImageDoor) -> tuple[LocalImage, ...]:
    """Every image of ours; empty when the engine does not answer."""
    named = door.ask("image", "ls", "--no-trunc", "--format", LIST_FORMAT)
    found: list[tuple[str | None, str]] = []
    for line in named.stdout.splitlines() if named.ok else ():
        reference, _, image_id = line.partition("\t")
        reference = reference.removeprefix("localhost/")
        if reference.startswith(f"{REPOSITORY}/") and not reference.endswith(":<none>"):
            found.append((reference, image_id))
    filters = ("--filter", "dangling=true", "--filter", f"label={LABEL_BUILDING}")
    unfinished = door.ask("image", "ls", "--no-trunc", "--quiet", *filters)
    found += [(None, one) for one in sorted(set(unfinished.stdout.split())) if unfinished.ok]
    return _with_sizes(found, door)


def choose_images(
    images: Sequence[LocalImage],
    recipes: Iterable[Recipe],
    *,
    now: float,
    takes_all: bool = False,
) -> tuple[LocalImage, ...]:
    """Which images go: old ones that no recipe of the project names, and steps of abandoned builds. Pure.

    Another project's recipe may name an image that this one's do not, and a build may be going on: what is
    young stays.

    Args:
        images: what there is.
        recipes: those in force.
        now: seconds since the epoch.
        takes_all: whether all go.
    """
    kept = set()
    for recipe in recipes:
        kept |= {recipe.reference, recipe.lowest_base.reference}
        if recipe.parent is not None:
            kept.add(recipe.parent.reference)
    gone = [
        image
        for image in images
        if takes_all or (image.reference not in kept and now - image.created > _kept_seconds(image))
    ]
    # What is built on another goes before it.
    return tuple(sorted(gone, key=lambda image: image.created, reverse=True))


def remove_images(images: Iterable[LocalImage], door: ImageDoor) -> tuple[LocalImage, ...]:
    """Remove images; gives those that are gone. One that a container uses stays, and people are told."""
    removed = []
    for image in images:
        result = door.call(
            (door.engine.path, "rmi", image.reference or image.image_id),
            timeout_seconds=REMOVE_TIMEOUT_SECONDS,
        )
        if result.ok:
            removed.append(image)
        else:
            said = result.start_error or (result.tail[-1] if result.tail else "")
            door.say(f"{image.name} stays: {said}")
    return tuple(removed)


def _kept_seconds(image: LocalImage) -> float:
    return UNFINISHED_SECONDS if image.reference is None else UNUSED_SECONDS


def _with_sizes(found: Sequence[tuple[str | None, str]], door: ImageDoor) -> tuple[LocalImage, ...]:
    if not found:
        return ()
    ids = sorted({image_id for _, image_id in found})
    answer = door.ask("image", "inspect", "--format", INSPECT_FORMAT, *ids)
    known = {}
    for line in answer.stdout.splitlines():
        identity, bytes_, made = line.split("\t")
        known[identity.removeprefix("sha256:")] = (int(bytes_), _seconds(made))
    images = []
    for reference, image_id in found:
        size, created = known.get(image_id.removeprefix("sha256:"), (0, 0.0))
        images.append(
            LocalImage(reference=reference, image_id=image_id, size=size, created=created)
        )
    return tuple(images)


def _seconds(text: str) -> float:
    """``2026-11-23T09:34:02.123456789Z`` as docker says it, or podman's ``2026-11-23 09:34:02.1 +0000 UTC``."""
    day, time = text[:10], text[11:19]
    try:
        return datetime.fromisoformat(f"{day}T{time}+00:00").timestamp()
    except ValueError:
        return 0.0
