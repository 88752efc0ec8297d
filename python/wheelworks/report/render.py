"""Report -> JSON, JUnit XML and Markdown text, and the JSON back to a Report.

Takes a Report, gives text. Writing it to a file or to the screen is somebody else's work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from wheelworks.audit.model import Finding
from wheelworks.dataclass_json import from_plain, to_plain
from wheelworks.events import JobKind, Outcome
from wheelworks.report.build import summary_line
from wheelworks.report.model import REPORT_SCHEMA, Report
from wheelworks.report.words import counts_text, unavailable_groups
from wheelworks.text import format_seconds, format_size, strip_ansi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.report.model import JobResult

# Types that report/model.py imports for the type checker only.
_MODEL_NAMES: Final[Mapping[str, object]] = {
    "Finding": Finding,
    "JobKind": JobKind,
    "Mapping": Mapping,
    "Outcome": Outcome,
}

# Everything that XML 1.0 forbids, even as a character reference.
_ILLEGAL_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_KIND_ORDER: Final[tuple[JobKind, ...]] = ("sdist", "build", "test")


def report_to_json(report: Report) -> str:
    """The report as one JSON document in ASCII: ``schema`` first, keys in the fields' order."""
    return json.dumps(to_plain(report), indent=2) + "\n"


def report_from_json(text: str) -> Report | None:
    """The report that a document describes; None when it is torn or of another schema."""
    try:
        document: object = json.loads(text)
        if not isinstance(document, dict) or document.get("schema") != REPORT_SCHEMA:
            return None
        return from_plain(Report, document, names=_MODEL_NAMES)
    except (ValueError, RecursionError):
        return None


def report_to_junit(report: Report) -> str:
    """The report as JUnit XML: one test suite per kind of job, one test case per job.

    Well-formed whatever the texts hold: what XML forbids is written as an escape.
    """
    suites = [
        _suite(report, kind, results)
        for kind in _KIND_ORDER
        if (results := [result for result in report.results if result.kind == kind])
    ]
    head = f'<testsuites name="wheelworks" {_counts(report.results)} time="{report.seconds:.3f}">'
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', head, *suites, "</testsuites>", ""])


def _suite(report: Report, kind: JobKind, results: list[JobResult]) -> str:
    seconds = sum(result.seconds for result in results)
    head = f'  <testsuite name="{kind}" {_counts(results)} time="{seconds:.3f}">'
    cases = [_case(report, result) for result in results]
    return "\n".join([head, *cases, "  </testsuite>"])


def _counts(results: Iterable[JobResult]) -> str:
    outcomes = [result.outcome for result in results]
    failures = outcomes.count(Outcome.FAILED)
    ran = failures + outcomes.count(Outcome.SUCCEEDED) + outcomes.count(Outcome.UP_TO_DATE)
    return (
        f'tests="{len(outcomes)}" failures="{failures}" errors="0" skipped="{len(outcomes) - ran}"'
    )


def _case(report: Report, result: JobResult) -> str:
    name = _attribute(result.job_id)
    package = _attribute(f"{report.project}.{result.kind}")
    head = f'    <testcase classname={package} name={name} time="{result.seconds:.3f}"'
    body = [*_properties(result), *_verdict(result), *_system_out(result)]
    if not body:
        return head + "/>"
    return "\n".join([head + ">", *(f"      {line}" for line in body), "    </testcase>"])


def _properties(result: JobResult) -> list[str]:
    if not result.is_emulated:
        return []
    return ['<properties><property name="emulated" value="true"/></properties>']


def _verdict(result: JobResult) -> list[str]:
    """The element that says why a job did not succeed."""
    reason = _attribute(result.reason or result.outcome.value)
    if result.outcome is Outcome.FAILED:
        details = [f"{item.rule} {item.file}: {item.message}" for item in result.findings]
        details += [f"hint: {hint.cure}" for hint in result.hints]
        return [f"<failure message={reason}>{_content(chr(10).join(details))}</failure>"]
    if result.outcome in (Outcome.SUCCEEDED, Outcome.UP_TO_DATE):
        return []
    return [f"<skipped message={reason}/>"]


def _system_out(result: JobResult) -> list[str]:
    lines = [f"log: {result.log}"] if result.log else []
    if result.artifact:
        lines.append(f"artifact: {result.artifact.file_name} sha256:{result.artifact.sha256}")
    if result.repeat:
        lines.append(f"repeat: {result.repeat}")
    return [f"<system-out>{_content(chr(10).join(lines))}</system-out>"] if lines else []


def _legal(text: str) -> str:
    """The text without what XML forbids: colours go, the rest is written as an escape."""
    return _ILLEGAL_XML.sub(
        lambda found: found.group().encode("unicode_escape").decode("ascii"), strip_ansi(text)
    )


def _content(text: str) -> str:
    return escape(_legal(text))


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def report_to_markdown(report: Report) -> str:
    """The report as Markdown, made for ``GITHUB_STEP_SUMMARY``."""
    title = f"### {_cell(report.project)} {_cell(report.project_version)}"
    head = ["| job | outcome | time | size | tests | findings |", "|---|---|--:|--:|---|--:|"]
    shown = [item for item in report.results if item.outcome is not Outcome.UNAVAILABLE]
    rows = [_markdown_row(result) for result in shown]
    parts = [title, "\n".join([*head, *rows]) if rows else "", _markdown_unavailable(report)]
    parts += ["\n".join(f"* {_cell(notice)}" for notice in report.notices)]
    parts += [f"**{summary_line(report)}** (exit code {report.exit_code})"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_row(result: JobResult) -> str:
    reason = f": {_cell(result.reason)}" if result.reason else ""
    size = format_size(result.artifact.size) if result.artifact else ""
    fields = (
        f"`{_code(result.job_id)}`" + (" (emulated)" if result.is_emulated else ""),
        f"{result.outcome.value}{reason}",
        format_seconds(result.seconds) if result.seconds else "",
        size,
        counts_text(result),
        str(len(result.findings)) if result.findings else "",
    )
    return f"| {' | '.join(fields)} |"


def _markdown_unavailable(report: Report) -> str:
    groups = unavailable_groups(report.results)
    if not groups:
        return ""
    lines = ["Unavailable here:", ""]
    for (reason, cure), cells in groups.items():
        names = ", ".join(f"`{_code(cell)}`" for cell in cells)
        lines.append(f"* {_cell(reason)}: {names}" + (f" ({_cell(cure)})" if cure else ""))
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Text that stays within its table cell and means nothing to Markdown or HTML."""
    flat = " ".join(_legal(text).split())
    return re.sub(r"([\\`*_{}\[\]<>|#~$])", r"\\\1", flat).replace("&", "&amp;")


def _code(text: str) -> str:
    """Text that stays within a code span of a table cell."""
    return " ".join(_legal(text).split()).replace("`", "'").replace("|", "\\|")
