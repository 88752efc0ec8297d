"""Finds the Python interpreters that tests can run with.

Takes the wanted specs; runs each candidate once with a tiny script (answers are remembered by path,
size and time) and believes what it says, not what it is called. ``interpreter_places.py`` knows
where to look.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.interpreter_places import Candidate, candidates, uv_candidates
from wheelworks.interpreters import parse_interpreter
from wheelworks.machine_probe import normal_machine
from wheelworks.probe_door import identify
from wheelworks.process import child_environment
from wheelworks.tool_install import decisive_line
from wheelworks.toolchains import FoundInterpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelworks.config.settings import Provision
    from wheelworks.interpreters import InterpreterSpec
    from wheelworks.probe_door import ProbeDoor
    from wheelworks.process import Cancellation
    from wheelworks.toolchains import HostSystem

INSTALL_TIMEOUT_SECONDS = 900.0
#: ``_base_executable`` is the real interpreter behind a virtual environment, which may be gone
#: tomorrow.
SCRIPT = """\
import json, platform, struct, sys, sysconfig
sys.stdout.write(json.dumps({
    "implementation": sys.implementation.name,
    "version": platform.python_version(),
    "series": "%d.%d" % sys.version_info[:2],
    "threaded": "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "",
    "machine": platform.machine(),
    "platform": sysconfig.get_platform(),
    "bits": str(struct.calcsize("P") * 8),
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
}))
"""
NARROW_MACHINES = {"x86_64": "i686", "aarch64": "armv7l"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What was found, and for the other wanted specs why nothing was."""

    interpreters: tuple[FoundInterpreter, ...]
    problems: tuple[tuple[str, str], ...]
    """(spec, reason) of each wanted spec that no interpreter serves."""


def discover(
    wanted: Iterable[str],
    *,
    door: ProbeDoor,
    system: HostSystem,
    machine: str,
    configured: Mapping[str, str],
) -> Discovery:
    """An interpreter per wanted spec.

    It is the first of this machine's architecture; one of another that is met before stays, too.

    Args:
        wanted: interpreter specs; nothing else is looked for.
        door: how to ask.
        system: kind of host.
        machine: the host's architecture.
        configured: spec -> path that the configuration names; then no other place is tried.
    """
    found: list[FoundInterpreter] = []
    problems: list[tuple[str, str]] = []
    for text in sorted(wanted):
        spec = parse_interpreter(text)
        named = configured.get(text)
        if named is not None:
            one = _configured(spec, Path(named), door)
        else:
            own = Path(sys.executable) if sys.executable else None
            places = candidates(spec, system=system, environ=door.environ, own=own)
            one = _first(spec, places, door, machine)
        if isinstance(one, str):
            problems.append((spec.spec, one))
        else:
            found += one
    return Discovery(interpreters=tuple(found), problems=tuple(problems))


def install_interpreter(
    spec: InterpreterSpec,
    *,
    door: ProbeDoor,
    system: HostSystem,
    machine: str,
    uv: str | None,
    provision: Provision,
    log: Path | None = None,
    cancellation: Cancellation | None = None,
) -> FoundInterpreter | str:
    """Let uv download an interpreter; what it installed, or the reason why it could not.

    The user's ``bin`` folder and the Windows registry are left alone.
    """
    if provision == "never":
        return 'provision = "never" forbids installing an interpreter'
    if uv is None:
        return "there is no uv that could install one"
    name = spec.maturin_name
    quiet = {"UV_PYTHON_INSTALL_BIN": "0", "UV_PYTHON_INSTALL_REGISTRY": "0"}
    result = door.runner.run(
        (uv, "python", "install", name),
        env=child_environment(door.environ, set_=quiet, unset=("UV_PYTHON",)),
        cwd=door.cwd,
        timeout_seconds=INSTALL_TIMEOUT_SECONDS,
        log=log,
        cancellation=cancellation,
    )
    if not result.ok:
        return f"uv python install {name} failed: {decisive_line(result)}"
    places = uv_candidates(spec, system=system, environ=door.environ)
    found = _first(spec, places, door, machine)
    if isinstance(found, str):
        return f"uv python install {name} left no such interpreter in its folder"
    return found[-1]


def _first(
    spec: InterpreterSpec, places: Iterable[Candidate], door: ProbeDoor, machine: str
) -> list[FoundInterpreter] | str:
    """Interpreters of the spec, ending with the first one of the machine's own architecture."""
    found: dict[str, FoundInterpreter] = {}
    for candidate in places:
        one = probe(candidate, door)
        if one is None or one.spec != spec.spec:
            continue
        found.setdefault(normal_machine(one.machine), one)
        if normal_machine(one.machine) == machine:
            break
    if not found:
        return "none was found on PATH or in the folders of pyenv, uv and the system"
    return list(found.values())


def _configured(spec: InterpreterSpec, path: Path, door: ProbeDoor) -> list[FoundInterpreter] | str:
    place = path.expanduser()
    absolute = place if place.is_absolute() else door.cwd / place
    found = probe(Candidate(path=absolute, origin="configuration"), door)
    if found is None:
        return f"{path}, which the configuration names, is no interpreter that runs"
    if found.spec != spec.spec:
        return f"{path}, which the configuration names, is {found.spec}"
    return [found]


def probe(candidate: Candidate, door: ProbeDoor) -> FoundInterpreter | None:
    """What a candidate says it is; None when it does not run or is no interpreter.

    A shim is asked each time, because what it starts depends on more than its file.
    """
    identity = identify(candidate.path)
    if identity is None:
        return None
    key, stamp = f"python {candidate.path}", [identity.size, identity.mtime_ns]
    answer = None if candidate.is_shim else door.cache.get(key, stamp)
    if answer is None:
        result = door.ask((str(candidate.path), "-I", "-S", "-c", SCRIPT))
        answer = _read_answer(result.stdout) if result.ok else None
        if answer is None:
            return None
        if not candidate.is_shim:
            door.cache.put(key, stamp, answer)
    return _found(answer, candidate)


def _read_answer(text: str) -> dict[str, str] | None:
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    fields = {
        "implementation",
        "version",
        "series",
        "threaded",
        "machine",
        "platform",
        "bits",
        "executable",
    }
    if not isinstance(answer, dict) or not fields <= answer.keys():
        return None
    return {str(name): str(value) for name, value in answer.items()}


def _found(answer: Mapping[str, str], candidate: Candidate) -> FoundInterpreter | None:
    prefix = {"cpython": "", "pypy": "pp"}.get(answer["implementation"])
    named = Path(answer["executable"] or candidate.path)
    executable = identify(named) or identify(candidate.path)
    if prefix is None or executable is None:
        return None
    series = answer["series"].replace(".", "") if prefix else answer["series"]
    return FoundInterpreter(
        spec=f"{prefix}{series}{answer['threaded']}",
        path=executable.path,
        version=answer["version"],
        machine=_machine(answer),
        origin=candidate.origin,
        size=executable.size,
        mtime_ns=executable.mtime_ns,
    )


def _machine(answer: Mapping[str, str]) -> str:
    """The interpreter's architecture, which can be narrower than the machine's, or emulated."""
    windows = {"win-amd64": "amd64", "win-arm64": "arm64", "win32": "x86"}.get(answer["platform"])
    if windows is not None:
        return windows
    machine = answer["machine"].lower()
    return NARROW_MACHINES.get(machine, machine) if answer["bits"] == "32" else machine
