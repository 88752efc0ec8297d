"""Describes every image that jobs may run in: there, to be built, or why neither.

Asks the engine through the door, remembers what images say of themselves by their ids; asks registries and
rustup's server only where the answer decides something.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheelworks.containers.base_image import (
    INSTALL_MMDEBSTRAP,
    can_bootstrap,
    why_no_bootstrap,
)
from wheelworks.containers.emulation import CURE
from wheelworks.containers.engine import engine_variables
from wheelworks.containers.facts import ImageFacts
from wheelworks.containers.image_facts import parse_image_facts
from wheelworks.containers.paths import IMAGE_FACTS
from wheelworks.containers.recipes import recipes_for, resource
from wheelworks.containers.registry import registry_problem
from wheelworks.rust_choice import Obstacle, release_of
from wheelworks.rust_server import SERVER_TIMEOUT_SECONDS, manifest_url, network_fetch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.settings import Settings
    from wheelworks.containers.emulation import Emulation
    from wheelworks.containers.engine import FoundEngine
    from wheelworks.containers.image_facts import InsideImage
    from wheelworks.containers.recipes import Recipe
    from wheelworks.probe_door import ProbeDoor
    from wheelworks.project import Project
    from wheelworks.rust_server import Fetch

INSPECT_FORMAT = "{{.Id}}\t{{.Os}}/{{.Architecture}}\t{{json .RepoTags}}{{json .RepoDigests}}"
PREFETCH = "wheelworks prefetch, with a network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the answers about images depend on."""

    door: ProbeDoor
    settings: Settings
    found: FoundEngine
    emulation: Emulation
    fetch: Fetch | None

    @property
    def engine_platform(self) -> str:
        """What the engine's containers are without emulation."""
        return self.found.facts.platform


def describe_images(
    ground: Ground, project: Project, interpreters: frozenset[str]
) -> tuple[ImageFacts, ...]:
    """The user's own toolchain image first, then ours."""
    own = ground.settings.container.image
    wanted = asked_rust(ground.settings, project)
    debian = _recipes(ground, project, interpreters, None)
    present = _present(ground, [own] if own else [one.reference for one in debian])
    if own is not None:
        present |= _present(ground, [one.reference for one in debian])
        return (_own_image(own, present, ground), *_described(debian, present, ground))
    described = _described(debian, present, ground)
    rust = wanted and _rustup_toolchain(wanted, described[0], ground)
    if not rust:
        return described
    recipes = _recipes(ground, project, interpreters, rust)
    # Those that are built on the toolchain image are others, too.
    same = {image.reference: image for image in described}
    present |= _present(ground, [one.reference for one in recipes if one.reference not in same])
    return tuple(
        same.get(one.reference) or _describe(one, present.get(one.reference), ground)
        for one in recipes
    )


def _recipes(
    ground: Ground, project: Project, interpreters: frozenset[str], rust: str | None
) -> tuple[Recipe, ...]:
    return recipes_for(
        settings=ground.settings,
        project=project,
        engine_platform=ground.engine_platform,
        rust=rust,
        interpreters=sorted(interpreters),
    )


def asked_rust(settings: Settings, project: Project) -> str | None:
    """The toolchain that rustup would have to bring; None where Debian's Rust will do."""
    if settings.container.rust == "debian":
        return None
    asked = settings.rust if settings.rust not in ("auto", "any") else None
    if asked is None and settings.rust == "auto":
        asked = project.rust_toolchain
    if settings.container.rust == "rustup":
        return asked or "stable"
    return asked if asked != "stable" else None


def _rustup_toolchain(wanted: str, debian: ImageFacts, ground: Ground) -> str | None:
    """The toolchain for rustup's variant of the image; None where Debian's is taken after all."""
    settings = ground.settings
    if settings.container.rust == "rustup":
        return wanted
    has = debian.rust.rustc.version if debian.rust is not None else ""
    is_same = release_of(wanted) is not None and (has == wanted or has.startswith(f"{wanted}."))
    if is_same:
        return None
    url = manifest_url(wanted, ground.door.environ)
    if url is None or settings.offline:
        return None
    fetch = ground.fetch or network_fetch(ground.door.environ)
    try:
        fetch(url, SERVER_TIMEOUT_SECONDS)
    except (OSError, ValueError):
        return None
    return wanted


def _present(ground: Ground, references: list[str]) -> dict[str, str]:
    """Reference -> id of those images that are there, from one question."""
    if not references:
        return {}
    argv = (ground.found.facts.path, "image", "inspect", "--format", INSPECT_FORMAT, *references)
    result = ground.door.ask(argv, set_=engine_variables(ground.door.environ))
    present = {}
    for line in result.stdout.splitlines():
        identity, _, names = line.partition("\t")
        for reference in references:
            tagged = reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"
            # Podman says localhost/ and docker.io/ before it.
            if f'"{tagged}"' in names or f'/{tagged}"' in names or identity.endswith(reference):
                present[reference] = identity
    return present


