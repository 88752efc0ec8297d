"""Cibuildwheel itself, in the local image: what it builds, and what it leaves when it is stopped.

Each test runs the installed wheelworks on a crate that compiles in a second. The image is built where the toolchain
image that it stands on is there.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import a_project, some_settings
from container_project import ContainerProject
from tiny_project import CELL, TinyProject, await_that

from wheelworks.containers.recipes import recipes_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.conftest import StartWheelworks, Wheelworks

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the sample cell is built on Linux only"
)
#: The program of the wheel says its name; cibuildwheel copies the tests' output to its own.
TABLE = """
[tool.cibuildwheel]
test-command = "tiny && test \\"$SAID\\" = twice"
environment = { SAID = "once" }
environment-pass = ["TINY_HOLD", "TINY_STUBBORN"]
"""
OPTIONS = 'environment = { SAID = "twice" }\n'


@pytest.fixture(scope="module")
def local_image(
    container_engine: str, wheelworks: Wheelworks, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The local image of a project without wishes of its own, built by ``wheelworks prefetch`` when it is missing.

    Tests are skipped, saying so, where the toolchain image is missing, too: that one takes long.
    """
    platform = "linux/amd64"
    recipes = recipes_for(
        settings=some_settings(),
        project=a_project(maturin_requirement=">=1.14.1,<2"),
        engine_platform=platform,
    )
    references = {one.role: one.reference for one in recipes if one.platform == platform}
    if not is_there(container_engine, references["cibuildwheel"]):
        if not is_there(container_engine, references["toolchain"]):
            pytest.skip(f"the image {references['toolchain']} is not there: `wheelworks prefetch`")
        project = write(tmp_path_factory.mktemp("image") / "tiny", container_engine)
        done = wheelworks("prefetch", cwd=project.root, env={"WHEELWORKS_PROVISION": "always"})
        assert done.code == 0, done.err
        assert is_there(container_engine, references["cibuildwheel"])
    return references["cibuildwheel"]


def is_there(engine: str, reference: str) -> bool:
    """Whether the engine has an image."""
    asked = subprocess.run(
        [engine, "image", "inspect", reference], capture_output=True, timeout=60, check=False
    )
    return asked.returncode == 0


def write(root: Path, engine: str, *, is_held: bool = False) -> ContainerProject:
    """The tiny project with ``[tool.cibuildwheel]``."""
    tiny = TinyProject.write(root, is_held=is_held)
    tiny.configure(OPTIONS)
    folder = tiny.hold.parent
    mounted = f'["--volume", "{folder}:{folder}"]' if is_held else "[]"
    engine_line = f'container-engine = {{ name = "docker", create-args = {mounted} }}\n'
    tiny.write_file("pyproject.toml", (root / "pyproject.toml").read_text() + TABLE + engine_line)
    return ContainerProject(tiny=tiny, engine=engine)


@pytest.fixture
def project(tmp_path: Path, container_engine: str, local_image: str) -> ContainerProject:
    """The project."""
    return write(tmp_path / "tiny", container_engine)


@pytest.fixture
def held(tmp_path: Path, container_engine: str, local_image: str) -> Iterator[ContainerProject]:
    """The same, whose build waits in cibuildwheel's container until it is released."""
    project = write(tmp_path / "tiny", container_engine, is_held=True)
    yield project
    project.tiny.hold.unlink(missing_ok=True)


def test_a_project_with_the_table_runs_through_cibuildwheel(
    project: ContainerProject, wheelworks: Wheelworks
) -> None:
    """Its own test runs, with our variables after its own; the wheel is repaired, audited and published."""
    ran = wheelworks("build", "--json", cwd=project.root)
    assert ran.code == 0, ran.err
    (result,) = json.loads(ran.out)["results"]
    assert "cibuildwheel version" in Path(result["log"]).read_text()
    (wheel,) = project.tiny.built()
    assert wheel.startswith("tiny-1.0-py3-none-manylinux")
    project.assert_clean()
    again = wheelworks("build", cwd=project.root)
    assert "up to date" in again.err


def test_an_error_of_its_configuration_says_where_to_look(
    project: ContainerProject, wheelworks: Wheelworks
) -> None:
    """By cibuildwheel's exit code."""
    file = project.root / "pyproject.toml"
    file.write_text(file.read_text() + "no-such-option = 1\n")
    ran = wheelworks("build", cwd=project.root)
    assert ran.code == 1, ran.err
    assert "cibuildwheel refuses its configuration" in ran.err
    assert project.tiny.built() == []
    project.assert_clean()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_container(
    held: ContainerProject, start_wheelworks: StartWheelworks, number: signal.Signals
) -> None:
    """Cibuildwheel waits half a minute for its own shell; its container is removed all the same."""
    run = start_wheelworks("build", cwd=held.root, env=held.tiny.hold_environment)
    await_that(held.tiny.hold.with_suffix(".pid").exists, f"the build is held, not\n{run.err}")
    assert len(held.containers()) == 1
    assert run.interrupt(number) == 128 + number
    held.assert_clean()
    assert held.tiny.built() == []


def test_the_next_run_removes_what_a_killed_one_left(
    held: ContainerProject, start_wheelworks: StartWheelworks, wheelworks: Wheelworks
) -> None:
    """Its label says whose it is."""
    run = start_wheelworks("build", CELL, cwd=held.root, env=held.tiny.hold_environment)
    await_that(held.tiny.hold.with_suffix(".pid").exists, f"the build is held, not\n{run.err}")
    (left,) = held.containers()
    run.interrupt(signal.SIGKILL)
    held.tiny.hold.unlink()
    ran = wheelworks("build", cwd=held.root)
    assert ran.code == 0, ran.err
    assert left not in held.containers()
    held.assert_clean()
