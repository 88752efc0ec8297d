"""The matrix: order, stable ABI, impossible cells, policies, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import a_project, some_settings

from wheelworks.config.settings import CellSettings, Override
from wheelworks.errors import ConfigurationError, Fault
from wheelworks.matrix import Matrix, expand_matrix

if TYPE_CHECKING:
    from wheelworks.project import Project


def expand(project: Project | None = None, **settings: object) -> Matrix:
    """The matrix of some settings for the usual project."""
    return expand_matrix(some_settings(**settings), project or a_project())


def faults_of(project: Project | None = None, **settings: object) -> tuple[Fault, ...]:
    """The faults that the settings have."""
    with pytest.raises(ConfigurationError) as caught:
        expand(project, **settings)
    return caught.value.faults


def ids(matrix: Matrix) -> list[str]:
    """The ids of the cells, in order."""
    return [cell.id for cell in matrix.cells]


def test_cells_come_target_by_target_interpreter_by_interpreter() -> None:
    """The order is that of the settings, so that it never moves by itself."""
    matrix = expand(pythons=("3.13", "3.12"), targets=("win_amd64", "manylinux_x86_64"))
    assert ids(matrix) == [
        "cp313-win_amd64",
        "cp312-win_amd64",
        "cp313-manylinux_x86_64",
        "cp312-manylinux_x86_64",
    ]
    assert matrix.impossible == ()


def test_what_is_named_twice_counts_once() -> None:
    """Two spellings of one interpreter, or a target named twice, give one cell."""
    matrix = expand(pythons=("3.13", "cp313", "3.13"), targets=("win32", "win32"))
    assert ids(matrix) == ["cp313-win32"]


def test_a_cell_carries_interpreter_target_policy_and_settings() -> None:
    """Everything that the planner needs of a cell is in it."""
    (cell,) = expand(pythons=("3.14t",), targets=("manylinux_riscv64",)).cells
    assert cell.interpreter.spec == "3.14t"
    assert cell.target.name == "manylinux_riscv64"
    assert cell.policy == "manylinux_2_31"
    assert cell.built_for == cell.interpreter
    assert cell.settings == CellSettings()


def test_skipped_cells_are_left_out_also_when_impossible() -> None:
    """What the user does not want needs no reason."""
    matrix = expand(
        pythons=("3.13", "pp311"),
        targets=("manylinux_x86_64", "musllinux_x86_64"),
        skip=("pp311-musllinux_*", "cp313-many*"),
    )
    assert ids(matrix) == ["pp311-manylinux_x86_64", "cp313-musllinux_x86_64"]
    assert matrix.impossible == ()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("musllinux_x86_64", "PyPy 3.11 is not published for musllinux_x86_64"),
        ("manylinux_ppc64le", "PyPy 3.11 is not published for manylinux_ppc64le"),
        ("manylinux_s390x", "PyPy 3.11 is not published for manylinux_s390x"),
        ("manylinux_armv7l", "PyPy 3.11 is not published for manylinux_armv7l"),
        ("manylinux_riscv64", "PyPy 3.11 is not published for manylinux_riscv64"),
        ("win_arm64", "PyPy 3.11 is not published for win_arm64"),
        ("win32", "PyPy 3.11 is not published for win32"),
        (
            "macosx_universal2",
            "PyPy has no universal2 build; take macosx_x86_64 and macosx_arm64",
        ),
    ],
)
def test_pypy_is_impossible_where_none_is_published(target: str, reason: str) -> None:
    """Such a cell is named with its reason instead of being built in vain."""
    matrix = expand(pythons=("pp311",), targets=(target,))
    assert matrix.cells == ()
    assert [(cell.id, cell.reason) for cell in matrix.impossible] == [(f"pp311-{target}", reason)]


def test_requires_python_leaves_interpreters_out_with_the_reason() -> None:
    """An interpreter that pip would refuse the wheel on is impossible; a floor of abi3 is not."""
    project = a_project(requires_python=">=3.12,<3.14", stable_abi=(3, 10))
    matrix = expand(project, pythons=("3.11", "3.12", "3.13", "3.14", "pp311", "abi3-py310"))
    assert ids(matrix) == [
        "cp312-manylinux_x86_64",
        "cp313-manylinux_x86_64",
        "cp310-abi3-manylinux_x86_64",
    ]
    assert [(cell.id, cell.reason) for cell in matrix.impossible] == [
        (
            f"{tag}-manylinux_x86_64",
            f"requires-python of example is >=3.12,<3.14, which leaves out {version}",
        )
        for tag, version in (("cp311", "3.11"), ("cp314", "3.14"), ("pp311", "3.11"))
    ]


@pytest.mark.parametrize(
    ("python", "built_for"),
    [
        ("3.9", "3.9"),
        ("3.10", "abi3-py310"),
        ("3.13", "abi3-py310"),
        ("3.14t", "3.14t"),
        ("3.15t", "3.15t"),
        ("pp311", "pp311"),
        ("abi3-py312", "abi3-py312"),
    ],
)
def test_the_stable_abi_serves_cpython_with_a_gil_from_its_floor(
    python: str, built_for: str
) -> None:
    """One build serves those cells; older, free-threaded and PyPy ones have their own."""
    (cell,) = expand(a_project(stable_abi=(3, 10)), pythons=(python,)).cells
    assert cell.built_for.spec == built_for
    assert cell.interpreter.spec == python


@pytest.mark.parametrize(
    ("stable_abi", "python", "built_for"),
    [
        ((3, 10), "3.14t", "3.14t"),
        ((3, 10), "3.15t", "abi3t-py315"),
        ((3, 10), "3.15", "abi3-py310"),
        (None, "3.15", "abi3t-py315"),
        (None, "3.14", "3.14"),
    ],
)
def test_the_free_threaded_stable_abi_serves_from_its_floor(
    stable_abi: tuple[int, int] | None, python: str, built_for: str
) -> None:
    """abi3t serves free-threaded CPython, and the ordinary one where there is no abi3."""
    project = a_project(stable_abi=stable_abi, free_threaded_stable_abi=(3, 15))
    (cell,) = expand(project, pythons=(python,)).cells
    assert cell.built_for.spec == built_for


def test_an_abi3_cell_has_the_floor_in_its_id() -> None:
    """The entry abi3-py310 gives a cell of its own beside those of interpreters."""
    assert ids(expand(a_project(stable_abi=(3, 10)), pythons=("abi3-py310",))) == [
        "cp310-abi3-manylinux_x86_64"
    ]


def test_an_abi3_entry_needs_something_that_turns_abi3_on() -> None:
    """Without it maturin would write another wheel than the one that was asked for."""
    matrix = expand(pythons=("abi3-py310",))
    assert [cell.reason for cell in matrix.impossible] == [
        "example turns no abi3 feature of PyO3 on; "
        "add one to features of [tool.maturin], or write 3.10"
    ]
    with_feature = CellSettings(features=("limited",))
    assert ids(expand(pythons=("abi3-py310",), cell=with_feature)) == [
        "cp310-abi3-manylinux_x86_64"
    ]


def test_overrides_change_the_cells_that_they_select() -> None:
    """Each cell has its settings, and cells with the same overrides share them."""
    overrides = (
        Override(select=("*-win_amd64",), values={"profile": "dev"}),
        Override(select=("cp313-*",), values={"features": ("x",)}),
    )
    matrix = expand(
        pythons=("3.12", "3.13"), targets=("win_amd64", "manylinux_x86_64"), overrides=overrides
    )
    assert {cell.id: (cell.settings.profile, cell.settings.features) for cell in matrix.cells} == {
        "cp312-win_amd64": ("dev", ()),
        "cp313-win_amd64": ("dev", ("x",)),
        "cp312-manylinux_x86_64": ("release", ()),
        "cp313-manylinux_x86_64": ("release", ("x",)),
    }


def test_a_level_for_all_cells_leaves_other_systems_at_their_own() -> None:
    """`compatibility = "manylinux_2_28"` beside a Mac is no contradiction."""
    matrix = expand(
        targets=("manylinux_x86_64", "musllinux_x86_64", "macosx_arm64", "win_amd64"),
        cell=CellSettings(compatibility="manylinux_2_28"),
    )
    assert [cell.policy for cell in matrix.cells] == [
        "manylinux_2_28",
        "musllinux_1_2",
        "macosx_11_0",
        "win",
    ]


def test_a_level_that_can_not_be_had_is_one_fault_for_its_cells() -> None:
    """Three interpreters don't give the same fault three times."""
    (fault,) = faults_of(
        pythons=("3.12", "3.13", "3.14"),
        cell=CellSettings(compatibility="manylinux2010"),
        targets=("manylinux_x86_64", "manylinux_aarch64"),
        origins={"compatibility": "pyproject.toml"},
    )
    assert (fault.key, fault.origin) == ("tool.wheelworks.compatibility", "pyproject.toml")
    assert "Rust needs glibc 2.17" in fault.message


