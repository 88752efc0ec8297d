"""What goes wrong gives the error and the exit code that docs/design.md promises.

And ``dist/`` never holds a file that the audit refuses, or half of one. Each test runs the installed
wheelworks as a process of its own, most on a crate that compiles in a second.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from tiny_project import (
    CELL,
    HANGING_SECONDS,
    WHEEL,
    TinyProject,
    await_that,
    is_alive,
    processes_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.conftest import StartWheelworks, Wheelworks

BINARIES = Path(__file__).parent.parent / "binaries"

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the sample cell is built on Linux only"
)


class Mount(Protocol):
    """Calls ``mount``."""

    def __call__(self, *arguments: str) -> None:
        """Mount; the last argument is the mount point, which is unmounted at the end of the test."""
        ...


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """The smallest project."""
    return TinyProject.write(tmp_path / "tiny")


@pytest.fixture
def held(tmp_path: Path) -> Iterator[TinyProject]:
    """The same, whose build waits until it is released; at the end of the test at the latest."""
    project = TinyProject.write(tmp_path / "tiny", is_held=True)
    yield project
    project.hold.unlink(missing_ok=True)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mount]:
    """Mounts that last as long as the test; without the right to mount the test is skipped."""
    points: list[str] = []

    def mount(*arguments: str) -> None:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"this user may not mount: {done.stderr.strip()}")
        if arguments[-1] not in points:
            points.append(arguments[-1])

    yield mount
    for point in reversed(points):
        subprocess.run(["umount", "--lazy", point], check=True)


def last_run(project: TinyProject) -> dict[str, object]:
    """The report of the newest run."""
    newest = max((project.state / "runs").iterdir())
    report: dict[str, object] = json.loads((newest / "report.json").read_text())
    return report


def greeting(text: str) -> str:
    """A main.rs that prints a text."""
    return f'fn main() {{\n    println!("{text}");\n}}\n'


def program_of(project: TinyProject) -> bytes:
    """The program in the wheel."""
    with zipfile.ZipFile(project.dist / WHEEL) as wheel:
        return wheel.read("tiny-1.0.data/scripts/tiny")


def assert_nothing_is_left(project: TinyProject) -> None:
    """No process, nothing staged, nobody written down as running or as holding a lock."""
    assert processes_in(project.root) == []
    assert project.staged() == []
    assert list((project.state / "running").glob("*")) == []
    assert list((project.state / "locks").glob("*.holder")) == []


def retagged(wheel: Path, folder: Path, *, old: str, new: str) -> Path:
    """A copy of a wheel that says another platform tag in its name and in WHEEL; RECORD is right."""
    target = folder / wheel.name.replace(old, new)
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w") as copy:
        rows = []
        record = ""
        for member in source.infolist():
            content = source.read(member)
            if member.filename.endswith("/RECORD"):
                record = member.filename
                continue
            if member.filename.endswith("/WHEEL"):
                content = content.replace(old.encode(), new.encode())
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
            rows.append(f"{member.filename},sha256={digest.rstrip('=')},{len(content)}\n")
            copy.writestr(member, content)
        copy.writestr(record, "".join([*rows, f"{record},,\n"]))
    return target


# Configuration and usage


def test_every_fault_of_the_configuration_is_shown(
    tiny: TinyProject, wheelworks: Wheelworks
) -> None:
    """Unknown keys and wrong types: exit 2, each with file, key and the nearest name, together."""
    tiny.configure('jobs = "many"\nprofil = "dev"\n\n[tool.wheelworks.test]\ntimeout = []\n')
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 2
    assert str(tiny.root / "pyproject.toml") in ran.err
    for key in ("jobs", "profil", "test.timeout"):
        assert f"tool.wheelworks.{key}: " in ran.err
    assert "hint: the nearest valid name is profile\n" in ran.err
    assert not tiny.state.exists()


def test_a_fault_in_a_variable_names_the_variable(
    tiny: TinyProject, wheelworks: Wheelworks
) -> None:
    """The origin of a wrong value is what the user has to mend."""
    ran = wheelworks("plan", cwd=tiny.root, env={"WHEELWORKS_JOBS": "many"})
    assert ran.code == 2
    assert "WHEELWORKS_JOBS" in ran.err


def test_toml_that_does_not_parse_is_named(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """Exit 2 with the file and the place."""
    tiny.configure("jobs = 1.2.3\n")
    ran = wheelworks("plan", cwd=tiny.root)
    assert ran.code == 2
    assert str(tiny.root / "pyproject.toml") in ran.err
    assert re.search(r"is no valid TOML: .*line \d+, column \d+", ran.err)


@pytest.mark.parametrize("command", ["plan", "build", "test"])
def test_a_malformed_selector_is_usage(
    tiny: TinyProject, wheelworks: Wheelworks, command: str
) -> None:
    """Exit 2, and an example of a right one."""
    ran = wheelworks(command, "cp31{3", cwd=tiny.root)
    assert ran.code == 2
    assert "error: selector 'cp31{3' opens a brace that it never closes\n" in ran.err
    assert "hint: selectors are cell ids with *, ? and {a,b}" in ran.err


@pytest.mark.parametrize("command", ["plan", "build", "test"])
def test_a_selector_that_matches_nothing_selects_nothing(
    tiny: TinyProject, wheelworks: Wheelworks, command: str
) -> None:
    """Exit 3, and the nearest cell."""
    ran = wheelworks(command, "cp312-*", cwd=tiny.root)
    assert ran.code == 3
    assert "error: selector 'cp312-*' matches no cell of the matrix\n" in ran.err
    assert f"did you mean {CELL}?" in ran.err


def test_a_missing_cargo_toml_is_named(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """Exit 2 with the path that was looked for."""
    (tiny.root / "Cargo.toml").unlink()
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 2
    assert f"there is no {tiny.root / 'Cargo.toml'}" in ran.err
    assert "manifest-path" in ran.err


def test_a_closed_pipe_is_no_error(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """``wheelworks plan | head -1``: whoever reads has seen enough."""
    script = f"{sys.executable} -m wheelworks plan | head -1; exit ${{PIPESTATUS[0]}}"
    # A pipe whose reader is gone from the start, because `head` might be quick enough to read it all.
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "wheelworks", "plan"],
            cwd=tiny.root,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert "Broken pipe" not in done.stderr
    piped = subprocess.run(
        ["bash", "-c", script], cwd=tiny.root, capture_output=True, text=True, check=False
    )
    assert piped.returncode == 0
    assert piped.stdout.count("\n") == 1
    assert "Traceback" not in piped.stderr


# Builds that fail, and audits that refuse


def test_a_crate_that_does_not_compile_shows_the_error_of_rustc(
    tiny: TinyProject, wheelworks: Wheelworks
) -> None:
    """Exit 1 with rustc's error, the log and the command that repeats it; what was built stays."""
    assert wheelworks("build", cwd=tiny.root).code == 0
    before = (tiny.dist / WHEEL).read_bytes()
    tiny.write_file("src/main.rs", 'fn main() {\n    let number: u8 = "five";\n}\n')
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 1
    assert "error[E0308]: mismatched types" in ran.err
    assert f"repeat: wheelworks build {CELL}" in ran.err
    log = re.search(r"^ *log: (.+)$", ran.err, re.MULTILINE)
    assert log is not None
    assert "E0308" in Path(log[1]).read_text()
    assert ran.last_line == "1 cell: 1 failed; dist/ holds wheels of two source states"
    assert tiny.built() == [WHEEL]
    assert (tiny.dist / WHEEL).read_bytes() == before


