"""The steps of a test job, run for real on a flat project such as watchfiles.

Needs uv and a package index for pytest.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from wheelworks.plan import TestPlan
from wheelworks.process import ProcessRunner, child_environment
from wheelworks.report.model import TestCounts
from wheelworks.test_steps import test_steps
from wheelworks.wheeltest import prepare, read_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.plan import Step
    from wheelworks.process import CommandResult
    from wheelworks.wheeltest import TestRecord

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
]

PACKAGE = "flat_package"
SOURCES = {
    f"{PACKAGE}/__init__.py": "ORIGIN = 'sources'\n",
    "pyproject.toml": '[project]\nname = "flat-package"\nversion = "1.0"\n',
    "tests/__init__.py": "",
    "tests/test_origin.py": f"""
import pytest
from {PACKAGE} import ORIGIN

def test_the_wheel_is_tested():
    assert ORIGIN == "wheel"

@pytest.mark.skip
def test_skipped():
    pass
""",
}


def _project(root: Path) -> tuple[str, ...]:
    """A flat project: tests are a package, so pytest puts the project's folder on sys.path."""
    for name, text in SOURCES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tuple(SOURCES)


def _wheel(folder: Path) -> Path:
    """The project's wheel, in which the package says that it is the wheel."""
    info = "flat_package-1.0.dist-info"
    members = {
        f"{PACKAGE}/__init__.py": "ORIGIN = 'wheel'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: flat-package\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = []
    for name, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record.append(f"{name},sha256={digest.decode().rstrip('=')},{len(text.encode())}")
    members[f"{info}/RECORD"] = "\n".join((*record, f"{info}/RECORD,,")) + "\n"
    path = folder / "flat_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def _run(steps: Sequence[Step], scratch: Path, wheel: Path) -> list[tuple[str, CommandResult]]:
    """Run the steps until one fails, as the executor does."""
    values = {"{scratch}": str(scratch), "{wheel}": str(wheel)}

    def fill(text: str) -> str:
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    results = []
    for step in steps:
        environment = child_environment(
            os.environ,
            set_={name: fill(value) for name, value in step.env.items()},
            unset=step.unset,
        )
        path = (*map(fill, step.path_prepend), environment.get("PATH", ""))
        environment["PATH"] = os.pathsep.join(path)
        result = ProcessRunner().run(
            [fill(word) for word in step.argv],
            env=environment,
            cwd=Path(fill(step.cwd)),
            timeout_seconds=step.timeout_seconds,
        )
        results.append((step.name, result))
        if not result.ok:
            break
    return results


def _test_job(
    tmp_path: Path, *, package_dirs: tuple[str, ...], command: str = "pytest {project}/tests"
) -> tuple[list[tuple[str, CommandResult]], TestRecord]:
    files = _project(tmp_path / "sources")
    scratch = tmp_path / "scratch"
    plan = TestPlan(
        sources=None,
        package_dirs=package_dirs,
        guarded_names=(PACKAGE,),
        interpreter=sys.executable,
        interpreter_spec="",
    )
    prepare(scratch, plan, source_root=tmp_path / "sources", files=files)
    steps = test_steps(
        system="windows" if sys.platform == "win32" else "linux",
        uv=find_uv_bin(),
        interpreter=sys.executable,
        requirements=("pytest",),
        extras=(),
        import_names=(PACKAGE,),
        commands=(command,),
        environment={},
        environment_pass=(),
        timeout_seconds=300.0,
        project_folder=".",
    )
    return _run(steps, scratch, _wheel(tmp_path)), read_record(scratch)


def test_a_flat_project_tests_its_wheel(tmp_path: Path) -> None:
    """Because the package stays behind, its tests can only import the installed one."""
    results, record = _test_job(tmp_path, package_dirs=(PACKAGE,))
    assert [(name, result.tail) for name, result in results if not result.ok] == []
    assert [name for name, _ in results] == ["environment", "install", "check import", "test"]
    assert record.counts == TestCounts(total=2, failed=0, errors=0, skipped=1)
    assert (record.violations, record.warnings) == ((), ())


def test_a_flat_project_whose_package_came_along_is_refused(tmp_path: Path) -> None:
    """The guard sees the copy that pytest put first on sys.path, and names it."""
    results, record = _test_job(tmp_path, package_dirs=())
    name, result = results[-1]
    assert (name, result.returncode) == ("test", 1)
    copy = tmp_path / "scratch/project" / PACKAGE / "__init__.py"
    assert record.violations == (f"{PACKAGE} was imported from {copy}",)
    assert any("wheelworks guard: not the installed wheel" in line for line in result.tail)


def test_another_test_program_leaves_no_counts(tmp_path: Path) -> None:
    """The environment's own Python comes first on PATH, and no pytest means no record."""
    command = f"python -c 'import {PACKAGE} as p; assert p.ORIGIN == \"wheel\"'"
    results, record = _test_job(tmp_path, package_dirs=(PACKAGE,), command=command)
    assert results[-1][1].ok, results[-1][1].tail
    assert record.counts is None
