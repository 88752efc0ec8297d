"""Signatures of Mach-O files against the code, in real files that were changed after signing."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from slice_samples import EXPECTS, LIBRARIES, MODULE, merged, without_signature

from wheelworks._native import merge_universal
from wheelworks.audit.check import check_wheel
from wheelworks.audit.facts import read_wheel
from wheelworks.audit.macho_signature import signature_faults

if TYPE_CHECKING:
    from pathlib import Path

ARM64 = LIBRARIES["arm64"]
LC_BUILD_VERSION = 0x32
LC_VERSION_MIN = 0x24
LC_CODE_SIGNATURE = 0x1D


def commands_of(thin: bytes) -> dict[int, int]:
    """Load command -> where it begins."""
    found, at = {}, 32
    for _ in range(struct.unpack_from("<I", thin, 16)[0]):
        command, size = struct.unpack_from("<2I", thin, at)
        found[command] = at
        at += size
    return found


def signature_at(thin: bytes) -> int:
    """Where the signature begins."""
    (place,) = struct.unpack_from("<I", thin, commands_of(thin)[LC_CODE_SIGNATURE] + 8)
    return int(place)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """The bytes with some replaced."""
    return data[:at] + new + data[at + len(new) :]


def with_floor(thin: bytes, major: int) -> bytes:
    """A slice that says it needs another macOS, as if built with a wrong deployment target."""
    found = commands_of(thin)
    field = found[LC_BUILD_VERSION] + 12 if LC_BUILD_VERSION in found else found[LC_VERSION_MIN] + 8
    return patched(thin, field, struct.pack("<I", major << 16))


def code_directory_at(thin: bytes) -> int:
    """Where the first blob of the signature, the code directory, begins."""
    place = signature_at(thin)
    return int(place + struct.unpack_from(">I", thin, place + 16)[0])


def test_a_file_as_the_linker_left_it_has_no_fault() -> None:
    """Thin and merged, signed and not signed."""
    fat = merge_universal(LIBRARIES["x86_64"], ARM64)
    for data in (ARM64, fat, without_signature(ARM64), LIBRARIES["x86_64"]):
        assert signature_faults(data) == ()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(
            patched(ARM64, signature_at(ARM64) - 1, b"\x55"),
            "was changed after signing",
            id="patched code",
        ),
        pytest.param(
            with_floor(ARM64, 12), "page 1 of 4 was changed after signing", id="patched header"
        ),
        pytest.param(
            patched(ARM64, code_directory_at(ARM64) + 32, struct.pack(">I", 4096)),
            "the signature covers 4096 of",
            id="half covered",
        ),
        pytest.param(
            patched(ARM64, code_directory_at(ARM64) + 28, struct.pack(">I", 1)),
            "the signature lists 1 pages of code that has",
            id="too few hashes",
        ),
        pytest.param(
            patched(ARM64, code_directory_at(ARM64), b"\0\0\0\0"),
            "the signature has no code directory",
            id="no directory",
        ),
        pytest.param(
            ARM64[: signature_at(ARM64) + 4], "the signature ends before it should", id="cut off"
        ),
    ],
)
def test_a_signature_that_does_not_fit_is_found(data: bytes, says: str) -> None:
    """In the thin file and in the fat one."""
    ((arch, fault),) = signature_faults(data)
    assert arch == "arm64"
    assert says in fault


def test_an_unknown_hash_is_nobodys_fault() -> None:
    """What can't be checked is not refused."""
    assert signature_faults(patched(ARM64, code_directory_at(ARM64) + 37, b"\x09")) == ()


@pytest.mark.parametrize(
    ("x86_64", "arm64", "rules"),
    [
        pytest.param(LIBRARIES["x86_64"], ARM64, set(), id="sound"),
        pytest.param(with_floor(LIBRARIES["x86_64"], 11), ARM64, {"W060"}, id="x86_64 floor"),
        pytest.param(
            LIBRARIES["x86_64"], with_floor(ARM64, 12), {"W060", "W064"}, id="arm64 floor"
        ),
        pytest.param(LIBRARIES["x86_64"], without_signature(ARM64), {"W062"}, id="unsigned"),
        pytest.param(
            LIBRARIES["x86_64"],
            patched(ARM64, signature_at(ARM64) - 1, b"\x55"),
            {"W064"},
            id="patched",
        ),
    ],
)
def test_merged_wheels_with_a_bad_slice_are_refused(
    tmp_path: Path, x86_64: bytes, arm64: bytes, rules: set[str]
) -> None:
    """Floor and signature are read from the binary, slice by slice."""
    path = merged(tmp_path, {MODULE: x86_64}, {MODULE: arm64})
    findings = check_wheel(read_wheel(path), EXPECTS)
    assert {found.rule for found in findings if found.level == "error"} == rules
