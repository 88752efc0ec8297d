"""The steps of a test job: environment, wheel, import check, the project's own test commands.

Pure: takes names, paths and requirement strings, gives Steps with placeholders. Does not know
whether a file exists; ``wheeltest.py`` prepares the folders that the steps name.
"""

from __future__ import annotations

import shlex
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from wheelworks.plan import Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelworks.toolchains import HostSystem

ENVIRONMENT_TIMEOUT_SECONDS = 300.0
#: Downloading a project's whole test group over a slow line.
INSTALL_TIMEOUT_SECONDS = 1800.0
IMPORT_TIMEOUT_SECONDS = 120.0

#: Module name under which the guard lies in the environment's site-packages.
GUARD_MODULE = "wheelworks_pytest_guard"
GUARD_FILE = f"{GUARD_MODULE}.py"
IMPORT_CHECK_FILE = "import_check.py"
#: In the scratch folder: HOME where the caller has none, in containers.
HOME_FOLDER = "home"
NAMES_VARIABLE = "WHEELWORKS_GUARD_NAMES"
PREFIX_VARIABLE = "WHEELWORKS_GUARD_PREFIX"
RESULT_VARIABLE = "WHEELWORKS_GUARD_RESULT"
#: Set by a guarded pytest for its children, so that a pytest inside a test is not taken for the run
#: itself.
OWNER_VARIABLE = "WHEELWORKS_GUARD_OWNER"

#: What would send uv, pip or the tests to another environment than the fresh one.
UNSET_FOR_TESTS = (
    "CONDA_PREFIX",
    "PIP_PREFIX",
    "PIP_TARGET",
    "PIP_USER",
    "PYTEST_ADDOPTS",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_LINK_MODE",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "VIRTUAL_ENV",
    OWNER_VARIABLE,
)


def scratch_path(system: HostSystem, *parts: str) -> PurePath:
    """A path below the job's scratch folder, written as the host writes paths."""
    flavour = PureWindowsPath if system == "windows" else PurePosixPath
    return flavour("{scratch}", *parts)


def environment_bin(system: HostSystem) -> PurePath:
    """The folder with the programs of the environment under test."""
    return scratch_path(system, "env", "Scripts" if system == "windows" else "bin")


def environment_python(system: HostSystem) -> str:
    """The interpreter of the environment under test."""
    return str(environment_bin(system) / ("python.exe" if system == "windows" else "python"))


def test_steps(
    *,
    system: HostSystem,
    uv: str,
    interpreter: str,
    requirements: Sequence[str],
    extras: Sequence[str],
    import_names: Sequence[str],
    commands: Sequence[str],
    environment: Mapping[str, str],
    environment_pass: Sequence[str],
    timeout_seconds: float,
    project_folder: str,
) -> tuple[Step, ...]:
    """The processes of a test job, in order.

    Args:
        system: of the host, for the layout of environments.
        uv: path of uv, which makes the environment and installs into it.
        interpreter: path of the interpreter to test with.
        requirements: requirement strings, dependency groups already resolved.
        extras: extras of the wheel to install.
        import_names: names that must be importable from the environment; empty for wheels without a
            module.
        commands: command lines, split as a POSIX shell splits words, with ``{project}``,
            ``{wheel}``, ``{python}``.
        environment: variables for the commands, with the same placeholders.
        environment_pass: names of the caller's variables that the commands see.
        timeout_seconds: for each command.
        project_folder: the project's folder within the copied tree, with ``/``.
    """
    wheel = "{wheel}" + (f"[{','.join(extras)}]" if extras else "")
    made = (uv, "venv", "--no-python-downloads", "--no-project", "--python", interpreter)
    install = (uv, "pip", "install", "--python", environment_python(system))
    steps = [
        _setup_step(
            "environment", (*made, str(scratch_path(system, "env"))), ENVIRONMENT_TIMEOUT_SECONDS
        ),
        _setup_step("install", (*install, wheel, *requirements), INSTALL_TIMEOUT_SECONDS),
        _setup_step("check import", _check_argv(system, import_names), IMPORT_TIMEOUT_SECONDS),
    ]
    for number, command in enumerate(commands, start=1):
        steps.append(
            _command_step(
                number,
                shlex.split(command),
                system=system,
                import_names=import_names,
                environment=environment,
                environment_pass=tuple(environment_pass),
                timeout_seconds=timeout_seconds,
                project_folder=project_folder,
            )
        )
    return tuple(steps)


# pytest would take the function for a test wherever it is imported.
test_steps.__test__ = False  # type: ignore[attr-defined]


def _check_argv(system: HostSystem, import_names: Sequence[str]) -> tuple[str, ...]:
    """Puts the guard into the environment and imports the package once, away from the sources."""
    guard = scratch_path(system, "guard")
    return (
        environment_python(system), "-I", str(guard / IMPORT_CHECK_FILE),
        "--plugin", str(guard / GUARD_FILE), *import_names,
    )  # fmt: skip


def _setup_step(name: str, argv: tuple[str, ...], timeout_seconds: float) -> Step:
    return Step(
        name=name,
        argv=argv,
        env={},
        unset=UNSET_FOR_TESTS,
        cwd="{scratch}",
        timeout_seconds=timeout_seconds,
    )


def _command_step(
    number: int,
    words: Sequence[str],
    *,
    system: HostSystem,
    import_names: Sequence[str],
    environment: Mapping[str, str],
    environment_pass: tuple[str, ...],
    timeout_seconds: float,
    project_folder: str,
) -> Step:
    project = str(scratch_path(system, "project", *PurePosixPath(project_folder).parts))
    python = environment_python(system)

    def fill(text: str) -> str:
        return text.replace("{project}", project).replace("{python}", python)

    users = {name: fill(value) for name, value in environment.items()}
    return Step(
        name="test" if number == 1 else f"test-{number}",
        argv=tuple(fill(word) for word in words),
        env={
            **users,
            "VIRTUAL_ENV": str(scratch_path(system, "env")),
            "PYTEST_PLUGINS": ",".join(filter(None, (users.get("PYTEST_PLUGINS"), GUARD_MODULE))),
            NAMES_VARIABLE: ",".join(import_names),
            PREFIX_VARIABLE: str(scratch_path(system, "env")),
            RESULT_VARIABLE: str(scratch_path(system, f"tests-{number}.json")),
        },
        unset=tuple(name for name in UNSET_FOR_TESTS if name not in {*users, *environment_pass}),
        env_pass=environment_pass,
        path_prepend=(str(environment_bin(system)),),
        cwd=project,
        timeout_seconds=timeout_seconds,
    )
