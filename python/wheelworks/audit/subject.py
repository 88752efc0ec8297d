"""A wheel as the rules look at it: its facts, and what all rules derive from them.

Takes facts and the expectation of the build; gives a frozen value. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wheelworks.audit.platforms import parse_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks._native import BinaryFacts
    from wheelworks.audit.model import NativeMember, WheelFacts
    from wheelworks.audit.platforms import Platform, PlatformSystem
    from wheelworks.plan import WheelExpectation

WheelKind = Literal["extension", "platform", "pure"]

_FORMATS = {"manylinux": "elf", "musllinux": "elf", "linux": "elf", "macosx": "macho", "win": "pe"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the rules are given."""

    facts: WheelFacts
    expects: WheelExpectation | None
    platforms: tuple[Platform, ...]
    """Of the file name, without repetition."""
    kind: WheelKind
    """An interpreter's extension modules; libraries or programs for one platform; Python only."""
    bundled: frozenset[str]
    """Base names and own names of the native files inside, in lower case."""

    def libraries(self) -> Iterator[tuple[NativeMember, BinaryFacts]]:
        """The native files that could be read and are loaded or started: no object files."""
        for native in self.facts.natives:
            if native.facts is not None and native.facts["kind"] != "object":
                yield native, native.facts

    def of_format(self, system: PlatformSystem) -> Iterator[tuple[NativeMember, BinaryFacts]]:
        """The native files in the format of a system."""
        for native, facts in self.libraries():
            if facts["format"] == _FORMATS.get(system):
                yield native, facts

    def fits_some_platform(self, facts: BinaryFacts) -> bool:
        """Whether the format is that of one of the wheel's systems."""
        return any(_FORMATS.get(platform.system) == facts["format"] for platform in self.platforms)

    @property
    def abis(self) -> tuple[str, ...]:
        """ABI tags without repetition."""
        return tuple(dict.fromkeys(abi for _, abi, _ in self.facts.tags))


def subject_of(facts: WheelFacts, expects: WheelExpectation | None) -> Subject:
    """The value that the rules look at.

    Args:
        facts: from ``read_wheel``.
        expects: what the build planned; None for a wheel of somebody else.
    """
    tags = dict.fromkeys(platform for _, _, platform in facts.tags)
    return Subject(
        facts=facts,
        expects=expects,
        platforms=tuple(parse_platform(tag) for tag in tags),
        kind=_kind(facts),
        bundled=frozenset(_bundled_names(facts)),
    )


def base_name(path: str) -> str:
    """The last part of a path in an archive."""
    return path.rpartition("/")[2]


def _kind(facts: WheelFacts) -> WheelKind:
    """What the tags promise."""
    if any(abi != "none" for _, abi, _ in facts.tags):
        return "extension"
    if any(platform != "any" for _, _, platform in facts.tags):
        return "platform"
    return "pure"


def _bundled_names(facts: WheelFacts) -> Iterator[str]:
    """Names under which the wheel's own libraries are asked for."""
    for native in facts.natives:
        yield base_name(native.name).lower()
        if native.facts is not None and native.facts["soname"] is not None:
            yield base_name(native.facts["soname"]).lower()
