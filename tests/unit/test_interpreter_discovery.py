"""Tests of finding interpreters, with faked ones."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from fakes import Call, FakeRunner, Reply

from wheelworks.interpreter_discovery import SCRIPT, Discovery, discover, install_interpreter
from wheelworks.interpreters import parse_interpreter
from wheelworks.probe_door import ProbeCache, ProbeDoor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _python(path: Path, **answer: str) -> tuple[str, str]:
    """A file that answers as an interpreter; its path and what it prints."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    said = {
        "implementation": "cpython",
        "version": "3.13.0",
        "series": "3.13",
        "threaded": "",
        "machine": "x86_64",
        "platform": "linux-x86_64",
        "bits": "64",
        "executable": str(path),
        **answer,
    }
    return str(path), json.dumps(said)


class Machine:
    """A machine with interpreters; runs none that is not there."""

    def __init__(self, home: Path, *pythons: tuple[str, str]) -> None:
        self.home = home
        self.pythons = dict(pythons)
        self.runner = FakeRunner(self.answer)

    def answer(self, call: Call) -> Reply | None:
        """What an interpreter prints for the script."""
        said = self.pythons.get(call.argv[0])
        if said is None:
            return Reply(returncode=127, stderr="pyenv: python3.13: command not found")
        assert call.argv[1:] == ("-I", "-S", "-c", SCRIPT)
        return Reply(stdout=said)

    def discover(
        self,
        *wanted: str,
        configured: Mapping[str, str] | None = None,
        cache: Path | None = None,
        machine: str = "x86_64",
    ) -> Discovery:
        """What is found with bin, then the shims on PATH."""
        path = os.pathsep.join((str(self.home / ".pyenv/shims"), str(self.home / "bin")))
        door = ProbeDoor(
            runner=self.runner,
            environ={"HOME": str(self.home), "PATH": path},
            cwd=self.home,
            cache=ProbeCache(cache),
        )
        found = discover(
            wanted, door=door, system="linux", machine=machine, configured=configured or {}
        )
        door.cache.save()
        return found


def test_an_interpreter_is_what_it_says_not_what_it_is_called(tmp_path: Path) -> None:
    """A python3.13 that is 3.12 is passed over."""
    liar = _python(tmp_path / "bin/python3.13", version="3.12.1", series="3.12")
    honest = _python(tmp_path / ".pyenv/versions/3.13.0/bin/python")
    found = Machine(tmp_path, liar, honest).discover("3.13").interpreters
    assert [(one.path, one.origin, one.version) for one in found] == [
        (honest[0], "pyenv", "3.13.0")
    ]


@pytest.mark.parametrize(
    ("spec", "file", "answer"),
    [
        ("3.14t", "python3.14t", {"version": "3.14.0", "series": "3.14", "threaded": "t"}),
        (
            "pp311",
            "pypy3.11",
            {"implementation": "pypy", "version": "3.11.13", "series": "3.11"},
        ),
        ("3.13", "python3", {}),
    ],
)
def test_every_kind_of_spec_is_recognised(
    tmp_path: Path, spec: str, file: str, answer: dict[str, str]
) -> None:
    """Free-threaded CPython, PyPy, and a name without a version."""
    machine = Machine(tmp_path, _python(tmp_path / "bin" / file, **answer))
    assert [one.spec for one in machine.discover(spec).interpreters] == [spec]


def test_only_what_is_wanted_is_started(tmp_path: Path) -> None:
    """A machine full of interpreters costs one process per wanted spec."""
    versions = ("3.11.1", "3.12.1", "3.13.0", "3.14.0")
    pythons = [
        _python(
            tmp_path / ".pyenv/versions" / version / "bin/python",
            version=version,
            series=version.rpartition(".")[0],
        )
        for version in versions
    ]
    machine = Machine(tmp_path, *pythons)
    machine.discover("3.12")
    assert [call.argv[0] for call in machine.runner.calls] == [pythons[1][0]]
    assert machine.discover().interpreters == ()


