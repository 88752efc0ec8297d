"""Holds a wheel to the rules: facts and expectation in, findings out.

Pure: no file is read but the tables of the package itself. The list of rule modules below is the
whole audit; each of them takes the same Subject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.audit.model import Level
from wheelworks.audit.rules_archive import check_archive
from wheelworks.audit.rules_extension import check_extensions
from wheelworks.audit.rules_linux import check_linux
from wheelworks.audit.rules_macos import check_macos
from wheelworks.audit.rules_names import check_names
from wheelworks.audit.rules_native import check_natives
from wheelworks.audit.rules_windows import check_windows
from wheelworks.audit.subject import subject_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.audit.model import Finding, WheelFacts
    from wheelworks.plan import WheelExpectation

_CHECKS = (
    check_archive,
    check_names,
    check_natives,
    check_extensions,
    check_linux,
    check_macos,
    check_windows,
)
_WEIGHTS = {Level.ERROR: 0, Level.WARNING: 1, Level.NOTE: 2}


def check_wheel(facts: WheelFacts, expects: WheelExpectation | None) -> tuple[Finding, ...]:
    """Every finding of a wheel, errors first.

    Args:
        facts: from ``read_wheel``.
        expects: what the build planned; None for a wheel of somebody else.
    """
    subject = subject_of(facts, expects)
    return sort_findings(found for check in _CHECKS for found in check(subject))


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order that people read them: errors first, then by rule and file."""
    return tuple(
        sorted(
            dict.fromkeys(findings),
            key=lambda f: (_WEIGHTS[f.level], f.rule, f.file, f.symbol or ""),
        )
    )


def is_refused(findings: Iterable[Finding]) -> bool:
    """Whether the findings keep an artifact out of ``dist/``."""
    return any(found.level is Level.ERROR for found in findings)
