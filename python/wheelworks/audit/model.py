"""Values of the audit: facts of a wheel, findings. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from wheelworks._native import BinaryFacts


ProblemKind = Literal[
    "framing", "duplicate", "unsafe name", "encrypted", "damaged", "compression", "text"
]


class Level(StrEnum):
    """How much a finding weighs: an error refuses the wheel."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark of the audit."""

    rule: str
    """Stable id: ``W001``."""
    level: Level
    file: str
    """The wheel, or the member of it."""
    symbol: str | None
    """The symbol, library or field it is about."""
    message: str
    """What is wrong: value found, value allowed."""
    hint: str
    """What to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveProblem:
    """Something wrong with the archive itself, seen while it was read."""

    kind: ProblemKind
    file: str
    """The member, or the archive's file name."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMember:
    """One file of the archive."""

    name: str
    size: int
    compressed_size: int
    sha256: str
    mode: int
    crc_ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeMember:
    """One native file of the archive; either facts or the reason why it can't be read."""

    name: str
    facts: BinaryFacts | None
    error: str | None
    signature_faults: tuple[tuple[str, str], ...] = ()
    """Mach-O only: (architecture, what is wrong) of signatures that do not fit the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFacts:
    """What a wheel says and holds."""

    path: str
    file_name: str
    size: int
    sha256: str
    name: str
    version: str
    build: str
    tags: tuple[tuple[str, str, str], ...]
    """(interpreter, ABI, platform) of the file name, every combination."""
    wheel_tags: tuple[str, ...]
    """``Tag:`` lines of WHEEL, as written."""
    root_is_purelib: bool | None
    metadata_name: str | None
    metadata_version: str | None
    requires_python: str | None
    generator: str | None
    members: tuple[WheelMember, ...]
    record_problems: tuple[str, ...]
    """What ``installer`` says of RECORD."""
    natives: tuple[NativeMember, ...]
    file_name_error: str | None = None
    """Why the file name is no wheel name; then name, version and tags are empty."""
    archive_problems: tuple[ArchiveProblem, ...] = ()
    dist_info: str | None = None
    """Name of the one ``.dist-info`` folder; None when there is none or more than one."""
    metadata_problems: tuple[str, ...] = ()
    """What ``packaging`` says of METADATA."""
    license_files: tuple[str, ...] = ()
    """``License-File`` lines of METADATA 2.4 and later."""
