"""Rules and findings as text."""

from __future__ import annotations

import re

from wheel_samples import LINUX_MODULE, LINUX_TAG, an_elf, wheel_facts

from wheelworks.audit.check import check_wheel
from wheelworks.audit.render import render_findings, summarize_findings
from wheelworks.audit.rules import RULES

FACTS = wheel_facts(
    LINUX_TAG,
    {
        LINUX_MODULE: an_elf(
            versioned_symbols=[{"name": "memcpy", "version": "GLIBC_2.28", "library": "libc.so.6"}],
            stripped=False,
        )
    },
)


def test_a_finding_is_two_lines() -> None:
    """File, symbol, value and allowed value in one; the way out in the other."""
    assert render_findings(check_wheel(FACTS, None)) == (
        f"error W050 {LINUX_MODULE}: memcpy needs GLIBC_2.28, manylinux2014 allows 2.17",
        "  hint: link with zig, which takes the level, or set "
        'compatibility = "manylinux_2_28", the lowest level that fits',
        f"note W047 {LINUX_MODULE}: holds symbols or debug sections that users don't need",
        "  hint: set `strip = true` in [profile.release] of Cargo.toml",
    )


def test_the_summary_counts_by_level() -> None:
    """Levels without findings are left out."""
    findings = check_wheel(FACTS, None)
    assert summarize_findings(findings) == "1 error, 1 note"
    assert summarize_findings(findings * 2) == "2 errors, 2 notes"
    assert summarize_findings(()) == "nothing found"


def test_rules_explain_themselves() -> None:
    """Every rule has a stable id, a title and a paragraph of whole sentences."""
    for id_, rule in RULES.items():
        assert re.fullmatch(r"W\d{3}", id_)
        assert rule.id == id_
        assert rule.title
        assert not rule.title.endswith(".")
        assert rule.explanation.endswith(".")
        assert "\n" not in rule.explanation
