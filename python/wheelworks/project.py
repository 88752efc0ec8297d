"""What a maturin project says of itself, as a frozen value.

Takes values that ``config/load.py`` read from pyproject.toml and Cargo.toml files; does not read files.
Layouts: mixed, flat, pure Rust, package in a sub-folder, workspace with the crate elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from wheelworks.cibuildwheel_facts import CibuildwheelFacts

if TYPE_CHECKING:
    from pathlib import Path

Bindings = Literal["pyo3", "pyo3-ffi", "bin", "cffi", "uniffi"]
#: Bindings whose wheels serve every Python 3 (``py3-none-<platform>``).
PYTHON_INDEPENDENT_BINDINGS: tuple[Bindings, ...] = ("bin", "cffi", "uniffi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A maturin project: one package, one wheel name."""

    root: Path
    """Folder of its pyproject.toml (absolute)."""
    source_root: Path
    """Common ancestor of everything a build reads: root, crate, workspace, path dependencies, readme and
    licences. Snapshots are made of it. Usually equal to root."""
    manifest_path: Path
    """The crate's Cargo.toml (absolute)."""
    workspace_root: Path
    """Folder with the Cargo.lock (absolute)."""
    has_lock_file: bool
    name: str
    """As in ``[project] name`` or Cargo.toml."""
    version: str
    """From ``[project]``, else from Cargo.toml (workspace inheritance resolved)."""
    module_name: str
    """Dotted name of the native module: ``wheelworks._native``."""
    import_names: tuple[str, ...]
    """Top-level Python names that the wheel will hold."""
    python_source: Path | None
    """Folder that holds the Python package; None for pure Rust."""
    package_dirs: tuple[Path, ...]
    """Folders and files of the Python package in the tree (kept away from tests)."""
    bindings: Bindings
    pyo3_requirement: str | None
    """The version requirement of pyo3 or pyo3-ffi in Cargo.toml."""
    pyo3_features: tuple[str, ...] | None = None
    """The features of pyo3 that Cargo.toml turns on by default or through ``[tool.maturin]
    features``; None where that was not read."""
    stable_abi: tuple[int, int] | None
    """The floor of the abi3 feature that is on by default or through ``[tool.maturin] features``, (3, 8);
    None without abi3. A plain ``abi3`` feature means the lowest of requires-python."""
    free_threaded_stable_abi: tuple[int, int] | None = None
    """The floor of the ``abi3t`` feature, (3, 15) or later; None without it."""
    maturin_features: tuple[str, ...] = ()
    """The unconditional features of ``[tool.maturin]``. maturin forgets them when it is given
    ``--features``, so they have to be repeated there."""
    requires_python: str | None
    classifiers: tuple[str, ...]
    rust_version: str | None
    """``rust-version`` (MSRV) of the crate."""
    rust_toolchain: str | None
    """Channel of rust-toolchain(.toml): ``1.85.0``, ``stable``, ``nightly-2026-01-01``."""
    maturin_requirement: str | None
    """What ``[build-system] requires`` says of maturin: ``>=1.9,<2``."""
    extras: tuple[str, ...]
    dependency_groups: tuple[str, ...]
    reads_git: bool
    """Whether a build script looks at ``.git`` (vergen, built, git2, shadow-rs, or ``git`` in build.rs)."""
    cargo_config_files: tuple[Path, ...]
    """``.cargo/config.toml`` files in force, nearest first."""
    has_cibuildwheel: bool
    cibuildwheel: CibuildwheelFacts = field(default_factory=CibuildwheelFacts)
    """What ``[tool.cibuildwheel]`` says of Linux builds; empty without that table."""
    own_crates: tuple[str, ...] = ()
    """Names of the packages whose sources lie in the tree: the crate, the workspace's members, those named by path."""
    framework_crates: tuple[str, ...] = ()
    """Crates of the lock file that link Apple's frameworks and that every build for macOS needs."""
    optional_framework_crates: tuple[str, ...] = ()
    """Such crates that only optional dependencies need."""
