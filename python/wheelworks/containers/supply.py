"""Builds the images that a run's jobs need, and learns what is in them.

Touches the engine's images through the doors it is given. An image that can't be had is a value; the caller fails the
jobs that need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wheelworks.container_choice import ANY_RUST_CURE
from wheelworks.containers import paths
from wheelworks.containers.image_door import ImageDoor
from wheelworks.containers.image_facts import parse_image_facts
from wheelworks.containers.images import ensure_image
from wheelworks.containers.recipes import recipes_of
from wheelworks.errors import MissingResourceError
from wheelworks.rust_choice import Obstacle, choose_rust
from wheelworks.text import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelworks.config.settings import Settings
    from wheelworks.containers.facts import ContainerFacts
    from wheelworks.containers.image_door import BuildProgress
    from wheelworks.containers.recipes import Recipe
    from wheelworks.plan import ImageRequest
    from wheelworks.process import Cancellation, Runner
    from wheelworks.project import Project

_FACTS_TIMEOUT_SECONDS: Final = 120.0
_SHOWN_WIDTH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSupply:
    """Builds images for one run."""

    containers: ContainerFacts
    project: Project
    settings: Settings
    runner: Runner
    environ: Mapping[str, str]
    log: Path
    cancellation: Cancellation
    inform: Callable[[str], None]
    """Tells people what is being built."""

    def build(self, request: ImageRequest) -> str:
        """Make sure that an image is there; gives its id.

        Raises:
            MissingResourceError: it can't be built, or holds another Rust than the project asks for.
            InterruptedRunError: the run was interrupted meanwhile.
        """
        recipe = self._recipe(request)
        bundle = self.containers.ca_bundle
        door = self._door(request)
        image_id = ensure_image(
            recipe, door, ca_bundle=Path(bundle) if bundle is not None else None
        )
        if request.role in ("toolchain", "native"):
            self._check_rust(request, door)
        return image_id

    def _recipe(self, request: ImageRequest) -> Recipe:
        recipes = recipes_of(self.containers, settings=self.settings, project=self.project)
        found = next((one for one in recipes if one.reference == request.reference), None)
        if found is None:
            raise AssertionError(f"BUG: no recipe makes {request.reference}")
        return found

    def _door(self, request: ImageRequest) -> ImageDoor:
        def tell(progress: BuildProgress) -> None:
            text = (
                f"image {request.role}, step {progress.step} of {progress.steps}: {progress.text}"
            )
            self.inform(shorten(text, _SHOWN_WIDTH))

        return ImageDoor(
            engine=self.containers.engine,
            runner=self.runner,
            environ=self.environ,
            log=self.log,
            cancellation=self.cancellation,
            say=self.inform,
            on_progress=tell,
        )

    def _check_rust(self, request: ImageRequest, door: ImageDoor) -> None:
        """The plan could not know which Rust the image would hold.

        Raises:
            MissingResourceError: it is not the project's.
        """
        result = door.call(
            (door.engine.path, "run", "--rm", "--pull=never", "--network", "none", "--entrypoint=",
             "--platform", request.platform, request.reference, "cat", paths.IMAGE_FACTS),
            timeout_seconds=_FACTS_TIMEOUT_SECONDS,
            capture_stdout=True,
        )  # fmt: skip
        facts = parse_image_facts(result.stdout) if result.ok else None
        if facts is None or facts.rust is None:
            raise MissingResourceError(
                f"the image {request.reference} does not say which Rust it holds",
                hint=f"remove it ({door.engine.name} rmi {request.reference}) and run again",
                log=self.log,
            )
        found = choose_rust(self.project, self.settings, facts.rust)
        if isinstance(found, Obstacle):
            raise MissingResourceError(
                f"in the image {request.reference}: {found.reason}", hint=ANY_RUST_CURE
            )
