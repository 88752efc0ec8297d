"""Wheels of one run from several versions of Rust."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from container_samples import a_test_image, some_containers
from jobs import CONTAINER_STEP, a_job

from wheelworks.rust_mixture import mixture_notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.toolchains import HostFacts

IMAGE = "wheelworks/toolchain:abc-amd64"


def facts(hosts: Mapping[str, HostFacts], version: str | None) -> HostFacts:
    """A Linux machine with Rust 1.95.0, and an image with that version."""
    host = hosts["linux_x86_64"]
    image = a_test_image(role="toolchain", reference=IMAGE, rust_version=version)
    return replace(host, containers=some_containers(images=(image,)))


def test_one_rustc_is_no_finding(hosts: Mapping[str, HostFacts]) -> None:
    """Wherever the wheels were built."""
    host = facts(hosts, "1.95.0")
    on_host = replace(a_job("build a"), steps=(CONTAINER_STEP,))
    inside = replace(on_host, id="build b", images=(IMAGE,))
    assert host.rust is not None
    same = replace(host.rust.rustc, version="1.95.0")
    host = replace(host, rust=replace(host.rust, rustc=same))
    assert mixture_notice((on_host, inside), host) is None


def test_several_are_named_with_their_wheels(hosts: Mapping[str, HostFacts]) -> None:
    """Also when the image's is not known yet; merged wheels and tests compile nothing."""
    on_host = replace(a_job("build a"), steps=(CONTAINER_STEP,))
    inside = replace(on_host, id="build b", images=(IMAGE,))
    merged = a_job("build c")
    tested = replace(a_job("test a", kind="test"), steps=(CONTAINER_STEP,))
    said = mixture_notice((on_host, inside, merged, tested), facts(hosts, "1.90.0"))
    assert said is not None
    assert "rustc 1.90.0: build b" in said
    assert ": build a" in said
    assert "build c" not in said
    assert "test a" not in said
    unknown = mixture_notice((on_host, inside), facts(hosts, None))
    assert unknown is not None
    assert f"the Rust of {IMAGE}: build b" in unknown
