"""Which of our images go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders import a_project, some_settings
from fake_engine import FakeEngine
from fakes import Call, FakeRunner, Reply

from wheelworks.containers.facts import EngineFacts
from wheelworks.containers.image_door import ImageDoor
from wheelworks.containers.image_gc import (
    LocalImage,
    choose_images,
    list_images,
    remove_images,
)
from wheelworks.containers.recipes import recipes_for

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86400.0
NOW = 1000 * DAY
RECIPES = recipes_for(settings=some_settings(), project=a_project(), engine_platform="linux/amd64")
ENGINE = EngineFacts(
    name="docker", path="/usr/bin/docker", version="27", platform="linux/amd64", user=None
)


def _image(reference: str | None, age_days: float) -> LocalImage:
    return LocalImage(
        reference=reference, image_id=f"sha256:{reference}", size=1, created=NOW - age_days * DAY
    )


def _door(runner: FakeRunner, said: list[str], folder: Path) -> ImageDoor:
    return ImageDoor(engine=ENGINE, runner=runner, environ={}, work_dir=folder, say=said.append)


def test_images_of_recipes_in_force_stay() -> None:
    """Their bases too, however old."""
    images = [_image(one.reference, 400) for one in RECIPES]
    images += [_image(one.lowest_base.reference, 400) for one in RECIPES]
    assert choose_images(images, RECIPES, now=NOW) == ()


def test_old_images_of_other_recipes_go() -> None:
    """A young one may be another project's; unfinished ones wait for a day, for their build may go on."""
    old, young = _image("wheelworks/tests:old", 31), _image("wheelworks/tests:young", 29)
    stale, running = _image(None, 2), _image(None, 0.5)
    assert choose_images((old, young, stale, running), RECIPES, now=NOW) == (stale, old)


def test_all_go_when_asked_for() -> None:
    """The newest first, because they stand on the others."""
    images = [_image(RECIPES[0].reference, 3), _image(None, 0), _image("wheelworks/base:x", 4)]
    gone = choose_images(images, RECIPES, now=NOW, takes_all=True)
    assert gone == (images[1], images[0], images[2])


def test_only_ours_are_listed_and_removed(tmp_path: Path) -> None:
    """Whoever they belong to, others stay."""
    engine = FakeEngine(images={"wheelworks/tests:a-amd64": "sha256:1", "debian:forky": "sha256:2"})
    door = _door(engine.runner(), [], tmp_path)
    (found,) = list_images(door)
    assert found.name == "wheelworks/tests:a-amd64"
    assert remove_images((found,), door) == (found,)
    assert engine.images == {"debian:forky": "sha256:2"}


def test_sizes_and_times_are_the_engines(tmp_path: Path) -> None:
    """Docker's way of writing times and podman's."""
    answers = {
        "ls": Reply(
            stdout="localhost/wheelworks/tests:a\tsha256:1\nwheelworks/base:b\t2\nx:<none>\t3\n"
        ),
        "inspect": Reply(
            stdout="sha256:1\t10\t1970-01-02T00:00:00.123Z\n2\t20\t1970-01-03 00:00:00.1 +0000 UTC\n"
        ),
        "quiet": Reply(stdout="sha256:9\n"),
    }

    def answer(call: Call) -> Reply:
        return answers["quiet" if "--quiet" in call.argv else call.argv[2]]

    images = list_images(_door(FakeRunner(answer=answer), [], tmp_path))
    assert [(one.reference, one.size, one.created) for one in images] == [
        ("wheelworks/tests:a", 10, DAY),
        ("wheelworks/base:b", 20, 2 * DAY),
        (None, 0, 0.0),
    ]
    assert images[2].name == "unfinished image 9"


def test_an_image_in_use_stays(tmp_path: Path) -> None:
    """People are told."""
    engine = FakeEngine(replies={"rmi": Reply(stderr="conflict: in use", returncode=1)})
    said: list[str] = []
    image = _image("wheelworks/tests:a", 1)
    assert remove_images((image,), _door(engine.runner(), said, tmp_path)) == ()
    assert said == ["wheelworks/tests:a stays: conflict: in use"]


def test_a_silent_engine_has_no_images(tmp_path: Path) -> None:
    """There is nothing to remove."""
    silent = FakeRunner(answer=lambda _: Reply(returncode=1))
    assert list_images(_door(silent, [], tmp_path)) == ()
