"""Text of a failed job's log -> the known failures that it matches.

Takes text and the table ``resources/hints.toml`` (symptom, cause, cure, reference), gives Hints.
Does not know jobs or files of a run.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from wheelworks.report.model import Hint
from wheelworks.text import strip_ansi

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Failures show at the end of a log; searching more than this would cost seconds on a verbose one.
_SEARCHED_CHARACTERS: Final = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HintRule:
    """One known failure."""

    symptom: re.Pattern[str]
    hint: Hint


def parse_hint_rules(text: str) -> tuple[HintRule, ...]:
    """The rules of a table in TOML, in its order.

    Raises:
        ValueError: the table is damaged: no TOML, a key missing, an id twice, a bad symptom.
    """
    rows: object = tomllib.loads(text).get("hint")
    if not isinstance(rows, list):
        raise ValueError("the table has no [[hint]] rows")
    rules = tuple(_rule(row) for row in rows)
    ids = [rule.hint.id for rule in rules]
    if len(set(ids)) != len(ids):
        raise ValueError(f"an id occurs twice among {sorted(ids)}")
    return rules


def _rule(row: object) -> HintRule:
    if not isinstance(row, dict):
        raise ValueError(f"{row!r} is no table")
    texts = {key: value for key, value in row.items() if isinstance(value, str)}
    missing = {"id", "symptom", "cause", "cure"} - texts.keys()
    if missing:
        raise ValueError(f"{row.get('id', row)!r}: no {', '.join(sorted(missing))}")
    try:
        symptom = re.compile(texts["symptom"], re.MULTILINE)
    except re.error as error:
        raise ValueError(f"{texts['id']}: {error}") from error
    hint = Hint(
        id=texts["id"],
        cause=texts["cause"],
        cure=texts["cure"],
        reference=texts.get("reference"),
    )
    return HintRule(symptom=symptom, hint=hint)


@cache
def known_failures() -> tuple[HintRule, ...]:
    """The rules of the package's own table, read once."""
    table = files("wheelworks").joinpath("resources/hints.toml")
    return parse_hint_rules(table.read_text(encoding="utf-8"))


def find_hints(log: str, rules: Sequence[HintRule] | None = None) -> tuple[Hint, ...]:
    """The hints whose symptom occurs in the log, in the table's order.

    Args:
        log: output of the job; only its end is searched.
        rules: the table; by default the package's own.
    """
    text = strip_ansi(log[-_SEARCHED_CHARACTERS:])
    table = known_failures() if rules is None else rules
    return tuple(rule.hint for rule in table if rule.symptom.search(text))
