"""Whether cibuildwheel can build a cell on a host, and in which image, or what stands in the way.

Takes a cell, the project, settings and HostFacts; gives frozen values. Knows the contract of our local image and not
how it is built. Source of the rules: cibuildwheel 4.3.3 (``platforms/linux.py``, ``oci_container.py``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.container_choice import inside, no_engine
from wheelworks.interpreters import parse_interpreter
from wheelworks.project import PYTHON_INDEPENDENT_BINDINGS
from wheelworks.rust_choice import Obstacle, RustChoice, choose_rust
from wheelworks.toolchains import ToolchainChoice, choose_on_host

if TYPE_CHECKING:
    from wheelworks.config.settings import Settings
    from wheelworks.containers.facts import ContainerFacts, ImageFacts
    from wheelworks.interpreters import InterpreterSpec
    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts

#: Where cibuildwheel's own images lie.
REGISTRY = "quay.io"
OLDEST_CPYTHON_MINOR = 9
_NO_REGISTRY = f"cibuildwheel's own images lie at {REGISTRY}, which does not answer"
_SYSTEMS = {"macosx": ("macos", "macOS"), "win": ("windows", "Windows")}
#: Package managers of the distributions that cibuildwheel's own images are made of, and that of ours.
_FOREIGN_MANAGERS = re.compile(r"(?<![\w./-])(yum|dnf|microdnf|apk)\s")
_OUR_MANAGER = re.compile(r"(?<![\w./-])apt(-get)?\s")


def wants_cibuildwheel(cell: Cell, project: Project) -> bool:
    """Whether the cell is tried with cibuildwheel first when nobody names a toolchain.

    Only Linux cells: on macOS cibuildwheel installs Pythons for the whole system, which nobody asked for.
    """
    return project.has_cibuildwheel and cell.target.oci_platform is not None


def choose_cibuildwheel(
    cell: Cell, project: Project, settings: Settings, host: HostFacts
) -> tuple[ToolchainChoice, ...] | Obstacle:
    """The choice when cibuildwheel builds the cell, or what is in the way.

    Linux cells are built in an image: cibuildwheel's own where its registry answers, else our local one. macOS and
    Windows cells are built on such a machine, with the Rust that is there.
    """
    if identifier_python(cell, project, None) is None:
        return Obstacle(
            reason=f"cibuildwheel builds for CPython 3.{OLDEST_CPYTHON_MINOR} and later", cure=None
        )
    platform = cell.target.oci_platform
    if platform is None:
        return _natively(cell, project, settings, host)
    containers = host.containers
    if containers is None:
        return no_engine(host)
    if not containers.runs(platform):
        why = dict(containers.emulation_problems).get(platform, "QEMU is not registered for it")
        return Obstacle(
            reason=f"containers of {platform} do not run here: {why}",
            cure="wheelworks doctor --fix",
        )
    if cell.settings.toolchain == "auto" and platform != containers.engine.platform:
        return Obstacle(
            reason="cibuildwheel would compile under QEMU here, which takes many times longer than cross-compiling",
            cure='toolchain = "cibuildwheel" in an override for the cell',
        )
    if REGISTRY not in containers.registries:
        return _in_local_image(cell, project, settings, host, containers)
    reason = f"cibuildwheel in its own image {own_image(cell, project)}"
    return (_choice(cell, (reason, *_emulation(platform, containers))),)


def own_image(cell: Cell, project: Project) -> str:
    """The image of cibuildwheel for the cell: the one the project names in full, else that of the policy."""
    configured = dict(project.cibuildwheel.images).get(image_option(cell))
    if configured is not None and ("/" in configured or ":" in configured):
        return configured
    return cell.policy


def image_option(cell: Cell) -> str:
    """The option that names the cell's image: ``manylinux-x86_64-image``."""
    return f"{cell.target.system}-{cell.target.arch}-image"


def identifier_python(
    cell: Cell, project: Project, available: tuple[str, ...] | None
) -> InterpreterSpec | None:
    """The interpreter that cibuildwheel is asked to build the cell's wheel with; None where there is none.

    That is the cell's own; but a stable-ABI wheel may be built by any interpreter from its floor on, and one that
    serves every Python by any at all.

    Args:
        cell: the cell.
        project: for its bindings.
        available: the specs of the image's interpreters; None where it has all that cibuildwheel knows.
    """
    own, floor = cell.interpreter, cell.built_for
    is_old = own.implementation == "cp" and own.minor < OLDEST_CPYTHON_MINOR
    if not own.is_stable_abi and not is_old and (available is None or own.spec in available):
        return own
    serves_all = project.bindings in PYTHON_INDEPENDENT_BINDINGS
    if not floor.is_stable_abi and not serves_all:
        return None
    lowest = OLDEST_CPYTHON_MINOR if serves_all else max(floor.minor, OLDEST_CPYTHON_MINOR)
    if available is None:
        return parse_interpreter(f"3.{lowest}{'t' if floor.free_threaded else ''}")
    kin = [
        spec
        for spec in map(parse_interpreter, available)
        if spec.implementation == "cp"
        and spec.minor >= lowest
        and (serves_all or spec.free_threaded <= floor.free_threaded)
    ]
    return min(kin, default=None)


