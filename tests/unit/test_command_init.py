"""``wheelworks init``: asking and writing."""

from __future__ import annotations

import argparse
import io
import json
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from wheelworks.commands import init
from wheelworks.commands.context import CommandContext
from wheelworks.errors import MissingResourceError, UsageError
from wheelworks.init_plan import Proposal, ProposedFile
from wheelworks.process import ProcessRunner

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = (
    '[build-system]\nrequires = ["maturin>=1,<2"]\nbuild-backend = "maturin"\n\n'
    '[project]\nname = "demo"\nversion = "1.0"\nrequires-python = ">=3.12"\n'
)
CARGO = (
    '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n\n'
    '[lib]\ncrate-type = ["cdylib"]\n\n[dependencies]\npyo3 = "0.30"\n'
)


class Terminal(io.StringIO):
    """A standard input at which somebody sits."""

    def isatty(self) -> bool:
        """Somebody sits there."""
        return True


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small maturin project without a noxfile."""
    (tmp_path / "src").mkdir()
    for name, text in {"pyproject.toml": PYPROJECT, "Cargo.toml": CARGO, "src/lib.rs": ""}.items():
        (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def context() -> CommandContext:
    """An outside world that keeps what is printed."""
    return CommandContext(
        environ={},
        runner=ProcessRunner({}),
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        command_line="wheelworks init",
    )


def arguments(project: Path, **changed: object) -> argparse.Namespace:
    """The parsed command line."""
    values = {"directory": str(project), "package": None, "yes": False, "dry_run": False}
    return argparse.Namespace(**{**values, "json": False, **changed})


def printed(stream: object) -> str:
    """What was written to a stream of the context."""
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def names(folder: Path) -> set[str]:
    """The folder's entries, left-over temporary files among them."""
    return {path.name for path in folder.iterdir()}


def test_yes_writes_what_is_shown(project: Path) -> None:
    """The section is appended, the noxfile made, nothing else left behind."""
    world = context()
    assert init.execute(arguments(project, yes=True), world) == 0
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    assert text.startswith(PYPROJECT + "\n[tool.wheelworks]\n")
    assert names(project) == {"pyproject.toml", "Cargo.toml", "src", "noxfile.py"}
    assert "[tool.wheelworks]" in printed(world.stderr)
    assert printed(world.stdout) == ""


def test_a_project_in_a_sub_folder_is_named_with_it(project: Path) -> None:
    """Started above the project, one sees where the files will lie."""
    folder = project / "sub"
    folder.mkdir()
    for name in ("pyproject.toml", "Cargo.toml", "src"):
        (project / name).rename(folder / name)
    world = context()
    assert init.execute(arguments(project, yes=True), world) == 0
    shown = printed(world.stderr).replace(os.sep, "/")
    assert "sub/pyproject.toml (at its end):" in shown
    assert "written: sub/pyproject.toml, sub/noxfile.py" in shown


def test_dry_run_only_shows(project: Path) -> None:
    """Nothing is written and nothing is asked."""
    world = context()
    assert init.execute(arguments(project, dry_run=True), world) == 0
    assert names(project) == {"pyproject.toml", "Cargo.toml", "src"}
    assert "nothing was written" in printed(world.stderr)


@pytest.mark.parametrize(
    ("answer", "is_written"), [("y\n", True), ("YES\n", True), ("\n", False), ("", False)]
)
def test_only_a_yes_writes(
    project: Path, monkeypatch: pytest.MonkeyPatch, answer: str, *, is_written: bool
) -> None:
    """An empty answer, or the end of the input, is a no."""
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert init.execute(arguments(project), context()) == 0
    assert (project / "noxfile.py").exists() is is_written


def test_without_a_terminal_nothing_is_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that forgot ``--yes`` is told so."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError, match="no terminal") as caught:
        init.execute(arguments(project), context())
    assert caught.value.hint == "write with --yes"
    assert not (project / "noxfile.py").exists()


