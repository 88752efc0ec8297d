"""Why an image could not be made, from what the engine printed. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelworks.errors import MissingResourceError

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.process import CommandResult

#: What a line says -> the way out. The first that any line says counts, the last such line is shown.
CAUSES = (
    (
        r"no space left on device|disk quota exceeded",
        "make room (docker system df); wheelworks gc --images removes our images",
    ),
    (
        r"cannot connect to the (docker|podman)|is the docker daemon running|error during connect",
        "start the engine again; the next run goes on where this build stopped",
    ),
    (
        r"certificate|self[- ]signed",
        "name your certificates by ca-bundle in [tool.wheelworks.container], or by SSL_CERT_FILE",
    ),
    (
        r"could not resolve|temporary failure|name or service not known|no such host"
        r"|unable to connect|failed to fetch|connection (refused|timed out|reset)"
        r"|network is unreachable|newconnectionerror|dns error|couldn't connect",
        "check the network and the proxy (HTTP_PROXY, HTTPS_PROXY); the next run goes on where "
        "this build stopped",
    ),
    (
        r"unable to locate package|has no installation candidate",
        "check packages and mirror in [tool.wheelworks.container]",
    ),
    (
        r"do not match the hashes|hash (sum )?mismatch",
        "try again; a proxy or mirror may hold other files",
    ),
    (r"exec format error", "wheelworks doctor --fix registers QEMU"),
)
#: Docker's old builder colours what goes to stderr, also into a pipe.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: What engines print after the line that matters.
NOISE = re.compile(
    r"(the command '|error: process|error: failed to solve|removing intermediate|-+$|#\d+ )",
    re.IGNORECASE,
)


def build_error(result: CommandResult, what: str, log: Path | None) -> MissingResourceError:
    """The error of a failed command of the engine, with the line that says why and the way out.

    Args:
        result: how it ended.
        what: the beginning of the message.
        log: where everything is written.
    """
    if result.start_error is not None:
        return MissingResourceError(f"{what}: {result.start_error}", log=log)
    if result.timed_out:
        hint = "try again; the next run goes on where this one stopped"
        return MissingResourceError(
            f"{what}: no end after {result.seconds:.0f} s", hint=hint, log=log
        )
    plain = [COLOUR.sub("", line).strip() for line in result.tail]
    lines = [line for line in plain if line]
    for pattern, cure in CAUSES:
        saying = [line for line in lines if re.search(pattern, line, re.IGNORECASE)]
        if saying:
            return MissingResourceError(f"{what}: {saying[-1]}", hint=cure, log=log)
    telling = [line for line in lines if not NOISE.match(line)] or lines
    said = telling[-1] if telling else f"exit code {result.returncode}"
    return MissingResourceError(f"{what}: {said}", hint="the log has the whole story", log=log)
