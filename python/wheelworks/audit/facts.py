"""Reads a wheel into a value.

Takes a path, gives :class:`WheelFacts`; judges nothing. Reads that one file; native files are
recognised by their first bytes, not by their names, and read through ``_native``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from email.parser import Parser
from itertools import product
from typing import TYPE_CHECKING

from installer.records import parse_record_file
from installer.sources import WheelFile
from packaging.metadata import Metadata, parse_email
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from wheelworks._native import BinaryError, binary_facts
from wheelworks.audit.archive import (
    Limits,
    framing_problems,
    open_archive,
    read_members,
    table_problems,
)
from wheelworks.audit.macho_signature import signature_faults
from wheelworks.audit.model import ArchiveProblem, NativeMember, WheelFacts
from wheelworks.errors import WheelUnreadableError

if TYPE_CHECKING:
    import zipfile
    from io import BufferedReader
    from pathlib import Path

    from packaging.metadata import RawMetadata

    from wheelworks.audit.model import WheelMember

_TEXT_LIMIT = 16 << 20
_DIST_INFO_TEXTS = ("WHEEL", "METADATA", "RECORD")
_THIN_MAGICS = (
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
)
_FAT_MAGICS = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
#: Java class files begin like fat Mach-O files; where those count their slices, these have a
#: version number of at least 45.
_FAT_SLICES_BELOW = 45
#: Before 2.4, setuptools wrote License-File with another meaning.
_WITHOUT_LICENSE_FILES = ("", "1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "2.3")
_PE_POINTER = slice(0x3C, 0x40)


def read_wheel(path: Path, *, limits: Limits | None = None) -> WheelFacts:
    """What a wheel says and holds, for any file at all.

    Whatever can be told as a fact is one (a damaged member, a missing METADATA); only what can't be
    unpacked is an error.

    Args:
        path: the wheel.
        limits: what counts as a bomb; None for the usual ones.

    Raises:
        WheelUnreadableError: the file can't be opened, is no zip archive, or is a bomb.
    """
    try:
        with path.open("rb") as file:
            return _read_open_wheel(path, file, limits or Limits())
    except OSError as error:
        raise WheelUnreadableError(
            f"can't read the wheel {path}: {error.strerror or error}",
            hint="name an existing .whl file that you may read",
        ) from error


def is_native(data: bytes) -> bool:
    """Whether the bytes begin like an ELF, Mach-O or PE file.

    Args:
        data: the beginning of a file, long enough to hold its headers.
    """
    if data.startswith(_THIN_MAGICS):
        return True
    if data.startswith(_FAT_MAGICS):
        return 0 < int.from_bytes(data[4:8], "big") < _FAT_SLICES_BELOW
    if data.startswith(b"MZ"):
        offset = int.from_bytes(data[_PE_POINTER], "little")
        return data[offset : offset + 4] == b"PE\0\0"
    return False


def _read_open_wheel(path: Path, file: BufferedReader, limits: Limits) -> WheelFacts:
    """The facts of an open file."""
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = file.tell()
    with open_archive(file, label=path.name, size=size, limits=limits) as archive:
        problems = [
            *table_problems(archive),
            *framing_problems(file, archive, label=path.name, size=size),
        ]
        dist_info = _dist_info(archive.namelist())
        members, natives, texts = _read_contents(archive, dist_info, problems)
        record_problems = _record_problems(path, archive, dist_info, texts.get("RECORD", b""))
    file_name = _FileName(path.name)
    wheel = Parser().parsestr(_decoded(texts, "WHEEL", dist_info, problems), headersonly=True)
    metadata = _MetadataText(texts.get("METADATA", b""))
    return WheelFacts(
        path=str(path),
        file_name=path.name,
        size=size,
        sha256=sha256,
        name=file_name.name,
        version=file_name.version,
        build=file_name.build,
        tags=file_name.tags,
        wheel_tags=tuple(str(tag).strip() for tag in wheel.get_all("Tag", ())),
        root_is_purelib=_boolean(wheel.get("Root-Is-Purelib")),
        metadata_name=metadata.raw.get("name"),
        metadata_version=metadata.raw.get("version"),
        requires_python=metadata.raw.get("requires_python"),
        generator=wheel.get("Generator"),
        members=members,
        record_problems=record_problems,
        natives=natives,
        file_name_error=file_name.error,
        archive_problems=tuple(problems),
        dist_info=dist_info,
        metadata_problems=metadata.problems,
        license_files=metadata.license_files,
    )


def _read_contents(
    archive: zipfile.ZipFile, dist_info: str | None, problems: list[ArchiveProblem]
) -> tuple[tuple[WheelMember, ...], tuple[NativeMember, ...], dict[str, bytes]]:
    """Members, native files and the texts of the ``.dist-info`` folder; adds to the problems."""
    texts = {f"{dist_info}/{name}": name for name in _DIST_INFO_TEXTS}
    members: list[WheelMember] = []
    natives: list[NativeMember] = []
    found: dict[str, bytes] = {}
    for content in read_members(archive, wants_data=lambda n, head: n in texts or is_native(head)):
        members.append(content.member)
        problems.extend(content.problems)
        if content.data is None:
            continue
        name = content.member.name
        if name in texts:
            found[texts[name]] = content.data[:_TEXT_LIMIT]
        else:
            natives.append(_native_member(name, content.data))
    return tuple(members), tuple(natives), found


def _native_member(name: str, data: bytes) -> NativeMember:
    """Facts of one native file, or why it has none."""
    try:
        facts = binary_facts(data)
    except BinaryError as error:
        return NativeMember(name=name, facts=None, error=str(error))
    faults = signature_faults(data) if facts["format"] == "macho" else ()
    return NativeMember(name=name, facts=facts, error=None, signature_faults=faults)


def _dist_info(names: list[str]) -> str | None:
    """The one ``.dist-info`` folder among the members."""
    tops = {name.partition("/")[0] for name in names if "/" in name}
    folders = [top for top in tops if top.endswith(".dist-info")]
    return folders[0] if len(folders) == 1 else None


def _record_problems(
    path: Path, archive: zipfile.ZipFile, dist_info: str | None, record: bytes
) -> tuple[str, ...]:
    """Everything that is wrong with RECORD: installer's findings, then rows it does not look at."""
    if dist_info is None or f"{dist_info}/RECORD" not in archive.namelist():
        return ()
    # An archive opened from a file object has no name, and installer takes the project from it.
    archive.filename = path.name
    problems: list[str] = []
    try:
        WheelFile(archive).validate_record()
    except Exception as error:  # Whatever zipfile and hashlib raise on members made of any bytes.
        issues: list[str] = getattr(error, "issues", [str(error) or type(error).__name__])
        problems += [issue.removeprefix(f"In {path.name}, ") for issue in issues]
    return (*problems, *_record_rows(archive.namelist(), record))


