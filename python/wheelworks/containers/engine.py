"""Which container engine answers, and what its containers are.

Asks docker's and podman's clients through the door; touches PATH. Knows nothing of images.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.childenv import passed_variables
from wheelworks.containers.facts import EngineFacts
from wheelworks.containers.invocation import ENGINE_VARIABLES
from wheelworks.machine_probe import normal_machine
from wheelworks.rust_choice import Obstacle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.settings import ContainerEngine
    from wheelworks.containers.facts import EngineName
    from wheelworks.probe_door import ProbeDoor

ENGINE_TIMEOUT_SECONDS = 15.0
ENGINES: tuple[EngineName, ...] = ("docker", "podman")
INSTALL = "install docker or podman"
#: Platforms by the machine's name.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
DAEMON_DOWN = "sudo systemctl start docker; or start Docker Desktop"
NOT_ALLOWED = 'sudo usermod -aG docker "$USER", then log in again'


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEngine:
    """An engine that answers, and what only probes need to know of it."""

    facts: EngineFacts
    is_virtual: bool
    """Whether it runs in a virtual machine of its own (Docker Desktop, podman machine), where it emulates by itself."""


def engine_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's variables that say where the engine is; they belong to every call of its client."""
    return passed_variables(environ, ENGINE_VARIABLES)


def find_engine(door: ProbeDoor, *, wanted: ContainerEngine) -> FoundEngine | Obstacle:
    """The first engine that answers, docker before podman; else what stands in the way.

    Starts no process where no client is on PATH.

    Args:
        door: how to ask.
        wanted: an engine that the configuration names, or ``auto``.
    """
    obstacles = []
    for name in ENGINES if wanted == "auto" else (wanted,):
        path = door.locate(name)
        if path is None:
            continue
        found = _ask(door, name, str(path))
        if isinstance(found, FoundEngine):
            return found
        obstacles.append(found)
    if obstacles:
        return obstacles[0]
    if wanted == "auto":
        return Obstacle(reason="neither docker nor podman is on PATH", cure=INSTALL)
    return Obstacle(
        reason=f"{wanted}, which container.engine asks for, is not on PATH",
        cure=f'install {wanted}, or write engine = "auto" in [tool.wheelworks.container]',
    )


def _ask(door: ProbeDoor, name: EngineName, path: str) -> FoundEngine | Obstacle:
    result = door.ask(
        (path, "info", "--format", "{{json .}}"),
        set_=engine_variables(door.environ),
        timeout_seconds=ENGINE_TIMEOUT_SECONDS,
    )
    answer = _document(result.stdout)
    errors = answer.get("ServerErrors")
    if result.timed_out:
        return _silent(name, f"no answer within {ENGINE_TIMEOUT_SECONDS:.0f} s")
    if result.start_error is not None:
        return _silent(name, result.start_error)
    if not result.ok or not answer or errors:
        said = [str(one) for one in errors] if isinstance(errors, list) else []
        lines = [line.strip() for line in result.tail if line.strip() and not line.startswith("{")]
        return _silent(name, (said or lines or [f"exit code {result.returncode}"])[-1])
    # Where podman calls itself docker, it answers in its own words.
    return _podman(answer, path) if "host" in answer else _docker(answer, path)


def _silent(name: EngineName, said: str) -> Obstacle:
    said = said.removeprefix("error during connect: ").rstrip(".?")
    if "permission denied" in said.lower():
        return Obstacle(
            reason=f"{name} is installed, but its server refuses this user: {said}",
            cure=NOT_ALLOWED,
        )
    reason = f"{name} is installed, but its server does not answer: {said}"
    return Obstacle(reason=reason, cure=DAEMON_DOWN if name == "docker" else "podman machine start")


def _docker(answer: Mapping[str, object], path: str) -> FoundEngine | Obstacle:
    if answer.get("OSType") != "linux":
        return Obstacle(
            reason=f"docker runs containers of {answer.get('OSType')}, not of linux",
            cure="switch Docker Desktop to Linux containers",
        )
    options = answer.get("SecurityOptions")
    is_rootless = isinstance(options, list) and any("rootless" in str(one) for one in options)
    is_virtual = "Docker Desktop" in str(answer.get("OperatingSystem", ""))
    registry = answer.get("RegistryConfig")
    mirrors = registry.get("Mirrors") if isinstance(registry, dict) else None
    maps_root = is_rootless or is_virtual or sys.platform != "linux"
    facts = EngineFacts(
        name="docker",
        path=path,
        version=str(answer.get("ServerVersion", "")),
        platform=_platform(str(answer.get("Architecture", ""))),
        user=None if maps_root else caller_user(),
        has_mirror=bool(mirrors),
    )
    return FoundEngine(facts=facts, is_virtual=is_virtual or sys.platform != "linux")


def _podman(answer: Mapping[str, object], path: str) -> FoundEngine:
    host, version = _table(answer, "host"), _table(answer, "version")
    is_rootless = bool(_table(host, "security").get("rootless"))
    is_virtual = bool(host.get("serviceIsRemote")) or sys.platform != "linux"
    facts = EngineFacts(
        name="podman",
        path=path,
        version=str(version.get("Version", "")),
        platform=_platform(str(host.get("arch", ""))),
        user=None if is_virtual else caller_user(),
        keeps_id=is_rootless and not is_virtual,
    )
    return FoundEngine(facts=facts, is_virtual=is_virtual)


def caller_user() -> str | None:
    """``1000:1000`` of this process; None on Windows."""
    if sys.platform == "win32":
        return None
    return f"{os.getuid()}:{os.getgid()}"


def _platform(machine: str) -> str:
    machine = normal_machine(machine)
    return f"linux/{ARCHITECTURES.get(machine, machine)}"


def _table(answer: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = answer.get(key)
    return found if isinstance(found, dict) else {}


def _document(text: str) -> Mapping[str, object]:
    try:
        document: object = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
