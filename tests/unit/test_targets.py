"""Targets, policies and platform tags."""

from __future__ import annotations

import re

import pytest

from wheelworks.targets import (
    all_targets,
    deployment_targets,
    glibc_floor,
    platform_tags,
    resolve_policy,
    system_of_policy,
    target_named,
)

ROWS = {
    "manylinux_x86_64": ("x86_64-unknown-linux-gnu", "manylinux_2_17_x86_64.manylinux2014_x86_64"),
    "manylinux_aarch64": (
        "aarch64-unknown-linux-gnu",
        "manylinux_2_17_aarch64.manylinux2014_aarch64",
    ),
    "manylinux_i686": ("i686-unknown-linux-gnu", "manylinux_2_17_i686.manylinux2014_i686"),
    "manylinux_armv7l": (
        "armv7-unknown-linux-gnueabihf",
        "manylinux_2_17_armv7l.manylinux2014_armv7l",
    ),
    "manylinux_ppc64le": (
        "powerpc64le-unknown-linux-gnu",
        "manylinux_2_17_ppc64le.manylinux2014_ppc64le",
    ),
    "manylinux_s390x": ("s390x-unknown-linux-gnu", "manylinux_2_17_s390x.manylinux2014_s390x"),
    "manylinux_riscv64": ("riscv64gc-unknown-linux-gnu", "manylinux_2_31_riscv64"),
    "musllinux_x86_64": ("x86_64-unknown-linux-musl", "musllinux_1_2_x86_64"),
    "musllinux_aarch64": ("aarch64-unknown-linux-musl", "musllinux_1_2_aarch64"),
    "musllinux_i686": ("i686-unknown-linux-musl", "musllinux_1_2_i686"),
    "musllinux_armv7l": ("armv7-unknown-linux-musleabihf", "musllinux_1_2_armv7l"),
    "musllinux_ppc64le": ("powerpc64le-unknown-linux-musl", "musllinux_1_2_ppc64le"),
    "musllinux_s390x": ("s390x-unknown-linux-musl", "musllinux_1_2_s390x"),
    "musllinux_riscv64": ("riscv64gc-unknown-linux-musl", "musllinux_1_2_riscv64"),
    "macosx_x86_64": ("x86_64-apple-darwin", "macosx_10_12_x86_64"),
    "macosx_arm64": ("aarch64-apple-darwin", "macosx_11_0_arm64"),
    "macosx_universal2": (
        "x86_64-apple-darwin aarch64-apple-darwin",
        "macosx_10_12_x86_64.macosx_11_0_arm64.macosx_10_12_universal2",
    ),
    "win_amd64": ("x86_64-pc-windows-msvc", "win_amd64"),
    "win_arm64": ("aarch64-pc-windows-msvc", "win_arm64"),
    "win32": ("i686-pc-windows-msvc", "win32"),
}


