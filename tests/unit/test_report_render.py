"""Tests of wheelworks.report.render and report.text."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from golden import check_golden
from run_samples import CELLS, facts, finding, mixed_results, result

from wheelworks.audit.model import Level
from wheelworks.events import Outcome
from wheelworks.report.build import build_report, summary_line
from wheelworks.report.render import (
    report_from_json,
    report_to_json,
    report_to_junit,
    report_to_markdown,
)
from wheelworks.report.text import summary_text
from wheelworks.text import TextStyle, text_width

REPORT = build_report(
    facts(CELLS, notices=("dist/ holds files that no job left: x.whl",)), mixed_results()
)
EMPTY = build_report(facts(()), ())
HOSTILE = "a\x00b\x1b[31mred\x1b[0m\ufffe\udc80 </failure> ]]> & \" ' | `x` <script>\nnext"


def test_the_json_document() -> None:
    """Keys in the order of the fields, the schema first; looked at once and kept."""
    text = report_to_json(REPORT)
    assert list(json.loads(text))[:3] == ["schema", "run_id", "version"]
    check_golden("ui/report.json", text)


def test_the_json_document_can_be_read_back() -> None:
    """Past runs are shown from it."""
    assert report_from_json(report_to_json(REPORT)) == REPORT
    assert report_from_json(report_to_json(EMPTY)) == EMPTY


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 99}', '{"schema": 1, "run_id": "x"}', "[" * 100_000]
)
def test_a_document_that_is_no_report_gives_none(text: str) -> None:
    """A torn file of an old run is passed over."""
    assert report_from_json(text) is None


def test_the_junit_document() -> None:
    """One suite per kind, one case per job; looked at once and kept."""
    text = report_to_junit(REPORT)
    root = ElementTree.fromstring(text)
    assert [suite.get("name") for suite in root] == ["sdist", "build", "test"]
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("14", "2", "8")
    check_golden("ui/report.xml", text)


def test_every_form_marks_what_was_emulated() -> None:
    """In JSON and JUnit for programs, in Markdown and text for people."""
    emulated = replace(result("a", Outcome.SUCCEEDED, kind="test"), is_emulated=True)
    report = build_report(facts(("a",)), [emulated])
    assert json.loads(report_to_json(report))["results"][0]["is_emulated"] is True
    (named,) = ElementTree.fromstring(report_to_junit(report)).iter("property")
    assert (named.get("name"), named.get("value")) == ("emulated", "true")
    assert "| `test a` (emulated) |" in report_to_markdown(report)
    assert "a (emulated)" in summary_text(report, width=80, style=TextStyle(unicode=False))


def test_junit_is_well_formed_whatever_the_texts_hold() -> None:
    """Characters that XML forbids are escaped, markup is text, colours are gone."""
    bad = result(HOSTILE, Outcome.FAILED, reason=HOSTILE, findings=(finding(Level.ERROR, HOSTILE),))
    report = build_report(facts((), project=HOSTILE), [bad])
    (failure,) = ElementTree.fromstring(report_to_junit(report)).iter("failure")
    message = failure.get("message") or ""
    assert message.startswith('a\\x00bred\\ufffe\\udc80 </failure> ]]> & "')
    assert "<script>" in (failure.text or "")


def test_the_markdown_text() -> None:
    """A table, the unavailable cells, the notices, the last line; looked at once and kept."""
    check_golden("ui/report.md", report_to_markdown(REPORT))


def test_markdown_of_an_empty_run_is_its_last_line() -> None:
    """No table without rows."""
    assert report_to_markdown(EMPTY) == "### demo 1.0\n\n**no cells** (exit code 3)\n"


def test_markdown_keeps_hostile_text_within_its_cell() -> None:
    """A reason can't end the cell, the row or the code span, nor bring markup of its own."""
    bad = result(HOSTILE, Outcome.FAILED, reason=HOSTILE)
    rows = [
        line
        for line in report_to_markdown(build_report(facts(()), [bad])).splitlines()
        if line.startswith("| `")
    ]
    (row,) = rows
    assert row.replace("\\|", "").count("|") == 7
    assert "\\<script\\>" in row
    assert "\x1b" not in row


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_summary_for_people(width: int) -> None:
    """Looked at once and kept; names are never broken, so only they may be wider than asked for."""
    text = summary_text(REPORT, width=width, style=TextStyle())
    table = text.split("\n\n")[0]
    assert max(text_width(line) for line in table.splitlines()) <= width
    assert text.splitlines()[-1] == summary_line(REPORT)
    check_golden(f"ui/summary-{width}.txt", text)


def test_the_summary_in_colour_says_the_same() -> None:
    """Colour adds to the words, it replaces none."""
    plain = summary_text(REPORT, width=100, style=TextStyle())
    painted = summary_text(REPORT, width=100, style=TextStyle(color=True))
    stripped = painted
    for code in ("0", "1", "2", "31", "32", "33"):
        stripped = stripped.replace(f"\x1b[{code}m", "")
    assert painted != plain
    assert stripped == plain


def test_the_summary_in_ascii() -> None:
    """For consoles that can show no more."""
    assert summary_text(REPORT, width=100, style=TextStyle(unicode=False)).isascii()


def test_the_summary_of_an_empty_run_is_its_last_line() -> None:
    """No table without rows."""
    assert summary_text(EMPTY, width=80, style=TextStyle()) == "no cells\n"


def test_many_findings_are_counted_and_cut() -> None:
    """The same remark about several wheels is one line, and the list ends somewhere."""
    same = finding(Level.NOTE, "the same everywhere")
    results = [
        result(
            f"cell{index}",
            Outcome.SUCCEEDED,
            findings=(same, finding(Level.WARNING, f"remark {index}")),
        )
        for index in range(14)
    ]
    text = summary_text(build_report(facts(()), results), width=100, style=TextStyle())
    assert "note W010: the same everywhere (14 times)" in text
    assert "warning W010: remark 10\n" in text
    assert "remark 11" not in text
    assert "… and 3 more findings in the JSON report" in text


def test_refusals_are_left_to_the_failure_block() -> None:
    """What refused a wheel is not repeated among the remarks."""
    refused = result("a", Outcome.FAILED, findings=(finding(Level.ERROR, "bad symbol"),))
    report = replace(build_report(facts(("a",)), [refused]))
    assert "bad symbol" not in summary_text(report, width=100, style=TextStyle())
