"""Build jobs whose steps run in containers: the crates are fetched first, then the network is off.

Pure: takes cells with the image that compiles them, gives Jobs. What they are told beyond their place is
``build_jobs.py``'s. Knows nothing of the disk; an image may still have to be built.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from wheelworks.build_environment import ZIG_VARIABLE, build_environment, common_environment
from wheelworks.build_jobs import (
    BuildPaths,
    build_key,
    cargo_jobs,
    job_of_build,
    seeding_family,
)
from wheelworks.container_choice import inside, is_ours, own_triple
from wheelworks.containers import paths
from wheelworks.maturin_call import maturin_argv, option_inputs
from wheelworks.plan import ContainerUse, ImageRequest, Mount, Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from wheelworks.build_groups import BuildGroup
    from wheelworks.build_jobs import BuildContext
    from wheelworks.containers.facts import ContainerFacts, ImageFacts
    from wheelworks.plan import Job
    from wheelworks.project import Project

FETCH_TIMEOUT_SECONDS = 900.0
#: A compiler under QEMU takes about forty times as long; a timeout is for what hangs.
EMULATION_FACTOR = 10
#: What leads cargo to registries as on the host. All may hold passwords, so they are passed, not set.
NETWORK_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "CARGO_NET_*",
    "CARGO_REGISTRIES_*",
    "CARGO_SOURCE_*",
)
_USER_CONFIG = "/.cargo/config.toml"
"""Where cargo meets the user's own configuration last of all, as it would in cargo's home."""
_OUTER_CONFIG = f"{paths.ROOT}/.cargo/config.toml"
"""The same for a configuration above the source root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a build's steps run."""

    containers: ContainerFacts
    image: ImageFacts
    key: str
    context: BuildContext
    """With the paths and programs inside."""
    outer: BuildContext
    """With those of the host."""
    environment: dict[str, str]
    """Of every step."""


def container_build_job(
    group: BuildGroup, context: BuildContext, *, engine_args: tuple[str, ...]
) -> Job:
    """The job that compiles, packs, audits and publishes one wheel, its steps in the group's image.

    Args:
        group: cells whose choices name an image.
        context: what every build of the plan shares.
        engine_args: further arguments of the engine's ``run``, from the configuration.
    """
    containers, image = context.host.containers, group.choices[0].image
    if containers is None or image is None:
        raise AssertionError(f"BUG: no engine or no image for {group.cells[0].id}")
    own = _context_inside(context, image)
    # The image stands for its Rust, whose version shows only once it is built: the key must not change then.
    keyed = replace(context, host=replace(own.host, rust=None))
    key = build_key(group, keyed)
    environment = build_environment(group, own.host, own.zig_python)
    if not is_ours(image) and ZIG_VARIABLE not in group.cells[0].settings.environment:
        # Where its zig is, only its own PATH says.
        environment.pop(ZIG_VARIABLE, None)
    place = _Place(
        containers=containers,
        image=image,
        key=key,
        context=own,
        outer=context,
        environment=_homes(own, common_environment(group.choices[0].rustup_toolchain)),
    )
    argv = maturin_argv(group, own, key)
    fetched = (*_lock_steps(place, engine_args), _fetch_step(group, place, engine_args))
    return job_of_build(
        group,
        context,
        key,
        steps=(*fetched, _compile_step(group, place, argv, environment, engine_args)),
        inputs={
            f"image {image.reference}": "",
            **option_inputs(group, environment, argv, key),
        },
        seeding_family=seeding_family(group, keyed),
    )


def image_requests(
    jobs: Iterable[Job], containers: ContainerFacts | None
) -> tuple[ImageRequest, ...]:
    """The images that have to be built first, each with the jobs that wait for it."""
    if containers is None:
        return ()
    waiting: dict[str, list[str]] = {}
    for job in jobs:
        for reference in job.images:
            waiting.setdefault(reference, []).append(job.id)
    return tuple(
        ImageRequest(
            role=image.role,
            platform=image.platform,
            reference=image.reference,
            needed_by=tuple(waiting[image.reference]),
            size_mib=image.size_mib,
            minutes=image.minutes,
        )
        for image in containers.images
        if image.image_id is None and image.reference in waiting
    )


def _context_inside(context: BuildContext, image: ImageFacts) -> BuildContext:
    """The same context seen from within: constant paths, the image's own programs."""
    project = context.project
    source = PurePath(project.source_root)

    def below(path: PurePath) -> str:
        relative = path.relative_to(source).as_posix()
        return paths.SOURCE if relative == "." else f"{paths.SOURCE}/{relative}"

    return replace(
        context,
        host=inside(context.host, image),
        maturin="maturin",
        zig_python=f"{paths.TOOLS}/bin/python",
        paths=BuildPaths(
            project=below(PurePath(project.root)),
            manifest=below(PurePath(project.manifest_path)),
            target_dir=paths.TARGET,
        ),
    )


def _homes(context: BuildContext, common: dict[str, str]) -> dict[str, str]:
    """Folders that the caller's uid can write, which the image knows nothing of."""
    return {
        **common,
        "HOME": paths.HOME,
        "USER": "wheelworks",
        "CARGO_HOME": paths.CARGO_HOME,
        "CARGO_TARGET_DIR": context.paths.target_dir,
        "ZIG_GLOBAL_CACHE_DIR": paths.ZIG_CACHE,
        "ZIG_LOCAL_CACHE_DIR": f"{paths.HOME}/zig",
        "XDG_CACHE_HOME": f"{paths.HOME}/cache",
        # Wrappers that the user's configuration names are programs of the host.
        "RUSTC_WRAPPER": "",
        "RUSTC_WORKSPACE_WRAPPER": "",
    }


