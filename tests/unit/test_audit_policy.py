"""Policies and platform tags."""

from __future__ import annotations

from itertools import pairwise

import pytest

from wheelworks.audit.platforms import parse_platform
from wheelworks.audit.policy import policies_of, policy_for
from wheelworks.audit.rules_linux import strictest_platforms

ARCHES = ("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64")


@pytest.mark.parametrize(
    ("tag", "system", "version", "arch"),
    [
        ("manylinux2014_x86_64", "manylinux", (2, 17), "x86_64"),
        ("manylinux1_i686", "manylinux", (2, 5), "i686"),
        ("manylinux_2_28_aarch64", "manylinux", (2, 28), "aarch64"),
        ("musllinux_1_2_armv7l", "musllinux", (1, 2), "armv7l"),
        ("macosx_10_12_universal2", "macosx", (10, 12), "universal2"),
        ("win32", "win", None, "i686"),
        ("win_amd64", "win", None, "x86_64"),
        ("win_arm64", "win", None, "arm64"),
        ("linux_x86_64", "linux", None, "x86_64"),
        ("any", "any", None, ""),
        ("plan9_x86_64", "other", None, ""),
    ],
)
def test_a_tag_is_taken_apart(
    tag: str, system: str, version: tuple[int, int] | None, arch: str
) -> None:
    """System, version and architecture in the words of the native reader."""
    platform = parse_platform(tag)
    assert (platform.system, platform.version, platform.arch) == (system, version, arch)


@pytest.mark.parametrize(
    ("tag", "says"),
    [
        ("linux_x86_64", "plain linux"),
        ("manylinux_2_17_mips64", "no manylinux wheels for mips64"),
        ("macosx_14_2_arm64", "end in _0"),
        ("plan9_x86_64", "does not know"),
    ],
)
def test_tags_that_pypi_refuses_have_the_reason(tag: str, says: str) -> None:
    """The reason is part of the message."""
    assert says in (parse_platform(tag).refusal or "")


@pytest.mark.parametrize(
    "tag",
    ["any", "win32", "manylinux2014_x86_64", "musllinux_1_2_riscv64", "macosx_10_12_x86_64"],
)
def test_tags_that_pypi_takes_have_none(tag: str) -> None:
    """What projects publish every day passes."""
    assert parse_platform(tag).refusal is None


@pytest.mark.parametrize("arch", ARCHES)
def test_a_newer_level_allows_all_that_an_older_one_does(arch: str) -> None:
    """PEP 600: wheels for old systems run on new ones."""
    policies = policies_of("manylinux", arch)
    assert len(policies) > 1
    for older, newer in pairwise(policies):
        assert older.version < newer.version
        assert older.libraries <= newer.libraries
        for prefix, versions in older.symbol_versions.items():
            assert versions <= newer.symbol_versions[prefix]


def test_each_level_ends_at_its_own_glibc() -> None:
    """The level is named after the newest glibc symbols that it allows."""
    for policy in policies_of("manylinux", "x86_64"):
        major, minor = policy.version
        assert not policy.allows_version(f"GLIBC_{major}.{minor + 1}")


def test_a_level_is_known_by_its_old_name() -> None:
    """Both tags of one wheel mean one policy."""
    old = policy_for(parse_platform("manylinux2014_x86_64"))
    assert old == policy_for(parse_platform("manylinux_2_17_x86_64"))
    assert old is not None
    assert old.title == "manylinux2014"
    assert old.newest_allowed("GLIBC") == "2.17"
    assert old.newest_allowed("NOTHING") == "none"


def test_symbol_versions_are_allowed_by_prefix() -> None:
    """Known prefixes are held to the list, private versions never pass, others are not governed."""
    policy = policy_for(parse_platform("manylinux2014_x86_64"))
    assert policy is not None
    assert policy.allows_version("GLIBC_2.2.5")
    assert not policy.allows_version("GLIBC_2.18")
    assert not policy.allows_version("GLIBC_PRIVATE")
    assert not policy.allows_version("GLIBCXX_3.4.30")
    assert policy.allows_version("OPENSSL_3.0.0")


def test_a_level_between_two_policies_is_held_to_the_older_one() -> None:
    """For glibc 2.32, which has no policy: libraries of 2.31, symbols up to 2.32."""
    policy = policy_for(parse_platform("manylinux_2_32_x86_64"))
    nearest = policy_for(parse_platform("manylinux_2_31_x86_64"))
    assert policy is not None
    assert nearest is not None
    assert policy.libraries == nearest.libraries
    assert policy.allows_version("GLIBC_2.32")
    assert not policy.allows_version("GLIBC_2.33")
    assert policy.title == "manylinux_2_32"


@pytest.mark.parametrize(
    "tag", ["win_amd64", "linux_x86_64", "manylinux_2_5_aarch64", "manylinux_2_17_sparc", "any"]
)
def test_other_tags_have_no_policy(tag: str) -> None:
    """Nothing is held against them."""
    assert policy_for(parse_platform(tag)) is None


@pytest.mark.parametrize(
    ("arch", "loader"),
    [("x86_64", "x86_64"), ("i686", "x86"), ("armv7l", "armv7"), ("aarch64", "aarch64")],
)
def test_musl_is_known_by_both_names(arch: str, loader: str) -> None:
    """Programs of zig need libc.so, those of Alpine's compilers the loader."""
    policy = policy_for(parse_platform(f"musllinux_1_2_{arch}"))
    assert policy is not None
    assert {"libc.so", f"libc.musl-{loader}.so.1"} <= policy.libraries


def test_of_several_levels_the_strictest_is_kept_for_each_libc() -> None:
    """A static program may promise both libcs."""
    tags = (
        "manylinux_2_28_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "musllinux_1_1_x86_64",
        "win_amd64",
    )
    kept = strictest_platforms(tuple(parse_platform(tag) for tag in tags))
    assert [platform.tag for platform in kept] == ["manylinux_2_17_x86_64", "musllinux_1_1_x86_64"]
