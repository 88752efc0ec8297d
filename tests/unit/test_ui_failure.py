"""Tests of wheelworks.ui.failure."""

from __future__ import annotations

from golden import check_golden
from run_samples import CELLS, finding, mixed_results, result

from wheelworks.audit.model import Level
from wheelworks.events import Outcome
from wheelworks.report.model import JobResult
from wheelworks.text import TextStyle
from wheelworks.ui.failure import TAIL_LINES, decisive_lines, failure_block

PLAIN = TextStyle()

RUSTC_LOG = """\
$ cargo rustc --release
   Compiling demo v1.0.0 (/project)
\x1b[33mwarning\x1b[0m: unused variable: `x`

\x1b[1m\x1b[31merror[E0425]\x1b[0m: cannot find value `nope` in this scope
 --> src/lib.rs:4:5
  |
4 |     nope
  |     ^^^^ not found in this scope

error[E0308]: mismatched types
 --> src/lib.rs:9:5

error: aborting due to 2 previous errors
error: could not compile `demo` (lib) due to 2 previous errors
💥 maturin failed
"""

PYTEST_LOG = """\
collected 3 items
tests/test_a.py .F.
E   error: the word alone decides nothing
=========================== short test summary info ============================
FAILED tests/test_a.py::test_two - assert 1 == 2
========================= 1 failed, 2 passed in 0.10s ==========================

"""


def test_the_first_error_of_rustc_decides() -> None:
    """Warnings before it, errors that follow from it and the counting at the end do not."""
    assert decisive_lines(RUSTC_LOG) == [
        "error[E0425]: cannot find value `nope` in this scope",
        " --> src/lib.rs:4:5",
        "  |",
        "4 |     nope",
        "  |     ^^^^ not found in this scope",
    ]


def test_the_short_summary_of_pytest_decides() -> None:
    """The lines below its head, up to the last one that says something."""
    assert decisive_lines(PYTEST_LOG) == [
        "FAILED tests/test_a.py::test_two - assert 1 == 2",
        "========================= 1 failed, 2 passed in 0.10s ==========================",
    ]


def test_a_test_file_that_can_not_be_imported_says_why() -> None:
    """Pytest's summary names the file alone, so the reason is taken from its traceback, once."""
    log = """\
E   ModuleNotFoundError: No module named 'faker'
E   ModuleNotFoundError: No module named 'faker'
E     one of its details
=========================== short test summary info ============================
ERROR tests/test_a.py
ERROR tests/test_b.py
=============================== 2 errors in 0.26s ==============================
"""
    assert decisive_lines(log)[:3] == [
        "E   ModuleNotFoundError: No module named 'faker'",
        "ERROR tests/test_a.py",
        "ERROR tests/test_b.py",
    ]


def test_a_build_script_says_it_at_its_end() -> None:
    """Its output follows cargo's error, blank lines and all."""
    script = [f"line {number}" if number % 2 else "" for number in range(1, 60)]
    log = "\n".join(["x", "error: failed to run custom build command for `ring v1`", "", *script])
    lines = decisive_lines(log)
    assert lines[0] == "error: failed to run custom build command for `ring v1`"
    assert lines[-1] == "line 59"
    assert len(lines) == TAIL_LINES + 1


def test_without_a_known_error_the_end_decides() -> None:
    """Cargo's last word alone is no error to show; an empty log has no lines."""
    log = "\n".join([*(f"line {number}" for number in range(50)), "error: could not compile `x`"])
    lines = decisive_lines(log + "\n\n")
    assert len(lines) == TAIL_LINES
    assert lines[-1] == "error: could not compile `x`"
    assert decisive_lines("") == []


def test_a_long_error_keeps_its_first_and_last_lines() -> None:
    """So does a line that is long: the block stays readable."""
    log = "\n".join(
        ["error: linking with `cc` failed", *(f"note {number}" for number in range(50))]
    )
    lines = decisive_lines(log)
    assert len(lines) == TAIL_LINES
    assert lines[0] == "error: linking with `cc` failed"
    assert lines[-3:] == ["(32 lines left out)", "note 48", "note 49"]
    assert len(decisive_lines("error: " + "x" * 5000)[0]) == 400


def test_the_block_of_a_failed_build() -> None:
    """Header, reason, decisive lines, log, command, cure; looked at once and kept."""
    failed = mixed_results()[3]
    check_golden("ui/failure-build.txt", failure_block(failed, RUSTC_LOG, width=80, style=PLAIN))


def test_the_block_of_a_refused_wheel() -> None:
    """The findings that refused it with what to do; remarks that did not are left out."""
    refused = result(
        CELLS[3],
        Outcome.FAILED,
        reason="the audit refused the wheel",
        exit_code=5,
        cure='compatibility = "manylinux_2_34"',
        findings=(finding(Level.ERROR), finding(Level.NOTE, "not worth a word")),
    )
    text = failure_block(refused, "", width=80, style=PLAIN)
    assert "not worth a word" not in text
    check_golden("ui/failure-audit.txt", text)


def test_the_block_of_an_sdist_has_no_cell() -> None:
    """Nothing is shown that is not there; in ASCII where nothing else can be shown."""
    sdist = result(None, Outcome.FAILED, kind="sdist", reason="it\x1b[2J broke")
    text = failure_block(sdist, "ü", width=80, style=TextStyle(unicode=False))
    assert text.splitlines()[:3] == [
        "x sdist: failed after 29 s",
        "  it\\x1b[2J broke",
        "  | \\xfc",
    ]
    assert "hint:" not in text


def test_a_block_without_reason_log_or_command_is_its_header() -> None:
    """A job that failed before it had a log is named all the same."""
    bare = JobResult(
        job_id="build a",
        kind="build",
        cells=("a",),
        outcome=Outcome.FAILED,
        reason=None,
        exit_code=1,
        seconds=0.0,
    )
    assert failure_block(bare, "", width=80, style=PLAIN) == "✗ a: build failed\n"
