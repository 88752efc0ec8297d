"""The repository beside a snapshot."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from fakes import FakeRunner, Reply

from wheelworks.errors import InterruptedRunError, JobFailedError
from wheelworks.process import ProcessRunner
from wheelworks.snapshot_git import sync_git

if TYPE_CHECKING:
    from pathlib import Path

    from fakes import Call

ENVIRON = {"PATH": os.environ.get("PATH", os.defpath)}
GIT_ENVIRON = {
    **ENVIRON,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=GIT_ENVIRON, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(project: Path, text: str) -> None:
    """Commit a change."""
    (project / "lib.rs").write_text(text)
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a commit, a tag and a second commit."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    commit(folder, "one")
    git(folder, "tag", "-a", "v1.0", "-m", "v1.0")
    commit(folder, "two")
    return folder


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A snapshot of the project."""
    folder = tmp_path / "source" / "key"
    folder.mkdir(parents=True)
    (folder / "lib.rs").write_text("two")
    return folder


def sync(project: Path, snapshot: Path, *, wanted: bool = True) -> bool:
    """Bring the repository into step with real git."""
    environ = {name: value for name, value in GIT_ENVIRON.items() if "AUTHOR" not in name}
    return sync_git(
        project, snapshot, wanted=wanted, runner=ProcessRunner(environ), environ=environ
    )


def state(folder: Path) -> dict[str, int]:
    """Every file of a folder with its time."""
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.starts_processes
def test_head_branch_and_describe_are_those_of_the_project(project: Path, snapshot: Path) -> None:
    """A build script finds commit, branch and version, and an unchanged tree is not dirty."""
    assert sync(project, snapshot)
    for question in (
        ["rev-parse", "HEAD"],
        ["symbolic-ref", "HEAD"],
        ["describe", "--tags", "--dirty"],
        ["status", "--porcelain"],
    ):
        assert git(snapshot, *question) == git(project, *question)
    assert git(snapshot, "describe", "--dirty").startswith("v1.0-1-g")
    assert git(snapshot, "remote") == ""


@pytest.mark.starts_processes
def test_changed_file_is_dirty(project: Path, snapshot: Path) -> None:
    """An uncommitted change shows as in the project."""
    (snapshot / "lib.rs").write_text("uncommitted")
    sync(project, snapshot)
    assert git(snapshot, "describe", "--dirty").endswith("-dirty")


@pytest.mark.starts_processes
def test_nothing_is_written_into_the_project(project: Path, snapshot: Path) -> None:
    """Neither our commands nor a build script's reach its repository."""
    before = state(project)
    sync(project, snapshot)
    commit(snapshot, "a build script commits")
    git(snapshot, "gc", "-q")
    assert state(project) == before


@pytest.mark.starts_processes
def test_made_anew_only_when_head_or_tags_move(project: Path, snapshot: Path) -> None:
    """A second sync leaves it alone; a commit and a tag do not."""
    sync(project, snapshot)
    marker = snapshot / ".git" / "marker"
    marker.write_text("")
    git(project, "branch", "other")
    sync(project, snapshot)
    assert marker.exists()
    git(project, "tag", "v2.0")
    sync(project, snapshot)
    assert not marker.exists()
    assert git(snapshot, "describe", "--tags") == "v2.0"
    commit(project, "three")
    sync(project, snapshot)
    assert git(snapshot, "rev-parse", "HEAD") == git(project, "rev-parse", "HEAD")
    assert sorted(path.name for path in snapshot.parent.iterdir()) == ["key"]


@pytest.mark.starts_processes
def test_linked_worktree_and_sub_folder(project: Path, snapshot: Path, tmp_path: Path) -> None:
    """HEAD is that of the work tree that the sources lie in."""
    tree = tmp_path / "tree"
    git(project, "worktree", "add", "-q", "--detach", str(tree), "v1.0")
    (tree / "sub").mkdir()
    assert sync(tree / "sub", snapshot)
    assert git(snapshot, "describe") == "v1.0"


