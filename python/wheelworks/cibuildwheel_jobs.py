"""Build jobs that cibuildwheel carries out: one call for one wheel, in the snapshot.

Pure: takes cells with their chosen image, gives Jobs; ``cibuildwheel_variables.py`` says what cibuildwheel is told. The
project's own ``[tool.cibuildwheel]`` is read by cibuildwheel itself.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from wheelworks.build_environment import UNSET_FOR_BUILDS, common_environment, passed_inputs
from wheelworks.build_jobs import build_key, job_of_build
from wheelworks.cibuildwheel_choice import identifier_python
from wheelworks.cibuildwheel_variables import common_variables, container_variables
from wheelworks.container_jobs import EMULATION_FACTOR
from wheelworks.containers.invocation import ENGINE_VARIABLES
from wheelworks.maturin_call import KEY_PLACE
from wheelworks.plan import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.build_groups import BuildGroup
    from wheelworks.build_jobs import BuildContext
    from wheelworks.plan import Job

#: Of cibuildwheel's variables: what says where and how it works, and does not change a wheel.
_NO_INPUTS = frozenset({"CIBW_CONTAINER_ENGINE", "CIBW_INHERIT", "CIBW_ENVIRONMENT_PASS_LINUX"})


def cibuildwheel_job(group: BuildGroup, context: BuildContext) -> Job:
    """The job that lets cibuildwheel build one wheel, and audits and publishes it.

    Args:
        group: cells whose toolchain is cibuildwheel.
        context: what every build of the plan shares.
    """
    key = build_key(group, context)
    variables = dict(common_variables(group, context))
    engine = None
    if group.cells[0].target.oci_platform is not None:
        variables |= container_variables(group, context)
        engine = context.host.containers.engine if context.host.containers is not None else None
    variables |= {
        name: value
        for name, value in group.cells[0].settings.environment.items()
        if name.startswith("CIBW_")
    }
    is_emulated = _is_emulated(group, context)
    step = _step(group, context, key, variables, is_emulated=is_emulated)
    if engine is not None:
        step = replace(
            step,
            env_pass=(*step.env_pass, *ENGINE_VARIABLES),
            path_prepend=(str(PurePath(engine.path).parent),),
            makes_containers_with=engine.path,
        )
    job = job_of_build(
        group, context, key, steps=(step,), inputs=_inputs(group, context, step, variables)
    )
    return replace(job, is_emulated=is_emulated)


def _step(
    group: BuildGroup,
    context: BuildContext,
    key: str,
    variables: Mapping[str, str],
    *,
    is_emulated: bool,
) -> Step:
    settings = group.cells[0].settings
    return Step(
        name="compile",
        argv=(
            context.tools["cibuildwheel"].program("cibuildwheel"),
            "--only", _identifier(group, context),
            "--output-dir", "{staging}",
            context.paths.project.replace(KEY_PLACE, key),
        ),
        env={**common_environment(group.choices[0].rustup_toolchain), **variables},
        unset=UNSET_FOR_BUILDS,
        env_pass=_passed(group, context),
        # All of the folder that it is started in is copied into its container.
        cwd=str(context.layout.source_dir / key),
        timeout_seconds=settings.timeout_seconds * (EMULATION_FACTOR if is_emulated else 1),
    )  # fmt: skip


def _identifier(group: BuildGroup, context: BuildContext) -> str:
    """What cibuildwheel calls the build: the cell's id, but for a stable ABI that another interpreter builds."""
    cell, image = group.cells[0], group.choices[0].image
    available = tuple(spec for spec, _ in image.pythons) if image is not None else None
    python = identifier_python(cell, context.project, available)
    if python is None:
        raise AssertionError(f"BUG: cibuildwheel was chosen for {cell.id} and has no Python for it")
    return f"{python.tag}-{cell.target.name}"


def _is_emulated(group: BuildGroup, context: BuildContext) -> bool:
    platform = group.cells[0].target.oci_platform
    containers = context.host.containers
    return (
        platform is not None and containers is not None and platform != containers.engine.platform
    )


def _inputs(
    group: BuildGroup, context: BuildContext, step: Step, variables: Mapping[str, str]
) -> dict[str, str]:
    """What the wheel depends on besides the sources, ``[tool.cibuildwheel]`` among them."""
    settings, image = group.cells[0].settings, group.choices[0].image
    rust = context.host.rust if step.makes_containers_with is None else None
    return {
        "cibuildwheel": context.tools["cibuildwheel"].identity,
        "arguments": f"--only {_identifier(group, context)}",
        **({f"image {image.reference}": ""} if image is not None else {}),
        **({"rustc": f"{rust.rustc.version} ({rust.rustc.size} bytes)"} if rust else {}),
        **{
            f"env {name}": value
            for name, value in sorted(variables.items())
            if name not in _NO_INPUTS
        },
        **(
            {"ignored audit rules": ",".join(settings.audit_ignore)}
            if settings.audit_ignore
            else {}
        ),
        **passed_inputs(_passed(group, context)),
    }


def _passed(group: BuildGroup, context: BuildContext) -> tuple[str, ...]:
    """Names of the caller's variables that cibuildwheel hands on."""
    theirs = context.project.cibuildwheel.environment_pass
    return tuple(dict.fromkeys((*theirs, *group.cells[0].settings.environment_pass)))
