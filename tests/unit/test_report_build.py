"""Tests of wheelworks.report.build and report.words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from run_samples import CELLS, NO_STD, facts, mixed_results, result

from wheelworks.events import Outcome
from wheelworks.plan import UnavailableCell
from wheelworks.report.build import (
    build_report,
    cell_states,
    report_exit_code,
    summary_line,
    unavailable_results,
)
from wheelworks.report.model import JobResult, TestCounts
from wheelworks.report.words import counts_text, job_label, shows_kinds, unavailable_groups

OK = Outcome.SUCCEEDED
SAME = Outcome.UP_TO_DATE
FAILED = Outcome.FAILED
MISSING = Outcome.UNAVAILABLE
SKIPPED = Outcome.SKIPPED
CANCELLED = Outcome.CANCELLED


def line_of(*results: JobResult, cells: tuple[str, ...] | None = None) -> str:
    """The last line of a run with these results."""
    named = tuple(dict.fromkeys(cell for item in results for cell in item.cells))
    return summary_line(build_report(facts(named if cells is None else cells), results))


def builds(**counts: int) -> list[JobResult]:
    """So many build results of each outcome, each for a cell of its own."""
    outcomes = [Outcome[name.upper()] for name, number in counts.items() for _ in range(number)]
    return [result(f"cell{index}", outcome) for index, outcome in enumerate(outcomes)]


def test_the_last_line_is_the_one_of_the_design() -> None:
    """The form that scripts and people look for."""
    results = builds(succeeded=12, unavailable=3)
    assert line_of(*results) == "15 cells: 12 built, 3 unavailable here"


def test_counts_come_in_a_fixed_order() -> None:
    """Whatever came first in the run."""
    results = builds(cancelled=1, skipped=2, unavailable=3, failed=4, up_to_date=5, succeeded=6)
    assert line_of(*results) == (
        "21 cells: 6 built, 5 up to date, 4 failed, 3 unavailable here, 2 skipped, 1 cancelled"
    )


@pytest.mark.parametrize(
    ("outcome", "clause"),
    [
        (OK, ", and the sdist"),
        (SAME, ", and the sdist up to date"),
        (FAILED, ", and the sdist failed"),
        (CANCELLED, ", and the sdist cancelled"),
    ],
)
def test_the_sdist_is_named_behind_the_cells(outcome: Outcome, clause: str) -> None:
    """It is no cell, so it is not counted among them."""
    sdist = result(None, outcome, kind="sdist")
    assert line_of(sdist, result("a", OK)) == f"1 cell: 1 built{clause}"


def test_a_run_of_the_sdist_alone_says_so() -> None:
    """No cell was selected; and a run of nothing says that."""
    assert line_of(result(None, OK, kind="sdist")) == "the sdist: built"
    assert line_of() == "no cells"


@pytest.mark.parametrize(
    ("build", "test", "state"),
    [
        (OK, OK, "tested"),
        (SAME, OK, "tested"),
        (OK, SAME, "up to date"),
        (SAME, SAME, "up to date"),
        (OK, FAILED, "failed"),
        (FAILED, SKIPPED, "failed"),
        (MISSING, SKIPPED, "unavailable here"),
        (OK, MISSING, "unavailable here"),
        (OK, CANCELLED, "cancelled"),
        (OK, SKIPPED, "skipped"),
    ],
)
def test_a_cell_of_a_test_run_is_what_its_jobs_add_up_to(
    build: Outcome, test: Outcome, state: str
) -> None:
    """The heaviest outcome counts, so that a failed build is not hidden by its skipped test."""
    results = (result("a", build), result("a", test, kind="test"))
    assert cell_states(build_report(facts(("a",)), results)) == {"a": state}


def test_two_tested_cells() -> None:
    """The line of a test run."""
    results = [item for cell in "ab" for item in (result(cell, OK), result(cell, OK, kind="test"))]
    assert line_of(*results) == "2 cells: 2 tested"


def test_cells_that_were_tested_under_emulation_are_counted_apart() -> None:
    """Nobody may take QEMU for the machine that it plays; an emulated build makes no emulated test."""
    emulated = replace(result("b", OK, kind="test"), is_emulated=True)
    build = replace(result("a", OK), is_emulated=True)
    results = (build, result("a", OK, kind="test"), result("b", OK), emulated)
    assert line_of(*results) == "2 cells: 1 tested, 1 tested under emulation"


def test_a_selected_cell_without_result_is_no_success() -> None:
    """A run that ended early leaves no cell out of the count; foreign cells are not counted."""
    assert line_of(result("a", OK), result("z", OK), cells=("a", "b")) == (
        "2 cells: 1 built, 1 skipped"
    )


def test_a_cell_that_needs_two_builds_is_built_when_one_was_stale() -> None:
    """Both slices of a universal2 wheel belong to one cell."""
    assert line_of(result("a", OK), result("a", SAME)) == "1 cell: 1 built"


def test_wheels_of_another_source_state_are_told_at_the_end() -> None:
    """The last line is where it can't be overlooked."""
    report = build_report(facts(("a",), other_sources=("demo-0.9.whl",)), [result("a", OK)])
    assert summary_line(report) == "1 cell: 1 built; dist/ holds wheels of two source states"


