"""The steps of a test job under wine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.test_steps import test_steps
from wheelworks.wine_tests import under_wine

if TYPE_CHECKING:
    from wheelworks.plan import Step


def _wine_steps() -> dict[str, Step]:
    steps = under_wine(
        test_steps(
            system="windows",
            uv="/opt/uv",
            interpreter="/opt/win/python.exe",
            requirements=("pytest>=8",),
            extras=("test",),
            import_names=("rpds",),
            commands=("pytest {project}/tests -k 'not pty'",),
            environment={"WINEDEBUG": "+relay"},
            environment_pass=(),
            timeout_seconds=900.0,
            project_folder=".",
        ),
        wine="/usr/bin/wine",
        interpreter="/opt/win/python.exe",
        timeout_factor=5,
    )
    return {step.name: step for step in steps}


def test_wine_gets_an_environment_that_the_windows_python_makes() -> None:
    """Uv makes none for another system."""
    steps = _wine_steps()
    python = r"Z:{scratch}\env\Scripts\python.exe"
    assert steps["environment"].argv == (
        "/usr/bin/wine", "/opt/win/python.exe", "-m", "venv", r"Z:{scratch}\env",
    )  # fmt: skip
    assert steps["install"].argv == (
        "/usr/bin/wine", python, "-m", "pip", "install", "Z:{wheel}[test]", "pytest>=8",
    )  # fmt: skip
    assert steps["check import"].argv[:3] == ("/usr/bin/wine", python, "-I")


def test_wine_finds_the_programs_of_the_environment_by_its_own_path() -> None:
    """The host's PATH means nothing to it."""
    step = _wine_steps()["test"]
    assert step.argv == (
        "/usr/bin/wine", "pytest", r"Z:{scratch}\project/tests", "-k", "not pty",
    )  # fmt: skip
    assert step.path_prepend == ()
    assert step.env["WINEPATH"] == r"Z:{scratch}\env\Scripts"
    assert step.env["WHEELWORKS_GUARD_PREFIX"] == r"Z:{scratch}\env"
    assert step.cwd == "{scratch}/project"
    assert step.timeout_seconds == 5 * 900.0


def test_wine_has_a_prefix_of_its_own_and_asks_nobody() -> None:
    """The user's prefix stays as it is; what the user sets wins."""
    steps = _wine_steps()
    assert {step.env["WINEPREFIX"] for step in steps.values()} == {"{scratch}/wine"}
    assert steps["environment"].env["WINEDEBUG"] == "-all"
    assert steps["test"].env["WINEDEBUG"] == "+relay"
    assert steps["test"].env["WINEDLLOVERRIDES"] == "mscoree,mshtml="
