"""Tests of installing tools, with faked installers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import Call, FakeRunner, Reply
from filelock import FileLock

from wheelworks.errors import InterruptedRunError, MissingResourceError
from wheelworks.process import Cancellation, CommandResult
from wheelworks.tool_install import (
    MARKER_FILE,
    decisive_line,
    installed_versions,
    provide,
    provided_version,
)
from wheelworks.tools import default_request, tool_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelworks.plan import ToolRequest

MATURIN = default_request("maturin")


def _installer(tools: Path, *, version: str = "1.16.0") -> Callable[[Call], Reply]:
    """Programs that make the environment and put maturin into it."""

    def answer(call: Call) -> Reply:
        folder = Path(tool_environment(tools, MATURIN).folder)
        if "venv" in call.argv or "virtualenv" in call.argv:
            assert not folder.exists()
            (folder / "bin").mkdir(parents=True)
            (folder / "bin/python").write_text("")
        else:
            metadata = folder / f"lib/python3.11/site-packages/maturin-{version}.dist-info"
            metadata.mkdir(parents=True)
            (metadata / "METADATA").write_text(f"Name: maturin\nVersion: {version}\n")
        return Reply()

    return answer


def _provide(
    tools: Path, runner: FakeRunner, *, uv: str | None = None, request: ToolRequest = MATURIN
) -> None:
    provide(request, runner, tools_dir=tools, environ={"PATH": "", "PIP_TARGET": "/x"}, uv=uv)


def test_a_tool_is_installed_once_with_hashes(tmp_path: Path) -> None:
    """The second time its marker says that all is there, and nothing is started."""
    runner = FakeRunner(_installer(tmp_path))
    _provide(tmp_path, runner)
    made, installed = runner.calls
    assert made.argv[:3] == (sys.executable, "-m", "virtualenv")
    assert installed.argv[1:4] == ("-m", "pip", "install")
    assert "--require-hashes" in installed.argv
    assert installed.argv[-1].endswith("maturin.txt")
    assert "PIP_TARGET" not in installed.env
    _provide(tmp_path, runner)
    assert len(runner.calls) == 2
    assert provided_version(tool_environment(tmp_path, MATURIN)) == "1.16.0"


def test_uv_is_used_where_there_is_one(tmp_path: Path) -> None:
    """With the same hashes."""
    runner = FakeRunner(_installer(tmp_path))
    _provide(tmp_path, runner, uv="/opt/uv")
    made, installed = (call.argv for call in runner.calls)
    assert made[:2] == ("/opt/uv", "venv")
    assert installed[:3] == ("/opt/uv", "pip", "install")
    assert "--require-hashes" in installed


def test_an_unpinned_tool_is_installed_from_its_requirement(tmp_path: Path) -> None:
    """There are no hashes for a version that the project demands."""
    request = default_request("maturin", "<1.9")
    runner = FakeRunner(lambda call: Reply(returncode=1))
    with pytest.raises(MissingResourceError):
        _provide(tmp_path, runner, request=request)

    def answer(call: Call) -> Reply:
        folder = Path(tool_environment(tmp_path, request).folder)
        metadata = folder / "lib/python3.11/site-packages/maturin-1.8.7.dist-info"
        metadata.mkdir(parents=True, exist_ok=True)
        (metadata / "METADATA").write_text("Name: maturin\nVersion: 1.8.7\n")
        return Reply()

    runner = FakeRunner(answer)
    _provide(tmp_path, runner, request=request)
    assert runner.calls[-1].argv[-1] == "maturin<1.9"
    assert "--require-hashes" not in runner.calls[-1].argv


def test_an_incomplete_environment_is_made_anew(tmp_path: Path) -> None:
    """What an interrupted installation left has no marker and is removed."""
    folder = Path(tool_environment(tmp_path, MATURIN).folder)
    folder.mkdir(parents=True)
    (folder / "leftover").write_text("")
    _provide(tmp_path, FakeRunner(_installer(tmp_path)))
    assert not (folder / "leftover").exists()
    assert json.loads((folder / MARKER_FILE).read_text()) == {"versions": {"maturin": "1.16.0"}}


def test_an_environment_whose_base_python_is_gone_is_incomplete(tmp_path: Path) -> None:
    """After an upgrade of Python the link in its bin folder leads nowhere."""
    _provide(tmp_path, FakeRunner(_installer(tmp_path)))
    environment = tool_environment(tmp_path, MATURIN)
    Path(environment.python).unlink()
    Path(environment.python).symlink_to(tmp_path / "gone")
    assert provided_version(environment) is None


@pytest.mark.parametrize("marker", ["", "[]", '{"versions": {}}', '{"versions": 3}'])
def test_a_torn_marker_is_none(tmp_path: Path, marker: str) -> None:
    """The tool is then installed again."""
    environment = tool_environment(tmp_path, MATURIN)
    Path(environment.folder).mkdir()
    Path(environment.folder, MARKER_FILE).write_text(marker)
    assert provided_version(environment) is None


def test_a_failed_installation_names_tool_and_cause_and_leaves_no_marker(tmp_path: Path) -> None:
    """The error ends the run with 4."""
    reply = Reply(
        returncode=1,
        stderr="WARNING: Retrying ... Temporary failure in name resolution\n"
        "ERROR: Could not find a version that satisfies the requirement\n"
        "ERROR: No matching distribution found for maturin==1.16.0",
    )
    with pytest.raises(MissingResourceError) as caught:
        _provide(tmp_path, FakeRunner(lambda call: reply))
    assert caught.value.exit_code == 4
    assert caught.value.message.startswith("maturin==1.16.0 could not be installed: ")
    assert "name resolution" in caught.value.message
    assert provided_version(tool_environment(tmp_path, MATURIN)) is None


def test_an_installer_that_installs_nothing_is_caught(tmp_path: Path) -> None:
    """Success is what lies in the environment, not an exit code."""

    def answer(call: Call) -> Reply:
        Path(tool_environment(tmp_path, MATURIN).folder).mkdir(exist_ok=True)
        return Reply()

    with pytest.raises(MissingResourceError, match="is missing from"):
        _provide(tmp_path, FakeRunner(answer))


def test_an_interrupted_installation_is_an_interrupt(tmp_path: Path) -> None:
    """It is no missing tool."""
    with pytest.raises(InterruptedRunError):
        _provide(tmp_path, FakeRunner(lambda call: Reply(returncode=None, cancelled=True)))


def test_an_interrupt_ends_the_waiting_for_another_run(tmp_path: Path) -> None:
    """Another run that installs the same tool holds its lock."""
    folder = Path(tool_environment(tmp_path, MATURIN).folder)
    cancellation = Cancellation()
    cancellation.request()
    with (
        FileLock(folder.with_name(folder.name + ".lock")),
        pytest.raises(InterruptedRunError, match="another run installs"),
    ):
        provide(
            MATURIN,
            FakeRunner(_installer(tmp_path)),
            tools_dir=tmp_path,
            environ={},
            cancellation=cancellation,
        )


def test_a_folder_that_cannot_be_made_is_a_missing_resource(tmp_path: Path) -> None:
    """The home folder may be read-only."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingResourceError, match="can't be installed into"):
        _provide(tmp_path / "file" / "tools", FakeRunner(_installer(tmp_path)))


