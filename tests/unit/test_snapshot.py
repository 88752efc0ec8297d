"""The source folder of a build."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import FakeRunner

from wheelworks._native import digest_bytes, fingerprint_tree
from wheelworks.errors import JobFailedError, SourcesChangedError
from wheelworks.snapshot import (
    SnapshotResult,
    changed_paths,
    manifest_path,
    sync_snapshot,
    tree_changed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.snapshot import SourceFile

OLD = 1_500_000_000_000_000_000
needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a fingerprint, made by hand."""

    path: str
    digest: str
    size: int = 0
    mtime_ns: int = OLD
    executable: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A project's sources and the snapshot's place."""

    root: Path
    destination: Path

    def write(self, path: str, text: str, *, mtime_ns: int = OLD) -> Path:
        """Write a source file with a time."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, ns=(mtime_ns, mtime_ns))
        return file

    def entries(self) -> Sequence[SourceFile]:
        """The sources' fingerprint."""
        return fingerprint_tree(str(self.root))

    def sync(
        self,
        entries: Sequence[SourceFile] | None = None,
        *,
        keep: Sequence[str] = (),
        target_dir: Path | None = None,
    ) -> SnapshotResult:
        """Bring the snapshot into step; git is not asked for."""
        runner = FakeRunner(lambda _call: None)
        result = sync_snapshot(
            self.entries() if entries is None else entries,
            self.root,
            self.destination,
            git=False,
            runner=runner,
            environ={},
            keep=keep,
            target_dir=target_dir,
        )
        assert runner.calls == []
        return result

    def content(self) -> dict[str, str]:
        """Files of the snapshot with their text; links with ``-> target``."""
        return {
            path.relative_to(self.destination).as_posix(): (
                f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()  # noqa: PTH115
            )
            for path in self.destination.rglob("*")
            if path.is_symlink() or path.is_file()
        }

    def mtime_ns(self, path: str) -> int:
        """Time of a snapshot's file."""
        return (self.destination / path).lstat().st_mtime_ns


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A small crate."""
    ground = Ground(root=tmp_path / "project", destination=tmp_path / "source" / "key")
    ground.write("Cargo.toml", "[package]")
    ground.write("src/lib.rs", "fn a() {}")
    ground.write("python/pkg/__init__.py", "x = 1")
    return ground


def counts(result: SnapshotResult) -> tuple[int, int, int]:
    """(written, removed, unchanged)."""
    return result.written, result.removed, result.unchanged


def test_first_sync_copies_everything_with_times(ground: Ground) -> None:
    """Content and modification times are those of the sources."""
    assert counts(ground.sync()) == (3, 0, 0)
    assert ground.content() == {
        "Cargo.toml": "[package]",
        "src/lib.rs": "fn a() {}",
        "python/pkg/__init__.py": "x = 1",
    }
    assert {ground.mtime_ns(path) for path in ground.content()} == {OLD}


def test_second_sync_touches_nothing(ground: Ground) -> None:
    """Nothing is read or written again when nothing changed."""
    ground.sync()
    before = {path: (ground.destination / path).lstat() for path in ground.content()}
    assert counts(ground.sync()) == (0, 0, 3)
    after = {path: (ground.destination / path).lstat() for path in ground.content()}
    assert {p: (s.st_ino, s.st_ctime_ns) for p, s in before.items()} == {
        p: (s.st_ino, s.st_ctime_ns) for p, s in after.items()
    }


def test_touched_source_is_no_change(ground: Ground) -> None:
    """A new time with the old content would make cargo build again for nothing."""
    ground.sync()
    ground.write("src/lib.rs", "fn a() {}", mtime_ns=OLD + 10**9)
    assert counts(ground.sync()) == (0, 0, 3)
    assert ground.mtime_ns("src/lib.rs") == OLD


def test_changed_content_is_as_young_as_the_writing(ground: Ground) -> None:
    """A file that came back with an old time must still look changed to cargo."""
    ground.sync()
    ground.write("src/lib.rs", "fn b() {}", mtime_ns=OLD - 10**9)
    assert counts(ground.sync()) == (1, 0, 2)
    assert ground.content()["src/lib.rs"] == "fn b() {}"
    assert ground.mtime_ns("src/lib.rs") > OLD


def test_snapshot_that_was_built_from_before_keeps_no_times(ground: Ground, tmp_path: Path) -> None:
    """Where a target folder outlived its snapshot, old times would look up to date to cargo."""
    ground.sync(target_dir=tmp_path)
    assert all(ground.mtime_ns(path) > OLD for path in ground.content())


def test_removed_and_alien_files_go(ground: Ground) -> None:
    """What is no source is removed with its folders: a deleted file, a stray extension module."""
    ground.sync()
    (ground.root / "src" / "lib.rs").unlink()
    stray = ground.destination / "python" / "pkg" / "deep" / "_native.so"
    stray.parent.mkdir()
    stray.write_bytes(b"stale")
    (ground.destination / "empty").mkdir()
    assert counts(ground.sync()) == (0, 2, 2)
    assert set(ground.content()) == {"Cargo.toml", "python/pkg/__init__.py"}
    assert not (ground.destination / "src").exists()
    assert not stray.parent.exists()
    assert not (ground.destination / "empty").exists()


def test_files_that_the_build_made_are_kept_when_named(ground: Ground) -> None:
    """A Cargo.lock of ours stays, other files of a build do not."""
    ground.sync()
    (ground.destination / "Cargo.lock").write_text("ours")
    (ground.destination / "junk").write_text("")
    ground.sync(keep=["Cargo.lock"])
    assert ground.content()["Cargo.lock"] == "ours"
    assert "junk" not in ground.content()


def test_file_that_a_build_wrote_into_is_written_again(ground: Ground) -> None:
    """A build script that edits its sources changes the snapshot for one build only."""
    ground.sync()
    (ground.destination / "src" / "lib.rs").write_text("edited by a build script")
    assert counts(ground.sync()) == (1, 0, 2)
    assert ground.content()["src/lib.rs"] == "fn a() {}"


@pytest.mark.skipif(sys.platform == "win32", reason="no such bits")
def test_executable_bit_is_kept_in_step(ground: Ground) -> None:
    """A script stays a script, and stops being one."""
    script = ground.write("build.sh", "#!/bin/sh\n")
    script.chmod(0o755)
    ground.sync()
    copy = ground.destination / "build.sh"
    assert os.access(copy, os.X_OK)
    script.chmod(0o644)
    assert ground.sync().written == 1
    assert not copy.stat().st_mode & 0o111


@needs_links
def test_links_stay_links(ground: Ground) -> None:
    """Their text is kept as it is, also when it leads nowhere."""
    (ground.root / "LICENSE").symlink_to("./src//lib.rs")
    (ground.root / "dangling").symlink_to("../nowhere")
    ground.sync()
    assert ground.content()["LICENSE"] == "-> ./src//lib.rs"
    assert ground.content()["dangling"] == "-> ../nowhere"
    assert ground.sync().written == 0
    (ground.root / "LICENSE").unlink()
    (ground.root / "LICENSE").symlink_to("Cargo.toml")
    assert ground.sync().written == 1
    assert ground.content()["LICENSE"] == "-> Cargo.toml"


@needs_links
def test_kinds_may_change_into_each_other(ground: Ground, tmp_path: Path) -> None:
    """File, folder and link replace one another, and nothing is written through a link."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (ground.root / "python" / "pkg" / "__init__.py").unlink()
    (ground.root / "python" / "pkg").rmdir()
    (ground.root / "python" / "pkg").symlink_to(outside)
    ground.sync()
    (ground.root / "python" / "pkg").unlink()
    ground.write("python/pkg/__init__.py", "back")
    (ground.root / "Cargo.toml").unlink()
    ground.write("Cargo.toml/inner", "a folder now")
    ground.sync()
    assert ground.content()["python/pkg/__init__.py"] == "back"
    assert ground.content()["Cargo.toml/inner"] == "a folder now"
    assert list(outside.iterdir()) == []
    (ground.root / "Cargo.toml" / "inner").unlink()
    (ground.root / "Cargo.toml").rmdir()
    ground.write("Cargo.toml", "a file again")
    ground.sync()
    assert ground.content()["Cargo.toml"] == "a file again"


