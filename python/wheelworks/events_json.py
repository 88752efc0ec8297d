"""Events <-> lines of JSON, for ``--events json`` and the run store.

Takes an event and gives one line, and back. Does not write or read files. A line that can't be
understood (torn by a crash, of another schema) gives None: a torn record costs that record, never
the history.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from wheelworks.dataclass_json import from_plain, to_plain
from wheelworks.events import (
    EVENT_SCHEMA,
    JobFinished,
    JobOutput,
    JobPhase,
    JobProgress,
    JobStarted,
    RunFinished,
    RunNotice,
    RunStarted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.dataclass_json import JsonValue
    from wheelworks.events import Event

_CLASSES: Final[tuple[type[Event], ...]] = (
    RunStarted,
    JobStarted,
    JobPhase,
    JobProgress,
    JobOutput,
    JobFinished,
    RunNotice,
    RunFinished,
)


def event_name(kind: type[Event]) -> str:
    """The name of an event in its JSON form: ``job_started``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_BY_NAME: Final[Mapping[str, type[Event]]] = {event_name(kind): kind for kind in _CLASSES}


def event_to_dict(event: Event) -> dict[str, JsonValue]:
    """The event with its schema number and name in front of its fields."""
    # A dataclass has no other plain form.
    fields = cast("dict[str, JsonValue]", to_plain(event))
    return {"schema": EVENT_SCHEMA, "event": event_name(type(event)), **fields}


def event_to_json(event: Event) -> str:
    """The event as one line of ASCII JSON, without the line's end."""
    return json.dumps(event_to_dict(event), separators=(",", ":"))


def event_from_json(line: str) -> Event | None:
    """The event that a line describes; None when it is torn, of another schema or unknown."""
    try:
        record: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("schema") != EVENT_SCHEMA:
        return None
    name = record.get("event")
    kind = _BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    try:
        return from_plain(kind, record)
    except ValueError:
        return None
