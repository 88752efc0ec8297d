"""How a container ended -> what that means for people, and the way out.

Pure: takes a step and the result of the engine's client. The codes are those of ``docker run``, which podman keeps:
125 the engine itself failed, 126 the program can't be executed, 127 it is not there, 137 it was killed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wheelworks.containers import paths
from wheelworks.errors import EXIT_JOB_FAILED, EXIT_MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.plan import ContainerUse, Step
    from wheelworks.runner import CommandResult

ENGINE_FAILED: Final = 125
NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
KILLED: Final = 137
TERMINATED: Final = 143
_ENGINE_CODES: Final = (ENGINE_FAILED, NOT_EXECUTABLE, NOT_FOUND, KILLED, TERMINATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong with a container."""

    reason: str
    exit_code: int
    cure: str | None


_NO_SPACE: Final = ("no space left on device", "os error 28", "disk quota exceeded")
#: Said by what starts the program; the programs of a build may say a part of it, too.
_FOREIGN: Final = re.compile(
    r"(?:tini|catatonit|exec (?:user|container) process|^exec ).*exec format error", re.IGNORECASE
)
_NO_ENGINE: Final = (
    "cannot connect to the docker daemon",
    "error during connect",
    "failed to connect to the docker api",
    "unable to connect to podman",
    "error waiting for container",
    "unexpected eof",
)
_FORBIDDEN: Final = ("permission denied while trying to connect",)
_NO_IMAGE: Final = ("no such image", "unable to find image", "image not known")
_OTHER_PLATFORM: Final = ("does not match the specified platform",)
_NO_SOURCE: Final = ("bind source path does not exist", "statfs ")
_NO_INIT: Final = ("container-init binary", "catatonit")
#: What programs say when there is no network: libc's resolver, Rust's io::Error, curl, Python.
_NO_NETWORK: Final = (
    "temporary failure in name resolution",
    "failed to lookup address information",
    "name or service not known",
    "could not resolve host",
    "couldn't resolve host",
    "network is unreachable",
    "networkunreachable",
    "dns error",
    "unable to resolve host",
)


def ended_by_itself(result: CommandResult) -> bool:
    """Whether the container is known to be gone, because its program ended and the client saw it."""
    if result.returncode is None:
        return result.start_error is not None
    return result.returncode >= 0 and result.returncode not in _ENGINE_CODES


def container_trouble(step: Step, result: CommandResult) -> Trouble | None:
    """What the container had to do with a failure; None when it had nothing to do with it.

    Args:
        step: a step with a container.
        result: how the engine's client ended, not with success.
    """
    use = step.container
    if use is None or result.cancelled or result.timed_out:
        return None
    if result.start_error is not None:
        return Trouble(
            reason=f"the client of {use.engine_name} could not be started: {result.start_error}",
            exit_code=EXIT_MISSING,
            cure="install docker or podman; `wheelworks doctor` says what is missing",
        )
    if any(_FOREIGN.search(line) for line in result.tail):
        return Trouble(
            reason=f"programs for {use.platform} do not run here: QEMU is not registered for them",
            exit_code=EXIT_MISSING,
            cure="register QEMU: wheelworks doctor --fix",
        )
    if (line := _line(result.tail, _NO_SPACE)) is not None:
        return _no_space(use, line)
    if result.returncode == ENGINE_FAILED:
        return _engine_trouble(use, result.tail)
    if result.returncode in (NOT_EXECUTABLE, NOT_FOUND):
        return _program_trouble(step, use, result)
    if result.returncode == KILLED or result.returncode == -9:
        return Trouble(
            reason=f"the container was killed (step {step.name}): from outside, or for lack of memory",
            exit_code=EXIT_JOB_FAILED,
            cure="run again; if it happens again, run fewer builds at once (--jobs 1) or give the engine more memory",
        )
    return _network_trouble(step, use, result.tail)


