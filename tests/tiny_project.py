"""The smallest project that maturin builds, and wheelworks as a process that goes on beside a test.

The project is a program without dependencies, which compiles in a second. Its build script can be
held: while the file that ``TINY_HOLD`` names exists, the build goes on. So a test that has something
to do "in the middle of a build" knows that it is there, however slow the machine is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping

CELL = "cp313-manylinux_x86_64"
WHEEL = "tiny-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
#: A test that waits longer than this for something has failed.
HANGING_SECONDS = 120

PYPROJECT = """\
[build-system]
requires = ["maturin>=1.14.1,<2"]
build-backend = "maturin"

[project]
name = "tiny"
version = "1.0"
requires-python = ">=3.11"

[tool.maturin]
bindings = "bin"
python-source = "python"

[tool.wheelworks]
targets = ["manylinux_x86_64"]
pythons = ["3.13"]
sdist = false
environment-pass = ["TINY_HOLD", "TINY_STUBBORN"]
"""
CARGO = """\
[package]
name = "tiny"
version = "1.0.0"
edition = "2021"

[workspace]
"""
LOCK = 'version = 3\n\n[[package]]\nname = "tiny"\nversion = "1.0.0"\n'
MAIN = 'fn main() {\n    println!("tiny");\n}\n'
#: Writes its process number beside the held file, whole or not at all.
BUILD_SCRIPT = """\
use std::{env, fs, path::Path, process, thread, time::Duration};

extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
}

fn main() {
    let Ok(hold) = env::var("TINY_HOLD") else { return };
    if env::var("TINY_STUBBORN").is_ok() {
        // SIGTERM is ignored (SIG_IGN).
        unsafe { signal(15, 1) };
    }
    let hold = Path::new(&hold);
    let unfinished = hold.with_extension("tmp");
    fs::write(&unfinished, process::id().to_string()).unwrap();
    fs::rename(&unfinished, hold.with_extension("pid")).unwrap();
    while hold.exists() {
        thread::sleep(Duration::from_millis(20));
    }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyProject:
    """The project's folder and what is found in it."""

    root: Path

    @classmethod
    def write(cls, root: Path, *, is_held: bool = False) -> TinyProject:
        """Write the files.

        Args:
            root: the folder, made here.
            is_held: whether the build script is there and waits.
        """
        project = cls(root=root)
        files = {
            "pyproject.toml": PYPROJECT,
            "Cargo.toml": CARGO,
            "Cargo.lock": LOCK,
            "src/main.rs": MAIN,
            "python/tiny/__init__.py": "",
        }
        if is_held:
            files["build.rs"] = BUILD_SCRIPT
            project.hold.parent.mkdir(parents=True, exist_ok=True)
            project.hold.write_text("")
        for name, text in files.items():
            project.write_file(name, text)
        return project

    def write_file(self, name: str, text: str) -> None:
        """Write one more file, or another text into one."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def configure(self, text: str) -> None:
        """Add lines to ``[tool.wheelworks]``."""
        file = self.root / "pyproject.toml"
        file.write_text(file.read_text() + text)

    @property
    def hold(self) -> Path:
        """While this file exists, the build script waits. Outside of the sources."""
        return self.root.with_name(f"{self.root.name}-held") / "hold"

    @property
    def hold_environment(self) -> dict[str, str]:
        """Variables for a run whose build is held."""
        return {"TINY_HOLD": str(self.hold)}

    @property
    def dist(self) -> Path:
        """Where wheels arrive."""
        return self.root / "dist"

    @property
    def state(self) -> Path:
        """The folder of wheelworks."""
        return self.root / ".wheelworks"

    def built(self) -> list[str]:
        """Names of all that lies in ``dist/``, hidden files, too."""
        return sorted(path.name for path in self.dist.iterdir()) if self.dist.is_dir() else []

    def staged(self) -> list[str]:
        """What lies in staging folders."""
        return [path.name for path in (self.state / "staging").glob("*")]

    def held_process(self, run: RunningWheelworks, *, other_than: int | None = None) -> int:
        """Wait until a build script of a run waits; gives its process number."""
        file = self.hold.with_suffix(".pid")

        def is_held() -> bool:
            assert run.process.poll() is None, run.err
            return file.exists() and int(file.read_text()) != other_than

        await_that(is_held, "the build is held")
        return int(file.read_text())

    def release(self) -> None:
        """Let the build script end."""
        self.hold.unlink()


class RunningWheelworks:
    """``python -m wheelworks`` that goes on beside the test.

    Args:
        arguments: after ``wheelworks``.
        cwd: the folder.
        env: all variables.
        output: where what it writes is kept; two files with this stem.
    """

    def __init__(self, *arguments: str, cwd: Path, env: Mapping[str, str], output: Path) -> None:
        self._out = output.with_suffix(".out")
        self._err = output.with_suffix(".err")
        # Files and no pipes: nobody has to read them for the process to go on.
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "wheelworks", *arguments],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def err(self) -> str:
        """What it wrote to stderr so far."""
        return self._err.read_text(errors="replace")

    def await_error_text(self, text: str) -> None:
        """Wait until it has written something to stderr."""
        await_that(lambda: text in self.err, f"{text!r} is written, not only:\n{self.err}")

    def end(self) -> int:
        """Wait for the end; gives the exit code."""
        return self.process.wait(HANGING_SECONDS)

    def interrupt(self, number: signal.Signals) -> int:
        """Send a signal to this process alone and wait for the end; gives the exit code."""
        self.process.send_signal(number)
        return self.end()


def await_that(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it does not become so.
    """
    deadline = time.monotonic() + HANGING_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def processes_in(folder: Path) -> list[str]:
    """Command lines of the processes that work in a folder or name it, without this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            cwd = (entry / "cwd").readlink()
        except OSError:
            continue
        is_there = cwd.is_relative_to(folder) or str(folder) in command
        if is_there and pid != os.getpid() and is_alive(pid):
            found.append(f"{pid} {command}")
    return found
