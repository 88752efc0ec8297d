"""File names of extension modules: which module they are, and which interpreters find them.

Takes names, gives values. Pure; does not know what the files hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.audit.subject import base_name

if TYPE_CHECKING:
    from wheelworks.audit.platforms import Platform

_SUFFIX = re.compile(
    r"\.(?:(?P<stable>abi3t?)"
    r"|cpython-(?P<cpython>\d+[a-z]*)(?:-(?P<cpython_platform>[\w-]+))?"
    r"|(?P<windows>cp\d+[a-z]*)-(?P<windows_platform>\w+)"
    r"|(?P<pypy>pypy\d+-pp\d+)(?:-(?P<pypy_platform>[\w-]+))?)"
    r"\.(?:so|pyd)"
)
#: Machine in CPython's suffixes -> architecture of the wheel's tag, where they differ.
_SUFFIX_ARCHES = {
    "i386": "i686",
    "arm": "armv7l",
    "powerpc64le": "ppc64le",
    "powerpc64": "ppc64",
}
_WINDOWS_PLATFORMS = {"win32": "i686", "win_amd64": "x86_64", "win_arm64": "arm64"}
#: From here on musl builds of CPython have a suffix of their own.
_MUSL_SUFFIX_SINCE = 311


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionName:
    """What the name of an extension module says."""

    module: str
    """Last part of the module's name: ``_native``."""
    abi: str | None
    """``cp313``, ``cp314t``, ``pypy311_pp73``, ``abi3``, ``abi3t``; None for a plain suffix."""
    platform: str | None
    """``x86_64-linux-gnu``, ``darwin``, ``win_amd64``, where the suffix has one."""
    suffix: str
    """``.cpython-313-x86_64-linux-gnu.so``"""


def parse_extension_name(path: str) -> ExtensionName | None:
    """What the name of a native file says; None for one that is no ``.so`` or ``.pyd``.

    A plain ``.so`` may be a module or a bundled library; only its content tells.

    Args:
        path: a member's name.
    """
    name = base_name(path)
    module, dot, rest = name.partition(".")
    suffix = dot + rest
    if found := _SUFFIX.fullmatch(suffix):
        return ExtensionName(
            module=module,
            abi=_abi(found),
            platform=found["cpython_platform"]
            or found["windows_platform"]
            or found["pypy_platform"],
            suffix=suffix,
        )
    if suffix in (".so", ".pyd"):
        return ExtensionName(module=module, abi=None, platform=None, suffix=suffix)
    return None


def is_found_by(extension: ExtensionName, tag: tuple[str, str, str], platform: Platform) -> bool:
    """Whether the interpreters of a wheel's tag look for a file of that name.

    Args:
        extension: from :func:`parse_extension_name`.
        tag: (interpreter, ABI, platform) of the wheel.
        platform: the tag's platform, parsed.
    """
    interpreter, abi, _ = tag
    return _abi_fits(extension.abi, interpreter, abi) and _platform_fits(
        extension.platform, interpreter, platform
    )


def _abi(found: re.Match[str]) -> str:
    """The ABI tag of a suffix."""
    if found["cpython"]:
        return "cp" + found["cpython"]
    if found["pypy"]:
        return found["pypy"].replace("-", "_")
    return found["stable"] or found["windows"]


def _abi_fits(suffix_abi: str | None, interpreter: str, abi: str) -> bool:
    """Whether an interpreter with that ABI looks for the suffix."""
    if suffix_abi is None:
        return True
    if suffix_abi == "abi3":
        return abi == "abi3" or (interpreter.startswith("cp") and not abi.endswith("t"))
    if suffix_abi == "abi3t":
        return abi in ("abi3t", "abi3") or interpreter.startswith("cp")
    return abi == suffix_abi


def _platform_fits(suffix_platform: str | None, interpreter: str, platform: Platform) -> bool:
    """Whether an interpreter on that platform looks for the suffix."""
    if suffix_platform is None or platform.system in ("any", "other"):
        return True
    if suffix_platform == "darwin":
        return platform.system == "macosx"
    if suffix_platform in _WINDOWS_PLATFORMS:
        return platform.system == "win" and _WINDOWS_PLATFORMS[suffix_platform] == platform.arch
    machine, _, libc = suffix_platform.partition("-linux")
    if (
        platform.system in ("macosx", "win")
        or _SUFFIX_ARCHES.get(machine, machine) != platform.arch
    ):
        return False
    has_musl_suffix = interpreter.startswith("cp") and _version(interpreter) >= _MUSL_SUFFIX_SINCE
    if platform.system == "musllinux" and has_musl_suffix:
        return "musl" in libc
    return "musl" not in libc


def _version(interpreter: str) -> int:
    """``cp313`` -> 313."""
    digits = interpreter.removeprefix("cp")
    return int(digits) if digits.isdecimal() else 0
