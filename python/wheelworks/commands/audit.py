"""``wheelworks audit WHEEL...``: findings for any wheel or sdist, ours or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.audit.check import check_wheel, is_refused
from wheelworks.audit.facts import read_wheel
from wheelworks.audit.render import render_findings, summarize_findings
from wheelworks.audit.rules import RULES, finding
from wheelworks.audit.sdist import check_sdist
from wheelworks.commands.context import directory_of
from wheelworks.config.load import load
from wheelworks.errors import (
    EXIT_AUDIT,
    EXIT_OK,
    NothingSelectedError,
    UsageError,
    WheelUnreadableError,
)

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from wheelworks.audit.model import Finding
    from wheelworks.commands.context import CommandContext

AUDIT_SCHEMA = 1
#: The rule that a wheel breaks when nothing of it can be read.
UNREADABLE_RULE = "W000"


def execute(args: argparse.Namespace, context: CommandContext) -> int:
    """Audit the named files, or everything in ``dist/``.

    Returns:
        5 when a finding of level error was made, else 0.

    Raises:
        UsageError: a file does not exist or is no wheel or sdist, or the rule is unknown.
        NothingSelectedError: no file was named and ``dist/`` holds none.
    """
    if args.explain is not None:
        return _explain(args.explain, context)
    audited = {path: audit_file(path) for path in _files(args, context)}
    if args.json:
        context.result_json(
            {
                "schema": AUDIT_SCHEMA,
                "files": [
                    {"file": str(path), "findings": list(findings)}
                    for path, findings in audited.items()
                ],
            }
        )
    else:
        for path, findings in audited.items():
            context.result("\n".join(_lines(path, findings)))
    refused = any(is_refused(findings) for findings in audited.values())
    return EXIT_AUDIT if refused else EXIT_OK


def audit_file(path: Path) -> tuple[Finding, ...]:
    """Findings of one wheel or sdist; a file that can't be read at all is one finding."""
    try:
        if path.name.endswith(".whl"):
            return check_wheel(read_wheel(path), None)
        return check_sdist(path)
    except WheelUnreadableError as error:
        return (
            finding(
                UNREADABLE_RULE,
                file=path.name,
                message=error.message,
                hint=error.hint or "build it again",
            ),
        )


def _files(args: argparse.Namespace, context: CommandContext) -> list[Path]:
    if args.files:
        paths = [directory_of(args) / name for name in args.files]
    else:
        dist = _dist_of(args, context)
        paths = sorted([*dist.glob("*.whl"), *dist.glob("*.tar.gz")])
        if not paths:
            raise NothingSelectedError(
                f"{dist} holds no wheel and no sdist",
                hint="run wheelworks build, or name the files",
            )
    for path in paths:
        if not path.is_file():
            raise UsageError(
                f"there is no file {path}", hint="name wheels (*.whl) or sdists (*.tar.gz)"
            )
        if not path.name.endswith((".whl", ".tar.gz")):
            raise UsageError(
                f"{path} is neither a wheel nor an sdist",
                hint="name wheels (*.whl) or sdists (*.tar.gz)",
            )
    return paths


def _dist_of(args: argparse.Namespace, context: CommandContext) -> Path:
    """The project's artifact folder."""
    return load(
        directory_of(args), flags={}, environ=context.environ, package=args.package
    ).settings.dist


def _lines(path: Path, findings: tuple[Finding, ...]) -> list[str]:
    verdict = "refused" if is_refused(findings) else "passes"
    return [
        f"{path.name}: {verdict}, {summarize_findings(findings)}",
        *(f"  {line}" for line in render_findings(findings)),
    ]


def _explain(rule_id: str, context: CommandContext) -> int:
    found = RULES.get(rule_id.upper())
    if found is None:
        raise UsageError(f"there is no rule {rule_id!r}", hint=f"rules: {', '.join(sorted(RULES))}")
    context.result(f"{found.id} ({found.level}): {found.title}\n\n{found.explanation}")
    return EXIT_OK
