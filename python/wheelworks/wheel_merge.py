"""Merges an x86_64 and an arm64 wheel into a universal2 wheel.

Takes paths and what the wheel must be; reads the two, writes one file. What is merged how is decided by
``wheel_members.py``. The same slices give the same bytes: times and permissions are those of the slices (maturin
writes ``SOURCE_DATE_EPOCH`` into them where it is set).
"""

from __future__ import annotations

import zipfile
from itertools import product
from typing import TYPE_CHECKING

from wheelworks.audit.archive import ZIP_FAULTS
from wheelworks.errors import JobFailedError
from wheelworks.wheel_members import Member, SliceWheel, merge_members

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.plan import WheelExpectation

_UNIX = 3


def merge_wheels(x86_64: Path, arm64: Path, *, expects: WheelExpectation, folder: Path) -> Path:
    """Write the universal2 wheel; gives its path.

    Args:
        x86_64: the one slice.
        arm64: the other.
        expects: what the merged wheel must be: it gives the file name and the tags.
        folder: where it is written.

    Raises:
        JobFailedError: the slices differ in more than their architecture, or one can't be read.
    """
    # Sorted, as the format asks for compressed tags and maturin writes them since 1.16.0.
    parts = ((expects.python_tag,), (expects.abi_tag,), tuple(sorted(expects.platform_tags)))
    members = merge_members(
        _read(x86_64), _read(arm64), tags=tuple("-".join(tag) for tag in product(*parts))
    )
    tag = "-".join(".".join(part) for part in parts)
    path = folder / f"{expects.name}-{expects.version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, member.date_time)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = _UNIX
            info.external_attr = member.mode << 16
            archive.writestr(info, member.data)
    return path


def _read(path: Path) -> SliceWheel:
    """The members of a thin wheel, without folders.

    Raises:
        JobFailedError: it is no archive that can be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return SliceWheel(
                label=path.name,
                members=tuple(
                    Member(
                        name=info.filename,
                        data=archive.read(info),
                        date_time=info.date_time,
                        mode=info.external_attr >> 16,
                    )
                    for info in archive.infolist()
                    if not info.filename.endswith("/")
                ),
            )
    except ZIP_FAULTS as error:
        raise JobFailedError(f"can't read the slice {path}: {error}", hint="build it again") from (
            error
        )
