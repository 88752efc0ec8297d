"""Raw values -> typed values, with a precise message for each fault.

Takes an Option and what TOML holds, or the text of an environment variable or a flag; gives the
value that the dataclass field holds. Pure; knows neither files nor keys' neighbours.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from wheelworks.config.options import Option

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_DURATION = re.compile(
    r"(?:([0-9]+(?:\.[0-9]+)?)\s*h)?\s*(?:([0-9]+(?:\.[0-9]+)?)\s*m)?\s*"
    r"(?:([0-9]+(?:\.[0-9]+)?)\s*s?)?"
)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMG]i?B)")
_MIB = 2**20
#: Ten years and a petabyte: more is a slip of the keyboard, and some waits refuse it.
_LONGEST_SECONDS = 10 * 365 * 86400
_LARGEST_MIB = 2**30
_SHOWN = 60


class InvalidValueError(ValueError):
    """A value that an option can't take.

    Args:
        message: what was expected and what was found.
        hint: how to write it, or None.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def parse_value(option: Option, raw: object) -> object:
    """The typed value of what a TOML file holds.

    Raises:
        InvalidValueError: the value is of the wrong type or out of range.
    """
    match option.kind:
        case "text" | "path":
            parsed = _text(raw)
            return Path(parsed) if option.kind == "path" else parsed
        case "choice":
            return _choice(raw, option.choices)
        case "texts":
            return parse_texts(raw)
        case "commands":
            return _commands(raw)
        case "flag":
            return _flag(raw)
        case "count":
            return _count(raw)
        case "duration":
            return _duration(raw)
        case "size":
            return _size(raw)
        case "table":
            return _table(raw)
        case _:
            assert_never(option.kind)


def parse_text(option: Option, text: str) -> object:
    """The typed value of an environment variable or a flag.

    Lists are separated by white space, with quotes as in a shell; tables are ``NAME=value`` in such
    a list; ``test.command`` is one command.

    Raises:
        InvalidValueError: the text does not give such a value.
    """
    match option.kind:
        case "texts":
            return parse_texts(_split(text))
        case "commands":
            return _commands(text) if text.strip() else ()
        case "table":
            return _table(_assignments(_split(text)))
        case "flag":
            return _flag_of_text(text)
        case "count":
            # Ten digits are more processors than there are; int() refuses thousands of them.
            stripped = text.strip()
            return _count(int(stripped) if re.fullmatch(r"[0-9]{1,10}", stripped) else text)
        case "text" | "path" | "choice" | "duration" | "size":
            return parse_value(option, text.strip())
        case _:
            assert_never(option.kind)


def parse_texts(raw: object) -> tuple[str, ...]:
    """A list of strings.

    Raises:
        InvalidValueError: it is no list, or holds something else.
    """
    if isinstance(raw, str):
        msg = f"expected a list of strings, not {show(raw)}"
        raise InvalidValueError(msg, hint=f"write [{show(raw)}]")
    if not isinstance(raw, list | tuple):
        raise _unexpected("a list of strings", raw)
    wrong = next((item for item in raw if not isinstance(item, str)), None)
    if wrong is not None:
        msg = f"expected a list of strings, not one that holds {show(wrong)}"
        raise InvalidValueError(msg)
    return tuple(_text(item) for item in raw)


def show(raw: object) -> str:
    """A value as a message quotes it, with its type in TOML's words where that is not plain."""
    words: Mapping[type, str] = {bool: "a boolean", int: "an integer", float: "a float"}
    if isinstance(raw, str):
        return _shorten(f'"{raw}"' if raw.isprintable() else ascii(raw))
    if isinstance(raw, Mapping):
        return "a table"
    if isinstance(raw, list | tuple):
        return "a list"
    text = str(raw).lower() if isinstance(raw, bool) else _digits(raw)
    return f"{_shorten(text)} ({words.get(type(raw), 'a date or time')})"


