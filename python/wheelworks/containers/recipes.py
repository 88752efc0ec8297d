"""How our images are made, as values: the roles, what each is built from, and the hash that names it.

Takes the settings, the project's wishes and the engine's platform; gives recipes. Reads nothing but our own
resources; ``images.py`` builds what they say.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wheelworks.tools import default_request, pinned_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelworks.config.settings import Settings
    from wheelworks.containers.facts import ContainerFacts, ImageRole
    from wheelworks.project import Project
    from wheelworks.tools import ToolName

REPOSITORY = "wheelworks"
"""All our images are ``wheelworks/<role>:<tag>``."""
DEFAULT_BASE = "debian:forky-slim"
DEFAULT_MIRROR = "http://deb.debian.org/debian"
SUITE = "forky"
PLATFORMS = ("linux/amd64", "linux/arm64")
#: As wheels and auditwheel name them.
WHEEL_ARCHITECTURES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
DEBIAN_PYTHONS = (("3.13", "/usr/bin/python3.13"), ("3.14", "/usr/bin/python3.14"))
#: What compiles in an image for its own platform only, as Debian packages.
COMPILERS = (
    "gcc", "g++", "libc6-dev", "make", "pkg-config", "git", "perl", "patchelf", "rustc", "cargo",
)  # fmt: skip
#: Wheels of these levels run on Debian forky, as pip's ``--platform`` wants them.
PLATFORM_LEVELS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
#: QEMU makes everything in a build about so many times slower.
EMULATION_FACTOR = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What an image is built on: pulled, or made from a Debian mirror."""

    name: str
    """In a registry: ``debian:forky-slim``."""
    platform: str
    mirror: str | None
    """Debian mirror that it is made from where no registry answers; None where only a registry has it."""

    @property
    def reference(self) -> str:
        """Our name of it, the same wherever it comes from."""
        parts = [self.name, self.platform, self.mirror, resource("debian-base.sh")]
        return f"{REPOSITORY}/base:{_digest(parts)}-{architecture(self.platform)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An image that can be built."""

    role: ImageRole
    platform: str
    base: Base | None
    """None where ``parent`` is what it is built on."""
    parent: Recipe | None = None
    dockerfile: str
    """The text; its ``ARG BASE`` is filled with the reference of the base or the parent."""
    files: tuple[tuple[str, str], ...]
    """Name -> text of the files beside it."""
    build_args: tuple[tuple[str, str], ...] = ()
    size_mib: int
    """Roughly, with what it is built on."""
    minutes: int
    """Roughly, on two processors."""
    rust_version: str | None = None
    """The toolchain that rustup installs; None for Debian's."""
    pythons: tuple[tuple[str, str], ...] = ()
    libc: Literal["glibc", "musl"] = "glibc"
    is_tree: bool = False
    """Whether the Dockerfile runs on its parent's platform and leaves the image's root file system in ``/tree``."""

    @property
    def build_platform(self) -> str:
        """The platform that its Dockerfile runs on."""
        return self.parent.platform if self.is_tree and self.parent is not None else self.platform

    @property
    def digest(self) -> str:
        """The hash of everything that decides what is built; certificates and proxies do not."""
        parts = [
            self.role,
            self.platform,
            self.base.reference if self.base is not None else None,
            self.parent.digest if self.parent is not None else None,
            self.dockerfile,
            self.files,
            self.build_args,
        ]
        return _digest(parts)

    @property
    def reference(self) -> str:
        """Its name: ``wheelworks/toolchain:0123456789ab-amd64``."""
        return f"{REPOSITORY}/{self.role}:{self.digest}-{architecture(self.platform)}"

    @property
    def lowest_base(self) -> Base:
        """The base that everything is built on."""
        if self.base is not None:
            return self.base
        if self.parent is None:
            raise AssertionError("BUG: a recipe without base and parent")
        return self.parent.lowest_base


def recipes_for(
    *,
    settings: Settings,
    project: Project,
    engine_platform: str,
    rust: str | None = None,
    interpreters: Iterable[str] = (),
) -> tuple[Recipe, ...]:
    """Every image that jobs of the project may run in.

    Args:
        settings: the table ``container``, the version of maturin and the targets.
        project: for the maturin that it requires.
        engine_platform: what the engine's containers are without emulation.
        rust: the toolchain that rustup installs; None for Debian's Rust.
        interpreters: specs that wheels are tested with; those that Debian lacks get images of their own.
    """
    return tuple(_recipes(settings, project, engine_platform, rust, tuple(interpreters)))


