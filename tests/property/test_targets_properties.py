"""Targets and policies: every combination gives tags that packaging reads, or a reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import parse_tag

from wheelworks.targets import (
    Target,
    all_targets,
    deployment_targets,
    glibc_floor,
    platform_tags,
    resolve_policy,
    target_named,
)

targets = st.sampled_from(all_targets())
levels = st.one_of(
    st.just("auto"),
    st.sampled_from([target.default_policy for target in all_targets()]),
    st.builds("manylinux_2_{}".format, st.integers(0, 50)),
    st.builds("macosx_{}_{}".format, st.integers(9, 30), st.integers(0, 20)),
    st.builds("musllinux_1_{}".format, st.integers(0, 5)),
    st.text(max_size=12),
)


@given(targets)
def test_a_name_finds_its_target(target: Target) -> None:
    """The name is a key of the table."""
    assert target_named(target.name) is target


@given(targets, levels)
def test_a_level_gives_tags_or_a_reason(target: Target, level: str) -> None:
    """A policy is stable under itself, and its tags are for the target's architecture."""
    try:
        policy = resolve_policy(target, level)
    except ValueError as error:
        assert str(error)  # noqa: PT017
        return
    assert resolve_policy(target, policy) == policy
    tags = platform_tags(target, policy)
    assert len(set(tags)) == len(tags)
    assert len(parse_tag(f"cp313-cp313-{'.'.join(tags)}")) == len(tags)
    suffix = "win32" if target.name == "win32" else target.arch
    assert tags[-1].endswith(suffix)


@given(targets, levels)
def test_no_policy_goes_below_rusts_floors(target: Target, level: str) -> None:
    """Glibc is at least 2.17, and each architecture's macOS at least Rust's."""
    try:
        policy = resolve_policy(target, level)
    except ValueError:
        return
    assert (glibc_floor(policy) or (2, 17)) >= (2, 17)
    for (arch, version), (same, floor) in zip(
        deployment_targets(target, policy), target.minimum_macos, strict=True
    ):
        assert arch == same
        assert float(version.split(".")[0]) >= float(floor.split(".")[0])


@given(st.text(max_size=24))
def test_any_text_is_a_target_or_a_value_error(text: str) -> None:
    """The error quotes what was written."""
    try:
        assert target_named(text).name == text
    except ValueError as error:
        assert str(error).startswith(repr(text))  # noqa: PT017
