"""Events of a run: the contract between running and showing.

Frozen values, in the order in which things happen; ``schema`` numbers the JSON form.
A leaf: imports nothing of wheelworks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT_SCHEMA = 1


class Outcome(StrEnum):
    """How a job ended. The last four carry a reason."""

    SUCCEEDED = "succeeded"
    UP_TO_DATE = "up to date"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


JobKind = Literal["sdist", "build", "test"]
Phase = Literal[
    "waiting",
    "preparing",
    "fetching",
    "compiling",
    "packing",
    "auditing",
    "publishing",
    "installing",
    "testing",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The plan is made, nothing has been started yet."""

    run_id: str
    time: float
    """Seconds since the epoch."""
    jobs: tuple[JobSummary, ...]
    log_dir: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """What a display needs to know of a planned job."""

    job_id: str
    kind: JobKind
    title: str
    cells: tuple[str, ...]
    estimate_seconds: float | None
    """From earlier runs; None when there was none."""
    is_emulated: bool = False
    """Whether its processes run under an emulator (QEMU, wine)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """A job began to run."""

    job_id: str
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPhase:
    """A job entered a phase."""

    job_id: str
    time: float
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a phase is: crates compiled, tests run."""

    job_id: str
    time: float
    done: int
    total: int | None
    current: str
    """The crate being compiled, the test file being run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutput:
    """One line that a job's process printed (secrets masked)."""

    job_id: str
    time: float
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished:
    """A job ended (also one that never started: up to date, unavailable, skipped, cancelled)."""

    job_id: str
    time: float
    outcome: Outcome
    reason: str | None
    seconds: float
    exit_code: int
    """What it adds to the run's exit code: 0, 1, 4, 5, 70."""
    artifact: str | None
    """File name in ``dist/``."""
    log: str | None
    """Path of the job's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNotice:
    """Something the user should know that belongs to no job (a lock that is waited for, an interrupt)."""

    time: float
    level: Literal["info", "warning"]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """Everything is done or given up."""

    run_id: str
    time: float
    exit_code: int


Event: TypeAlias = (
    RunStarted
    | JobStarted
    | JobPhase
    | JobProgress
    | JobOutput
    | JobFinished
    | RunNotice
    | RunFinished
)
EventSink: TypeAlias = "Callable[[Event], None]"