def _lock_steps(place: _Place, engine_args: tuple[str, ...]) -> tuple[Step, ...]:
    """A project that commits no Cargo.lock gets one in the snapshot, because ``--locked`` needs it."""
    if place.context.project.has_lock_file:
        return ()
    argv = ("cargo", "generate-lockfile", "--manifest-path", place.context.paths.manifest)
    return (_networked("lock", argv, place, engine_args),)


def _fetch_step(group: BuildGroup, place: _Place, engine_args: tuple[str, ...]) -> Step:
    """Every crate that the triples need, and those that build scripts on the image's own triple do."""
    triples = dict.fromkeys(
        (*(choice.triple for choice in group.choices), own_triple(place.image.platform))
    )
    targets = (word for triple in triples for word in ("--target", triple))
    manifest = ("--manifest-path", place.context.paths.manifest)
    argv = ("cargo", "fetch", "--locked", *manifest, *targets)
    step = _networked("fetch", argv, place, engine_args)
    passed = group.cells[0].settings.environment_pass
    return replace(step, env_pass=(*step.env_pass, *passed))


def _networked(
    name: str, argv: tuple[str, ...], place: _Place, engine_args: tuple[str, ...]
) -> Step:
    certificates = {}
    if place.containers.ca_bundle is not None:
        names = ("SSL_CERT_FILE", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO")
        certificates = dict.fromkeys(names, paths.CA_BUNDLE)
    return Step(
        name=name,
        argv=argv,
        env={**place.environment, **certificates},
        env_pass=NETWORK_VARIABLES,
        cwd=place.context.paths.project,
        timeout_seconds=FETCH_TIMEOUT_SECONDS,
        container=_use(place, engine_args, network="host", writes=(paths.CARGO_HOME, paths.SOURCE)),
    )


def _compile_step(
    group: BuildGroup,
    place: _Place,
    argv: tuple[str, ...],
    environment: dict[str, str],
    engine_args: tuple[str, ...],
) -> Step:
    cell = group.cells[0]
    is_emulated = group.choices[0].toolchain == "emulated"
    # cargo-xwin fetches Microsoft's libraries while it links.
    is_closed = all(choice.linker != "xwin" for choice in group.choices)
    offline = {"CARGO_NET_OFFLINE": "true"} if is_closed else {}
    return Step(
        name="compile",
        argv=argv,
        env={
            **place.environment,
            **offline,
            **environment,
            "CARGO_BUILD_JOBS": str(cargo_jobs(place.context)),
        },
        env_pass=cell.settings.environment_pass
        if is_closed
        else (*NETWORK_VARIABLES, *cell.settings.environment_pass),
        cwd=place.context.paths.project,
        timeout_seconds=cell.settings.timeout_seconds * (EMULATION_FACTOR if is_emulated else 1),
        container=_use(place, engine_args, network="none" if is_closed else "host", writes=()),
    )


def _use(
    place: _Place,
    engine_args: tuple[str, ...],
    *,
    network: Literal["host", "none"],
    writes: tuple[str, ...],
) -> ContainerUse:
    engine = place.containers.engine
    return ContainerUse(
        engine=engine.path,
        engine_name=engine.name,
        image=place.image.reference,
        platform=place.image.platform,
        mounts=_mounts(place, writes),
        network=network,
        user=engine.user,
        keeps_id=engine.keeps_id,
        engine_args=engine_args,
    )


def _mounts(place: _Place, writes: tuple[str, ...]) -> tuple[Mount, ...]:
    """What every step sees; the snapshot and the crates can be written only by the steps that have to."""
    layout, containers, project = place.outer.layout, place.containers, place.outer.project
    readable = {
        _USER_CONFIG: containers.cargo_config,
        _OUTER_CONFIG: _outer_config(project),
        paths.CA_BUNDLE: containers.ca_bundle,
        paths.SDK: place.outer.host.macos_sdk if place.context.host.macos_sdk else None,
    }
    return (
        Mount(
            source=str(layout.source_dir / place.key),
            target=paths.SOURCE,
            is_read_only=paths.SOURCE not in writes,
        ),
        Mount(source=str(layout.build_dir / place.key), target=paths.TARGET),
        Mount(source="{staging}", target=paths.OUTPUT),
        Mount(source=str(layout.homes_dir / place.key), target=paths.HOME),
        Mount(source=containers.zig_cache, target=paths.ZIG_CACHE),
        Mount(
            source=containers.cargo_home,
            target=paths.CARGO_HOME,
            is_read_only=paths.CARGO_HOME not in writes,
        ),
        *(
            Mount(source=source, target=target, is_read_only=True)
            for target, source in readable.items()
            if source is not None
        ),
    )


def _outer_config(project: Project) -> str | None:
    """The nearest ``.cargo/config.toml`` above the source root, which the snapshot does not hold."""
    outside = (
        str(path)
        for path in project.cargo_config_files
        if not PurePath(path).is_relative_to(project.source_root)
    )
    return next(outside, None)
