"""Tests of a test job's folders and records."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from wheelworks.errors import ConfigurationError, JobFailedError
from wheelworks.plan import TestPlan
from wheelworks.report.model import TestCounts
from wheelworks.wheeltest import prepare, read_record, select_sources

if TYPE_CHECKING:
    from pathlib import Path

FLAT = (
    "pyproject.toml",
    "watchfiles/__init__.py",
    "watchfiles/_rust_notify.pyi",
    "tests/conftest.py",
    "tests/test_watch.py",
    "tests/data/a.txt",
    "tests/__pycache__/conftest.cpython-313.pyc",
    "watchfiles_extra.py",
)


def _plan(*package_dirs: str, sources: tuple[str, ...] | None = None) -> TestPlan:
    return TestPlan(
        sources=sources,
        package_dirs=package_dirs,
        guarded_names=("watchfiles",),
        interpreter="/usr/bin/python3",
        interpreter_spec="3.13",
    )


def _tree(root: Path, *files: str) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_everything_but_the_package_is_copied(tmp_path: Path) -> None:
    """A flat package beside its tests stays behind; a file that only begins like it does not."""
    scratch = tmp_path / "scratch"
    prepare(scratch, _plan("watchfiles"), source_root=_tree(tmp_path / "src", *FLAT), files=FLAT)
    assert _files(scratch / "project") == {
        "pyproject.toml",
        "tests/conftest.py",
        "tests/test_watch.py",
        "tests/data/a.txt",
        "watchfiles_extra.py",
    }
    assert _files(scratch / "guard") == {"wheelworks_pytest_guard.py", "import_check.py"}
    # HOME of containers, whose user has none.
    assert list((scratch / "home").iterdir()) == []


def test_tests_inside_the_package_are_not_copied(tmp_path: Path) -> None:
    """They are in the wheel, and ``--pyargs`` finds them there; the folder to run in exists."""
    files = ("demo/__init__.py", "demo/tests/test_a.py")
    scratch = tmp_path / "scratch"
    prepare(scratch, _plan("demo"), source_root=_tree(tmp_path / "src", *files), files=files)
    assert _files(scratch / "project") == set()
    assert (scratch / "project").is_dir()


def test_a_single_module_is_kept_away(tmp_path: Path) -> None:
    """A package can be one file."""
    assert select_sources(("demo.py", "demo_test.py"), _plan("demo.py")) == ("demo_test.py",)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            ("tests",),
            ("pyproject.toml", "tests/conftest.py", "tests/test_watch.py", "tests/data/a.txt"),
        ),
        (("tests/*.py",), ("pyproject.toml", "tests/conftest.py", "tests/test_watch.py")),
        (("pyproject.toml", "tests/data"), ("pyproject.toml", "tests/data/a.txt")),
        (("./tests/data/",), ("pyproject.toml", "tests/data/a.txt")),
    ],
)
def test_sources_choose_files_and_folders(
    sources: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """In the tree's order, whatever the patterns' order, and never without pytest's configuration."""
    assert select_sources(FLAT, _plan("watchfiles", sources=sources)) == expected


@pytest.mark.parametrize("pattern", ["test", "watchfiles", "nothing/*"])
def test_a_pattern_without_files_is_an_error(pattern: str) -> None:
    """Also one that names nothing but the package."""
    with pytest.raises(ConfigurationError, match=re.escape(f"'{pattern}' matches no file")):
        select_sources(FLAT, _plan("watchfiles", sources=(pattern,)))


def test_sources_are_relative_to_the_projects_folder() -> None:
    """The tree's root may lie above the project."""
    files = ("tests/a.py", "packages/core/tests/b.py", "packages/core/core/__init__.py")
    plan = _plan("packages/core/core", sources=("tests", "../../tests"))
    with pytest.raises(ConfigurationError, match=r"'\.\./\.\./tests'"):
        select_sources(files, plan, project_folder="packages/core")
    plan = _plan("packages/core/core", sources=("tests",))
    chosen = select_sources(files, plan, project_folder="packages/core")
    assert chosen == ("packages/core/tests/b.py",)


