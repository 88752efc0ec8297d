"""Makers of wheels for tests: facts with usual values, and small real archives."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.audit.model import NativeMember, WheelFacts, WheelMember
from wheelworks.plan import WheelExpectation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelworks._native import BinaryFacts, Slice

BINARIES = Path(__file__).parent / "binaries"
DIST_INFO = "demo-1.0.dist-info"
LINUX_MODULE = "demo/_demo.cpython-313-x86_64-linux-gnu.so"
MAC_MODULE = "demo/_demo.cpython-313-darwin.so"
WINDOWS_MODULE = "demo/_demo.cp313-win_amd64.pyd"
LINUX_TAG = "cp313-cp313-manylinux_2_17_x86_64"
MUSL_TAG = "cp313-cp313-musllinux_1_2_x86_64"
MAC_TAG = "cp313-cp313-macosx_11_0_arm64"
WINDOWS_TAG = "cp313-cp313-win_amd64"
PROGRAM_TAG = "py3-none-manylinux_2_17_x86_64"
PURE_TAG = "py3-none-any"


def an_elf(**changes: object) -> BinaryFacts:
    """Facts of an x86_64 extension module ``_demo`` for manylinux2014, with fields changed."""
    usual: BinaryFacts = {
        "format": "elf",
        "kind": "library",
        "bits": 64,
        "little_endian": True,
        "arch": "x86_64",
        "needed": ["libc.so.6"],
        "versioned_symbols": [{"name": "memcpy", "version": "GLIBC_2.14", "library": "libc.so.6"}],
        "undefined": ["PyModule_Create2", "memcpy"],
        "weak": [],
        "exported": ["PyInit__demo"],
        "init_functions": ["PyInit__demo"],
        "soname": None,
        "interpreter": None,
        "rpaths": [],
        "libc": "glibc",
        "stripped": True,
        "executable_stack": False,
        "textrel": False,
        "slices": [],
        "armv7_hard_float": None,
    }
    return _changed(usual, changes)


def a_musl_elf(**changes: object) -> BinaryFacts:
    """The same for musllinux."""
    usual = an_elf(needed=["libc.so"], versioned_symbols=[], libc="musl")
    return _changed(usual, changes)


def a_macho(*slices: Slice, **changes: object) -> BinaryFacts:
    """The same for macOS; without slices an arm64 one for macOS 11.0."""
    parts = list(slices) or [a_slice()]
    arch = "universal2" if len(parts) > 1 else parts[0]["arch"]
    usual = an_elf(
        format="macho",
        arch=arch,
        needed=["/usr/lib/libSystem.B.dylib"],
        versioned_symbols=[],
        libc=None,
        slices=parts,
    )
    return _changed(usual, changes)


def a_slice(arch: str = "arm64", minimum: str | None = "11.0", *, signed: bool = True) -> Slice:
    """One architecture of a Mach-O file."""
    return {
        "arch": arch,
        "minimum_macos": minimum,
        "sdk": "14.0",
        "signed": signed,
        "adhoc_signed": signed,
    }


def a_pe(**changes: object) -> BinaryFacts:
    """The same for 64-bit Windows."""
    needed = ["python313.dll", "KERNEL32.dll", "VCRUNTIME140.dll", "api-ms-win-crt-heap-l1-1-0.dll"]
    usual = an_elf(format="pe", needed=needed, versioned_symbols=[], libc=None)
    return _changed(usual, changes)


def a_member(name: str, **changes: object) -> WheelMember:
    """A member that was read without fault."""
    usual = WheelMember(
        name=name,
        size=100,
        compressed_size=50,
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        mode=0o100644,
        crc_ok=True,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def wheel_facts(
    tag: str = LINUX_TAG,
    natives: Mapping[str, BinaryFacts | str] | None = None,
    *,
    files: Iterable[str] = ("demo/__init__.py",),
    **changes: object,
) -> WheelFacts:
    """Facts of a sound wheel ``demo 1.0``, with the given fields changed.

    Args:
        tag: tags of the file name.
        natives: member -> facts, or the text of why it can't be read; None for a Linux module.
        files: further members besides those and the ``.dist-info`` folder.
        changes: fields of WheelFacts.
    """
    inside = {LINUX_MODULE: an_elf()} if natives is None else natives
    names = [*files, *inside, *(f"{DIST_INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD"))]
    interpreters, abis, platforms = (part.split(".") for part in tag.split("-"))
    tags = tuple(product(interpreters, abis, platforms))
    usual = WheelFacts(
        path=f"/dist/demo-1.0-{tag}.whl",
        file_name=f"demo-1.0-{tag}.whl",
        size=10_000,
        sha256="0" * 64,
        name="demo",
        version="1.0",
        build="",
        tags=tags,
        wheel_tags=tuple("-".join(one) for one in tags),
        root_is_purelib=tag.endswith("-any"),
        metadata_name="demo",
        metadata_version="1.0",
        requires_python=">=3.11",
        generator="maturin (1.16.0)",
        members=tuple(a_member(name) for name in names),
        record_problems=(),
        natives=tuple(_native(name, facts) for name, facts in inside.items()),
        dist_info=DIST_INFO,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def an_expectation(**changes: object) -> WheelExpectation:
    """What the build of the wheel of :func:`wheel_facts` planned."""
    usual = WheelExpectation(
        name="demo",
        version="1.0",
        python_tag="cp313",
        abi_tag="cp313",
        platform_tags=("manylinux_2_17_x86_64", "manylinux2014_x86_64"),
        policy="manylinux2014",
        module_name="demo._demo",
        import_names=("demo",),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def wheel_files(
    tag: str = LINUX_TAG, *, native: tuple[str, bytes] | None = None
) -> dict[str, bytes]:
    """Members of a small wheel ``demo 1.0`` without RECORD.

    Args:
        tag: tags of the WHEEL file.
        native: name and bytes of a module; None for the sample of tests/binaries.
    """
    name, data = native or (LINUX_MODULE, (BINARIES / "glibc-x86_64.so").read_bytes())
    parts = (part.split(".") for part in tag.split("-"))
    lines = "".join(f"Tag: {'-'.join(one)}\n" for one in product(*parts))
    return {
        "demo/__init__.py": b"from ._demo import *\n",
        name: data,
        f"{DIST_INFO}/METADATA": b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n",
        f"{DIST_INFO}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: maturin (1.16.0)\nRoot-Is-Purelib: false\n" + lines
        ).encode(),
    }


def record_of(files: Mapping[str, bytes]) -> bytes:
    """The RECORD of members."""
    rows = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\n")
    return ("".join(rows) + f"{DIST_INFO}/RECORD,,\n").encode()


def write_wheel(
    folder: Path,
    files: Mapping[str, bytes] | None = None,
    *,
    tag: str = LINUX_TAG,
    record: bytes | None = None,
) -> Path:
    """Write a wheel; gives its path.

    Args:
        folder: where.
        files: members without RECORD; None for the usual ones.
        tag: tags of the file name.
        record: content of RECORD; None for the right one.
    """
    members = dict(wheel_files(tag) if files is None else files)
    members[f"{DIST_INFO}/RECORD"] = record_of(members) if record is None else record
    path = folder / f"demo-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _native(name: str, facts: BinaryFacts | str) -> NativeMember:
    if isinstance(facts, str):
        return NativeMember(name=name, facts=None, error=facts)
    return NativeMember(name=name, facts=facts, error=None)


def _changed(usual: BinaryFacts, changes: Mapping[str, object]) -> BinaryFacts:
    unknown = changes.keys() - usual.keys()
    assert not unknown, f"no such fields: {unknown}"
    return usual | changes  # type: ignore[operator, no-any-return]
