"""The one maturin call of a build: its arguments, what they mean for the fingerprint, and the wheel it must give.

Pure: takes a group of cells and what every build of a plan shares. Does not know where it runs.
Source of the argv: maturin's own options (``maturin build --help``, 1.16.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from wheelworks.build_environment import environment_inputs
from wheelworks.build_groups import PYTHON_INDEPENDENT_BINDINGS
from wheelworks.plan import WheelExpectation
from wheelworks.targets import platform_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.build_groups import BuildGroup
    from wheelworks.build_jobs import BuildContext
    from wheelworks.matrix import Cell
    from wheelworks.project import Project

#: Where the build key is to be filled into a path.
KEY_PLACE = "{key}"


def maturin_argv(group: BuildGroup, context: BuildContext, key: str) -> tuple[str, ...]:
    """The one maturin call of a build."""
    cell = group.cells[0]
    settings = cell.settings
    is_linux = cell.target.system in ("manylinux", "musllinux")
    argv = [
        context.maturin, "build",
        "--profile", settings.profile,
        "--locked",
        "--target", group.choices[0].triple,
    ]  # fmt: skip
    if context.project.bindings not in PYTHON_INDEPENDENT_BINDINGS:
        argv += ["--interpreter", cell.built_for.maturin_name]
    # PyPI refuses what no policy names, so the wheel says which policy it is built for.
    argv += ["--compatibility", cell.policy] if is_linux else ["--compatibility", "pypi"]
    if any(choice.linker == "zig" for choice in group.choices):
        argv.append("--zig")
    argv += ["--manifest-path", context.paths.manifest.replace(KEY_PLACE, key)]
    argv += ["--target-dir", context.paths.target_dir.replace(KEY_PLACE, key), "--out", "{staging}"]
    if settings.features:
        # maturin forgets the features of [tool.maturin] when it is given others.
        features = dict.fromkeys((*context.project.maturin_features, *settings.features))
        argv += ["--features", ",".join(features)]
    if settings.no_default_features:
        argv.append("--no-default-features")
    return (*argv, *settings.maturin_args)


def wheel_expectation(cell: Cell, project: Project) -> WheelExpectation:
    """What the audit holds the cell's wheel to."""
    independent = project.bindings in PYTHON_INDEPENDENT_BINDINGS
    return WheelExpectation(
        name=canonicalize_name(project.name).replace("-", "_"),
        version=project.version,
        python_tag="py3" if independent else cell.built_for.python_tag,
        abi_tag="none" if independent else cell.built_for.abi_tag,
        platform_tags=platform_tags(cell.target, cell.policy),
        policy=cell.policy,
        module_name=project.module_name,
        import_names=project.import_names,
        bindings=project.bindings,
    )


def option_inputs(
    group: BuildGroup, environment: Mapping[str, str], argv: tuple[str, ...], key: str
) -> dict[str, str]:
    """What was asked for, as inputs: arguments, environment and the audit's exceptions.

    Args:
        group: the cells that the build serves.
        environment: as ``build_environment`` gives it.
        argv: maturin's call.
        key: as :func:`build_key` gives it.
    """
    cell = group.cells[0]
    inputs = {"arguments": portable(argv, key), **environment_inputs(group, environment)}
    if cell.settings.audit_ignore:
        inputs["ignored audit rules"] = ",".join(cell.settings.audit_ignore)
    return inputs


def portable(argv: tuple[str, ...], key: str) -> str:
    """The arguments without the places that name a folder of this run: those never change a wheel."""
    return " ".join("{folder}" if key in word else word for word in argv[1:])