def test_versions_are_read_from_metadata(tmp_path: Path) -> None:
    """Windows' layout too, and names are normalised."""
    metadata = tmp_path / "Lib/site-packages/Ruamel.Yaml-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Name: Ruamel.Yaml\nVersion: 1.0\n")
    assert installed_versions(tmp_path) == {"ruamel-yaml": "1.0"}


def _result(*tail: str, **more: object) -> CommandResult:
    return CommandResult(
        argv=("pip",),
        returncode=1,
        seconds=12.4,
        timed_out=bool(more.get("timed_out")),
        cancelled=False,
        stdout="",
        tail=tail,
        start_error="no such file" if more.get("start_error") else None,
    )


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (_result("a", "error: no such version", "hint: look"), "error: no such version"),
        (
            _result("error: no solution found", "  ╰─▶ Because there is no x"),
            "╰─▶ Because there is no x",
        ),
        (
            _result("OSError: [Errno 28] No space left on device", "ERROR: x"),
            "OSError: [Errno 28] No space left on device",
        ),
        (_result("something", "  last words  ", ""), "last words"),
        (_result(), "exit code 1"),
        (_result(timed_out=True), "no end after 12 s"),
        (_result(start_error=True), "no such file"),
    ],
)
def test_the_decisive_line_says_why(result: CommandResult, line: str) -> None:
    """A cause outranks a verdict, a verdict outranks the last line."""
    assert decisive_line(result) == line