def test_a_level_of_an_override_must_suit_the_cells_it_selects() -> None:
    """There the contradiction is the user's, and the fault names the override."""
    overrides = (
        Override(select=("*",), values={"profile": "dev"}),
        Override(select=("*-macosx*",), values={"compatibility": "manylinux_2_28"}),
        Override(select=("*",), values={"profile": "release"}),
    )
    (fault,) = faults_of(targets=("macosx_arm64", "manylinux_x86_64"), overrides=overrides)
    assert (fault.key, fault.origin) == (
        "tool.wheelworks.overrides[1].compatibility",
        "pyproject.toml",
    )
    assert "can't serve macosx_arm64" in fault.message


def test_all_faults_are_reported_together() -> None:
    """One run of the command shows everything that is to be mended."""
    faults = faults_of(
        a_project(requires_python="newest"),
        pythons=("3.13t", "3.1x", "3.12", "3.13t"),
        targets=("linux_x86_64", "win32"),
        skip=("dist/*",),
        overrides=(
            Override(select=("cp313",), values={}),
            Override(select=("a,b",), values={"profile": "dev"}),
        ),
        cell=CellSettings(compatibility="manylinux1"),
        origins={"pythons": "WHEELWORKS_PYTHONS", "skip": "--skip"},
    )
    assert [(fault.key, fault.origin) for fault in faults] == [
        ("tool.wheelworks.pythons", "WHEELWORKS_PYTHONS"),
        ("tool.wheelworks.pythons", "WHEELWORKS_PYTHONS"),
        ("tool.wheelworks.targets", "default"),
        ("tool.wheelworks.skip", "--skip"),
        ("tool.wheelworks.overrides[1].select", "pyproject.toml"),
        ("project.requires-python", "pyproject.toml"),
        ("tool.wheelworks.compatibility", "default"),
    ]


def test_nothing_to_build_gives_an_empty_matrix() -> None:
    """No interpreter or no target is for the selection to complain about."""
    assert expand(pythons=()) == expand(targets=()) == Matrix(cells=(), impossible=())
