"""Makers of projects, settings and cells with usual values, for tests of the pure stages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from wheelworks.config.settings import CellSettings, Settings
from wheelworks.interpreters import parse_interpreter
from wheelworks.matrix import Cell
from wheelworks.project import Project
from wheelworks.targets import resolve_policy, target_named

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ROOT = Path("/project").absolute()

_Declared = TypeVar("_Declared", bound="DataclassInstance")


def changed(instance: _Declared, changes: dict[str, object]) -> _Declared:
    """The instance with fields changed by name, for tables of cases."""
    return replace(instance, **changes)


def a_project(**changes: object) -> Project:
    """A mixed PyO3 project named ``example``, with the given fields changed."""
    usual = Project(
        root=ROOT,
        source_root=ROOT,
        manifest_path=ROOT / "Cargo.toml",
        workspace_root=ROOT,
        has_lock_file=True,
        name="example",
        version="1.2.3",
        module_name="example._native",
        import_names=("example",),
        python_source=ROOT / "python",
        package_dirs=(ROOT / "python" / "example",),
        bindings="pyo3",
        pyo3_requirement="0.29",
        stable_abi=None,
        requires_python=None,
        classifiers=(),
        rust_version=None,
        rust_toolchain=None,
        maturin_requirement=">=1.9,<2",
        extras=(),
        dependency_groups=(),
        reads_git=False,
        cargo_config_files=(),
        has_cibuildwheel=False,
    )
    return changed(usual, changes)


def some_settings(**changes: object) -> Settings:
    """Settings for CPython 3.13 on manylinux_x86_64, with the given fields changed."""
    usual = Settings(pythons=("3.13",), targets=("manylinux_x86_64",), dist=ROOT / "dist")
    return changed(usual, changes)


def a_cell(python: str, target: str, *, compatibility: str = "auto", **changes: object) -> Cell:
    """The cell of an interpreter spec and a target, with the given settings changed."""
    spec = parse_interpreter(python)
    found = target_named(target)
    return Cell(
        id=f"{spec.tag}-{found.name}",
        interpreter=spec,
        target=found,
        policy=resolve_policy(found, compatibility),
        built_for=spec,
        settings=changed(CellSettings(), {"compatibility": compatibility, **changes}),
    )
