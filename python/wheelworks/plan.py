"""Cells + HostFacts -> Plan of Jobs.

Pure: takes values, gives frozen values; every job with its toolchain, argv, environment, inputs,
outputs, timeout and the reason for each choice. The executors add nothing of their own but the values of
the placeholders listed at ``Step``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

    from wheelworks.containers.facts import ImageRole
    from wheelworks.events import JobKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder or file of the host that a container sees."""

    source: str
    """On the host; placeholders are filled with the host's paths."""
    target: str
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUse:
    """The container that a step runs in; removed when the step ends."""

    engine: str
    """Path of the engine's client."""
    engine_name: Literal["docker", "podman"]
    image: str
    platform: str
    """``linux/amd64``"""
    mounts: tuple[Mount, ...]
    network: Literal["host", "none", "bridge"]
    user: str | None
    keeps_id: bool = False
    engine_args: tuple[str, ...] = ()
    """Further arguments of ``run``, from the configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One process that a job starts, on the host or in a container.

    In a container argv, env, cwd and path_prepend are the container's: nothing of the host's environment is passed
    but what ``env`` and ``env_pass`` name, and ``{staging}``, ``{scratch}``, ``{wheel}`` stand for the paths inside
    (``containers/paths.py``); the sources of its mounts are the host's.

    Placeholders in argv, env and cwd, filled by the executor: ``{wheel}`` (path of the wheel under test),
    ``{staging}`` (private output folder of this job run), ``{scratch}`` (fresh temporary folder of this job run).
    """

    name: str
    """``fetch``, ``compile``, ``install``, ``test``: unique within the job."""
    argv: tuple[str, ...]
    env: Mapping[str, str]
    """Variables set on top of the allow-listed ones."""
    unset: tuple[str, ...] = ()
    env_pass: tuple[str, ...] = ()
    """Further names of the caller's variables that are passed on."""
    path_prepend: tuple[str, ...] = ()
    """Folders put before the caller's PATH (placeholders are filled)."""
    cwd: str
    timeout_seconds: float
    container: ContainerUse | None = None
    makes_containers_with: str | None = None
    """Path of the engine's client, of a step on the host whose program makes a container by itself. ``{cidfile}`` is
    where that container's id has to go, and ``{run}`` the run's id for its label; what outlives the step is removed."""