def _recipes(
    settings: Settings,
    project: Project,
    engine_platform: str,
    rust: str | None,
    interpreters: tuple[str, ...],
) -> Iterator[Recipe]:
    toolchain = None
    if settings.container.image is None:
        toolchain = toolchain_recipe(settings, project, engine_platform, rust)
        yield toolchain
    has_musl = any(target.startswith("musllinux_") for target in settings.targets)
    tests = tests_recipe(settings, engine_platform)
    for platform in PLATFORMS:
        is_own = platform == engine_platform
        factor = 1 if is_own else EMULATION_FACTOR
        native = (
            native_recipe(settings, project, platform)
            if is_own
            else foreign_recipe("native", tests, settings, project, platform)
        )
        yield native
        # Most of the toolchain image's layers are there already where other cells are built in it.
        parent = toolchain if toolchain is not None and platform == engine_platform else native
        yield cibuildwheel_recipe(parent, factor)
        yield tests if is_own else foreign_recipe("tests", tests, settings, project, platform)
        for spec in interpreters:
            if spec not in dict(DEBIAN_PYTHONS):
                yield from _python_recipe(spec, platform, factor, "glibc")
            if has_musl:
                yield from _python_recipe(spec, platform, factor, "musl")


def toolchain_recipe(
    settings: Settings, project: Project, platform: str, rust: str | None
) -> Recipe:
    """The image that cross-compiles for every target."""
    is_rustup = rust is not None
    scripts = ("rustup-toolchain.sh",) if is_rustup else ("debian-std.sh", "build-std.sh")
    return Recipe(
        role="toolchain",
        platform=platform,
        base=debian_base(settings, platform),
        dockerfile=resource("toolchain-rustup.Dockerfile" if is_rustup else "toolchain.Dockerfile"),
        files=(*_scripts(*scripts), *_tools(settings, project)),
        build_args=(*_debian_args(settings), *((("RUST", rust),) if rust is not None else ())),
        size_mib=3300,
        minutes=6 if is_rustup else 8,
        rust_version=rust,
        pythons=DEBIAN_PYTHONS,
    )


def native_recipe(settings: Settings, project: Project, platform: str) -> Recipe:
    """The image that compiles for its own platform only."""
    return Recipe(
        role="native",
        platform=platform,
        base=debian_base(settings, platform),
        dockerfile=resource("native.Dockerfile"),
        files=(*_scripts(), *_tools(settings, project)),
        build_args=_debian_args(settings),
        size_mib=1500,
        minutes=3,
        pythons=DEBIAN_PYTHONS,
    )


def cibuildwheel_recipe(parent: Recipe, factor: int) -> Recipe:
    """The image that stands in for cibuildwheel's own, on top of one that compiles."""
    return Recipe(
        role="cibuildwheel",
        platform=parent.platform,
        base=None,
        parent=parent,
        dockerfile=resource("cibuildwheel.Dockerfile"),
        files=(
            *((name, resource(name)) for name in ("cibuildwheel-pythons.sh", "image-facts.sh")),
            *((f"{tool}.txt", pinned_hashes(tool)) for tool in ("auditwheel", "build", "uv")),
        ),
        build_args=(("ARCH", WHEEL_ARCHITECTURES[parent.platform]),),
        size_mib=parent.size_mib + 200,
        minutes=parent.minutes + 2 * factor,
        rust_version=parent.rust_version,
        pythons=parent.pythons,
    )


def tests_recipe(settings: Settings, platform: str) -> Recipe:
    """The image with Debian's interpreters and uv."""
    return Recipe(
        role="tests",
        platform=platform,
        base=debian_base(settings, platform),
        dockerfile=resource("tests.Dockerfile"),
        files=(*_scripts(), ("uv.txt", pinned_hashes("uv"))),
        build_args=tuple(arg for arg in _debian_args(settings) if arg[0] != "PACKAGES"),
        size_mib=300,
        minutes=2,
        pythons=DEBIAN_PYTHONS,
    )


