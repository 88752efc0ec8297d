"""Rules about the archive: framing, names of members, RECORD, what does not belong there.

Takes a Subject, gives findings. Pure.
"""

from __future__ import annotations

import re
import stat
from collections import Counter
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from wheelworks.audit.rules import finding
from wheelworks.audit.subject import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks.audit.model import Finding, ProblemKind, WheelFacts
    from wheelworks.audit.subject import Subject

PYPI_FILE_LIMIT = 100 << 20
_REQUIRED = ("WHEEL", "METADATA", "RECORD")
_REBUILD = "build the wheel again into an empty folder, with nothing changing it afterwards"
_PROBLEMS: dict[ProblemKind, tuple[str, str]] = {
    "framing": ("W001", _REBUILD),
    "duplicate": ("W002", "drop it from `include` in [tool.maturin], or from the source folder"),
    "unsafe name": ("W003", "do not install this wheel; build it again from its sources"),
    "encrypted": ("W004", "pack the wheel without a password"),
    "damaged": ("W005", _REBUILD),
    "compression": ("W006", "build without --compression-method, or with `deflated`"),
    "text": ("W014", "save the files that [project] names (readme, licences) as UTF-8"),
}
_LEFTOVER = re.compile(
    r"(^|/)(__pycache__|target/(debug|release)|\.git|\.venv|node_modules|\.pytest_cache|\.mypy_cache)/"
    r"|\.(pyc|pyo|pdb|o|obj|rlib|rmeta|orig|swp|tmp)$"
    r"|(^|/)(\.env|\.pypirc|\.netrc|id_rsa|id_ed25519|\.DS_Store|Thumbs\.db)$"
)
#: More of one kind are summed up in the last finding.
_LEFTOVERS_SHOWN = 5


def check_archive(subject: Subject) -> Iterator[Finding]:
    """Everything about the archive as such."""
    yield from _reading_problems(subject.facts)
    yield from _dist_info(subject.facts)
    yield from _record(subject.facts)
    yield from _names(subject.facts)
    yield from _leftovers(subject.facts)
    yield from _size(subject.facts)


def _reading_problems(facts: WheelFacts) -> Iterator[Finding]:
    """What reading met."""
    for problem in facts.archive_problems:
        rule, hint = _PROBLEMS[problem.kind]
        yield finding(rule, file=problem.file, message=problem.message, hint=hint)


def _dist_info(facts: WheelFacts) -> Iterator[Finding]:
    """One folder of the right name, with its three files."""
    folder = facts.dist_info
    if folder is None:
        yield finding(
            "W008",
            file=facts.file_name,
            message="holds no .dist-info folder, or several",
            hint="unpack it with `unzip -l` and look which tool packed it",
        )
        return
    if not facts.file_name_error:
        project, _, version = folder.removesuffix(".dist-info").partition("-")
        if canonicalize_name(project) != canonicalize_name(facts.name):
            yield finding(
                "W008",
                file=folder,
                message=f"belongs to {project} {version}, the file name says {facts.name}",
                hint="give the file the name it was built with",
            )
    members = {member.name for member in facts.members}
    for name in _REQUIRED:
        if f"{folder}/{name}" not in members:
            yield finding(
                "W009",
                file=facts.file_name,
                symbol=name,
                message=f"{folder}/{name} is missing",
                hint=_REBUILD,
            )


def _record(facts: WheelFacts) -> Iterator[Finding]:
    """What RECORD says wrongly."""
    for problem in facts.record_problems:
        yield finding("W007", file=f"{facts.dist_info}/RECORD", message=problem, hint=_REBUILD)


def _names(facts: WheelFacts) -> Iterator[Finding]:
    """Links, and names that one file system can't hold side by side."""
    for member in facts.members:
        if stat.S_ISLNK(member.mode):
            yield finding(
                "W010",
                file=member.name,
                message="is a symbolic link",
                hint="pack the file that it points to",
            )
    names = {member.name for member in facts.members}
    folded = Counter(name.casefold() for name in names)
    for name in sorted(names):
        if folded[name.casefold()] > 1:
            yield finding(
                "W011",
                file=name,
                message="another member has the same name in other capitals",
                hint="rename one of them",
            )


def _leftovers(facts: WheelFacts) -> Iterator[Finding]:
    """Files that a wide pattern packed along."""
    names = [member.name for member in facts.members if _LEFTOVER.search(member.name)]
    for name in names[:_LEFTOVERS_SHOWN]:
        rest = len(names) - _LEFTOVERS_SHOWN
        more = f", as are {rest} more" if rest > 0 and name == names[_LEFTOVERS_SHOWN - 1] else ""
        yield finding(
            "W012",
            file=name,
            message=f"{base_name(name)} is left over from building or editing{more}",
            hint="add a pattern to `exclude` in [tool.maturin]",
        )


def _size(facts: WheelFacts) -> Iterator[Finding]:
    """PyPI's limit."""
    if facts.size > PYPI_FILE_LIMIT:
        yield finding(
            "W013",
            file=facts.file_name,
            message=f"{facts.size >> 20} MiB, PyPI takes {PYPI_FILE_LIMIT >> 20} MiB",
            hint="strip it (`strip = true` in the release profile), or ask PyPI for a larger limit",
        )
