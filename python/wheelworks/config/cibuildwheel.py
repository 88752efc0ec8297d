"""What ``[tool.cibuildwheel]`` already says of skipping and testing, as values of our options.

Pure: takes the raw table, gives typed values with their origin and notes on what can't be taken
over. cibuildwheel hands commands to a shell; a command that needs one is left to the user.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from wheelworks.config.merge import Value
from wheelworks.config.toml_values import texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTION = "[tool.cibuildwheel]"
#: Words and characters that mean something to a shell and nothing to us.
_SHELL = re.compile(r"[|;<>$`*?~]|&")
_SHELL_WORDS = ("cd", "export", "set", "source", ".", "if", "for", "while", "!")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_OPTIONS = {
    "test-requires": "test.requires",
    "test-groups": "test.groups",
    "test-extras": "test.extras",
    "test-sources": "test.sources",
}


def cibuildwheel_values(
    table: Mapping[str, object],
) -> tuple[Mapping[str, Value], tuple[str, ...]]:
    """Values by dotted key of our options, and a warning for what could not be taken over.

    Args:
        table: the raw ``[tool.cibuildwheel]``.
    """
    values: dict[str, Value] = {}
    warnings: list[str] = []
    skip = tuple(pattern for pattern in _words(table.get("skip")) if "[" not in pattern)
    if skip:
        values["skip"] = Value(value=skip, origin=f"{_SECTION} skip")
    for theirs, ours in _OPTIONS.items():
        listed = _words(table.get(theirs))
        if listed:
            values[ours] = Value(value=listed, origin=f"{_SECTION} {theirs}")
    raw = table.get("test-command")
    lines = (raw,) if isinstance(raw, str) else texts_of(raw)
    commands = tuple(line for part in lines for line in part.split("&&") if line.strip())
    reason = next((why for line in commands if (why := _why_not(line))), None)
    if reason:
        warnings.append(
            f"the test-command of {_SECTION} is not taken over, because {reason};"
            " [tool.wheelworks.test] command can say it without a shell"
        )
    elif commands:
        taken = tuple(line.strip().replace("{package}", "{project}") for line in commands)
        values["test.command"] = Value(value=taken, origin=f"{_SECTION} test-command")
    return values, tuple(warnings)


def _words(raw: object) -> tuple[str, ...]:
    """A list, or text with white space between the items, as cibuildwheel takes both."""
    return tuple(raw.split()) if isinstance(raw, str) else texts_of(raw)


def _why_not(line: str) -> str | None:
    """Why a command can't be run without a shell; None when it can."""
    try:
        words = shlex.split(line)
    except ValueError:
        return f"{line.strip()!r} can't be split into words"
    if found := _SHELL.search(line):
        return f"{found[0]!r} in it needs a shell"
    if words[0] in _SHELL_WORDS or "=" in words[0]:
        return f"{words[0]!r} in it needs a shell"
    unknown = [name for name in _PLACEHOLDER.findall(line) if name not in {"project", "package"}]
    return f"{{{unknown[0]}}} has no meaning here" if unknown else None