def test_links_are_followed_but_not_into_the_package(tmp_path: Path) -> None:
    """A link beside the tests must not bring the package back."""
    source = _tree(tmp_path / "src", "demo/__init__.py", "demo/data.txt", "shared/a.txt")
    (source / "tests").mkdir()
    (source / "tests/data.txt").symlink_to("../shared/a.txt")
    (source / "tests/demo").symlink_to("../demo")
    (source / "tests/inner.txt").symlink_to("../demo/data.txt")
    (source / "tests/shared").symlink_to("../shared")
    (source / "tests/gone").symlink_to("nowhere")
    (source / "all").symlink_to(".")
    files = tuple(f"tests/{name}" for name in ("data.txt", "demo", "inner.txt", "shared", "gone"))
    files = (*files, "all")
    prepare(tmp_path / "scratch", _plan("demo"), source_root=source, files=files)
    assert _files(tmp_path / "scratch/project") == {"tests/data.txt", "tests/shared/a.txt"}
    assert not (tmp_path / "scratch/project/tests/data.txt").is_symlink()


def test_a_linked_folder_around_the_package_leaves_it_out(tmp_path: Path) -> None:
    """Such a link is copied without the package in it."""
    source = _tree(tmp_path / "src", "lib/demo/__init__.py", "lib/other.py")
    (source / "tests").mkdir()
    (source / "tests/lib").symlink_to("../lib")
    prepare(tmp_path / "scratch", _plan("lib/demo"), source_root=source, files=("tests/lib",))
    assert _files(tmp_path / "scratch/project") == {"tests/lib/other.py"}


def test_a_file_that_vanished_fails_the_job(tmp_path: Path) -> None:
    """The sources changed while the run went on."""
    with pytest.raises(JobFailedError, match="vanished"):
        prepare(tmp_path / "scratch", _plan(), source_root=tmp_path, files=("tests/a.py",))


def _session(**values: object) -> dict[str, object]:
    counts = {"total": 4, "passed": 1, "failed": 1, "errors": 1, "skipped": 1}
    return {
        "exit_status": 1,
        "counts": counts,
        "failed": ["t.py::a"],
        "violations": [],
        "warnings": [],
        **values,
    }


def _write(folder: Path, name: str, *sessions: object) -> None:
    (folder / name).write_text(json.dumps({"schema": 1, "sessions": list(sessions)}))


def test_counts_are_summed_over_commands_and_sessions(tmp_path: Path) -> None:
    """Each command has a file, each pytest in it a session."""
    _write(tmp_path, "tests-1.json", _session(), _session(failed=[]))
    _write(tmp_path, "tests-2.json", _session(failed=["u.py::b"], warnings=["nothing imported"]))
    record = read_record(tmp_path)
    assert record.counts == TestCounts(total=12, failed=3, errors=3, skipped=3)
    assert record.failed == ("t.py::a", "u.py::b")
    assert record.warnings == ("nothing imported",)
    assert record.violations == ()


def test_violations_name_module_and_place(tmp_path: Path) -> None:
    """As a line for people."""
    _write(tmp_path, "tests-1.json", _session(violations=[{"module": "demo", "file": "/src/demo"}]))
    assert read_record(tmp_path).violations == ("demo was imported from /src/demo",)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sessions": 3}', '{"sessions": [3]}'])
def test_without_a_readable_record_there_are_no_counts(tmp_path: Path, text: str) -> None:
    """A command without pytest leaves none, a crash may leave half a file."""
    (tmp_path / "tests-1.json").write_text(text)
    record = read_record(tmp_path)
    assert (record.counts, record.failed, record.violations) == (None, (), ())


def test_a_session_with_strange_values_counts_as_nothing(tmp_path: Path) -> None:
    """The file was written by a program in somebody else's environment."""
    _write(tmp_path, "tests-1.json", {"counts": 3, "failed": "x", "violations": [1], "warnings": 0})
    record = read_record(tmp_path)
    assert record.counts == TestCounts(total=0, failed=0, errors=0, skipped=0)
    assert (record.failed, record.violations, record.warnings) == ((), (), ())
