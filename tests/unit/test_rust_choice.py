"""Which rustc compiles: rust-toolchain.toml, the option rust, MSRV."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import a_project, some_settings

from wheelworks.rust_choice import Obstacle, RustChoice, choose_rust, release_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.toolchains import HostFacts, RustFacts

LINUX = "x86_64-unknown-linux-gnu"


@pytest.fixture
def offline(hosts: Mapping[str, HostFacts]) -> RustFacts:
    """Rust 1.95.0 of rustup (stable), which reaches no server."""
    facts = hosts["linux_x86_64"].rust
    assert facts is not None
    return facts


@pytest.fixture
def online(offline: RustFacts) -> RustFacts:
    """The same with a server, and with a nightly beside it."""
    return replace(
        offline,
        can_add_targets=True,
        cannot_add_reason=None,
        installed_toolchains=(f"stable-{LINUX}", f"nightly-{LINUX}", "1.90.0"),
    )


@pytest.fixture
def distribution(hosts: Mapping[str, HostFacts]) -> RustFacts:
    """Rust 1.91.1 of a distribution, without rustup."""
    facts = hosts["wsl"].rust
    assert facts is not None
    return facts


def chosen(
    rust: RustFacts, *, option: str = "auto", channel: str | None = None, msrv: str | None = None
) -> RustChoice:
    """The choice, which must be one."""
    project = a_project(rust_toolchain=channel, rust_version=msrv)
    choice = choose_rust(project, some_settings(rust=option), rust)
    assert isinstance(choice, RustChoice)
    return choice


def refused(
    rust: RustFacts, *, option: str = "auto", channel: str | None = None, msrv: str | None = None
) -> Obstacle:
    """The obstacle, which there must be."""
    project = a_project(rust_toolchain=channel, rust_version=msrv)
    obstacle = choose_rust(project, some_settings(rust=option), rust)
    assert isinstance(obstacle, Obstacle)
    return obstacle


def test_a_project_without_wishes_gets_what_is_there(offline: RustFacts) -> None:
    """The probed toolchain is left to rustup's own choice."""
    assert chosen(offline) == RustChoice(
        label="rustc 1.95.0",
        version=(1, 95, 0),
        toolchain=None,
        toolchain_to_install=None,
        standard_libraries=(LINUX,),
        reason=f"rustc 1.95.0 (stable-{LINUX}): the project asks for no Rust version",
        exact_version="1.95.0",
    )


def test_a_channel_that_is_probed_is_left_to_rustup(online: RustFacts) -> None:
    """Rustup reads the file in the snapshot by itself."""
    choice = chosen(online, channel="stable")
    assert (choice.toolchain, choice.toolchain_to_install) == (None, None)
    assert choice.standard_libraries == (LINUX,)
    assert choice.reason.endswith("rust-toolchain.toml asks for stable")


def test_an_installed_channel_that_was_not_probed_has_unknown_libraries(
    online: RustFacts,
) -> None:
    """Nothing is claimed of a toolchain that nobody looked at."""
    choice = chosen(online, channel="nightly")
    assert (choice.label, choice.version) == ("Rust nightly", None)
    assert (choice.toolchain_to_install, choice.standard_libraries) == (None, None)


def test_a_missing_channel_is_installed_where_rustup_can(online: RustFacts) -> None:
    """A fresh toolchain has the host's standard library and no other."""
    choice = chosen(online, channel="1.85.0")
    assert (choice.toolchain, choice.toolchain_to_install) == (None, "1.85.0")
    assert (choice.version, choice.standard_libraries) == ((1, 85, 0), (LINUX,))
    assert choice.reason == "Rust 1.85.0: rust-toolchain.toml asks for it, rustup adds it"


def test_a_missing_channel_is_refused_where_rustup_can_not(offline: RustFacts) -> None:
    """The refusal has rustup's reason and both ways out."""
    assert refused(offline, channel="1.85.0") == Obstacle(
        reason="rust-toolchain.toml asks for Rust 1.85.0, which is not installed, and "
        "rustup can't reach its server",
        cure='rustup toolchain install 1.85.0; or rust = "any" in [tool.wheelworks] '
        "takes the Rust that is here",
    )
    unexplained = replace(offline, cannot_add_reason=None)
    assert "rustup can add nothing here" in refused(unexplained, channel="1.85.0").reason


@pytest.mark.parametrize("channel", ["1.95.0", "1.95"])
def test_the_same_release_under_another_name_is_taken(offline: RustFacts, channel: str) -> None:
    """Rustup would look for the version by its name, so it is told where it lies."""
    choice = chosen(offline, channel=channel)
    assert (choice.toolchain, choice.toolchain_to_install) == (f"stable-{LINUX}", None)


@pytest.mark.parametrize("channel", ["1.9", "1.95.1", "1.96", "nightly"])
def test_a_similar_name_is_not_the_same_release(offline: RustFacts, channel: str) -> None:
    """1.9 is not 1.95, and nightly is not what is here."""
    assert f"asks for Rust {channel}," in refused(offline, channel=channel).reason


