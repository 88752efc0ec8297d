"""Reads a zip archive member by member, trusting nothing that it says of itself.

Takes an open binary file, gives members with digests, the bytes that a caller asks for, and the
problems met. Does not know what a wheel is. Reads the file, touches nothing else.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from dataclasses import dataclass
from lzma import LZMAError
from typing import IO, TYPE_CHECKING

from wheelworks.audit.model import ArchiveProblem, WheelMember
from wheelworks.errors import WheelUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wheelworks.audit.model import ProblemKind

CHUNK = 1 << 20
#: What ``zipfile`` raises on archives made of arbitrary bytes.
ZIP_FAULTS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    OSError,
    EOFError,
    struct.error,
    zlib.error,
    LZMAError,
)
_END_OF_ARCHIVE = struct.Struct("<4s4H2LH")
_ZIP64_MARK = 0xFFFFFFFF
_FLAG_ENCRYPTED = 0x1
_FLAG_DATA_DESCRIPTOR = 0x8
_PYPI_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large an archive may be before it counts as a bomb."""

    members: int = 200_000
    unpacked: int = 8 << 30
    ratio: int = 50
    """Unpacked size over file size; PyPI refuses more (its upload code, 2026-08)."""
    ratio_floor: int = 64 << 20
    """Below this unpacked size the ratio does not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberContent:
    """One member that was read to its end."""

    member: WheelMember
    data: bytes | None
    """The content, where it was asked for and could be read."""
    problems: tuple[ArchiveProblem, ...]


def open_archive(file: IO[bytes], *, label: str, size: int, limits: Limits) -> zipfile.ZipFile:
    """The archive, after its table of contents was found to be within the limits.

    The sizes in that table bound all later reading: ``zipfile`` stops at the declared size.

    Args:
        file: the open archive.
        label: its path, for messages.
        size: its size in bytes.
        limits: what counts as a bomb.

    Raises:
        WheelUnreadableError: no zip archive, or a bomb.
    """
    try:
        archive = zipfile.ZipFile(file)
    except ZIP_FAULTS as error:
        raise WheelUnreadableError(
            f"{label} is no readable zip archive: {error}",
            hint="build or download it again; a truncated file is the usual cause",
        ) from error
    unpacked = sum(info.file_size for info in archive.infolist())
    if bomb := _bomb_reason(len(archive.infolist()), unpacked, size, limits):
        archive.close()
        raise WheelUnreadableError(
            f"{label} was not unpacked: {bomb}",
            hint="PyPI refuses such an archive too; look at its members with `unzip -lv`",
        )
    return archive


def _bomb_reason(members: int, unpacked: int, size: int, limits: Limits) -> str | None:
    """Which limit the archive passes, or None."""
    if members > limits.members:
        return f"it has {members} members, at most {limits.members} are read"
    if unpacked > limits.unpacked:
        return f"it unpacks to {unpacked} bytes, at most {limits.unpacked} are read"
    if unpacked > limits.ratio_floor and unpacked > limits.ratio * size:
        return f"it unpacks to {unpacked // max(size, 1)} times its size, at most {limits.ratio}"
    return None


def read_members(
    archive: zipfile.ZipFile, *, wants_data: Callable[[str, bytes], bool]
) -> Iterator[MemberContent]:
    """Every member except folders, in the archive's order, each read once.

    Args:
        archive: from :func:`open_archive`.
        wants_data: name and first bytes -> whether the content is wanted.
    """
    for info in archive.infolist():
        # ``is_dir`` of Python 3.11 fails on an empty name.
        if not info.filename.endswith("/"):
            yield _read_member(archive, info, wants_data)


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, wants_data: Callable[[str, bytes], bool]
) -> MemberContent:
    """Digest, and perhaps content, of one member; a fault is a problem, not an exception."""
    digest = hashlib.sha256()
    kept: list[bytes] = []
    problems = list(_header_problems(info))
    size = 0
    try:
        with archive.open(info) as stream:
            chunk = stream.read(CHUNK)
            keep = wants_data(info.filename, chunk)
            while chunk:
                digest.update(chunk)
                size += len(chunk)
                if keep:
                    kept.append(chunk)
                chunk = stream.read(CHUNK)
        fault = None if size == info.file_size else f"{size} bytes instead of {info.file_size}"
    except ZIP_FAULTS as error:
        keep = False
        fault = str(error) or type(error).__name__
    if fault is not None and not problems:
        problems.append(_problem("damaged", info, f"can't be unpacked: {fault}"))
    member = WheelMember(
        name=info.filename,
        size=info.file_size,
        compressed_size=info.compress_size,
        sha256=digest.hexdigest(),
        mode=info.external_attr >> 16,
        crc_ok=fault is None,
    )
    data = b"".join(kept) if keep and fault is None else None
    return MemberContent(member=member, data=data, problems=tuple(problems))


def _header_problems(info: zipfile.ZipInfo) -> Iterator[ArchiveProblem]:
    """What the table of contents says of a member that no wheel should."""
    if info.flag_bits & _FLAG_ENCRYPTED:
        yield _problem("encrypted", info, "is encrypted")
    elif info.compress_type not in _PYPI_METHODS:
        yield _problem("compression", info, f"is compressed with method {info.compress_type}")


def table_problems(archive: zipfile.ZipFile) -> Iterator[ArchiveProblem]:
    """Duplicate and unsafe names, folders included."""
    seen: set[str] = set()
    for info in archive.infolist():
        if info.filename in seen:
            yield _problem("duplicate", info, "is there more than once")
        seen.add(info.filename)
        if reason := _unsafe_reason(info.orig_filename):
            yield _problem("unsafe name", info, reason)


def _unsafe_reason(name: str) -> str | None:
    """Why a member's name could write outside the folder that it is unpacked in."""
    if name.startswith("/") or name[1:2] == ":":
        return "is an absolute path"
    if ".." in name.split("/"):
        return "leaves the folder it is unpacked in"
    if "\\" in name:
        return "has a backslash, which is a separator on Windows only"
    if not name or any(ord(character) < 0x20 or ord(character) == 0x7F for character in name):
        return "has a control character or is empty"
    return None


