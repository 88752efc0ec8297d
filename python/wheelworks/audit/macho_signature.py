"""Whether the signatures inside a Mach-O file fit the code.

Pure: takes the bytes of a file that ``_native`` could read, gives what is wrong. Compares the hashes of the pages
that the signature lists, as the kernel does when it loads them; certificates are not looked at.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAT = {b"\xca\xfe\xba\xbe": ">5I", b"\xca\xfe\xba\xbf": ">2I2Q2I"}
_FAT_HEADER_SIZE = 8
_THIN_64 = b"\xcf\xfa\xed\xfe"
_THIN_HEADER_SIZE = 32
_COMMANDS_AT = 16
_LC_CODE_SIGNATURE = 0x1D
_ARCHES = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_HASHES = {1: "sha1", 2: "sha256", 3: "sha256", 4: "sha384"}
_CODE_DIRECTORY = struct.Struct(">9I4B")
_CODE_DIRECTORY_MAGIC = 0xFADE0C02


def signature_faults(data: bytes) -> tuple[tuple[str, str], ...]:
    """(architecture, what is wrong) of each slice whose signature does not fit; unsigned slices are left out."""
    found = []
    for thin in _thin_parts(data):
        if thin[:4] != _THIN_64:
            continue
        (cpu,) = struct.unpack_from("<I", thin, 4)
        try:
            fault = _fault(thin)
        except (struct.error, IndexError):
            fault = "the signature ends before it should"
        if fault is not None:
            found.append((_ARCHES.get(cpu, f"{cpu:#x}"), fault))
    return tuple(found)


def _thin_parts(data: bytes) -> Iterator[bytes]:
    """The slices of a fat file, or the file."""
    row = _FAT.get(data[:4])
    if row is None:
        yield data
        return
    (count,) = struct.unpack_from(">I", data, 4)
    for index in range(count):
        _, _, offset, size, *_ = struct.unpack_from(
            row, data, _FAT_HEADER_SIZE + index * struct.calcsize(row)
        )
        yield data[offset : offset + size]


def _fault(thin: bytes) -> str | None:
    """What is wrong with the signature of a slice; None when it fits or there is none."""
    place = _signature_place(thin)
    if place is None:
        return None
    start = _code_directory(thin, place)
    if start is None:
        return "the signature has no code directory"
    fields = _CODE_DIRECTORY.unpack_from(thin, start)
    _, _, _, _, hashes_at, _, _, pages, code_limit, size, kind, _, page_bits = fields
    if kind not in _HASHES:
        return None
    if code_limit != place:
        return f"the signature covers {code_limit} of {place} bytes"
    # No page size means one page.
    page_size = 1 << page_bits if page_bits else max(code_limit, 1)
    if pages != -(-code_limit // page_size):
        return f"the signature lists {pages} pages of code that has {-(-code_limit // page_size)}"
    for index in range(pages):
        page = thin[index * page_size : min((index + 1) * page_size, code_limit)]
        at = start + hashes_at + index * size
        if hashlib.new(_HASHES[kind], page).digest()[:size] != thin[at : at + size]:
            return f"page {index + 1} of {pages} was changed after signing"
    return None


def _signature_place(thin: bytes) -> int | None:
    """Where the signature begins; None where there is none."""
    (commands,) = struct.unpack_from("<I", thin, _COMMANDS_AT)
    at = _THIN_HEADER_SIZE
    for _ in range(commands):
        command, size, offset = struct.unpack_from("<3I", thin, at)
        if command == _LC_CODE_SIGNATURE:
            return int(offset)
        at += max(size, 8)
    return None


def _code_directory(thin: bytes, place: int) -> int | None:
    """Where the code directory of a signature begins."""
    (count,) = struct.unpack_from(">I", thin, place + 8)
    for index in range(min(count, 64)):
        _, offset = struct.unpack_from(">2I", thin, place + 12 + 8 * index)
        if struct.unpack_from(">I", thin, place + offset)[0] == _CODE_DIRECTORY_MAGIC:
            return int(place + offset)
    return None
