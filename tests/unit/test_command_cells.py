"""``shell``, ``try`` and ``prefetch`` on a faked machine: what is started, with which words, and what is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import Reply

from wheelworks import cli
from wheelworks.arguments import build_parser, parse_arguments
from wheelworks.containers.facts import ContainerFacts, EngineFacts, ImageFacts
from wheelworks.doctor_model import Survey
from wheelworks.errors import MissingResourceError

if TYPE_CHECKING:
    from fakes import Call
    from workshop import Workshop

    from wheelworks.plan import ImageRequest

CELL = "cp313-manylinux_x86_64"


def left(workshop: Workshop) -> list[str]:
    """What lies in staging folders and registers of runs."""
    return [
        path.name
        for folder in ("staging", "running")
        for path in (workshop.state / folder).glob("*")
        if path.suffix != ".lock"
    ]


@pytest.mark.parametrize(
    ("argv", "rest"),
    [
        (["try", CELL, "--", "-m", "this", "--", "x"], ("-m", "this", "--", "x")),
        (["shell", CELL, "-v", "--", "ls", "-C"], ("ls", "-C")),
        (["shell", CELL], ()),
        (["build", "--", CELL], ()),
    ],
)
def test_what_follows_two_dashes_is_the_programs(argv: list[str], rest: tuple[str, ...]) -> None:
    """Only for commands that start a program; for others the dashes mean what they always do."""
    args = parse_arguments(build_parser(), argv)
    assert args.rest == rest
    if args.command == "build":
        assert args.selectors == [CELL]


# shell


def test_a_shell_has_the_builds_environment_and_folder(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands in the snapshot, with maturin and zig on PATH, and is told how to build."""
    workshop.machine.parts["sh"] = lambda _: Reply(returncode=3)
    assert workshop.run("shell", CELL) == 3
    (call,) = workshop.machine.attached
    assert call.argv[:2] == ("sh", "-c")
    assert call.cwd.parent == workshop.state / "source"
    assert (call.cwd / "src" / "lib.rs").is_file()
    assert "maturin-1.16.0" in call.env["PATH"].split(":")[0]
    assert call.env["CARGO_INCREMENTAL"] == "0"
    assert f"PS1='({CELL}) " in call.argv[2]
    err = capsys.readouterr().err
    assert "maturin build --profile release --locked" in err
    assert workshop.machine.called("maturin") == []
    assert left(workshop) == []


def test_a_command_in_place_of_the_shell(workshop: Workshop) -> None:
    """Its words are handed on, and its exit code is ours; a failed build changes nothing about it."""
    workshop.machine.parts["maturin"] = lambda _: Reply(returncode=1)
    assert workshop.run("build", CELL) == 1
    workshop.machine.parts["env"] = lambda _: Reply()
    assert run_with(workshop, "shell", CELL, rest=("env", "-0")) == 0
    assert workshop.machine.attached[0].argv == ("env", "-0")


