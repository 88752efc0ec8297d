"""What goes wrong with containers says what and how to go on, and leaves nothing behind.

Each test runs the installed wheelworks on a crate that compiles in a second, in an image that is there.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from container_project import ContainerProject
from jobs import CONTAINER_STEP, CONTAINER_USE, a_context, a_job
from tiny_project import CELL, WHEEL, await_that

from wheelworks.executors.base import run_steps
from wheelworks.process import Cancellation, ProcessRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.conftest import StartWheelworks, Wheelworks

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the sample cell is built on Linux only"
)
DEAD_SOCKET = "unix:///nowhere/docker.sock"
PROGRAM = Path(__file__).parent.parent / "binaries" / "glibc-x86_64-program"
#: Byte 18 of an ELF file names the machine; 243 is RISC-V.
MACHINE_BYTE, RISCV = 18, 243
NETWORKED = """\
fn main() {
    std::net::TcpStream::connect("crates.io:443").expect("downloading the model");
}
"""
FILLING = """\
fn main() {
    std::fs::write("/small/data", vec![0u8; 1 << 20]).unwrap();
}
"""


@pytest.fixture(scope="module")
def zig_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Zig's cache for all builds of this module."""
    return tmp_path_factory.mktemp("zig")


@pytest.fixture
def project(
    tmp_path: Path, container_engine: str, toolchain_image: str, zig_cache: Path
) -> ContainerProject:
    """The tiny project in a container."""
    return ContainerProject.write(
        tmp_path / "tiny", engine=container_engine, image=toolchain_image, zig_cache=zig_cache
    )


@pytest.fixture
def held(
    tmp_path: Path, container_engine: str, toolchain_image: str, zig_cache: Path
) -> Iterator[ContainerProject]:
    """The same, whose build waits in the container until it is released."""
    project = ContainerProject.write(
        tmp_path / "tiny",
        engine=container_engine,
        image=toolchain_image,
        zig_cache=zig_cache,
        is_held=True,
    )
    yield project
    project.tiny.hold.unlink(missing_ok=True)


def await_held(project: ContainerProject) -> str:
    """Wait until the build waits in its container; gives the container's id."""
    file = project.tiny.hold.with_suffix(".pid")
    await_that(file.exists, "the build is held")
    file.unlink()
    (container,) = project.containers()
    return container


def assert_succeeds(project: ContainerProject, wheelworks: Wheelworks) -> None:
    """The next run builds the wheel and leaves nothing else."""
    project.tiny.hold.unlink(missing_ok=True)
    ran = wheelworks("build", cwd=project.root)
    assert ran.code == 0, ran.err
    assert project.tiny.built() == [WHEEL]
    project.assert_clean()


# The engine and its images


def test_an_engine_that_does_not_answer(project: ContainerProject, wheelworks: Wheelworks) -> None:
    """The cell is unavailable, with the command that starts the engine."""
    ran = wheelworks("build", cwd=project.root, env={"DOCKER_HOST": DEAD_SOCKET})
    assert ran.code == 3, ran.err
    assert "its server does not answer" in ran.err
    assert DEAD_SOCKET in ran.err
    assert "systemctl start docker" in ran.err
    assert project.tiny.built() == []


def test_an_engine_that_stops_before_the_build(
    project: ContainerProject, wheelworks: Wheelworks, tmp_path: Path
) -> None:
    """The plan still found it."""
    env = project.engine_that(tmp_path / "bin", f"export DOCKER_HOST={DEAD_SOCKET}")
    ran = wheelworks("build", cwd=project.root, env=env)
    assert ran.code == 4, ran.err
    assert "docker could not run the container: it does not answer, or was stopped" in ran.err
    assert "start it (systemctl start docker)" in ran.err
    project.assert_clean()
    assert_succeeds(project, wheelworks)


def test_an_image_that_is_removed_before_the_build(
    tmp_path: Path, container_engine: str, toolchain_image: str, wheelworks: Wheelworks,
    zig_cache: Path,
) -> None:  # fmt: skip
    """Nothing is pulled in its place."""
    name = f"wheelworks-test:{secrets.token_hex(4)}"
    project = ContainerProject.write(
        tmp_path / "tiny", engine=container_engine, image=name, zig_cache=zig_cache
    )
    project.ask("tag", toolchain_image, name)
    try:
        env = project.engine_that(tmp_path / "bin", f'"$docker" rmi --no-prune {name} >&2')
        ran = wheelworks("build", cwd=project.root, env=env)
        assert ran.code == 4, ran.err
        assert f"docker could not run the container: the image {name} is gone" in ran.err
        assert "run again" in ran.err
        project.assert_clean()
        project.ask("tag", toolchain_image, name)
        assert_succeeds(project, wheelworks)
    finally:
        project.ask("rmi", "--no-prune", name)


