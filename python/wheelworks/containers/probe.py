"""Describes the container engine and what it needs of this machine.

The list of questions is :func:`probe_containers`. Asks the engine through the door; looks at /proc, certificates
and cargo's configuration.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from wheelworks.containers.certificates import find_ca_bundle
from wheelworks.containers.emulation import Emulation, read_emulation
from wheelworks.containers.engine import find_engine
from wheelworks.containers.facts import ContainerFacts
from wheelworks.containers.image_probe import Ground, describe_images
from wheelworks.containers.recipes import PLATFORMS
from wheelworks.containers.registry import registry_problem
from wheelworks.rust_choice import Obstacle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.settings import Settings
    from wheelworks.containers.engine import FoundEngine
    from wheelworks.probe_door import ProbeDoor
    from wheelworks.project import Project
    from wheelworks.rust_server import Fetch
    from wheelworks.toolchains import HostSystem

#: Where cibuildwheel's images lie.
PYPA_REGISTRY = "quay.io"


def probe_containers(
    door: ProbeDoor,
    *,
    settings: Settings,
    project: Project,
    system: HostSystem,
    interpreters: frozenset[str] = frozenset(),
    fetch: Fetch | None = None,
    root: Path = Path("/"),
) -> tuple[ContainerFacts | None, Obstacle | None]:
    """The engine and its images, or what stands in the way. Starts nothing where no client is on PATH.

    Args:
        door: how to ask; its cache remembers what images say.
        settings: engine, base, Rust's source and the rest of the table ``container``.
        project: whose wishes for Rust and maturin decide the recipes.
        system: what this machine is.
        interpreters: specs that wheels are tested with: those that Debian lacks get images of their own.
        fetch: gets a URL for the questions to registries and rustup's server; None for the network.
        root: where /proc and the usual places of certificates lie.
    """
    found = find_engine(door, wanted=settings.container.engine)
    if isinstance(found, Obstacle):
        return None, found
    bundle = find_ca_bundle(
        settings.container.ca_bundle, project_root=project.root, environ=door.environ, root=root
    )
    if isinstance(bundle, Obstacle):
        return None, bundle
    emulation = _emulation(found, system, root)
    ground = Ground(door=door, settings=settings, found=found, emulation=emulation, fetch=fetch)
    cache = platformdirs.user_cache_path("wheelworks", appauthor=False) / "containers"
    config = _cargo_config(door.environ)
    facts = ContainerFacts(
        engine=found.facts,
        images=describe_images(ground, project, interpreters),
        emulated=emulation.emulated,
        emulation_problems=emulation.problems,
        ca_bundle=str(bundle) if bundle is not None else None,
        cargo_home=str(cache / "cargo"),
        zig_cache=str(cache / "zig"),
        uv_cache=str(cache / "uv"),
        cargo_config=str(config) if config is not None else None,
        registries=_registries(ground, project),
    )
    return facts, None


def _emulation(found: FoundEngine, system: HostSystem, root: Path) -> Emulation:
    """Virtual machines of engines bring QEMU along, and this machine's /proc says nothing of them."""
    own = found.facts.platform
    if found.is_virtual or system != "linux":
        others = tuple(platform for platform in PLATFORMS if platform != own)
        return Emulation(emulated=others, problems=())
    return read_emulation(own, root)


def _registries(ground: Ground, project: Project) -> tuple[str, ...]:
    """The registry of cibuildwheel's images, where a build may need it and it answers."""
    settings = ground.settings
    overridden = [one.values.get("toolchain") for one in settings.overrides]
    is_wanted = project.has_cibuildwheel or "cibuildwheel" in (settings.cell.toolchain, *overridden)
    if not is_wanted or settings.offline:
        return ()
    problem = registry_problem(
        f"{PYPA_REGISTRY}/pypa",
        environ=ground.door.environ,
        cache=ground.door.cache,
        fetch=ground.fetch,
    )
    return () if problem else (PYPA_REGISTRY,)


def _cargo_config(environ: Mapping[str, str]) -> Path | None:
    """The user's configuration of cargo (mirrors, private registries)."""
    named = environ.get("CARGO_HOME")
    home = environ.get("HOME") or environ.get("USERPROFILE")
    folder = Path(named) if named else Path(home) / ".cargo" if home else None
    if folder is None:
        return None
    files = (folder / "config.toml", folder / "config")
    return next((file for file in files if file.is_file()), None)
