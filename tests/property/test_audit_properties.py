"""Whatever the bytes, reading and checking end with a value or the audit's own error."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from wheel_samples import LINUX_TAG, write_wheel

from wheelworks.audit.check import check_wheel
from wheelworks.audit.extension_names import is_found_by, parse_extension_name
from wheelworks.audit.facts import is_native, read_wheel
from wheelworks.audit.platforms import parse_platform
from wheelworks.audit.policy import policies_of, policy_for
from wheelworks.audit.render import render_findings
from wheelworks.audit.sdist import check_sdist
from wheelworks.errors import WheelUnreadableError

with tempfile.TemporaryDirectory() as _folder:
    WHEEL = write_wheel(Path(_folder)).read_bytes()

TAG_PARTS = st.text("abcdefgnoprsty0123456789_.", min_size=1, max_size=12)


def _judge(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            findings = check_wheel(read_wheel(path), None)
        except WheelUnreadableError:
            return
        render_findings(findings)


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(WHEEL) - 1), st.integers(0, 255)), min_size=1, max_size=8
    )
)
def test_a_wheel_with_changed_bytes_is_judged_or_refused(changes: list[tuple[int, int]]) -> None:
    """Flipped bytes crash nothing."""
    data = bytearray(WHEEL)
    for place, value in changes:
        data[place] = value
    _judge(bytes(data), f"demo-1.0-{LINUX_TAG}.whl")


@settings(max_examples=150, deadline=None)
@given(
    # The table of contents and the end of the archive are the last bytes.
    place=st.integers(1, 700),
    value=st.integers(0, 255),
)
def test_a_changed_table_of_contents_is_judged_or_refused(place: int, value: int) -> None:
    """Sizes, offsets, flags and names of any value crash nothing."""
    data = bytearray(WHEEL)
    data[-place] = value
    _judge(bytes(data), f"demo-1.0-{LINUX_TAG}.whl")


@settings(max_examples=100, deadline=None)
@given(start=st.integers(0, len(WHEEL)), end=st.integers(0, len(WHEEL)))
def test_a_piece_of_a_wheel_is_judged_or_refused(start: int, end: int) -> None:
    """Cut copies crash nothing."""
    _judge(WHEEL[start:end], f"demo-1.0-{LINUX_TAG}.whl")


@settings(max_examples=100, deadline=None)
@given(parts=st.tuples(TAG_PARTS, TAG_PARTS, TAG_PARTS))
def test_any_tags_are_judged(parts: tuple[str, str, str]) -> None:
    """A file name made of anything crashes nothing."""
    _judge(WHEEL, f"demo-1.0-{'-'.join(parts)}.whl")


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_no_sdist(data: bytes) -> None:
    """Arbitrary bytes give findings or the audit's error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo-1.0.tar.gz"
        path.write_bytes(data)
        with contextlib.suppress(WheelUnreadableError):
            check_sdist(path)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_native_or_not(data: bytes) -> None:
    """Looking at a file's beginning never fails."""
    assert is_native(data) in (True, False)


@given(path=st.text(max_size=40), platform=TAG_PARTS, abi=TAG_PARTS, interpreter=TAG_PARTS)
def test_any_name_is_a_module_or_not(path: str, platform: str, abi: str, interpreter: str) -> None:
    """Names and tags of any text are told apart."""
    name = parse_extension_name(path + ".so")
    if name is not None:
        tag = (interpreter, abi, platform)
        assert is_found_by(name, tag, parse_platform(platform)) in (True, False)


@given(minor=st.integers(17, 60), arch=st.sampled_from(["x86_64", "aarch64", "i686", "s390x"]))
def test_what_a_level_allows_every_newer_one_does(minor: int, arch: str) -> None:
    """Also levels that have no policy of their own keep PEP 600's order."""
    older = policy_for(parse_platform(f"manylinux_2_{minor}_{arch}"))
    newer = policy_for(parse_platform(f"manylinux_2_{minor + 1}_{arch}"))
    assert older is not None
    assert newer is not None
    assert older.libraries <= newer.libraries
    assert older.allows_version(f"GLIBC_2.{minor}")
    for policy in policies_of("manylinux", arch):
        for version in policy.symbol_versions["GLIBC"]:
            if older.allows_version(f"GLIBC_{version}"):
                assert newer.allows_version(f"GLIBC_{version}")
