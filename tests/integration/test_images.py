"""Images are built by a real engine: the one for tests, an interrupted build, an engine that is not there."""

from __future__ import annotations

import os
import subprocess
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wheelworks.cancellation import Cancellation
from wheelworks.config.load import load
from wheelworks.containers.certificates import find_ca_bundle
from wheelworks.containers.engine import FoundEngine, find_engine
from wheelworks.containers.image_door import BuildProgress, ImageDoor
from wheelworks.containers.images import ensure_image
from wheelworks.containers.probe import probe_containers
from wheelworks.containers.recipes import Recipe, recipes_for
from wheelworks.errors import InterruptedRunError, MissingResourceError
from wheelworks.probe_door import ProbeDoor
from wheelworks.process import ProcessRunner
from wheelworks.rust_choice import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks.config.load import Loaded
    from wheelworks.containers.facts import ContainerFacts

PROJECT = Path(__file__).parent.parent.parent
TARGETS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-gnu",
)
#: A step that others wait for long enough to be interrupted in it.
SLOW = """\
ARG BASE
FROM ${BASE}
LABEL dev.wheelworks.building="tests"
COPY mark.txt /mark.txt
RUN cp /mark.txt /copied.txt
RUN sleep 15
"""


@dataclass
class Site:
    """Where images are built; those made by a test are removed at its end."""

    engine: FoundEngine
    loaded: Loaded
    folder: Path
    made: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def runner(self) -> ProcessRunner:
        """The door to real processes."""
        return ProcessRunner()

    def recipe(self, role: str) -> Recipe:
        """The recipe of a role for the engine's own platform."""
        platform = self.engine.facts.platform
        recipes = recipes_for(
            settings=self.loaded.settings, project=self.loaded.project, engine_platform=platform
        )
        return next(one for one in recipes if one.role == role and one.platform == platform)

    def slow_recipe(self) -> Recipe:
        """An image of a few seconds that no other test has built."""
        files = (("mark.txt", uuid.uuid4().hex),)
        recipe = replace(self.recipe("tests"), dockerfile=SLOW, files=files, build_args=())
        self.made.append(recipe.reference)
        return recipe

    def ensure(self, recipe: Recipe, *, stop_at: str | None = None) -> str:
        """Build an image; interrupted as soon as a step with that text begins."""
        cancellation = Cancellation()

        def look(progress: BuildProgress) -> None:
            if stop_at is not None and stop_at in progress.text:
                cancellation.request()

        door = ImageDoor(
            engine=self.engine.facts,
            runner=self.runner,
            environ=os.environ,
            log=self.folder / "build.log",
            cancellation=cancellation,
            on_line=self.lines.append,
            on_progress=look,
            work_dir=self.folder / "images",
        )
        bundle = find_ca_bundle(None, project_root=PROJECT, environ=os.environ)
        assert not isinstance(bundle, Obstacle)
        return ensure_image(recipe, door, ca_bundle=bundle)

    def facts(self) -> ContainerFacts:
        """What a run would know of the engine."""
        door = ProbeDoor(runner=self.runner, environ=os.environ, cwd=PROJECT)
        facts, obstacle = probe_containers(
            door, settings=self.loaded.settings, project=self.loaded.project, system="linux"
        )
        assert facts is not None, obstacle
        return facts

    def engine_says(self, *arguments: str) -> str:
        """What the client prints."""
        done = subprocess.run(
            [self.engine.facts.path, *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout

    def unfinished(self, recipe: Recipe) -> str:
        """Containers of unfinished steps."""
        label = f"label=dev.wheelworks.building=tests-{recipe.platform.split('/')[1]}"
        return self.engine_says("ps", "--all", "--quiet", "--filter", label)

    def left(self) -> list[str]:
        """Files besides the locks."""
        files = (self.folder / "images").iterdir()
        return [file.name for file in files if not file.name.endswith(".lock")]


@pytest.fixture
def site(container_engine: str, tmp_path: Path) -> Iterator[Site]:
    """A place with the engine that answers here."""
    door = ProbeDoor(runner=ProcessRunner(), environ=os.environ, cwd=tmp_path)
    found = find_engine(door, wanted="auto")
    assert isinstance(found, FoundEngine), found
    assert found.facts.path == container_engine
    made = Site(engine=found, loaded=load(PROJECT, flags={}, environ=os.environ), folder=tmp_path)
    yield made
    for reference in made.made:
        made.engine_says("rmi", reference)


def test_the_image_for_tests_is_built(site: Site) -> None:
    """It holds the interpreters of its recipe and uv, and says so itself."""
    recipe = site.recipe("tests")
    image_id = site.ensure(recipe)
    facts = next(one for one in site.facts().images if one.reference == recipe.reference)
    assert facts.image_id == image_id
    assert facts.pythons == recipe.pythons
    run = ("run", "--rm", "--network", "none", recipe.reference)
    assert site.engine_says(*run, "uv", "--version").startswith("uv ")
    for spec, python in recipe.pythons:
        assert site.engine_says(*run, python, "--version").startswith(f"Python {spec}.")
    assert site.left() == []


def test_an_interrupted_build_leaves_nothing_and_goes_on_next_time(site: Site) -> None:
    """No container, no file; what was finished is not done again."""
    recipe = site.slow_recipe()
    with pytest.raises(InterruptedRunError):
        site.ensure(recipe, stop_at="sleep 15")
    assert site.unfinished(recipe) == ""
    assert site.engine_says("image", "ls", "--quiet", recipe.reference) == ""
    assert site.left() == []
    site.lines.clear()
    assert site.ensure(recipe)
    assert any("Using cache" in line or "CACHED" in line for line in site.lines)
    label = site.engine_says(
        "image",
        "inspect",
        "--format",
        '{{index .Config.Labels "dev.wheelworks.recipe"}}',
        recipe.reference,
    )
    assert label.strip() == recipe.digest


def test_a_failing_step_is_told(site: Site) -> None:
    """By the line that says why; no container of it stays."""
    recipe = replace(
        site.slow_recipe(), dockerfile=SLOW.replace("sleep 15", "echo it is broken >&2; exit 7")
    )
    with pytest.raises(MissingResourceError, match="it is broken"):
        site.ensure(recipe)
    assert site.unfinished(recipe) == ""


def test_an_engine_that_is_not_there_is_told(container_engine: str, tmp_path: Path) -> None:
    """The client is installed, and nobody listens where it looks."""
    nowhere = f"unix://{tmp_path}/nobody.sock"
    environ = {**os.environ, "DOCKER_HOST": nowhere, "CONTAINER_HOST": nowhere}
    door = ProbeDoor(runner=ProcessRunner(), environ=environ, cwd=tmp_path)
    is_docker = Path(container_engine).name == "docker"
    found = find_engine(door, wanted="docker" if is_docker else "podman")
    assert isinstance(found, Obstacle)
    assert "does not answer" in found.reason
    assert found.cure is not None


def test_the_toolchain_image_compiles_for_every_target(site: Site) -> None:
    """With link-time optimisation through the standard library, which needs its bitcode."""
    recipe = site.recipe("toolchain")
    facts = next(one for one in site.facts().images if one.reference == recipe.reference)
    if facts.image_id is None:
        pytest.skip("the toolchain image is not built: wheelworks prefetch builds it")
    assert facts.rust is not None
    assert set(TARGETS) <= set(facts.rust.targets)
    source = '#[no_mangle] pub extern fn f(n: u32) -> usize { format!(\\"{n:?}\\").len() }'
    lto = "--crate-type staticlib -C lto=fat -C opt-level=2 -C embed-bitcode=yes -o /tmp/x.a"
    script = f'echo "{source}" > /tmp/x.rs; for t in {" ".join(TARGETS)}; do rustc --target $t {lto} /tmp/x.rs && echo $t; done'  # noqa: E501
    said = site.engine_says(
        "run",
        "--rm",
        "--network",
        "none",
        "--user",
        "1001:1001",
        recipe.reference,
        "sh",
        "-c",
        script,
    )
    assert said.split() == list(TARGETS)
