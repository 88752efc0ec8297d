"""Merges the sources: entries in order of priority -> Settings with origins.

Pure: takes entries and the values that the project's own files suggest, gives Settings and faults.
Does not read anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

from wheelworks.config.options import Option, all_options
from wheelworks.config.parse import InvalidValueError, parse_text, parse_value
from wheelworks.config.settings import CellSettings, ContainerSettings, Settings, TestSettings
from wheelworks.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from _typeshed import DataclassInstance

    from wheelworks.config.settings import Override
    from wheelworks.config.sources import Entry

_Declared = TypeVar("_Declared", bound="DataclassInstance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A typed value and where it came from."""

    value: object
    origin: str


def typed_values(entries: Iterable[Entry]) -> tuple[Mapping[str, Value], tuple[Fault, ...]]:
    """The last value of each key; every wrong one is a fault, also where a later one wins.

    Args:
        entries: raw values, those of the weakest source first.
    """
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    options = all_options()
    for entry in entries:
        try:
            value = _parse(options[entry.key], entry)
        except InvalidValueError as error:
            faults.append(
                Fault(key=entry.label, origin=entry.origin, message=error.message, hint=error.hint)
            )
            continue
        values[entry.key] = Value(value=value, origin=entry.origin)
    return values, tuple(faults)


def build_settings(
    values: Mapping[str, Value],
    *,
    root: Path,
    overrides: tuple[Override, ...] = (),
    no_command_reason: str | None = None,
) -> Settings:
    """The settings that the values give; every other option has its default.

    Args:
        values: typed values by dotted key; ``pythons`` must be among them.
        root: the project's folder, which a relative ``dist`` lies in.
        overrides: the parsed overrides.
        no_command_reason: why there is nothing to test, if so.
    """
    assert "pythons" in values, "BUG: load.py computes the interpreters when nobody names them"
    by_owner: dict[str, dict[str, object]] = {}
    for key, option in all_options().items():
        given = values[key].value if key in values else option.default
        by_owner.setdefault(option.owner, {})[option.attribute] = given
    run = by_owner["Settings"]
    run["dist"] = root / cast("Path", run["dist"])
    test = TestSettings(no_command_reason=no_command_reason)
    cell = CellSettings(test=_with(test, by_owner["TestSettings"]))
    settings = Settings(
        pythons=(),
        targets=(),
        dist=root,
        container=_with(ContainerSettings(), by_owner["ContainerSettings"]),
        cell=_with(cell, by_owner["CellSettings"]),
        overrides=overrides,
        origins={key: value.origin for key, value in values.items()},
    )
    return _with(settings, run)


def _with(instance: _Declared, attributes: Mapping[str, object]) -> _Declared:
    """The instance with other attributes, whose types the kind of each Option has seen to."""
    return replace(instance, **attributes)


def _parse(option: Option, entry: Entry) -> object:
    if entry.is_text and isinstance(entry.raw, str):
        return parse_text(option, entry.raw)
    return parse_value(option, entry.raw)