def foreign_recipe(
    role: Literal["native", "tests"],
    builder: Recipe,
    settings: Settings,
    project: Project,
    platform: str,
) -> Recipe:
    """An image for another architecture than the engine's, put together without an emulator.

    Args:
        role: what it is for.
        builder: the tests image of the engine's platform: its interpreters compile the modules of the other's.
        settings: the table ``container``.
        project: for the maturin that it requires.
        platform: of the image.
    """
    is_native = role == "native"
    tools = _tools(settings, project) if is_native else (("uv.txt", pinned_hashes("uv")),)
    tags = " ".join(
        f"--platform {level}_{WHEEL_ARCHITECTURES[platform]}" for level in PLATFORM_LEVELS
    )
    pythons = (f"python{version}-venv" for version, _ in DEBIAN_PYTHONS)
    packages = (*(COMPILERS if is_native else ("git",)), *pythons)
    return Recipe(
        role=role,
        platform=platform,
        base=None,
        parent=builder,
        is_tree=True,
        dockerfile=resource("foreign.Dockerfile").replace('"ROLE"', f'"{role}"'),
        files=(
            *((name, resource(name)) for name in ("foreign-tree.sh", "image-facts.sh")),
            *tools,
        ),
        build_args=(
            ("ARCHITECTURE", architecture(platform)),
            ("DEBIAN_PACKAGES", " ".join(packages)),
            ("PLATFORM_TAGS", tags),
            ("TOOLS", " ".join(name.removesuffix(".txt") for name, _ in tools)),
            *(arg for arg in _debian_args(settings) if is_native or arg[0] != "PACKAGES"),
        ),
        size_mib=1500 if is_native else 300,
        minutes=4 if is_native else 2,
        pythons=DEBIAN_PYTHONS,
    )


def _python_recipe(
    spec: str, platform: str, factor: int, libc: Literal["glibc", "musl"]
) -> Iterator[Recipe]:
    """The image of an interpreter from the official Python images, if there is such a one."""
    if spec.endswith("t") or not spec.replace("pp", "").replace(".", "").isdigit():
        return
    if spec.startswith("pp"):
        if libc == "musl":
            return
        name, python = f"pypy:3.{spec[3:]}-slim", "/opt/pypy/bin/pypy3"
    else:
        suffix = "slim" if libc == "glibc" else "alpine"
        name, python = f"python:{spec}-{suffix}", f"/usr/local/bin/python{spec}"
    yield Recipe(
        role="tests",
        platform=platform,
        base=Base(name=name, platform=platform, mirror=None),
        dockerfile=resource("python-tests.Dockerfile"),
        files=(("image-facts.sh", resource("image-facts.sh")), ("uv.txt", pinned_hashes("uv"))),
        build_args=(("PYTHON", python),),
        size_mib=250,
        minutes=1 * factor,
        pythons=((spec, python),),
        libc=libc,
    )


def debian_base(settings: Settings, platform: str) -> Base:
    """The Debian that our images are built on, or the image that the configuration names in its place."""
    named = settings.container.base
    if named is not None:
        return Base(name=named, platform=platform, mirror=None)
    return Base(name=DEFAULT_BASE, platform=platform, mirror=settings.container.mirror)


def recipes_of(
    facts: ContainerFacts, *, settings: Settings, project: Project
) -> tuple[Recipe, ...]:
    """The recipes behind the images of a machine's facts, for those who build or keep them."""
    toolchain = facts.image("toolchain", facts.engine.platform)
    specs = {spec for image in facts.images if image.role == "tests" for spec, _ in image.pythons}
    return recipes_for(
        settings=settings,
        project=project,
        engine_platform=facts.engine.platform,
        rust=toolchain.rust_version if toolchain is not None else None,
        interpreters=sorted(specs),
    )


def architecture(platform: str) -> str:
    """``amd64`` of ``linux/amd64``."""
    return platform.split("/")[1]


@cache
def resource(name: str) -> str:
    """The text of a file in ``resources/images``."""
    folder = Path(str(resources.files("wheelworks"))) / "resources" / "images"
    return (folder / name).read_text(encoding="utf-8")


def _scripts(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, resource(name)) for name in ("install-packages.sh", "image-facts.sh", *names)
    )


def _tools(settings: Settings, project: Project) -> tuple[tuple[str, str], ...]:
    """What pip installs: hashes where the versions are ours, else what the project requires."""
    maturin = default_request("maturin", project.maturin_requirement, configured=settings.maturin)
    pinned: ToolName = "maturin"
    text = pinned_hashes(pinned) if maturin.is_pinned else f"{maturin.requirement}\n"
    return (("ziglang.txt", pinned_hashes("ziglang")), ("maturin.txt", text))


def _debian_args(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Build arguments of the images made of Debian packages, the user's last."""
    container = settings.container
    args = []
    if container.mirror != DEFAULT_MIRROR:
        args.append(("MIRROR", container.mirror))
    if container.packages:
        args.append(("PACKAGES", " ".join(container.packages)))
    return (*args, *sorted(container.build_args.items()))


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
