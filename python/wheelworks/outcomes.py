"""Exceptions and unstarted jobs -> results: the one spot where a job's trouble becomes a value.

Takes a Job and what happened to it, gives a JobResult. Pure, but for the traceback of a bug that it
logs.
"""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING, Final

from wheelworks.errors import (
    EXIT_BUG,
    EXIT_MISSING,
    EXIT_OK,
    InterruptedRunError,
    TerminatedRunError,
    WheelworksError,
)
from wheelworks.events import JobFinished, Outcome
from wheelworks.report.model import JobResult

if TYPE_CHECKING:
    from wheelworks.plan import Job

_logger = logging.getLogger("wheelworks")

#: What the machine lacks, rather than what we did wrong.
_RESOURCE_ERRORS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
    | {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)


def unstarted(job: Job, outcome: Outcome, reason: str) -> JobResult:
    """The result of a job that was never started; it adds nothing to the exit code."""
    return _result(job, outcome, reason, EXIT_OK, 0.0)


def result_of_error(job: Job, error: BaseException, seconds: float) -> JobResult:
    """The result of a job that an exception ended.

    Args:
        job: the job.
        error: what was raised; an interrupt cancels, a WheelworksError keeps its exit code, a full
            or forbidden disk is a missing resource (4), anything else is a bug of ours (70).
        seconds: how long the job ran.
    """
    if isinstance(error, InterruptedRunError | TerminatedRunError | KeyboardInterrupt):
        return _result(job, Outcome.CANCELLED, str(error) or "interrupted", EXIT_OK, seconds)
    if isinstance(error, WheelworksError):
        return JobResult(
            job_id=job.id,
            kind=job.kind,
            cells=job.cells,
            outcome=Outcome.FAILED,
            reason=error.message,
            exit_code=error.exit_code,
            seconds=seconds,
            log=None if error.log is None else str(error.log),
            cure=error.hint,
        )
    if isinstance(error, OSError) and error.errno in _RESOURCE_ERRORS:
        where = f": {error.filename}" if error.filename else ""
        reason = f"{error.strerror}{where}"
        return _result(job, Outcome.FAILED, reason, EXIT_MISSING, seconds)
    _logger.error("BUG: %s raised", job.id, exc_info=error)
    reason = f"a bug of wheelworks: {type(error).__name__}: {error}"
    return _result(job, Outcome.FAILED, reason, EXIT_BUG, seconds)


def finished_event(result: JobResult, *, time: float) -> JobFinished:
    """What the display is told of a result.

    Args:
        result: how the job ended.
        time: seconds since the epoch.
    """
    return JobFinished(
        job_id=result.job_id,
        time=time,
        outcome=result.outcome,
        reason=result.reason,
        seconds=result.seconds,
        exit_code=result.exit_code,
        artifact=None if result.artifact is None else result.artifact.file_name,
        log=result.log,
    )


def _result(job: Job, outcome: Outcome, reason: str, exit_code: int, seconds: float) -> JobResult:
    return JobResult(
        job_id=job.id,
        kind=job.kind,
        cells=job.cells,
        outcome=outcome,
        reason=reason,
        exit_code=exit_code,
        seconds=seconds,
    )