def _described(
    recipes: tuple[Recipe, ...], present: Mapping[str, str], ground: Ground
) -> tuple[ImageFacts, ...]:
    return tuple(_describe(recipe, present.get(recipe.reference), ground) for recipe in recipes)


def _describe(recipe: Recipe, image_id: str | None, ground: Ground) -> ImageFacts:
    facts = ImageFacts(
        role=recipe.role,
        platform=recipe.platform,
        reference=recipe.reference,
        image_id=image_id,
        rust_version=recipe.rust_version,
        pythons=recipe.pythons,
        libc=recipe.libc,
        size_mib=recipe.size_mib,
        minutes=recipe.minutes,
    )
    if image_id is not None:
        inside = _inside(ground, image_id, recipe.platform)
        return facts if inside is None else replace(facts, rust=inside.rust, pythons=inside.pythons)
    obstacle = _why_not(recipe, ground)
    if obstacle is None:
        return facts
    return replace(facts, cannot_provide_reason=obstacle.reason, cure=obstacle.cure)


def _own_image(reference: str, present: Mapping[str, str], ground: Ground) -> ImageFacts:
    """The image that the configuration names in place of the toolchain image; never built or pulled by us."""
    facts = ImageFacts(
        role="toolchain",
        platform=ground.engine_platform,
        reference=reference,
        image_id=present.get(reference),
    )
    if facts.image_id is None:
        name = ground.found.facts.name
        return replace(
            facts,
            cannot_provide_reason=f"the image {reference}, which container.image names, is not here",
            cure=f"{name} pull {reference}",
        )
    inside = _inside(ground, facts.image_id, facts.platform)
    if inside is None or inside.rust is None:
        return replace(
            facts,
            image_id=None,
            cannot_provide_reason=f"the image {reference}, which container.image names, has no rustc and cargo",
            cure="install Rust, maturin and ziglang in it, or leave out image in [tool.wheelworks.container]",
        )
    return replace(facts, rust=inside.rust, pythons=inside.pythons)


def _inside(ground: Ground, image_id: str, platform: str) -> InsideImage | None:
    """What an image says of itself, remembered by its id; an image of somebody else is looked through."""
    cache, key = ground.door.cache, f"image {image_id}"
    known = cache.get(key, [])
    if known is None:
        if platform != ground.engine_platform and platform not in ground.emulation.emulated:
            return None
        script = f"cat {IMAGE_FACTS} 2>/dev/null || {{\n{resource('image-facts.sh')}\n}}"
        argv = (ground.found.facts.path, "run", "--rm", "--network", "none", "--platform", platform)
        result = ground.door.ask(
            (*argv, "--entrypoint", "sh", image_id, "-c", script),
            set_=engine_variables(ground.door.environ),
        )
        if not result.ok or parse_image_facts(result.stdout) is None:
            return None
        known = {"facts": result.stdout}
        cache.put(key, [], known)
    return parse_image_facts(known["facts"])


def _why_not(recipe: Recipe, ground: Ground) -> Obstacle | None:
    """Why an image that is not there can't be built here; None when it can."""
    what = f"the {recipe.role} image for {recipe.platform} is not built"
    settings, emulation = ground.settings, ground.emulation
    if recipe.platform != ground.engine_platform and recipe.platform not in emulation.emulated:
        return Obstacle(reason=dict(emulation.problems)[recipe.platform], cure=CURE)
    if settings.offline:
        return Obstacle(reason=f"{what}, and --offline forbids building it", cure=PREFETCH)
    if settings.provision == "never":
        cure = 'wheelworks prefetch, or provision = "ask"'
        return Obstacle(reason=f'{what}, and provision = "never" forbids building it', cure=cure)
    return _no_base(recipe, what, ground)


def _no_base(recipe: Recipe, what: str, ground: Ground) -> Obstacle | None:
    """Why the base can't be had; None when it is there, can be made, or its registry answers."""
    base = recipe.lowest_base
    environ = ground.door.environ
    if ground.found.facts.has_mirror or (base.mirror is not None and can_bootstrap(environ)):
        return None
    if _present(ground, [base.reference]) or _present(ground, [base.name]):
        return None
    problem = registry_problem(
        base.name, environ=environ, cache=ground.door.cache, fetch=ground.fetch
    )
    if problem is None:
        return None
    if base.mirror is None:
        return Obstacle(reason=f"{what}: {problem}, from which {base.name} would come", cure=None)
    return Obstacle(
        reason=f"{what}: {problem}, and {why_no_bootstrap(environ)}", cure=INSTALL_MMDEBSTRAP
    )
