"""Rules about the stable ABI: abi3audit's report as findings.

Takes the text of the report, gives findings. Pure; ``abi3.py`` runs the tool.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict

from wheelworks.audit.rules import finding
from wheelworks.audit.subject import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks.audit.model import Finding, WheelFacts

_SHOWN = 5


class _Result(TypedDict):
    baseline: str
    computed: str
    non_abi3_symbols: list[str]
    future_abi3_objects: dict[str, str]


class _Object(TypedDict):
    name: str
    result: _Result


class _Spec(TypedDict):
    wheel: list[_Object]


class _Report(TypedDict):
    specs: dict[str, _Spec]


def needs_abi3audit(facts: WheelFacts) -> bool:
    """Whether a tag of the wheel promises the stable ABI."""
    return any(abi == "abi3" for _, abi, _ in facts.tags)


def check_unjudged_abi(facts: WheelFacts) -> Iterator[Finding]:
    """The stable ABI of free-threaded builds, which abi3audit does not know."""
    if any(abi == "abi3t" for _, abi, _ in facts.tags):
        yield finding(
            "W093",
            file=facts.file_name,
            symbol="abi3t",
            message="the symbols were not held to the abi3t tag",
            hint="import it on the oldest and the newest free-threaded interpreter that it serves",
        )


def abi3_findings(report: str, facts: WheelFacts) -> tuple[Finding, ...]:
    """What abi3audit found.

    Args:
        report: what ``abi3audit --report`` printed on stdout.
        facts: the wheel's, to name members as the archive does.
    """
    try:
        parsed: _Report = json.loads(report)
        objects = [found for spec in parsed["specs"].values() for found in spec["wheel"]]
        findings = [found for object_ in objects for found in _object_findings(object_, facts)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return (unjudged(facts, f"its report can't be read ({type(error).__name__}: {error})"),)
    return tuple(findings)


def unjudged(facts: WheelFacts, reason: str) -> Finding:
    """The finding when abi3audit came to no result.

    Args:
        facts: the wheel's.
        reason: a fragment that follows "abi3audit gave no result: ".
    """
    return finding(
        "W092",
        file=facts.file_name,
        message=f"abi3audit gave no result: {reason}",
        hint=f"run `abi3audit --strict --verbose {facts.file_name}` to see more",
    )


def _object_findings(object_: _Object, facts: WheelFacts) -> Iterator[Finding]:
    """Findings of one extension module."""
    members = (native.name for native in facts.natives)
    file = next((name for name in members if base_name(name) == object_["name"]), object_["name"])
    result = object_["result"]
    foreign = sorted(result["non_abi3_symbols"])
    if foreign:
        yield finding(
            "W090",
            file=file,
            symbol=foreign[0],
            message=f"{_some(foreign)} not part of the stable ABI",
            hint="enable pyo3's `abi3` feature in every crate that uses pyo3, or build "
            "version-specific wheels",
        )
    newer = sorted(result["future_abi3_objects"].items())
    if newer:
        names = [f"{name} (since {version})" for name, version in newer]
        computed = "".join(result["computed"].split("."))
        yield finding(
            "W091",
            file=file,
            symbol=newer[0][0],
            message=f"{_some(names)} newer than Python {result['baseline']} of the tag",
            hint=f"raise the floor to pyo3's feature abi3-py{computed}, or avoid these functions",
        )


def _some(names: list[str]) -> str:
    """The first names with a verb: ``A is``, ``A, B are``, ``A, B and 3 more are``."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more} {'is' if len(names) == 1 else 'are'}"
