"""Runs and fingerprints on disk, below ``.wheelworks/``.

``runs/<id>/`` holds ``events.jsonl``, ``report.json``, ``junit.xml`` and one log per job;
``state/`` one file per job with the last success, and the durations of past successes. State files
are whole-file replacements or append-only records; a torn record costs that record, never the
history. Takes and gives typed values; knows nothing of how they came about.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import statistics
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from wheelworks.dataclass_json import from_plain, to_plain
from wheelworks.events import JobOutput
from wheelworks.events_json import event_from_json, event_to_json
from wheelworks.files import atomic_write, ensure_state_dir, unwritable
from wheelworks.leftovers import RunRegistry, sweep_leftovers
from wheelworks.report.render import report_to_json, report_to_junit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from wheelworks.events import Event
    from wheelworks.report.model import Report

__all__ = [
    "RunRegistry",
    "RunStore",
    "StateStore",
    "SuccessRecord",
    "atomic_write",
    "sweep_leftovers",
]

RECORD_SCHEMA: Final = 1
KEPT_DURATIONS: Final = 5
_RUN_ID: Final = re.compile(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessRecord:
    """The last success of a job: what it read, what it left."""

    job_id: str
    run_id: str
    time: float
    seconds: float
    inputs: Mapping[str, str]
    """Name of an input -> value or digest; ``source:<path>`` for files of the tree."""
    artifact: str | None
    """File name."""
    artifact_sha256: str | None
    artifact_size: int | None
    is_published: bool = True
    """Whether the artifact lies in ``dist/``; a slice of another wheel lies in the folder of its build key."""


class RunStore:
    """Past and present runs, ``runs/<id>/``.

    Args:
        state_dir: ``.wheelworks`` in the project; made when the first run begins.
        clock: seconds since the epoch.
    """

    def __init__(self, state_dir: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._state_dir = state_dir
        self._runs = state_dir / "runs"
        self._clock = clock
        self._lock = threading.Lock()

    def new_run(self) -> str:
        """Begin a run: make its folder and give its id, which sorts by time.

        Raises:
            MissingResourceError: the folder can't be made.
        """
        ensure_state_dir(self._state_dir)
        while True:
            now = self._clock()
            stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
            run_id = f"{stamp}-{int(now % 1 * 1000):03}-{secrets.token_hex(3)}"
            try:
                self.folder(run_id).mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise unwritable(self._runs, error) from error
            return run_id

    def folder(self, run_id: str) -> Path:
        """Where the run's events, logs and report lie."""
        return self._runs / run_id

    def append_event(self, run_id: str, event: Event) -> None:
        """Add an event to the run's ``events.jsonl``. Thread-safe.

        Lines that processes print are left out, they are in the job's log. A disk that is full
        costs the history, not the run: this never raises.
        """
        if isinstance(event, JobOutput):
            return
        line = event_to_json(event).encode() + b"\n"
        try:
            # One unbuffered write to a file opened for appending: lines of two writers never mix.
            with self._lock, (self.folder(run_id) / "events.jsonl").open("ab", buffering=0) as file:
                file.write(line)
        except OSError:
            return

    def load_events(self, run_id: str) -> tuple[Event, ...]:
        """The run's events in their order; torn and unknown lines are left out."""
        try:
            text = (self.folder(run_id) / "events.jsonl").read_text("utf-8", errors="replace")
        except OSError:
            return ()
        events = (event_from_json(line) for line in text.splitlines())
        return tuple(event for event in events if event is not None)

    def write_report(self, run_id: str, report: Report) -> None:
        """Write ``report.json`` and ``junit.xml`` of a finished run.

        Raises:
            MissingResourceError: they can't be written.
        """
        folder = self.folder(run_id)
        try:
            atomic_write(folder / "junit.xml", report_to_junit(report).encode())
            # Last, because a run with a report is a finished one.
            atomic_write(folder / "report.json", report_to_json(report).encode())
        except OSError as error:
            raise unwritable(folder, error) from error

    def read_report(self, run_id: str) -> str | None:
        """The text of the run's ``report.json``; None for a run that has not finished."""
        try:
            return (self.folder(run_id) / "report.json").read_text("utf-8", errors="replace")
        except OSError:
            return None

    def list_runs(self) -> tuple[str, ...]:
        """Ids of all runs, newest first; whatever else lies in the folder is left out."""
        try:
            names = [path.name for path in self._runs.iterdir() if path.is_dir()]
        except OSError:
            return ()
        return tuple(sorted((name for name in names if _RUN_ID.fullmatch(name)), reverse=True))

    def prune(
        self, *, max_runs: int, max_age_seconds: float, keep: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Remove the folders of old runs.

        Args:
            max_runs: so many of the newest stay.
            max_age_seconds: older ones go, however few there are.
            keep: ids that stay in any case.

        Returns:
            The ids of the removed runs.
        """
        oldest = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self._clock() - max_age_seconds))
        busy = {*keep, *RunRegistry(self._state_dir).alive()}
        removed = tuple(
            run_id
            for index, run_id in enumerate(self.list_runs())
            if (index >= max_runs or run_id < oldest) and run_id not in busy
        )
        for run_id in removed:
            shutil.rmtree(self.folder(run_id), ignore_errors=True)
        return removed


class StateStore:
    """The last success of every job, ``state/``.

    Args:
        state_dir: ``.wheelworks`` in the project.
    """

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._folder = state_dir / "state"
        self._durations = self._folder / "durations.json"
        self._lock = threading.Lock()

    def read(self, job_id: str) -> SuccessRecord | None:
        """The record of a job; None when there is none that can be read."""
        record = _read_record(self._path(job_id))
        return record if record is not None and record.job_id == job_id else None

    def all(self) -> tuple[SuccessRecord, ...]:
        """Every readable record, sorted by file name."""
        records = (_read_record(path) for path in sorted(self._folder.glob("*-????????.json")))
        return tuple(record for record in records if record is not None)

    def write(self, record: SuccessRecord) -> None:
        """Replace the job's record and remember how long it took. Thread-safe.

        Raises:
            MissingResourceError: the disk is full, the folder can't be written.
        """
        ensure_state_dir(self._state_dir)
        document = {"schema": RECORD_SCHEMA, "record": to_plain(record)}
        try:
            atomic_write(self._path(record.job_id), json.dumps(document).encode())
            with self._lock:
                self._add_duration(record.job_id, record.seconds)
        except OSError as error:
            raise unwritable(self._folder, error) from error

    def forget(self, job_id: str) -> None:
        """Remove the job's record, so that it is not up to date; its durations stay."""
        self._path(job_id).unlink(missing_ok=True)

    def estimates(self) -> dict[str, float]:
        """Job id -> seconds that it takes in all likelihood: the median of its last successes."""
        return {
            job_id: statistics.median(times) for job_id, times in self._read_durations().items()
        }

    def _path(self, job_id: str) -> Path:
        # The digest keeps ids apart that differ only in what a file name can't hold, or in case.
        digest = hashlib.sha256(job_id.encode()).hexdigest()[:8]
        return self._folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', job_id)[:100]}-{digest}.json"

    def _add_duration(self, job_id: str, seconds: float) -> None:
        durations = self._read_durations()
        durations[job_id] = [*durations.get(job_id, ()), seconds][-KEPT_DURATIONS:]
        # Another process may do the same at this moment; a lost duration only makes an estimate
        # worse.
        atomic_write(self._durations, json.dumps(durations).encode(), durable=False)

    def _read_durations(self) -> dict[str, list[float]]:
        document = _read_json(self._durations)
        if not isinstance(document, dict):
            return {}
        return {
            str(job_id): [float(seconds) for seconds in times]
            for job_id, times in document.items()
            if isinstance(times, list) and times and all(_is_number(seconds) for seconds in times)
        }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_json(path: Path) -> object:
    """What the file holds, or None."""
    try:
        value: object = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value


def _read_record(path: Path) -> SuccessRecord | None:
    document = _read_json(path)
    if not isinstance(document, dict) or document.get("schema") != RECORD_SCHEMA:
        return None
    fields = document.get("record")
    inputs = fields.get("inputs") if isinstance(fields, dict) else None
    if not isinstance(fields, dict) or not isinstance(inputs, dict):
        return None
    # Thousands of inputs are checked at once; field by field they would dominate an unchanged run.
    if not all(type(value) is str for value in inputs.values()):
        return None
    try:
        record = from_plain(SuccessRecord, {**fields, "inputs": {}}, names={"Mapping": Mapping})
    except ValueError:
        return None
    return replace(record, inputs=inputs)
