"""A sample run as events and as results, for the tests of displays and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.audit.model import Finding, Level
from wheelworks.events import (
    JobFinished,
    JobOutput,
    JobPhase,
    JobProgress,
    JobStarted,
    JobSummary,
    Outcome,
    RunNotice,
    RunStarted,
)
from wheelworks.report.build import RunFacts
from wheelworks.report.model import ArtifactInfo, Hint, JobResult, StepResult, TestCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks.events import Event, JobKind

START = 1000.0
PLATFORMS = ("manylinux_x86_64", "manylinux_aarch64", "macosx_universal2", "win_amd64")
CELLS = tuple(f"cp3{minor}-{platform}" for platform in PLATFORMS for minor in (12, 13, 14))
NO_SDK = "no macOS SDK on this machine"
NO_STD = "rustc has no standard library for x86_64-pc-windows-gnu"


def summary(job_id: str, cell: str | None, kind: JobKind = "build") -> JobSummary:
    """A planned job that took half a minute in an earlier run."""
    cells = (cell,) if cell else ()
    return JobSummary(job_id=job_id, kind=kind, title=job_id, cells=cells, estimate_seconds=30.0)


def finished(
    job_id: str,
    outcome: Outcome,
    *,
    time: float = START,
    reason: str | None = None,
    seconds: float = 0.0,
    artifact: str | None = None,
) -> JobFinished:
    """The end of a job."""
    return JobFinished(
        job_id=job_id,
        time=time,
        outcome=outcome,
        reason=reason,
        seconds=seconds,
        exit_code=1 if outcome is Outcome.FAILED else 0,
        artifact=artifact,
        log=f".wheelworks/runs/r1/{job_id.replace(' ', '-')}.log",
    )


def run_events() -> Iterator[Event]:
    """Twelve cells and an sdist: three jobs run, one has failed, six are unavailable."""
    jobs = [summary("sdist", None, "sdist"), *(summary(f"build {cell}", cell) for cell in CELLS)]
    yield RunStarted(run_id="r1", time=START, jobs=tuple(jobs), log_dir=".wheelworks/runs/r1")
    for cell in CELLS[6:]:
        reason = NO_STD if cell.endswith("win_amd64") else NO_SDK
        yield finished(f"build {cell}", Outcome.UNAVAILABLE, reason=reason)
    yield JobStarted(job_id="sdist", time=START)
    yield finished(
        "sdist", Outcome.SUCCEEDED, time=START + 1, seconds=1.0, artifact="demo-1.0.tar.gz"
    )
    for number, cell in enumerate(CELLS[:4]):
        yield from _compiling(f"build {cell}", START + 1 + number, number)
    yield finished(
        f"build {CELLS[0]}",
        Outcome.FAILED,
        time=START + 30,
        reason="compile ended with exit code 101",
        seconds=29.0,
    )
    yield RunNotice(
        time=START + 31, level="warning", message="waiting for the lock held by process 4711"
    )


def _compiling(job_id: str, time: float, number: int) -> Iterator[Event]:
    yield JobStarted(job_id=job_id, time=time)
    yield JobPhase(job_id=job_id, time=time, phase="compiling")
    for crate in range(7):
        line = f"   Compiling \x1b[32mcrate{crate}\x1b[0m v0.{crate}"
        yield JobOutput(job_id=job_id, time=time + 1, line=line)
    yield JobProgress(
        job_id=job_id,
        time=time + 1,
        done=10 * number + 1,
        total=80,
        current="serde_derive v1.0.219",
    )


def result(
    cell: str | None,
    outcome: Outcome,
    *,
    kind: JobKind = "build",
    reason: str | None = None,
    cure: str | None = None,
    exit_code: int | None = None,
    findings: tuple[Finding, ...] = (),
    tests: TestCounts | None = None,
    hints: tuple[Hint, ...] = (),
) -> JobResult:
    """The result of one job; a success has an artifact, a failure a log and a command."""
    is_done = outcome in (Outcome.SUCCEEDED, Outcome.UP_TO_DATE)
    has_failed = outcome is Outcome.FAILED
    default_exit = 1 if has_failed else 0
    job_id = f"{kind} {cell}" if cell else kind
    return JobResult(
        job_id=job_id,
        kind=kind,
        cells=(cell,) if cell else (),
        outcome=outcome,
        reason=reason,
        exit_code=default_exit if exit_code is None else exit_code,
        seconds=29.4 if outcome in (Outcome.SUCCEEDED, Outcome.FAILED) else 0.0,
        artifact=artifact(cell) if is_done and kind != "test" else None,
        findings=findings,
        steps=(StepResult(name="compile", command="maturin build", returncode=0, seconds=29.0),)
        if outcome is Outcome.SUCCEEDED
        else (),
        tests=tests,
        log=f".wheelworks/runs/r1/{job_id.replace(' ', '-')}.log" if has_failed else None,
        repeat=f"wheelworks build {cell}" if has_failed else None,
        cure=cure,
        hints=hints,
    )


def artifact(cell: str | None) -> ArtifactInfo:
    """The file of a cell, or the sdist."""
    name = f"demo-1.0-{cell}.whl" if cell else "demo-1.0.tar.gz"
    return ArtifactInfo(file_name=name, size=391_204, sha256="ab" * 32)


def finding(level: Level, message: str = "GLIBC_2.34 is newer than 2.17") -> Finding:
    """A remark of the audit."""
    return Finding(
        rule="W010",
        level=level,
        file="demo/_native.so",
        symbol="pthread_create",
        message=message,
        hint="link with zig",
    )


def facts(cells: tuple[str, ...], **changes: object) -> RunFacts:
    """What is known of the sample run."""
    values: dict[str, object] = {
        "run_id": "r1",
        "version": "0.1.0",
        "command": "wheelworks build",
        "started": START,
        "finished": START + 95.5,
        "project": "demo",
        "project_version": "1.0",
        "source_digest": "cd" * 32,
        "tools": {"rustc": "1.95.0", "maturin": "1.16.0"},
        "cells": cells,
    }
    return RunFacts(**{**values, **changes})  # type: ignore[arg-type]


def mixed_results() -> tuple[JobResult, ...]:
    """One job of every outcome, with everything that a result can carry."""
    hint = Hint(
        id="linker-missing",
        cause="the linker that the target names is not installed",
        cure="install it",
        reference="doc.rust-lang.org/cargo",
    )
    return (
        result(None, Outcome.SUCCEEDED, kind="sdist"),
        result(CELLS[0], Outcome.SUCCEEDED, findings=(finding(Level.WARNING, "not stripped"),)),
        result(CELLS[1], Outcome.UP_TO_DATE, reason="nothing changed since the run r0"),
        result(CELLS[2], Outcome.FAILED, reason="compile ended with exit code 101", hints=(hint,)),
        result(
            CELLS[3],
            Outcome.FAILED,
            reason="the audit refused the wheel",
            exit_code=5,
            findings=(finding(Level.ERROR),),
        ),
        result(CELLS[4], Outcome.CANCELLED, reason="the run was interrupted"),
        *(
            result(cell, Outcome.UNAVAILABLE, reason=NO_SDK, cure="set SDKROOT")
            for cell in CELLS[6:9]
        ),
        *(result(cell, Outcome.UNAVAILABLE, reason=NO_STD) for cell in CELLS[9:]),
        result(
            CELLS[0],
            Outcome.SUCCEEDED,
            kind="test",
            tests=TestCounts(total=133, failed=0, errors=0, skipped=1),
        ),
        result(CELLS[2], Outcome.SKIPPED, kind="test", reason="its wheel could not be built"),
    )
