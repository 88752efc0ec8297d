"""What holds for the test sources of any tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wheelworks.errors import ConfigurationError
from wheelworks.plan import TestPlan
from wheelworks.wheeltest import select_sources

NAMES = st.sampled_from(["demo", "demo2", "tests", "data", "a.py", "a.pyc", "é", "[x]"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
TREES = st.lists(PATHS, unique=True, max_size=20).map(tuple)


def _plan(package_dirs: tuple[str, ...], sources: tuple[str, ...] | None) -> TestPlan:
    return TestPlan(
        sources=sources,
        package_dirs=package_dirs,
        guarded_names=("demo",),
        interpreter="python",
        interpreter_spec="3.13",
    )


@given(files=TREES, package=PATHS)
def test_the_package_is_never_among_the_sources_and_nothing_else_is_lost(
    files: tuple[str, ...], package: str
) -> None:
    """Without patterns exactly the package and compiled files are left out."""
    chosen = select_sources(files, _plan((package,), None))
    left_out = [path for path in files if path not in chosen]
    for path in chosen:
        assert path != package
        assert not path.startswith(package + "/")
    for path in left_out:
        assert f"{path}/".startswith(f"{package}/") or path.endswith(".pyc")


@given(files=TREES, package=PATHS, patterns=st.lists(PATHS, min_size=1, max_size=3))
def test_patterns_only_narrow_the_choice_and_keep_the_trees_order(
    files: tuple[str, ...], package: str, patterns: list[str]
) -> None:
    """A pattern never brings the package back."""
    everything = select_sources(files, _plan((package,), None))
    try:
        chosen = select_sources(files, _plan((package,), tuple(patterns)))
    except ConfigurationError:
        return
    assert chosen
    assert list(chosen) == [path for path in everything if path in chosen]