def test_file_that_changed_since_the_fingerprint_is_refused(ground: Ground) -> None:
    """No build starts from a mixture of two states; the old copy stays until it is replaced."""
    entries = ground.entries()
    ground.write("src/lib.rs", "fn changed() {}")
    with pytest.raises(SourcesChangedError, match=r"src/lib\.rs changed while it was copied"):
        ground.sync(entries)
    assert "src/lib.rs" not in ground.content()
    ground.sync()
    assert ground.content()["src/lib.rs"] == "fn changed() {}"


def test_file_that_vanished_since_the_fingerprint_is_refused(ground: Ground) -> None:
    """A deleted file is named, as a failure of the job."""
    entries = ground.entries()
    (ground.root / "src" / "lib.rs").unlink()
    with pytest.raises(JobFailedError, match=r"src/lib\.rs vanished while it was copied"):
        ground.sync(entries)


@needs_links
def test_link_in_the_place_of_a_file_is_refused(ground: Ground) -> None:
    """Also when it leads to the same bytes; and a file in the place of a link."""
    entries = ground.entries()
    file = ground.root / "src" / "lib.rs"
    file.rename(ground.root / "src" / "other.rs")
    file.symlink_to("other.rs")
    with pytest.raises(SourcesChangedError, match="changed"):
        ground.sync(entries)
    entries = ground.entries()
    file.unlink()
    file.write_text("fn a() {}")
    with pytest.raises(SourcesChangedError, match="changed"):
        ground.sync(entries)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("after", range(12))
