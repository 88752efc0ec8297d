"""Files that appear whole."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from wheelworks.errors import MissingResourceError
from wheelworks.files import atomic_write, ensure_state_dir


@pytest.mark.parametrize("durable", [True, False])
def test_file_is_made_with_its_folder_and_replaced(tmp_path: Path, *, durable: bool) -> None:
    """A second write replaces the first; nothing else stays in the folder."""
    path = tmp_path / "a" / "b" / "file.json"
    atomic_write(path, b"one", durable=durable)
    atomic_write(path, b"two", durable=durable)
    assert path.read_bytes() == b"two"
    assert [item.name for item in path.parent.iterdir()] == ["file.json"]


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs the new content, not the old one, and leaves no half file."""
    path = tmp_path / "file"
    atomic_write(path, b"old")

    def full(_source: Path, _target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(path, b"new")
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("file", b"old")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_file_is_readable_as_others_are(tmp_path: Path) -> None:
    """The mode is the umask's, not a temporary file's 0600."""
    atomic_write(tmp_path / "file", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_state_dir_keeps_itself_out_of_the_repository(tmp_path: Path) -> None:
    """Its .gitignore ignores everything, and is not written twice."""
    ensure_state_dir(tmp_path / ".wheelworks")
    ignore = tmp_path / ".wheelworks" / ".gitignore"
    assert ignore.read_text() == "*\n"
    ignore.write_text("mine\n")
    ensure_state_dir(tmp_path / ".wheelworks")
    assert ignore.read_text() == "mine\n"


def test_state_dir_that_cannot_be_made_is_a_missing_resource(tmp_path: Path) -> None:
    """The error says where and why, with exit code 4."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingResourceError, match="can't be written: ") as caught:
        ensure_state_dir(tmp_path / "file" / ".wheelworks")
    assert caught.value.exit_code == 4
    assert caught.value.hint is not None
