"""Build and sdist jobs: one maturin call each, complete with argv, environment and build key.

Pure: takes cells with their chosen toolchains, gives Jobs. Knows nothing of the disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from wheelworks.build_environment import (
    UNSET_FOR_BUILDS,
    build_environment,
    common_environment,
    passed_inputs,
)
from wheelworks.build_groups import shared_tag
from wheelworks.maturin_call import (
    KEY_PLACE,
    maturin_argv,
    option_inputs,
    portable,
    wheel_expectation,
)
from wheelworks.plan import Job, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.build_groups import BuildGroup
    from wheelworks.plan import Layout
    from wheelworks.planner import PlanRequest
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts
    from wheelworks.tools import ToolEnvironment

SDIST_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPaths:
    """Where a build key's folders lie, as text in which the key is still to be filled in.

    Text, because joining paths anew for every job was half of the time of a large plan.
    """

    project: str
    """The project's folder inside the snapshot, which mirrors the source root."""
    manifest: str
    """The crate's Cargo.toml inside the snapshot."""
    target_dir: str
    """Cargo's target folder."""

    @classmethod
    def of(cls, layout: Layout, project: Project) -> BuildPaths:
        """The paths of a project."""
        snapshot = layout.source_dir / KEY_PLACE
        return cls(
            project=str(snapshot / PurePath(project.root).relative_to(project.source_root)),
            manifest=str(
                snapshot / PurePath(project.manifest_path).relative_to(project.source_root)
            ),
            target_dir=str(layout.build_dir / KEY_PLACE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """What every build of a plan shares."""

    project: Project
    host: HostFacts
    layout: Layout
    tools: Mapping[str, ToolEnvironment]
    maturin: str
    """Path of the program."""
    zig_python: str
    """Path of the interpreter that has ziglang."""
    estimates: Mapping[str, float]
    paths: BuildPaths
    cores_per_build: int
    memory_mib: int
    git_beside_snapshot: bool

    @classmethod
    def of(cls, request: PlanRequest, *, cores: int, concurrency: int) -> BuildContext:
        """The context of a request when so many builds share the processors."""
        wants_git = request.settings.snapshot_git
        return cls(
            project=request.project,
            host=request.host,
            layout=request.layout,
            tools=request.tools,
            maturin=request.tools["maturin"].program("maturin"),
            zig_python=request.tools["ziglang"].python,
            estimates=request.estimates,
            paths=BuildPaths.of(request.layout, request.project),
            cores_per_build=max(1, cores // concurrency),
            memory_mib=request.settings.memory_per_build_mib,
            git_beside_snapshot=wants_git == "always"
            or (wants_git == "auto" and request.project.reads_git),
        )


def build_job(group: BuildGroup, context: BuildContext) -> Job:
    """The job that compiles, packs, audits and publishes one wheel on the host."""
    cell = group.cells[0]
    key = build_key(group, context)
    argv = maturin_argv(group, context, key)
    environment = build_environment(group, context.host, context.zig_python)
    compile_step = Step(
        name="compile",
        argv=argv,
        env={**environment, "CARGO_BUILD_JOBS": str(cargo_jobs(context))},
        unset=UNSET_FOR_BUILDS,
        env_pass=cell.settings.environment_pass,
        cwd=context.paths.project.replace(KEY_PLACE, key),
        timeout_seconds=cell.settings.timeout_seconds,
    )
    return job_of_build(
        group,
        context,
        key,
        steps=(*_lock_steps(context, key, group.choices[0].rustup_toolchain), compile_step),
        inputs={**_tool_inputs(context, argv), **option_inputs(group, environment, argv, key)},
        seeding_family=seeding_family(group, context),
    )


def job_of_build(
    group: BuildGroup,
    context: BuildContext,
    key: str,
    *,
    steps: tuple[Step, ...],
    inputs: Mapping[str, str],
    seeding_family: str | None = None,
) -> Job:
    """The job of a build, whatever its steps run in.

    Args:
        group: the cells that it serves.
        context: what every build of the plan shares.
        key: as :func:`build_key` gives it.
        steps: ending with the one that leaves the wheel in the staging folder.
        inputs: what it reads besides the source tree.
        seeding_family: as :func:`seeding_family` gives it; None where cargo's target folder is not kept.
    """
    cell = group.cells[0]
    job_id = f"build {shared_tag(cell, context.project)}-{cell.target.name}"
    images = (choice.image.reference for choice in group.choices if choice.image is not None)
    return Job(
        id=job_id,
        kind="build",
        cells=tuple(member.id for member in group.cells),
        needs=(),
        toolchain=group.choices[0].toolchain,
        build_key=key,
        steps=steps,
        inputs=inputs,
        reads_sources=True,
        expects=wheel_expectation(cell, context.project),
        cores=context.cores_per_build,
        memory_mib=context.memory_mib,
        timeout_seconds=steps[-1].timeout_seconds,
        estimate_seconds=context.estimates.get(job_id),
        reasons=tuple(
            dict.fromkeys(reason for choice in group.choices for reason in choice.reasons)
        ),
        audit_ignore=cell.settings.audit_ignore,
        git_beside_snapshot=context.git_beside_snapshot,
        is_emulated=group.choices[0].toolchain == "emulated",
        images=tuple(dict.fromkeys(images)),
        seeding_family=seeding_family,
    )


def sdist_job(context: BuildContext) -> Job:
    """The job that packs and checks the source distribution."""
    key = "sdist"
    argv = (
        context.maturin, "sdist",
        "--manifest-path", context.paths.manifest.replace(KEY_PLACE, key),
        "--out", "{staging}",
    )  # fmt: skip
    return Job(
        id="sdist",
        kind="sdist",
        cells=(),
        needs=(),
        toolchain="host",
        build_key=key,
        steps=(
            *_lock_steps(context, key, _packing_toolchain(context)),
            Step(
                name="pack",
                argv=argv,
                env=common_environment(_packing_toolchain(context)),
                unset=UNSET_FOR_BUILDS,
                cwd=context.paths.project.replace(KEY_PLACE, key),
                timeout_seconds=SDIST_TIMEOUT_SECONDS,
            ),
        ),
        inputs={
            **_tool_inputs(context, argv),
            "arguments": portable(argv, key),
            **passed_inputs(),
        },
        reads_sources=True,
        expects=None,
        cores=1,
        memory_mib=256,
        timeout_seconds=SDIST_TIMEOUT_SECONDS,
        estimate_seconds=context.estimates.get("sdist"),
        reasons=("maturin packs the files of the snapshot",),
        git_beside_snapshot=context.git_beside_snapshot,
    )


def build_key(group: BuildGroup, context: BuildContext) -> str:
    """Name of the build's folders: readable, and with a hash of everything that must not share a target folder.

    Triple, ABI tag, features, profile, rustc, linker, policy, toolchain and image (docs/design.md section 7).
    """
    cell = group.cells[0]
    tag = shared_tag(cell, context.project)
    return f"{tag}-{cell.target.name}-{_digest(tag, _without_interpreter(group, context))}"


def seeding_family(group: BuildGroup, context: BuildContext) -> str:
    """Name common to builds that differ in the version of their interpreter only.

    Not in its kind: maturin's configuration file of PyO3 has the same name for 3.14 and 3.14t (1.16.0), so what
    tells them apart is better not left to times of files.
    """
    built_for = group.cells[0].built_for
    kind = (built_for.implementation, built_for.free_threaded, built_for.is_stable_abi)
    return f"{group.cells[0].target.name}-{_digest(kind, _without_interpreter(group, context))}"


def _without_interpreter(group: BuildGroup, context: BuildContext) -> tuple[object, ...]:
    """What must not share a target folder, but for the interpreter."""
    cell = group.cells[0]
    rust = context.host.rust
    parts: tuple[object, ...] = (
        [choice.triple for choice in group.choices], cell.policy, cell.settings.features,
        cell.settings.no_default_features, cell.settings.profile, cell.settings.maturin_args,
        sorted(cell.settings.environment.items()), cell.settings.environment_pass,
        [(choice.linker, choice.rustup_toolchain) for choice in group.choices],
        rust.rustc.version if rust else "", context.paths.manifest,
    )  # fmt: skip
    image = group.choices[0].image
    return parts if image is None else (*parts, group.choices[0].toolchain, image.reference)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:8]


def _packing_toolchain(context: BuildContext) -> str | None:
    """The Rust of the sdist: that which was probed, because packing only asks cargo for metadata.

    The one of the project's rust-toolchain.toml may be missing; the cells that need it are unavailable then.
    """
    rust = context.host.rust
    if context.project.rust_toolchain is None or rust is None:
        return None
    return rust.toolchain


def cargo_jobs(context: BuildContext) -> int:
    """How many processes cargo may start: twice the build's share.

    While one build links on one thread, another uses the processor.
    """
    return max(1, min(context.host.cores, 2 * context.cores_per_build))


def _lock_steps(context: BuildContext, key: str, toolchain: str | None) -> tuple[Step, ...]:
    """A project that commits no Cargo.lock gets one in the snapshot, because ``--locked`` needs it."""
    if context.project.has_lock_file:
        return ()
    manifest = context.paths.manifest.replace(KEY_PLACE, key)
    return (
        Step(
            name="lock",
            argv=("cargo", "generate-lockfile", "--manifest-path", manifest),
            env=common_environment(toolchain),
            unset=UNSET_FOR_BUILDS,
            cwd=context.paths.project.replace(KEY_PLACE, key),
            timeout_seconds=SDIST_TIMEOUT_SECONDS,
        ),
    )


def _tool_inputs(context: BuildContext, argv: tuple[str, ...]) -> dict[str, str]:
    inputs = {"maturin": context.tools["maturin"].identity}
    if "--zig" in argv:
        inputs["ziglang"] = context.tools["ziglang"].identity
    rust = context.host.rust
    if rust is not None:
        inputs["rustc"] = f"{rust.rustc.version} ({rust.rustc.size} bytes)"
        inputs["cargo"] = rust.cargo.version
    return inputs
