"""Tests of the probes' shared door and its memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from fakes import Call, FakeRunner, Reply

from wheelworks.probe_door import (
    CACHE_FILE,
    PLAIN_VERSION,
    VERSION,
    ProbeCache,
    ProbeDoor,
    identify,
)

if TYPE_CHECKING:
    from pathlib import Path


def _program(folder: Path, name: str, content: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(content)
    path.chmod(0o755)
    return path


def _door(runner: FakeRunner, tmp_path: Path, cache: Path | None = None) -> ProbeDoor:
    return ProbeDoor(
        runner=runner,
        environ={"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)},
        cwd=tmp_path,
        cache=ProbeCache(cache),
    )


def _uv(call: Call) -> Reply:
    return Reply(stdout="uv 0.13.9 (x86_64-unknown-linux-gnu)\n")


def test_a_tool_is_known_by_path_version_size_and_time(tmp_path: Path) -> None:
    """The version comes from the program, size and time from its file."""
    path = _program(tmp_path / "bin", "uv", "12345")
    tool = _door(FakeRunner(_uv), tmp_path).find_tool("uv")
    assert tool is not None
    assert (tool.path, tool.version, tool.size) == (str(path), "0.13.9", 5)
    assert tool.mtime_ns == path.stat().st_mtime_ns


def test_a_remembered_tool_starts_nothing_in_a_later_run(tmp_path: Path) -> None:
    """An unchanged program is not started again by another process."""
    _program(tmp_path / "bin", "uv")
    first = _door(FakeRunner(_uv), tmp_path, tmp_path / "cache")
    found = first.find_tool("uv")
    first.cache.save()
    runner = FakeRunner(_uv)
    assert _door(runner, tmp_path, tmp_path / "cache").find_tool("uv") == found
    assert runner.calls == []


def test_a_changed_program_is_asked_again(tmp_path: Path) -> None:
    """Another time or size of the file voids what is remembered."""
    path = _program(tmp_path / "bin", "uv")
    runner = FakeRunner(_uv)
    door = _door(runner, tmp_path)
    door.find_tool("uv")
    os.utime(path, ns=(1, 1))
    door.find_tool("uv")
    path.write_text("longer")
    os.utime(path, ns=(1, 1))
    door.find_tool("uv")
    assert len(runner.calls) == 3


@pytest.mark.parametrize(
    "reply", [None, Reply(returncode=1, stdout="uv 1.2.3"), Reply(stdout="nothing to see")]
)
def test_a_program_that_does_not_tell_its_version_is_no_tool(
    tmp_path: Path, reply: Reply | None
) -> None:
    """A broken program is the same as none, and is not remembered."""
    _program(tmp_path / "bin", "uv")
    runner = FakeRunner(lambda call: reply)
    door = _door(runner, tmp_path)
    assert door.find_tool("uv") is None
    assert door.find_tool("uv") is None
    assert len(runner.calls) == 2


def test_a_missing_program_is_none(tmp_path: Path) -> None:
    """Nothing is started for a program that is not on PATH."""
    runner = FakeRunner(_uv)
    door = _door(runner, tmp_path)
    assert door.find_tool("uv") is None
    assert door.tool_at(tmp_path / "gone") is None
    assert runner.calls == []


def test_questions_are_asked_in_the_given_folder_with_the_allowed_environment(
    tmp_path: Path,
) -> None:
    """A probe sees PATH and what the probe sets, not the caller's secrets or VIRTUAL_ENV."""
    runner = FakeRunner(lambda call: Reply(stdout="x"))
    environ = {"PATH": "/bin", "VIRTUAL_ENV": "/venv", "PYPI_TOKEN": "secret"}
    door = ProbeDoor(runner=runner, environ=environ, cwd=tmp_path)
    assert door.ask(("rustc",), set_={"RUSTUP_AUTO_INSTALL": "0"}).stdout == "x"
    assert runner.calls[0].cwd == tmp_path
    assert runner.calls[0].env == {"PATH": "/bin", "RUSTUP_AUTO_INSTALL": "0"}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"schema": 99, "entries": {"k": {"stamp": "[1]", "answer": {"a": "b"}}}}',
        '{"schema": 1, "entries": 3}',
        '{"schema": 1, "entries": {"k": 3}}',
        '{"schema": 1, "entries": {"k": {"stamp": "[1]", "answer": []}}}',
    ],
)
def test_a_torn_or_foreign_cache_counts_as_empty(tmp_path: Path, content: str) -> None:
    """Whatever the file holds, the worst is that a question is asked again."""
    (tmp_path / CACHE_FILE).write_text(content)
    assert ProbeCache(tmp_path).get("k", [1]) is None


def test_a_cache_gives_back_what_was_put_for_the_same_stamp(tmp_path: Path) -> None:
    """A stamp decides whether an answer still holds."""
    cache = ProbeCache(tmp_path / "new" / "folder")
    cache.put("k", [1, "a"], {"version": "1"})
    cache.save()
    again = ProbeCache(tmp_path / "new" / "folder")
    assert again.get("k", [1, "a"]) == {"version": "1"}
    assert again.get("k", [2, "a"]) is None
    assert again.get("other", [1, "a"]) is None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """The cache folder may be a file or belong to somebody else."""
    (tmp_path / "file").write_text("")
    cache = ProbeCache(tmp_path / "file" / "below")
    cache.put("k", [1], {"a": "b"})
    cache.save()
    assert cache.get("k", [1]) == {"a": "b"}


def test_saving_leaves_no_unfinished_file(tmp_path: Path) -> None:
    """The file appears by rename, and only when something is new."""
    cache = ProbeCache(tmp_path)
    cache.save()
    assert list(tmp_path.iterdir()) == []
    cache.put("k", [1], {})
    cache.save()
    assert [file.name for file in tmp_path.iterdir()] == [CACHE_FILE]


def test_identify_follows_links_and_tolerates_missing_files(tmp_path: Path) -> None:
    """A link is known by what it leads to."""
    (tmp_path / "real").write_text("abc")
    (tmp_path / "link").symlink_to("real")
    found = identify(tmp_path / "link")
    assert found is not None
    assert found.size == 3
    assert identify(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("x86_64-w64-mingw32-gcc (GCC) 12-win32\nCopyright (C) 2022 ...", "12-win32"),
        ("x86_64-w64-mingw32-gcc (GCC) 13.2.0", "13.2.0"),
    ],
)
def test_compilers_may_name_their_version_without_a_dot(printed: str, version: str) -> None:
    """Debian's mingw-w64 does; its target's digits are no version."""
    found = VERSION.search(printed) or PLAIN_VERSION.search(printed)
    assert found is not None
    assert found.group() == version
