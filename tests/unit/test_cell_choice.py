"""Which cells and interpreters a request means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import a_cell, changed
from container_samples import some_containers

from wheelworks.cell_choice import (
    RunRequest,
    missing_interpreters,
    needs_containers_for_tests,
    select_cells,
    target_triples,
    wanted_interpreters,
)
from wheelworks.errors import NothingSelectedError, UsageError
from wheelworks.matrix import ImpossibleCell, Matrix
from wheelworks.targets import target_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.toolchains import HostFacts

CELLS = (
    a_cell("3.12", "manylinux_x86_64"),
    a_cell("3.13", "manylinux_x86_64"),
    a_cell("3.13", "win_amd64"),
    a_cell("3.14t", "manylinux_x86_64"),
)
MATRIX = Matrix(
    cells=CELLS,
    impossible=(ImpossibleCell(id="pp311-macosx_universal2", reason="PyPy has no universal2"),),
)


def request(*selectors: str, **options: object) -> RunRequest:
    """A request with the given selectors."""
    usual = RunRequest(
        goal="test", directory=Path(), package=None, flags={}, selectors=tuple(selectors)
    )
    return changed(usual, options)


def ids(wanted: RunRequest, matrix: Matrix = MATRIX) -> list[str]:
    """Ids of the selected cells."""
    return [cell.id for cell in select_cells(matrix, wanted)]


def test_no_selector_means_every_cell() -> None:
    """In the order of the matrix."""
    assert ids(request()) == [cell.id for cell in CELLS]


def test_selectors_add_up() -> None:
    """A cell is selected when one of the patterns fits, in the order of the matrix."""
    assert ids(request("*-win_*", "cp312-*")) == ["cp312-manylinux_x86_64", "cp313-win_amd64"]


def test_only_the_sdist_means_no_cell() -> None:
    """The sdist belongs to no cell."""
    assert ids(request(sdist="only")) == []


def test_a_malformed_selector_is_a_usage_error() -> None:
    """Exit code 2, with the grammar as the hint."""
    with pytest.raises(UsageError) as caught:
        ids(request("cp3{12"))
    assert "{a,b}" in str(caught.value.hint)


def test_a_selector_without_a_cell_is_an_error_that_names_the_nearest() -> None:
    """Silence would look like success."""
    with pytest.raises(NothingSelectedError, match="cp312-manylinux_x86_65") as caught:
        ids(request("cp313-*", "cp312-manylinux_x86_65"))
    assert "cp312-manylinux_x86_64" in str(caught.value.hint)


def test_a_selector_for_an_impossible_cell_gives_its_reason() -> None:
    """Better than a near miss."""
    with pytest.raises(NothingSelectedError, match="PyPy has no universal2"):
        ids(request("pp311-*"))


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        ("3.12", ["cp312-manylinux_x86_64"]),
        ("3.13", ["cp313-manylinux_x86_64", "cp313-win_amd64"]),
        ("cp313", ["cp313-manylinux_x86_64", "cp313-win_amd64"]),
        ("3.14t", ["cp314t-manylinux_x86_64"]),
    ],
)
def test_an_interpreter_selects_its_cells(python: str, expected: list[str]) -> None:
    """Whichever way its name is written."""
    assert ids(request(python=python)) == expected


def test_an_interpreter_outside_the_matrix_selects_nothing() -> None:
    """`nox -s test-3.14` of a project without 3.14 fails saying so."""
    with pytest.raises(NothingSelectedError, match=r"Python 3\.14"):
        ids(request(python="3.14"))


@pytest.mark.parametrize("python", ["banana", "3.13t", ""])
def test_a_wrong_interpreter_is_a_usage_error(python: str) -> None:
    """Also where only stable-ABI cells are selected, which fit many interpreters."""
    abi3 = Matrix(cells=(a_cell("abi3-py310", "manylinux_x86_64"),), impossible=())
    for matrix in (MATRIX, abi3):
        with pytest.raises(UsageError, match="--python"):
            ids(request(python=python), matrix)


@pytest.mark.parametrize(
    ("python", "is_served"),
    [("3.9", False), ("3.10", True), ("3.14", True), ("3.14t", False), ("pp311", False)],
)
def test_a_stable_abi_wheel_serves_its_floor_and_what_is_later(
    python: str, is_served: bool
) -> None:
    """An older interpreter would refuse the wheel, a free-threaded one and PyPy as well."""
    abi3 = Matrix(cells=(a_cell("abi3-py310", "manylinux_x86_64"),), impossible=())
    if is_served:
        assert ids(request(python=python), abi3) == [abi3.cells[0].id]
    else:
        with pytest.raises(NothingSelectedError):
            ids(request(python=python), abi3)


def test_builds_want_no_interpreter(hosts: Mapping[str, HostFacts]) -> None:
    """A wheel is compiled without it."""
    wanted = request(goal="build")
    assert wanted_interpreters(CELLS, wanted) == frozenset()
    assert missing_interpreters(CELLS, wanted, hosts["linux_x86_64"]) == ()


def test_only_tests_that_could_run_here_lack_an_interpreter(hosts: Mapping[str, HostFacts]) -> None:
    """Nobody installs an interpreter for a Windows wheel on Linux; each is named once."""
    assert wanted_interpreters(CELLS, request()) == {"3.12", "3.13", "3.14t"}
    assert missing_interpreters(CELLS, request(), hosts["linux_x86_64"]) == ("3.14t",)


def test_an_image_that_is_there_saves_the_installation(hosts: Mapping[str, HostFacts]) -> None:
    """Uv is not asked to download what a container has already."""
    cells = (*CELLS, a_cell("3.14", "manylinux_x86_64"))
    host = hosts["linux_x86_64"]
    assert missing_interpreters(cells, request(), host) == ("3.14t", "3.14")
    with_images = replace(host, containers=some_containers())
    assert missing_interpreters(cells, request(), with_images) == ("3.14t",)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (request(goal="build"), False),
        (request(), True),
        (request(python="3.12"), False),
        (request("*-manylinux_x86_64", python="3.12"), False),
        (request("*-manylinux_aarch64", python="3.12"), True),
    ],
)
def test_the_engine_is_asked_for_tests_that_the_host_can_not_run(
    hosts: Mapping[str, HostFacts], wanted: RunRequest, expected: bool
) -> None:
    """For an interpreter that is missing, for another architecture only when its cells are named."""
    cells = (*CELLS, a_cell("3.12", "manylinux_aarch64"))
    chosen = select_cells(Matrix(cells=cells, impossible=()), wanted)
    assert needs_containers_for_tests(chosen, wanted, hosts["linux_x86_64"]) is expected


def test_a_windows_target_may_be_compiled_for_either_of_its_triples() -> None:
    """The probe asks for both standard libraries."""
    assert target_triples(target_named("win_amd64")) == (
        "x86_64-pc-windows-msvc",
        "x86_64-pc-windows-gnu",
    )
    assert target_triples(target_named("manylinux_x86_64")) == ("x86_64-unknown-linux-gnu",)
