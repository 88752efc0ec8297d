"""TOML, environment and flags give entries with origins, and faults for what nobody knows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wheelworks.config.sources import (
    Source,
    caller_environment,
    environment_source,
    flag_source,
    near_miss,
    read_toml,
    toml_source,
)
from wheelworks.errors import ConfigurationError

PATH = Path("pyproject.toml")


def hints(source: Source) -> dict[str, str | None]:
    """The hint of each fault by its key."""
    return {fault.key: fault.hint for fault in source.faults}


def test_toml_keys_become_dotted() -> None:
    """A key of the table ``test`` is known by its dotted name, with file and full key."""
    source = toml_source({"jobs": 2, "test": {"command": "x"}}, path=PATH)
    assert [(entry.key, entry.raw, entry.label, entry.origin) for entry in source.entries] == [
        ("jobs", 2, "tool.wheelworks.jobs", "pyproject.toml"),
        ("test.command", "x", "tool.wheelworks.test.command", "pyproject.toml"),
    ]
    assert not source.faults


def test_unknown_keys_are_faults_with_the_nearest_name() -> None:
    """A mistyped, misplaced or badly spelled key is named with what was meant."""
    source = toml_source(
        {
            "pyhtons": [],
            "snapshot_git": "auto",
            "requires": [],
            "override": [],
            "zzz": 1,
            "test.command": "x",
            "test": {"comand": "x"},
        },
        path=PATH,
    )
    assert hints(source) == {
        "tool.wheelworks.pyhtons": "the nearest valid name is pythons",
        "tool.wheelworks.snapshot_git": "the nearest valid name is snapshot-git",
        "tool.wheelworks.requires": "the nearest valid name is test.requires",
        "tool.wheelworks.override": "the nearest valid name is overrides",
        "tool.wheelworks.zzz": None,
        "tool.wheelworks.test.command": "the nearest valid name is test.command",
        "tool.wheelworks.test.comand": "the nearest valid name is test.command",
    }
    assert not source.entries


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ([], "tool.wheelworks"),
        ({"test": "pytest"}, "tool.wheelworks.test"),
        ({"overrides": {}}, "tool.wheelworks.overrides"),
    ],
)
def test_a_wrong_kind_of_table_is_a_fault(section: object, key: str) -> None:
    """Tables that are none do not get past the source."""
    assert [fault.key for fault in toml_source(section, path=PATH).faults] == [key]


def test_no_section_says_nothing() -> None:
    """A project without a section has neither entries nor faults."""
    assert toml_source(None, path=PATH) == Source()


def test_variables_become_entries_of_text() -> None:
    """Only our prefix counts, and the origin names the variable."""
    source = environment_source({"WHEELWORKS_TEST_COMMAND": "x", "PATH": "/bin"})
    (entry,) = source.entries
    assert (entry.key, entry.raw, entry.is_text) == ("test.command", "x", True)
    assert entry.origin == "environment variable WHEELWORKS_TEST_COMMAND"


def test_an_unknown_variable_is_a_fault() -> None:
    """A mistyped variable does not pass unseen; those of our own plugin do."""
    source = environment_source({"WHEELWORKS_JOB": "2", "WHEELWORKS_GUARD_RESULT": "x"})
    assert hints(source) == {"WHEELWORKS_JOB": "the nearest valid name is WHEELWORKS_JOBS"}


def test_flags_become_entries() -> None:
    """Text is read like a variable's; tuples and booleans are taken as they are."""
    source = flag_source({"jobs": "2", "targets": ("win_amd64",), "sdist": False, "jobbs": "1"})
    assert [(entry.key, entry.raw, entry.is_text, entry.origin) for entry in source.entries] == [
        ("jobs", "2", True, "flag --jobs"),
        ("targets", ("win_amd64",), False, "flag --targets"),
        ("sdist", False, False, "flag --sdist"),
    ]
    assert hints(source) == {"jobbs": "the nearest valid name is jobs"}


def test_near_miss_is_silent_when_nothing_is_near() -> None:
    """A hint that leads astray is worse than none."""
    assert near_miss("qqqq", ("jobs", "test.command")) is None


def test_the_environment_is_a_copy() -> None:
    """Changing it changes nothing of this process."""
    found = dict(caller_environment())
    found["WHEELWORKS_PROBE"] = "1"
    assert "WHEELWORKS_PROBE" not in os.environ


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = ", "is no valid TOML: invalid value"),
        (b"a = '\xff'", "is not UTF-8 at byte 5"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"a = " + b"1" * 5000, "holds a number of too many digits"),
    ],
)
def test_a_broken_file_is_a_configuration_error(
    tmp_path: Path, content: bytes, message: str
) -> None:
    """The fault names the file and what is wrong with it."""
    path = tmp_path / "pyproject.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_toml(path)
    assert caught.value.faults[0].message.startswith(message)
    assert caught.value.faults[0].origin == str(path)


def test_an_unreadable_file_is_a_configuration_error(tmp_path: Path) -> None:
    """A folder in the place of a file is told, not raised as an OSError."""
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_toml(tmp_path)
