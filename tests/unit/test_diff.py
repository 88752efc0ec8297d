"""What differs between two wheels."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from wheel_samples import (
    LINUX_MODULE,
    LINUX_TAG,
    MAC_MODULE,
    MAC_TAG,
    a_macho,
    a_member,
    a_slice,
    an_elf,
    wheel_facts,
)

from wheelworks.dataclass_json import to_plain
from wheelworks.diff import diff_wheels, render_diff

if TYPE_CHECKING:
    from wheelworks._native import BinaryFacts
    from wheelworks.audit.model import WheelFacts


def _with(native: BinaryFacts, sha256: str = "1" * 64) -> WheelFacts:
    return wheel_facts(LINUX_TAG, {LINUX_MODULE: native}, sha256=sha256)


def test_a_wheel_does_not_differ_from_itself() -> None:
    """Equal digests are said in one line."""
    diff = diff_wheels(wheel_facts(), wheel_facts())
    assert diff.is_identical
    assert render_diff(diff) == (
        f"demo-1.0-{LINUX_TAG}.whl and demo-1.0-{LINUX_TAG}.whl are identical",
    )


def test_equal_members_in_another_order_are_said_so() -> None:
    """Only the packing differs."""
    diff = diff_wheels(wheel_facts(), wheel_facts(sha256="1" * 64))
    assert not diff.is_identical
    assert render_diff(diff)[1:] == ("the members are equal; order, times or compression differ",)


def test_members_that_came_went_and_changed_are_listed() -> None:
    """With their sizes, in stable order."""
    before = wheel_facts(
        members=(a_member("a"), a_member("b", size=7), a_member("c"), a_member("m")), natives={}
    )
    after = wheel_facts(
        members=(
            a_member("a"),
            a_member("c", size=120, sha256="c" * 64),
            a_member("d", size=9),
            a_member("m", mode=0o100755),
        ),
        natives={},
        sha256="1" * 64,
        size=10_500,
    )
    assert render_diff(diff_wheels(before, after)) == (
        f"demo-1.0-{LINUX_TAG}.whl -> demo-1.0-{LINUX_TAG}.whl: 10000 -> 10500 bytes (+500)",
        "removed b (7 bytes)",
        "added   d (9 bytes)",
        "changed c: 100 -> 120 bytes (+20)",
        "changed m: mode",
    )


def test_the_version_in_folder_names_is_no_difference() -> None:
    """Two releases share the members of .dist-info and .data."""
    names = ("demo-{}.dist-info/METADATA", "demo-{}.data/scripts/demo")
    before, after = (
        wheel_facts(
            members=tuple(a_member(name.format(version), sha256="a" * 64) for name in names),
            natives={},
            dist_info=f"demo-{version}.dist-info",
            version=version,
            sha256=version,
        )
        for version in ("1.0", "1.1")
    )
    diff = diff_wheels(before, after)
    assert (diff.added, diff.removed, diff.changed) == ((), (), ())
    assert "version: 1.0 -> 1.1" in render_diff(diff)


def test_symbols_of_natives_are_compared() -> None:
    """Exported, undefined, needed and versioned names, each with a sign."""
    after = an_elf(
        exported=["PyInit__demo", "extra"],
        undefined=["memcpy"],
        needed=["libc.so.6", "libm.so.6"],
        versioned_symbols=[{"name": "memcpy", "version": "GLIBC_2.28", "library": "libc.so.6"}],
        stripped=False,
        soname="demo.so",
    )
    assert render_diff(diff_wheels(wheel_facts(), _with(after)))[1:] == (
        f"native  {LINUX_MODULE}",
        "  soname: none -> demo.so",
        "  stripped: True -> False",
        "  + needed libm.so.6",
        "  + exported extra",
        "  - undefined PyModule_Create2",
        "  - versioned memcpy@GLIBC_2.14",
        "  + versioned memcpy@GLIBC_2.28",
    )


def test_long_lists_are_cut() -> None:
    """Twenty names are enough for people; JSON has all of them."""
    after = an_elf(exported=["PyInit__demo", *(f"f{number:02}" for number in range(25))])
    diff = diff_wheels(wheel_facts(), _with(after))
    assert render_diff(diff)[-1] == "  + exported: 5 more"
    assert len(diff.natives[0].names[0].added) == 25


def test_the_minimum_of_each_slice_is_compared() -> None:
    """A raised deployment target shows."""
    before = wheel_facts(MAC_TAG, {MAC_MODULE: a_macho()})
    after = wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(a_slice(minimum="12.0"))}, sha256="1")
    assert "  minimum macOS: arm64 11.0 -> arm64 12.0" in render_diff(diff_wheels(before, after))


def test_unreadable_and_new_natives_are_left_to_the_members() -> None:
    """Only what was read twice can be compared."""
    before = wheel_facts(natives={LINUX_MODULE: "it is cut"})
    after = wheel_facts(natives={LINUX_MODULE: an_elf(), "demo/new.so": an_elf()}, sha256="1")
    assert diff_wheels(before, after).natives == ()


def test_wheels_without_metadata_are_compared() -> None:
    """A missing .dist-info folder is no reason to fail."""
    before = replace(wheel_facts(), dist_info=None, generator=None)
    diff = diff_wheels(before, wheel_facts(sha256="1"))
    assert "generator: none -> maturin (1.16.0)" in render_diff(diff)


def test_the_difference_has_a_json_form() -> None:
    """Plain values, for `--json`."""
    diff = diff_wheels(wheel_facts(), _with(an_elf(stripped=False)))
    assert json.loads(json.dumps(to_plain(diff)))["natives"][0]["fields"] == [
        {"field": "stripped", "before": "True", "after": "False"}
    ]