def test_an_image_of_ones_own_that_is_not_there(
    tmp_path: Path, container_engine: str, wheelworks: Wheelworks
) -> None:
    """It is never pulled or built by us."""
    project = ContainerProject.write(
        tmp_path / "tiny", engine=container_engine, image="wheelworks-test:nowhere"
    )
    ran = wheelworks("build", cwd=project.root)
    assert ran.code == 3, ran.err
    assert "the image wheelworks-test:nowhere" in ran.err
    assert "pull wheelworks-test:nowhere" in ran.err


def test_certificates_that_are_missing(
    tmp_path: Path, container_engine: str, toolchain_image: str, wheelworks: Wheelworks
) -> None:
    """The file that the configuration names, with the option that names it."""
    project = ContainerProject.write(
        tmp_path / "tiny",
        engine=container_engine,
        image=toolchain_image,
        container_options='ca-bundle = "/nowhere/ca.crt"',
    )
    ran = wheelworks("build", cwd=project.root)
    assert ran.code in (2, 3, 4), ran.err
    assert "/nowhere/ca.crt" in ran.err
    assert "ca-bundle" in ran.err
    assert project.containers() == []


# Ends that come from outside


def test_a_container_that_is_killed(
    held: ContainerProject, start_wheelworks: StartWheelworks, wheelworks: Wheelworks
) -> None:
    """Exit 1, and what may have done it."""
    run = start_wheelworks("build", cwd=held.root, env=held.tiny.hold_environment)
    held.ask("kill", await_held(held))
    assert run.end() == 1, run.err
    assert "the container was killed (step compile): from outside, or for lack of memory" in run.err
    held.assert_clean()
    assert_succeeds(held, wheelworks)


def test_a_build_that_hangs(
    tmp_path: Path, container_engine: str, toolchain_image: str, wheelworks: Wheelworks
) -> None:
    """The timeout ends the container, not only the client."""
    project = ContainerProject.write(
        tmp_path / "tiny",
        engine=container_engine,
        image=toolchain_image,
        is_held=True,
        options='timeout = "25s"',
    )
    ran = wheelworks("build", cwd=project.root, env=project.tiny.hold_environment)
    assert ran.code == 1, ran.err
    assert "was stopped after 25 s (step compile)" in ran.err
    project.assert_clean()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_ends_the_container(
    held: ContainerProject,
    start_wheelworks: StartWheelworks,
    number: signal.Signals,
    code: int,
) -> None:
    """Also when only wheelworks hears it, as with ``kill``."""
    run = start_wheelworks("build", cwd=held.root, env=held.tiny.hold_environment)
    await_held(held)
    assert run.interrupt(number) == code, run.err
    held.assert_clean()
    assert held.tiny.built() == []


def test_the_next_run_removes_the_container_of_a_killed_one(
    held: ContainerProject, start_wheelworks: StartWheelworks
) -> None:
    """Before it builds in the same folders."""
    killed = start_wheelworks("build", cwd=held.root, env=held.tiny.hold_environment)
    left = await_held(held)
    killed.interrupt(signal.SIGKILL)
    assert left in held.containers()
    following = start_wheelworks("build", cwd=held.root, env=held.tiny.hold_environment)
    assert await_held(held) != left
    held.tiny.release()
    assert following.end() == 0, following.err
    assert held.tiny.built() == [WHEEL]
    held.assert_clean()


def test_gc_removes_the_container_of_a_killed_run(
    held: ContainerProject, start_wheelworks: StartWheelworks, wheelworks: Wheelworks
) -> None:
    """For those who do not build again."""
    killed = start_wheelworks("build", cwd=held.root, env=held.tiny.hold_environment)
    await_held(held)
    killed.interrupt(signal.SIGKILL)
    ran = wheelworks("gc", cwd=held.root)
    assert ran.code == 0, ran.err
    held.assert_clean()


# What happens inside


