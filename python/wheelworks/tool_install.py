"""Installs Python tools into pinned environments of their own.

Takes a request and the door to processes; touches the user's folder of tools and the network. Says
from a marker file, without starting anything, whether and in which version a tool is there.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from packaging.utils import canonicalize_name

from wheelworks.errors import InterruptedRunError, MissingResourceError
from wheelworks.process import child_environment
from wheelworks.tools import hashes_file, tool_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheelworks.plan import ToolRequest
    from wheelworks.process import Cancellation, CommandResult, Runner
    from wheelworks.tools import ToolEnvironment

MARKER_FILE = ".complete"
CREATE_TIMEOUT_SECONDS = 300.0
INSTALL_TIMEOUT_SECONDS = 1800.0
#: How long a waiting run sleeps between looks at an interrupt.
LOCK_POLL_SECONDS = 0.5
QUIET_PIP = ("--no-input", "--disable-pip-version-check")
#: What would install somewhere else than into the tool's environment.
UNSET_FOR_TOOLS = ("PIP_PREFIX", "PIP_TARGET", "PIP_USER", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON")

#: What an installer prints when the cause is no fault of the requirement; such a line says more
#: than its verdict.
CAUSES = (
    "No space left",
    "certificate verify failed",
    "invalid peer certificate",
    "dns error",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Failed to establish a new connection",
    "Connection refused",
    "timed out",
    "Proxy",
    "do not match the hashes",
    "Hash mismatch",
)


def provided_version(environment: ToolEnvironment) -> str | None:
    """The tool's version when its environment is complete, else None. Starts nothing."""
    try:
        marker = json.loads(Path(environment.folder, MARKER_FILE).read_bytes())
        version = marker["versions"][canonicalize_name(environment.name)]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # A removed base interpreter leaves an environment whose python is a dangling link.
    return str(version) if Path(environment.python).exists() else None


def provide(
    request: ToolRequest,
    runner: Runner,
    *,
    tools_dir: Path,
    environ: Mapping[str, str],
    uv: str | None = None,
    log: Path | None = None,
    cancellation: Cancellation | None = None,
) -> ToolEnvironment:
    """Make sure that the tool is installed in its environment.

    Args:
        request: the tool.
        runner: the door to processes.
        tools_dir: the user's folder of tool environments.
        environ: the caller's environment.
        uv: path of a uv that installs faster; None for virtualenv and pip.
        log: file for what the installers print.
        cancellation: stops them.

    Raises:
        MissingResourceError: it can't be installed (no network, no space, no such version).
        InterruptedRunError: the run was interrupted meanwhile.
    """
    environment = tool_environment(tools_dir, request)
    if provided_version(environment) is not None:
        return environment
    folder = Path(environment.folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(folder.name + ".lock"), request, cancellation):
            # Another run may have made it while this one waited.
            if provided_version(environment) is None:
                _make(request, environment, runner, environ, uv, log, cancellation)
    except OSError as error:
        raise MissingResourceError(
            f"{request.requirement} can't be installed into {folder}: {error.strerror or error}",
            hint="make room or make the folder writable",
            log=log,
        ) from error
    return environment


@contextmanager
def _locked(path: Path, request: ToolRequest, cancellation: Cancellation | None) -> Iterator[None]:
    """Hold the lock of a tool's folder; an interrupt ends the waiting."""
    lock = FileLock(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=LOCK_POLL_SECONDS)
        except Timeout:
            if cancellation is not None and cancellation.requested:
                raise InterruptedRunError(
                    f"interrupted while another run installs {request.requirement}"
                ) from None
    try:
        yield
    finally:
        lock.release()


def _make(
    request: ToolRequest,
    environment: ToolEnvironment,
    runner: Runner,
    environ: Mapping[str, str],
    uv: str | None,
    log: Path | None,
    cancellation: Cancellation | None,
) -> None:
    """Create the environment in place, for its paths are baked in; mark it complete at the end."""
    folder = Path(environment.folder)
    if folder.exists():
        shutil.rmtree(folder)
    env = child_environment(environ, set_={}, unset=UNSET_FOR_TOOLS)
    for argv, timeout_seconds in _commands(request, environment, uv):
        result = runner.run(
            argv,
            env=env,
            cwd=folder.parent,
            timeout_seconds=timeout_seconds,
            log=log,
            cancellation=cancellation,
        )
        if result.cancelled:
            raise InterruptedRunError(f"interrupted while {request.requirement} was installed")
        if not result.ok:
            raise MissingResourceError(
                f"{request.requirement} could not be installed: {decisive_line(result)}",
                hint="check the network, the proxy and the index (PIP_INDEX_URL, UV_INDEX_URL)",
                log=log,
            )
    versions = installed_versions(folder)
    if canonicalize_name(request.name) not in versions:
        raise MissingResourceError(
            f"{request.requirement} is missing from {folder} after its installation", log=log
        )
    unfinished = folder / f"{MARKER_FILE}.tmp"
    unfinished.write_text(json.dumps({"versions": versions}), encoding="utf-8")
    unfinished.replace(folder / MARKER_FILE)


def _commands(
    request: ToolRequest, environment: ToolEnvironment, uv: str | None
) -> Iterator[tuple[tuple[str, ...], float]]:
    """What makes the environment, then what fills it, each with its timeout."""
    if request.is_pinned:
        wanted: tuple[str, ...] = (
            "--require-hashes",
            "-r",
            str(hashes_file(request.name)),
        )
    else:
        wanted = (request.requirement,)
    ours = ("--python", sys.executable)
    if uv is None:
        made: tuple[str, ...] = (sys.executable, "-m", "virtualenv", "--no-periodic-update", *ours)
        install: tuple[str, ...] = (environment.python, "-m", "pip", "install", *QUIET_PIP)
    else:
        made = (uv, "venv", "--no-python-downloads", "--no-project", *ours)
        install = (uv, "pip", "install", "--python", environment.python)
    yield (*made, str(environment.folder)), CREATE_TIMEOUT_SECONDS
    yield (*install, *wanted), INSTALL_TIMEOUT_SECONDS


def installed_versions(folder: Path) -> dict[str, str]:
    """Normalised name -> version of every distribution in an environment."""
    places = [*folder.glob("lib/*/site-packages"), folder / "Lib" / "site-packages"]
    found = importlib.metadata.distributions(path=[str(place) for place in places])
    return {canonicalize_name(one.name): one.version for one in found}


def decisive_line(result: CommandResult) -> str:
    """The one line of a failed installer's output that says why."""
    if result.start_error is not None:
        return result.start_error
    if result.timed_out:
        return f"no end after {result.seconds:.0f} s"
    lines = [line.strip() for line in result.tail if line.strip()]
    return (
        _last(lines, CAUSES)
        or _last(lines, ("ERROR:", "error:", "Caused by:", "Because "))
        or (lines[-1] if lines else f"exit code {result.returncode}")
    )


def _last(lines: Sequence[str], marks: Sequence[str]) -> str | None:
    return next((line for line in reversed(lines) if any(mark in line for mark in marks)), None)