def test_sync_that_was_killed_is_repaired_by_the_next(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Whichever rename is the last one that happens, the next sync makes the snapshot right."""
    ground.sync()
    lengths = ("fn a() {}", "fn b() {}")
    ground.write("src/lib.rs", lengths[1])
    ground.write("src/new.rs", "new")
    (ground.root / "Cargo.toml").unlink()
    left = [after]
    original = Path.replace

    def replace_some(source: Path, target: Path) -> Path:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        return original(source, target)

    monkeypatch.setattr(Path, "replace", replace_some)
    was_killed = False
    try:
        ground.sync()
    except Killed:
        was_killed = True
    assert was_killed is (after < 4)
    monkeypatch.undo()
    # The worst case: the sources go back to what the old manifest says, with the same size and
    # time.
    ground.write("src/lib.rs", lengths[0])
    ground.sync()
    assert ground.content() == {
        "src/lib.rs": "fn a() {}",
        "src/new.rs": "new",
        "python/pkg/__init__.py": "x = 1",
    }


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 99}', '{"schema": 1, "files": {"a": [1]}}']
)
def test_torn_manifest_means_a_full_copy(ground: Ground, text: str) -> None:
    """The manifest only saves work."""
    ground.sync()
    manifest_path(ground.destination).write_text(text)
    assert counts(ground.sync()) == (3, 0, 0)
    assert counts(ground.sync()) == (0, 0, 3)


def test_manifest_lies_beside_the_snapshot(ground: Ground) -> None:
    """It is no file of the build, and names every file."""
    ground.sync()
    path = ground.destination.with_name("key.manifest.json")
    assert manifest_path(ground.destination) == path
    assert set(json.loads(path.read_text())["files"]) == set(ground.content())


@pytest.mark.parametrize(
    "path",
    ["../evil", "/etc/passwd", "a/../../b", "a//b", "./a", "", "a/", ".git/config", ".git", "a/.."],
)
def test_path_that_leads_outside_is_impossible(ground: Ground, path: str) -> None:
    """Nothing is written before every name is known to be harmless."""
    entry = Entry(path=path, digest=digest_bytes(b""))
    with pytest.raises(AssertionError, match="BUG: "):
        ground.sync([entry])
    assert not ground.destination.exists()


def test_changed_paths_name_every_difference() -> None:
    """Content, mode, link, new and lost files count; times do not."""
    before = [
        Entry(path="same", digest="1"),
        Entry(path="content", digest="1"),
        Entry(path="mode", digest="1"),
        Entry(path="link", digest="1", link="a"),
        Entry(path="lost", digest="1"),
    ]
    now = [
        replace(before[0], mtime_ns=OLD + 1),
        replace(before[1], digest="2"),
        replace(before[2], executable=True),
        replace(before[3], link="b"),
        Entry(path="new", digest="1"),
    ]
    assert changed_paths(before, now) == ("content", "link", "lost", "mode", "new")
    assert changed_paths(before, before) == ()


def test_tree_that_changed_is_noticed(ground: Ground) -> None:
    """A file edited during a build is named; what is excluded is not."""
    before = ground.entries()
    assert tree_changed(before, ground.root) == ()
    ground.write("src/lib.rs", "fn edited() {}", mtime_ns=OLD + 10**9)
    ground.write("notes.txt", "new")
    assert tree_changed(before, ground.root, exclude=["*.txt"]) == ("src/lib.rs",)
    assert tree_changed(before, ground.root) == ("notes.txt", "src/lib.rs")
