"""Progress is read from cargo's bar and from nothing else."""

from __future__ import annotations

import pytest

from wheelworks.executors.progress import Progress, read_progress


def test_a_building_bar_gives_units_and_crates() -> None:
    """The bar's numbers and the crates behind it are the progress."""
    line = "    Building [=======>                  ] 12/45: serde, syn(build)"
    assert read_progress(line) == Progress(
        done=12, total=45, current="serde, syn(build)", is_compiling=True
    )


def test_a_bar_without_crates_has_no_current_one() -> None:
    """Between two crates cargo names none."""
    found = read_progress("Building [>     ] 0/7")
    assert found == Progress(done=0, total=7, current="", is_compiling=True)


def test_fetching_is_told_from_compiling() -> None:
    """The last crate that is fetched is not the last one that is compiled."""
    found = read_progress("       Fetch [====>  ] 8/9: syn")
    assert found == Progress(done=8, total=9, current="syn", is_compiling=False)


def test_escape_sequences_around_a_bar_do_not_hide_it() -> None:
    """Cargo clears the line before it draws."""
    found = read_progress("\x1b[K    Building [=>  ] 3/9: rpds-py...")
    assert found == Progress(done=3, total=9, current="rpds-py", is_compiling=True)


@pytest.mark.parametrize(
    "line",
    [
        "   Compiling serde v1.0.0",
        "warning: unused [==] 3/4",
        "",
        "Building is fun 3/4",
        "[1/2] tests",
    ],
)
def test_ordinary_lines_are_no_progress(line: str) -> None:
    """What is not a bar stays output."""
    assert read_progress(line) is None