def test_a_false_tag_is_refused(tiny: TinyProject, wheelworks: Wheelworks, tmp_path: Path) -> None:
    """``wheelworks audit``: exit 5 with the file, the rule and what to do; the true wheel passes."""
    assert wheelworks("build", cwd=tiny.root).code == 0
    wheel = tiny.dist / WHEEL
    assert wheelworks("audit", str(wheel), cwd=tmp_path).code == 0
    for new in ("aarch64", "i686"):
        false = retagged(wheel, tmp_path, old="x86_64", new=new)
        ran = wheelworks("audit", str(false), cwd=tmp_path)
        assert ran.code == 5
        assert f"{false.name}: refused, " in ran.out
        assert re.search(r"error W\d{3} .*tiny", ran.out)
        assert "hint: " in ran.out
    renamed = tmp_path / WHEEL.replace("x86_64", "ppc64le")
    shutil.copyfile(wheel, renamed)
    ran = wheelworks("audit", "--json", str(renamed), cwd=tmp_path)
    assert ran.code == 5
    assert json.loads(ran.out)["files"][0]["findings"]


def test_a_torn_wheel_is_refused(wheelworks: Wheelworks, tmp_path: Path) -> None:
    """Something that is no archive at all: exit 5, no traceback."""
    (tmp_path / WHEEL).write_bytes(b"PK\x03\x04 and no more")
    ran = wheelworks("audit", WHEEL, cwd=tmp_path)
    assert ran.code == 5
    assert f"{WHEEL}: refused, " in ran.out
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("binary", ["glibc-aarch64-stripped.so", "musl-x86_64-stripped.so"])
def test_a_refused_wheel_does_not_reach_dist(
    tiny: TinyProject, wheelworks: Wheelworks, binary: str
) -> None:
    """A library of another machine or C library in the package: exit 5, and ``dist/`` is as before."""
    assert wheelworks("build", cwd=tiny.root).code == 0
    before = (tiny.dist / WHEEL).read_bytes()
    shutil.copyfile(BINARIES / binary, tiny.root / "python" / "tiny" / "libforeign.so")
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 5
    assert f"the audit refused {WHEEL}: " in " ".join(ran.err.split())
    assert "libforeign.so" in ran.err
    assert "hint: " in ran.err
    assert tiny.built() == [WHEEL]
    assert (tiny.dist / WHEEL).read_bytes() == before
    refused = max((tiny.state / "runs").iterdir()) / "refused" / WHEEL
    assert wheelworks("audit", str(refused), cwd=tiny.root).code == 5
    # What was refused is no success: the next run tries again.
    assert wheelworks("build", cwd=tiny.root).code == 5


