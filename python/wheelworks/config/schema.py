"""Derives the JSON schema and the tables of ``docs/configuration.md`` from the options.

Pure: takes the option table and the text of ``settings.py``, gives a document and Markdown. Writing
them is ``scripts/regenerate_docs.py``'s work.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.config.options import Kind, Option, all_options, cell_options

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGIN = "<!-- begin: written by scripts/regenerate_docs.py from config/settings.py -->"
END = "<!-- end: written by scripts/regenerate_docs.py -->"
#: Table within the section -> its description in the schema.
_TABLES: Mapping[str, str] = {
    "test": "How a built wheel is tested.",
    "container": "The container engine and our images.",
}
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXTS: Mapping[str, object] = {"type": "array", "items": {"type": "string", "minLength": 1}}
_COMMANDS: Mapping[str, object] = {"anyOf": [{"type": "string", "minLength": 1}, _TEXTS]}
_SCHEMAS: Mapping[Kind, Mapping[str, object]] = {
    "text": {"type": "string", "minLength": 1},
    "path": {"type": "string", "minLength": 1},
    "choice": {"type": "string"},
    "texts": _TEXTS,
    "commands": _COMMANDS,
    "flag": {"type": "boolean"},
    "count": {"type": "integer", "minimum": 1},
    "duration": {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": "^[0-9.hms ]+$"},
        ]
    },
    "size": {"type": "string", "pattern": "^[0-9.]+ *[KMG]i?B$"},
    "table": {"type": "object", "additionalProperties": {"type": "string"}},
}
_WORDS: Mapping[Kind, str] = {
    "text": "string",
    "path": "path",
    "texts": "list of strings",
    "commands": "command or list of commands",
    "flag": "boolean",
    "count": "whole number",
    "duration": "seconds, or `90s`, `15m`, `1h30m`",
    "size": "`512MiB`, `2GiB`",
    "table": "table of strings",
}


def describe_fields(source: str) -> Mapping[tuple[str, str], str]:
    """The docstring of each attribute in a module's text.

    Args:
        source: the text of ``settings.py``.

    Returns:
        (class, attribute) -> docstring on one line.
    """
    found: dict[tuple[str, str], str] = {}
    for declared in ast.parse(source).body:
        if not isinstance(declared, ast.ClassDef):
            continue
        for statement, following in zip(declared.body, declared.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                text = _docstring(following)
                if text is not None:
                    found[declared.name, statement.target.id] = text
    return found


def json_schema(source: str) -> Mapping[str, object]:
    """The JSON schema of ``[tool.wheelworks]``.

    Args:
        source: the text of ``settings.py``, for the descriptions.
    """
    texts = describe_fields(source)
    cells = _object(cell_options().values(), texts)
    select = {"description": "Patterns over cell ids.", **_COMMANDS}
    inherit = {
        "type": "object",
        "description": "Dotted key -> how its value joins the one before.",
    }
    override = {
        **cells,
        "required": ["select"],
        "properties": {"select": select, "inherit": inherit, **_properties(cells)},
    }
    whole = _object(all_options().values(), texts)
    overrides = {
        "type": "array",
        "description": "Other options for some cells.",
        "items": override,
    }
    return {
        "$schema": _DRAFT,
        "title": "[tool.wheelworks]",
        **whole,
        "properties": {**_properties(whole), "overrides": overrides},
    }


def schema_text(source: str) -> str:
    """The JSON schema as the file holds it."""
    return json.dumps(json_schema(source), indent=2) + "\n"


def option_tables(source: str) -> str:
    """The tables of every option in Markdown, one per part of the configuration.

    Args:
        source: the text of ``settings.py``.
    """
    texts = describe_fields(source)
    parts = (
        ("`[tool.wheelworks]`: the whole run", "Settings"),
        ("`[tool.wheelworks]`: each cell (overrides may change these)", "CellSettings"),
        ("`[tool.wheelworks.test]`: tests (overrides may change these)", "TestSettings"),
        ("`[tool.wheelworks.container]`: container engine and images", "ContainerSettings"),
    )
    lines = []
    for title, owner in parts:
        lines += [f"## {title}", "", "| key | value | default | meaning |", "|---|---|---|---|"]
        lines += [_row(option, texts) for option in all_options().values() if option.owner == owner]
        lines.append("")
    return "\n".join(lines)


def replace_tables(document: str, source: str) -> str:
    """The document with the tables between its two marks renewed.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        msg = f"docs/configuration.md has lost one of its marks {BEGIN!r} and {END!r}"
        raise ValueError(msg)
    return f"{before}{BEGIN}\n\n{option_tables(source)}\n{END}{after}"


def _docstring(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        text = statement.value.value
        return " ".join(text.split()) if isinstance(text, str) else None
    return None


def _object(
    options: Iterable[Option], texts: Mapping[tuple[str, str], str]
) -> Mapping[str, object]:
    """The schema of a table; dotted keys become a table of their own."""
    properties: dict[str, object] = {}
    inner: dict[str, dict[str, object]] = {}
    for option in options:
        table, _, key = option.key.rpartition(".")
        (inner.setdefault(table, {}) if table else properties)[key] = _property(option, texts)
    tables = {
        name: {
            "type": "object",
            "description": _TABLES[name],
            "additionalProperties": False,
            "properties": held,
        }
        for name, held in inner.items()
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {**properties, **tables},
    }


def _properties(schema: Mapping[str, object]) -> Mapping[str, object]:
    found = schema["properties"]
    assert isinstance(found, Mapping), "BUG: _object gives a table of properties"
    return found


def _property(option: Option, texts: Mapping[tuple[str, str], str]) -> Mapping[str, object]:
    described = {"description": texts[option.owner, option.attribute].replace("``", "`")}
    choices = {"enum": list(option.choices)} if option.choices else {}
    return {**described, **_SCHEMAS[option.kind], **choices}


def _row(option: Option, texts: Mapping[tuple[str, str], str]) -> str:
    key = option.key.rpartition(".")[2]
    words = _WORDS.get(option.kind) or ", ".join(f'`"{choice}"`' for choice in option.choices)
    text = texts[option.owner, option.attribute].replace("``", "`").replace("|", "\\|")
    return f"| `{key}` | {words} | {_default(option)} | {text} |"


def _default(option: Option) -> str:
    """The default as it would be written in TOML; nothing where the text says what it is."""
    default = option.default
    match option.kind:
        case "duration" | "size":
            return _with_unit(option)
        case "path":
            return f'`"{default.as_posix()}"`' if isinstance(default, Path) else ""
        case "table":
            return "`{}`"
        case _ if default is None:
            return ""
        case _:
            return f"`{json.dumps(default)}`"


def _with_unit(option: Option) -> str:
    assert isinstance(option.default, int | float), "BUG: a size or time has a number as default"
    number = int(option.default)
    if option.kind == "size":
        return f'`"{number // 1024}GiB"`' if number % 1024 == 0 else f'`"{number}MiB"`'
    units = ((3600, "h"), (60, "m"), (1, "s"))
    return next(f'`"{number // size}{unit}"`' for size, unit in units if number % size == 0)
