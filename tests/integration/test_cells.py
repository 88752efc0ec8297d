"""``shell`` and ``try`` with real processes, as a person uses them on a terminal, and as a script does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tiny_project import CELL, WHEEL, TinyProject

if TYPE_CHECKING:
    from pathlib import Path

    from integration.conftest import OnTerminal, Wheelworks


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """The smallest project."""
    return TinyProject.write(tmp_path / "tiny")


def left(project: TinyProject) -> list[str]:
    """What staging folders and registers of runs hold."""
    return [*project.staged(), *(path.name for path in (project.state / "running").glob("*.json"))]


def test_a_prompt_with_the_wheel(tiny: TinyProject, on_terminal: OnTerminal) -> None:
    """It is built first; the prompt survives Ctrl-C; the environment is fresh and gone afterwards."""
    with on_terminal("try", CELL, cwd=tiny.root) as session:
        session.await_text(f"{WHEEL} in a fresh environment")
        session.await_text(">>> ")
        # Not at the prompt: an interrupt between it and readline's waiting would be seen at the next key.
        session.type("import time; print('sleep' + 'ing'); time.sleep(1000)\n")
        session.await_text("sleeping")
        session.type("\x03")
        session.await_text("KeyboardInterrupt")
        session.type("import shutil, sys; print('at', shutil.which('tiny'), sys.stdin.isatty())\n")
        session.await_text("at " + str(tiny.state / "staging"))
        session.await_text("/env/bin/tiny True")
        session.type("raise SystemExit(6)\n")
        assert session.end() == 6
    assert tiny.built() == [WHEEL]
    assert left(tiny) == []


def test_try_for_scripts(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """Only what the program prints is on stdout; its exit code is handed on."""
    code = "import importlib.metadata as m; print(m.version('tiny')); raise SystemExit(3)"
    ran = wheelworks("try", CELL, "-q", "-c", code, cwd=tiny.root)
    assert (ran.code, ran.out) == (3, "1.0\n")
    again = wheelworks("try", CELL, "--", "-c", code, cwd=tiny.root)
    assert (again.code, again.out) == (3, "1.0\n")
    assert "1 cell" not in again.err


def test_a_shell_in_which_the_build_can_be_repeated(
    tiny: TinyProject, on_terminal: OnTerminal
) -> None:
    """The command that is shown works as it stands, in the folder and with the PATH of the shell."""
    with on_terminal("shell", CELL, cwd=tiny.root) as session:
        session.await_text("\nbuild    ")
        session.await_text("wheels   ")
        session.await_text(f"({CELL})")
        command = session.text.partition("\nbuild    ")[2].partition("\n")[0]
        session.type("ls src; command -v maturin\n")
        session.await_text("main.rs")
        session.await_text("/bin/maturin")
        session.type(f"{command}\n")
        session.await_text("Built wheel")
        session.type("exit 4\n")
        assert session.end() == 4
    assert tiny.built() == []
    assert left(tiny) == []


def test_a_shell_after_a_failed_build(tiny: TinyProject, wheelworks: Wheelworks) -> None:
    """What failed can be looked at where it failed."""
    tiny.write_file("src/main.rs", "fn main() { broken }")
    assert wheelworks("build", CELL, cwd=tiny.root).code == 1
    ran = wheelworks("shell", CELL, "--", "grep", "-c", "broken", "src/main.rs", cwd=tiny.root)
    assert (ran.code, ran.out) == (0, "1\n")


def test_prefetch_makes_an_offline_build_possible(
    tiny: TinyProject, wheelworks: Wheelworks
) -> None:
    """Everything is here afterwards; the run without a network succeeds."""
    assert wheelworks("prefetch", cwd=tiny.root).last_line == "1 cell: everything is here"
    ran = wheelworks("build", "--offline", cwd=tiny.root)
    assert ran.code == 0, ran.err
    assert tiny.built() == [WHEEL]


def test_a_shell_and_a_prompt_in_containers(
    tiny: TinyProject,
    on_terminal: OnTerminal,
    wheelworks: Wheelworks,
    container_engine: str,
    toolchain_image: str,
) -> None:
    """The terminal is joined to the container's; neither it nor a file of its own is left."""
    tiny.configure(f'container.image = "{toolchain_image}"\n')
    with on_terminal("shell", CELL, "--toolchain", "container", cwd=tiny.root) as session:
        session.await_text(f"({CELL})")
        session.type("pwd; [ -t 0 ] && echo joined; command -v maturin\n")
        session.await_text("/wheelworks/source")
        session.await_text("joined")
        session.await_text("/maturin")
        session.type("exit 5\n")
        assert session.end() == 5
    closed = wheelworks(
        "shell", CELL, "--toolchain", "container", "--no-network", "--",
        "cat", "/proc/net/dev", cwd=tiny.root,
    )  # fmt: skip
    assert closed.code == 0
    assert "eth0" not in closed.out
    listed = subprocess.run(
        [container_engine, "ps", "--all", "--quiet", "--filter", "name=wheelworks-shell-"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert listed.stdout == ""
    assert left(tiny) == []
