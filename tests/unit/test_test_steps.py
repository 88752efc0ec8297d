"""Tests of the steps of a test job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheelworks import pytest_guard, test_steps
from wheelworks.test_steps import environment_python

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelworks.plan import Step
    from wheelworks.toolchains import HostSystem


def _steps(
    *,
    system: HostSystem = "linux",
    commands: Sequence[str] = ("pytest {project}/tests",),
    extras: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    environment_pass: Sequence[str] = (),
    import_names: Sequence[str] = ("rpds",),
    project_folder: str = ".",
) -> dict[str, Step]:
    steps = test_steps.test_steps(
        system=system,
        uv="/opt/uv",
        interpreter="/usr/bin/python3.13",
        requirements=("pytest>=8", "attrs"),
        extras=extras,
        import_names=import_names,
        commands=commands,
        environment=environment or {},
        environment_pass=environment_pass,
        timeout_seconds=900.0,
        project_folder=project_folder,
    )
    named = {step.name: step for step in steps}
    assert len(named) == len(steps)
    return named


def test_the_steps_make_install_check_and_test() -> None:
    """In this order, with names that are unique within the job."""
    steps = _steps(commands=("pytest a", "python -m demo"))
    assert list(steps) == ["environment", "install", "check import", "test", "test-2"]


def test_the_environment_is_made_with_the_interpreter_under_test() -> None:
    """Uv downloads no other and reads no project."""
    argv = _steps()["environment"].argv
    assert argv == (
        "/opt/uv", "venv", "--no-python-downloads", "--no-project",
        "--python", "/usr/bin/python3.13", "{scratch}/env",
    )  # fmt: skip


def test_wheel_and_requirements_are_installed_in_one_resolution() -> None:
    """So that no requirement can replace the wheel by a release of the same name."""
    argv = _steps(extras=("test", "cli"))["install"].argv
    assert argv == (
        "/opt/uv", "pip", "install", "--python", "{scratch}/env/bin/python",
        "{wheel}[test,cli]", "pytest>=8", "attrs",
    )  # fmt: skip


def test_the_import_is_checked_away_from_the_sources() -> None:
    """Isolated mode keeps the working folder and the script's own off sys.path."""
    step = _steps()["check import"]
    assert step.argv[:2] == ("{scratch}/env/bin/python", "-I")
    assert step.argv[-1] == "rpds"
    assert step.cwd == "{scratch}"


def test_commands_are_split_like_a_shell_without_one() -> None:
    """Quotes group words; a placeholder's value never splits a word."""
    argv = _steps(commands=("pytest '{project}/my tests' -k 'a or b' {python}",))["test"].argv
    assert argv == (
        "pytest",
        "{scratch}/project/my tests",
        "-k",
        "a or b",
        "{scratch}/env/bin/python",
    )


def test_other_braces_stay_as_they_are() -> None:
    """A JSON argument or a brace pattern is the user's."""
    argv = _steps(commands=("""tool '{"a": 1}' {b,c} {wheel}""",))["test"].argv
    assert argv == ("tool", '{"a": 1}', "{b,c}", "{wheel}")


def test_tests_run_in_the_copied_project_of_a_sub_folder() -> None:
    """The tree keeps its shape, so that relative paths between folders hold."""
    step = _steps(project_folder="packages/core")["test"]
    assert step.cwd == "{scratch}/project/packages/core"
    assert step.argv[1] == "{scratch}/project/packages/core/tests"


def test_programs_come_from_the_environment_first() -> None:
    """A pytest that lies elsewhere on PATH would test another Python."""
    step = _steps()["test"]
    assert step.path_prepend == ("{scratch}/env/bin",)
    assert step.env["VIRTUAL_ENV"] == "{scratch}/env"
    assert "VIRTUAL_ENV" in step.unset


def test_windows_has_its_own_layout() -> None:
    """Scripts, .exe and backslashes."""
    steps = _steps(system="windows")
    assert steps["test"].path_prepend == (r"{scratch}\env\Scripts",)
    assert environment_python("windows") == r"{scratch}\env\Scripts\python.exe"
    assert steps["test"].cwd == r"{scratch}\project"


def test_the_guard_is_active_in_every_test_command() -> None:
    """Each command has a result file of its own; users' plugins stay."""
    steps = _steps(
        commands=("pytest a", "pytest b"),
        environment={"PYTEST_PLUGINS": "mine", "DATA": "{project}/data"},
        import_names=("rpds", "other"),
    )
    first, second = steps["test"].env, steps["test-2"].env
    assert first["PYTEST_PLUGINS"] == "mine,wheelworks_pytest_guard"
    assert first["DATA"] == "{scratch}/project/data"
    assert first[pytest_guard.NAMES_VARIABLE] == "rpds,other"
    assert first[pytest_guard.PREFIX_VARIABLE] == "{scratch}/env"
    assert first[pytest_guard.RESULT_VARIABLE] != second[pytest_guard.RESULT_VARIABLE]


def test_without_users_plugins_the_guard_is_alone() -> None:
    """An empty name would be an error of pytest."""
    assert _steps()["test"].env["PYTEST_PLUGINS"] == "wheelworks_pytest_guard"


@pytest.mark.parametrize("name", ["environment", "install", "check import", "test"])
def test_no_step_is_led_into_another_environment(name: str) -> None:
    """Variables of the caller that name one are taken away."""
    assert {"CONDA_PREFIX", "PYTHONPATH", "UV_PYTHON"} <= set(_steps()[name].unset)


def test_what_the_user_names_is_passed_even_when_usually_taken_away() -> None:
    """An explicit wish outranks our list."""
    step = _steps(environment={"PYTHONPATH": "x"}, environment_pass=("PYTEST_ADDOPTS",))["test"]
    assert not {"PYTHONPATH", "PYTEST_ADDOPTS"} & set(step.unset)
    assert step.env_pass == ("PYTEST_ADDOPTS",)


def test_timeouts_are_the_users_for_tests_only() -> None:
    """Installing has a bound of its own."""
    steps = _steps()
    assert steps["test"].timeout_seconds == 900.0
    assert steps["install"].timeout_seconds == test_steps.INSTALL_TIMEOUT_SECONDS


@pytest.mark.parametrize(
    "name", ["NAMES_VARIABLE", "PREFIX_VARIABLE", "RESULT_VARIABLE", "OWNER_VARIABLE"]
)
def test_the_standalone_guard_reads_the_variables_that_the_steps_set(name: str) -> None:
    """It can't import them, because wheelworks is not where it runs."""
    assert getattr(pytest_guard, name) == getattr(test_steps, name)
