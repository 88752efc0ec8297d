"""Wheels tested in real containers: with an interpreter that the host need not have, and under QEMU.

Needs a container engine; the images are those that wheelworks makes.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from tiny_project import TinyProject

if TYPE_CHECKING:
    from pathlib import Path

    from integration.conftest import Ran, Wheelworks

NATIVE = "cp314-manylinux_x86_64"
EMULATED = "cp313-manylinux_aarch64"
TESTS = """\
import os
import platform
import socket
import subprocess
from pathlib import Path


def test_the_program_of_the_wheel_runs():
    assert subprocess.check_output(["tiny"]) == b"tiny\\n"


def test_the_interpreter_and_the_machine_are_those_of_the_cell():
    asked = (os.environ["TINY_PYTHON"], os.environ["TINY_MACHINE"])
    assert (platform.python_version().rpartition(".")[0], platform.machine()) == asked


def test_home_and_the_folder_of_the_tests_can_be_written():
    for folder in (Path.home(), Path.cwd()):
        (folder / "written").write_text("")
        assert (folder / "written").stat().st_uid == int(os.environ["TINY_USER"])


def test_nothing_of_the_callers_environment_comes_in():
    assert "TINY_STRANGER" not in os.environ


def test_a_server_on_this_machine_is_reached():
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname(), timeout=60) as caller:
        caller.sendall(b"x")
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(1) == b"x"
"""
CONFIGURATION = """
[tool.wheelworks.test]
command = "pytest {project}/tests"
requires = ["pytest"]
environment-pass = ["TINY_PYTHON", "TINY_MACHINE", "TINY_USER"]
"""


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    """A project with tests, for both platforms and interpreters of the images."""
    made = TinyProject.write(tmp_path / "tiny")
    file = made.root / "pyproject.toml"
    text = file.read_text().replace(
        'targets = ["manylinux_x86_64"]', 'targets = ["manylinux_x86_64", "manylinux_aarch64"]'
    )
    file.write_text(text.replace('pythons = ["3.13"]', 'pythons = ["3.13", "3.14"]'))
    made.configure(CONFIGURATION)
    made.write_file("tests/test_tiny.py", TESTS)
    return made


def _test(
    wheelworks: Wheelworks, project: TinyProject, cell: str, *, machine: str, provision: str
) -> Ran:
    """Test a cell; the interpreters of this machine are out of sight."""
    python = f"3.{cell[3:5]}"
    return wheelworks(
        "test",
        cell,
        cwd=project.root,
        env={
            "WHEELWORKS_PROVISION": provision,
            "TINY_PYTHON": python,
            "TINY_MACHINE": machine,
            "TINY_USER": str(os.getuid()),
            "TINY_STRANGER": "1",
        },
    )


def _result(project: TinyProject, cell: str) -> dict[str, object]:
    """The result of a cell's tests in the newest run."""
    newest = max((project.state / "runs").iterdir())
    report = json.loads((newest / "report.json").read_bytes())
    found: dict[str, object] = next(
        one for one in report["results"] if one["job_id"] == f"test {cell}"
    )
    return found


@pytest.mark.usefixtures("container_engine")
def test_a_wheel_is_tested_with_the_interpreter_of_an_image(
    wheelworks: Wheelworks, project: TinyProject
) -> None:
    """CPython 3.14 in a container as the caller, with the counts read on the host; a second run starts nothing."""
    if sys.version_info[:2] == (3, 14):
        pytest.skip("this machine has CPython 3.14, so nothing has to run in a container")
    ran = _test(wheelworks, project, NATIVE, machine="x86_64", provision="always")
    assert ran.code == 0, ran.err
    assert ran.last_line == "1 cell: 1 tested"
    result = _result(project, NATIVE)
    assert result["tests"] == {"total": 5, "failed": 0, "errors": 0, "skipped": 0}
    assert result["is_emulated"] is False
    assert project.staged() == []
    again = _test(wheelworks, project, NATIVE, machine="x86_64", provision="always")
    assert (again.code, again.last_line) == (0, "1 cell: 1 up to date")


@pytest.mark.usefixtures("container_engine")
def test_a_failing_test_in_a_container_fails_the_run(
    wheelworks: Wheelworks, project: TinyProject
) -> None:
    """With the name of the test, as on the host."""
    ran = _test(wheelworks, project, NATIVE, machine="another machine", provision="always")
    assert ran.code == 1, ran.err
    assert "test_the_interpreter_and_the_machine_are_those_of_the_cell" in ran.err
    assert ran.last_line == "1 cell: 1 failed"


@pytest.mark.usefixtures("toolchain_image")
def test_a_wheel_of_another_architecture_is_tested_under_qemu(
    wheelworks: Wheelworks, project: TinyProject
) -> None:
    """It says that it is arm64, and the report says that it was emulated."""
    # Built in the image, so that nothing is added to this machine's Rust.
    file = project.root / "pyproject.toml"
    file.write_text(file.read_text().replace("pythons =", 'toolchain = "container"\npythons ='))
    ran = _test(wheelworks, project, EMULATED, machine="aarch64", provision="always")
    if ran.code == 3 and "QEMU" in ran.err:
        pytest.skip(f"arm64 containers do not run here: {ran.err}")
    assert ran.code == 0, ran.err
    assert ran.last_line == "1 cell: 1 tested under emulation"
    assert _result(project, EMULATED)["is_emulated"] is True