def test_known_interpreters_start_nothing_in_a_later_run(tmp_path: Path) -> None:
    """The answers are remembered by path, size and time."""
    machine = Machine(tmp_path, _python(tmp_path / "bin/python3.13"))
    first = machine.discover("3.13", cache=tmp_path / "cache")
    machine.runner.calls.clear()
    assert machine.discover("3.13", cache=tmp_path / "cache") == first
    assert machine.runner.calls == []


def test_a_failing_shim_is_ignored(tmp_path: Path) -> None:
    """Pyenv's shim fails when the version is not chosen in the folder."""
    (tmp_path / ".pyenv/shims").mkdir(parents=True)
    (tmp_path / ".pyenv/shims/python3.13").write_text("#!/bin/sh\n")
    discovery = Machine(tmp_path).discover("3.13")
    assert discovery.interpreters == ()
    assert [spec for spec, _ in discovery.problems] == ["3.13"]


def test_a_working_shim_is_resolved_and_never_remembered(tmp_path: Path) -> None:
    """What a shim starts can change without the shim, so its real interpreter is named."""
    real = _python(tmp_path / "opt/python3.13")
    shim = _python(tmp_path / ".pyenv/shims/python3.13", executable=real[0])
    machine = Machine(tmp_path, shim)
    found = machine.discover("3.13", cache=tmp_path / "cache").interpreters
    assert [one.path for one in found] == [real[0]]
    before = len(machine.runner.calls)
    machine.discover("3.13", cache=tmp_path / "cache")
    assert shim[0] in [call.argv[0] for call in machine.runner.calls[before:]]


def test_a_virtual_environment_is_resolved_to_its_base(tmp_path: Path) -> None:
    """The environment that is active now may be gone tomorrow."""
    base = _python(tmp_path / "usr/bin/python3.13")
    venv = _python(tmp_path / "bin/python3.13", executable=base[0])
    found = Machine(tmp_path, venv).discover("3.13").interpreters
    assert [one.path for one in found] == [base[0]]


def test_an_unknown_executable_leaves_the_candidate(tmp_path: Path) -> None:
    """An interpreter that does not know its file is known by the one that was started."""
    python = _python(tmp_path / "bin/python3.13", executable="")
    assert Machine(tmp_path, python).discover("3.13").interpreters[0].path == python[0]


def test_another_architecture_stays_beside_the_machines_own(tmp_path: Path) -> None:
    """A Mac with Rosetta can test with both; the search ends at the native one."""
    foreign = _python(tmp_path / "bin/python3.13", machine="x86_64")
    own = _python(tmp_path / ".pyenv/versions/3.13.0/bin/python", machine="arm64")
    unused = _python(tmp_path / ".pyenv/versions/3.12.0/bin/python", machine="arm64")
    machine = Machine(tmp_path, foreign, own, unused)
    found = machine.discover("3.13", machine="aarch64").interpreters
    assert [one.machine for one in found] == ["x86_64", "arm64"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"bits": "32"}, "i686"),
        ({"machine": "aarch64", "bits": "32"}, "armv7l"),
        ({"machine": "AMD64", "platform": "win-amd64"}, "amd64"),
        ({"machine": "ARM64", "platform": "win-amd64"}, "amd64"),
        ({"machine": "AMD64", "platform": "win32", "bits": "32"}, "x86"),
        ({"machine": "PPC64LE"}, "ppc64le"),
    ],
)
def test_the_interpreters_own_width_and_architecture_count(
    tmp_path: Path, answer: dict[str, str], expected: str
) -> None:
    """A 32-bit Python on a 64-bit kernel, and an emulated one, load other wheels."""
    python = _python(tmp_path / "bin/python3.13", **answer)
    assert Machine(tmp_path, python).discover("3.13").interpreters[0].machine == expected


def test_a_configured_interpreter_outranks_all_places(tmp_path: Path) -> None:
    """The path may be relative to the project."""
    named = _python(tmp_path / "opt/python")
    other = _python(tmp_path / "bin/python3.13")
    machine = Machine(tmp_path, named, other)
    found = machine.discover("3.13", configured={"3.13": "opt/python"}).interpreters
    assert [(one.path, one.origin) for one in found] == [(named[0], "configuration")]