def test_the_table_holds_every_target_of_the_issue_once() -> None:
    """Names are unique and in the table's order."""
    assert [target.name for target in all_targets()] == list(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_target_gives_triples_and_the_tags_that_maturin_writes(name: str) -> None:
    """The default policy gives the wheel name's platform part, in maturin's order."""
    target = target_named(name)
    triples, tags = ROWS[name]
    assert " ".join(target.triples) == triples
    assert ".".join(platform_tags(target, target.default_policy)) == tags
    assert resolve_policy(target, "auto") == target.default_policy


@pytest.mark.parametrize(
    ("name", "system", "arch", "oci", "gnu", "zig"),
    [
        ("manylinux_armv7l", "manylinux", "armv7l", "linux/arm/v7", None, True),
        ("manylinux_i686", "manylinux", "i686", "linux/386", None, True),
        ("musllinux_s390x", "musllinux", "s390x", "linux/s390x", None, False),
        ("macosx_universal2", "macosx", "universal2", None, None, True),
        ("win_amd64", "win", "amd64", None, "x86_64-pc-windows-gnu", True),
        ("win32", "win", "x86", None, "i686-pc-windows-gnu", False),
        ("win_arm64", "win", "arm64", None, None, False),
    ],
)
def test_a_target_gives_its_other_columns(
    name: str, system: str, arch: str, oci: str | None, gnu: str | None, zig: bool
) -> None:
    """System, architecture, image platform, mingw triple and zig come from the table."""
    target = target_named(name)
    found = (target.system, target.arch, target.oci_platform, target.windows_gnu_triple)
    assert (*found, target.zig_links) == (system, arch, oci, gnu, zig)


def test_pypy_is_published_where_cibuildwheel_says() -> None:
    """PyPy's targets are those of its build identifiers."""
    assert [target.name for target in all_targets() if target.has_pypy] == [
        "manylinux_x86_64",
        "manylinux_aarch64",
        "manylinux_i686",
        "macosx_x86_64",
        "macosx_arm64",
        "win_amd64",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("linux_x86_64", "promises no libc; write manylinux_x86_64 or musllinux_x86_64"),
        ("linux_armv6l", "linux_armv7l?"),
        ("macos_arm64", "did you mean macosx_arm64"),
        ("win_x86_64", "did you mean win_amd64"),
        ("macosx_aarch64", "did you mean macosx_arm64"),
        ("aarch64-apple-darwin", "a Rust target triple; write macosx_arm64"),
        ("x86_64-pc-windows-gnu", "a Rust target triple; write win_amd64"),
        ("manylinux2014_x86_64", "write manylinux_x86_64, with compatibility = 'manylinux2014'"),
        ("macosx_11_0_arm64", "write macosx_arm64, with compatibility = 'macosx_11_0'"),
        ("manylinux_2_28_mips", "did you mean manylinux_"),
        ("amiga", "there are manylinux_x86_64, "),
        ("", "there are manylinux_x86_64, "),
    ],
)
def test_a_wrong_name_says_what_to_write(name: str, words: str) -> None:
    """A tag, a triple or a slip is answered with the target that was meant."""
    with pytest.raises(ValueError, match="is no target") as caught:
        target_named(name)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "compatibility", "policy"),
    [
        ("manylinux_x86_64", "manylinux2014", "manylinux2014"),
        ("manylinux_x86_64", "manylinux_2_17", "manylinux2014"),
        ("manylinux_x86_64", "manylinux_2_28", "manylinux_2_28"),
        ("manylinux_riscv64", "manylinux_2_34", "manylinux_2_34"),
        ("musllinux_i686", "musllinux_1_2", "musllinux_1_2"),
        ("macosx_x86_64", "macosx_10_15", "macosx_10_15"),
        ("macosx_arm64", "macosx_14_0", "macosx_14_0"),
        ("win_amd64", "win", "win"),
    ],
)
def test_a_level_of_the_target_is_taken(name: str, compatibility: str, policy: str) -> None:
    """A level that Rust and the target support is the policy, under its usual name."""
    assert resolve_policy(target_named(name), compatibility) == policy


