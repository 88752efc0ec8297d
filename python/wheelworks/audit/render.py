"""Findings as lines for people.

Takes findings, gives text without colour or width. Pure; does not print.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from wheelworks.audit.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheelworks.audit.model import Finding


def render_finding(found: Finding) -> tuple[str, ...]:
    """Two lines: what is wrong and where, then the way out."""
    return (
        f"{found.level.value} {found.rule} {found.file}: {found.message}",
        f"  hint: {found.hint}",
    )


def render_findings(findings: Iterable[Finding]) -> tuple[str, ...]:
    """All findings, one after the other."""
    return tuple(line for found in findings for line in render_finding(found))


def summarize_findings(findings: Sequence[Finding]) -> str:
    """``2 errors, 1 note``, or ``nothing found``."""
    counts = Counter(found.level for found in findings)
    parts = [
        f"{counts[level]} {level.value}{'' if counts[level] == 1 else 's'}"
        for level in Level
        if counts[level]
    ]
    return ", ".join(parts) or "nothing found"