@pytest.mark.starts_processes
def test_shallow_clone(project: Path, snapshot: Path, tmp_path: Path) -> None:
    """What CI systems check out has no history, and works."""
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", str(shallow))
    assert sync(shallow, snapshot)
    assert git(snapshot, "rev-parse", "HEAD") == git(project, "rev-parse", "HEAD")


@pytest.mark.starts_processes
def test_sync_that_was_killed_is_repaired(project: Path, snapshot: Path) -> None:
    """Without the stamp, and with a half clone beside it, everything is made anew."""
    sync(project, snapshot)
    (snapshot / ".git" / "wheelworks-refs").unlink()
    (snapshot / ".git" / "HEAD").unlink()
    left = snapshot.with_name("key.git-0000")
    left.mkdir()
    assert sync(project, snapshot)
    assert git(snapshot, "describe", "--dirty").startswith("v1.0-1-g")
    assert not left.exists()


@pytest.mark.starts_processes
@pytest.mark.parametrize("has_repository", [True, False])
def test_no_commit_no_git(tmp_path: Path, snapshot: Path, *, has_repository: bool) -> None:
    """An unpacked sdist or an empty repository gives none, and is no error."""
    plain = tmp_path / "plain"
    plain.mkdir()
    if has_repository:
        git(plain, "init", "-q")
    assert not sync(plain, snapshot)
    assert not (snapshot / ".git").exists()


@pytest.mark.starts_processes
def test_removed_when_it_is_not_wanted_any_more(project: Path, snapshot: Path) -> None:
    """A changed option takes effect."""
    sync(project, snapshot)
    assert not sync(project, snapshot, wanted=False)
    assert not (snapshot / ".git").exists()
    assert (snapshot / "lib.rs").exists()


def test_missing_git_means_none(tmp_path: Path, snapshot: Path) -> None:
    """A machine without git builds all the same."""
    runner = FakeRunner(lambda _call: None)
    assert not sync_git(tmp_path, snapshot, wanted=True, runner=runner, environ=ENVIRON)


def test_repository_of_another_user_is_an_error(tmp_path: Path, snapshot: Path) -> None:
    """Silently building another version string would be worse."""
    runner = FakeRunner(
        lambda _call: Reply(returncode=128, stderr="fatal: detected dubious ownership in x")
    )
    with pytest.raises(JobFailedError, match="does not trust") as caught:
        sync_git(tmp_path, snapshot, wanted=True, runner=runner, environ=ENVIRON)
    assert "safe.directory" in str(caught.value.hint)


def test_failing_git_is_an_error_with_its_words(tmp_path: Path, snapshot: Path) -> None:
    """The last line that git said is passed on, with the option that does without it."""

    def answer(call: Call) -> Reply:
        if call.argv[1] == "clone":
            return Reply(returncode=128, stderr="fatal: disk broken")
        return Reply(stdout="abc\n")

    with pytest.raises(
        JobFailedError, match=r"git clone failed in .*: fatal: disk broken"
    ) as caught:
        sync_git(tmp_path, snapshot, wanted=True, runner=FakeRunner(answer), environ=ENVIRON)
    assert "snapshot-git" in str(caught.value.hint)


def test_stopped_git_is_an_interrupt(tmp_path: Path, snapshot: Path) -> None:
    """A run that is interrupted there has not failed."""
    runner = FakeRunner(lambda _call: Reply(returncode=None, cancelled=True))
    with pytest.raises(InterruptedRunError, match="while git show-ref ran"):
        sync_git(tmp_path, snapshot, wanted=True, runner=runner, environ=ENVIRON)


def test_variables_of_a_git_hook_do_not_leak(tmp_path: Path, snapshot: Path) -> None:
    """Run from a hook, GIT_DIR names another repository; it must not reach our git."""
    runner = FakeRunner(lambda _call: Reply(returncode=1))
    environ = {**ENVIRON, "GIT_DIR": "/elsewhere/.git", "GIT_INDEX_FILE": "/elsewhere/index"}
    sync_git(tmp_path, snapshot, wanted=True, runner=runner, environ=environ)
    (call,) = runner.calls
    assert {"GIT_DIR", "GIT_INDEX_FILE"}.isdisjoint(call.env)
