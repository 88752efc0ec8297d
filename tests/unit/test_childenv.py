"""What children see, and what nobody may see."""

from __future__ import annotations

import sys

import pytest

from wheelworks.childenv import (
    child_environment,
    describe_changes,
    looks_secret,
    mask_secrets,
    quote_command,
    secret_values,
)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "LC_ALL",
        "https_proxy",
        "CARGO_HOME",
        "CARGO_NET_OFFLINE",
        "PIP_CERT",
        "UV_CACHE_DIR",
        "CARGO_REGISTRIES_MY_INDEX",
        "SystemRoot",
        "ProgramFiles(x86)",
    ],
)
def test_needed_variables_are_passed(name: str) -> None:
    """What programs need everywhere is there, in whatever case the system writes it."""
    assert child_environment({name: "value"}, set_={}) == {name: "value"}


@pytest.mark.parametrize(
    "name",
    [
        "PYO3_CONFIG_FILE",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "PYTHONPATH",
        "PYTHONHOME",
        "SSH_AUTH_SOCK",
        "GITHUB_TOKEN",
        "CARGO_REGISTRIES_MY_TOKEN",
        "UV_PUBLISH_PASSWORD",
        "PIP_TARGET",
        "EDITOR",
        "RUSTFLAGS",
    ],
)
def test_other_variables_are_not(name: str) -> None:
    """What changes a build unseen, and what is secret, stays outside."""
    assert child_environment({name: "value"}, set_={}) == {}


def test_order_of_the_sources() -> None:
    """Names asked for are added, unset ones removed, set ones win over everything."""
    caller = {"PATH": "/bin", "HOME": "/home/joe", "API_TOKEN": "abc", "MY_ONE": "1", "MY_TWO": "2"}
    result = child_environment(
        caller, set_={"PATH": "/tools", "NEW": "x"}, unset=["HOME"], pass_=["API_TOKEN", "MY_*"]
    )
    assert result == {
        "PATH": "/tools",
        "NEW": "x",
        "API_TOKEN": "abc",
        "MY_ONE": "1",
        "MY_TWO": "2",
    }


@pytest.mark.parametrize(
    "name",
    [
        "PYPI_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "PGPASSWORD",
        "MYSQL_PASSWD",
        "OPENAI_API_KEY",
        "apikey",
        "GH_PAT",
        "SIGNING_KEY_PASSPHRASE",
        "TWINE_CREDENTIALS",
    ],
)
def test_secret_names(name: str) -> None:
    """Names that hold a secret in all likelihood."""
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["PATH", "PWD", "OLDPWD", "KEYBOARD", "AUTHOR_NAME", "COMPATH"])
def test_harmless_names(name: str) -> None:
    """Words that only contain a suspicious one are fine."""
    assert not looks_secret(name)


def test_secret_values_are_long_enough_and_longest_first() -> None:
    """A short value would black out the log; a longer one must be masked before its own part."""
    environment = {
        "A_TOKEN": "abcdef",
        "B_TOKEN": "abcdefgh",
        "C_TOKEN": "short",
        "HOME": "/home/a",
    }
    assert secret_values(environment) == ("abcdefgh", "abcdef")


def test_lines_of_a_private_key_count_one_by_one() -> None:
    """Output is masked line by line, so each line of the key must be known."""
    key = "-----BEGIN KEY-----\nAAAABBBBCCCC\nDDDDEEEEFFFF\n-----END KEY-----\n"
    assert {"AAAABBBBCCCC", "DDDDEEEEFFFF"} <= set(secret_values({"DEPLOY_KEY": key}))


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://user:hunter22@host/simple", ("hunter22",)),
        ("http://proxy:8080", ()),
        ("https://ghp_abcdefghij@host/repo.git", ("ghp_abcdefghij",)),
        ("ssh://someuser@host/repo.git", ()),
    ],
)
def test_passwords_in_urls_are_secrets(url: str, secret: tuple[str, ...]) -> None:
    """Package indexes and proxies carry their passwords in their addresses."""
    assert secret_values({"PIP_INDEX_URL": url}) == secret


def test_masking_replaces_every_place() -> None:
    """Every occurrence is replaced, and an empty secret does nothing."""
    assert mask_secrets("a=hunter22 b=hunter22", ["", "hunter22"]) == "a=*** b=***"


def test_changes_are_sorted_and_masked() -> None:
    """Only what differs from the caller is named; secret names never show their value."""
    caller = {"PATH": "/bin", "SAME": "1"}
    child = {"SAME": "1", "Z": "hunter22!", "A_KEY": "k", "PATH": "/tools"}
    assert describe_changes(caller, child, ["hunter22"]) == ("A_KEY=***", "PATH=/tools", "Z=***!")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows quotes by its own rules")
def test_command_is_quoted_for_a_shell() -> None:
    """A copied line must do what was run."""
    assert quote_command(["a b", "--x=$y", "plain"]) == "'a b' '--x=$y' plain"
