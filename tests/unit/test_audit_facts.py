"""Reading wheels, sound and broken."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.metadata import Metadata
from wheel_samples import (
    BINARIES,
    DIST_INFO,
    LINUX_MODULE,
    LINUX_TAG,
    record_of,
    wheel_files,
    write_wheel,
)

from wheelworks.audit.archive import Limits
from wheelworks.audit.check import check_wheel
from wheelworks.audit.facts import is_native, read_wheel
from wheelworks.audit.model import Level
from wheelworks.errors import EXIT_AUDIT, AuditRefusedError, WheelUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wheelworks.audit.model import WheelFacts


def _kinds(facts: WheelFacts) -> set[str]:
    return {problem.kind for problem in facts.archive_problems}


def _patch(path: Path, change: Callable[[bytes], bytes]) -> Path:
    path.write_bytes(change(path.read_bytes()))
    return path


def test_a_sound_wheel_is_read_whole(tmp_path: Path) -> None:
    """Names, tags, members and natives are those of the archive."""
    path = write_wheel(tmp_path)
    facts = read_wheel(path)
    assert (facts.name, facts.version, facts.build) == ("demo", "1.0", "")
    assert facts.tags == (("cp313", "cp313", "manylinux_2_17_x86_64"),)
    assert facts.wheel_tags == (LINUX_TAG,)
    assert (facts.metadata_name, facts.metadata_version) == ("demo", "1.0")
    assert facts.root_is_purelib is False
    assert facts.generator == "maturin (1.16.0)"
    assert facts.size == path.stat().st_size
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert {member.name for member in facts.members} == {*wheel_files(), f"{DIST_INFO}/RECORD"}
    assert (facts.record_problems, facts.archive_problems) == ((), ())
    assert facts.metadata_problems == ()
    (native,) = facts.natives
    assert native.facts is not None
    assert native.facts["init_functions"] == ["PyInit_sample"]


def test_members_carry_the_digest_of_their_content(tmp_path: Path) -> None:
    """A digest is of the unpacked bytes."""
    digests = {member.name: member.sha256 for member in read_wheel(write_wheel(tmp_path)).members}
    content = wheel_files()["demo/__init__.py"]
    assert digests["demo/__init__.py"] == hashlib.sha256(content).hexdigest()


def test_a_build_tag_is_kept(tmp_path: Path) -> None:
    """The optional part of the name is a value of its own."""
    path = write_wheel(tmp_path)
    facts = read_wheel(path.rename(tmp_path / f"demo-1.0-2x-{LINUX_TAG}.whl"))
    assert facts.build == "2x"


@pytest.mark.parametrize("name", ["demo.whl", "demo-1.0-py3.whl", "demo-1.0-cp313-cp313-any.zip"])
def test_a_file_name_that_is_no_wheel_name_is_told(tmp_path: Path, name: str) -> None:
    """The archive is read all the same."""
    facts = read_wheel(write_wheel(tmp_path).rename(tmp_path / name))
    assert facts.file_name_error
    assert facts.tags == ()
    assert facts.metadata_name == "demo"
    assert "W020" in {found.rule for found in check_wheel(facts, None)}


@pytest.mark.parametrize(
    "content", [b"", b"PK\x05\x06", b"no archive at all", b"PK\x03\x04" + bytes(200)]
)
def test_bytes_that_are_no_archive_are_refused(tmp_path: Path, content: bytes) -> None:
    """The error is one of the audit and has a way out."""
    path = tmp_path / f"demo-1.0-{LINUX_TAG}.whl"
    path.write_bytes(content)
    with pytest.raises(WheelUnreadableError, match="no readable zip archive") as caught:
        read_wheel(path)
    assert isinstance(caught.value, AuditRefusedError)
    assert caught.value.exit_code == EXIT_AUDIT
    assert caught.value.hint


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """The message names the path."""
    with pytest.raises(WheelUnreadableError, match=r"can't read the wheel .*absent\.whl"):
        read_wheel(tmp_path / "absent.whl")


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(members=2), "it has 5 members"),
        (Limits(unpacked=100), r"it unpacks to \d+ bytes, at most 100"),
        (Limits(ratio=1, ratio_floor=0), r"it unpacks to \d+ times its size, at most 1"),
    ],
)
def test_a_bomb_is_not_unpacked(tmp_path: Path, limits: Limits, says: str) -> None:
    """Each limit refuses by itself, from the table of contents alone."""
    with pytest.raises(WheelUnreadableError, match=says):
        read_wheel(write_wheel(tmp_path), limits=limits)


def test_a_ratio_like_pypi_refuses_is_a_bomb_by_default(tmp_path: Path) -> None:
    """65 MiB of zeros in a few kilobytes are more than fifty times the size."""
    files = wheel_files() | {"demo/zeros": bytes(65 << 20)}
    with pytest.raises(WheelUnreadableError, match="times its size, at most 50"):
        read_wheel(write_wheel(tmp_path, files))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda data: b"#!" + data, "framing"),
        (lambda data: data + b"more", "framing"),
        (lambda data: data[:-2] + struct.pack("<H", 4) + b"note", "framing"),
    ],
    ids=["before", "after", "comment"],
)
def test_bytes_around_the_archive_are_told(
    tmp_path: Path, change: Callable[[bytes], bytes], kind: str
) -> None:
    """What other readers might see differently is a problem."""
    assert _kinds(read_wheel(_patch(write_wheel(tmp_path), change))) == {kind}


def test_bytes_between_members_and_table_are_told(tmp_path: Path) -> None:
    """The table must begin where it says."""

    def insert(data: bytes) -> bytes:
        table = data.index(b"PK\x01\x02")
        return data[:table] + b"hidden" + data[table:]

    assert "framing" in _kinds(read_wheel(_patch(write_wheel(tmp_path), insert)))


def test_a_member_with_a_comment_is_told(tmp_path: Path) -> None:
    """PyPI refuses text between the members' rows."""
    path = tmp_path / f"demo-1.0-{LINUX_TAG}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("demo/x")
        info.comment = b"note"
        archive.writestr(info, b"x")
    (problem,) = read_wheel(path).archive_problems
    assert "comment in the table" in problem.message


