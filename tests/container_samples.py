"""Makers of container facts with usual values, for tests of the pure stages."""

from __future__ import annotations

from builders import changed

from wheelworks.container_choice import RECIPE_TRIPLES, own_triple
from wheelworks.containers.facts import ContainerFacts, EngineFacts, ImageFacts
from wheelworks.toolchains import FoundTool, RustFacts

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


def a_rust(
    version: str = "1.97.1", platform: str = "linux/amd64", *, triples: tuple[str, ...] = ()
) -> RustFacts:
    """Debian's Rust in an image, with the standard libraries of the recipe unless others are named."""
    tool = FoundTool(path="/usr/bin/rustc", version=version, size=0, mtime_ns=0)
    return RustFacts(
        rustc=tool,
        cargo=tool,
        host_triple=own_triple(platform),
        sysroot="/usr",
        targets=triples or RECIPE_TRIPLES,
        toolchain=None,
        installed_toolchains=(),
        rustup=None,
        can_add_targets=False,
        cannot_add_reason="nothing can be added to an image",
    )


def a_toolchain_image(platform: str = "linux/amd64", **changes: object) -> ImageFacts:
    """The toolchain image, built, with Rust 1.97.1."""
    arch = platform.rpartition("/")[2]
    usual = ImageFacts(
        role="toolchain",
        platform=platform,
        reference=f"wheelworks/toolchain:0123456789ab-{arch}",
        image_id=f"sha256:toolchain-{arch}",
        rust=a_rust(platform=platform),
        size_mib=2600,
        minutes=9,
    )
    return changed(usual, changes)


def a_native_image(platform: str = "linux/arm64", **changes: object) -> ImageFacts:
    """The image that compiles for its own platform, built, with Rust 1.97.1."""
    arch = platform.rpartition("/")[2]
    usual = ImageFacts(
        role="native",
        platform=platform,
        reference=f"wheelworks/native:0123456789ab-{arch}",
        image_id=f"sha256:native-{arch}",
        rust=a_rust(platform=platform, triples=(own_triple(platform),)),
        size_mib=1500,
        minutes=18,
    )
    return changed(usual, changes)


def build_containers(*images: ImageFacts, **changes: object) -> ContainerFacts:
    """An engine that runs arm64 under QEMU, with images that compile: the usual two unless others are given."""
    return some_containers(images=images or (a_toolchain_image(), a_native_image()), **changes)


def unbuilt(image: ImageFacts) -> ImageFacts:
    """The same image still to be built, so that nobody knows its Rust."""
    return changed(image, {"image_id": None, "rust": None})
