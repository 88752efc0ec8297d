"""What cargo's and pytest's output says about progress. Pure: a line in, a value out."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: cargo's progress bar: ``Building [====>    ] 12/45: serde, syn(build)``
_CARGO_BAR = re.compile(
    r"^\s*(Building|Fetch|Checking)\s+\[[=> ]*\]\s+(\d+)/(\d+)(?::\s*(.*?))?(?:\.\.\.)?\s*$"
)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many units are done, of how many, and which ones are being worked on."""

    done: int
    total: int
    current: str
    is_compiling: bool
    """Whether the units are compiled, not fetched."""


def read_progress(line: str) -> Progress | None:
    """The progress that a line shows, or None when it is an ordinary line."""
    match = _CARGO_BAR.match(_ESCAPE.sub("", line))
    if match is None:
        return None
    verb, done, total, current = match.groups()
    return Progress(
        done=int(done),
        total=int(total),
        current=(current or "").strip(),
        is_compiling=verb != "Fetch",
    )
