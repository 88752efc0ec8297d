"""Checks a source distribution.

Takes a path, gives findings. Reads that one file; nothing is unpacked to disk.
"""

from __future__ import annotations

import gzip
import posixpath
import tarfile
import zlib
from dataclasses import dataclass
from email.parser import Parser
from typing import TYPE_CHECKING

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from wheelworks.audit.check import sort_findings
from wheelworks.audit.rules import finding
from wheelworks.errors import WheelUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheelworks.audit.model import Finding

_MEMBERS_LIMIT = 200_000
_UNPACKED_LIMIT = 8 << 30
_PKG_INFO_LIMIT = 16 << 20
_CHUNK = 1 << 20
_PADDING_CHUNKS = 16
_TAR_FAULTS = (tarfile.TarError, OSError, EOFError, ValueError, zlib.error)
_EXCLUDES = "check `include` and `exclude` in [tool.maturin]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SdistFacts:
    """What a source distribution says and holds."""

    file_name: str
    members: tuple[str, ...]
    """Names of everything inside, folders too."""
    links: tuple[tuple[str, str], ...]
    """(name, target) of its links, targets of symbolic ones relative to the archive's root."""
    pkg_info: str | None
    """The text of PKG-INFO in the top folder."""


def check_sdist(path: Path) -> tuple[Finding, ...]:
    """Every finding of a source distribution, errors first.

    Args:
        path: ``name-version.tar.gz``.

    Raises:
        WheelUnreadableError: the file can't be opened or is no tar.gz archive, or is a bomb.
    """
    return check_sdist_facts(read_sdist(path))


def read_sdist(path: Path) -> SdistFacts:
    """The table of contents and PKG-INFO of a source distribution.

    Args:
        path: ``name-version.tar.gz``.

    Raises:
        WheelUnreadableError: the file can't be opened or is no tar.gz archive, or is a bomb.
    """
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            members = list(_bounded(archive, path))
            facts = SdistFacts(
                file_name=path.name,
                members=tuple(member.name for member in members),
                links=tuple(_links(members)),
                pkg_info=_pkg_info(archive, members),
            )
            _read_to_end(stream)
            return facts
    except _TAR_FAULTS as error:
        raise WheelUnreadableError(
            f"{path} is no readable tar.gz archive: {error}",
            hint="build it again; a truncated file is the usual cause",
        ) from error


def check_sdist_facts(facts: SdistFacts) -> tuple[Finding, ...]:
    """Every finding, errors first. Pure.

    Args:
        facts: from :func:`read_sdist`.
    """
    top = facts.file_name.removesuffix(".tar.gz")
    return sort_findings(
        [*_file_name(facts), *_unsafe(facts), *_tops(facts, top), *_contents(facts, top)]
    )