def test_a_cell_that_can_not_be_built_has_no_shell(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason and the way out are the plan's."""
    assert workshop.run("shell", "cp313-win_amd64") == 3
    assert "cp313-win_amd64 has no shell here:" in capsys.readouterr().err
    assert workshop.run("shell", "cp313-*") == 2


def test_a_shell_that_is_missing_is_told(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 4, as for every program that is not there."""
    assert run_with(workshop, "shell", CELL, rest=("fish",)) == 4
    assert "fish could not be started" in capsys.readouterr().err


# try


def test_the_wheel_is_built_once_and_tried_in_a_fresh_environment(workshop: Workshop) -> None:
    """The interpreter is the environment's; what it imports comes from the wheel alone."""
    seen: list[list[str]] = []

    def python(call: Call) -> Reply:
        if "import_check.py" not in " ".join(call.argv):
            seen.append([path.name for path in call.cwd.iterdir()])
        return Reply()

    workshop.machine.parts["python"] = python
    assert workshop.run("try", CELL, "-c", "import demo") == 0
    assert workshop.run("try", CELL) == 0
    first, second = workshop.machine.attached
    assert first.argv[1:] == ("-c", "import demo")
    assert second.argv[1:] == ()
    assert first.argv[0] != second.argv[0]
    assert Path(first.argv[0]).parts[-3:] == ("env", "bin", "python")
    assert "PYTEST_PLUGINS" not in first.env
    assert seen == [[], []]
    assert len(workshop.machine.called("maturin")) == 1
    installed = [call for call in workshop.machine.called("uv", "install") if "-r" not in call.argv]
    assert [Path(call.argv[-1]).name for call in installed] == [
        "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
    ] * 2
    assert left(workshop) == []


def test_words_after_two_dashes_are_pythons(workshop: Workshop) -> None:
    """``try CELL -- -m demo``; its exit code is ours."""
    workshop.run("build", CELL)
    workshop.machine.parts["python"] = lambda call: Reply(returncode=5 * ("-m" in call.argv))
    assert run_with(workshop, "try", CELL, rest=("-m", "demo")) == 5
    assert workshop.machine.attached[0].argv[1:] == ("-m", "demo")


def test_trying_changes_nothing_about_the_tests(workshop: Workshop) -> None:
    """The tests of the cell are as up to date afterwards as they were before."""
    assert workshop.run("test", CELL) == 0
    assert workshop.run("try", CELL, "-c", "") == 0
    assert workshop.run("test", CELL) == 0
    assert workshop.outcomes()[f"test {CELL}"] == "up to date"


def test_a_wheel_that_can_not_be_built_or_run_is_not_tried(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """The build's exit code; for a foreign platform the reason."""
    workshop.machine.parts["maturin"] = lambda _: Reply(returncode=1)
    assert workshop.run("try", CELL) == 1
    assert workshop.machine.attached == []
    capsys.readouterr()
    assert workshop.run("try", "cp313-win_amd64") == 3
    assert "can't be tried here" in capsys.readouterr().err


def test_an_installation_that_fails_shows_why(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """The installer's last lines come before the error."""
    workshop.run("build", CELL)

    def uv(call: Call) -> Reply:
        if "install" in call.argv:
            return Reply(returncode=1, stderr="no such version")
        return Reply()

    workshop.machine.parts["uv"] = uv
    capsys.readouterr()
    assert workshop.run("try", CELL) == 1
    err = capsys.readouterr().err
    assert "no such version\nerror: uv ended with exit code 1 (step install)" in err
    assert left(workshop) == []


# prefetch


def test_prefetch_brings_tools_crates_and_requirements(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Crates once for all cells of a triple; requirements per interpreter, without the wheel; nothing is built."""
    workshop.machine.parts["cargo"] = lambda _: Reply()
    text = (workshop.root / "pyproject.toml").read_text()
    workshop.write(
        "pyproject.toml",
        text.replace('version = "1.0"', 'version = "1.0"\ndependencies = ["attrs>=24"]'),
    )
    assert workshop.run("prefetch") == 0
    fetched = workshop.machine.called("cargo", "fetch")
    assert [call.argv[-1] for call in fetched if "--target" in call.argv] == [
        "x86_64-unknown-linux-gnu"
    ]
    installed = [
        call.argv for call in workshop.machine.called("uv", "install") if "-r" not in call.argv
    ]
    assert [argv[-2:] for argv in installed] == [("attrs>=24", "pytest")] * 2
    assert workshop.machine.called("maturin") == []
    assert workshop.built() == []
    err = capsys.readouterr().err
    assert "4 cells: everything is here, 2 unavailable here" in err
    assert left(workshop) == []
    assert workshop.run("build", "--offline", CELL) == 0


def test_prefetch_says_what_could_not_be_brought(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 4, with cargo's words; the rest is brought nevertheless."""
    workshop.machine.parts["cargo"] = lambda _: Reply(returncode=101, stderr="error: no network")
    assert workshop.run("prefetch", CELL) == 4
    err = capsys.readouterr().err
    assert "error: no network" in err
    assert f"build {CELL}: cargo ended with exit code 101 (step fetch)" in err
    assert "1 cell: 1 job incomplete" in err
    assert workshop.machine.called("uv", "pytest")


def test_prefetch_offline_is_a_contradiction(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever set the variable for good is told."""
    assert workshop.run("prefetch", "--offline") == 2
    assert "offline is set" in capsys.readouterr().err


def test_prefetch_installs_nothing_that_is_forbidden(workshop: Workshop) -> None:
    """With nobody to ask it is announced; provision = "never" leaves rustup's additions out of the plan."""
    rust = workshop.host.rust
    assert rust is not None
    workshop.host = replace(
        workshop.host, rust=replace(rust, can_add_targets=True, cannot_add_reason=None)
    )
    text = (workshop.root / "pyproject.toml").read_text()
    workshop.write("pyproject.toml", text.replace("win_amd64", "manylinux_aarch64"))
    for program in ("rustup", "cargo"):
        workshop.machine.parts[program] = lambda _: Reply()
    assert workshop.run("prefetch", "--provision", "never") == 0
    assert workshop.machine.called("rustup") == []
    assert workshop.run("prefetch") == 0
    assert workshop.machine.called("rustup", "target", "add")


# doctor --fix


class Fixes:
    """Plays what changes the machine, and remembers the order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.problem: MissingResourceError | None = None
        self.survey = Survey()
        door = "wheelworks.commands.doctor"
        monkeypatch.setattr(f"{door}.survey", lambda *_: self.survey)
        monkeypatch.setattr(f"{door}.register_binfmt", self._register)
        monkeypatch.setattr(f"{door}.install_host_packages", self._install)
        monkeypatch.setattr("wheelworks.supplies.ImageSupply.build", self._build)

    def _register(self, platform: str, *_: object, **__: object) -> None:
        if self.problem is not None:
            raise self.problem
        self.done.append(f"register {platform}")

    def _install(self, packages: tuple[str, ...], *_: object, **__: object) -> None:
        self.done.append(f"install {' '.join(packages)}")

    def _build(self, request: ImageRequest) -> str:
        if f"build {request.role}" not in self.done:
            self.done.append(f"build {request.role}")
        return "sha256:1"


@pytest.fixture
def fixes(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Fixes:
    """A machine with an engine, no toolchain image and no QEMU; the project has cells for arm64."""
    text = (workshop.root / "pyproject.toml").read_text()
    targets = '["manylinux_x86_64", "manylinux_aarch64"]'
    workshop.write("pyproject.toml", text.replace('["manylinux_x86_64", "win_amd64"]', targets))
    engine = EngineFacts(
        name="docker", path="/usr/bin/docker", version="28", platform="linux/amd64", user=None
    )
    image = ImageFacts(
        role="toolchain",
        platform="linux/amd64",
        reference="wheelworks/toolchain:1-amd64",
        image_id=None,
        minutes=8,
        size_mib=4096,
    )
    containers = ContainerFacts(
        engine=engine,
        images=(image,),
        emulation_problems=(("linux/arm64", "no QEMU is registered"),),
    )
    workshop.host = replace(workshop.host, containers=containers)
    found = Fixes(monkeypatch)
    found.survey = Survey(
        missing_packages=("qemu-user-static",), package_command=("apt-get", "install", "x")
    )
    return found


def test_fix_installs_then_registers_then_builds(
    workshop: Workshop, fixes: Fixes, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order in which one thing needs the other; the large thing is announced with its size."""
    assert workshop.run("doctor", "--fix") == 0
    assert fixes.done == ["install qemu-user-static", "register linux/arm64", "build toolchain"]
    out, err = capsys.readouterr()
    assert "missing  emulation of linux/arm64: no QEMU is registered" in out
    assert "installing image toolchain linux/amd64" in err
    assert "(4.0 GiB, about 8 min)" in err
    assert left(workshop) == []


def test_what_can_not_be_fixed_gives_the_command(
    workshop: Workshop, fixes: Fixes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 4; the rest is mended nevertheless."""
    fixes.problem = MissingResourceError("by root only", hint="sudo sh -c ...")
    assert workshop.run("doctor", "--fix") == 4
    err = capsys.readouterr().err
    assert "error: by root only\nhint: sudo sh -c ..." in err
    assert fixes.done == ["install qemu-user-static", "build toolchain"]


def test_without_fix_nothing_is_changed(workshop: Workshop, fixes: Fixes) -> None:
    """Doctor only looks."""
    assert workshop.run("doctor") == 0
    assert fixes.done == []


def run_with(workshop: Workshop, *arguments: str, rest: tuple[str, ...]) -> int:
    """The exit code of a command line that ends with words for a program."""
    return cli.main([*arguments, "-C", str(workshop.root), "--", *rest])
