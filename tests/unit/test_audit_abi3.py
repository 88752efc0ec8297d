"""abi3audit's report as findings, and running it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import Call, FakeRunner, Reply
from wheel_samples import LINUX_TAG, an_elf, wheel_facts

from wheelworks.audit.abi3 import audit_stable_abi
from wheelworks.audit.rules_abi3 import abi3_findings

if TYPE_CHECKING:
    from wheelworks.audit.model import Finding, WheelFacts

TAG = "cp310-abi3-manylinux_2_17_x86_64"
FACTS = wheel_facts(TAG, {"demo/_demo.abi3.so": an_elf()})


def _report(*, foreign: list[str] | None = None, newer: dict[str, str] | None = None) -> str:
    result = {
        "is_abi3": not foreign,
        "is_abi3_baseline_compatible": not newer,
        "baseline": "3.10",
        "computed": "3.12",
        "non_abi3_symbols": foreign or [],
        "future_abi3_objects": newer or {},
    }
    wheel = [{"name": "_demo.abi3.so", "result": result}]
    return json.dumps({"specs": {"demo.whl": {"kind": "wheel", "wheel": wheel}}})


def _run(reply: Reply, facts: WheelFacts = FACTS) -> tuple[FakeRunner, tuple[Finding, ...]]:
    def answer(_: Call) -> Reply:
        return reply

    runner = FakeRunner(answer)
    findings = audit_stable_abi(
        facts, runner=runner, program="/tools/abi3audit", env={"A": "b"}, folder=Path("/tmp")
    )
    return runner, findings


def test_a_clean_report_has_no_finding() -> None:
    """Nothing is said of a wheel that keeps its promise."""
    assert abi3_findings(_report(), FACTS) == ()


def test_symbols_outside_the_stable_abi_are_named() -> None:
    """The finding names the member as the archive does, and the symbols."""
    (found,) = abi3_findings(_report(foreign=["_PyThing", "PyOther"]), FACTS)
    assert (found.rule, found.file, found.symbol) == ("W090", "demo/_demo.abi3.so", "PyOther")
    assert found.message == "PyOther, _PyThing are not part of the stable ABI"


def test_many_symbols_are_summed_up() -> None:
    """Five names are enough to find the cause."""
    (found,) = abi3_findings(_report(foreign=[f"Py{letter}" for letter in "ABCDEFG"]), FACTS)
    assert found.message == "PyA, PyB, PyC, PyD, PyE and 2 more are not part of the stable ABI"


def test_newer_symbols_are_named_with_their_version() -> None:
    """The hint names the feature that raises the floor."""
    (found,) = abi3_findings(_report(newer={"PyType_GetDict": "3.12"}), FACTS)
    assert found.rule == "W091"
    assert found.message == "PyType_GetDict (since 3.12) is newer than Python 3.10 of the tag"
    assert "abi3-py312" in found.hint


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"specs": []}', '{"specs": {"a": {"wheel": [{"name": "x"}]}}}', "3"]
)
def test_a_report_of_another_shape_is_no_pass(text: str) -> None:
    """What can't be read proves nothing."""
    (found,) = abi3_findings(text, FACTS)
    assert found.rule == "W092"
    assert "its report can't be read" in found.message


def test_the_tool_is_run_on_the_wheel() -> None:
    """Strictly, with a report, in the environment that was given."""
    runner, findings = _run(Reply(stdout=_report()))
    (call,) = runner.calls
    assert call.argv == ("/tools/abi3audit", "--strict", "--report", FACTS.path)
    assert dict(call.env) == {"A": "b"}
    assert findings == ()


def test_findings_come_with_exit_code_1() -> None:
    """A failing tool with a report is a result."""
    _, findings = _run(Reply(stdout=_report(foreign=["_PyThing"]), returncode=1))
    assert [found.rule for found in findings] == ["W090"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(start_error="no such program"), "no such program"),
        (Reply(timed_out=True, returncode=None), "longer than 300 s"),
        (Reply(cancelled=True, returncode=None), "it was stopped"),
        (Reply(returncode=1), "code 1"),
    ],
)
def test_a_tool_without_result_refuses(reply: Reply, says: str) -> None:
    """Not knowing is not passing."""
    _, (found,) = _run(reply)
    assert found.rule == "W092"
    assert says in found.message


def test_other_wheels_are_not_given_to_the_tool() -> None:
    """A version-specific wheel has no stable ABI to check."""
    runner, findings = _run(Reply(), wheel_facts(LINUX_TAG))
    assert runner.calls == []
    assert findings == ()


def test_the_free_threaded_stable_abi_is_said_to_be_unchecked() -> None:
    """abi3audit looks for abi3 only."""
    runner, findings = _run(Reply(), wheel_facts("cp315-abi3t-manylinux_2_17_x86_64"))
    assert runner.calls == []
    assert [found.rule for found in findings] == ["W093"]
