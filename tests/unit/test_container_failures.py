"""What the engine's client says of a container that failed, in words that help."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jobs import CONTAINER_STEP as STEP
from jobs import CONTAINER_USE as USE

from wheelworks.containers.failures import container_trouble, ended_by_itself, missing_source
from wheelworks.process import CommandResult

#: What docker 20.10 and 28, podman 4 and tini really print.
DEAD_SOCKET = (
    "docker: Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?"
)
FORBIDDEN = (
    "docker: permission denied while trying to connect to the Docker daemon socket at unix:///x"
)
NO_IMAGE = "docker: Error response from daemon: No such image: nosuch:1"
NO_IMAGE_PODMAN = "Error: nosuch:1: image not known"
OTHER_PLATFORM = (
    "docker: Error response from daemon: image with reference x was found but does not match the "
    "specified platform: wanted linux/arm64, actual: linux/amd64"
)
NO_SOURCE = (
    'docker: Error response from daemon: invalid mount config for type "bind": bind source path '
    "does not exist: /nosuch"
)
NOT_THERE = "[FATAL tini (6)] exec nosuch failed: No such file or directory"
FOREIGN = "[FATAL tini (7)] exec cargo failed: Exec format error"
HELP = "Run 'docker run --help' for more information"


def result(
    returncode: int | None, *tail: str, cancelled: bool = False, start_error: str | None = None
) -> CommandResult:
    """How the client ended."""
    return CommandResult(
        argv=("docker", "run"),
        returncode=returncode,
        seconds=1.0,
        timed_out=False,
        cancelled=cancelled,
        stdout="",
        tail=tail,
        start_error=start_error,
    )


@pytest.mark.parametrize(
    ("ended", "exit_code", "reason", "cure"),
    [
        (result(125, DEAD_SOCKET, "", HELP), 4, "does not answer", "systemctl start docker"),
        (result(125, FORBIDDEN, HELP), 4, "may not talk to it", "group `docker`"),
        (result(125, NO_IMAGE, "", HELP), 4, "toolchain:abc-amd64 is gone", "run again"),
        (result(125, NO_IMAGE_PODMAN), 4, "toolchain:abc-amd64 is gone", "run again"),
        (result(125, OTHER_PLATFORM), 4, "is not for linux/amd64", "remove the image"),
        (result(125, NO_SOURCE), 4, "does not see this machine's folders", "this machine"),
        (result(125, "docker: invalid reference"), 4, "invalid reference", "engine-args"),
        (result(125), 4, "it did not say why", "doctor"),
        (result(127, NOT_THERE), 4, "maturin, or a program that it calls, is missing", "packages"),
        (result(126, "sh: 1: exec: x: Permission denied"), 4, "can't be executed in", "packages"),
        (result(127, FOREIGN), 4, "programs for linux/amd64 do not run here", "doctor --fix"),
        (result(137), 1, "the container was killed", "--jobs 1"),
        (result(-9), 1, "the container was killed", "--jobs 1"),
        (result(1, "ld: No space left on device"), 4, "no space is left", "docker system df"),
        (result(None, start_error="x is missing"), 4, "client of docker", "install docker"),
        (
            result(101, "curl: (6) Could not resolve host: example.org"),
            1,
            "wants the network while compiling (step compile): curl: (6) Could not resolve host",
            "vendor",
        ),
        (
            result(101, 'called `Result::unwrap()`: Os { code: 101, kind: NetworkUnreachable }'),
            1,
            "wants the network while compiling",
            'toolchain = "host"',
        ),
    ],
)  # fmt: skip
def test_each_trouble_has_its_reason_and_way_out(
    ended: CommandResult, exit_code: int, reason: str, cure: str
) -> None:
    """And an exit code: 4 where the machine lacks something, 1 where the build failed."""
    trouble = container_trouble(STEP, ended)
    assert trouble is not None
    assert trouble.exit_code == exit_code
    assert reason in trouble.reason
    assert trouble.cure is not None
    assert cure in trouble.cure


@pytest.mark.parametrize(
    "ended",
    [
        result(1, "error[E0425]: cannot find value"),
        result(None, cancelled=True),
        result(127, "the tests ended with 127"),
        result(101, "cargo: Exec format error (os error 8)"),
    ],
    ids=["a failed build", "an interrupt", "a code of its own", "a build that runs foreign programs"],
)  # fmt: skip
def test_what_has_nothing_to_do_with_the_container(ended: CommandResult) -> None:
    """The ordinary words say it."""
    assert container_trouble(STEP, ended) is None


def test_with_a_network_its_trouble_is_not_ours() -> None:
    """A download that fails in a fetch is no build script's."""
    step = replace(STEP, container=replace(USE, network="host"))
    ended = result(101, "Could not resolve host: index.crates.io")
    assert container_trouble(step, ended) is None


def test_a_step_on_the_host_has_no_container() -> None:
    """Exit code 137 means something else there."""
    assert container_trouble(replace(STEP, container=None), result(137)) is None


@pytest.mark.parametrize(
    ("ended", "is_over"),
    [
        (result(0), True),
        (result(101), True),
        (result(125), False),
        (result(137), False),
        (result(-15), False),
        (result(None, cancelled=True), False),
        (result(None, start_error="no such program"), True),
    ],
)
def test_when_the_container_is_surely_gone(ended: CommandResult, *, is_over: bool) -> None:
    """Otherwise it is removed once more."""
    assert ended_by_itself(ended) is is_over


def test_missing_certificates_name_their_option() -> None:
    """They are the usual case of a file that is mounted."""
    trouble = missing_source("/etc/ca.pem", "/etc/ssl/certs/ca-certificates.crt")
    assert trouble.cure is not None
    assert "container.ca-bundle" in trouble.cure
    assert missing_source("/x", "/y").reason == "/x is missing, which containers see as /y"
