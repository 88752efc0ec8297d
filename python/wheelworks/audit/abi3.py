"""Runs abi3audit on a wheel.

Takes the door to processes and the tool's place, gives findings. Starts one process; reading its
report is the work of ``rules_abi3``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.audit.rules_abi3 import (
    abi3_findings,
    check_unjudged_abi,
    needs_abi3audit,
    unjudged,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelworks.audit.model import Finding, WheelFacts
    from wheelworks.process import Cancellation, CommandResult, Runner

_TIMEOUT_SECONDS = 300.0


def audit_stable_abi(
    facts: WheelFacts,
    *,
    runner: Runner,
    program: str,
    env: Mapping[str, str],
    log: Path | None = None,
    cancellation: Cancellation | None = None,
    folder: Path,
) -> tuple[Finding, ...]:
    """What abi3audit says of a wheel; nothing when no tag promises the stable ABI.

    Args:
        facts: the wheel's; its path is read again by the tool.
        runner: the door to processes.
        program: path of abi3audit.
        env: the whole environment of the child.
        log: file that the tool's output is appended to.
        cancellation: stops the tool.
        folder: working folder of the tool; nothing is written there.
    """
    findings = tuple(check_unjudged_abi(facts))
    if not needs_abi3audit(facts):
        return findings
    result = runner.run(
        [program, "--strict", "--report", facts.path],
        env=env,
        cwd=folder,
        timeout_seconds=_TIMEOUT_SECONDS,
        log=log,
        cancellation=cancellation,
        capture_stdout=True,
    )
    reason = _failure(result)
    if reason is not None:
        return (*findings, unjudged(facts, reason))
    return (*findings, *abi3_findings(result.stdout, facts))


def _failure(result: CommandResult) -> str | None:
    """Why there is no report; None when there is one. Code 1 with a report means findings."""
    if result.start_error is not None:
        return result.start_error
    if result.timed_out:
        return f"it ran longer than {_TIMEOUT_SECONDS:.0f} s"
    if result.cancelled:
        return "it was stopped"
    if not result.stdout.strip():
        last = result.tail[-1] if result.tail else "it printed nothing"
        return f"code {result.returncode}, {last.strip()}"
    return None