def _record_rows(names: list[str], record: bytes) -> tuple[str, ...]:
    """Rows that are there twice or whose file is not in the archive."""
    try:
        rows = [row[0] for row in parse_record_file(record.decode("utf-8").splitlines())]
    except Exception:  # installer has just said that RECORD can't be read.
        return ()
    twice = sorted(row for row, count in Counter(rows).items() if count > 1)
    missing = sorted(set(rows) - set(names))
    return (
        *(f"{row} is in RECORD more than once" for row in twice),
        *(f"{row} is in RECORD but not in the wheel" for row in missing),
    )


def _decoded(
    texts: dict[str, bytes], name: str, dist_info: str | None, problems: list[ArchiveProblem]
) -> str:
    """A text of the ``.dist-info`` folder; bytes that are no UTF-8 are a problem."""
    data = texts.get(name, b"")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        problems.append(
            ArchiveProblem(kind="text", file=f"{dist_info}/{name}", message=f"is no UTF-8: {error}")
        )
        return data.decode("utf-8", errors="replace")


def _boolean(text: str | None) -> bool | None:
    """``true`` and ``false`` as WHEEL writes them, None for anything else."""
    return {"true": True, "false": False}.get((text or "").strip().lower())


class _FileName:
    """The parts of a wheel's file name; all empty with an error when it is none."""

    def __init__(self, file_name: str) -> None:
        self.error: str | None = None
        self.name = self.version = self.build = ""
        self.tags: tuple[tuple[str, str, str], ...] = ()
        try:
            name, version, build, _ = parse_wheel_filename(file_name)
        except (InvalidWheelFilename, ValueError) as error:
            self.error = str(error)
            return
        self.name, self.version = name, str(version)
        self.build = "".join(str(part) for part in build)
        interpreters, abis, platforms = file_name.lower().removesuffix(".whl").split("-")[-3:]
        parts = (interpreters.split("."), abis.split("."), platforms.split("."))
        self.tags = tuple(product(*parts))


class _MetadataText:
    """What METADATA says, and what ``packaging`` says of it."""

    def __init__(self, data: bytes) -> None:
        self.raw: RawMetadata = {}
        self.problems: tuple[str, ...] = ()
        self.license_files: tuple[str, ...] = ()
        if not data:
            return
        try:
            self.raw, _ = parse_email(data)
            if self.raw.get("metadata_version", "") not in _WITHOUT_LICENSE_FILES:
                self.license_files = tuple(self.raw.get("license_files", ()))
            Metadata.from_email(data)
        except ExceptionGroup as faults:
            self.problems = tuple(str(fault) for fault in faults.exceptions)
        except Exception as error:  # The email parser was not made for arbitrary bytes.
            self.problems = (str(error) or type(error).__name__,)
