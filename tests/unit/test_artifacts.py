"""Collecting, hashing and publishing artifacts."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from pathlib import Path

import pytest

from wheelworks import artifacts
from wheelworks.artifacts import collect, publish, remove_unfinished, sha256_file, stale_files
from wheelworks.errors import EXIT_MISSING, JobFailedError, MissingResourceError

NAME = "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
DIGEST = hashlib.sha256(b"new").hexdigest()


def _staged(folder: Path, content: bytes = b"new") -> Path:
    staging = folder / "staging"
    staging.mkdir()
    path = staging / NAME
    path.write_bytes(content)
    return path


def _fail_with(number: int, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(name, fail)


def _fake_two_file_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make renames out of the staging folder fail as between two file systems."""
    replace = Path.replace

    def cross(self: Path, target: Path) -> Path:
        if self.parent != target.parent:
            raise OSError(errno.EXDEV, "cross-device link")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", cross)


def test_an_artifact_appears_under_its_name(tmp_path: Path) -> None:
    """The folder is made, the staged file is gone, the digest is told."""
    staged = _staged(tmp_path)
    info = publish(staged, tmp_path / "deep" / "dist", sha256=DIGEST)
    assert (info.file_name, info.size, info.sha256) == (NAME, 3, DIGEST)
    assert (tmp_path / "deep" / "dist" / NAME).read_bytes() == b"new"
    assert not staged.exists()


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    """There is no moment without a file of that name, and no second file."""
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / NAME).write_bytes(b"old")
    publish(_staged(tmp_path), dist, sha256=DIGEST)
    assert (dist / NAME).read_bytes() == b"new"
    assert [path.name for path in dist.iterdir()] == [NAME]


def test_across_file_systems_the_copy_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy under another name comes first, then a rename."""
    _fake_two_file_systems(monkeypatch)
    staged = _staged(tmp_path)
    staged.chmod(0o644)
    publish(staged, tmp_path / "dist", sha256=DIGEST)
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [NAME]
    assert (tmp_path / "dist" / NAME).read_bytes() == b"new"
    assert not staged.exists()
    if sys.platform != "win32":
        assert (tmp_path / "dist" / NAME).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
def test_a_failed_copy_leaves_dist_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Neither a temporary file nor a half artifact stays, and the old one does."""
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / NAME).write_bytes(b"old")
    _fake_two_file_systems(monkeypatch)
    _fail_with(number, monkeypatch, "shutil.copyfile")
    staged = _staged(tmp_path)
    with pytest.raises(MissingResourceError, match=f"can't put {NAME} into .*dist") as caught:
        publish(staged, dist, sha256=DIGEST)
    assert caught.value.exit_code == EXIT_MISSING
    assert caught.value.hint
    assert [(path.name, path.read_bytes()) for path in dist.iterdir()] == [(NAME, b"old")]
    assert staged.exists()


def test_a_failed_rename_leaves_dist_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was unlinked before."""
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / NAME).write_bytes(b"old")
    _fail_with(errno.EACCES, monkeypatch, "pathlib.Path.replace")
    with pytest.raises(MissingResourceError, match="Permission denied"):
        publish(_staged(tmp_path), dist, sha256=DIGEST)
    assert (dist / NAME).read_bytes() == b"old"


def test_a_copy_that_differs_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was audited is what appears."""
    _fake_two_file_systems(monkeypatch)
    with pytest.raises(MissingResourceError, match="copy differs"):
        publish(_staged(tmp_path, b"other"), tmp_path / "dist", sha256=DIGEST)
    assert list((tmp_path / "dist").iterdir()) == []


def test_an_interrupted_copy_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exception goes on, the temporary file does not stay."""
    _fake_two_file_systems(monkeypatch)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.copyfile", interrupt)
    with pytest.raises(KeyboardInterrupt):
        publish(_staged(tmp_path), tmp_path / "dist", sha256=DIGEST)
    assert list((tmp_path / "dist").iterdir()) == []


def test_a_dist_that_is_a_file_is_told(tmp_path: Path) -> None:
    """The hint says what is expected."""
    (tmp_path / "dist").write_text("not a folder")
    with pytest.raises(MissingResourceError) as caught:
        publish(_staged(tmp_path), tmp_path / "dist", sha256=DIGEST)
    assert "folder" in (caught.value.hint or "")


def test_windows_has_no_folder_to_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the rename alone must do."""
    opened: list[object] = []
    monkeypatch.setattr("os.name", "nt")
    monkeypatch.setattr("os.open", lambda *args: opened.append(args))
    artifacts._sync_folder(tmp_path)
    assert opened == []


@pytest.mark.parametrize(("kind", "name"), [("wheel", NAME), ("sdist", "demo-1.0.tar.gz")])
def test_the_one_artifact_is_collected(tmp_path: Path, kind: str, name: str) -> None:
    """Other files beside it do not count."""
    (tmp_path / name).write_bytes(b"x")
    (tmp_path / f"{kind}.log").write_text("x")
    (tmp_path / "folder.whl").mkdir()
    assert collect(tmp_path) == (tmp_path / name,)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ((), "found no wheel or sdist"),
        (("a-1-py3-none-any.whl", "b-1-py3-none-any.whl"), "found a-1-py3-none-any.whl, b-1"),
    ],
)
def test_none_or_several_artifacts_are_a_failed_job(
    tmp_path: Path, names: tuple[str, ...], says: str
) -> None:
    """The build made something else than planned."""
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(JobFailedError, match=says):
        collect(tmp_path)


def test_a_missing_staging_folder_holds_nothing(tmp_path: Path) -> None:
    """A job that never wrote anything is a failed job, not a crash."""
    with pytest.raises(JobFailedError):
        collect(tmp_path / "absent")


def test_files_of_another_state_are_stale(tmp_path: Path) -> None:
    """Unknown names and known names with other bytes are both stale."""
    for name, content in (("a.whl", b"new"), ("b.whl", b"new"), ("c.whl", b"x"), ("n.txt", b"")):
        (tmp_path / name).write_bytes(content)
    assert stale_files(tmp_path, {"a.whl": DIGEST, "c.whl": DIGEST}) == ("b.whl", "c.whl")
    assert stale_files(tmp_path / "absent", {}) == ()


def test_leftovers_of_a_killed_run_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a copy leaves when the process is killed is known by its name."""
    _fake_two_file_systems(monkeypatch)
    left: list[Path] = []
    unlink = Path.unlink

    def survive(self: Path, *, missing_ok: bool = False) -> None:
        left.append(self)

    _fail_with(errno.EIO, monkeypatch, "shutil.copyfile")
    monkeypatch.setattr(Path, "unlink", survive)
    with pytest.raises(MissingResourceError):
        publish(_staged(tmp_path), tmp_path / "dist", sha256=DIGEST)
    monkeypatch.setattr(Path, "unlink", unlink)
    (tmp_path / "dist" / "keep.whl").write_bytes(b"x")
    assert remove_unfinished(tmp_path / "dist") == (left[0].name,)
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["keep.whl"]


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    """sha256, as hexadecimal digits."""
    (tmp_path / "x").write_bytes(b"new")
    assert sha256_file(tmp_path / "x") == DIGEST
