"""Adapters for TOML files, environment variables and flags: all give entries with their origin.

(!) Reads files and the caller's environment. Gives raw values under dotted keys of
``[tool.wheelworks]`` and faults for unknown keys; does not know what the values mean.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.config.options import all_options
from wheelworks.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

PREFIX = "WHEELWORKS_"

#: Tables within our section, whose keys are dotted ones of the options.
TABLES = ("test", "container")

#: Variables with our prefix that are no options: what wheelworks tells the programs it starts
#: (so that it can run inside one of its own tests), with its meaning for the documentation.
RESERVED_VARIABLES: Mapping[str, str] = {
    "WHEELWORKS_GUARD_*": "set by wheelworks for its pytest plugin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One raw value and where it came from."""

    key: str
    """Dotted key of an option, ``test.command``."""
    raw: object
    label: str
    """The key as its source writes it: ``tool.wheelworks.test.command``, ``--jobs``."""
    origin: str
    """File, variable or flag."""
    is_text: bool = False
    """Whether the value is text that stands for a list, number or table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one source says."""

    entries: tuple[Entry, ...] = ()
    overrides: tuple[object, ...] = ()
    """Raw tables ``[[tool.wheelworks.overrides]]``."""
    faults: tuple[Fault, ...] = ()


def read_toml(path: Path) -> Mapping[str, object]:
    """The document of a TOML file.

    Raises:
        ConfigurationError: the file can't be read, or is no TOML.
    """
    try:
        document: Mapping[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, f"is no valid TOML: {_lower(str(error))}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise _unreadable(path, "is nested too deeply") from error
    except ValueError as error:
        # The only other one that tomllib lets through: Python's limit on the digits of a number.
        raise _unreadable(path, "holds a number of too many digits") from error
    except OSError as error:
        raise _unreadable(path, f"can't be read: {_lower(error.strerror or str(error))}") from error
    return document


def caller_environment() -> Mapping[str, str]:
    """A copy of this process's environment variables."""
    return dict(os.environ)


def toml_source(section: object, *, path: Path, prefix: str = "tool.wheelworks") -> Source:
    """The entries of ``[tool.wheelworks]``.

    Args:
        section: the raw value at that key; None where there is no such section.
        path: the file, for the origin.
        prefix: dotted key of the section.

    Returns:
        Entries in the file's order; unknown keys and wrong tables are faults.
    """
    if section is None:
        return Source()
    origin = str(path)
    if not isinstance(section, Mapping):
        return Source(faults=(Fault(key=prefix, origin=origin, message="expected a table"),))
    listed, faults = flatten(section, label=prefix, origin=origin, known=tuple(all_options()))
    overrides = section.get("overrides", ())
    if not isinstance(overrides, list | tuple):
        message = "expected an array of tables"
        hint = f"write [[{prefix}.overrides]] above each"
        faults += (Fault(key=f"{prefix}.overrides", origin=origin, message=message, hint=hint),)
        overrides = ()
    return Source(entries=listed, overrides=tuple(overrides), faults=faults)


def flatten(
    section: Mapping[str, object],
    *,
    label: str,
    origin: str,
    known: Sequence[str],
    special: Sequence[str] = ("overrides",),
    tables: Sequence[str] = TABLES,
) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    """The values of a table under dotted keys, with a fault for every key that is not known.

    Args:
        section: the table.
        label: dotted key of the table.
        origin: the file.
        known: keys that exist.
        special: keys at the top of the table that somebody else reads.
        tables: keys at the top of the table that hold a table of their own.
    """
    entries: list[Entry] = []
    faults: list[Fault] = []
    for key, raw in section.items():
        if key in special:
            continue
        if key in tables and isinstance(raw, Mapping):
            named = {f"{key}.{inner}": value for inner, value in raw.items()}
        elif key in tables:
            message = "expected a table"
            hint = f"write [{label}.{key}] above its keys"
            faults.append(Fault(key=f"{label}.{key}", origin=origin, message=message, hint=hint))
            continue
        else:
            named = {key: raw}
        for dotted, value in named.items():
            shown = f"{label}.{dotted}"
            if dotted in known and (key in tables or "." not in key):
                entries.append(Entry(key=dotted, raw=value, label=shown, origin=origin))
            else:
                near = near_miss(dotted, (*known, *special, *tables))
                faults.append(Fault(key=shown, origin=origin, message="unknown key", hint=near))
    return tuple(entries), tuple(faults)


def environment_source(environ: Mapping[str, str]) -> Source:
    """The entries of ``WHEELWORKS_*``; a variable that is no option is a fault."""
    by_variable = {option.variable: key for key, option in all_options().items()}
    entries, faults = [], []
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        if is_reserved(variable):
            continue
        key = by_variable.get(variable)
        if key is None:
            hint = near_miss(variable, tuple(by_variable))
            message = "no option has this environment variable"
            faults.append(Fault(key=variable, origin="environment", message=message, hint=hint))
            continue
        raw = environ[variable]
        origin = f"environment variable {variable}"
        entries.append(Entry(key=key, raw=raw, label=variable, origin=origin, is_text=True))
    return Source(entries=tuple(entries), faults=tuple(faults))


def flag_source(flags: Mapping[str, str | tuple[str, ...] | bool]) -> Source:
    """The entries of flags.

    Args:
        flags: dotted key of the option -> text as for an environment variable, or a tuple or
            boolean that needs no reading.
    """
    entries, faults = [], []
    for key, raw in flags.items():
        option = all_options().get(key)
        if option is None:
            hint = near_miss(key, tuple(all_options()))
            faults.append(Fault(key=key, origin="flags", message="unknown option", hint=hint))
            continue
        text = isinstance(raw, str)
        origin = f"flag {option.flag}"
        entries.append(Entry(key=key, raw=raw, label=option.flag, origin=origin, is_text=text))
    return Source(entries=tuple(entries), faults=tuple(faults))


def is_reserved(variable: str) -> bool:
    """Whether a ``WHEELWORKS_*`` variable is one of those that are no options."""
    return any(
        variable == name or (name.endswith("*") and variable.startswith(name[:-1]))
        for name in RESERVED_VARIABLES
    )


def near_miss(written: str, known: Iterable[str]) -> str | None:
    """A hint that names the known key nearest to a wrong one; None when nothing is near."""
    names = tuple(known)
    tails = {name.rpartition(".")[2]: name for name in reversed(names)}
    dashed = written.replace("_", "-")
    tail = dashed.rpartition(".")[2]
    near = [dashed] if dashed in names else difflib.get_close_matches(written, names, n=1)
    # The right key in the wrong table: `requires` for `test.requires`.
    near = near or [tails[name] for name in difflib.get_close_matches(tail, tails, n=1)]
    return f"the nearest valid name is {near[0]}" if near else None


def _unreadable(path: Path, what: str) -> ConfigurationError:
    fault = Fault(key=path.name, origin=str(path), message=what)
    return ConfigurationError(f"{path} {what}", faults=(fault,))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