def test_a_second_run_writes_nothing(project: Path) -> None:
    """Everything is there, so nothing is asked either."""
    init.execute(arguments(project, yes=True), context())
    before = (project / "pyproject.toml").read_bytes()
    world = context()
    assert init.execute(arguments(project), world) == 0
    assert (project / "pyproject.toml").read_bytes() == before
    assert "already" in printed(world.stderr)


def test_json_tells_what_was_written(project: Path) -> None:
    """One document on stdout names each file and its added text."""
    world = context()
    init.execute(arguments(project, yes=True, json=True), world)
    document = json.loads(printed(world.stdout))
    assert document["schema"] == 1
    assert document["written"] is True
    assert [(file["is_new"], file["path"]) for file in document["files"]] == [
        (False, str(project / "pyproject.toml")),
        (True, str(project / "noxfile.py")),
    ]


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """What was shown is not what is there, so neither file is written."""
    changed, new = tmp_path / "pyproject.toml", tmp_path / "noxfile.py"
    changed.write_bytes(b"edited")
    proposal = Proposal(
        files=(
            ProposedFile(path=new, before=None, added=b"new"),
            ProposedFile(path=changed, before=b"shown", added=b"more"),
        ),
        notes=(),
    )
    with pytest.raises(UsageError, match=r"pyproject\.toml changed since it was shown"):
        init.apply(proposal)
    assert changed.read_bytes() == b"edited"
    assert names(tmp_path) == {"pyproject.toml"}


def test_a_file_that_appeared_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """Also when it appears between the check and the rename."""
    path = tmp_path / "noxfile.py"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        init._write(ProposedFile(path=path, before=None, added=b"new"))
    assert path.read_bytes() == b"mine"
    assert names(tmp_path) == {"noxfile.py"}


def test_a_file_system_without_links_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new file is moved there instead, but never onto another."""

    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "noxfile.py"
    init._write(ProposedFile(path=path, before=None, added=b"new"))
    assert path.read_bytes() == b"new"
    with pytest.raises(OSError, match="not supported"):
        init._write(ProposedFile(path=path, before=None, added=b"newer"))
    assert path.read_bytes() == b"new"


def test_a_write_protected_file_is_respected(project: Path) -> None:
    """A rename would replace it all the same, so it is checked first."""
    (project / "pyproject.toml").chmod(0o444)
    with pytest.raises(MissingResourceError, match="write-protected"):
        init.execute(arguments(project, yes=True), context())
    assert not (project / "noxfile.py").exists()


def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    """The system's reason is passed on with the way out."""
    file = ProposedFile(path=tmp_path / "gone" / "noxfile.py", before=None, added=b"new")
    with pytest.raises(MissingResourceError, match=r"noxfile\.py can't be written: No such"):
        init.apply(Proposal(files=(file,), notes=()))


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_permissions_are_kept(tmp_path: Path) -> None:
    """An appended file keeps its own; a new one gets the usual ones."""
    old, new = tmp_path / "pyproject.toml", tmp_path / "noxfile.py"
    old.write_bytes(b"old")
    old.chmod(0o600)
    previous = os.umask(0o022)
    try:
        init._write(ProposedFile(path=old, before=b"old", added=b" and new"))
        init._write(ProposedFile(path=new, before=None, added=b"new"))
    finally:
        os.umask(previous)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert stat.S_IMODE(new.stat().st_mode) == 0o644
    assert old.read_bytes() == b"old and new"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_linked_file_stays_a_link(tmp_path: Path) -> None:
    """The file that the link points to is written."""
    real, link = tmp_path / "shared.toml", tmp_path / "pyproject.toml"
    real.write_bytes(b"old")
    link.symlink_to(real)
    init._write(ProposedFile(path=link, before=b"old", added=b"+"))
    assert link.is_symlink()
    assert real.read_bytes() == b"old+"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder of the noxfile's name is no reason to write one."""
    (tmp_path / "noxfile.py").mkdir()
    with pytest.raises(MissingResourceError, match=r"noxfile\.py can't be read"):
        init.read_existing(tmp_path)
