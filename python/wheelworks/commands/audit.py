"""``wheelworks audit WHEEL...``: findings for any wheel or sdist, ours or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.audit.check import check_sdist, check_wheel
from wheelworks.audit.facts import read_sdist, read_wheel
from wheelworks.audit.model import Level
from wheelworks.audit.render import finding_lines
from wheelworks.audit.rules import RULES
from wheelworks.commands.context import directory_of
from wheelworks.dataclass_json import to_plain
from wheelworks.errors import EXIT_AUDIT, EXIT_OK, AuditRefusedError, NothingSelectedError, UsageError

if TYPE_CHECKING:
    import argparse

    from wheelworks.audit.model import Finding
    from wheelworks.commands.context import CommandContext

AUDIT_SCHEMA = 1


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
    audited = {path: audit_file(path) for path in _files(args)}
    if args.json:
        context.result_json(
            {
                "schema": AUDIT_SCHEMA,
                "files": [
                    {"file": str(path), "findings": [to_plain(finding) for finding in findings]}
                    for path, findings in audited.items()
                ],
            }
        )
    else:
        for path, findings in audited.items():
            context.result("\n".join(_lines(path, findings)))
    refused = any(finding.level is Level.ERROR for findings in audited.values() for finding in findings)
    return EXIT_AUDIT if refused else EXIT_OK


def audit_file(path: Path) -> tuple[Finding, ...]:
    """Findings of one wheel or sdist; a file that can't be read at all is one finding."""
    try:
        if path.name.endswith(".whl"):
            return check_wheel(read_wheel(path), None)
        return check_sdist(read_sdist(path))
    except AuditRefusedError as error:
        return (error.finding,)


def _files(args: argparse.Namespace) -> list[Path]:
    if args.files:
        paths = [directory_of(args) / name for name in args.files]
    else:
        dist = directory_of(args) / "dist"
        paths = sorted([*dist.glob("*.whl"), *dist.glob("*.tar.gz")])
        if not paths:
            raise NothingSelectedError(
                f"{dist} holds no wheel and no sdist", hint="run wheelworks build, or name the files"
            )
    for path in paths:
        if not path.is_file():
            raise UsageError(f"there is no file {path}", hint="name wheels (*.whl) or sdists (*.tar.gz)")
        if not path.name.endswith((".whl", ".tar.gz")):
            raise UsageError(f"{path} is neither a wheel nor an sdist", hint="name wheels (*.whl) or sdists (*.tar.gz)")
    return paths


def _lines(path: Path, findings: tuple[Finding, ...]) -> list[str]:
    refused = any(finding.level is Level.ERROR for finding in findings)
    verdict = "refused" if refused else "passes"
    count = f", {len(findings)} finding{'s' if len(findings) != 1 else ''}" if findings else ""
    return [f"{path.name}: {verdict}{count}", *(f"  {line}" for line in finding_lines(findings))]


def _explain(rule: str, context: CommandContext) -> int:
    known = {one.id: one for one in RULES}
    if rule.upper() not in known:
        raise UsageError(f"there is no rule {rule!r}", hint=f"rules: {', '.join(sorted(known))}")
    found = known[rule.upper()]
    context.result(f"{found.id} ({found.level}): {found.title}\n\n{found.explanation}")
    return EXIT_OK