@pytest.mark.parametrize(
    ("configured", "words"),
    [("gone", "no interpreter that runs"), ("bin/python3.12", "is 3.12")],
)
def test_a_wrong_configured_interpreter_is_a_problem_and_not_replaced(
    tmp_path: Path, configured: str, words: str
) -> None:
    """Silently taking another one would hide the mistake."""
    old = _python(tmp_path / "bin/python3.12", version="3.12.1", series="3.12")
    good = _python(tmp_path / "bin/python3.13")
    discovery = Machine(tmp_path, old, good).discover("3.13", configured={"3.13": configured})
    assert discovery.interpreters == ()
    assert words in discovery.problems[0][1]


@pytest.mark.parametrize("said", ["", "Python 3.13", "[]", '{"version": "3.13.0"}'])
def test_nonsense_is_no_interpreter(tmp_path: Path, said: str) -> None:
    """A program of that name may print anything."""
    python = (_python(tmp_path / "bin/python3.13")[0], said)
    assert Machine(tmp_path, python).discover("3.13").interpreters == ()


def test_other_implementations_are_passed_over(tmp_path: Path) -> None:
    """GraalPy has no spec here."""
    python = _python(tmp_path / "bin/python3.13", implementation="graalpy")
    assert Machine(tmp_path, python).discover("3.13").interpreters == ()


def _install(tmp_path: Path, reply: Reply, *, lands: bool) -> tuple[object, FakeRunner]:
    home = tmp_path / "uv"
    python = _python(
        home / "cpython-3.14.0+freethreaded-linux-x86_64-gnu/bin/python3.14t",
        version="3.14.0",
        series="3.14",
        threaded="t",
    )
    machine = Machine(tmp_path, *([python] if lands else []))

    def answer(call: Call) -> Reply | None:
        return reply if call.argv[0] == "/opt/uv" else machine.answer(call)

    runner = FakeRunner(answer)
    environ = {"UV_PYTHON_INSTALL_DIR": str(home), "UV_PYTHON": "3.9", "PATH": ""}
    door = ProbeDoor(runner=runner, environ=environ, cwd=tmp_path)
    found = install_interpreter(
        parse_interpreter("3.14t"),
        door=door,
        system="linux",
        machine="x86_64",
        uv="/opt/uv",
        provision="always",
    )
    return getattr(found, "path", found), runner


def test_uv_installs_a_missing_interpreter(tmp_path: Path) -> None:
    """The user's own bin folder is left alone, and what was installed is found."""
    found, runner = _install(tmp_path, Reply(), lands=True)
    assert str(found).endswith("/bin/python3.14t")
    assert runner.calls[0].argv == ("/opt/uv", "python", "install", "3.14t")
    assert runner.calls[0].env["UV_PYTHON_INSTALL_BIN"] == "0"
    assert "UV_PYTHON" not in runner.calls[0].env


def test_a_failed_installation_is_a_reason(tmp_path: Path) -> None:
    """The decisive line of what uv said is in it."""
    reply = Reply(returncode=1, stderr="error: Failed\n  Caused by: dns error\nmore")
    found, _ = _install(tmp_path, reply, lands=False)
    assert found == "uv python install 3.14t failed: Caused by: dns error"


def test_an_installation_without_result_is_a_reason(tmp_path: Path) -> None:
    """A uv that installs elsewhere than its folder says is told."""
    found, _ = _install(tmp_path, Reply(), lands=False)
    assert found == "uv python install 3.14t left no such interpreter in its folder"


@pytest.mark.parametrize(
    ("uv", "provision", "words"), [("/opt/uv", "never", "forbids"), (None, "ask", "no uv")]
)
def test_nothing_is_installed_without_leave_or_uv(
    tmp_path: Path, uv: str | None, provision: str, words: str
) -> None:
    """The reason says which of both is missing."""
    machine = Machine(tmp_path)
    reason = install_interpreter(
        parse_interpreter("3.14"),
        door=ProbeDoor(runner=machine.runner, environ={}, cwd=tmp_path),
        system="linux",
        machine="x86_64",
        uv=uv,
        provision="never" if provision == "never" else "ask",
    )
    assert isinstance(reason, str)
    assert words in reason
    assert machine.runner.calls == []
