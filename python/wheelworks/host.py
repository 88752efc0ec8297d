"""Probes the machine once and fills HostFacts.

The list of probes is :func:`probe_host`. Touches PATH, tool folders, /proc and the probe cache;
starts short processes through the door for what it does not remember. Everything is optional: what
is missing is None.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from wheelworks.containers.probe import probe_containers
from wheelworks.interpreter_discovery import discover
from wheelworks.machine_probe import (
    available_memory_mib,
    host_libc,
    host_system,
    is_wsl,
    machine_name,
    usable_cores,
)
from wheelworks.probe_door import ProbeCache, ProbeDoor
from wheelworks.rust_probe import is_installed, probe_rust
from wheelworks.rust_server import ask_server
from wheelworks.toolchains import HostFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.settings import Settings
    from wheelworks.process import Runner
    from wheelworks.project import Project
    from wheelworks.rust_probe import RustProbe
    from wheelworks.rust_server import Fetch
    from wheelworks.toolchains import FoundTool, HostSystem

MINGW_COMPILERS = (
    ("x86_64-pc-windows-gnu", "x86_64-w64-mingw32-gcc"),
    ("i686-pc-windows-gnu", "i686-w64-mingw32-gcc"),
)
NO_CI = ("", "0", "false")


def probe_host(
    runner: Runner,
    *,
    project: Project,
    settings: Settings,
    environ: Mapping[str, str],
    triples: frozenset[str] = frozenset(),
    wanted: frozenset[str] = frozenset(),
    cache_dir: Path | None = None,
    fetch: Fetch | None = None,
) -> HostFacts:
    """What this machine is and has.

    Args:
        runner: the door to processes.
        project: whose root decides which Rust toolchain applies.
        settings: the configured interpreters, Rust version and provision.
        environ: the caller's environment.
        triples: Rust targets that the selected cells need; rustup's server is asked when one is
            missing.
        wanted: interpreter specs to look for; no other interpreter is probed.
        cache_dir: folder that remembers the answers; None for the user's own.
        fetch: gets a URL for the question to rustup's server; None for the network.
    """
    folder = cache_dir or platformdirs.user_cache_path("wheelworks", appauthor=False)
    door = ProbeDoor(runner=runner, environ=environ, cwd=project.root, cache=ProbeCache(folder))
    system, machine = host_system(), machine_name()
    rust = _rust(door, project, settings, triples, fetch)
    discovery = discover(
        wanted, door=door, system=system, machine=machine, configured=settings.interpreters
    )
    libc, libc_version = host_libc()
    facts = HostFacts(
        system=system,
        machine=machine,
        is_wsl=system == "linux" and is_wsl(),
        libc=libc,
        libc_version=libc_version,
        cores=usable_cores(),
        memory_available_mib=available_memory_mib(),
        rust=rust.facts,
        rust_missing_reason=rust.missing_reason,
        interpreters=discovery.interpreters,
        interpreter_problems=discovery.problems,
        mingw=_mingw(door),
        macos_sdk=_macos_sdk(door, system),
        uv=door.find_tool("uv"),
        git=_git(door, system),
        ci=environ.get("CI", "").lower() not in NO_CI,
    )
    door.cache.save()
    return facts


def with_containers(
    host: HostFacts,
    runner: Runner,
    *,
    project: Project,
    settings: Settings,
    environ: Mapping[str, str],
    interpreters: frozenset[str] = frozenset(),
) -> HostFacts:
    """The facts with the container engine and its images, or why there are none.

    Args:
        host: the facts so far.
        runner: the door to processes.
        project: whose wishes decide the recipes of the images.
        settings: the table ``container``.
        environ: the caller's environment.
        interpreters: specs that wheels are tested with.
    """
    folder = platformdirs.user_cache_path("wheelworks", appauthor=False)
    door = ProbeDoor(runner=runner, environ=environ, cwd=project.root, cache=ProbeCache(folder))
    containers, missing = probe_containers(
        door, settings=settings, project=project, system=host.system, interpreters=interpreters
    )
    door.cache.save()
    return replace(host, containers=containers, containers_missing=missing)


def _rust(
    door: ProbeDoor,
    project: Project,
    settings: Settings,
    triples: frozenset[str],
    fetch: Fetch | None,
) -> RustProbe:
    """Rust's facts; rustup's server is asked only when something that is needed is missing."""
    forced = settings.rust if settings.rust not in ("auto", "any") else None
    probed = probe_rust(door, project_toolchain=project.rust_toolchain, forced_toolchain=forced)
    facts = probed.facts
    if facts is None:
        return probed
    channel = forced or (project.rust_toolchain if settings.rust == "auto" else None)
    missing_channel = (
        channel
        if channel and facts.rustup and not is_installed(channel, facts.installed_toolchains)
        else None
    )
    if missing_channel is None and triples <= frozenset(facts.targets):
        return probed
    answered = ask_server(
        facts,
        missing_channel=missing_channel,
        provision=settings.provision,
        environ=door.environ,
        is_offline=settings.offline,
        fetch=fetch,
    )
    return replace(probed, facts=answered)


def _mingw(door: ProbeDoor) -> tuple[tuple[str, FoundTool], ...]:
    found = ((triple, door.find_tool(name)) for triple, name in MINGW_COMPILERS)
    return tuple((triple, tool) for triple, tool in found if tool is not None)


def _git(door: ProbeDoor, system: HostSystem) -> FoundTool | None:
    """Git; on a Mac without developer tools its placeholder would open a dialogue."""
    if system == "macos" and door.locate("git") == Path("/usr/bin/git") and not _has_xcode(door):
        return None
    return door.find_tool("git")


def _macos_sdk(door: ProbeDoor, system: HostSystem) -> str | None:
    """SDKROOT, else on a Mac what xcrun says."""
    named = door.environ.get("SDKROOT")
    if named:
        return named
    if system != "macos" or not _has_xcode(door):
        return None
    result = door.ask(("xcrun", "--sdk", "macosx", "--show-sdk-path"))
    return result.stdout.strip() or None if result.ok else None


def _has_xcode(door: ProbeDoor) -> bool:
    return door.ask(("xcode-select", "-p")).ok
