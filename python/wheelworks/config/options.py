"""The options of ``settings.py`` as a table: key, kind of value, attribute, default.

Takes the dataclasses, gives one frozen Option per field that can be configured. Parser, schema and
documentation are driven by this table. Does not know where values come from.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Literal, Union, get_args, get_origin, get_type_hints

from wheelworks.config.settings import (
    DEFAULT_TARGETS,
    CellSettings,
    ContainerSettings,
    Settings,
    TestSettings,
)

Kind = Literal[
    "text", "choice", "texts", "commands", "flag", "count", "duration", "size", "table", "path"
]

Owner = Literal["Settings", "CellSettings", "TestSettings", "ContainerSettings"]

#: A unit at the end of a field's name -> the kind of value; the key has no such suffix.
_UNITS: Mapping[str, Kind] = {"_seconds": "duration", "_mib": "size"}

#: Values of options whose dataclass field must be given.
_GIVEN_DEFAULTS: Mapping[str, object] = {
    "targets": DEFAULT_TARGETS,
    "dist": Path("dist"),
    "pythons": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One key of ``[tool.wheelworks]``."""

    key: str
    """Dotted, as in TOML: ``test.environment-pass``."""
    attribute: str
    """Name of the dataclass field: ``environment_pass``."""
    owner: Owner
    """The dataclass that holds the field."""
    kind: Kind
    choices: tuple[str, ...] = ()
    """The values of a ``choice``."""
    default: object
    """None where the default is computed from the project."""

    @property
    def variable(self) -> str:
        """The environment variable: ``WHEELWORKS_TEST_ENVIRONMENT_PASS``."""
        return "WHEELWORKS_" + self.key.replace(".", "_").replace("-", "_").upper()

    @property
    def flag(self) -> str:
        """The option of the command line, where it has one: ``--test-environment-pass``."""
        return "--" + self.key.replace(".", "-")

    @property
    def is_overridable(self) -> bool:
        """Whether ``[[tool.wheelworks.overrides]]`` may hold it."""
        return self.owner in {"CellSettings", "TestSettings"}


@cache
def all_options() -> Mapping[str, Option]:
    """Every option by its key, in the order of the documentation."""
    listed = (
        *_options_of(Settings, owner="Settings", prefix=""),
        *_options_of(CellSettings, owner="CellSettings", prefix=""),
        *_options_of(TestSettings, owner="TestSettings", prefix="test."),
        *_options_of(ContainerSettings, owner="ContainerSettings", prefix="container."),
    )
    return types.MappingProxyType({option.key: option for option in listed})


@cache
def cell_options() -> Mapping[str, Option]:
    """The options that an override may change, by key."""
    return types.MappingProxyType(
        {key: option for key, option in all_options().items() if option.is_overridable}
    )


def _options_of(
    declared: type[Settings | CellSettings | TestSettings | ContainerSettings],
    *,
    owner: Owner,
    prefix: str,
) -> tuple[Option, ...]:
    # settings.py imports these two for type checkers only, so they are handed in.
    hints = get_type_hints(declared, localns={"Mapping": Mapping, "Path": Path})
    listed: tuple[Field[object], ...] = fields(declared)
    return tuple(
        _option(field, hints[field.name], owner, prefix)
        for field in listed
        if field.metadata.get("option", True)
    )


def _option(
    field: Field[object],
    hint: object,
    owner: Owner,
    prefix: str,
) -> Option:
    name = field.name
    kind: Kind | None = "commands" if field.metadata.get("kind") == "commands" else None
    for suffix, unit_kind in _UNITS.items():
        if name.endswith(suffix):
            name, kind = name.removesuffix(suffix), unit_kind
    plain = _without_none(hint)
    return Option(
        key=prefix + name.replace("_", "-"),
        attribute=field.name,
        owner=owner,
        kind=kind or _kind_of(plain),
        choices=tuple(str(choice) for choice in get_args(plain))
        if get_origin(plain) is Literal
        else (),
        default=_default_of(field),
    )


def _without_none(hint: object) -> object:
    """``tuple[str, ...] | None`` -> ``tuple[str, ...]``."""
    if get_origin(hint) in {Union, types.UnionType}:
        return next(part for part in get_args(hint) if part is not types.NoneType)
    return hint


def _kind_of(hint: object) -> Kind:
    kinds: Mapping[object, Kind] = {
        str: "text",
        Literal: "choice",
        tuple: "texts",
        bool: "flag",
        int: "count",
        Mapping: "table",
        Path: "path",
    }
    return kinds[get_origin(hint) or hint]


def _default_of(field: Field[object]) -> object:
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    return _GIVEN_DEFAULTS[field.name]
