"""``[tool.cibuildwheel]`` -> the facts that decide how a cell runs through cibuildwheel.

Pure: takes the raw table. A value of the wrong type counts as missing, because cibuildwheel complains of it itself.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wheelworks.cibuildwheel_facts import CibuildwheelFacts, CommandOverride
from wheelworks.config.toml_values import table_at, texts_of, value_at

if TYPE_CHECKING:
    from wheelworks.cibuildwheel_facts import CommandKey

_COMMANDS: tuple[CommandKey, ...] = (
    "before-all",
    "before-build",
    "repair-wheel-command",
    "before-test",
    "test-command",
)
_IMAGE = re.compile(r"(?:many|musl)linux-\w+-image")
_MATURIN_ARGS = re.compile(
    r"""\bMATURIN_PEP517_ARGS=(?P<quote>['"]?)(?P<value>.*?)(?P=quote)(?:\s|$)"""
)


def cibuildwheel_facts(table: Mapping[str, object]) -> CibuildwheelFacts:
    """The facts of the raw ``[tool.cibuildwheel]``; ``[tool.cibuildwheel.linux]`` replaces what it names."""
    linux = table_at(table, "linux")
    merged = {**table, **linux}
    create_args, disables_host_mount = _engine(merged.get("container-engine"))
    overrides = table.get("overrides")
    return CibuildwheelFacts(
        create_args=create_args,
        disables_host_mount=disables_host_mount,
        images=tuple(
            (key, value)
            for key, value in sorted(merged.items())
            if _IMAGE.fullmatch(key) and isinstance(value, str) and value
        ),
        commands=_commands(merged),
        overrides=tuple(
            CommandOverride(select=_words(item.get("select")), commands=_commands(item))
            for item in (overrides if isinstance(overrides, list) else ())
            if isinstance(item, Mapping)
        ),
        environment_pass=_words(merged.get("environment-pass")),
        maturin_args=_maturin_args(merged),
    )


def _commands(table: Mapping[str, object]) -> tuple[tuple[CommandKey, str], ...]:
    found = ((key, table.get(key)) for key in _COMMANDS)
    return tuple(
        (key, value if isinstance(value, str) else " && ".join(texts_of(value)))
        for key, value in found
        if isinstance(value, str | list)
    )


def _words(value: object) -> tuple[str, ...]:
    return tuple(value.split()) if isinstance(value, str) else texts_of(value)


def _engine(value: object) -> tuple[tuple[str, ...], bool]:
    """``create-args`` and ``disable-host-mount``: of a table, or of ``docker; create_args: --gpus all``."""
    if isinstance(value, str):
        fields = dict(field for part in value.split(";")[1:] if (field := _field(part)))
        return _split(fields.get("create-args", "")), _is_true(fields.get("disable-host-mount"))
    if not isinstance(value, Mapping):
        return (), False
    table = {str(key).replace("_", "-"): item for key, item in value.items()}
    args = table.get("create-args")
    listed = _split(args) if isinstance(args, str) else texts_of(args)
    return listed, _is_true(table.get("disable-host-mount"))


def _field(part: str) -> tuple[str, str] | None:
    name, separator, rest = part.strip().partition(":")
    return (name.replace("_", "-"), rest) if separator else None


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return ()


def _is_true(value: object) -> bool:
    return value is True or str(value).strip().lower() in {"y", "yes", "t", "true", "on", "1"}


def _maturin_args(table: Mapping[str, object]) -> str | None:
    """What maturin is told by the environment or by the configuration settings."""
    environment = table.get("environment")
    if isinstance(environment, str):
        found = _MATURIN_ARGS.search(environment)
        own: object = found["value"] if found else None
    else:
        own = value_at(environment, "MATURIN_PEP517_ARGS")
    settings = table_at(table, "config-settings")
    for value in (settings.get("maturin.build-args"), settings.get("build-args"), own):
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return " ".join(texts_of(value))
    return None
