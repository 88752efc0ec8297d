"""Whether a container of ours can serve a cell: cross-compiling in the toolchain image, or natively under QEMU.

Takes HostFacts with what is known of the engine and the images, and a cell; gives a frozen choice or what stands
in the way. Starts nothing: an image that is not built yet is judged by its recipe.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.containers import paths
from wheelworks.linkers import choose_linking
from wheelworks.rust_choice import Obstacle, RustChoice, choose_rust, release_of
from wheelworks.toolchains import FoundTool, RustFacts, ToolchainChoice

if TYPE_CHECKING:
    from wheelworks.config.settings import Settings
    from wheelworks.containers.facts import ContainerFacts, ImageFacts
    from wheelworks.linkers import Linking
    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts, ToolchainName

#: What the recipe of the toolchain image puts into it; another image says what it has.
RECIPE_TRIPLES = (
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-gnu",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
)
RECIPE_MINGW = (("x86_64-pc-windows-gnu", "x86_64-w64-mingw32-gcc"),)
_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
_NOTHING_ADDED = "the image has no more than its recipe puts into it"


def choose_in_container(
    cell: Cell, project: Project, settings: Settings, host: HostFacts
) -> tuple[ToolchainChoice, ...] | Obstacle:
    """The choice per triple when the toolchain image of the engine's own platform compiles, or what is in the way."""
    containers = host.containers
    if containers is None:
        return no_engine(host)
    image = containers.image("toolchain", containers.engine.platform)
    return _choose_in(image, "container", cell, project, settings, host)


def choose_emulated(
    cell: Cell, project: Project, settings: Settings, host: HostFacts
) -> tuple[ToolchainChoice, ...] | Obstacle:
    """The choice when a container of the target's own architecture compiles under QEMU, or what is in the way."""
    containers = host.containers
    if containers is None:
        return no_engine(host)
    platform = cell.target.oci_platform
    if platform is None:
        return Obstacle(
            reason=f"{cell.target.name} is not Linux, and QEMU runs containers of Linux only",
            cure=None,
        )
    if platform == containers.engine.platform:
        return Obstacle(
            reason=f"containers of {platform} need no emulation here",
            cure='toolchain = "container"',
        )
    image = containers.image("native", platform)
    if image is not None and not containers.runs(platform):
        return _not_emulated(platform, containers)
    return _choose_in(image, "emulated", cell, project, settings, host)


def no_engine(host: HostFacts) -> Obstacle:
    """What stands in the way where no engine answers, or none was looked for."""
    return host.containers_missing or Obstacle(
        reason="no container engine was looked for", cure="wheelworks doctor"
    )


def inside(host: HostFacts, image: ImageFacts) -> HostFacts:
    """The image as a machine of its own, for what decides by a machine's facts.

    Args:
        host: for its processors, and whether the user names a macOS SDK on Linux.
        image: the image.
    """
    mingw = RECIPE_MINGW if image.role == "toolchain" else ()
    # A Mac's own SDK lies outside of the folders that engines there share with their virtual machine.
    has_sdk = host.macos_sdk is not None and host.system == "linux"
    return replace(
        host,
        system="linux",
        machine=_MACHINES.get(image.platform, image.platform.removeprefix("linux/")),
        is_wsl=False,
        libc="glibc",
        libc_version=None,
        rust=_rust_inside(image),
        rust_missing_reason=None,
        interpreters=(),
        mingw=tuple((triple, _program(name)) for triple, name in mingw),
        macos_sdk=paths.SDK if has_sdk else None,
        uv=None,
        git=None,
        containers=None,
    )


def _choose_in(
    image: ImageFacts | None,
    toolchain: ToolchainName,
    cell: Cell,
    project: Project,
    settings: Settings,
    host: HostFacts,
) -> tuple[ToolchainChoice, ...] | Obstacle:
    if image is None:
        role = "toolchain" if toolchain == "container" else "native"
        return Obstacle(
            reason=f"there is no {role} image for {_platform_wanted(cell, toolchain, host)}",
            cure=f"build it on a {cell.target.arch} machine",
        )
    if (missing := _missing_image(image, settings)) is not None:
        return missing
    facts = inside(host, image)
    rust = _rust(image, facts, project, settings)
    if isinstance(rust, Obstacle):
        return rust
    linkings = choose_linking(
        cell, project, facts, accepts_licence=settings.accept_microsoft_licence
    )
    if isinstance(linkings, Obstacle):
        return linkings
    if (lacking := _lacking(linkings, rust, image)) is not None:
        return lacking
    return tuple(
        ToolchainChoice(
            toolchain=toolchain,
            triple=linking.triple,
            linker=linking.linker,
            rustup_target_to_add=None,
            rustup_toolchain=rust.toolchain,
            rustup_toolchain_to_install=None,
            reasons=(_why_image(image), rust.reason, *linking.reasons, *_why_network(linking)),
            image=image,
            rust_version=rust.exact_version,
        )
        for linking in linkings
    )


