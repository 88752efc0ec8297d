"""Applies ``[[tool.wheelworks.overrides]]``: settings and a cell id -> the cell's own settings.

Pure: takes parsed overrides, gives CellSettings. Does not know what a cell is, nor how an override
was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from wheelworks.config.options import cell_options
from wheelworks.selectors import matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _typeshed import DataclassInstance

    from wheelworks.config.settings import CellSettings, Inheritance, Override

_Declared = TypeVar("_Declared", bound="DataclassInstance")


def override_finder(overrides: Sequence[Override]) -> Callable[[str], tuple[int, ...]]:
    """A function that gives the numbers of the overrides that select a cell id.

    The patterns are compiled once, so that many ids can be asked about.

    Raises:
        ValueError: a pattern is no selector.
    """
    matchers = tuple(matcher(override.select) for override in overrides)
    return lambda cell_id: tuple(
        number for number, is_selected in enumerate(matchers) if is_selected(cell_id)
    )


def merge_overrides(base: CellSettings, overrides: Sequence[Override]) -> CellSettings:
    """The base with the values of the overrides, the later one winning.

    A value replaces the one before it. Where the override says so it joins it instead: with
    ``append`` a list's items come after and a table's keys win, with ``prepend`` the items come
    before and the table's keys lose, as in cibuildwheel.

    Args:
        base: the settings without overrides.
        overrides: those that select the cell, in the order of the file; their values are parsed.
    """
    run: dict[str, object] = {}
    test: dict[str, object] = {}
    options = cell_options()
    for override in overrides:
        for key, value in override.values.items():
            option = options[key]
            owner, ours = (base.test, test) if option.owner == "TestSettings" else (base, run)
            before = ours.get(option.attribute, getattr(owner, option.attribute))
            ours[option.attribute] = _joined(before, value, override.inherit.get(key, "none"))
    return _with(base, {**run, "test": _with(base.test, test)})


def cell_settings(base: CellSettings, overrides: Sequence[Override], cell_id: str) -> CellSettings:
    """The settings of one cell.

    Args:
        base: the settings without overrides.
        overrides: all of them, in the order of the file.
        cell_id: the cell's id.

    Raises:
        ValueError: a pattern of an override is no selector.
    """
    numbers = override_finder(overrides)(cell_id)
    return merge_overrides(base, [overrides[number] for number in numbers])


def _joined(before: object, value: object, way: Inheritance) -> object:
    """The value joined to the one before; lists and tables only, which the parser has seen to."""
    if way == "none" or before is None:
        return value
    first, last = (before, value) if way == "append" else (value, before)
    if isinstance(first, Mapping) and isinstance(last, Mapping):
        return {**first, **last}
    assert isinstance(first, tuple), f"BUG: {first!r} can't be joined"
    assert isinstance(last, tuple), f"BUG: {last!r} can't be joined"
    return (*first, *last)


def _with(instance: _Declared, attributes: Mapping[str, object]) -> _Declared:
    """The instance with other attributes, whose types the kind of each option has seen to."""
    return replace(instance, **attributes)
