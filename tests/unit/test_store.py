"""Runs and successes on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from run_samples import facts, mixed_results

from wheelworks.errors import MissingResourceError
from wheelworks.events import JobOutput, JobStarted, RunNotice
from wheelworks.report.build import build_report
from wheelworks.report.render import report_from_json
from wheelworks.store import RunRegistry, RunStore, StateStore, SuccessRecord

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.report.model import Report

NOON = 1_800_000_000.25
DAY = 86_400.0
RECORD = SuccessRecord(
    job_id="build cp313-manylinux_x86_64",
    run_id="r1",
    time=NOON,
    seconds=12.5,
    inputs={"rustc": "1.95.0", "source:src/lib.rs": "ab" * 32},
    artifact="x-1-cp313-cp313-manylinux2014_x86_64.whl",
    artifact_sha256="cd" * 32,
    artifact_size=1234,
)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now


def a_report(run_id: str) -> Report:
    """A report of a run."""
    results = mixed_results()
    cells = tuple(cell for result in results for cell in result.cells)
    return build_report(facts(cells, run_id=run_id), results)


def test_run_ids_sort_by_time_and_never_collide(tmp_path: Path) -> None:
    """Later runs sort later; runs of the same millisecond differ."""
    clock = Clock()
    store = RunStore(tmp_path, clock=clock)
    first, second = store.new_run(), store.new_run()
    clock.now += 0.002
    third = store.new_run()
    clock.now += 1
    fourth = store.new_run()
    assert first != second
    assert max(first, second) < third < fourth
    assert store.folder(first).is_dir()
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_runs_that_cannot_be_made_are_a_missing_resource(tmp_path: Path) -> None:
    """The message names the folder; exit code 4."""
    (tmp_path / "runs").write_text("a file in the way")
    with pytest.raises(MissingResourceError, match="runs can't be written"):
        RunStore(tmp_path).new_run()


def test_list_is_newest_first_and_leaves_aliens_out(tmp_path: Path) -> None:
    """Only folders with the name of a run count."""
    clock = Clock()
    store = RunStore(tmp_path, clock=clock)
    assert store.list_runs() == ()
    old = store.new_run()
    clock.now += DAY
    new = store.new_run()
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "20260101-000000-000-abcdef").write_text("no folder")
    assert store.list_runs() == (new, old)


def test_events_come_back_in_order(tmp_path: Path) -> None:
    """What was appended is loaded; output lines are in the logs instead."""
    store = RunStore(tmp_path)
    run_id = store.new_run()
    started = JobStarted(job_id="a", time=1.0)
    notice = RunNotice(time=2.0, level="info", message="wört\n")
    for event in (started, JobOutput(job_id="a", time=1.5, line="x"), notice):
        store.append_event(run_id, event)
    assert store.load_events(run_id) == (started, notice)
    lines = (store.folder(run_id) / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["job_started", "run_notice"]
    assert {json.loads(line)["schema"] for line in lines} == {1}


def test_torn_line_costs_only_itself(tmp_path: Path) -> None:
    """A line cut by a crash, or of a newer version, is left out."""
    store = RunStore(tmp_path)
    run_id = store.new_run()
    event = JobStarted(job_id="a", time=1.0)
    store.append_event(run_id, event)
    with (store.folder(run_id) / "events.jsonl").open("ab") as file:
        file.write(b'{"schema":1,"event":"from_the_future"}\n{"schema":1,"eve\xff')
    assert store.load_events(run_id) == (event,)


def test_events_of_an_unknown_run_are_none(tmp_path: Path) -> None:
    """A run without a file has no events."""
    assert RunStore(tmp_path).load_events("no-such-run") == ()


def test_history_that_cannot_be_written_does_not_stop_the_run(tmp_path: Path) -> None:
    """Appending never raises."""
    store = RunStore(tmp_path)
    run_id = store.new_run()
    (store.folder(run_id) / "events.jsonl").mkdir()
    store.append_event(run_id, JobStarted(job_id="a", time=1.0))
    assert store.load_events(run_id) == ()


def test_report_comes_back(tmp_path: Path) -> None:
    """JSON and JUnit lie in the run's folder; the JSON gives the same report."""
    store = RunStore(tmp_path)
    run_id = store.new_run()
    assert store.read_report(run_id) is None
    report = a_report(run_id)
    store.write_report(run_id, report)
    text = store.read_report(run_id)
    assert text is not None
    assert report_from_json(text) == report
    assert (store.folder(run_id) / "junit.xml").read_text("utf-8").startswith("<?xml")


