"""What is known of the container engine and of the images that jobs may run in.

Pure types; ``containers/probe.py`` fills them. An image that is not built yet is described by its recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from wheelworks.toolchains import RustFacts

EngineName = Literal["docker", "podman"]
ImageRole = Literal["toolchain", "native", "tests", "cibuildwheel"]
"""``toolchain`` cross-compiles for every target; ``native`` compiles only for its own architecture (under QEMU where
that is not the engine's); ``tests`` holds interpreters and uv; ``cibuildwheel`` keeps that tool's image contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """A container engine that answers."""

    name: EngineName
    path: str
    """The client's program."""
    version: str
    """The server's version; the client's for podman."""
    platform: str
    """What its containers are without emulation: ``linux/amd64``."""
    user: str | None
    """``1000:1000``: what a container must run as so that the caller owns what it writes; None where the engine maps
    its root to the caller by itself (rootless docker, Docker Desktop)."""
    keeps_id: bool = False
    """Whether ``--userns=keep-id`` is needed (rootless podman)."""
    has_mirror: bool = False
    """Whether it pulls through a mirror, so that a registry itself need not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """An image that jobs may run in: there, or still to be built."""

    role: ImageRole
    platform: str
    """``linux/amd64``, ``linux/arm64``"""
    reference: str
    """``wheelworks/toolchain:<hash of its recipe>-amd64``, or the image that the configuration names."""
    image_id: str | None
    """None when it has to be built first."""
    cannot_provide_reason: str | None = None
    """Why it can't be built here, as a fragment; None when it is there or can be built."""
    cure: str | None = None
    rust: RustFacts | None = None
    """The Rust inside; None where there is none, or it shows only once the image is built."""
    rust_version: str | None = None
    """The Rust version that its recipe pins (rustup's variant)."""
    pythons: tuple[tuple[str, str], ...] = ()
    """Interpreter spec -> path inside, as its recipe or the image itself says."""
    libc: Literal["glibc", "musl"] = "glibc"
    """Whose wheels run in it; ``musl`` for images of Alpine."""
    size_mib: int = 0
    """Roughly, when it is built."""
    minutes: int = 0
    """Roughly how long building it takes."""

    @property
    def is_available(self) -> bool:
        """Whether it is there or can be built."""
        return self.image_id is not None or self.cannot_provide_reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """The engine, and everything that decides which jobs can run in its containers."""

    engine: EngineFacts
    images: tuple[ImageFacts, ...]
    emulated: tuple[str, ...] = ()
    """Platforms besides the engine's own that its containers can be of (QEMU is registered): ``linux/arm64``."""
    emulation_problems: tuple[tuple[str, str], ...] = ()
    """Platform -> why nothing of it runs."""
    ca_bundle: str | None = None
    """The host's certificate bundle, mounted into every container."""
    cargo_home: str = ""
    """The user's folder of crates for containers, mounted into builds."""
    zig_cache: str = ""
    """The user's folder of what zig compiled of its own (libc stubs, compiler-rt), mounted into builds."""
    uv_cache: str = ""
    """The user's folder of downloaded requirements for containers."""
    cargo_config: str | None = None
    """The host's ``config.toml`` of cargo's home (mirrors, private registries), mounted where crates are fetched."""

    registries: tuple[str, ...] = ()
    """Registries of images that answer: ``quay.io``."""

    def image(self, role: ImageRole, platform: str) -> ImageFacts | None:
        """The image of that role and platform, if any is known; of several for tests the first."""
        return next(
            (one for one in self.images if one.role == role and one.platform == platform), None
        )

    def test_images(self, platform: str, libc: Literal["glibc", "musl"]) -> tuple[ImageFacts, ...]:
        """The images that wheels of a platform can be tested in: one with all interpreters, or one for each."""
        return tuple(
            one
            for one in self.images
            if one.role == "tests" and one.platform == platform and one.libc == libc
        )

    def image_ids(self) -> dict[str, str]:
        """Reference -> id of the images that are there."""
        return {one.reference: one.image_id for one in self.images if one.image_id is not None}

    def runs(self, platform: str) -> bool:
        """Whether containers of the platform run here, by themselves or under QEMU."""
        return platform == self.engine.platform or platform in self.emulated