def _platform_wanted(cell: Cell, toolchain: ToolchainName, host: HostFacts) -> str:
    if toolchain == "container" and host.containers is not None:
        return host.containers.engine.platform
    return cell.target.oci_platform or ""


def _missing_image(image: ImageFacts, settings: Settings) -> Obstacle | None:
    """Why the image can't be used, when it is not there and can't or must not be built."""
    if image.image_id is not None:
        return None
    if image.cannot_provide_reason is not None:
        return Obstacle(
            reason=f"the image {image.reference} is not there, and {image.cannot_provide_reason}",
            cure=image.cure,
        )
    if settings.provision == "never":
        return Obstacle(
            reason=f'the image {image.reference} is not built, and provision = "never" forbids '
            "building it",
            cure='wheelworks prefetch with provision = "always" builds it',
        )
    return None


def _rust_inside(image: ImageFacts) -> RustFacts | None:
    """The Rust of the image; by its recipe's pin before it is built, None where nothing pins it."""
    if image.rust is not None or image.rust_version is None:
        return image.rust
    triple = own_triple(image.platform)
    return RustFacts(
        rustc=replace(_program("rustc"), version=image.rust_version),
        cargo=replace(_program("cargo"), version=image.rust_version),
        host_triple=triple,
        sysroot="",
        targets=_recipe_triples(image),
        toolchain=f"{image.rust_version}-{triple}",
        installed_toolchains=(),
        rustup=None,
        can_add_targets=False,
        cannot_add_reason=_NOTHING_ADDED,
    )


def _rust(
    image: ImageFacts, facts: HostFacts, project: Project, settings: Settings
) -> RustChoice | Obstacle:
    """The image's Rust for the project, or that it is another one than the project asks for."""
    if facts.rust is not None:
        found = choose_rust(project, settings, facts.rust)
        if isinstance(found, RustChoice):
            # A recipe may pin a series (1.85) or a channel, whose exact version shows once it is built.
            is_exact = image.rust is not None or facts.rust.rustc.version.count(".") == 2
            return found if is_exact else replace(found, exact_version=None)
        return Obstacle(
            reason=f"in the image {image.reference}: {found.reason}", cure=ANY_RUST_CURE
        )
    wanted = project.rust_toolchain if settings.rust == "auto" else settings.rust
    if wanted is not None and release_of(wanted) is not None:
        return Obstacle(
            reason=f"Rust {wanted} is asked for, and which Rust the image {image.reference} "
            "holds shows only once it is built",
            cure=ANY_RUST_CURE,
        )
    return RustChoice(
        label="the image's Rust",
        version=None,
        toolchain=None,
        toolchain_to_install=None,
        standard_libraries=_recipe_triples(image),
        reason=f"which Rust the image {image.reference} holds shows once it is built",
    )


ANY_RUST_CURE = (
    'rust = "rustup" in [tool.wheelworks.container], where rustup\'s server is reached; '
    'or rust = "any" in [tool.wheelworks]'
)


def _recipe_triples(image: ImageFacts) -> tuple[str, ...]:
    if image.role == "toolchain":
        return RECIPE_TRIPLES
    return (own_triple(image.platform),)


def own_triple(platform: str) -> str:
    """The Rust triple of an image's own programs, build scripts among them: ``linux/arm64`` is aarch64."""
    return f"{_MACHINES.get(platform, platform.removeprefix('linux/'))}-unknown-linux-gnu"


def is_ours(image: ImageFacts) -> bool:
    """Whether the image is made by a recipe of ours, and not one that the user names."""
    return image.reference.startswith("wheelworks/")


def _lacking(linkings: tuple[Linking, ...], rust: RustChoice, image: ImageFacts) -> Obstacle | None:
    present = rust.standard_libraries or ()
    missing = [linking.triple for linking in linkings if linking.triple not in present]
    if not missing:
        return None
    return Obstacle(
        reason=f"the image {image.reference} has no standard library for {' and '.join(missing)}",
        cure="image in [tool.wheelworks.container] names one of your own that has it",
    )


def _why_image(image: ImageFacts) -> str:
    if image.image_id is not None:
        return f"in the image {image.reference}"
    about = f", about {image.size_mib} MiB and {image.minutes} minutes" if image.size_mib else ""
    return f"in the image {image.reference}, which is built first{about}"


def _why_network(linking: Linking) -> tuple[str, ...]:
    if linking.linker != "xwin":
        return ()
    return ("cargo-xwin downloads while it links, so the network stays on",)


def _not_emulated(platform: str, containers: ContainerFacts) -> Obstacle:
    why = dict(containers.emulation_problems).get(platform, "QEMU is not registered for it")
    return Obstacle(
        reason=f"containers of {platform} do not run here: {why}", cure="wheelworks doctor --fix"
    )


def _program(name: str) -> FoundTool:
    """A program that lies on the image's PATH."""
    return FoundTool(path=name, version="", size=0, mtime_ns=0)
