"""Images that a run builds: who is told, and what is wrong with one that holds another Rust."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from builders import a_project, some_settings
from container_samples import some_containers
from fakes import Call, FakeRunner, Reply

from wheelworks.cancellation import Cancellation
from wheelworks.containers.image_door import BuildProgress
from wheelworks.containers.recipes import toolchain_recipe
from wheelworks.containers.supply import ImageSupply
from wheelworks.errors import MissingResourceError
from wheelworks.plan import ImageRequest

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.containers.image_door import ImageDoor
    from wheelworks.containers.recipes import Recipe
    from wheelworks.project import Project

FACTS = {
    "rustc": "1.97.1",
    "rustc_path": "/usr/bin/rustc",
    "cargo": "1.97.1",
    "cargo_path": "/usr/bin/cargo",
    "host": "x86_64-unknown-linux-gnu",
    "sysroot": "/usr",
    "targets": ["x86_64-unknown-linux-gnu"],
    "pythons": {},
}


@dataclass
class Site:
    """A supply whose engine is faked."""

    log: Path
    answer: str = json.dumps(FACTS)
    told: list[str] = field(default_factory=list)
    built: list[Recipe] = field(default_factory=list)

    def build(self, project: Project | None = None) -> str:
        """Build the toolchain image of a project."""
        project = project or a_project()
        settings = some_settings()
        recipe = toolchain_recipe(settings, project, "linux/amd64", None)
        supply = ImageSupply(
            containers=some_containers(ca_bundle=None),
            project=project,
            settings=settings,
            runner=FakeRunner(self._reply),
            environ={},
            log=self.log,
            cancellation=Cancellation(),
            inform=self.told.append,
        )
        return supply.build(
            ImageRequest(
                role="toolchain",
                platform="linux/amd64",
                reference=recipe.reference,
                needed_by=("b",),
                size_mib=1,
                minutes=1,
            )
        )

    def _reply(self, call: Call) -> Reply:
        assert call.argv[1] == "run"
        return Reply(stdout=self.answer)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An engine that builds at once."""
    site = Site(log=tmp_path / "images.log")

    def ensure(recipe: Recipe, door: ImageDoor, *, ca_bundle: Path | None) -> str:
        assert ca_bundle is None
        site.built.append(recipe)
        door.on_progress(BuildProgress(step=3, steps=10, text="RUN apt-get install " + "x" * 200))
        return "sha256:1"

    monkeypatch.setattr("wheelworks.containers.supply.ensure_image", ensure)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return site


def test_the_image_is_built_and_its_progress_told(site: Site) -> None:
    """In one line a step, whatever the Dockerfile says."""
    assert site.build() == "sha256:1"
    assert [recipe.role for recipe in site.built] == ["toolchain"]
    (line,) = site.told
    assert line.startswith("image toolchain, step 3 of 10: RUN apt-get install")
    assert len(line) <= 100


def test_another_rust_than_the_project_asks_for(site: Site) -> None:
    """What the plan could not know fails the jobs, with the option that helps."""
    with pytest.raises(MissingResourceError, match=r"in the image .*1\.97\.1") as raised:
        site.build(a_project(rust_toolchain="1.80.0"))
    assert raised.value.hint is not None
    assert 'rust = "any"' in raised.value.hint


def test_an_image_that_says_nothing_of_itself(site: Site) -> None:
    """Not one of our recipes made it."""
    site.answer = "cat: no such file"
    with pytest.raises(MissingResourceError, match="does not say which Rust it holds"):
        site.build()