def test_a_module_without_its_init_function_is_refused(
    tmp_path: Path, wheelworks: Wheelworks
) -> None:
    """A module-name that the crate does not export gives an import error for users: exit 5 here."""
    root = tmp_path / "misnamed"
    shutil.copytree(Path(__file__).parent.parent / "projects" / "misnamed", root)
    ran = wheelworks("build", CELL, cwd=root)
    assert ran.code == 5
    assert "PyInit_sample_misnamed" in ran.err
    assert not (root / "dist").exists() or list((root / "dist").iterdir()) == []


def test_an_unavailable_cell_fails_a_strict_run(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """Exit 0 with what could be built, 3 with ``--strict``; the reason is given both times."""
    environment = {"WHEELWORKS_TARGETS": "manylinux_x86_64 win_arm64"}
    ran = wheelworks("build", cwd=tiny.root, env=environment)
    assert (ran.code, ran.last_line) == (0, "2 cells: 1 built, 1 unavailable here")
    strict = wheelworks("build", "--strict", cwd=tiny.root, env=environment)
    assert (strict.code, strict.last_line) == (3, "2 cells: 1 up to date, 1 unavailable here")
    for one in (ran, strict):
        assert "unavailable here: cp313-win_arm64: " in one.err
        assert "hint: " in one.err
    alone = wheelworks("build", "*-win_arm64", cwd=tiny.root, env=environment)
    assert (alone.code, alone.last_line) == (3, "1 cell: 1 unavailable here")


# Disks


def test_a_full_disk_while_compiling(
    tiny: TinyProject, wheelworks: Wheelworks, mounted: Mount
) -> None:
    """Exit 4 and nothing in ``dist/``; once there is space, the next run succeeds."""
    tiny.state.mkdir()
    mounted("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tiny.state))
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 4
    assert re.search(rf"only [\d.]+ k?B are free at {tiny.state}", " ".join(ran.err.split()))
    assert "hint: run wheelworks gc, or free space there" in ran.err
    assert "Traceback" not in ran.err
    assert tiny.built() == []
    assert processes_in(tiny.root) == []
    mounted("-o", "remount,size=64m", str(tiny.state))
    assert wheelworks("build", cwd=tiny.root).code == 0
    assert tiny.built() == [WHEEL]
    assert_nothing_is_left(tiny)


def test_a_disk_without_any_room_for_the_state(
    tiny: TinyProject, wheelworks: Wheelworks, mounted: Mount
) -> None:
    """Not even a run can begin: exit 4 with the folder."""
    tiny.state.mkdir()
    mounted("-t", "tmpfs", "-o", "size=4k", "tmpfs", str(tiny.state))
    (tiny.state / "full").write_bytes(b"\0" * 4096)
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 4
    assert str(tiny.state) in ran.err
    assert "hint: " in ran.err
    assert "Traceback" not in ran.err


def test_a_full_disk_under_dist(tiny: TinyProject, wheelworks: Wheelworks, mounted: Mount) -> None:
    """Half a wheel is no wheel: exit 4 and an empty ``dist/``; once there is space, it arrives."""
    tiny.dist.mkdir()
    mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tiny.dist))
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 4
    text = " ".join(ran.err.split())
    assert f"can't put {WHEEL} into {tiny.dist}: No space left on device" in text
    assert "free some space" in text
    assert tiny.built() == []
    mounted("-o", "remount,size=8m", str(tiny.dist))
    assert wheelworks("build", cwd=tiny.root).code == 0
    assert tiny.built() == [WHEEL]
    assert wheelworks("audit", cwd=tiny.root).code == 0