def test_a_streamed_member_is_told(tmp_path: Path) -> None:
    """Sizes after the content are read differently by different readers."""
    path = tmp_path / f"demo-1.0-{LINUX_TAG}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo/x", b"x")

    def stream(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[data.index(b"PK\x01\x02") + 8] |= 0x8
        return bytes(changed)

    (problem,) = read_wheel(_patch(path, stream)).archive_problems
    assert "as a stream" in problem.message


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_names_are_told(tmp_path: Path) -> None:
    """Which one is installed nobody knows."""
    path = write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("demo/__init__.py", b"evil = True\n")
    facts = read_wheel(path)
    assert _kinds(facts) == {"duplicate"}
    assert facts.record_problems


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../evil.py", "demo/../../evil.py", "C:evil.py", "a\\b.py", "a\x01b"]
)
def test_unsafe_names_are_told(tmp_path: Path, name: str) -> None:
    """A member that could be written elsewhere is a problem, and reading goes on."""
    facts = read_wheel(write_wheel(tmp_path, wheel_files() | {name: b"x"}))
    assert "unsafe name" in _kinds(facts)


def test_a_name_cut_by_a_nul_is_told(tmp_path: Path) -> None:
    """Such names are cut by ``zipfile``, so that the written one counts."""
    path = write_wheel(tmp_path, wheel_files() | {"demo/aXb.py": b"x"})
    facts = read_wheel(_patch(path, lambda data: data.replace(b"demo/aXb.py", b"demo/a\0b.py")))
    assert "unsafe name" in _kinds(facts)