@pytest.mark.parametrize(
    ("name", "compatibility", "words"),
    [
        ("manylinux_x86_64", "manylinux2010", "Rust needs glibc 2.17 since its version 1.64"),
        ("manylinux_x86_64", "manylinux1", "Rust needs glibc 2.17"),
        ("manylinux_x86_64", "manylinux_2_5", "Rust needs glibc 2.17"),
        ("manylinux_i686", "manylinux_2_12", "Rust needs glibc 2.17"),
        ("manylinux_riscv64", "manylinux2014", "below the lowest level of Rust on riscv64gc"),
        ("manylinux_riscv64", "manylinux_2_28", "manylinux_2_31"),
        ("manylinux_x86_64", "manylinux_2_29", "unknown to maturin or auditwheel"),
        ("manylinux_x86_64", "manylinux_9_9", "unknown to maturin or auditwheel"),
        ("musllinux_x86_64", "musllinux_1_1", "Rust's musl is 1.2 since its version 1.71"),
        ("musllinux_x86_64", "musllinux_1_9", "unknown to maturin or auditwheel"),
        ("musllinux_x86_64", "manylinux2014", "can't serve musllinux_x86_64; write auto"),
        ("win_amd64", "manylinux_2_28", "can't serve win_amd64; write auto"),
        ("manylinux_x86_64", "macosx_11_0", "can't serve manylinux_x86_64"),
        ("manylinux_x86_64", "win", "can't serve manylinux_x86_64"),
        ("macosx_x86_64", "macosx_10_9", "below the lowest macOS of Rust"),
        ("macosx_arm64", "macosx_10_12", "below the lowest macOS of Rust"),
        ("macosx_arm64", "macosx_12_3", "write macosx_12_0"),
        ("manylinux_x86_64", "2_28", "write manylinux_2_28"),
        ("manylinux_x86_64", "2014", "write manylinux2014"),
        ("manylinux_x86_64", "manylinux_2_28_x86_64", "write manylinux_2_28, the architecture"),
        ("manylinux_x86_64", "linux", "a plain linux tag promises no libc"),
        ("manylinux_x86_64", "off", "a plain linux tag promises no libc"),
        ("manylinux_x86_64", "pypi", "held to PyPI's rules"),
        ("manylinux_x86_64", "manylinx_2_28", "did you mean manylinux_2_28"),
        ("manylinux_x86_64", "", "there are auto, manylinux2014"),
    ],
)
def test_a_level_that_can_not_be_had_is_refused(name: str, compatibility: str, words: str) -> None:
    """Unknown levels, those below Rust's floor and those of other systems have their reason."""
    with pytest.raises(ValueError, match=re.escape(words)):
        resolve_policy(target_named(name), compatibility)


@pytest.mark.parametrize(
    ("policy", "floor"),
    [
        ("manylinux1", (2, 5)),
        ("manylinux2010", (2, 12)),
        ("manylinux2014", (2, 17)),
        ("manylinux_2_39", (2, 39)),
        ("musllinux_1_2", None),
        ("macosx_10_12", None),
        ("win", None),
    ],
)
def test_glibc_floor_reads_old_and_new_names(policy: str, floor: tuple[int, int] | None) -> None:
    """Only manylinux policies have a floor."""
    assert glibc_floor(policy) == floor


@pytest.mark.parametrize(
    ("name", "policy", "versions", "tags"),
    [
        (
            "macosx_universal2",
            "macosx_10_15",
            (("x86_64", "10.15"), ("arm64", "11.0")),
            "macosx_10_15_x86_64.macosx_11_0_arm64.macosx_10_15_universal2",
        ),
        (
            "macosx_universal2",
            "macosx_13_0",
            (("x86_64", "13.0"), ("arm64", "13.0")),
            "macosx_13_0_x86_64.macosx_13_0_arm64.macosx_13_0_universal2",
        ),
        ("manylinux_x86_64", "manylinux_2_28", (), "manylinux_2_28_x86_64"),
        ("win_amd64", "win", (), "win_amd64"),
    ],
)
def test_a_higher_policy_shows_in_tags_and_deployment_targets(
    name: str, policy: str, versions: tuple[tuple[str, str], ...], tags: str
) -> None:
    """The policy moves the tags, and no architecture goes below Rust's floor."""
    target = target_named(name)
    assert deployment_targets(target, policy) == versions
    assert ".".join(platform_tags(target, policy)) == tags


def test_auto_belongs_to_no_system() -> None:
    """Only a level says which targets it is for."""
    with pytest.raises(ValueError, match="'auto' is no level"):
        system_of_policy("auto")
    assert system_of_policy("manylinux2014") == "manylinux"
