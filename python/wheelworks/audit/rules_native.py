"""Rules about native files that hold on every system: format, architecture, libpython, stripping.

Takes a Subject, gives findings. Pure.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from wheelworks.audit.rules import finding
from wheelworks.audit.subject import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks._native import BinaryFacts
    from wheelworks.audit.model import Finding, NativeMember
    from wheelworks.audit.platforms import Platform
    from wheelworks.audit.subject import Subject

_LIBPYTHON = re.compile(
    r"libpython\d[\d.]*[a-z]*(\.so[\d.]*|\.dylib)|libpypy[\d.]*-c\.(so|dylib)"
    r"|Python(\.framework/.*)?"
)
#: Folders of libraries that auditwheel, delocate and delvewheel copy from the system.
_GRAFTED = re.compile(r"\.(libs|dylibs)/")
_FORMAT_NAMES = {"elf": "ELF (Linux)", "macho": "Mach-O (macOS)", "pe": "PE (Windows)"}


def check_natives(subject: Subject) -> Iterator[Finding]:
    """What holds for every native file."""
    if subject.kind == "pure":
        return
    for native, facts in subject.libraries():
        if not subject.fits_some_platform(facts):
            yield from _foreign(subject, native, facts, "W041", _FORMAT_NAMES[facts["format"]])
        elif not any(runs_on(facts, platform) for platform in subject.platforms):
            yield from _foreign(subject, native, facts, "W042", _arches(facts))
        else:
            yield from _libpython(native, facts)
            yield from _stripped(native, facts)


def runs_on(facts: BinaryFacts, platform: Platform) -> bool:
    """Whether a file has code for the platform's architecture.

    Of a macOS file every slice counts; a missing half of universal2 is another rule's matter.
    """
    if platform.system == "macosx":
        slices = {slice_["arch"] for slice_ in facts["slices"]} or {facts["arch"]}
        return platform.arch in ("universal2", "intel", "fat64") or platform.arch in slices
    return facts["arch"] == platform.arch


def leaves_wheel(rpath: str, member: str) -> bool:
    """Whether a search path points out of the environment that the wheel is installed in.

    Args:
        rpath: as written, with ``$ORIGIN`` or ``@loader_path`` for the file's own folder.
        member: the file's name in the archive.
    """
    for variable in ("$ORIGIN", "${ORIGIN}", "@loader_path", "@executable_path"):
        if rpath.startswith(variable):
            relative = rpath.removeprefix(variable).lstrip("/")
            inside = posixpath.normpath(posixpath.join(posixpath.dirname(member), relative))
            # Programs in .data/scripts are installed in bin, next to lib.
            is_script = ".data/" in member
            return inside.split("/")[0] == ".." and not is_script
    return True


def rpath_finding(native: NativeMember, rpath: str) -> Finding:
    """The finding for a search path that leaves the wheel."""
    return finding(
        "W045",
        file=native.name,
        symbol=rpath,
        message=f"searches libraries in {rpath or 'an empty path'}, outside the wheel",
        hint="remove the path (link arguments of build.rs, RUSTFLAGS), or make it relative "
        "to the file",
    )


def missing_library(native: NativeMember, library: str, allowed: str) -> Finding:
    """The finding for a needed library that nobody provides."""
    return finding(
        "W043",
        file=native.name,
        symbol=library,
        message=f"needs {library}, which is not among the libraries of {allowed} nor in the wheel",
        hint="link it statically (a `vendored`, `bundled` or `static` feature of the -sys crate), "
        "or copy it into the wheel",
    )


def is_libpython(library: str) -> bool:
    """Whether a needed library is Python itself."""
    return _LIBPYTHON.fullmatch(base_name(library)) is not None or "/Python.framework/" in library


def _foreign(
    subject: Subject, native: NativeMember, facts: BinaryFacts, rule: str, found: str
) -> Iterator[Finding]:
    """A file that can't run where the wheel is installed."""
    wanted = ", ".join(platform.tag for platform in subject.platforms)
    if facts["kind"] == "executable" and ".data/scripts/" not in native.name:
        yield finding(
            "W049",
            file=native.name,
            message=f"is a program for {found}, the wheel is for {wanted}",
            hint="leave it out if it is not there on purpose",
        )
        return
    yield finding(
        rule,
        file=native.name,
        symbol=facts["arch"],
        message=f"is built for {found}, the wheel is for {wanted}",
        hint="remove stale native files from the source folder and build for the target again",
    )


def _arches(facts: BinaryFacts) -> str:
    """The architectures in a file."""
    slices = [slice_["arch"] for slice_ in facts["slices"]]
    return " and ".join(slices) if len(slices) > 1 else facts["arch"]


def _libpython(native: NativeMember, facts: BinaryFacts) -> Iterator[Finding]:
    """Python as a needed library. On Windows its DLL is needed, and another rule's matter."""
    for library in facts["needed"]:
        if facts["format"] != "pe" and is_libpython(library):
            yield finding(
                "W044",
                file=native.name,
                symbol=library,
                message=f"needs {library}",
                hint="build with maturin, or set PYO3_BUILD_EXTENSION_MODULE (pyo3's older feature "
                "is `extension-module`)",
            )


def _stripped(native: NativeMember, facts: BinaryFacts) -> Iterator[Finding]:
    """Symbols that only make the file larger; the project's profile decides of its own files alone."""
    if not facts["stripped"] and not _GRAFTED.search(native.name):
        yield finding(
            "W047",
            file=native.name,
            message="holds symbols or debug sections that users don't need",
            hint="set `strip = true` in [profile.release] of Cargo.toml",
        )
