"""Makers of container facts with usual values, for tests of the pure stages."""

from __future__ import annotations

from builders import changed

from wheelworks.containers.facts import ContainerFacts, EngineFacts, ImageFacts

TEST_PYTHONS = (("3.13", "/usr/bin/python3.13"), ("3.14", "/usr/bin/python3.14"))


def an_engine(**changes: object) -> EngineFacts:
    """A docker of amd64 that runs containers as user 1000."""
    usual = EngineFacts(
        name="docker",
        path="/usr/bin/docker",
        version="28.0",
        platform="linux/amd64",
        user="1000:1000",
    )
    return changed(usual, changes)


def a_test_image(platform: str = "linux/amd64", **changes: object) -> ImageFacts:
    """An image for tests that is there, with CPython 3.13 and 3.14."""
    arch = platform.rpartition("/")[2]
    usual = ImageFacts(
        role="tests",
        platform=platform,
        reference=f"wheelworks/tests:0123456789ab-{arch}",
        image_id=f"sha256:{arch}",
        pythons=TEST_PYTHONS,
        size_mib=300,
        minutes=2,
    )
    return changed(usual, changes)


def some_containers(**changes: object) -> ContainerFacts:
    """An engine that runs arm64 under QEMU, with an image for tests of each platform."""
    usual = ContainerFacts(
        engine=an_engine(),
        images=(a_test_image(), a_test_image("linux/arm64")),
        emulated=("linux/arm64",),
        ca_bundle="/etc/ssl/certs/ca-certificates.crt",
        cargo_home="/home/dev/.cache/wheelworks/cargo",
        zig_cache="/home/dev/.cache/wheelworks/zig",
        uv_cache="/home/dev/.cache/wheelworks/uv",
    )
    return changed(usual, changes)