def _bounded(archive: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    """The members, as long as they stay within bounds."""
    unpacked = 0
    for count, member in enumerate(archive):
        unpacked += member.size
        if count >= _MEMBERS_LIMIT or unpacked > _UNPACKED_LIMIT:
            raise WheelUnreadableError(
                f"{path} was not unpacked: more than {_MEMBERS_LIMIT} members or "
                f"{_UNPACKED_LIMIT >> 30} GiB",
                hint=_EXCLUDES,
            )
        yield member


def _read_to_end(stream: gzip.GzipFile) -> None:
    """Reads the padding after the last member, so that a cut or damaged end is noticed.

    Raises:
        OSError: the checksum is wrong, or there is more than padding.
        EOFError: the end is missing.
    """
    for _ in range(_PADDING_CHUNKS):
        if not stream.read(_CHUNK):
            return
    raise OSError("there are too many bytes after its last member")


def _links(members: list[tarfile.TarInfo]) -> Iterator[tuple[str, str]]:
    """Links with their targets."""
    for member in members:
        if member.issym():
            folder = posixpath.dirname(member.name)
            yield member.name, posixpath.join(folder, member.linkname)
        elif member.islnk():
            yield member.name, member.linkname


def _pkg_info(archive: tarfile.TarFile, members: list[tarfile.TarInfo]) -> str | None:
    """The text of ``<top>/PKG-INFO``."""
    for member in members:
        is_wanted = member.name.count("/") == 1 and member.name.endswith("/PKG-INFO")
        if is_wanted and (stream := archive.extractfile(member)) is not None:
            return stream.read(_PKG_INFO_LIMIT).decode("utf-8", errors="replace")
    return None


def _file_name(facts: SdistFacts) -> Iterator[Finding]:
    """The name, and whether PKG-INFO says the same."""
    try:
        name, version = parse_sdist_filename(facts.file_name)
    except InvalidSdistFilename as error:
        yield finding(
            "W100", file=facts.file_name, message=str(error), hint="build it with `maturin sdist`"
        )
        return
    written = facts.file_name.rpartition("-")[0]
    if written != name.replace("-", "_"):
        yield finding(
            "W100",
            file=facts.file_name,
            message=f"the project is written {written}, normalised it is {name.replace('-', '_')}",
            hint="build it with a current maturin",
        )
    if facts.pkg_info is None:
        return
    headers = Parser().parsestr(facts.pkg_info, headersonly=True)
    said_name, said_version = str(headers.get("Name", "")), str(headers.get("Version", ""))
    if canonicalize_name(said_name) != name or not _is_version(said_version, version):
        yield finding(
            "W102",
            file=f"{facts.file_name.removesuffix('.tar.gz')}/PKG-INFO",
            message=f"names {said_name or 'no project'} {said_version or 'without version'}, "
            f"the file name {name} {version}",
            hint="give the file the name it was built with",
        )


def _is_version(text: str, version: Version) -> bool:
    """Whether a text is that version."""
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def _unsafe(facts: SdistFacts) -> Iterator[Finding]:
    """Names and links that leave the folder."""
    for name in facts.members:
        if _leaves(name):
            yield _unsafe_finding(name, "is an absolute path or leaves its folder")
    for name, target in facts.links:
        if _leaves(target):
            yield _unsafe_finding(name, f"is a link to {target}, outside of the archive")


def _leaves(name: str) -> bool:
    """Whether a name points outside of the folder that it is unpacked in."""
    return (
        name.startswith("/")
        or "\\" in name
        or name[1:2] == ":"
        or posixpath.normpath(name).split("/")[0] == ".."
    )


def _unsafe_finding(name: str, message: str) -> Finding:
    """A member that could write elsewhere."""
    return finding("W103", file=name, message=message, hint=_EXCLUDES)


def _tops(facts: SdistFacts, top: str) -> Iterator[Finding]:
    """One folder, named like the file."""
    tops = sorted({name.partition("/")[0] for name in facts.members})
    if tops != [top]:
        yield finding(
            "W101",
            file=facts.file_name,
            message=f"holds {', '.join(tops[:5]) or 'nothing'}, expected only {top}",
            hint="build it with `maturin sdist`",
        )


def _contents(facts: SdistFacts, top: str) -> Iterator[Finding]:
    """The files that a build needs."""
    names = set(facts.members)
    if facts.pkg_info is None:
        yield finding(
            "W102",
            file=facts.file_name,
            symbol="PKG-INFO",
            message=f"{top}/PKG-INFO is missing",
            hint="build it with `maturin sdist`",
        )
    if f"{top}/pyproject.toml" not in names:
        yield _missing(facts, "pyproject.toml", f"{top}/pyproject.toml is missing")
    # A crate may lie in a sub-folder of the project.
    for name in ("Cargo.toml", "Cargo.lock"):
        if not any(posixpath.basename(member) == name for member in names):
            yield _missing(facts, name, f"no {name} is inside")


def _missing(facts: SdistFacts, name: str, message: str) -> Finding:
    """A file that should be there; without the lock file a build is only less certain."""
    if name == "Cargo.lock":
        hint = "commit Cargo.lock, and keep it out of .gitignore and `exclude`"
        return finding("W105", file=facts.file_name, symbol=name, message=message, hint=hint)
    return finding("W104", file=facts.file_name, symbol=name, message=message, hint=_EXCLUDES)
