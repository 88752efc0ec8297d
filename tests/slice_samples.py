"""Thin macOS wheels for tests of merging: real Mach-O files in small archives."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from wheel_samples import BINARIES, DIST_INFO, MAC_MODULE, an_expectation, wheel_files, write_wheel

from wheelworks.wheel_merge import merge_wheels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TAGS = {"x86_64": "cp313-cp313-macosx_10_12_x86_64", "arm64": "cp313-cp313-macosx_11_0_arm64"}
LIBRARIES = {
    "x86_64": (BINARIES / "macos-10.12-x86_64-stripped.dylib").read_bytes(),
    "arm64": (BINARIES / "macos-11.0-arm64-stripped.dylib").read_bytes(),
}
PLATFORMS = ("macosx_10_12_universal2", "macosx_10_12_x86_64", "macosx_11_0_arm64")
EXPECTS = an_expectation(
    platform_tags=("macosx_10_12_x86_64", "macosx_11_0_arm64", "macosx_10_12_universal2"),
    policy="macosx_10_12",
    module_name="demo.sample",
    import_names=("demo",),
)
MODULE = MAC_MODULE.replace("_demo.", "sample.")
SBOM = f"{DIST_INFO}/sboms/demo.cyclonedx.json"


def a_slice_wheel(
    folder: Path, arch: str, changes: Mapping[str, bytes | None] | None = None
) -> Path:
    """A thin wheel, with members replaced, added, or (None) left out."""
    files = wheel_files(TAGS[arch], native=(MODULE, LIBRARIES[arch]))
    files["demo/__init__.py"] = b"from .sample import *\n"
    for name, data in (changes or {}).items():
        if data is None:
            del files[name]
        else:
            files[name] = data
    (folder / arch).mkdir(exist_ok=True)
    return write_wheel(folder / arch, files, tag=TAGS[arch])


def merged(
    folder: Path,
    x86_64: Mapping[str, bytes | None] | None = None,
    arm64: Mapping[str, bytes | None] | None = None,
) -> Path:
    """The merged wheel of two slices with those changes."""
    return merge_wheels(
        a_slice_wheel(folder, "x86_64", x86_64),
        a_slice_wheel(folder, "arm64", arm64),
        expects=EXPECTS,
        folder=folder,
    )


def thin_parts(fat: bytes) -> dict[int, bytes]:
    """CPU type -> slice of a fat file, read by hand."""
    magic, count = struct.unpack(">2I", fat[:8])
    assert magic == 0xCAFEBABE
    parts = {}
    for index in range(count):
        cpu, _, offset, size, _ = struct.unpack_from(">5I", fat, 8 + 20 * index)
        parts[cpu] = fat[offset : offset + size]
    return parts


def without_signature(thin: bytes) -> bytes:
    """A thin 64-bit Mach-O file whose LC_CODE_SIGNATURE became a command of another meaning (function starts)."""
    commands, at = struct.unpack_from("<I", thin, 16)[0], 32
    for _ in range(commands):
        command, size = struct.unpack_from("<2I", thin, at)
        if command == 0x1D:
            return thin[:at] + struct.pack("<I", 0x29) + thin[at + 4 :]
        at += size
    raise AssertionError("the file has no signature")
