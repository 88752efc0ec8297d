"""Whether rustup could add a standard library or a toolchain: one small question to its server.

Takes Rust's facts and what is missing, gives the facts with the answer. Touches the network, within
a few seconds; installs nothing.
"""

from __future__ import annotations

import re
import ssl
import urllib.error
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheelworks.config.settings import Provision
    from wheelworks.toolchains import RustFacts

DEFAULT_SERVER = "https://static.rust-lang.org"
SERVER_TIMEOUT_SECONDS = 5.0
CHANNEL = re.compile(
    r"(?P<name>stable|beta|nightly|\d+\.\d+(?:\.\d+)?)(?:-(?P<date>\d{4}-\d\d-\d\d))?(?=-|$)"
)

Fetch: TypeAlias = "Callable[[str, float], None]"
"""Gets a URL within so many seconds; raises OSError when it does not answer or refuses."""


def ask_server(
    facts: RustFacts,
    *,
    missing_channel: str | None,
    provision: Provision,
    environ: Mapping[str, str],
    is_offline: bool = False,
    fetch: Fetch | None = None,
) -> RustFacts:
    """The facts with the answer to whether rustup can add a standard library or toolchain.

    Args:
        facts: what is there.
        missing_channel: the project's toolchain when that itself is missing.
        provision: ``never`` forbids it.
        environ: the caller's environment (server, CA bundle).
        is_offline: whether nobody may be asked.
        fetch: gets a URL; None for the real network.
    """
    reason = _why_not(facts, missing_channel, provision)
    if reason is None and is_offline:
        reason = "this run is offline"
    if reason is None:
        url = manifest_url(missing_channel or facts.toolchain or "", environ)
        reason = (
            _unanswered(url, fetch or network_fetch(environ))
            if url
            else (f"the toolchain {facts.toolchain} is a custom one, which rustup can't add to")
        )
    return replace(facts, can_add_targets=reason is None, cannot_add_reason=reason)


def manifest_url(toolchain: str, environ: Mapping[str, str]) -> str | None:
    """Where the hash of a toolchain's manifest lies, a file of 64 bytes; None for a custom one."""
    channel = CHANNEL.match(toolchain)
    if channel is None:
        return None
    server = environ.get("RUSTUP_DIST_SERVER", DEFAULT_SERVER).rstrip("/")
    folder = f"dist/{channel['date']}" if channel["date"] else "dist"
    return f"{server}/{folder}/channel-rust-{channel['name']}.toml.sha256"


def network_fetch(environ: Mapping[str, str]) -> Fetch:
    """Gets URLs over the network with the caller's CA bundle; proxies are urllib's business."""

    def fetch(url: str, timeout_seconds: float) -> None:
        context = ssl.create_default_context(
            cafile=environ.get("SSL_CERT_FILE") or None, capath=environ.get("SSL_CERT_DIR") or None
        )
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
        with opener.open(url, timeout=timeout_seconds) as response:
            response.read(64)

    return fetch


def _why_not(facts: RustFacts, missing_channel: str | None, provision: Provision) -> str | None:
    if facts.rustup is None:
        return "there is no rustup"
    if provision == "never":
        return 'provision = "never" forbids adding it'
    if facts.toolchain is None and missing_channel is None:
        return f"the rustc of {facts.sysroot} does not come from rustup"
    return None


def _unanswered(url: str, fetch: Fetch) -> str | None:
    """None when the server answers, else what went wrong."""
    try:
        fetch(url, SERVER_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        return f"rustup's server answers {error.code} for {url}"
    except urllib.error.URLError as error:
        return f"rustup's server does not answer ({error.reason}): {url}"
    except (OSError, ValueError) as error:
        return f"rustup's server does not answer ({error}): {url}"
    return None
