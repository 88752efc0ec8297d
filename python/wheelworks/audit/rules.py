"""The audit's rules, and the one way to make a finding.

Takes the table ``resources/rules.toml``; gives frozen values. Does not know wheels.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TypedDict

from wheelworks.audit.model import Finding, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that the audit looks at."""

    id: str
    """``W050``; never used again for something else."""
    level: Level
    title: str
    explanation: str
    """A paragraph: what breaks for whom, and how it comes about."""


class _RuleRow(TypedDict):
    level: str
    title: str
    explanation: str


def _load_rules() -> dict[str, Rule]:
    """The table, in its order."""
    text = (files("wheelworks") / "resources" / "rules.toml").read_text(encoding="utf-8")
    rows: dict[str, _RuleRow] = tomllib.loads(text)
    return {
        id_: Rule(
            id=id_,
            level=Level(row["level"]),
            title=row["title"],
            explanation=" ".join(row["explanation"].split()),
        )
        for id_, row in rows.items()
    }


#: Every rule by its id.
RULES = _load_rules()


def finding(
    rule_id: str, *, file: str, message: str, hint: str, symbol: str | None = None
) -> Finding:
    """A finding with the level of its rule.

    Args:
        rule_id: key of :data:`RULES`.
        file: the archive, or the member of it.
        message: value found, value allowed.
        hint: what to do.
        symbol: the symbol, library or field it is about.
    """
    level = RULES[rule_id].level
    return Finding(rule=rule_id, level=level, file=file, symbol=symbol, message=message, hint=hint)
