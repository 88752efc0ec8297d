"""How a project's wheels are tested when the configuration does not say.

Pure: takes what the project's files say and what is configured, gives concrete values with origins,
so that nothing after the configuration has to guess. Does not look at the disk.
"""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from wheelworks.config.merge import Value
from wheelworks.config.pyproject import normalize_name, requirement_name
from wheelworks.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMES = ("test", "tests", "testing")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFacts:
    """What a project has to test with."""

    __test__ = False  # else pytest takes it for a class of tests

    groups: Mapping[str, tuple[str, ...]]
    """Dependency group -> requirements."""
    extras: Mapping[str, tuple[str, ...]]
    locations: tuple[str, ...]
    """Files and folders with tests, relative to the project, with ``/``."""
    locations_origin: str
    """Where they were named or found."""
    packaged: Mapping[str, str] = field(default_factory=dict)
    """Those of the locations that lie in the package -> their dotted names."""
    requirements: tuple[str, ...] = ()
    """What a file of requirements for tests holds."""
    requirements_origin: str = ""
    """That file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTest:
    """The options of ``[tool.wheelworks.test]`` that the project decides."""

    values: Mapping[str, Value]
    no_command_reason: str | None = None
    faults: tuple[Fault, ...] = field(default=())


def resolve_test(facts: TestFacts, configured: Mapping[str, Value]) -> ResolvedTest:
    """Concrete command, requirements, groups and extras.

    Args:
        facts: what the project has.
        configured: the values that some source gave, by dotted key.

    Returns:
        The four values with their origins, configured or default; unknown groups are faults.
    """
    extras = _named("extras", facts.extras, configured, _NAMES)
    # A `dev` group holds much that tests don't need, so it is the last resort.
    is_named = bool(extras.value or facts.requirements)
    wanted = _NAMES if is_named else (*_NAMES, "dev")
    groups = _named("groups", facts.groups, configured, wanted)
    command, reason = _command(facts, configured)
    requires = _requires(facts, configured, groups, extras, command)
    return ResolvedTest(
        values={
            "test.command": command,
            "test.requires": requires,
            "test.groups": groups,
            "test.extras": extras,
        },
        no_command_reason=reason,
        faults=(
            *_unknown("groups", "dependency group", facts.groups, groups),
            *_unknown("extras", "extra", facts.extras, extras),
        ),
    )


def _named(
    option: str,
    existing: Mapping[str, tuple[str, ...]],
    configured: Mapping[str, Value],
    wanted: Sequence[str],
) -> Value:
    """The configured names, else the first of the wanted ones that exists."""
    given = configured.get(f"test.{option}")
    if given is not None:
        return given
    by_name = {normalize_name(name): name for name in existing}
    found = next((by_name[name] for name in wanted if name in by_name), None)
    what = "dependency group" if option == "groups" else "extra"
    if found is None:
        return Value(value=(), origin=f"default (no {what} for tests)")
    return Value(value=(found,), origin=f"default ({what} {found})")


def _command(facts: TestFacts, configured: Mapping[str, Value]) -> tuple[Value, str | None]:
    given = configured.get("test.command")
    if given is not None and given.value:
        return given, None
    if given is not None:
        return Value(value=None, origin=given.origin), f"the command is empty in {given.origin}"
    if not facts.locations:
        reason = "there is no folder tests or test, and pytest's configuration names no testpaths"
        return Value(value=None, origin=f"default ({reason})"), reason
    # The package is kept away from the copied project, so tests in it are those of the wheel.
    pyargs = ("--pyargs",) if facts.packaged else ()
    command = " ".join(("pytest", *pyargs, *(_place(facts, place) for place in facts.locations)))
    return Value(value=(command,), origin=f"default ({facts.locations_origin})"), None


def _place(facts: TestFacts, place: str) -> str:
    """The argument of pytest for a location."""
    if place in facts.packaged:
        return facts.packaged[place]
    return "{project}" if place == "." else "{project}/" + shlex.quote(place)


def _requires(
    facts: TestFacts,
    configured: Mapping[str, Value],
    groups: Value,
    extras: Value,
    command: Value,
) -> Value:
    """The configured requirements, and pytest where the command needs it and nobody names it."""
    given = configured.get("test.requires") or _default_requires(facts, groups, extras)
    requires = cast("tuple[str, ...]", given.value)
    commands = cast("tuple[str, ...] | None", command.value) or ()
    if not any("pytest" in shlex.split(line) for line in commands):
        return given
    chosen = [
        *requires,
        *_requirements_of(groups, facts.groups),
        *_requirements_of(extras, facts.extras),
    ]
    names = [requirement_name(requirement) or "" for requirement in chosen]
    if any(name == "pytest" or name.startswith("pytest-") for name in names):
        return given
    origin = f"{given.origin} (pytest added, because the command starts it)"
    return Value(value=(*requires, "pytest"), origin=origin)


def _default_requires(facts: TestFacts, groups: Value, extras: Value) -> Value:
    """The file of requirements, for projects that name no group and no extra."""
    if groups.value or extras.value or not facts.requirements:
        return Value(value=(), origin="default")
    return Value(value=facts.requirements, origin=f"default ({facts.requirements_origin})")


def _requirements_of(chosen: Value, existing: Mapping[str, tuple[str, ...]]) -> list[str]:
    wanted = {normalize_name(name) for name in cast("tuple[str, ...]", chosen.value)}
    return [
        requirement
        for name, requirements in existing.items()
        if normalize_name(name) in wanted
        for requirement in requirements
    ]


def _unknown(
    option: str, what: str, existing: Mapping[str, tuple[str, ...]], chosen: Value
) -> tuple[Fault, ...]:
    known = {normalize_name(name) for name in existing}
    return tuple(
        Fault(
            key=f"tool.wheelworks.test.{option}",
            origin=chosen.origin,
            message=f"the project has no {what} {name!r}",
            hint=_near(name, tuple(existing), what),
        )
        for name in cast("tuple[str, ...]", chosen.value)
        if normalize_name(name) not in known
    )


def _near(name: str, existing: tuple[str, ...], what: str) -> str:
    near = difflib.get_close_matches(name, existing, n=1)
    if near:
        return f"the nearest valid name is {near[0]}"
    return f"it has {', '.join(existing)}" if existing else f"it has no {what} at all"