def test_an_empty_name_is_told(tmp_path: Path) -> None:
    """A name that begins with NUL is empty for zipfile."""
    path = write_wheel(tmp_path, wheel_files() | {"Xdemo.py": b"x"})
    facts = read_wheel(_patch(path, lambda data: data.replace(b"Xdemo.py", b"\0demo.py")))
    assert "unsafe name" in _kinds(facts)


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    """Its flag is enough; nothing is decrypted."""
    path = tmp_path / f"demo-1.0-{LINUX_TAG}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo/x", b"x" * 20)

    def encrypt(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[6] |= 1
        changed[data.index(b"PK\x01\x02") + 8] |= 1
        return bytes(changed)

    facts = read_wheel(_patch(path, encrypt))
    assert _kinds(facts) == {"encrypted"}
    assert [member.crc_ok for member in facts.members] == [False]


def test_a_damaged_member_is_told_with_its_name(tmp_path: Path) -> None:
    """A checksum that does not match names the member, and RECORD is checked as far as it goes."""
    files = wheel_files() | {"demo/data.bin": b"stored bytes here"}
    path = tmp_path / f"demo-1.0-{LINUX_TAG}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (files | {f"{DIST_INFO}/RECORD": record_of(files)}).items():
            archive.writestr(name, data)
    facts = read_wheel(_patch(path, lambda data: data.replace(b"stored bytes", b"broken bytes")))
    (problem,) = facts.archive_problems
    assert (problem.kind, problem.file) == ("damaged", "demo/data.bin")
    assert {member.name for member in facts.members if not member.crc_ok} == {"demo/data.bin"}


def test_a_damaged_native_has_no_facts(tmp_path: Path) -> None:
    """A module that can't be unpacked is not judged by half its bytes."""
    path = tmp_path / f"demo-1.0-{LINUX_TAG}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in wheel_files().items():
            archive.writestr(name, data)
    facts = read_wheel(_patch(path, lambda data: data.replace(b"PyInit_sample", b"PyInit_simple")))
    assert facts.natives == ()
    assert _kinds(facts) == {"damaged"}


def test_a_compression_that_pypi_refuses_is_told(tmp_path: Path) -> None:
    """The member is read all the same."""
    path = tmp_path / f"demo-1.0-{LINUX_TAG}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("demo/x", b"x" * 100)
    facts = read_wheel(path)
    assert _kinds(facts) == {"compression"}
    assert facts.members[0].crc_ok


def test_folders_are_no_members(tmp_path: Path) -> None:
    """An entry for a folder has nothing to record."""
    facts = read_wheel(write_wheel(tmp_path, wheel_files() | {"demo/sub/": b""}))
    assert "demo/sub/" not in {member.name for member in facts.members}


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL"])
def test_missing_metadata_is_a_fact(tmp_path: Path, missing: str) -> None:
    """The audit names the file."""
    files = wheel_files()
    del files[f"{DIST_INFO}/{missing}"]
    findings = check_wheel(read_wheel(write_wheel(tmp_path, files)), None)
    assert ("W009", missing) in {(found.rule, found.symbol) for found in findings}


def test_a_missing_record_is_a_fact(tmp_path: Path) -> None:
    """Without RECORD there is nothing to compare, but the rule speaks."""
    path = tmp_path / f"demo-1.0-{LINUX_TAG}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in wheel_files().items():
            archive.writestr(name, data)
    facts = read_wheel(path)
    assert facts.record_problems == ()
    assert ("W009", "RECORD") in {(f.rule, f.symbol) for f in check_wheel(facts, None)}


def test_two_dist_info_folders_are_none(tmp_path: Path) -> None:
    """Nobody knows which of them counts."""
    facts = read_wheel(write_wheel(tmp_path, wheel_files() | {"x-1.dist-info/METADATA": b""}))
    assert facts.dist_info is None
    assert "W008" in {found.rule for found in check_wheel(facts, None)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[1:], "demo/__init__.py is not mentioned in RECORD"),
        (lambda rows: [*rows, b"demo/gone.py,,\n"], "demo/gone.py is in RECORD but not in"),
        (lambda rows: [*rows, rows[0]], "demo/__init__.py is in RECORD more than once"),
        (
            lambda rows: [rows[0].replace(b"sha256=", b"sha256=x"), *rows[1:]],
            "hash / size of demo/__init__.py didn't match RECORD",
        ),
        (
            lambda rows: [rows[0].replace(b"sha256=", b"nohash="), *rows[1:]],
            "invalid hash algorithm 'nohash'",
        ),
        (lambda rows: [b"one,two\n"], "Unable to retrieve `RECORD`"),
        (lambda rows: [b"\xff\n"], "Unable to retrieve `RECORD`"),
    ],
    ids=["unlisted", "extra", "twice", "digest", "algorithm", "columns", "text"],
)
def test_record_is_held_to_the_archive(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], says: str
) -> None:
    """Every row, every member and every digest count."""
    rows = record_of(wheel_files()).splitlines(keepends=True)
    facts = read_wheel(write_wheel(tmp_path, record=b"".join(change(rows))))
    assert any(says in problem for problem in facts.record_problems), facts.record_problems
    assert not any(str(tmp_path) in problem for problem in facts.record_problems)


