"""The members of two thin macOS wheels -> those of the universal2 wheel.

Pure: takes members as values and gives values; ``wheel_merge.py`` reads and writes the archives. Mach-O files are
merged, WHEEL and RECORD are written anew, SBOMs are chosen by :func:`_merged_sbom`; everything else has to be the
same in both.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheelworks._native import UniversalError, merge_universal
from wheelworks.errors import JobFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_THIN_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe")
_SHOWN_NAMES = 3
_HINT = (
    "files that the build writes must not depend on the architecture; "
    "else build macosx_x86_64 and macosx_arm64 in place of macosx_universal2"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive."""

    name: str
    data: bytes
    date_time: tuple[int, int, int, int, int, int]
    mode: int
    """Of the file system, with the type; 0 where the archive has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceWheel:
    """A thin wheel."""

    label: str
    """File name, for messages."""
    members: tuple[Member, ...]
    """In the archive's order."""

    @property
    def by_name(self) -> dict[str, Member]:
        """Name -> member."""
        return {member.name: member for member in self.members}


def merge_members(
    x86_64: SliceWheel, arm64: SliceWheel, *, tags: Sequence[str]
) -> tuple[Member, ...]:
    """The members of the merged wheel: in the order of the x86_64 one, with its times; RECORD is the last.

    Args:
        x86_64: the one wheel.
        arm64: the other, of the same build.
        tags: the ``Tag`` lines of WHEEL, ``cp313-cp313-macosx_10_12_universal2``.

    Raises:
        JobFailedError: the two differ in more than their architecture; the message names the member and both.
    """
    pair = _Pair(x86_64, arm64)
    others = arm64.by_name
    merged: list[Member] = []
    for one in x86_64.members:
        if one.name == pair.record:
            continue
        if one.name.startswith(pair.sboms):
            merged += _merged_sbom(one, others.get(one.name), pair.sboms)
        else:
            merged.append(_merged(one, others[one.name], pair, tags))
    merged += [
        _of_one(sbom, pair.sboms, "arm64")
        for sbom in arm64.members
        if sbom.name.startswith(pair.sboms) and sbom.name not in x86_64.by_name
    ]
    record = x86_64.by_name[pair.record]
    return (*merged, replace(record, data=_record(merged, record.name)))


class _Pair:
    """Two wheels that hold the same files, but for their SBOMs.

    Raises:
        JobFailedError: they don't.
    """

    def __init__(self, x86_64: SliceWheel, arm64: SliceWheel) -> None:
        self._labels = (x86_64.label, arm64.label)
        folders = {
            member.name.partition("/")[0]
            for wheel in (x86_64, arm64)
            for member in wheel.members
            if member.name.endswith(".dist-info/RECORD") and member.name.count("/") == 1
        }
        if len(folders) != 1:
            raise self.refusal("their .dist-info folder", "is not one and the same")
        (folder,) = folders
        self.record = f"{folder}/RECORD"
        self.wheel = f"{folder}/WHEEL"
        self.sboms = f"{folder}/sboms/"
        for wheel in (x86_64, arm64):
            if len(wheel.by_name) != len(wheel.members):
                raise self.refusal("a member", f"is there more than once in {wheel.label}")
        self._refuse_lonely(x86_64, arm64)
        self._refuse_lonely(arm64, x86_64)

    def refusal(self, what: str, reason: str) -> JobFailedError:
        """The error of a difference."""
        one, other = self._labels
        return JobFailedError(f"can't merge {one} and {other}: {what} {reason}", hint=_HINT)

    def _refuse_lonely(self, one: SliceWheel, other: SliceWheel) -> None:
        """Raise for what only one of the two holds."""
        lonely = sorted(
            name for name in one.by_name.keys() - other.by_name if not name.startswith(self.sboms)
        )
        if lonely:
            more = len(lonely) - _SHOWN_NAMES
            names = ", ".join(lonely[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
            raise self.refusal(names, f"found only in {one.label}")


def _merged(one: Member, other: Member, pair: _Pair, tags: Sequence[str]) -> Member:
    """One member of both wheels."""
    if one.mode != other.mode:
        raise pair.refusal(
            one.name, f"has other permissions in each: {one.mode:o} and {other.mode:o}"
        )
    if one.name == pair.wheel:
        texts = [_wheel_lines(member.data) for member in (one, other)]
        if texts[0] != texts[1]:
            raise pair.refusal(one.name, "differs in more than its tags")
        return replace(one, data=_with_tags(texts[0], tags))
    if one.data.startswith(_THIN_MACH_O) or other.data.startswith(_THIN_MACH_O):
        try:
            return replace(one, data=merge_universal(one.data, other.data))
        except UniversalError as error:
            raise pair.refusal(one.name, f"is no pair of slices: {error}") from error
    if one.data != other.data:
        raise pair.refusal(one.name, "differs between them, and is no Mach-O file")
    return one


def _merged_sbom(one: Member, other: Member | None, folder: str) -> Iterator[Member]:
    """The x86_64 document where both name the same components, else each in a folder of its architecture.

    Two documents of the same build differ in their serial number, their time and the paths of the build's folder:
    byte for byte they are never equal, and what they say of the wheel is.
    """
    if other is not None and _components(one.data) == _components(other.data):
        yield one
        return
    yield _of_one(one, folder, "x86_64")
    if other is not None:
        yield _of_one(other, folder, "arm64")


def _of_one(sbom: Member, folder: str, arch: str) -> Member:
    return replace(sbom, name=f"{folder}{arch}/{sbom.name.removeprefix(folder)}")


def _components(data: bytes) -> object:
    """What an SBOM says is in the wheel; the bytes themselves when that can't be told."""
    try:
        listed = json.loads(data)["components"]
        return sorted(
            (str(part["name"]), str(part.get("version")), json.dumps(part.get("hashes")))
            for part in listed
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return data


def _wheel_lines(data: bytes) -> list[str]:
    """WHEEL without its tags and blank lines."""
    lines = data.decode("utf-8", errors="replace").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("Tag:")]


def _with_tags(lines: list[str], tags: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in (*lines, *(f"Tag: {tag}" for tag in tags))).encode()


def _record(members: Sequence[Member], name: str) -> bytes:
    """RECORD: hash and size of every member in their order, and itself without either."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for member in members:
        digest = base64.urlsafe_b64encode(hashlib.sha256(member.data).digest())
        writer.writerow(
            (member.name, f"sha256={digest.decode().rstrip('=')}", str(len(member.data)))
        )
    writer.writerow((name, "", ""))
    return text.getvalue().encode()
