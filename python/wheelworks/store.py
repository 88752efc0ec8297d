"""Runs and fingerprints on disk, below ``.wheelworks/``.

``runs/<id>/`` holds ``events.jsonl``, ``report.json``, ``junit.xml`` and one log per job; ``state/`` one file per job with
the last success. State files are whole-file replacements or append-only records; a torn record costs that
record, never the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """File name in ``dist/``."""
    artifact_sha256: str | None
    artifact_size: int | None
