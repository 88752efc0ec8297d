"""How wheels are tested when the configuration does not say."""

from __future__ import annotations

import pytest

from wheelworks.config.merge import Value
from wheelworks.config.testing import ResolvedTest, TestFacts, resolve_test


def resolve(
    *,
    groups: dict[str, tuple[str, ...]] | None = None,
    extras: dict[str, tuple[str, ...]] | None = None,
    locations: tuple[str, ...] = ("tests",),
    requirements: tuple[str, ...] = (),
    **configured: object,
) -> ResolvedTest:
    """What is resolved for a project that has these things."""
    facts = TestFacts(
        groups=groups or {},
        extras=extras or {},
        locations=locations,
        locations_origin="folder tests",
        requirements=requirements,
        requirements_origin="test/requirements.txt",
    )
    values = {f"test.{key}": Value(value=value, origin="here") for key, value in configured.items()}
    return resolve_test(facts, values)


def value(resolved: ResolvedTest, option: str) -> object:
    """The value of an option of the table ``test``."""
    return resolved.values[f"test.{option}"].value


def origin(resolved: ResolvedTest, option: str) -> str:
    """Where that value came from."""
    return resolved.values[f"test.{option}"].origin


def test_the_test_group_is_used_and_nothing_added() -> None:
    """As rpds-py has it: pytest is in the group."""
    found = resolve(groups={"docs": (), "test": ("pytest>=9",), "dev": ()})
    assert value(found, "command") == ("pytest {project}/tests",)
    assert value(found, "groups") == ("test",)
    assert origin(found, "groups") == "default (dependency group test)"
    assert (value(found, "requires"), value(found, "extras")) == ((), ())
    assert origin(found, "command") == "default (folder tests)"
    assert found.no_command_reason is None


def test_dev_is_the_last_resort() -> None:
    """It is used where nothing is named for tests, not beside an extra for tests."""
    groups = {"dev": ("pytest-timeout",), "lint": ()}
    assert value(resolve(groups=groups), "groups") == ("dev",)
    assert value(resolve(groups=groups), "requires") == ()
    with_extra = resolve(groups=groups, extras={"Testing": ("pytest",)})
    assert value(with_extra, "groups") == ()
    assert value(with_extra, "extras") == ("Testing",)
    assert origin(with_extra, "extras") == "default (extra Testing)"


def test_a_file_of_requirements_stands_in_for_a_group() -> None:
    """It comes before the group for all of development, and after what is named for tests."""
    listed = ("faker", "pytest")
    found = resolve(requirements=listed, groups={"dev": ("ruff",)})
    assert (value(found, "requires"), value(found, "groups")) == (listed, ())
    assert origin(found, "requires") == "default (test/requirements.txt)"
    grouped = resolve(requirements=listed, groups={"test": ("pytest",)})
    assert (value(grouped, "requires"), value(grouped, "groups")) == ((), ("test",))
    with_extra = resolve(requirements=listed, extras={"test": ("pytest",)})
    assert value(with_extra, "requires") == ()
    assert value(resolve(requirements=listed, requires=("pytest<9",)), "requires") == ("pytest<9",)


def test_pytest_is_added_where_nobody_names_it() -> None:
    """A test environment without pytest could not run the command."""
    found = resolve(groups={"test": ("hypothesis",)})
    assert value(found, "requires") == ("pytest",)
    assert "pytest added" in origin(found, "requires")
    configured = resolve(requires=("hypothesis",))
    assert value(configured, "requires") == ("hypothesis", "pytest")


@pytest.mark.parametrize("command", ["python -m unittest", "stestr run"])
def test_pytest_is_not_added_for_other_commands(command: str) -> None:
    """Only a command that starts pytest needs it."""
    assert value(resolve(command=(command,)), "requires") == ()


def test_what_is_configured_stays() -> None:
    """Configured values keep their origin."""
    found = resolve(
        groups={"test": ("pytest",), "ci": ("pytest",)},
        command=("pytest -x",),
    )
    assert (value(found, "command"), origin(found, "command")) == (("pytest -x",), "here")
    chosen = resolve_test(
        TestFacts(groups={"test": (), "ci": ()}, extras={}, locations=(), locations_origin=""),
        {"test.groups": Value(value=("CI",), origin="here")},
    )
    assert chosen.values["test.groups"].value == ("CI",)
    assert chosen.faults == ()


def test_nothing_to_test_has_a_reason() -> None:
    """No folder of tests, or an empty command: None and why."""
    found = resolve(locations=())
    assert value(found, "command") is None
    assert found.no_command_reason is not None
    assert "testpaths" in found.no_command_reason
    assert value(found, "requires") == ()
    empty = resolve(command=())
    assert (value(empty, "command"), empty.no_command_reason) == (
        None,
        "the command is empty in here",
    )


def test_several_places_are_one_command() -> None:
    """The project itself, and names that a shell would split."""
    found = resolve(locations=(".", "my tests", "more"))
    assert value(found, "command") == ("pytest {project} {project}/'my tests' {project}/more",)


def test_tests_in_the_package_are_those_of_the_wheel() -> None:
    """They are named as modules, because the package is not copied."""
    facts = TestFacts(
        groups={},
        extras={},
        locations=("python/a/tests", "more"),
        locations_origin="",
        packaged={"python/a/tests": "a.tests"},
    )
    command = resolve_test(facts, {}).values["test.command"].value
    assert command == ("pytest --pyargs a.tests {project}/more",)


def test_unknown_groups_and_extras_are_faults() -> None:
    """With the nearest name, or what there is."""
    facts = TestFacts(
        groups={"test": ()}, extras={"all": (), "x": ()}, locations=(), locations_origin=""
    )
    found = resolve_test(
        facts,
        {
            "test.groups": Value(value=("tests",), origin="f"),
            "test.extras": Value(value=("qqqq",), origin="f"),
        },
    )
    assert [(fault.key, fault.message, fault.hint) for fault in found.faults] == [
        (
            "tool.wheelworks.test.groups",
            "the project has no dependency group 'tests'",
            "the nearest valid name is test",
        ),
        (
            "tool.wheelworks.test.extras",
            "the project has no extra 'qqqq'",
            "it has all, x",
        ),
    ]
    none = resolve_test(
        TestFacts(groups={}, extras={}, locations=(), locations_origin=""),
        {"test.groups": Value(value=("test",), origin="f")},
    )
    assert none.faults[0].hint == "it has no dependency group at all"