def _no_space(use: ContainerUse, line: str) -> Trouble:
    return Trouble(
        reason=f"no space is left in the container: {line}",
        exit_code=EXIT_MISSING,
        cure=f"run wheelworks gc, or free space where {use.engine_name} keeps containers ({use.engine_name} system df)",
    )


def _engine_trouble(use: ContainerUse, tail: Sequence[str]) -> Trouble:
    """The engine did not run the container."""
    engine = use.engine_name
    said = _engine_line(tail)
    known = (
        (_FORBIDDEN, "this user may not talk to it",
         "add the user to the group `docker` and log in again, or use rootless podman"),
        (_NO_ENGINE, "it does not answer, or was stopped",
         f"start it (systemctl start {engine}), and look at DOCKER_HOST; `wheelworks doctor` checks it"),
        (_NO_IMAGE, f"the image {use.image} is gone", "run again: an image of ours is built when it is missing"),
        (_OTHER_PLATFORM, f"the image {use.image} is not for {use.platform}",
         "remove the image and run again"),
        (_NO_SOURCE, "it does not see this machine's folders",
         "the engine must run on this machine, and share the project's folder (Docker Desktop: File sharing)"),
        (_NO_INIT, "its init program is missing", "install the package catatonit"),
    )  # fmt: skip
    for words, meaning, cure in known:
        if _line(tail, words) is not None:
            return Trouble(
                reason=f"{engine} could not run the container: {meaning} ({said})",
                exit_code=EXIT_MISSING,
                cure=cure,
            )
    return Trouble(
        reason=f"{engine} could not run the container: {said}",
        exit_code=EXIT_MISSING,
        cure="`wheelworks doctor` checks the engine; tool.wheelworks.container.engine-args may hold a bad argument",
    )


def _program_trouble(step: Step, use: ContainerUse, result: CommandResult) -> Trouble | None:
    """The program is not in the image; None when it was found and gave that code itself."""
    words = ("not found", "no such file", "permission denied", "is a directory")
    line = _line(result.tail[-5:], words)
    if line is None:
        return None
    found = "can't be executed in" if result.returncode == NOT_EXECUTABLE else "is missing in"
    return Trouble(
        reason=f"{step.argv[0]}, or a program that it calls, {found} the image {use.image}: {line}",
        exit_code=EXIT_MISSING,
        cure="add its package to tool.wheelworks.container.packages, or name another container.image",
    )


def _network_trouble(step: Step, use: ContainerUse, tail: Sequence[str]) -> Trouble | None:
    """A build script downloads something; the network is off while compiling."""
    line = _line(tail, _NO_NETWORK) if use.network == "none" else None
    if line is None:
        return None
    return Trouble(
        reason=f"the build wants the network while compiling (step {step.name}): {line}",
        exit_code=EXIT_JOB_FAILED,
        cure="vendor what it downloads, tell it in tool.wheelworks.environment where a copy lies,"
        ' or build with toolchain = "host"',
    )


def missing_source(source: str, target: str) -> Trouble:
    """A file that the container needs is not there.

    Args:
        source: its path on the host.
        target: where it would be in the container.
    """
    if target == paths.CA_BUNDLE:
        return Trouble(
            reason=f"the file of certificates for containers is missing: {source}",
            exit_code=EXIT_MISSING,
            cure="install the package ca-certificates, or name a file in tool.wheelworks.container.ca-bundle",
        )
    return Trouble(
        reason=f"{source} is missing, which containers see as {target}",
        exit_code=EXIT_MISSING,
        cure="put it back, or change the option that names it",
    )


def _line(tail: Sequence[str], words: Sequence[str]) -> str | None:
    """The first line with one of the words."""
    return next((line.strip() for line in tail if any(one in line.lower() for one in words)), None)


def _engine_line(tail: Sequence[str]) -> str:
    """What the engine said, without its advice to ask for help."""
    lines = [line.strip() for line in tail if line.strip() and "run --help" not in line]
    return lines[-1] if lines else "it did not say why"