@pytest.mark.parametrize(
    ("results", "strict", "signal_exit", "code"),
    [
        (builds(succeeded=2), False, None, 0),
        (builds(up_to_date=2), True, None, 0),
        (builds(succeeded=1, unavailable=2), False, None, 0),
        (builds(succeeded=1, unavailable=2), True, None, 3),
        (builds(unavailable=2), False, None, 3),
        (builds(skipped=1), False, None, 3),
        ([], False, None, 3),
        (builds(succeeded=1, failed=1), False, None, 1),
        (builds(failed=1, unavailable=1), True, None, 1),
        ([result("a", OK), result("b", FAILED, exit_code=5)], False, None, 5),
        ([result("a", FAILED, exit_code=5), result("b", FAILED, exit_code=4)], False, None, 4),
        ([result("a", FAILED, exit_code=0)], False, None, 1),
        ([result("a", FAILED, exit_code=70)], False, 130, 130),
        (builds(succeeded=1, cancelled=1), False, 143, 143),
        ([result(None, OK, kind="sdist")], False, None, 0),
        ([result(None, OK, kind="sdist"), *builds(unavailable=1)], False, None, 3),
        ([result("a", OK), result("a", MISSING, kind="test")], False, None, 3),
        ([result("a", OK), result("a", OK, kind="test")], False, None, 0),
    ],
)
def test_exit_codes_follow_the_table(
    results: list[JobResult], strict: bool, signal_exit: int | None, code: int
) -> None:
    """0 only when something that was asked for succeeded; else the strongest cause."""
    assert report_exit_code(results, strict=strict, signal_exit=signal_exit) == code


def test_the_report_holds_what_was_given() -> None:
    """Results keep their order, tools are sorted, time never runs backwards."""
    results = mixed_results()
    report = build_report(facts(CELLS), results)
    assert report.results == results
    assert list(report.tools) == ["maturin", "rustc"]
    assert report.seconds == 95.5
    assert report.exit_code == 1
    assert build_report(facts((), finished=0.0), ()).seconds == 0.0


def test_cells_that_the_planner_refused_become_results() -> None:
    """With their reason and cure, and without touching the exit code by themselves."""
    cell = UnavailableCell(cell="x", kind="test", reason=NO_STD, cure="rustup target add y")
    (made,) = unavailable_results([cell])
    assert (made.job_id, made.kind, made.cells) == ("test x", "test", ("x",))
    assert (made.outcome, made.reason, made.cure) == (MISSING, NO_STD, "rustup target add y")
    assert made.exit_code == 0


def test_labels_say_what_is_needed_and_no_more() -> None:
    """The cell alone, the kind where both are shown, how many more a shared build serves."""
    assert job_label("build", "build a", ("a",), with_kind=False) == "a"
    assert job_label("test", "test a", ("a",), with_kind=True) == "test a"
    assert job_label("build", "build a", ("a", "b", "c"), with_kind=False) == "a +2"
    assert job_label("sdist", "sdist", (), with_kind=True) == "sdist"
    assert job_label(None, "odd", ("a",), with_kind=True) == "a"
    emulated = job_label("test", "test a", ("a",), with_kind=False, is_emulated=True)
    assert emulated == "a (emulated)"
    assert shows_kinds(["sdist", "build", "test"])
    assert not shows_kinds(["sdist", "build", None])


def test_unavailable_cells_are_grouped_by_reason_and_cure() -> None:
    """Each cell once, in the order of the run; a job without cells or reason is there too."""
    results = [
        result("b", MISSING, reason="r", cure="c"),
        result("a", MISSING, reason="r", cure="c"),
        result("a", MISSING, reason="r", cure="c", kind="test"),
        result("d", MISSING, reason="r"),
        result(None, MISSING, kind="sdist"),
        result("e", OK),
    ]
    assert unavailable_groups(results) == {
        ("r", "c"): ("b", "a"),
        ("r", None): ("d",),
        ("no reason given", None): ("sdist",),
    }


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        (None, ""),
        (TestCounts(total=132, failed=0, errors=0, skipped=0), "132 passed"),
        (
            TestCounts(total=10, failed=2, errors=1, skipped=3),
            "4 passed, 2 failed, 1 error, 3 skipped",
        ),
        (TestCounts(total=0, failed=0, errors=0, skipped=0), "no tests"),
    ],
)
def test_test_counts_in_words(counts: TestCounts | None, text: str) -> None:
    """Only what there is."""
    assert counts_text(result("a", OK, kind="test", tests=counts)) == text


def test_a_slice_is_no_success_of_its_own() -> None:
    """What is merged was asked for: a slice without it leaves the run with nothing, and counts as no cell."""
    slice_ = replace(result("x", Outcome.SUCCEEDED), job_id="slice x", cells=())
    skipped = result(CELLS[0], Outcome.SKIPPED, reason="the run stops at the first failure")
    assert report_exit_code((slice_, skipped), strict=False) == 3
    assert line_of(slice_, skipped, cells=(CELLS[0],)) == "1 cell: 1 skipped"