def _natively(
    cell: Cell, project: Project, settings: Settings, host: HostFacts
) -> tuple[ToolchainChoice, ...] | Obstacle:
    system, spoken = _SYSTEMS[cell.target.system]
    if host.system != system:
        return Obstacle(
            reason=f"cibuildwheel builds {cell.target.name} wheels on {spoken} only",
            cure='toolchain = "auto"',
        )
    on_host = choose_on_host(cell, project, settings, host)
    if isinstance(on_host, Obstacle):
        return on_host
    reason = f"cibuildwheel on this {spoken} machine"
    return tuple(
        replace(one, toolchain="cibuildwheel", reasons=(reason, *one.reasons)) for one in on_host
    )


def _in_local_image(
    cell: Cell, project: Project, settings: Settings, host: HostFacts, containers: ContainerFacts
) -> tuple[ToolchainChoice, ...] | Obstacle:
    """In our image, which stands in for cibuildwheel's own where no registry answers."""
    platform = str(cell.target.oci_platform)
    image = containers.image("cibuildwheel", platform)
    obstacle = _unfit_image(cell, project, image, platform, settings) or _unfit_project(
        cell, project
    )
    if image is None or obstacle is not None:
        return obstacle or _no_image(platform)
    rust = _rust(cell, project, settings, image, host)
    if isinstance(rust, Obstacle):
        return rust
    reasons = (
        f"cibuildwheel in {image.reference}, because {REGISTRY} does not answer",
        *([f"built first, about {image.minutes} minutes"] if image.image_id is None else []),
        rust.reason,
        f"zig links with the glibc that {cell.policy} asks for",
        *_emulation(platform, containers),
    )
    return (_choice(cell, reasons, image, rust),)


def _choice(
    cell: Cell,
    reasons: tuple[str, ...],
    image: ImageFacts | None = None,
    rust: RustChoice | None = None,
) -> ToolchainChoice:
    (triple,) = cell.target.triples
    return ToolchainChoice(
        toolchain="cibuildwheel",
        triple=triple,
        linker="system" if image is None else "zig",
        rustup_target_to_add=None,
        rustup_toolchain=None,
        rustup_toolchain_to_install=None,
        reasons=reasons,
        image=image,
        rust_version=rust.exact_version if rust is not None else None,
    )


def _no_image(platform: str) -> Obstacle:
    return Obstacle(reason=f"{_NO_REGISTRY}, and there is no local image for {platform}", cure=None)


def _unfit_image(
    cell: Cell, project: Project, image: ImageFacts | None, platform: str, settings: Settings
) -> Obstacle | None:
    """Why no local image can serve the cell."""
    if cell.target.system == "musllinux":
        return Obstacle(reason=f"{_NO_REGISTRY}, and the local image has no musl", cure=None)
    if image is None:
        return _no_image(platform)
    if not image.is_available:
        return Obstacle(
            reason=f"{_NO_REGISTRY}, and the local image can't be built: {image.cannot_provide_reason}",
            cure=image.cure,
        )
    if image.image_id is None and settings.provision == "never":
        return Obstacle(
            reason=f'the image {image.reference} is not built, and provision = "never" forbids building it',
            cure='wheelworks prefetch with provision = "always" builds it',
        )
    pythons = tuple(spec for spec, _ in image.pythons)
    if identifier_python(cell, project, pythons) is None:
        return Obstacle(
            reason=f"{_NO_REGISTRY}, and the local image has Python {' and '.join(pythons)} only",
            cure=None,
        )
    return None


def _unfit_project(cell: Cell, project: Project) -> Obstacle | None:
    """What of ``[tool.cibuildwheel]`` has no meaning in the local image."""
    return _unfit_commands(cell, project) or _unfit_arguments(project)


def _unfit_commands(cell: Cell, project: Project) -> Obstacle | None:
    """A command for the distribution of cibuildwheel's images has no meaning in ours, which is Debian's."""
    for key, command in project.cibuildwheel.commands_for(cell.id).items():
        found = _FOREIGN_MANAGERS.search(f"{command} ")
        if found is not None and _OUR_MANAGER.search(f"{command} ") is None:
            return Obstacle(
                reason=f"{key} of [tool.cibuildwheel] calls {found[1]}, and the local image is Debian's "
                f"({REGISTRY} does not answer)",
                cure=f"let {key} call apt-get where there is no {found[1]}",
            )
    return None


def _unfit_arguments(project: Project) -> Obstacle | None:
    """Arguments of the project's own for maturin replace ours, without which the wheel needs too new a glibc."""
    args = project.cibuildwheel.maturin_args
    if args is None or "--zig" in args.split():
        return None
    return Obstacle(
        reason="[tool.cibuildwheel] gives maturin arguments of its own without --zig, and the local image's "
        f"glibc is too new without it ({REGISTRY} does not answer)",
        cure="add --zig to them",
    )


def _rust(
    cell: Cell, project: Project, settings: Settings, image: ImageFacts, host: HostFacts
) -> RustChoice | Obstacle:
    """The image's Rust, unless a command of the project brings its own."""
    commands = project.cibuildwheel.commands_for(cell.id)
    if any("rustup" in commands.get(key, "") for key in ("before-all", "before-build")):
        return _unknown_rust("Rust as the project's own commands install it")
    facts = inside(host, image).rust
    if facts is None:
        return _unknown_rust(f"which Rust the image {image.reference} holds shows once it is built")
    return choose_rust(project, settings, facts)


def _unknown_rust(reason: str) -> RustChoice:
    return RustChoice(
        label="the image's Rust",
        version=None,
        toolchain=None,
        toolchain_to_install=None,
        standard_libraries=None,
        reason=reason,
    )


def _emulation(platform: str, containers: ContainerFacts) -> tuple[str, ...]:
    if platform == containers.engine.platform:
        return ()
    return (f"under QEMU, because this machine is {containers.engine.platform}",)
