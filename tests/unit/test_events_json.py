"""Tests of wheelworks.events_json."""

from __future__ import annotations

import json

import pytest
from run_samples import CELLS, finished, run_events

from wheelworks.events import (
    EVENT_SCHEMA,
    JobOutput,
    JobStarted,
    Outcome,
    RunFinished,
)
from wheelworks.events_json import event_from_json, event_name, event_to_dict, event_to_json


def test_every_event_survives_the_round_trip() -> None:
    """A whole run, written and read again, is the same run."""
    events = [*run_events(), RunFinished(run_id="r1", time=1100.0, exit_code=1)]
    assert [event_from_json(event_to_json(event)) for event in events] == events


def test_schema_and_name_come_first() -> None:
    """A reader can decide by the first two keys."""
    record = event_to_dict(JobStarted(job_id="build x", time=1.5))
    assert list(record.items()) == [
        ("schema", EVENT_SCHEMA),
        ("event", "job_started"),
        ("job_id", "build x"),
        ("time", 1.5),
    ]
    assert event_name(RunFinished) == "run_finished"


def test_an_event_is_one_line_of_ascii() -> None:
    """Line feeds, separators and undecodable bytes of a program can not break the line."""
    event = JobOutput(job_id="build x", time=1.0, line="a\nb\u2028c\udc80ü")
    line = event_to_json(event)
    assert line.isascii()
    assert line.splitlines() == [line]
    assert event_from_json(line) == event


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        '{"schema": 1, "event": "job_star',
        '{"schema": 999, "event": "job_started", "job_id": "x", "time": 1.0}',
        '{"schema": 1, "event": "job_exploded", "job_id": "x", "time": 1.0}',
        '{"schema": 1, "event": ["job_started"], "job_id": "x", "time": 1.0}',
        '{"schema": 1, "event": "job_started", "job_id": "x"}',
        '{"schema": 1, "event": "job_started", "job_id": "x", "time": "now"}',
        "[" * 100_000,
    ],
)
def test_a_damaged_record_costs_only_itself(line: str) -> None:
    """Torn, foreign or unknown records are None, never an exception."""
    assert event_from_json(line) is None


def test_outcomes_are_written_as_people_read_them() -> None:
    """The words of the design are the words of the JSON."""
    record = json.loads(event_to_json(finished(f"build {CELLS[0]}", Outcome.UP_TO_DATE)))
    assert record["outcome"] == "up to date"
