"""Tests of wheelworks.ui.board."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from golden import check_golden
from rich.console import Console
from run_samples import START, run_events

from wheelworks.events import JobStarted, Outcome
from wheelworks.text import TextStyle, text_width
from wheelworks.ui.board import render_board, render_details
from wheelworks.ui.state import BoardState, JobView, reduce_event

if TYPE_CHECKING:
    from rich.console import RenderableType

NOW = START + 42
SAMPLE = reduce(reduce_event, run_events(), BoardState())
PLAIN = TextStyle()


def text_of(renderable: RenderableType, width: int, *, color: bool = False) -> str:
    """What a terminal of that width shows."""
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        markup=False,
        highlight=False,
    )
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def board_text(
    state: BoardState, width: int, height: int, *, style: TextStyle = PLAIN, keys: bool = False
) -> str:
    """The board as text."""
    board = render_board(state, width=width, height=height, now=NOW, style=style, keys=keys)
    return text_of(board, width)


@pytest.mark.parametrize(("width", "height"), [(40, 12), (60, 8), (80, 24), (120, 24), (200, 50)])
def test_the_board(width: int, height: int) -> None:
    """Looked at once and kept; it never is wider or higher than the terminal."""
    text = board_text(SAMPLE, width, height, keys=True)
    assert len(text.splitlines()) <= height - 1
    assert max(text_width(line) for line in text.splitlines()) <= width - 1
    check_golden(f"ui/board-{width}x{height}.txt", text)


def test_the_board_in_ascii() -> None:
    """For consoles that can show no more."""
    text = board_text(SAMPLE, 80, 24, style=TextStyle(unicode=False))
    assert text.isascii()
    check_golden("ui/board-ascii.txt", text)


def test_failed_rows_are_red_and_running_rows_come_first() -> None:
    """What needs attention can be seen from afar."""
    board = render_board(SAMPLE, width=80, height=24, now=NOW, style=TextStyle(color=True))
    lines = text_of(board, 80, color=True).splitlines()
    assert [index for index, line in enumerate(lines) if "compiling" in line] == [0, 1, 2]
    (failed,) = (line for line in lines if "failed: compile" in line)
    assert failed.startswith("\x1b[31m✗ ")


def test_rows_without_room_are_counted() -> None:
    """Nothing is left out silently, whatever the height."""
    assert "… and 2 more waiting, 1 more done" in board_text(SAMPLE, 80, 9)
    lines = board_text(SAMPLE, 80, 3).splitlines()
    assert lines[0].startswith("… and 3 more running, 1 more failed")
    assert lines[1].startswith("2/7 done")


def test_unavailable_cells_take_one_line() -> None:
    """Grouped by reason with the number of cells; a single reason needs no total."""
    assert "6 unavailable here: 3 no macOS SDK on this machine; 3 rustc has" in board_text(
        SAMPLE, 120, 24
    )
    jobs = {
        "a": JobView(
            job_id="a",
            kind="build",
            title="a",
            cells=("a", "b"),
            outcome=Outcome.UNAVAILABLE,
            reason=None,
        )
    }
    text = board_text(BoardState(jobs=jobs), 80, 24)
    assert "2 unavailable here: no reason given" in text


def test_a_run_that_has_not_begun_is_one_line() -> None:
    """An empty board is no error."""
    text = board_text(BoardState(), 80, 24)
    assert len(text.splitlines()) == 1
    assert text.startswith("0/0 done")


def test_names_from_outside_cannot_act_on_the_terminal() -> None:
    """Escape sequences in cell, crate, reason and output are shown, not obeyed; markup is text."""
    hostile = "\x1b[2J[red]x\x07\n"
    jobs = {
        "a": JobView(
            job_id="a",
            kind="build",
            title=hostile,
            cells=(hostile,),
            started=START,
            current=hostile,
            recent=(hostile,),
        ),
        "b": JobView(
            job_id="b",
            kind="build",
            title="b",
            cells=("b",),
            outcome=Outcome.FAILED,
            reason=hostile,
        ),
    }
    state = BoardState(jobs=jobs)
    details = text_of(render_details(state, now=NOW, style=PLAIN), 120)
    for text in (board_text(state, 120, 24), details):
        assert "[red]x" in text
        assert "\\x07" in text
        assert not {"\x1b", "\x07"} & set(text)


def test_details_of_what_is_running() -> None:
    """The key t shows phase, crate, times and the last lines; looked at once and kept."""
    text = text_of(render_details(SAMPLE, now=NOW, style=PLAIN), 100)
    check_golden("ui/details.txt", text)


def test_details_of_an_idle_run() -> None:
    """It is an answer too that nothing runs."""
    waiting = JobView(job_id="a", kind="build", title="a", cells=("a",))
    state = BoardState(jobs={"a": waiting, "b": replace(waiting, job_id="b")})
    text = text_of(render_details(state, now=NOW, style=PLAIN), 80)
    assert text == "nothing is running, 2 waiting\n"


def test_a_job_without_a_known_total_shows_its_count() -> None:
    """Before cargo's plan is known there is still something to see."""
    view = JobView(
        job_id="a", kind="build", title="a", cells=("a",), started=START, done=7, current="serde"
    )
    wide = board_text(BoardState(jobs={"a": view}), 80, 24)
    assert "waiting 7 serde" in wide
    started = reduce_event(BoardState(jobs={"a": view}), JobStarted(job_id="a", time=START))
    assert "preparing" in board_text(started, 24, 24)