def _digits(raw: object) -> str:
    # Python refuses to print integers of several thousand digits, which TOML can hold.
    is_huge = isinstance(raw, int) and abs(raw) >= 10**_SHOWN
    return "a number of more than 60 digits" if is_huge else str(raw)


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _unexpected(expected: str, raw: object, *, hint: str | None = None) -> InvalidValueError:
    return InvalidValueError(f"expected {expected}, not {show(raw)}", hint=hint)


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise _unexpected("a string", raw)
    if not raw.strip():
        msg = "expected a string that is not empty"
        raise InvalidValueError(msg)
    if "\0" in raw:
        msg = f"{show(raw)} holds a NUL character, which no program can be given"
        raise InvalidValueError(msg)
    return raw


def _choice(raw: object, choices: tuple[str, ...]) -> str:
    if raw in choices and isinstance(raw, str):
        return raw
    raise _unexpected("one of " + ", ".join(f'"{choice}"' for choice in choices), raw)


def _commands(raw: object) -> tuple[str, ...]:
    commands: tuple[str, ...]
    if isinstance(raw, str):
        commands = (_text(raw),)
    elif isinstance(raw, list | tuple):
        commands = parse_texts(raw)
    else:
        raise _unexpected("a command, or a list of commands", raw)
    for command in commands:
        _split(command)
    return commands


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        msg = f"{show(text)} can't be split into words: {str(error).lower()}"
        raise InvalidValueError(msg, hint="write quotes and backslashes as in a shell") from error


def _flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise _unexpected("true or false", raw)
    return raw


def _flag_of_text(text: str) -> bool:
    word = text.strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise _unexpected("true or false", text)
    return word in _TRUE


def _count(raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 1:
        raise _unexpected("a whole number of at least 1", raw)
    return raw


def _duration(raw: object) -> float:
    expected = 'a number of seconds, or a time such as "90s", "15m", "1h30m"'
    if isinstance(raw, str):
        found = _DURATION.fullmatch(raw.strip())
        if found is None or not any(found.groups()):
            raise _unexpected(expected, raw)
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        total = hours * 3600 + minutes * 60 + seconds
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        # An integer may be too large for a float; no such time passes the test below.
        total = float(max(-1, min(raw, _LONGEST_SECONDS + 1)))
    else:
        raise _unexpected(expected, raw)
    if not (math.isfinite(total) and 0 < total <= _LONGEST_SECONDS):
        msg = f"expected a time above zero and below ten years, not {show(raw)}"
        raise InvalidValueError(msg)
    return total


def parse_size(text: str) -> int:
    """Bytes of a size such as ``5GiB``.

    Raises:
        InvalidValueError: the text is no size.
    """
    return _size(text) * _MIB


def _size(raw: object) -> int:
    expected = 'a size with its unit, such as "512MiB" or "2GiB"'
    if not isinstance(raw, str):
        raise _unexpected(expected, raw, hint="a number alone does not say which unit is meant")
    found = _SIZE.fullmatch(raw.strip())
    if found is None or found[2] not in _BYTES:
        raise _unexpected(expected, raw)
    size = float(found[1]) * _BYTES[found[2]] / _MIB
    if not 1 <= size <= _LARGEST_MIB:
        msg = f"expected a size of at least 1MiB and at most a petabyte, not {show(raw)}"
        raise InvalidValueError(msg)
    return int(size)


def _table(raw: object) -> Mapping[str, str]:
    if not isinstance(raw, Mapping):
        raise _unexpected("a table of strings", raw)
    for name, value in raw.items():
        if not name or "=" in name or "\0" in name:
            msg = f"{show(name)} can't be a name in this table"
            raise InvalidValueError(msg)
        if not isinstance(value, str):
            hint = f'write {name} = "..."' if isinstance(value, int | float) else None
            msg = f"expected a string for {show(name)}, not {show(value)}"
            raise InvalidValueError(msg, hint=hint)
        if "\0" in value:
            msg = f"the value of {show(name)} holds a NUL character"
            raise InvalidValueError(msg)
    return dict(raw)


def _assignments(words: list[str]) -> dict[str, str]:
    wrong = next((word for word in words if "=" not in word), None)
    if wrong is not None:
        raise _unexpected("assignments such as NAME=value", wrong)
    return {name: value for name, _, value in (word.partition("=") for word in words)}
