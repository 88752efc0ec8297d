"""Tests of the question to rustup's server, with a faked network."""

from __future__ import annotations

import email.message
import ssl
import urllib.error
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wheelworks.rust_server import ask_server, manifest_url, network_fetch
from wheelworks.toolchains import FoundTool, RustFacts

if TYPE_CHECKING:
    from wheelworks.config.settings import Provision

HOST = "x86_64-unknown-linux-gnu"
TOOL = FoundTool(path="/x", version="1.95.0", size=1, mtime_ns=1)
FACTS = RustFacts(
    rustc=TOOL,
    cargo=TOOL,
    host_triple=HOST,
    sysroot="/home/.rustup/toolchains/x",
    targets=(HOST,),
    toolchain=f"stable-{HOST}",
    installed_toolchains=(f"stable-{HOST}",),
    rustup=TOOL,
    can_add_targets=False,
    cannot_add_reason="not asked",
)


class Network:
    """A network that answers, or fails with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[str] = []

    def __call__(self, url: str, timeout_seconds: float) -> None:
        """Keep the URL; a request may take five seconds at most."""
        assert 0 < timeout_seconds <= 5
        self.asked.append(url)
        if self.error is not None:
            raise self.error


def test_an_answer_means_that_targets_can_be_added() -> None:
    """One small file of the toolchain's channel is asked for."""
    network = Network()
    facts = ask_server(FACTS, missing_channel=None, provision="ask", environ={}, fetch=network)
    assert (facts.can_add_targets, facts.cannot_add_reason) == (True, None)
    assert [url.rpartition("/")[2] for url in network.asked] == ["channel-rust-stable.toml.sha256"]


def test_a_missing_toolchain_is_asked_for_instead() -> None:
    """What is to be installed must be on the server, not what is there."""
    network = Network()
    ask_server(FACTS, missing_channel="1.80.0", provision="always", environ={}, fetch=network)
    assert network.asked[0].endswith("/dist/channel-rust-1.80.0.toml.sha256")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (urllib.error.URLError("Name or service not known"), "Name or service not known"),
        (TimeoutError("timed out"), "timed out"),
        (
            urllib.error.HTTPError("u", 404, "Not Found", email.message.Message(), None),
            "answers 404",
        ),
        (ssl.SSLError("certificate verify failed"), "certificate verify failed"),
        (ValueError("unknown url type: 'mirror'"), "unknown url type"),
    ],
)
def test_a_silent_server_is_a_reason(error: Exception, words: str) -> None:
    """Whatever goes wrong is named and is no exception."""
    facts = ask_server(
        FACTS, missing_channel=None, provision="ask", environ={}, fetch=Network(error)
    )
    assert not facts.can_add_targets
    assert facts.cannot_add_reason is not None
    assert words in facts.cannot_add_reason


@pytest.mark.parametrize(
    ("facts", "provision", "words"),
    [
        (FACTS, "never", 'provision = "never"'),
        (replace(FACTS, rustup=None, toolchain=None), "ask", "there is no rustup"),
        (replace(FACTS, toolchain=None), "ask", "does not come from rustup"),
        (replace(FACTS, toolchain="my-own"), "ask", "my-own is a custom one"),
    ],
)
def test_the_server_is_not_asked_when_nothing_could_be_added(
    facts: RustFacts, provision: Provision, words: str
) -> None:
    """The reason is known without the network."""
    network = Network()
    answered = ask_server(
        facts, missing_channel=None, provision=provision, environ={}, fetch=network
    )
    assert not answered.can_add_targets
    assert answered.cannot_add_reason is not None
    assert words in answered.cannot_add_reason
    assert network.asked == []


@pytest.mark.parametrize(
    ("toolchain", "ending"),
    [
        ("stable", "dist/channel-rust-stable.toml.sha256"),
        (f"1.95.0-{HOST}", "dist/channel-rust-1.95.0.toml.sha256"),
        (f"nightly-2026-01-01-{HOST}", "dist/2026-01-01/channel-rust-nightly.toml.sha256"),
    ],
)
def test_the_manifest_lies_where_rustup_looks(toolchain: str, ending: str) -> None:
    """Dated channels have a folder of their own; a mirror is respected."""
    mirror = {"RUSTUP_DIST_SERVER": "https://mirror.example/rust/"}
    assert manifest_url(toolchain, mirror) == f"https://mirror.example/rust/{ending}"


@pytest.mark.parametrize("toolchain", ["", "my-own", "stablest", "1.95.0beta"])
def test_a_custom_toolchain_has_no_manifest(toolchain: str) -> None:
    """Names that only begin like a channel are none."""
    assert manifest_url(toolchain, {}) is None


def test_a_missing_ca_bundle_is_an_ordinary_failure() -> None:
    """A wrong SSL_CERT_FILE ends in a reason, not in a traceback."""
    fetch = network_fetch({"SSL_CERT_FILE": "/does/not/exist.pem"})
    facts = ask_server(FACTS, missing_channel=None, provision="ask", environ={}, fetch=fetch)
    assert facts.cannot_add_reason is not None
    assert "No such file" in facts.cannot_add_reason