def test_report_that_cannot_be_written_is_a_missing_resource(tmp_path: Path) -> None:
    """A full or forbidden disk is exit code 4, not a bug."""
    store = RunStore(tmp_path)
    run_id = store.new_run()
    (store.folder(run_id) / "report.json").mkdir()
    with pytest.raises(MissingResourceError, match="can't be written"):
        store.write_report(run_id, a_report(run_id))


def test_prune_by_number_and_age(tmp_path: Path) -> None:
    """The newest stay, the too old go, and what is asked for stays in any case."""
    clock = Clock()
    store = RunStore(tmp_path, clock=clock)
    runs = []
    for _ in range(5):
        runs.append(store.new_run())
        clock.now += DAY
    assert store.prune(max_runs=99, max_age_seconds=4.5 * DAY) == (runs[0],)
    assert store.prune(max_runs=2, max_age_seconds=99 * DAY, keep=[runs[1]]) == (runs[2],)
    assert store.list_runs() == (runs[4], runs[3], runs[1])


def test_prune_spares_a_living_run(tmp_path: Path) -> None:
    """A run that is going on keeps its logs."""
    store = RunStore(tmp_path)
    run_id = store.new_run()
    with RunRegistry(tmp_path).register(run_id):
        assert store.prune(max_runs=0, max_age_seconds=0.0) == ()
    assert store.prune(max_runs=0, max_age_seconds=0.0) == (run_id,)


def test_record_comes_back(tmp_path: Path) -> None:
    """What was written is read, the latest only."""
    store = StateStore(tmp_path)
    assert store.read(RECORD.job_id) is None
    store.write(RECORD)
    newer = replace(RECORD, run_id="r2", artifact=None, artifact_sha256=None, artifact_size=None)
    store.write(newer)
    assert store.read(RECORD.job_id) == newer
    assert store.all() == (newer,)


def test_ids_that_look_alike_on_disk_are_kept_apart(tmp_path: Path) -> None:
    """Blanks, slashes and case make different jobs."""
    store = StateStore(tmp_path)
    records = [replace(RECORD, job_id=job_id) for job_id in ("a b", "a/b", "A b", "a_b", "..")]
    for record in records:
        store.write(record)
    assert [store.read(record.job_id) for record in records] == records
    assert len(store.all()) == len(records)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"schema": 99, "record": {}}',
        b'{"schema": 1, "record": []}',
        b'{"schema": 1, "record": {"inputs": {}}}',
        b'{"schema": 1, "record": {"inputs": {"a": 1}}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_unreadable_record_is_no_record(tmp_path: Path, content: bytes) -> None:
    """A torn or alien file means that the job is built again, never an error."""
    store = StateStore(tmp_path)
    store.write(RECORD)
    (file,) = (tmp_path / "state").glob("build*.json")
    file.write_bytes(content)
    assert store.read(RECORD.job_id) is None
    assert store.all() == ()


def test_record_under_another_name_is_not_taken(tmp_path: Path) -> None:
    """A file that was copied or renamed by hand does not make a job up to date."""
    store = StateStore(tmp_path)
    store.write(RECORD)
    store.write(replace(RECORD, job_id="other"))
    (other,) = (tmp_path / "state").glob("other*.json")
    (mine,) = (tmp_path / "state").glob("build*.json")
    mine.replace(other)
    assert store.read("other") is None


def test_forgotten_job_is_not_up_to_date(tmp_path: Path) -> None:
    """Its record is gone, what is known of its duration stays."""
    store = StateStore(tmp_path)
    store.forget(RECORD.job_id)
    store.write(RECORD)
    store.forget(RECORD.job_id)
    assert store.read(RECORD.job_id) is None
    assert store.estimates() == {RECORD.job_id: 12.5}


def test_estimate_is_the_median_of_the_last_five(tmp_path: Path) -> None:
    """Old durations are forgotten, and one slow run does not matter."""
    store = StateStore(tmp_path)
    for seconds in (1000.0, 1000.0, 10.0, 12.0, 11.0, 500.0, 13.0):
        store.write(replace(RECORD, seconds=seconds))
    assert store.estimates() == {RECORD.job_id: 12.0}


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"a": [], "b": ["x"], "c": 3, "d": [true]}'])
def test_unreadable_durations_are_no_estimates(tmp_path: Path, content: bytes) -> None:
    """An estimate is a nicety; nothing fails for want of it."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "durations.json").write_bytes(content)
    assert StateStore(tmp_path).estimates() == {}


def test_record_that_cannot_be_written_is_a_missing_resource(tmp_path: Path) -> None:
    """The state folder's trouble is named."""
    (tmp_path / "state").write_text("a file in the way")
    with pytest.raises(MissingResourceError, match="state can't be written"):
        StateStore(tmp_path).write(RECORD)
