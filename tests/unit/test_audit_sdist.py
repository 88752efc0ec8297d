"""Checks of source distributions."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from wheelworks.audit import sdist
from wheelworks.audit.rules import RULES
from wheelworks.audit.sdist import SdistFacts, check_sdist, check_sdist_facts
from wheelworks.errors import WheelUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

PKG_INFO = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
SOUND = SdistFacts(
    file_name="demo-1.0.tar.gz",
    members=(
        "demo-1.0/PKG-INFO",
        "demo-1.0/pyproject.toml",
        "demo-1.0/rust/Cargo.toml",
        "demo-1.0/rust/Cargo.lock",
    ),
    links=(),
    pkg_info=PKG_INFO,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An sdist that breaks one rule."""

    rule: str
    facts: SdistFacts
    says: str


def _without(name: str) -> SdistFacts:
    members = tuple(member for member in SOUND.members if not member.endswith(name))
    return replace(SOUND, members=members)


CASES = [
    Case(rule="W100", facts=replace(SOUND, file_name="demo.zip", members=()), says="demo.zip"),
    Case(
        rule="W100",
        facts=replace(
            SOUND,
            file_name="Demo-1.0.tar.gz",
            members=tuple(name.replace("demo", "Demo") for name in SOUND.members),
        ),
        says="written Demo, normalised it is demo",
    ),
    Case(
        rule="W101",
        facts=replace(SOUND, members=(*SOUND.members, "extra/x")),
        says="holds demo-1.0, extra, expected only demo-1.0",
    ),
    Case(rule="W102", facts=replace(SOUND, pkg_info=None), says="PKG-INFO is missing"),
    Case(
        rule="W102",
        facts=replace(SOUND, pkg_info="Name: other\nVersion: x\n"),
        says="names other x, the file name demo 1.0",
    ),
    Case(
        rule="W102",
        facts=replace(SOUND, pkg_info="Name: demo\n"),
        says="names demo without version",
    ),
    Case(
        rule="W103",
        facts=replace(SOUND, members=(*SOUND.members, "demo-1.0/../../x")),
        says="leaves its folder",
    ),
    Case(
        rule="W103",
        facts=replace(SOUND, links=(("demo-1.0/l", "/etc/passwd"),)),
        says="is a link to /etc/passwd",
    ),
    Case(rule="W104", facts=_without("Cargo.toml"), says="no Cargo.toml is inside"),
    Case(rule="W104", facts=_without("pyproject.toml"), says="pyproject.toml is missing"),
    Case(rule="W105", facts=_without("Cargo.lock"), says="no Cargo.lock is inside"),
]


def _write(path: Path, files: dict[str, str], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            is_hard = target.startswith("demo-1.0/")
            info.type = tarfile.LNKTYPE if is_hard else tarfile.SYMTYPE
            info.linkname = target
            archive.addfile(info)
    return path


def _usual_files() -> dict[str, str]:
    return {name: PKG_INFO if name.endswith("PKG-INFO") else "x" for name in SOUND.members}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.says[:40]}")
def test_an_sdist_that_breaks_a_rule_is_told(case: Case) -> None:
    """The rule speaks, with the value found and a way out."""
    found = [one for one in check_sdist_facts(case.facts) if one.rule == case.rule]
    assert any(case.says in one.message for one in found), check_sdist_facts(case.facts)
    assert all(one.hint for one in found)


def test_every_rule_of_sdists_has_a_case() -> None:
    """A new rule comes with an sdist that breaks it."""
    assert {case.rule for case in CASES} == {rule for rule in RULES if rule >= "W100"}


def test_a_sound_sdist_has_no_finding(tmp_path: Path) -> None:
    """Read from disk, with links that stay inside."""
    links = {"demo-1.0/a/l": "../pyproject.toml", "demo-1.0/h": "demo-1.0/pyproject.toml"}
    assert check_sdist(_write(tmp_path / "demo-1.0.tar.gz", _usual_files(), links)) == ()


def test_a_link_that_leaves_is_read_from_disk(tmp_path: Path) -> None:
    """A symbolic link is seen from its own folder."""
    path = _write(tmp_path / "demo-1.0.tar.gz", _usual_files(), {"demo-1.0/l": "../../x"})
    assert [found.rule for found in check_sdist(path)] == ["W103"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08" + bytes(30)])
def test_bytes_that_are_no_archive_are_refused(tmp_path: Path, content: bytes) -> None:
    """The error is one of the audit."""
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(content)
    with pytest.raises(WheelUnreadableError, match=r"no readable tar\.gz archive"):
        check_sdist(path)


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    """No prefix of an sdist passes."""
    data = _write(tmp_path / "demo-1.0.tar.gz", _usual_files()).read_bytes()
    path = tmp_path / "demo-1.0.tar.gz"
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(WheelUnreadableError):
            check_sdist(path)


def test_an_archive_beyond_the_limits_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of members is bounded."""
    monkeypatch.setattr(sdist, "_MEMBERS_LIMIT", 2)
    with pytest.raises(WheelUnreadableError, match="more than 2 members"):
        check_sdist(_write(tmp_path / "demo-1.0.tar.gz", _usual_files()))


def test_bytes_after_the_last_member_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Padding without end is no padding."""
    monkeypatch.setattr(sdist, "_PADDING_CHUNKS", 0)
    with pytest.raises(WheelUnreadableError, match="too many bytes after its last member"):
        check_sdist(_write(tmp_path / "demo-1.0.tar.gz", _usual_files()))


def test_a_folder_named_pkg_info_is_no_metadata(tmp_path: Path) -> None:
    """Only a file's text counts."""
    path = tmp_path / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("demo-1.0/PKG-INFO")
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    assert "W102" in {found.rule for found in check_sdist(path)}


def test_an_sdist_without_pkg_info_is_told(tmp_path: Path) -> None:
    """One in a sub-folder does not count."""
    files = _usual_files()
    files["demo-1.0/sub/PKG-INFO"] = files.pop("demo-1.0/PKG-INFO")
    findings = check_sdist(_write(tmp_path / "demo-1.0.tar.gz", files))
    assert [found.rule for found in findings] == ["W102"]
