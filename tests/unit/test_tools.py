"""Tests of which tool is used and where it lies."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from packaging.requirements import Requirement

from wheelworks.errors import ConfigurationError
from wheelworks.plan import ToolRequest
from wheelworks.tools import PINS, default_request, hashes_file, pinned_hashes, tool_environment

TOOLS = PurePosixPath("/home/u/.local/share/wheelworks/tools")


@pytest.mark.parametrize("requirement", [None, "", ">=1.9,<2", ">=1.14.1", "==1.*"])
def test_the_pinned_maturin_is_used_where_the_project_allows_it(requirement: str | None) -> None:
    """No demand, or one that the pin satisfies."""
    request = default_request("maturin", requirement)
    assert request.requirement == f"maturin=={PINS['maturin']}"
    assert request.is_pinned


@pytest.mark.parametrize("requirement", ["<1.9", "==1.7.4", "~=1.8.0"])
def test_a_project_that_excludes_the_pin_gets_what_it_asks_for(requirement: str) -> None:
    """There are no hashes for that version, and the reason says why it is used."""
    request = default_request("maturin", requirement)
    assert request.requirement == f"maturin{requirement}"
    assert not request.is_pinned
    assert requirement in request.reason


def test_the_configuration_forces_a_version() -> None:
    """Even one that the project's requirement excludes; the pin's own number stays pinned."""
    forced = default_request("maturin", ">=1.16", configured="1.15.0")
    assert (forced.requirement, forced.is_pinned) == ("maturin==1.15.0", False)
    same = default_request("maturin", "<1.9", configured=PINS["maturin"])
    assert (same.requirement, same.is_pinned) == (f"maturin=={PINS['maturin']}", True)


def test_malformed_specifiers_are_a_configuration_error() -> None:
    """The message names them and where they are from."""
    with pytest.raises(ConfigurationError, match=r"'>>1' of maturin in \[build-system\]"):
        default_request("maturin", ">>1")


def test_a_tool_without_a_pin_is_taken_as_it_comes() -> None:
    """Only virtualenv has none."""
    request = default_request("virtualenv")
    assert (request.requirement, request.is_pinned, request.reason) == ("virtualenv", False, "")


def test_the_place_is_known_before_the_tool_is_there() -> None:
    """The same request has the same folder, which names tool and version."""
    environment = tool_environment(TOOLS, default_request("maturin"))
    assert environment == tool_environment(TOOLS, default_request("maturin"))
    assert re.fullmatch(r"maturin-1\.16\.0-[0-9a-f]{8}", environment.folder.name)
    assert environment.folder.parent == TOOLS
    assert environment.program("maturin") == f"{environment.folder}/bin/maturin"
    assert environment.python == f"{environment.folder}/bin/python"
    assert environment.identity == "1.16.0"


def test_other_requests_have_other_places() -> None:
    """A forced version never lands in the pinned one's folder."""
    requests = (
        default_request("maturin"),
        default_request("maturin", configured="1.15.0"),
        default_request("maturin", "<1.9"),
        ToolRequest(name="maturin", requirement="maturin==1.16.0", is_pinned=False),
    )
    assert len({tool_environment(TOOLS, request).folder for request in requests}) == 4
    assert tool_environment(TOOLS, requests[2]).identity == "maturin<1.9"


def test_windows_environments_have_scripts() -> None:
    """The folder's kind decides, not the machine that plans."""
    tools = PureWindowsPath(r"C:\Users\u\tools")
    environment = tool_environment(tools, default_request("uv"))
    assert environment.program("uv") == rf"{environment.folder}\Scripts\uv.exe"
    assert environment.python.endswith(r"\Scripts\python.exe")


@pytest.mark.parametrize("name", sorted(PINS))
def test_every_pinned_requirement_has_a_hash_and_no_index(name: str) -> None:
    """A row without a hash would be refused, and an index would be somebody's own."""
    text = pinned_hashes(name)
    rows = [row for row in text.replace("\\\n", "").splitlines() if row.strip()]
    for row in rows:
        assert re.fullmatch(r"\S+==\S+( ; [^-]+?)?(\s+--hash=sha256:[0-9a-f]{64})+", row.strip())
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("name", sorted(PINS))
def test_the_hashes_are_those_of_the_pinned_version(name: str) -> None:
    """scripts/refresh_tools.py was run after the last change of a pin."""
    text = hashes_file(name).read_text(encoding="utf-8").replace("\\\n", "")
    versions = {
        requirement.name: str(requirement.specifier)
        for row in text.splitlines()
        if (requirement := Requirement(row.partition(" --hash")[0]))
    }
    assert versions[name] == f"=={PINS[name]}"
