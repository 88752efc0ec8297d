"""The part of ``wheelworks gc`` that removes images."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wheelworks.containers.engine import FoundEngine, find_engine
from wheelworks.containers.image_door import ImageDoor
from wheelworks.containers.image_gc import choose_images, list_images, remove_images
from wheelworks.containers.image_probe import asked_rust
from wheelworks.containers.recipes import recipes_for
from wheelworks.gc import Candidate
from wheelworks.probe_door import ProbeDoor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks.commands.context import CommandContext
    from wheelworks.config.load import Loaded
    from wheelworks.containers.recipes import Recipe


def collect_images(
    loaded: Loaded, context: CommandContext, *, takes_all: bool, dry_run: bool
) -> tuple[Candidate, ...]:
    """Remove images of ours that are not needed any more; nothing where no engine answers.

    Args:
        loaded: the project and its settings, whose images stay.
        context: how the command talks.
        takes_all: whether all of our images go.
        dry_run: whether they are only listed.
    """
    door = ProbeDoor(runner=context.runner, environ=context.environ, cwd=loaded.project.root)
    found = find_engine(door, wanted=loaded.settings.container.engine)
    if not isinstance(found, FoundEngine):
        if takes_all:
            context.say(f"images stay: {found.reason}")
        return ()
    images_door = ImageDoor(
        engine=found.facts, runner=context.runner, environ=context.environ, say=context.say
    )
    gone = choose_images(
        list_images(images_door),
        _recipes(loaded, found),
        now=time.time(),
        takes_all=takes_all,
    )
    if not dry_run:
        gone = remove_images(gone, images_door)
    return tuple(
        Candidate(name=image.name, size=image.size, last_used=image.created) for image in gone
    )


def _recipes(loaded: Loaded, found: FoundEngine) -> Iterator[Recipe]:
    """Both variants of the toolchain image may be in use."""
    settings, project = loaded.settings, loaded.project
    for rust in (None, asked_rust(settings, project)):
        yield from recipes_for(
            settings=settings,
            project=project,
            engine_platform=found.facts.platform,
            rust=rust,
            interpreters=settings.pythons,
        )
