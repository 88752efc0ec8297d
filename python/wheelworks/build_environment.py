"""The variables that builds are given, taken away and fingerprinted by.

Pure: takes groups of cells and the host's facts, gives names and values. Reads no environment itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.targets import deployment_targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelworks.build_groups import BuildGroup
    from wheelworks.toolchains import HostFacts

#: What would send a build elsewhere, or make pyo3 rebuild or take another interpreter (pyo3-build-config's
#: env_var calls).
UNSET_FOR_BUILDS = (
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "CONDA_PREFIX",
    "MACOSX_DEPLOYMENT_TARGET",
    "PYO3_PYTHON",
    "VIRTUAL_ENV",
)
#: Of the variables that every child is given, what ends up in a wheel or an sdist.
ALWAYS_PASSED = ("SOURCE_DATE_EPOCH",)
ZIG_VARIABLE = "CARGO_ZIGBUILD_PYTHON_PATH"
#: Never an input: they change what is said and not what is built, or (zig's place) another input says it better.
NO_INPUTS = frozenset(
    {
        "CARGO_INCREMENTAL",
        "CARGO_TERM_COLOR",
        "CARGO_TERM_PROGRESS_WHEN",
        "CARGO_TERM_PROGRESS_WIDTH",
        "MATURIN_NO_INSTALL_RUST",
        "RUSTUP_AUTO_INSTALL",
        ZIG_VARIABLE,
    }
)


def build_environment(group: BuildGroup, host: HostFacts, zig_python: str) -> dict[str, str]:
    """What a build's environment holds on top of the allow-list, without what changes from run to run.

    Args:
        group: the cells that the build serves.
        host: the machine.
        zig_python: path of the interpreter that has ziglang.
    """
    environment = common_environment(group.choices[0].rustup_toolchain)
    if any(choice.linker == "zig" for choice in group.choices):
        environment[ZIG_VARIABLE] = zig_python
    if host.macos_sdk is not None and group.cells[0].target.system == "macosx":
        environment["SDKROOT"] = host.macos_sdk
    floors = deployment_targets(group.cells[0].target, group.cells[0].policy)
    if floors and floors != group.cells[0].target.minimum_macos:
        # zig stamps it into every slice; without it maturin takes Rust's floor of each architecture.
        environment["MACOSX_DEPLOYMENT_TARGET"] = floors[0][1]
    mingw = dict(host.mingw)
    for choice in group.choices:
        if choice.linker == "mingw":
            variable = choice.triple.upper().replace("-", "_")
            environment[f"CARGO_TARGET_{variable}_LINKER"] = mingw[choice.triple].path
    environment.update(group.cells[0].settings.environment)
    return environment


def environment_inputs(group: BuildGroup, environment: Mapping[str, str]) -> dict[str, str]:
    """What of a build's environment is an input: another value may give another wheel.

    Args:
        group: the cells that the build serves.
        environment: as :func:`build_environment` gives it.
    """
    inputs = {
        f"env {name}": value for name, value in sorted(environment.items()) if name not in NO_INPUTS
    }
    return inputs | passed_inputs(group.cells[0].settings.environment_pass)


def passed_inputs(names: Sequence[str] = ()) -> dict[str, str]:
    """The inputs that stand for variables of the caller; ``freshness.job_inputs`` fills in their digests."""
    return {f"passed env {name}": "" for name in (*ALWAYS_PASSED, *names)}


def common_environment(toolchain: str | None) -> dict[str, str]:
    """What every step of cargo and maturin gets; the toolchain is rustup's to choose when it is None."""
    named = {"RUSTUP_TOOLCHAIN": toolchain} if toolchain is not None else {}
    return {
        # Incremental data only serves repeated debug builds and doubles the target folder.
        "CARGO_INCREMENTAL": "0",
        "CARGO_TERM_COLOR": "never",
        # cargo draws its progress bar into a pipe only when told to; the executor reads it.
        "CARGO_TERM_PROGRESS_WHEN": "always",
        "CARGO_TERM_PROGRESS_WIDTH": "160",
        # Without this maturin's PEP 517 path would download a Rust of its own.
        "MATURIN_NO_INSTALL_RUST": "1",
        # What rustup has to add is in the plan; a build must not start a download on its own.
        "RUSTUP_AUTO_INSTALL": "0",
        **named,
    }
