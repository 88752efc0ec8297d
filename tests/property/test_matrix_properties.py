"""The matrix: every combination once, in order, and linear in its size."""

from __future__ import annotations

from builders import a_project, some_settings
from hypothesis import given
from hypothesis import strategies as st

from wheelworks.config.settings import Override
from wheelworks.interpreters import parse_interpreter
from wheelworks.matrix import expand_matrix
from wheelworks.selectors import _compiled, matches, select
from wheelworks.targets import all_targets

NAMES = [target.name for target in all_targets()]

pythons = st.lists(
    st.one_of(
        st.builds("3.{}".format, st.integers(7, 20)),
        st.builds("3.{}t".format, st.integers(14, 20)),
        st.builds("cp3{}".format, st.integers(7, 20)),
        st.just("pp311"),
        st.builds("abi3-py3{}".format, st.integers(7, 14)),
    ),
    max_size=6,
)
targets = st.lists(st.sampled_from(NAMES), max_size=5)
skips = st.lists(st.sampled_from(["*-win*", "cp31{2,3}-*", "pp*", "*abi3*", "*"]), max_size=2)
floors = st.one_of(st.none(), st.tuples(st.just(3), st.integers(7, 16)))


@given(pythons, targets, skips, floors)
def test_every_combination_is_a_cell_or_impossible_or_skipped(
    specs: list[str], names: list[str], skip: list[str], floor: tuple[int, int] | None
) -> None:
    """Nothing is lost, nothing comes twice, and what is skipped is nowhere."""
    project = a_project(stable_abi=floor)
    whole = expand_matrix(some_settings(pythons=tuple(specs), targets=tuple(names)), project)
    every = [cell.id for cell in whole.cells] + [cell.id for cell in whole.impossible]
    assert len(every) == len(set(every))
    distinct = {parse_interpreter(spec) for spec in specs}
    assert len(every) == len(distinct) * len(set(names))
    kept = expand_matrix(
        some_settings(pythons=tuple(specs), targets=tuple(names), skip=tuple(skip)), project
    )
    expected = [cell for cell in whole.cells if not any(matches(cell.id, one) for one in skip)]
    assert list(kept.cells) == expected
    assert all(not any(matches(cell.id, one) for one in skip) for cell in kept.impossible)


@given(pythons, targets)
def test_targets_vary_slowest(specs: list[str], names: list[str]) -> None:
    """The cells of a target stand together, in the order of the settings."""
    matrix = expand_matrix(some_settings(pythons=tuple(specs), targets=tuple(names)), a_project())
    ordered = [names.index(cell.target.name) for cell in matrix.cells]
    assert ordered == sorted(ordered)


@given(pythons, targets, floors)
def test_what_is_compiled_serves_the_interpreter(
    specs: list[str], names: list[str], floor: tuple[int, int] | None
) -> None:
    """Another thing than the interpreter is only compiled where its ABI is one that it loads."""
    project = a_project(stable_abi=floor)
    matrix = expand_matrix(some_settings(pythons=tuple(specs), targets=tuple(names)), project)
    for cell in matrix.cells:
        built, asked = cell.built_for, cell.interpreter
        assert built == asked or (
            built.is_stable_abi
            and asked.implementation == "cp"
            and not asked.free_threaded
            and (built.major, built.minor) == floor
            and (asked.major, asked.minor) >= floor
        )


@given(pythons, targets)
def test_a_cells_id_selects_it_alone(specs: list[str], names: list[str]) -> None:
    """Every id is a selector, also that of an abi3 cell."""
    matrix = expand_matrix(
        some_settings(pythons=tuple(specs), targets=tuple(names)), a_project(stable_abi=(3, 8))
    )
    ids = [cell.id for cell in matrix.cells]
    assert all(select(ids, [one]) == (one,) for one in ids)


def test_ten_thousand_cells_compile_each_pattern_once() -> None:
    """The work for a pattern does not grow with the number of cells."""
    _compiled.cache_clear()
    settings = some_settings(
        pythons=tuple(f"3.{minor}" for minor in range(14, 514)),
        targets=tuple(NAMES),
        skip=("cp314-win*",),
        overrides=tuple(
            Override(select=(f"*-{name}",), values={"features": (name,)}) for name in NAMES
        ),
    )
    matrix = expand_matrix(settings, a_project())
    assert len(matrix.cells) == 500 * 20 - 3
    patterns = 1 + len(NAMES)
    assert _compiled.cache_info().misses == patterns
    # Compiled patterns are asked for a few times each, not once per cell.
    assert _compiled.cache_info().hits <= 2 * patterns
    assert len({id(cell.settings) for cell in matrix.cells}) == len(NAMES)
