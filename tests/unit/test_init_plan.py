"""What ``wheelworks init`` would write."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from wheelworks.config.settings import Settings
from wheelworks.errors import ConfigurationError
from wheelworks.init_plan import ExistingFiles, Proposal, propose, render_proposal
from wheelworks.project import Project

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

ROOT = Path("/project")
PLAIN = b'[project]\nname = "demo"\n'


def project() -> Project:
    """A small maturin project."""
    return Project(
        root=ROOT,
        source_root=ROOT,
        manifest_path=ROOT / "Cargo.toml",
        workspace_root=ROOT,
        has_lock_file=True,
        name="demo",
        version="1.0",
        module_name="demo",
        import_names=("demo",),
        python_source=None,
        package_dirs=(),
        bindings="pyo3",
        pyo3_requirement="0.30",
        stable_abi=None,
        requires_python=None,
        classifiers=(),
        rust_version=None,
        rust_toolchain=None,
        maturin_requirement=None,
        extras=(),
        dependency_groups=(),
        reads_git=False,
        cargo_config_files=(),
        has_cibuildwheel=False,
    )


def settings(*targets: str) -> Settings:
    """Settings for two Pythons and the given targets."""
    return Settings(
        pythons=("3.12", "3.14t"),
        targets=targets or ("manylinux_x86_64", "win_amd64"),
        dist=ROOT / "dist",
    )


def proposed(pyproject: bytes = PLAIN, **files: bytes) -> Proposal:
    """The proposal for a project with these files."""
    return propose(project(), settings(), ExistingFiles(pyproject=pyproject, **files))


def written(proposal: Proposal) -> dict[str, bytes]:
    """What each file will hold."""
    return {file.path.name: file.after for file in proposal.files}


def test_a_project_without_noxfile_gets_the_section_and_a_noxfile(
    snapshot: SnapshotAssertion,
) -> None:
    """What a user is shown before anything is written."""
    assert render_proposal(proposed(), ROOT) == snapshot


def test_a_project_with_a_noxfile_gets_a_second_one(snapshot: SnapshotAssertion) -> None:
    """The existing file stays, and the lines that join the two are named."""
    proposal = proposed(noxfile=b"import nox\n")
    assert set(written(proposal)) == {"pyproject.toml", "noxfile_wheelworks.py"}
    assert render_proposal(proposal, ROOT) == snapshot


def test_the_section_says_what_the_settings_are() -> None:
    """Read back, the section holds the pythons and targets in force."""
    after = tomllib.loads(written(proposed())["pyproject.toml"].decode())
    assert after == {
        "project": {"name": "demo"},
        "tool": {
            "wheelworks": {
                "pythons": ["3.12", "3.14t"],
                "targets": ["manylinux_x86_64", "win_amd64"],
            }
        },
    }


@pytest.mark.parametrize(
    ("before", "gap"),
    [(PLAIN, b"\n"), (b'name = "no newline at the end"', b"\n\n"), (b"", b"")],
)
def test_an_empty_line_parts_the_section_from_the_rest(before: bytes, gap: bytes) -> None:
    """The section begins on a line of its own whatever the file ends with."""
    assert written(proposed(before))["pyproject.toml"].startswith(before + gap + b"[tool.wheel")


def test_line_ends_of_windows_are_kept() -> None:
    """A file with CRLF gets CRLF, so that git and editors see no mixture."""
    after = written(proposed(b'[project]\r\nname = "demo"\r\n'))["pyproject.toml"]
    assert after.count(b"\n") == after.count(b"\r\n") > 3


def test_many_targets_are_listed_one_a_line() -> None:
    """A long matrix stays readable."""
    names = [f"manylinux_{arch}" for arch in ("x86_64", "aarch64", "i686", "armv7l", "s390x")]
    proposal = propose(project(), settings(*names), ExistingFiles(pyproject=PLAIN))
    after = written(proposal)["pyproject.toml"].decode()
    assert '\n    "manylinux_i686",\n' in after
    assert tomllib.loads(after)["tool"]["wheelworks"]["targets"] == names


def test_an_existing_section_is_left_alone() -> None:
    """Who has a section has decided already."""
    proposal = proposed(PLAIN + b"[tool.wheelworks]\n")
    assert set(written(proposal)) == {"noxfile.py"}
    assert "already" in proposal.notes[0]


def test_an_inline_table_of_tools_is_left_to_the_user() -> None:
    """TOML lets nobody add to ``tool = {...}``; the lines are shown instead."""
    proposal = proposed(b'tool = {maturin = {bindings = "pyo3"}}\n')
    assert "pyproject.toml" not in written(proposal)
    assert '[tool.wheelworks]\npythons = ["3.12", "3.14t"]' in proposal.notes[0]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[project\n"])
def test_a_broken_pyproject_is_refused(content: bytes) -> None:
    """Nothing is appended to what can't be read."""
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml is no TOML in UTF-8"):
        proposed(content)


def test_a_noxfile_that_uses_wheelworks_is_left_alone() -> None:
    """A second run of init proposes nothing for it."""
    proposal = proposed(noxfile=b"import wheelworks.nox\n")
    assert set(written(proposal)) == {"pyproject.toml"}
    assert "uses wheelworks.nox already" in proposal.notes[0]


def test_an_existing_second_noxfile_is_never_overwritten() -> None:
    """Whatever it holds; the lines for the first one are shown again."""
    proposal = proposed(noxfile=b"import nox\n", second_noxfile=b"mine")
    assert set(written(proposal)) == {"pyproject.toml"}
    assert "noxfile_wheelworks.py is there already" in proposal.notes[0]
    assert "wheelworks.nox.register()" in proposal.notes[0]


@pytest.mark.parametrize(
    "noxfile", [b"def audit(session): ...\n", b'@nox.session(name="sdist")\ndef x(s): ...\n']
)
def test_a_name_that_is_taken_brings_a_prefix_into_the_advice(noxfile: bytes) -> None:
    """``register()`` would refuse the noxfile's own ``audit``."""
    assert 'register(prefix="wheelworks-")' in proposed(noxfile=noxfile).notes[0]


@pytest.mark.parametrize("noxfile", [b"def (", b"\xff\x00", b""])
def test_any_content_counts_as_a_noxfile(noxfile: bytes) -> None:
    """A noxfile that is broken, or empty, is the user's all the same."""
    proposal = proposed(noxfile=noxfile)
    assert "noxfile.py" not in written(proposal)
    assert "wheelworks.nox.register()" in proposal.notes[0]


def test_a_second_init_has_nothing_to_write() -> None:
    """What init wrote makes it idle."""
    first = written(proposed())
    second = proposed(first["pyproject.toml"], noxfile=first["noxfile.py"])
    assert second.files == ()
    assert len(second.notes) == 2


def test_the_noxfile_is_python_that_names_what_it_needs() -> None:
    """``uvx nox -s wheels`` reads the comment at its top."""
    text = written(proposed())["noxfile.py"].decode()
    ast.parse(text)
    assert text.startswith('# /// script\n# requires-python = ">=3.11"\n')
    assert '# dependencies = ["nox", "wheelworks"]\n# ///\n' in text


def test_nothing_to_say_is_said() -> None:
    """An empty proposal is no empty screen."""
    assert render_proposal(Proposal(files=(), notes=()), ROOT) == "nothing to write"


def test_a_file_elsewhere_is_shown_with_its_whole_path() -> None:
    """The package may lie outside the folder that the command was started in."""
    shown = render_proposal(proposed(), Path("/elsewhere"))
    assert str(PurePosixPath("/project/pyproject.toml")) in shown.replace("\\", "/")
