"""Prepares the folders of a test job and reads what its tests left.

Takes the job's scratch folder and the fingerprinted files; touches only the scratch folder (writes)
and the source tree (reads). The processes in between are the plan's steps; knows nothing of them.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from wheelworks import import_check
from wheelworks.errors import ConfigurationError, JobFailedError
from wheelworks.report.model import TestCounts
from wheelworks.test_steps import GUARD_FILE, HOME_FOLDER, IMPORT_CHECK_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.plan import TestPlan

PROJECT_FOLDER = "project"
GUARD_FOLDER = "guard"
RESULT_PATTERN = "tests-*.json"
COMPILED = (".pyc", ".pyo")
CONFIGURATION_FILES = (
    "pyproject.toml",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    "tox.ini",
    "setup.cfg",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRecord:
    """What the guard wrote during a test job."""

    counts: TestCounts | None
    """None when no pytest ran (a command of another kind)."""
    failed: tuple[str, ...]
    """pytest's ids of the tests that failed or had errors."""
    violations: tuple[str, ...]
    """Modules that did not come from the environment under test, each with the place it came
    from."""
    warnings: tuple[str, ...]

    __test__ = False


def prepare(
    scratch: Path,
    test: TestPlan,
    *,
    source_root: Path,
    files: Iterable[str],
    project_folder: str = ".",
) -> None:
    """Fill a job's scratch folder: the test sources away from the package, the guard, a folder for HOME.

    Args:
        scratch: the job's fresh folder.
        test: what to copy and what to keep away.
        source_root: the folder that paths are relative to.
        files: fingerprinted paths of the tree, with ``/``.
        project_folder: the project's folder within the tree; ``test.sources`` is relative to it.

    Raises:
        ConfigurationError: a pattern of ``test.sources`` matches nothing.
        JobFailedError: a file vanished meanwhile.
    """
    chosen = select_sources(files, test, project_folder=project_folder)
    target = scratch / PROJECT_FOLDER
    (target / project_folder).mkdir(parents=True, exist_ok=True)
    package_dirs = tuple((source_root / folder).resolve() for folder in test.package_dirs)
    for path in chosen:
        _copy(source_root / path, target / path, package_dirs)
    guard = scratch / GUARD_FOLDER
    guard.mkdir(exist_ok=True)
    (scratch / HOME_FOLDER).mkdir(exist_ok=True)
    # Found by path and not imported: pytest is no dependency of ours.
    package = Path(import_check.__file__).parent
    shutil.copyfile(package / "pytest_guard.py", guard / GUARD_FILE)
    shutil.copyfile(package / "import_check.py", guard / IMPORT_CHECK_FILE)


def select_sources(
    files: Iterable[str], test: TestPlan, *, project_folder: str = "."
) -> tuple[str, ...]:
    """The files that tests may see: all, or those of ``test.sources``, never the package's own.

    pytest's configuration files come along in any case: without one of their own the tests would take
    the settings of the project that the scratch folder lies in.

    Raises:
        ConfigurationError: a pattern matches nothing.
    """
    kept = tuple(path for path in files if not _is_package(path, test.package_dirs))
    if test.sources is None:
        return kept
    configured = {(PurePosixPath(project_folder) / name).as_posix() for name in CONFIGURATION_FILES}
    chosen: dict[str, None] = dict.fromkeys(path for path in kept if path in configured)
    for pattern in test.sources:
        anchored = (PurePosixPath(project_folder) / pattern).as_posix()
        matching = tuple(path for path in kept if _matches(path, anchored))
        if not matching:
            raise ConfigurationError(
                f"test.sources pattern {pattern!r} matches no file outside the package",
                hint="name files or folders relative to the project; ignored ones are not copied",
            )
        chosen.update(dict.fromkeys(matching))
    return tuple(path for path in kept if path in chosen)


def read_record(scratch: Path) -> TestRecord:
    """What the guard recorded in a job's scratch folder, over all pytest sessions.

    A missing or torn file counts as no record.
    """
    sessions = [
        session for file in sorted(scratch.glob(RESULT_PATTERN)) for session in _sessions(file)
    ]
    counts = [_numbers(session.get("counts")) for session in sessions]
    return TestRecord(
        counts=TestCounts(
            total=sum(one.get("total", 0) for one in counts),
            failed=sum(one.get("failed", 0) for one in counts),
            errors=sum(one.get("errors", 0) for one in counts),
            skipped=sum(one.get("skipped", 0) for one in counts),
        )
        if sessions
        else None,
        failed=tuple(node for session in sessions for node in _texts(session.get("failed"))),
        violations=tuple(_violations(sessions)),
        warnings=tuple(line for session in sessions for line in _texts(session.get("warnings"))),
    )


def _is_package(path: str, package_dirs: tuple[str, ...]) -> bool:
    if path.endswith(COMPILED):
        return True
    return any(path == folder or path.startswith(f"{folder}/") for folder in package_dirs)


def _matches(path: str, pattern: str) -> bool:
    """Whether the pattern names the file or a folder above it."""
    parts = PurePosixPath(path).parts
    return any(fnmatchcase("/".join(parts[:count]), pattern) for count in range(1, len(parts) + 1))


def _copy(source: Path, target: Path, package_dirs: tuple[Path, ...]) -> None:
    """Copy one file; a link is followed, unless it leads into the package."""
    try:
        resolved = source.resolve(strict=True)
        if any(resolved.is_relative_to(folder) for folder in package_dirs):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if resolved.is_dir():
            # A link to a folder around itself would be copied without end.
            if not source.parent.resolve().is_relative_to(resolved):
                ignore = _Ignore(package_dirs)
                shutil.copytree(resolved, target, symlinks=True, ignore=ignore)
        else:
            shutil.copy2(resolved, target)
    except FileNotFoundError as error:
        if source.is_symlink():
            # A dangling link is as useless to the tests as it is in the tree.
            return
        raise JobFailedError(
            f"{source} vanished while the test sources were copied", hint="run again"
        ) from error


@dataclass(frozen=True, slots=True)
class _Ignore:
    """For copytree: the names in a folder that belong to the package."""

    package_dirs: tuple[Path, ...]

    def __call__(self, folder: str, names: list[str]) -> set[str]:
        return {name for name in names if Path(folder, name).resolve() in self.package_dirs}


def _sessions(file: Path) -> list[dict[str, object]]:
    try:
        document = json.loads(file.read_bytes())
        sessions = document["sessions"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    if not isinstance(sessions, list):
        return []
    return [session for session in sessions if isinstance(session, dict)]


def _numbers(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    return {str(name): number for name, number in value.items() if isinstance(number, int)}


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _violations(sessions: list[dict[str, object]]) -> Iterable[str]:
    for session in sessions:
        strangers = session.get("violations")
        for one in strangers if isinstance(strangers, list) else []:
            if isinstance(one, dict):
                yield f"{one.get('module')} was imported from {one.get('file')}"