@pytest.mark.parametrize("channel", ["stable", "1.91.1", "1.91"])
def test_a_distribution_serves_what_it_happens_to_be(distribution: RustFacts, channel: str) -> None:
    """Without rustup the file has no effect, so the version has to fit by itself."""
    assert chosen(distribution, channel=channel).toolchain is None


@pytest.mark.parametrize("channel", ["1.85.0", "nightly", "beta"])
def test_a_distribution_is_refused_for_another_version(
    distribution: RustFacts, channel: str
) -> None:
    """A toolchain that can't give the version is refused with the reason."""
    obstacle = refused(distribution, channel=channel)
    assert obstacle.reason == (
        f"rust-toolchain.toml asks for Rust {channel}, and rustc 1.91.1 here does not come from "
        "rustup, which could provide it"
    )
    assert obstacle.cure is not None
    assert obstacle.cure.startswith('install Rust through rustup; or rust = "any"')


def test_a_distribution_nightly_is_no_stable(distribution: RustFacts) -> None:
    """A rustc with a pre-release in its version is not what `stable` means."""
    nightly = replace(distribution, rustc=replace(distribution.rustc, version="1.99.0-nightly"))
    assert "asks for Rust stable" in refused(nightly, channel="stable").reason


def test_any_takes_what_is_there_and_names_it(offline: RustFacts) -> None:
    """RUSTUP_TOOLCHAIN outranks the project's file, and the reason says what it outranks."""
    choice = chosen(offline, option="any", channel="1.85.0")
    assert choice.toolchain == f"stable-{LINUX}"
    assert choice.reason.endswith('rust = "any", although rust-toolchain.toml asks for 1.85.0')
    assert chosen(offline, option="any").reason.endswith('rust = "any"')


def test_any_without_rustup_sets_nothing(distribution: RustFacts) -> None:
    """There is no rustup to tell."""
    assert chosen(distribution, option="any", channel="1.85.0").toolchain is None


@pytest.mark.parametrize(
    ("option", "toolchain", "to_install"),
    [
        ("1.90.0", "1.90.0", None),
        ("1.89.0", "1.89.0", "1.89.0"),
        ("stable", "stable", None),
        ("1.95.0", f"stable-{LINUX}", None),
    ],
)
def test_the_option_outranks_the_file(
    online: RustFacts, option: str, toolchain: str, to_install: str | None
) -> None:
    """Rustup is told of our option, because it can't know of it."""
    choice = chosen(online, option=option, channel="nightly")
    assert (choice.toolchain, choice.toolchain_to_install) == (toolchain, to_install)


def test_the_option_is_refused_without_rustup(distribution: RustFacts) -> None:
    """The message says that it was the option that asked."""
    assert refused(distribution, option="1.90.0").reason.startswith('rust = "1.90.0" asks for Rust')


@pytest.mark.parametrize(
    ("option", "channel", "cure"),
    [
        ("auto", None, "rustup update stable; or install a newer Rust through rustup"),
        ("any", "1.80.0", "rustup update stable; or install a newer Rust through rustup"),
        ("auto", "stable", "name 1.96 or a later version in rust-toolchain.toml"),
        ("stable", None, 'write rust = "1.96" or a later version'),
    ],
)
def test_a_rustc_below_the_msrv_is_refused(
    online: RustFacts, option: str, channel: str | None, cure: str
) -> None:
    """Cargo would refuse it too, after everything was set up."""
    assert refused(online, option=option, channel=channel, msrv="1.96") == Obstacle(
        reason="rustc 1.95.0 is older than 1.96, the rust-version of example", cure=cure
    )


@pytest.mark.parametrize("msrv", ["1.95", "1.95.0", "1.63", None, "unreadable"])
def test_a_rustc_at_the_msrv_is_taken(offline: RustFacts, msrv: str | None) -> None:
    """The MSRV itself is enough; what is no version binds nobody."""
    assert chosen(offline, msrv=msrv).version == (1, 95, 0)


def test_a_toolchain_to_install_is_held_to_the_msrv(online: RustFacts) -> None:
    """Nothing is downloaded that could not build; of a series the latest patch release counts."""
    assert (
        "Rust 1.84.0 is older than 1.85.1"
        in refused(online, channel="1.84.0", msrv="1.85.1").reason
    )
    assert chosen(online, channel="1.85", msrv="1.85.1").toolchain_to_install == "1.85"
    assert chosen(online, channel="nightly", msrv="1.99").version is None


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("1.95.0", (1, 95, 0)),
        ("1.99.0-nightly", (1, 99, 0)),
        ("1.85", (1, 85, 0)),
        ("nightly-2026-01-01", None),
        ("", None),
    ],
)
def test_release_of_reads_numbers_only(text: str, release: tuple[int, int, int] | None) -> None:
    """A channel without a number has no release."""
    assert release_of(text) == release