def test_a_read_only_dist(tiny: TinyProject, wheelworks: Wheelworks, mounted: Mount) -> None:
    """Exit 4; what lies there stays as it is."""
    tiny.dist.mkdir()
    mounted("--bind", str(tiny.dist), str(tiny.dist))
    mounted("-o", "remount,bind,ro", str(tiny.dist))
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 4
    assert f"can't put {WHEEL} into {tiny.dist}: " in " ".join(ran.err.split())
    assert "Read-only file system" in ran.err
    assert tiny.built() == []
    mounted("-o", "remount,bind,rw", str(tiny.dist))
    assert wheelworks("build", cwd=tiny.root).code == 0


def test_a_file_in_the_place_of_dist(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """Exit 4 with the path; the file is not touched."""
    tiny.dist.write_text("mine")
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 4
    assert f"can't put {WHEEL} into {tiny.dist}: " in " ".join(ran.err.split())
    assert tiny.dist.read_text() == "mine"


def test_a_file_in_the_place_of_the_state(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """Exit 4 with the path; the file is not touched."""
    tiny.state.write_text("mine")
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 4
    assert str(tiny.state) in ran.err
    assert "Traceback" not in ran.err
    assert tiny.state.read_text() == "mine"


# Sources that change


def test_a_source_that_changes_during_the_build_is_built_again(
    held: TinyProject, wheelworks: Wheelworks, start_wheelworks: StartWheelworks
) -> None:
    """The wheel holds the state before, the run says so, and the next one takes the new state."""
    run = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    held.held_process(run)
    held.write_file("src/main.rs", greeting("changed meanwhile"))
    held.release()
    assert run.end() == 0
    text = " ".join(run.err.split())
    assert "src/main.rs changed during the run; its artifacts hold the state before" in text
    assert b"changed meanwhile" not in program_of(held)
    planned = wheelworks("plan", cwd=held.root, env=held.hold_environment)
    assert "stale: src/main.rs changed" in planned.out
    again = wheelworks("build", cwd=held.root, env=held.hold_environment)
    assert (again.code, again.last_line) == (0, "1 cell: 1 built")
    assert b"changed meanwhile" in program_of(held)


def test_a_source_that_changes_before_it_is_copied_fails_the_build(
    held: TinyProject, wheelworks: Wheelworks, start_wheelworks: StartWheelworks
) -> None:
    """What was fingerprinted is built or nothing: exit 1 with the file, and nothing is recorded."""
    first = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    held.held_process(first)
    held.write_file("src/main.rs", greeting("fingerprinted"))
    second = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    second.await_error_text("waits for process")
    held.write_file("src/main.rs", greeting("changed again"))
    held.release()
    assert first.end() == 0
    assert second.end() == 1
    assert "src/main.rs changed while it was copied" in second.err
    assert b"fingerprinted" not in program_of(held)
    assert wheelworks("build", cwd=held.root, env=held.hold_environment).code == 0
    assert b"changed again" in program_of(held)
    assert_nothing_is_left(held)


# Signals


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
@pytest.mark.parametrize("is_stubborn", [False, True], ids=["polite", "stubborn"])
def test_a_signal_stops_the_build(
    held: TinyProject,
    wheelworks: Wheelworks,
    start_wheelworks: StartWheelworks,
    number: signal.Signals,
    code: int,
    is_stubborn: bool,
) -> None:
    """130 or 143, no child goes on, also none that ignores the request; the next run succeeds."""
    environment = held.hold_environment | ({"TINY_STUBBORN": "1"} if is_stubborn else {})
    run = start_wheelworks("build", cwd=held.root, env=environment)
    script = held.held_process(run)
    assert run.interrupt(number) == code
    assert not is_alive(script)
    assert_nothing_is_left(held)
    assert f"{number.name}: waiting for the running jobs to stop" in run.err
    assert run.err.strip().endswith("1 cell: 1 cancelled")
    assert last_run(held)["exit_code"] == code
    assert held.built() == []
    held.release()
    assert wheelworks("build", cwd=held.root, env=environment).code == 0
    assert held.built() == [WHEEL]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_before_the_run_stops_the_probes(
    tiny: TinyProject,
    start_wheelworks: StartWheelworks,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
) -> None:
    """While the machine is looked at the codes are the same, and no probe goes on."""
    mark = tmp_path / "mark"
    rustc = tmp_path / "bin" / "rustc"
    rustc.parent.mkdir()
    rustc.write_text(f"#!/bin/sh\necho $$ > {mark}.tmp\nmv {mark}.tmp {mark}\nexec sleep 600\n")
    rustc.chmod(0o755)
    path = os.pathsep.join([str(rustc.parent), os.environ["PATH"]])
    run = start_wheelworks("build", cwd=tiny.root, env={"PATH": path})
    await_that(mark.exists, "rustc is asked")
    assert run.interrupt(number) == code
    assert not is_alive(int(mark.read_text()))
    assert "Traceback" not in run.err
    assert tiny.built() == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_stops_the_installation_of_tools(
    tiny: TinyProject,
    wheelworks: Wheelworks,
    start_wheelworks: StartWheelworks,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
) -> None:
    """An index that never answers is not waited for; what was half installed is not used."""
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(HANGING_SECONDS)
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        environment = {
            "XDG_DATA_HOME": str(data),
            "PIP_INDEX_URL": index,
            "UV_INDEX_URL": index,
            "UV_DEFAULT_INDEX": index,
        }
        run = start_wheelworks("build", cwd=tiny.root, env=environment)
        with silent.accept()[0]:
            assert run.interrupt(number) == code
    assert processes_in(data) == []
    assert "Traceback" not in run.err
    assert_nothing_is_left(tiny)
    # The server is gone: the next run asks again, and does not take the half for the whole.
    again = wheelworks("build", cwd=tiny.root, env={**environment, "PIP_RETRIES": "0"})
    assert again.code == 4
    assert "could not be installed" in again.err


def test_the_next_run_removes_what_a_killed_one_left(
    held: TinyProject, wheelworks: Wheelworks, start_wheelworks: StartWheelworks
) -> None:
    """After SIGKILL cargo goes on; the next run stops it, removes what was staged and succeeds."""
    run = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    orphan = held.held_process(run)
    assert run.interrupt(signal.SIGKILL) == -signal.SIGKILL
    assert is_alive(orphan)
    (left,) = held.staged()
    # As if it had been copying into another file system.
    held.dist.mkdir()
    (held.dist / ".wheelworks-half").write_bytes(b"PK")
    again = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    held.held_process(again, other_than=orphan)
    assert not is_alive(orphan)
    assert left not in held.staged()
    held.release()
    assert again.end() == 0
    assert held.built() == [WHEEL]
    assert_nothing_is_left(held)
    # The killed run stays in the history, as one that did not finish.
    assert wheelworks("runs", cwd=held.root).code == 0


# Two runs at once


def test_a_second_run_waits_and_names_the_first(
    held: TinyProject, wheelworks: Wheelworks, start_wheelworks: StartWheelworks
) -> None:
    """The one that waits says for whom; ``--no-wait`` gives 4 instead; an interrupt ends the waiting."""
    first = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    held.held_process(first)
    holder = f"process {first.process.pid} (wheelworks build)"
    second = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    third = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    second.await_error_text(f"build py3-manylinux_x86_64 waits for {holder}")
    third.await_error_text("waits for")
    refused = wheelworks("build", "--no-wait", cwd=held.root, env=held.hold_environment)
    assert refused.code == 4
    assert f"is held by {holder}" in " ".join(refused.err.split())
    assert "leave out --no-wait" in " ".join(refused.err.split())
    assert third.interrupt(signal.SIGINT) == 130
    held.release()
    assert (first.end(), second.end()) == (0, 0)
    assert held.built() == [WHEEL]
    assert_nothing_is_left(held)


def test_runs_for_different_cells_do_not_wait(
    held: TinyProject, wheelworks: Wheelworks, start_wheelworks: StartWheelworks
) -> None:
    """The lock is one build's, not the project's."""
    held_run = start_wheelworks("build", cwd=held.root, env=held.hold_environment)
    held.held_process(held_run)
    targets = {"WHEELWORKS_COMPATIBILITY": "manylinux_2_28"}
    assert wheelworks("build", "--no-wait", cwd=held.root, env=targets).code == 0
    assert held.built() == [WHEEL.replace("manylinux2014_x86_64.manylinux_2_17", "manylinux_2_28")]
    held.release()
    assert held_run.end() == 0
    assert len(held.built()) == 2


# What the machine lacks


def test_no_rust_at_all(tiny: TinyProject, wheelworks: Wheelworks, tmp_path: Path) -> None:
    """Nothing can be built here: exit 3, and how Rust is installed; nor is the sdist tried."""
    (tmp_path / "bin").mkdir()
    environment = {"PATH": str(tmp_path / "bin"), "CARGO_HOME": str(tmp_path / "cargo")}
    for arguments in (("build",), ("build", "--sdist"), ("build", "--sdist-only")):
        ran = wheelworks(*arguments, cwd=tiny.root, env=environment)
        assert ran.code == 3, ran.err
        assert "rustc is not on PATH" in " ".join(ran.err.split())
        assert "hint: install Rust through rustup" in ran.err
        assert tiny.built() == []


def test_a_rust_that_is_too_old(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """Below the crate's rust-version: exit 3 with both versions and the way out."""
    tiny.write_file(
        "Cargo.toml",
        (tiny.root / "Cargo.toml")
        .read_text()
        .replace("edition", 'rust-version = "1.999"\nedition'),
    )
    ran = wheelworks("build", cwd=tiny.root)
    assert ran.code == 3
    assert re.search(r"rustc [\d.]+ is older than 1\.999, the rust-version of tiny", ran.err)
    assert "hint: " in ran.err


@pytest.mark.skipif(shutil.which("rustup") is None, reason="needs rustup")
def test_a_missing_toolchain_is_never_installed_behind_ones_back(
    tiny: TinyProject, wheelworks: Wheelworks
) -> None:
    """``provision = "never"`` holds for wheels and sdist: exit 3 with the command that installs it."""
    tiny.write_file("rust-toolchain.toml", '[toolchain]\nchannel = "1.41.1"\n')
    # Were rustup to try, it would fail at once.
    environment = {"RUSTUP_DIST_SERVER": "http://127.0.0.1:9"}
    ran = wheelworks("build", cwd=tiny.root, env=environment)
    assert ran.code == 3
    assert "rust-toolchain.toml asks for Rust 1.41.1, which is not installed" in ran.err
    assert "hint: rustup toolchain install 1.41.1" in ran.err
    sdist = wheelworks("build", "--sdist-only", cwd=tiny.root, env=environment)
    assert (sdist.code, tiny.built()) == (0, ["tiny-1.0.tar.gz"])


@pytest.mark.skipif(shutil.which("rustup") is None, reason="needs rustup")
def test_missing_components_are_never_installed_behind_ones_back(
    tiny: TinyProject, wheelworks: Wheelworks
) -> None:
    """A rust-toolchain.toml with targets that are not there must not start a download in a build."""
    version = subprocess.run(
        ["rustc", "-V"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    installed = subprocess.run(
        ["rustup", "toolchain", "list"], capture_output=True, text=True, check=True
    ).stdout
    name = version if f"{version}-" in installed else "stable"
    tiny.write_file(
        "rust-toolchain.toml",
        f'[toolchain]\nchannel = "{name}"\ntargets = ["sparcv9-sun-solaris"]\n',
    )
    ran = wheelworks("build", cwd=tiny.root, env={"RUSTUP_DIST_SERVER": "http://127.0.0.1:9"})
    assert (ran.code, tiny.built()) == (0, [WHEEL])


def test_an_index_that_is_not_reached(
    tiny: TinyProject, wheelworks: Wheelworks, tmp_path: Path
) -> None:
    """Without maturin nothing is built: exit 4 with the cause, the way out and the log."""
    closed = "http://127.0.0.1:9/simple"
    ran = wheelworks(
        "build",
        cwd=tiny.root,
        env={
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "PIP_INDEX_URL": closed,
            "UV_INDEX_URL": closed,
            "UV_DEFAULT_INDEX": closed,
            "UV_NO_CACHE": "1",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "1",
        },
    )
    assert ran.code == 4
    said = " ".join(ran.err.split())
    assert re.search(r"maturin==[\d.]+ could not be installed: .*Connection refused", said)
    assert "hint: check the network, the proxy and the index (PIP_INDEX_URL, UV_INDEX_URL)" in said
    assert ran.last_line == "1 cell: 1 failed"
    log = re.search(r"^ *log: (.+)$", ran.err, re.MULTILINE)
    assert log is not None
    assert "127.0.0.1" in Path(log[1]).read_text()
    assert_nothing_is_left(tiny)


# Tests of wheels


def test_failing_tests_are_named(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """Exit 1 with the ids of the tests that failed, the log and the command that repeats it."""
    tiny.configure('\n[tool.wheelworks.test]\ncommand = "pytest"\n')
    tiny.write_file(
        "tests/test_tiny.py",
        "def test_good(): pass\ndef test_bad(): assert 1 == 2\ndef test_worse(): raise OSError\n",
    )
    ran = wheelworks("test", cwd=tiny.root)
    assert ran.code == 1
    text = " ".join(ran.err.split())
    assert "2 tests failed: tests/test_tiny.py::test_bad, tests/test_tiny.py::test_worse" in text
    assert f"repeat: wheelworks test {CELL}" in ran.err
    assert ran.last_line == "1 cell: 1 failed"
    # The wheel itself is good: it stays, and is not built again.
    assert tiny.built() == [WHEEL]
    tiny.write_file("tests/test_tiny.py", "def test_good(): pass\n")
    again = wheelworks("test", cwd=tiny.root)
    assert (again.code, again.last_line) == (0, "1 cell: 1 tested")


def test_a_suite_that_tests_the_source_tree_fails(
    tiny: TinyProject, wheelworks: Wheelworks
) -> None:
    """The package must come from the wheel: exit 1 although every test passes, and where it came from."""
    tiny.configure('\n[tool.wheelworks.test]\ncommand = "pytest"\n')
    tiny.write_file(
        "tests/test_tiny.py",
        f"import sys\nsys.path.insert(0, {str(tiny.root / 'python')!r})\nimport tiny\n"
        "def test_good(): assert tiny\n",
    )
    ran = wheelworks("test", cwd=tiny.root)
    assert ran.code == 1
    text = " ".join(ran.err.split())
    source = tiny.root / "python" / "tiny" / "__init__.py"
    assert f"the tests did not test the wheel: tiny was imported from {source}" in text


def test_tests_without_an_interpreter_are_unavailable(
    tiny: TinyProject, wheelworks: Wheelworks, tmp_path: Path
) -> None:
    """Exit 3 and the interpreter that is missing; that nothing was tested is no success."""
    tiny.write_file("tests/test_tiny.py", "def test_good(): pass\n")
    environment = {
        "WHEELWORKS_PYTHONS": "pp311",
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uv"),
        "PYENV_ROOT": str(tmp_path / "pyenv"),
    }
    ran = wheelworks("test", cwd=tiny.root, env=environment)
    assert ran.code == 3
    assert "no PyPy 3.11" in ran.err
    assert "hint: " in ran.err
    assert ran.last_line == "1 cell: 1 unavailable here"


def test_an_interrupt_stops_running_tests(
    tiny: TinyProject, start_wheelworks: StartWheelworks, tmp_path: Path
) -> None:
    """SIGINT while pytest runs: 130, no process goes on, and the scratch folder is gone."""
    tiny.configure('\n[tool.wheelworks.test]\ncommand = "pytest"\n')
    mark = tmp_path / "mark"
    tiny.write_file(
        "tests/test_tiny.py",
        "import os, pathlib, time\n"
        "def test_long():\n"
        f"    pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\n"
        "    time.sleep(600)\n",
    )
    run = start_wheelworks("test", cwd=tiny.root)
    await_that(lambda: mark.exists() and mark.read_text() != "", "the test runs")
    assert run.interrupt(signal.SIGINT) == 130
    assert not is_alive(int(mark.read_text()))
    assert_nothing_is_left(tiny)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_does_not_end_the_build(tiny: TinyProject, stream: str) -> None:
    """``wheelworks build --events json | head -1``: the build goes on, and its code says how it ended."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "wheelworks", "build", "--events", "json"],
            cwd=tiny.root,
            stdout=writer if stream == "stdout" else subprocess.DEVNULL,
            stderr=writer if stream == "stderr" else subprocess.DEVNULL,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, tiny.built()) == (0, [WHEEL])
