"""The tasks for projects that use invoke."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from wheelworks import invoke as wheelworks_invoke
from wheelworks.invoke import collection

if TYPE_CHECKING:
    from collections.abc import Sequence


class FakeMain:
    """The command line: notes its arguments and gives a code."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.code = 0

    def __call__(self, argv: Sequence[str]) -> int:
        """Note the arguments."""
        self.calls.append(list(argv))
        return self.code


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> FakeMain:
    """The command line's stand-in."""
    fake = FakeMain()
    monkeypatch.setattr(wheelworks_invoke, "main", fake)
    return fake


def test_the_tasks_are_named_as_the_sessions_are() -> None:
    """Both front ends offer the same words."""
    assert set(collection().tasks) == {"wheels", "sdist", "test", "audit", "doctor"}


def test_the_prefix_goes_before_every_name() -> None:
    """A project with a task named ``test`` can still have ours."""
    assert set(collection(prefix="ww-").tasks) == {
        *("ww-wheels", "ww-sdist", "ww-test", "ww-audit", "ww-doctor")
    }


@pytest.mark.parametrize(
    ("task", "options", "expected"),
    [
        ("wheels", {"args": "'cp31{2,3}-*' -v"}, ["build", "cp31{2,3}-*", "-v"]),
        ("sdist", {}, ["build", "--sdist-only"]),
        ("test", {"python": "3.13"}, ["test", "--python", "3.13"]),
        ("test", {"args": "--strict"}, ["test", "--strict"]),
        ("audit", {"args": "'a b.whl'"}, ["audit", "a b.whl"]),
        ("doctor", {"args": "--fix"}, ["doctor", "--fix"]),
    ],
)
def test_a_task_runs_the_command_line_once(
    main: FakeMain, task: str, options: dict[str, str], expected: list[str]
) -> None:
    """Arguments are split as a shell splits them, and no shell expands their patterns."""
    collection()[task](Context(), **options)
    assert main.calls == [expected]


def test_the_exit_code_is_invokes(main: FakeMain) -> None:
    """A refused wheel ends invoke with 5, not with 1."""
    main.code = 5
    with pytest.raises(Exit) as caught:
        collection()["audit"](Context())
    assert caught.value.code == 5


@pytest.mark.starts_processes
def test_without_invoke_the_extra_is_named() -> None:
    """The error says what to install."""
    package_parent = str(Path(wheelworks_invoke.__file__).parents[1])
    code = (
        "import sys\n"
        f"sys.path.insert(0, {package_parent!r})\n"
        "sys.modules['invoke'] = None\n"
        "import wheelworks.invoke\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert 'install "wheelworks[invoke]"' in done.stderr
