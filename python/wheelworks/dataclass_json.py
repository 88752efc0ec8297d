"""Frozen dataclasses <-> plain JSON values.

Takes a dataclass instance and gives dictionaries, lists and scalars in field order, and back,
checked field by field. Knows only the shapes that our values at the borders use: scalars, enums,
literals, optional values, tuples of one type, mappings with string keys, nested dataclasses. Does
not know events or reports. Written by hand because importing cattrs would double the start-up time
of a run in which nothing has to be done.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Callable

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
T = TypeVar("T")


def to_plain(value: object) -> JsonValue:
    """The value as JSON has it; fields keep their order.

    Raises:
        TypeError: a value that has no JSON form.
    """
    if isinstance(value, Enum):
        return to_plain(value.value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        names = (field.name for field in dataclasses.fields(value))
        return {name: to_plain(getattr(value, name)) for name in names}
    raise TypeError(f"no JSON form for {type(value).__name__}")


def to_json(value: object) -> str:
    """The value as one line of JSON: dictionaries, lists and scalars with our dataclasses among them.

    Encoded by json's C code, which asks back only for dataclasses: twice as fast as :func:`to_plain` for
    a plan of thousands of jobs.

    Raises:
        TypeError: a value that has no JSON form.
    """
    return json.dumps(value, default=_shallow)


def _shallow(value: object) -> object:
    """One level of a value that json does not know."""
    if dataclasses.is_dataclass(value):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def from_plain(kind: type[T], value: object, *, names: Mapping[str, object] | None = None) -> T:
    """The dataclass instance that a JSON object describes.

    Keys that the class does not have are ignored, so that a newer writer may add some; missing
    keys take the field's default.

    Args:
        kind: the dataclass.
        value: what ``json.loads`` gave.
        names: types that the modules of the dataclasses import for the type checker only.

    Raises:
        ValueError: a key is missing or a value has the wrong type; the message has the path.
    """
    return cast("T", _dataclass(kind, value, "$", names or {}))


def _dataclass(kind: type, value: object, path: str, names: Mapping[str, object]) -> object:
    if not isinstance(value, Mapping):
        raise _wrong(path, "an object", value)
    hints = typing.get_type_hints(kind, localns=dict(names))
    found: dict[str, object] = {}
    for field in dataclasses.fields(kind):
        if field.name in value:
            found[field.name] = _read(
                hints[field.name], value[field.name], f"{path}.{field.name}", names
            )
        elif _is_required(field):
            raise ValueError(f"{path}.{field.name}: missing")
    return kind(**found)


def _is_required(field: dataclasses.Field[object]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _read(hint: object, value: object, path: str, names: Mapping[str, object]) -> object:
    """The value as the type hint wants it."""
    origin = get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _union(get_args(hint), value, path, names)
    if origin is Literal:
        if value in get_args(hint):
            return value
        raise _wrong(path, f"one of {get_args(hint)}", value)
    if origin is tuple:
        return _tuple(get_args(hint)[0], value, path, names)
    if origin is Mapping:
        return _mapping(get_args(hint)[1], value, path, names)
    if isinstance(hint, type):
        return _plain_class(hint, value, path, names)
    raise AssertionError(f"BUG: {path}: no reader for {hint}")


def _plain_class(hint: type, value: object, path: str, names: Mapping[str, object]) -> object:
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, value, path, names)
    if issubclass(hint, Enum):
        return _convert(hint, value, path)
    if hint is float and type(value) is int:
        # JSON writers may drop the fraction of a whole number.
        return float(value)
    # ``type(...) is``, because True is an int to isinstance.
    if type(value) is hint:
        return value
    raise _wrong(path, hint.__name__, value)


def _convert(hint: Callable[[object], object], value: object, path: str) -> object:
    try:
        return hint(value)
    except ValueError:
        raise _wrong(path, "a known choice", value) from None


def _union(
    options: tuple[object, ...], value: object, path: str, names: Mapping[str, object]
) -> object:
    """Optional values only: the one option that is not None reads whatever is not null."""
    if value is None and type(None) in options:
        return None
    (option,) = (item for item in options if item is not type(None))
    return _read(option, value, path, names)


def _tuple(item: object, value: object, path: str, names: Mapping[str, object]) -> object:
    if not isinstance(value, list):
        raise _wrong(path, "a list", value)
    return tuple(_read(item, entry, f"{path}[{index}]", names) for index, entry in enumerate(value))


def _mapping(item: object, value: object, path: str, names: Mapping[str, object]) -> object:
    if not isinstance(value, Mapping):
        raise _wrong(path, "an object", value)
    return {str(key): _read(item, entry, f"{path}.{key}", names) for key, entry in value.items()}


def _wrong(path: str, wanted: str, value: object) -> ValueError:
    return ValueError(f"{path}: {value!r} is not {wanted}")