@pytest.mark.parametrize(
    ("build_script", "code", "reason", "cure"),
    [
        (NETWORKED, 1, "the build wants the network while compiling", "vendor what it downloads"),
        (FILLING, 4, "no space is left in the container", "system df"),
    ],
    ids=["wants the network", "fills the disk"],
)
def test_what_a_build_script_can_not_have(
    tmp_path: Path,
    container_engine: str,
    toolchain_image: str,
    zig_cache: Path,
    wheelworks: Wheelworks,
    build_script: str,
    code: int,
    reason: str,
    cure: str,
) -> None:
    """A network while compiling; more room than there is."""
    project = ContainerProject.write(
        tmp_path / "tiny",
        engine=container_engine,
        image=toolchain_image,
        zig_cache=zig_cache,
        engine_args=("--tmpfs", "/small:size=65536,mode=1777"),
    )
    project.tiny.write_file("build.rs", build_script)
    ran = wheelworks("build", cwd=project.root)
    assert ran.code == code, ran.err
    assert reason in ran.err
    assert cure in ran.err
    project.assert_clean()
    project.tiny.write_file("build.rs", "fn main() {}\n")
    assert_succeeds(project, wheelworks)


def test_programs_for_another_machine(tmp_path: Path, container_engine: str) -> None:
    """QEMU is not registered for them: exit 4, and the command that registers it."""
    program = bytearray(PROGRAM.read_bytes())
    program[MACHINE_BYTE] = RISCV
    name = f"wheelworks-test:{secrets.token_hex(4)}"
    import_program(container_engine, name, bytes(program))
    use = replace(
        CONTAINER_USE,
        engine=container_engine,
        image=name,
        user=None,
        mounts=(),
        platform=own_platform(container_engine),
    )
    step = replace(CONTAINER_STEP, argv=("/program",), cwd="/", container=use)
    context = replace(
        a_context(tmp_path), runner=ProcessRunner(), environ=os.environ, run_id=secrets.token_hex(4)
    )
    try:
        _, failure = run_steps(a_job("b"), (step,), context, Cancellation(), {})
        assert failure is not None
        assert failure.trouble is not None
        assert (failure.trouble.exit_code, failure.trouble.cure) == (
            4,
            "register QEMU: wheelworks doctor --fix",
        )
    finally:
        subprocess.run([container_engine, "rmi", name], capture_output=True, check=True)


def test_an_emulated_cell_without_qemu(
    tmp_path: Path, container_engine: str, wheelworks: Wheelworks
) -> None:
    """Unavailable, with the reason and the way out, before anything starts."""
    other, machine = ("arm64", "aarch64")
    if own_platform(container_engine) == "linux/arm64":
        other, machine = ("amd64", "x86_64")
    project = emulated_project(tmp_path / "tiny", container_engine, machine)
    with qemu_switched_off(machine):
        ran = wheelworks("build", cwd=project.root)
    assert ran.code == 3, ran.err
    assert f"containers of linux/{other} do not run here" in ran.err
    assert "wheelworks doctor --fix" in ran.err
    assert CELL.partition("-")[0] in ran.err


def test_an_emulated_cell_of_an_architecture_without_a_recipe(
    tmp_path: Path, container_engine: str, wheelworks: Wheelworks
) -> None:
    """What no image can be made for is unavailable, with the machine that it can be built on."""
    project = emulated_project(tmp_path / "tiny", container_engine, "ppc64le")
    ran = wheelworks("build", cwd=project.root)
    assert ran.code == 3, ran.err
    assert "there is no native image for linux/ppc64le" in ran.err
    assert "build it on a ppc64le machine" in ran.err


def emulated_project(root: Path, engine: str, machine: str) -> ContainerProject:
    """A project whose only cell is compiled by the machine's own tools."""
    project = ContainerProject.write(root, engine=engine, image="unused:1")
    file = project.root / "pyproject.toml"
    text = file.read_text().replace('toolchain = "container"', 'toolchain = "emulated"')
    file.write_text(text.replace("manylinux_x86_64", f"manylinux_{machine}"))
    return project


@contextmanager
def qemu_switched_off(machine: str) -> Iterator[None]:
    """The kernel does not start QEMU for the machine's programs, as where nobody registered it."""
    entry = Path(f"/proc/sys/fs/binfmt_misc/qemu-{machine}")
    if not entry.exists():
        yield
        return
    if not os.access(entry, os.W_OK):
        pytest.skip(f"QEMU is registered for {machine}, and root alone can switch it off")
    entry.write_text("0")
    try:
        yield
    finally:
        entry.write_text("1")


def import_program(engine: str, name: str, program: bytes) -> None:
    """An image that holds one program, also as its shell."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        # The shell, too: what is no program is given to it as a script.
        for path in ("program", "bin/sh"):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(program), 0o755
            tar.addfile(member, BytesIO(program))
    subprocess.run(
        [engine, "import", "-", name], input=archive.getvalue(), capture_output=True, check=True
    )


def own_platform(engine: str) -> str:
    """What imported images are for."""
    done = subprocess.run(
        [engine, "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()
