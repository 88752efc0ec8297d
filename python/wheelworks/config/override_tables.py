"""Reads ``[[tool.wheelworks.overrides]]``: raw tables -> Override values.

Pure: takes raw TOML tables, gives Overrides and faults. Does not know cells, nor how an override's
values join those before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

from wheelworks.config.options import cell_options
from wheelworks.config.parse import InvalidValueError, parse_texts, parse_value, show
from wheelworks.config.settings import Inheritance, Override
from wheelworks.config.sources import Entry, flatten, near_miss
from wheelworks.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

_INHERITED_KINDS = ("texts", "commands", "table")
_WAYS: tuple[Inheritance, ...] = get_args(Inheritance)


def parse_overrides(
    tables: Sequence[object], *, origin: str, prefix: str = "tool.wheelworks.overrides"
) -> tuple[tuple[Override, ...], tuple[Fault, ...]]:
    """The overrides of a file, in order, and the faults of the wrong ones.

    Args:
        tables: the raw array of tables.
        origin: the file.
        prefix: dotted key of the array; a table's own is ``prefix[0]``.
    """
    overrides: list[Override] = []
    faults: list[Fault] = []
    for number, table in enumerate(tables):
        label = f"{prefix}[{number}]"
        if not isinstance(table, Mapping):
            message = f"expected a table, not {show(table)}"
            faults.append(Fault(key=label, origin=origin, message=message))
            continue
        select, found = _select(table, label, origin)
        values, wrong = _values(table, label, origin)
        inherit, amiss = _inherit(table, values, label, origin)
        faults += (*found, *wrong, *amiss)
        if select and not (found or wrong or amiss):
            overrides.append(Override(select=select, values=values, inherit=inherit))
    return tuple(overrides), tuple(faults)


def _select(
    table: Mapping[str, object], label: str, origin: str
) -> tuple[tuple[str, ...], list[Fault]]:
    key = f"{label}.select"
    raw = table.get("select")
    if raw is None:
        hint = 'write select = "*-win_amd64", or another pattern over cell ids'
        return (), [Fault(key=key, origin=origin, message="is missing", hint=hint)]
    try:
        select = parse_texts((raw,) if isinstance(raw, str) else raw)
    except InvalidValueError as error:
        return (), [Fault(key=key, origin=origin, message=error.message, hint=error.hint)]
    if not select:
        return (), [Fault(key=key, origin=origin, message="expected at least one pattern")]
    return select, []


def _values(
    table: Mapping[str, object], label: str, origin: str
) -> tuple[dict[str, object], list[Fault]]:
    options = cell_options()
    entries, unknown = flatten(
        table,
        label=label,
        origin=origin,
        known=tuple(options),
        special=("select", "inherit"),
        tables=("test",),
    )
    values: dict[str, object] = {}
    faults = list(unknown)
    for entry in entries:
        try:
            values[entry.key] = parse_value(options[entry.key], entry.raw)
        except InvalidValueError as error:
            faults.append(_fault_of(entry, error))
    return values, faults


def _inherit(
    table: Mapping[str, object], values: Mapping[str, object], label: str, origin: str
) -> tuple[dict[str, Inheritance], list[Fault]]:
    raw = table.get("inherit", {})
    label = f"{label}.inherit"
    if not isinstance(raw, Mapping):
        hint = 'write inherit.test.requires = "append"'
        return {}, [Fault(key=label, origin=origin, message="expected a table", hint=hint)]
    options = {k: option for k, option in cell_options().items() if option.kind in _INHERITED_KINDS}
    entries, unknown = flatten(
        raw, label=label, origin=origin, known=tuple(options), special=(), tables=("test",)
    )
    inherit: dict[str, Inheritance] = {}
    faults = list(unknown)
    for entry in entries:
        way = next((way for way in _WAYS if way == entry.raw), None)
        if way is None:
            message = f'expected "none", "append" or "prepend", not {show(entry.raw)}'
            near = near_miss(entry.raw, _WAYS) if isinstance(entry.raw, str) else None
            faults.append(Fault(key=entry.label, origin=origin, message=message, hint=near))
        elif entry.key not in values and entry.key not in _keys(table):
            message = f"this override does not set {entry.key}, so there is nothing to join"
            faults.append(Fault(key=entry.label, origin=origin, message=message))
        else:
            inherit[entry.key] = way
    return inherit, faults


def _keys(table: Mapping[str, object]) -> frozenset[str]:
    """The dotted keys that a table sets, also with wrong values (those have their own fault)."""
    test = table.get("test")
    inner = test if isinstance(test, Mapping) else {}
    return frozenset(table) | frozenset(f"test.{key}" for key in inner)


def _fault_of(entry: Entry, error: InvalidValueError) -> Fault:
    return Fault(key=entry.label, origin=entry.origin, message=error.message, hint=error.hint)