def test_metadata_that_is_no_text_is_told(tmp_path: Path) -> None:
    """A WHEEL file in another encoding is a problem of the archive."""
    files = wheel_files()
    files[f"{DIST_INFO}/WHEEL"] += b"X: \xff\n"
    assert _kinds(read_wheel(write_wheel(tmp_path, files))) == {"text"}


@pytest.mark.parametrize(
    "metadata", [b"Metadata-Version: 2.4\nName: demo\n", b"\xff\xfe\x00", b"Metadata-Version: 9\n"]
)
def test_invalid_metadata_is_told(tmp_path: Path, metadata: bytes) -> None:
    """What packaging says is kept, and nothing is raised."""
    files = wheel_files() | {f"{DIST_INFO}/METADATA": metadata}
    assert read_wheel(write_wheel(tmp_path, files)).metadata_problems


def test_a_parser_that_breaks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The email parser was not made for arbitrary bytes; its faults are no crash of ours."""

    def fail(_: bytes) -> None:
        raise LookupError("unknown encoding: x")

    monkeypatch.setattr(Metadata, "from_email", fail)
    assert read_wheel(write_wheel(tmp_path)).metadata_problems == ("unknown encoding: x",)


def test_licence_files_count_since_metadata_2_4(tmp_path: Path) -> None:
    """Older generators wrote the field with another meaning."""
    old, new = (
        f"Metadata-Version: {version}\nName: demo\nVersion: 1.0\nLicense-File: LICENSE\n".encode()
        for version in ("2.1", "2.4")
    )
    files = wheel_files()
    name = f"{DIST_INFO}/METADATA"
    assert read_wheel(write_wheel(tmp_path, files | {name: old})).license_files == ()
    assert read_wheel(write_wheel(tmp_path, files | {name: new})).license_files == ("LICENSE",)


def test_natives_are_known_by_their_bytes(tmp_path: Path) -> None:
    """A library under any name is one, a text named like a module is none."""
    sample = (BINARIES / "glibc-x86_64.so").read_bytes()
    files = wheel_files() | {"demo/data.txt": sample, "demo/x.cpython-313-darwin.so": b"git-lfs"}
    facts = read_wheel(write_wheel(tmp_path, files))
    assert {native.name for native in facts.natives} == {LINUX_MODULE, "demo/data.txt"}
    assert "W048" in {found.rule for found in check_wheel(facts, None)}


def test_a_cut_native_has_an_error(tmp_path: Path) -> None:
    """The reason is the native reader's."""
    sample = (BINARIES / "glibc-x86_64.so").read_bytes()[:80]
    facts = read_wheel(write_wheel(tmp_path, wheel_files(native=(LINUX_MODULE, sample))))
    (native,) = facts.natives
    assert native.facts is None
    assert native.error


@pytest.mark.parametrize(
    "name",
    ["glibc-x86_64.so", "musl-s390x.so", "macos-11.0-arm64.dylib", "windows-x86_64.pyd"],
)
def test_real_files_are_native(name: str) -> None:
    """Each format has its first bytes."""
    assert is_native((BINARIES / name).read_bytes())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b"MZ", False),
        (b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0", True),
        (b"MZ" + bytes(58) + struct.pack("<I", 64) + b"NE\0\0", False),
        (b"\xca\xfe\xba\xbe" + struct.pack(">I", 2), True),
        (b"\xca\xfe\xba\xbe" + struct.pack(">HH", 0, 61), False),
        (b"#!/bin/sh", False),
    ],
    ids=["empty", "short", "PE", "16-bit Windows", "fat Mach-O", "Java class", "script"],
)
def test_other_files_are_told_apart(data: bytes, expected: bool) -> None:
    """Formats that share their first bytes with native ones are no natives."""
    assert is_native(data) is expected


def test_a_real_wheel_passes(tmp_path: Path) -> None:
    """From bytes to findings: a wheel with a real module has no error."""
    module = "demo/sample.cpython-313-x86_64-linux-gnu.so"
    data = (BINARIES / "glibc-x86_64-stripped.so").read_bytes()
    path = write_wheel(tmp_path, wheel_files(native=(module, data)))
    findings = check_wheel(read_wheel(path), None)
    assert [found for found in findings if found.level is Level.ERROR] == []
