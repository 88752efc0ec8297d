"""The report of a run as a value. Pure: outcomes and findings in, Report out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.audit.model import Finding
    from wheelworks.events import JobKind, Outcome

REPORT_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How one process of a job ended."""

    name: str
    command: str
    """Quoted for copying into a shell."""
    returncode: int | None
    """None when it was never started or was killed by its timeout."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCounts:
    """Numbers of a pytest run, from its JUnit file."""

    total: int
    failed: int
    errors: int
    skipped: int

    __test__ = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactInfo:
    """A file that a job left."""

    file_name: str
    size: int
    sha256: str
    is_published: bool = True
    """Whether it lies in ``dist/``; else it is a slice that is only merged into another wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A known failure that the log matches."""

    id: str
    cause: str
    cure: str
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """How one job ended."""

    job_id: str
    kind: JobKind
    cells: tuple[str, ...]
    outcome: Outcome
    reason: str | None
    """Always there for failed, unavailable, skipped, cancelled."""
    exit_code: int
    seconds: float
    artifact: ArtifactInfo | None = None
    findings: tuple[Finding, ...] = ()
    steps: tuple[StepResult, ...] = ()
    tests: TestCounts | None = None
    log: str | None = None
    repeat: str | None = None
    """The command that runs just this job again."""
    cure: str | None = None
    hints: tuple[Hint, ...] = ()
    is_emulated: bool = False
    """Whether its processes run under an emulator (QEMU, wine)."""
    toolchain: str | None = None
    """``host``, ``container``, ``emulated``, ``cibuildwheel``; of builds."""
    rust: str | None = None
    """What compiled: ``rustc 1.97.1``; None for jobs that compile nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run."""

    schema: int
    run_id: str
    version: str
    """Of wheelworks."""
    command: str
    started: float
    seconds: float
    project: str
    project_version: str
    source_digest: str | None
    tools: Mapping[str, str]
    """Tool -> version, of this machine: rustc, cargo, maturin, ziglang, uv. A wheel's compiler stands in its result."""
    results: tuple[JobResult, ...]
    cells: tuple[str, ...]
    """The selected cells."""
    exit_code: int
    notices: tuple[str, ...]
    other_sources: tuple[str, ...] = ()
    """Wheels in ``dist/`` that an earlier run built from another state of the sources."""
