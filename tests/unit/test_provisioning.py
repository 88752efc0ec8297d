"""Who is asked before something is installed, and interpreters that uv brings."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fakes import Call, FakeRunner, Reply

from wheelworks.provisioning import Consent, InterpreterInstaller
from wheelworks.toolchains import FoundTool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelworks.config.settings import Provision
    from wheelworks.toolchains import HostFacts

UV = FoundTool(path="/usr/bin/uv", version="0.13.9", size=1, mtime_ns=1)


class Person:
    """Somebody who answers, and hears what is said."""

    def __init__(self, *, answer: bool = True) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.heard: list[str] = []

    def ask(self, question: str) -> bool:
        """Answer."""
        self.asked.append(question)
        return self.answer


def consent(person: Person, provision: Provision, *, is_there: bool = True) -> Consent:
    """What the person, if there is one, allows."""
    return Consent(
        provision=provision, ask=person.ask if is_there else None, say=person.heard.append
    )


@pytest.mark.parametrize(
    ("provision", "is_there", "answer", "allowed", "asked", "heard"),
    [
        ("never", True, True, False, [], []),
        ("always", True, False, True, [], ["installing zig, uv"]),
        ("ask", True, True, True, ["install zig, uv?"], []),
        ("ask", True, False, False, ["install zig, uv?"], []),
        ("ask", False, False, True, [], ["installing zig, uv"]),
    ],
)
def test_consent(
    provision: Provision,
    is_there: bool,
    answer: bool,
    allowed: bool,
    asked: list[str],
    heard: list[str],
) -> None:
    """Never is never; whoever can be asked is; what nobody was asked about is announced."""
    person = Person(answer=answer)
    assert consent(person, provision, is_there=is_there).allows(["zig", "uv"]) == allowed
    assert (person.asked, person.heard) == (asked, heard)


def installer(runner: FakeRunner, tmp_path: Path, person: Person) -> InterpreterInstaller:
    """An installer that asks the person."""
    return InterpreterInstaller(
        runner=runner,
        environ={
            "PATH": "/usr/bin",
            "HOME": str(tmp_path),
            "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uv"),
        },
        project_root=tmp_path,
        tools_dir=tmp_path / "tools",
        consent=consent(person, "ask"),
    )


def test_nothing_missing_asks_nobody(tmp_path: Path, hosts: Mapping[str, HostFacts]) -> None:
    """And starts nothing."""
    person, runner = Person(), FakeRunner(lambda _: None)
    host = hosts["linux_x86_64"]
    assert installer(runner, tmp_path, person).complete(host, ()) is host
    assert (person.asked, runner.calls) == ([], [])


def test_a_no_leaves_the_host_as_it_is(tmp_path: Path, hosts: Mapping[str, HostFacts]) -> None:
    """The tests of that interpreter are unavailable then."""
    person, runner = Person(answer=False), FakeRunner(lambda _: None)
    host = hosts["linux_x86_64"]
    assert installer(runner, tmp_path, person).complete(host, ("3.14",)) is host
    assert person.asked == ["install Python 3.14 (with uv)?"]
    assert runner.calls == []


def test_uv_brings_what_it_can_and_the_rest_has_its_reason(
    tmp_path: Path, hosts: Mapping[str, HostFacts]
) -> None:
    """One failing download does not cost the other interpreter."""
    python = tmp_path / "uv/cpython-3.14.0-linux-x86_64-gnu/bin/python3.14"

    def answer(call: Call) -> Reply | None:
        if call.argv[0] == str(python):
            facts = {
                "implementation": "cpython",
                "version": "3.14.0",
                "series": "3.14",
                "threaded": "",
                "machine": "x86_64",
                "platform": "linux-x86_64",
                "bits": "64",
                "executable": str(python),
            }
            return Reply(stdout=json.dumps(facts))
        if any("3.15" in word for word in call.argv):
            return Reply(returncode=2, stderr="error: no download found for 3.15")
        python.parent.mkdir(parents=True)
        python.touch(mode=0o755)
        return Reply()

    host = replace(hosts["linux_x86_64"], uv=UV, interpreter_problems=(("3.15", "not on PATH"),))
    completed = installer(FakeRunner(answer), tmp_path, Person()).complete(host, ("3.14", "3.15"))
    assert [one.spec for one in completed.interpreters][-1] == "3.14"
    (problem,) = completed.interpreter_problems
    assert problem[0] == "3.15"
    assert problem[1].startswith("not on PATH; ")
    assert "no download found" in problem[1]


def test_without_uv_the_reason_is_that_of_uv(
    tmp_path: Path, hosts: Mapping[str, HostFacts]
) -> None:
    """Uv is a tool that is installed first; no network, no uv, no interpreter."""

    def answer(_: Call) -> Reply:
        return Reply(returncode=1, stderr="error: Connection refused")

    host = replace(hosts["linux_x86_64"], uv=None)
    completed = installer(FakeRunner(answer), tmp_path, Person()).complete(host, ("3.14",))
    assert completed.interpreters == host.interpreters
    assert "Connection refused" in dict(completed.interpreter_problems)["3.14"]
