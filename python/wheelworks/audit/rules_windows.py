"""Rules about PE files in Windows wheels.

Takes a Subject and the table ``resources/policies/windows.toml``, gives findings. Pure.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypedDict

from wheelworks.audit.rules import finding
from wheelworks.audit.rules_native import runs_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks._native import BinaryFacts
    from wheelworks.audit.model import Finding, NativeMember
    from wheelworks.audit.subject import Subject

_PYTHON_DLL = re.compile(r"(?:python(?P<version>\d+)(?P<free>t?)(?P<debug>_d)?|libpypy.*)\.dll")


class _DllTable(TypedDict):
    system: list[str]
    shipped_with_python: list[str]
    redistributable: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dlls:
    """Names and patterns of DLLs, in lower case."""

    system: frozenset[str]
    patterns: tuple[str, ...]
    redistributable: tuple[str, ...]

    def is_there(self, name: str) -> bool:
        """Whether every Windows with Python has the DLL."""
        return name in self.system or any(fnmatchcase(name, pattern) for pattern in self.patterns)

    def is_redistributable(self, name: str) -> bool:
        """Whether other programs install the DLL, on some machines."""
        return any(fnmatchcase(name, pattern) for pattern in self.redistributable)


def check_windows(subject: Subject) -> Iterator[Finding]:
    """Every PE file's imports."""
    platforms = [platform for platform in subject.platforms if platform.system == "win"]
    for native, facts in subject.of_format("win"):
        if any(runs_on(facts, platform) for platform in platforms):
            yield from _imports(subject, native, facts)


def _imports(subject: Subject, native: NativeMember, facts: BinaryFacts) -> Iterator[Finding]:
    """Python's DLL, then everything else."""
    dlls = _load_dlls()
    for library in facts["needed"]:
        name = library.lower()
        if python := _PYTHON_DLL.fullmatch(name):
            yield from _python_dll(subject, native, library, python)
        elif name in subject.bundled or dlls.is_there(name):
            continue
        elif dlls.is_redistributable(name):
            yield finding(
                "W071",
                file=native.name,
                symbol=library,
                message=f"imports {library}, which is not part of Windows nor of the wheel",
                hint="link the runtime statically (RUSTFLAGS=-Ctarget-feature=+crt-static, or "
                "-static-libgcc with mingw), or bundle it with delvewheel",
            )
        else:
            yield finding(
                "W072",
                file=native.name,
                symbol=library,
                message=f"imports {library}, which is not known as part of Windows",
                hint="bundle it with delvewheel, or make sure that users have it",
            )


def _python_dll(
    subject: Subject, native: NativeMember, library: str, python: re.Match[str]
) -> Iterator[Finding]:
    """The DLL of the interpreter that the wheel is for."""
    allowed = _allowed_python_dlls(subject)
    if library.lower() in allowed:
        return
    wanted = " or ".join(sorted(allowed)) or "none, as their ABI is `none`"
    cause = "a debug build of Python" if python["debug"] else "another interpreter"
    yield finding(
        "W070",
        file=native.name,
        symbol=library,
        message=f"imports {library}, the wheel's tags ask for {wanted}",
        hint=f"it was linked for {cause}; build for this interpreter again",
    )


def _allowed_python_dlls(subject: Subject) -> frozenset[str]:
    """Names of Python's DLL under the wheel's tags.

    A version-specific module may keep to the stable ABI; a stable one may use nothing else.
    """
    allowed: set[str] = set()
    for interpreter, abi, _ in subject.facts.tags:
        version = interpreter[2:]
        if abi == "abi3":
            allowed.add("python3.dll")
        elif abi == "abi3t":
            allowed.update(("python3t.dll", "python3.dll"))
        elif interpreter.startswith("cp") and abi.endswith("t"):
            allowed.update((f"python{version}t.dll", "python3t.dll"))
        elif interpreter.startswith("cp") and abi != "none":
            allowed.update((f"python{version}.dll", "python3.dll"))
        elif interpreter.startswith("pp") and abi != "none":
            allowed.add(f"libpypy{version[:1]}.{version[1:]}-c.dll")
    return frozenset(allowed)


@cache
def _load_dlls() -> _Dlls:
    """The table of known DLLs."""
    resource = files("wheelworks") / "resources" / "policies" / "windows.toml"
    table: _DllTable = tomllib.loads(resource.read_text(encoding="utf-8"))  # type: ignore[assignment]
    there = [*table["system"], *table["shipped_with_python"]]
    return _Dlls(
        system=frozenset(name for name in there if "*" not in name),
        patterns=tuple(name for name in there if "*" in name),
        redistributable=tuple(table["redistributable"]),
    )
