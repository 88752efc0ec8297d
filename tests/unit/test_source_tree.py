"""What counts as a source, on a real folder."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from builders import a_project

from wheelworks.process import ProcessRunner
from wheelworks.source_tree import changed_sources, read_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.project import Project


def write(root: Path, *names: str) -> None:
    """Files that hold their own name."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a sub-folder of its source tree, without any .gitignore."""
    root = tmp_path / "tree/py"
    write(root, "src/lib.rs", "Cargo.toml")
    return a_project(root=root, source_root=root.parent, workspace_root=root.parent)


def paths(project: Project) -> list[str]:
    """What is read of the project's tree."""
    state_dir = project.root / ".wheelworks"
    runner = ProcessRunner()
    entries = read_source_tree(
        project,
        state_dir=state_dir,
        dist_dir=project.root / "dist",
        runner=runner,
        environ=os.environ,
    )
    return [entry.path for entry in entries]


def test_what_builds_leave_behind_is_no_source(project: Project) -> None:
    """No .gitignore is needed for wheels, target folders, environments and stale modules."""
    before = paths(project)
    write(
        project.root,
        "dist/example.whl", ".wheelworks/runs/1/report.json", "target/debug/x", "../target/x",
        ".venv/pyvenv.cfg", "python/example/_native.abi3.so", "python/example/__pycache__/a.pyc",
    )  # fmt: skip
    assert paths(project) == before == ["py/Cargo.toml", "py/src/lib.rs"]


def test_the_metadata_of_an_unpacked_sdist_is_no_source(project: Project) -> None:
    """Maturin refuses to pack a PKG-INFO; only the one in the project's own folder is meant."""
    write(project.root, "PKG-INFO", "tests/data/PKG-INFO")
    assert paths(project) == ["py/Cargo.toml", "py/src/lib.rs", "py/tests/data/PKG-INFO"]


def test_changes_are_told_of_sources_only(project: Project) -> None:
    """A wheel that the run itself put into ``dist/`` is no changed source."""
    dist_dir = project.root / "dist"
    before = read_source_tree(
        project,
        state_dir=project.root / ".wheelworks",
        dist_dir=dist_dir,
        runner=ProcessRunner(),
        environ=os.environ,
    )
    write(project.root, "dist/example.whl")
    assert changed_sources(before, project, dist_dir=dist_dir) == ()
    write(project.root, "src/new.rs")
    assert changed_sources(before, project, dist_dir=dist_dir) == ("py/src/new.rs",)


def test_an_ignored_lock_file_is_a_source(project: Project) -> None:
    """Cargo reads it whatever git says, and --locked needs it."""
    write(project.source_root, "Cargo.lock")
    (project.source_root / ".gitignore").write_text("Cargo.lock\n", encoding="utf-8")
    assert paths(project) == [".gitignore", "Cargo.lock", "py/Cargo.toml", "py/src/lib.rs"]


@pytest.mark.starts_processes
def test_what_git_tracks_is_a_source_although_a_rule_ignores_it(project: Project) -> None:
    """As `git add -f` leaves it; an ignored file that is not tracked stays out."""
    root = project.source_root
    write(root, "data/kept.bin", "data/other.bin")
    (root / ".gitignore").write_text("*.bin\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-f", "data/kept.bin"], cwd=root, check=True)
    assert "data/kept.bin" in paths(project)
    assert "data/other.bin" not in paths(project)


def test_a_command_that_only_looks_leaves_no_folder_that_git_shows(project: Project) -> None:
    """The first thing in `.wheelworks/` is the file that hides it."""
    paths(project)
    ignore = project.root / ".wheelworks" / ".gitignore"
    assert ignore.read_text(encoding="utf-8") == "*\n"
