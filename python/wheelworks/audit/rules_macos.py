"""Rules about Mach-O files in macOS wheels.

Takes a Subject, gives findings. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.audit.rules import finding
from wheelworks.audit.rules_native import (
    is_libpython,
    leaves_wheel,
    missing_library,
    rpath_finding,
    runs_on,
)
from wheelworks.audit.subject import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks._native import BinaryFacts
    from wheelworks.audit.model import Finding, NativeMember
    from wheelworks.audit.platforms import Platform
    from wheelworks.audit.subject import Subject

_SYSTEM_FOLDERS = ("/usr/lib/", "/System/")
_ARCHES = {"universal2": ("x86_64", "arm64"), "intel": ("x86_64",), "fat64": ("x86_64",)}
#: No arm64 Mac runs an older one, whatever the tag says.
_ARM64_FLOOR = (11, 0)
_SIGN_AGAIN = "do not strip after linking; `codesign -s -` or rcodesign sign it again"


def check_macos(subject: Subject) -> Iterator[Finding]:
    """Every Mach-O file against what the tags promise."""
    platforms = [platform for platform in subject.platforms if platform.system == "macosx"]
    promised = _promised_versions(platforms)
    if not promised:
        return
    for native, facts in subject.of_format("macosx"):
        if not any(runs_on(facts, platform) for platform in platforms):
            continue
        yield from _slices(native, facts, promised)
        yield from _versions(native, facts, promised)
        yield from _signatures(native, facts)
        yield from _libraries(subject, native, facts)


def _promised_versions(platforms: list[Platform]) -> dict[str, tuple[int, int]]:
    """Architecture -> the oldest macOS that a tag promises for it."""
    promised: dict[str, tuple[int, int]] = {}
    for platform in platforms:
        for arch in _ARCHES.get(platform.arch, (platform.arch,)):
            version = platform.version or (0, 0)
            if arch == "arm64":
                version = max(version, _ARM64_FLOOR)
            promised[arch] = min(version, promised.get(arch, version))
    return promised


def _slices(
    native: NativeMember, facts: BinaryFacts, promised: dict[str, tuple[int, int]]
) -> Iterator[Finding]:
    """Every promised architecture is there."""
    present = [slice_["arch"] for slice_ in facts["slices"]]
    for arch in promised:
        if arch not in present:
            yield finding(
                "W061",
                file=native.name,
                symbol=arch,
                message=f"has no {arch} code, only {' and '.join(present)}",
                hint="build both architectures (`macosx_universal2`), or tag the wheel for one",
            )


def _versions(
    native: NativeMember, facts: BinaryFacts, promised: dict[str, tuple[int, int]]
) -> Iterator[Finding]:
    """No slice needs a newer macOS than its tag."""
    for slice_ in facts["slices"]:
        allowed = promised.get(slice_["arch"])
        needed = _version(slice_["minimum_macos"])
        if allowed is not None and needed is None:
            yield finding(
                "W063",
                file=native.name,
                symbol=slice_["arch"],
                message=f"{slice_['arch']} code does not say which macOS it needs",
                hint="link with a linker that writes LC_BUILD_VERSION (Apple's, lld, zig)",
            )
        if allowed is not None and needed is not None and needed > allowed:
            floor = f"{allowed[0]}.{allowed[1]}"
            yield finding(
                "W060",
                file=native.name,
                symbol=slice_["arch"],
                message=f"{slice_['arch']} code needs macOS {slice_['minimum_macos']}, "
                f"the tag promises {floor}",
                hint=f"build with MACOSX_DEPLOYMENT_TARGET={floor}",
            )


def _version(text: str | None) -> tuple[int, int] | None:
    """``10.12`` or ``11.0.1`` -> (10, 12), (11, 0)."""
    parts = (text or "").split(".")
    if not all(part.isdecimal() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def _signatures(native: NativeMember, facts: BinaryFacts) -> Iterator[Finding]:
    """arm64 code is signed, and is what was signed."""
    for slice_ in facts["slices"]:
        if slice_["arch"] == "arm64" and not slice_["signed"]:
            yield finding(
                "W062",
                file=native.name,
                symbol="LC_CODE_SIGNATURE",
                message="arm64 code has no signature",
                hint=_SIGN_AGAIN,
            )
    for arch, fault in native.signature_faults:
        if arch == "arm64":
            yield finding(
                "W064",
                file=native.name,
                symbol="LC_CODE_SIGNATURE",
                message=f"arm64 code does not fit its signature: {fault}",
                hint=_SIGN_AGAIN,
            )


def _libraries(subject: Subject, native: NativeMember, facts: BinaryFacts) -> Iterator[Finding]:
    """Libraries are the system's or the wheel's; search paths stay inside."""
    finds_system = any(f"{rpath}/".startswith(_SYSTEM_FOLDERS) for rpath in facts["rpaths"])
    for library in facts["needed"]:
        is_system = library.startswith(_SYSTEM_FOLDERS)
        is_relative = library.startswith(("@rpath/", "@loader_path/", "@executable_path/"))
        is_inside = is_relative and base_name(library).lower() in subject.bundled
        # Swift's libraries are found through an @rpath into the system.
        is_swift = finds_system and library.startswith("@rpath/libswift")
        if not (is_system or is_inside or is_swift or is_libpython(library)):
            yield missing_library(native, library, "macOS")
    for rpath in facts["rpaths"]:
        if not f"{rpath}/".startswith(_SYSTEM_FOLDERS) and leaves_wheel(rpath, native.name):
            yield rpath_finding(native, rpath)
