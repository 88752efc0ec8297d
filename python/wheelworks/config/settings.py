"""Every option of ``[tool.wheelworks]``, declared once, with default and docstring.

The parser, ``docs/configuration.md`` and the JSON schema are derived from these dataclasses by
``options.py``: a field's name gives the key (``snapshot_git`` is ``snapshot-git``; a unit at its
end is left out of the key), its type gives what may be written, its docstring the description.
Pure values: reading files, environment and flags is ``sources.py``'s and ``load.py``'s work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Provision = Literal["ask", "always", "never"]
ToolchainChoice = Literal["auto", "host", "container", "emulated", "cibuildwheel"]
ContainerEngine = Literal["auto", "docker", "podman"]
ContainerRust = Literal["auto", "debian", "rustup"]
WindowsLinker = Literal["mingw", "xwin"]
GitSnapshot = Literal["auto", "always", "never"]
Inheritance = Literal["none", "append", "prepend"]

#: Metadata of fields that hold no option of their own.
NO_OPTION = {"option": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSettings:
    """``[tool.wheelworks.test]``: how a built wheel is tested."""

    __test__ = False  # else pytest takes it for a class of tests

    command: tuple[str, ...] | None = field(default=None, metadata={"kind": "commands"})
    """Command lines run one after another, split as a POSIX shell splits words, never run by a
    shell. A single string is one command; an empty list means that there is nothing to test.
    Placeholders: ``{project}`` (the copied project folder), ``{wheel}``, ``{python}``. Default:
    ``pytest`` with the ``testpaths`` of its configuration, else with the folder ``tests`` or
    ``test``; those within the package are named as modules (``--pyargs``). None where there is no
    such thing."""
    requires: tuple[str, ...] | None = None
    """Requirements installed beside the wheel. Default: those of ``requirements.txt`` beside the tests
    or of ``requirements-test.txt``, where there is neither a group nor an extra for tests. ``pytest``
    is added where the command starts it and neither these nor the groups and extras name it."""
    groups: tuple[str, ...] | None = None
    """Dependency groups of the project. Default: the first of ``test``, ``tests``, ``testing`` that
    exists; ``dev`` where neither such a group nor such an extra does. The versions of the project's
    ``uv.lock`` are taken, but for what ``requires`` names, too."""
    extras: tuple[str, ...] | None = None
    """Extras of the wheel. Default: the first of ``test``, ``tests``, ``testing`` that exists."""
    sources: tuple[str, ...] | None = None
    """Files and folders copied for the tests, relative to the project, with ``*``. Default: all but
    the package itself."""
    timeout_seconds: float = 900.0
    """Longest time that the tests of one wheel may take."""
    emulation_factor: int = 5
    """Under an emulator the timeouts are so many times longer."""
    cargo: bool = False
    """Whether ``cargo test`` is run for the target too, through the toolchain that built the wheel."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables set for the test commands."""
    environment_pass: tuple[str, ...] = ()
    """Names of variables of the caller that the test commands see, besides the usual ones."""
    no_command_reason: str | None = field(default=None, metadata=NO_OPTION)
    """Why ``command`` is None once everything is read; None where there is a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSettings:
    """The options that an override may change for some cells."""

    compatibility: str = "auto"
    """Platform level of Linux wheels: ``manylinux2014``, ``manylinux_2_28``, ``musllinux_1_2``;
    ``auto`` is the lowest one that Rust supports on the target."""
    toolchain: ToolchainChoice = "auto"
    """What compiles. ``auto`` takes the first toolchain that can serve the target here."""
    features: tuple[str, ...] = ()
    """Cargo features besides those of ``[tool.maturin]``."""
    no_default_features: bool = False
    """Whether the crate's default features stay off."""
    profile: str = "release"
    """Cargo profile. Default: the ``profile`` of ``[tool.maturin]``, else ``release``."""
    maturin_args: tuple[str, ...] = ()
    """Further arguments for ``maturin build``, as they are."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables set for the build."""
    environment_pass: tuple[str, ...] = ()
    """Names of variables of the caller that the build sees, besides the usual ones."""
    timeout_seconds: float = 3600.0
    """Longest time that one build may take."""
    audit_ignore: tuple[str, ...] = ()
    """Ids of findings that do not refuse a wheel."""
    windows_linker: WindowsLinker = "mingw"
    """What links Windows wheels on other systems: ``mingw`` for ``x86_64-pc-windows-gnu``, ``xwin`` for MSVC by
    cargo-xwin, which downloads Microsoft's headers and libraries and needs ``accept-microsoft-licence``."""
    test: TestSettings = field(default_factory=TestSettings, metadata=NO_OPTION)
    """The table ``test``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSettings:
    """``[tool.wheelworks.container]``: the engine and our images."""

    engine: ContainerEngine = "auto"
    """The container engine; ``auto`` takes docker where it answers, else podman."""
    image: str | None = None
    """An image of your own in place of the toolchain image; it must hold rustc, cargo, maturin and zig."""
    base: str | None = None
    """The image that ours are built on. Default: ``debian:forky-slim`` from a registry, else made from ``mirror``."""
    mirror: str = "http://deb.debian.org/debian"
    """Debian mirror that the base image is made from where no registry answers."""
    packages: tuple[str, ...] = ()
    """Further Debian packages in the toolchain image: ``cmake``, ``libclang-dev``."""
    build_args: Mapping[str, str] = field(default_factory=dict)
    """Arguments for the image's build (``--build-arg``)."""
    ca_bundle: str | None = None
    """File of certificates for containers. Default: the host's."""
    rust: ContainerRust = "auto"
    """Where the image's Rust comes from; ``auto`` takes rustup's where the project asks for a version and rustup's
    server answers, else Debian's."""
    engine_args: tuple[str, ...] = ()
    """Further arguments for the engine's ``run``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """``[[tool.wheelworks.overrides]]``: other options for some cells."""

    select: tuple[str, ...]
    values: Mapping[str, object]
    """Dotted key of a CellSettings option, as in TOML (``test.environment-pass``, ``timeout``) ->
    parsed value. ``options.cell_options()`` gives the attribute behind a key."""
    inherit: Mapping[str, Inheritance] = field(default_factory=dict)
    """Dotted key, as in ``values`` -> how its value joins the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``[tool.wheelworks]`` after merging all sources."""

    pythons: tuple[str, ...]
    """Interpreters to build for: ``3.13``, ``3.14t``, ``pp311``, ``abi3-py310``. Default: the
    CPython versions of the classifiers, or without any all that are maintained; of both those that
    requires-python allows and that have not reached their end of life."""
    targets: tuple[str, ...]
    """Platforms to build for, as PyPI and cibuildwheel name them."""
    skip: tuple[str, ...] = ()
    """Cells that are left out, as patterns with ``*``, ``?`` and ``{a,b}``. Default: the ``skip``
    of ``[tool.cibuildwheel]``."""
    rust: str = "auto"
    """Rust version to build with. ``auto`` takes that of ``rust-toolchain.toml``, else the host's;
    ``any`` accepts one that differs from it, and names it."""
    provision: Provision = "ask"
    """Whether large or privileged things may be installed: ``ask`` asks on a terminal."""
    dist: Path
    """Folder of the artifacts, relative to the project."""
    sdist: bool = True
    """Whether a source distribution is built too."""
    interpreters: Mapping[str, str] = field(default_factory=dict)
    """Interpreter spec -> path of an executable to test with."""
    jobs: int | None = None
    """Processors that a run may use. Default: all."""
    memory_per_build_mib: int = 2048
    """Memory that one build is expected to need; limits how many run side by side."""
    maturin: str = "auto"
    """Version of maturin; ``auto`` for the one that wheelworks pins where ``[build-system]
    requires`` allows it."""
    snapshot_git: GitSnapshot = "auto"
    """Whether ``.git`` lies beside the snapshot; ``auto`` where a build script looks at it."""
    package: str | None = None
    """In the ``pyproject.toml`` at the top of a repository with several wheels: the folder or the
    name of the one that is meant."""
    offline: bool = False
    """Whether a run must do without the network: only what ``wheelworks prefetch`` or earlier runs brought is used."""
    accept_microsoft_licence: bool = False
    """Whether you accept Microsoft's licence for its headers and libraries, which cargo-xwin downloads."""
    wine_pythons: Mapping[str, str] = field(default_factory=dict)
    """Interpreter spec -> path of a Windows ``python.exe``, to test Windows wheels under wine."""
    container: ContainerSettings = field(default_factory=ContainerSettings, metadata=NO_OPTION)
    """The table ``container``."""
    cell: CellSettings = field(default_factory=CellSettings, metadata=NO_OPTION)
    """The options that an override may change, at the top level of ``[tool.wheelworks]``."""
    overrides: tuple[Override, ...] = field(default=(), metadata=NO_OPTION)
    """The tables ``[[tool.wheelworks.overrides]]``, in order."""
    origins: Mapping[str, str] = field(default_factory=dict, metadata=NO_OPTION)
    """Dotted key, as in TOML -> where its value came from; keys that kept their default are
    missing."""


DEFAULT_TARGETS = (
    "manylinux_x86_64",
    "manylinux_aarch64",
    "macosx_x86_64",
    "macosx_universal2",
    "win_amd64",
)