def fill(text: str, placeholders: Mapping[str, str]) -> str:
    """The text with ``{name}`` replaced for every known name; other braces stay."""
    for name, value in placeholders.items():
        text = text.replace("{" + name + "}", value)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelExpectation:
    """What the wheel of a build job must be; the audit holds it to this."""

    name: str
    version: str
    python_tag: str
    abi_tag: str
    platform_tags: tuple[str, ...]
    """Any of maturin's equivalent tags; the first is canonical."""
    policy: str
    module_name: str
    import_names: tuple[str, ...]
    bindings: str = "pyo3"
    """What ``project.Bindings`` says: wheels of ``bin``, ``cffi`` and ``uniffi`` have rules of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlan:
    """What a test job prepares before its steps run."""

    sources: tuple[str, ...] | None
    """Patterns of the files to copy; None for all but the package itself."""
    package_dirs: tuple[str, ...]
    """The package's own folders and files, relative to the source root: never copied."""
    guarded_names: tuple[str, ...]
    """Import names that must come from the environment under test."""
    interpreter: str
    """Path of the interpreter the environment is made with."""
    interpreter_spec: str

    __test__ = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Planned work."""

    id: str
    """``build cp313-manylinux_x86_64``, ``test cp313-manylinux_x86_64``, ``sdist``."""
    kind: JobKind
    cells: tuple[str, ...]
    """Cell ids that it serves."""
    needs: tuple[str, ...]
    """Ids of jobs that must have succeeded or be up to date."""
    toolchain: str | None
    build_key: str | None
    """Name of the folders below ``.wheelworks/build`` and ``.wheelworks/source``; also the lock's name."""
    steps: tuple[Step, ...]
    inputs: Mapping[str, str]
    """What the job reads besides the source tree: name -> value or digest (``rustc``, ``maturin``, ``zig``,
    ``option features``, ``env RUSTFLAGS``). Part of the fingerprint."""
    reads_sources: bool
    expects: WheelExpectation | None
    cores: int
    memory_mib: int
    timeout_seconds: float
    estimate_seconds: float | None
    reasons: tuple[str, ...]
    """Why this toolchain, these arguments."""
    audit_ignore: tuple[str, ...] = ()
    """Rule ids that do not refuse this job's wheel."""
    git_beside_snapshot: bool = False
    test: TestPlan | None = None
    """Of test jobs: what is copied and guarded."""
    merges: tuple[str, str] | None = None
    """Of universal2 builds: the ids of the jobs whose wheels are merged, x86_64 first. Such a job has no steps."""
    is_published: bool = True
    """Whether its wheel appears in ``dist/``; a slice that only a merge needs lies in ``Layout.slices_dir``."""
    is_emulated: bool = False
    """Whether its processes run under an emulator (QEMU, wine)."""
    images: tuple[str, ...] = ()
    """References of the images that its steps run in; their ids are inputs."""
    seeding_family: str | None = None
    """Common to builds whose target folders differ only in what depends on the interpreter: one may begin with a copy
    of another's. None where there is nothing to share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnavailableCell:
    """A selected cell that can't be built or tested here; or the sdist, as the cell ``sdist``."""

    cell: str
    kind: JobKind
    reason: str
    cure: str | None

    @property
    def job_id(self) -> str:
        """The id that its job would have."""
        return "sdist" if self.kind == "sdist" else f"{self.kind} {self.cell}"

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that its job would serve."""
        return () if self.kind == "sdist" else (self.cell,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where things lie. All absolute."""

    project_root: PurePath
    source_root: PurePath
    state_dir: PurePath
    """``.wheelworks`` in the project."""
    dist_dir: PurePath
    tools_dir: PurePath
    """The user's folder of tool environments."""

    @property
    def build_dir(self) -> PurePath:
        """Cargo target folders, one per build key."""
        return self.state_dir / "build"

    @property
    def source_dir(self) -> PurePath:
        """Snapshots, one per build key."""
        return self.state_dir / "source"

    @property
    def slices_dir(self) -> PurePath:
        """Wheels that are only merged into others, one folder per build key."""
        return self.state_dir / "slices"

    @property
    def homes_dir(self) -> PurePath:
        """HOME of containers, one per build key."""
        return self.state_dir / "homes"

    def place_of(self, job: Job) -> PurePath:
        """The folder where a job's artifact lies."""
        return self.dist_dir if job.is_published else self.slices_dir / str(job.build_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """A Python tool that must be there before the jobs start, in an environment of its own."""

    name: Literal[
        "maturin", "ziglang", "uv", "abi3audit", "virtualenv", "cibuildwheel", "auditwheel", "build"
    ]
    requirement: str
    """``maturin==1.16.0``"""
    is_pinned: bool
    """Whether resources/tools/ holds its hashes."""
    reason: str = ""
    """Why this version and no other, for the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """Something installed before the jobs start."""

    argv: tuple[str, ...]
    what: str
    """``standard library of aarch64-unknown-linux-gnu``"""
    needed_by: tuple[str, ...]
    """Ids of the jobs that can't run without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """An image that has to be built before the jobs that run in it start."""

    role: ImageRole
    platform: str
    reference: str
    needed_by: tuple[str, ...]
    """Ids of jobs."""
    size_mib: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All work of one run, before anything is started."""

    jobs: tuple[Job, ...]
    """In an order that respects ``needs``."""
    unavailable: tuple[UnavailableCell, ...]
    selected_cells: tuple[str, ...]
    tools: tuple[ToolRequest, ...]
    provisioning: tuple[Provisioning, ...]
    images: tuple[ImageRequest, ...] = ()
    """Images to build, each before the first job that needs it."""
    cores: int
    memory_mib: int

    def cells_behind(self, job: Job) -> tuple[str, ...]:
        """The cells of the wheels that are merged from a job's."""
        return tuple(
            cell for one in self.jobs if job.id in (one.merges or ()) for cell in one.cells
        )