def framing_problems(
    file: IO[bytes], archive: zipfile.ZipFile, *, label: str, size: int
) -> Iterator[ArchiveProblem]:
    """Bytes before, between or after what the archive's table accounts for.

    Installers disagree about such archives, and PyPI refuses them.

    Args:
        file: the open archive; its position is moved.
        archive: the same, opened.
        label: file name for the problems.
        size: the file's size.
    """
    file.seek(max(0, size - _END_OF_ARCHIVE.size))
    tail = file.read(_END_OF_ARCHIVE.size)
    if len(tail) < _END_OF_ARCHIVE.size or not tail.startswith(b"PK\x05\x06"):
        yield _framing(label, "has a comment or other bytes after its table of contents")
        return
    _, _, _, _, _, table_size, table_start, _ = _END_OF_ARCHIVE.unpack(tail)
    is_zip64 = _ZIP64_MARK in (table_size, table_start)
    if not is_zip64 and table_start + table_size + _END_OF_ARCHIVE.size != size:
        yield _framing(label, "has bytes that its table of contents does not account for")
    starts = [info.header_offset for info in archive.infolist()]
    if starts and min(starts) != 0:
        yield _framing(label, "has bytes before its first member")
    for info in archive.infolist():
        if info.comment:
            yield _problem("framing", info, "has a comment in the table of contents")
        if info.flag_bits & _FLAG_DATA_DESCRIPTOR:
            yield _problem("framing", info, "was written as a stream (data descriptor)")


def _framing(label: str, message: str) -> ArchiveProblem:
    """A problem of the archive as a whole."""
    return ArchiveProblem(kind="framing", file=label, message=message)


def _problem(kind: ProblemKind, info: zipfile.ZipInfo, message: str) -> ArchiveProblem:
    """A problem of one member."""
    return ArchiveProblem(kind=kind, file=info.filename, message=message)
