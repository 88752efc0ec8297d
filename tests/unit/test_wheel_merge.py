"""Merging two thin wheels: what comes out, and what is refused."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from installer.sources import WheelFile
from slice_samples import (
    EXPECTS,
    LIBRARIES,
    MODULE,
    PLATFORMS,
    SBOM,
    TAGS,
    a_slice_wheel,
    merged,
    thin_parts,
)
from wheel_samples import DIST_INFO

from wheelworks.audit.check import check_wheel
from wheelworks.audit.facts import read_wheel
from wheelworks.errors import JobFailedError
from wheelworks.wheel_merge import merge_wheels

if TYPE_CHECKING:
    from pathlib import Path


def an_sbom(serial: int, *names: str) -> bytes:
    """An SBOM of those components; the serial number is new in each build."""
    parts = [{"name": name, "version": "1.0", "purl": f"pkg:cargo/{name}@1.0"} for name in names]
    return json.dumps({"serialNumber": serial, "components": parts}).encode()


def test_the_merged_wheel_passes_the_audit_and_installers_check(tmp_path: Path) -> None:
    """Name, tags and RECORD are those of a universal2 wheel; nothing is found."""
    path = merged(tmp_path)
    assert path.name == f"demo-1.0-cp313-cp313-{'.'.join(PLATFORMS)}.whl"
    facts = read_wheel(path)
    assert facts.wheel_tags == tuple(f"cp313-cp313-{platform}" for platform in PLATFORMS)
    assert facts.record_problems == ()
    findings = check_wheel(facts, EXPECTS)
    assert [found for found in findings if found.level == "error" or found.rule == "W024"] == []
    with zipfile.ZipFile(path) as archive:
        WheelFile(archive).validate_record()


def test_slices_come_back_as_they_went_in(tmp_path: Path) -> None:
    """Byte for byte: their signatures hold."""
    with zipfile.ZipFile(merged(tmp_path)) as archive:
        parts = thin_parts(archive.read(MODULE))
    assert parts == {0x01000007: LIBRARIES["x86_64"], 0x0100000C: LIBRARIES["arm64"]}


def test_the_same_slices_give_the_same_bytes(tmp_path: Path) -> None:
    """Times and permissions are those of the slices, whenever they are merged."""
    one, other = (a_slice_wheel(tmp_path, arch) for arch in ("x86_64", "arm64"))
    first = merge_wheels(one, other, expects=EXPECTS, folder=tmp_path).read_bytes()
    assert merge_wheels(one, other, expects=EXPECTS, folder=tmp_path).read_bytes() == first
    with zipfile.ZipFile(one) as thin:
        times = {info.filename: (info.date_time, info.external_attr) for info in thin.infolist()}
    path = merge_wheels(one, other, expects=EXPECTS, folder=tmp_path)
    with zipfile.ZipFile(path) as fat:
        found = {info.filename: (info.date_time, info.external_attr) for info in fat.infolist()}
        assert {info.compress_type for info in fat.infolist()} == {zipfile.ZIP_DEFLATED}
    assert found == times


def test_the_order_is_that_of_the_x86_64_slice_and_record_the_last(tmp_path: Path) -> None:
    """RECORD lists the members as they lie in the archive, and itself without hash."""
    path = merged(tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        rows = archive.read(f"{DIST_INFO}/RECORD").decode().splitlines()
    assert names[-1] == f"{DIST_INFO}/RECORD"
    assert [row.split(",")[0] for row in rows] == names
    assert rows[-1] == f"{DIST_INFO}/RECORD,,"


@pytest.mark.parametrize(
    ("x86_64", "arm64", "says"),
    [
        pytest.param(
            {}, {"demo/table.py": b"x"}, "demo/table.py found only in demo-1.0-", id="only in one"
        ),
        pytest.param({"demo/__init__.py": None}, {}, "demo/__init__.py found only in", id="missing"),
        pytest.param(
            {"demo/table.py": b"WIDTH = 1"}, {"demo/table.py": b"WIDTH = 2"},
            "demo/table.py differs between them, and is no Mach-O file", id="other text",
        ),
        pytest.param(
            {}, {MODULE: LIBRARIES["x86_64"]}, f"{MODULE} is no pair of slices", id="same code twice"
        ),
        pytest.param({}, {MODULE: b"text"}, f"{MODULE} is no pair of slices", id="no code"),
        pytest.param(
            {}, {f"{DIST_INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: other\n"},
            f"{DIST_INFO}/WHEEL differs in more than its tags", id="another generator",
        ),
    ],
)  # fmt: skip
def test_a_difference_is_refused_by_name(
    tmp_path: Path, x86_64: dict[str, bytes | None], arm64: dict[str, bytes | None], says: str
) -> None:
    """The message names the member and both slices."""
    with pytest.raises(JobFailedError) as caught:
        merged(tmp_path, x86_64, arm64)
    assert says in caught.value.message
    for tag in TAGS.values():
        assert f"demo-1.0-{tag}.whl" in caught.value.message
    assert caught.value.hint is not None


def test_many_lonely_members_are_counted(tmp_path: Path) -> None:
    """A message is no listing."""
    files = {f"demo/{index}.py": b"" for index in range(5)}
    with pytest.raises(
        JobFailedError, match=r"demo/0.py, demo/1.py, demo/2.py and 2 more found only in"
    ):
        merged(tmp_path, files)


def test_other_permissions_are_refused(tmp_path: Path) -> None:
    """A program that may be started on one processor only."""
    one, other = (a_slice_wheel(tmp_path, arch) for arch in ("x86_64", "arm64"))
    with zipfile.ZipFile(one) as archive:
        content = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(one, "w") as archive:
        for info, data in content:
            info.external_attr = 0o100755 << 16
            archive.writestr(info, data)
    with pytest.raises(JobFailedError, match="has other permissions in each: 100755 and 600"):
        merge_wheels(one, other, expects=EXPECTS, folder=tmp_path)


def test_wheels_of_two_versions_are_refused(tmp_path: Path) -> None:
    """Their .dist-info folders have different names."""
    record = f"{DIST_INFO}/RECORD".replace("1.0", "2.0")
    with pytest.raises(JobFailedError, match=r"\.dist-info folder is not one and the same"):
        merged(tmp_path, {}, {record: b""})


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two counts, only an installer knows."""
    one, other = (a_slice_wheel(tmp_path, arch) for arch in ("x86_64", "arm64"))
    with zipfile.ZipFile(one, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("demo/__init__.py", b"again")
    with pytest.raises(JobFailedError, match=r"is there more than once in demo-1\.0-.*x86_64"):
        merge_wheels(one, other, expects=EXPECTS, folder=tmp_path)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    """The slice is named."""
    broken = tmp_path / "broken.whl"
    broken.write_bytes(b"no zip")
    with pytest.raises(JobFailedError, match=r"can't read the slice .*broken\.whl"):
        merge_wheels(broken, broken, expects=EXPECTS, folder=tmp_path)


def test_a_file_that_is_fat_in_both_is_kept(tmp_path: Path) -> None:
    """A bundled library that came as universal2."""
    with zipfile.ZipFile(merged(tmp_path)) as archive:
        fat = archive.read(MODULE)
    library = {"demo/.dylibs/libz.dylib": fat}
    with zipfile.ZipFile(merged(tmp_path, library, library)) as archive:
        assert archive.read("demo/.dylibs/libz.dylib") == fat


@pytest.mark.parametrize(
    ("x86_64", "arm64", "kept"),
    [
        pytest.param(
            an_sbom(1, "libc", "pyo3"), an_sbom(2, "pyo3", "libc"),
            {"demo.cyclonedx.json": 1}, id="the same components",
        ),
        pytest.param(
            an_sbom(1, "pyo3"), an_sbom(2, "pyo3", "neon"),
            {"x86_64/demo.cyclonedx.json": 1, "arm64/demo.cyclonedx.json": 2}, id="others",
        ),
        pytest.param(an_sbom(1, "pyo3"), None, {"x86_64/demo.cyclonedx.json": 1}, id="only x86_64"),
        pytest.param(None, an_sbom(2, "pyo3"), {"arm64/demo.cyclonedx.json": 2}, id="only arm64"),
    ],
)  # fmt: skip
def test_sboms_are_one_where_they_say_the_same(
    tmp_path: Path, x86_64: bytes | None, arm64: bytes | None, kept: dict[str, int]
) -> None:
    """Serial numbers and paths always differ; components count."""
    changes: list[dict[str, bytes | None]] = [
        {} if data is None else {SBOM: data} for data in (x86_64, arm64)
    ]
    path = merged(tmp_path, *changes)
    folder = f"{DIST_INFO}/sboms/"
    with zipfile.ZipFile(path) as archive:
        WheelFile(archive).validate_record()
        found = {
            name.removeprefix(folder): json.loads(archive.read(name))["serialNumber"]
            for name in archive.namelist()
            if name.startswith(folder)
        }
    assert found == kept


def test_sboms_that_cannot_be_read_are_both_kept(tmp_path: Path) -> None:
    """Nothing is lost of what nobody understands."""
    with zipfile.ZipFile(merged(tmp_path, {SBOM: b"spdx 1"}, {SBOM: b"spdx 2"})) as archive:
        names = {name for name in archive.namelist() if "/sboms/" in name}
    assert names == {f"{DIST_INFO}/sboms/{arch}/demo.cyclonedx.json" for arch in TAGS}
