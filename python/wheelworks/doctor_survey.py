"""Asks the machine what only doctor wants to know: versions, disks, where a base image would come from.

Touches PATH, disks and, with one small question, an image registry; starts the engine's client and QEMU for their
versions. Decides nothing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from wheelworks.containers.base_image import can_bootstrap, why_no_bootstrap
from wheelworks.containers.emulation import install_command, missing_host_packages
from wheelworks.containers.engine import engine_variables
from wheelworks.containers.recipes import recipes_of
from wheelworks.containers.registry import registry_problem
from wheelworks.doctor_model import Space, Survey
from wheelworks.probe_door import ProbeCache, ProbeDoor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.containers.facts import ContainerFacts
    from wheelworks.preparation import Prepared
    from wheelworks.process import Runner

QEMU_PROGRAMS = ("qemu-aarch64-static", "qemu-aarch64", "qemu-x86_64-static", "qemu-x86_64")
_MIB = 2**20


def survey(prepared: Prepared, runner: Runner, environ: Mapping[str, str]) -> Survey:
    """What doctor reports besides the plans and the host's facts.

    Args:
        prepared: the builds; its host says which engine there is.
        runner: the door to processes.
        environ: the caller's environment.
    """
    folder = platformdirs.user_cache_path("wheelworks", appauthor=False)
    root = prepared.loaded.project.root
    door = ProbeDoor(runner=runner, environ=environ, cwd=root, cache=ProbeCache(folder))
    containers = prepared.host.containers
    data_root, client = _engine(door, containers) if containers is not None else (None, None)
    spaces = (_space("images", data_root), _space("builds", root))
    base, problem = _base(prepared, door) if containers is not None else (None, None)
    packages = missing_host_packages(environ) if prepared.host.system == "linux" else ()
    has_apt = shutil.which("apt-get", path=environ.get("PATH", os.defpath)) is not None
    found = Survey(
        client_version=client,
        spaces=tuple(space for space in spaces if space is not None),
        qemu_version=_qemu(door),
        missing_packages=packages,
        package_command=install_command(packages) if packages and has_apt else (),
        base=base,
        base_problem=problem,
    )
    door.cache.save()
    return found


def _engine(door: ProbeDoor, containers: ContainerFacts) -> tuple[Path | None, str | None]:
    """Where the engine keeps its images, if that is a folder of this machine, and its client's version."""
    engine = containers.engine
    where = "{{.DockerRootDir}}" if engine.name == "docker" else "{{.Store.GraphRoot}}"
    variables = engine_variables(door.environ)
    answer = door.ask((engine.path, "info", "--format", where), set_=variables)
    folder = Path(answer.stdout.strip()) if answer.ok and answer.stdout.strip() else None
    client = door.ask((engine.path, "version", "--format", "{{.Client.Version}}"), set_=variables)
    version = client.stdout.strip() if client.ok else ""
    return (folder if folder is not None and folder.is_dir() else None), version or None


def _space(what: str, folder: Path | None) -> Space | None:
    if folder is None:
        return None
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return None
    return Space(what=what, folder=str(folder), free_mib=free // _MIB)


def _qemu(door: ProbeDoor) -> str | None:
    found = (door.find_tool(name) for name in QEMU_PROGRAMS if door.locate(name) is not None)
    return next((tool.version for tool in found if tool is not None), None)


def _base(prepared: Prepared, door: ProbeDoor) -> tuple[str | None, str | None]:
    """Where the toolchain image's base comes from; else why from nowhere."""
    settings, containers = prepared.loaded.settings, prepared.host.containers
    if containers is None or settings.container.image is not None:
        return None, None
    recipes = recipes_of(containers, settings=settings, project=prepared.loaded.project)
    own = next((one for one in recipes if one.platform == containers.engine.platform), None)
    if own is None:
        return None, None
    base = own.lowest_base
    if settings.offline:
        return None, "this run is offline, so no registry is asked"
    problem = registry_problem(base.name, environ=door.environ, cache=door.cache)
    if containers.engine.has_mirror or problem is None:
        return f"{base.name} from its registry", None
    if base.mirror is not None and can_bootstrap(door.environ):
        return f"made from {base.mirror} ({problem})", None
    return None, f"{problem}, and {why_no_bootstrap(door.environ)}"
