"""Where the tests of a cell run: on this host, in a container of the target's platform, under wine; or why nowhere.

Takes a cell, the interpreter to test with and HostFacts; gives a frozen choice. Probes nothing, plans no steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wheelworks.runnable import can_run_tests
from wheelworks.rust_choice import Obstacle

if TYPE_CHECKING:
    from wheelworks.containers.facts import ContainerFacts, ImageFacts
    from wheelworks.interpreters import InterpreterSpec
    from wheelworks.matrix import Cell
    from wheelworks.toolchains import FoundTool, HostFacts

_NATIVE_PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlace:
    """Where one cell is tested, and with which interpreter."""

    interpreter: str
    """Its path there."""
    identity: str
    """What a fingerprint remembers of the interpreter."""
    reason: str
    image: ImageFacts | None = None
    """The image of the container; None outside of containers."""
    wine: FoundTool | None = None
    """The wine that runs it; None where Windows programs are not needed."""
    is_emulated: bool = False

    __test__ = False


def choose_place(
    cell: Cell, spec: InterpreterSpec, host: HostFacts, *, emulates: bool
) -> TestPlace | Obstacle:
    """Where the cell's wheel is tested; the host goes first, because nothing is nearer to a user's machine.

    Args:
        cell: what is tested.
        spec: the interpreter to test with.
        host: the machine.
        emulates: whether containers of another architecture may be used: they are slow, so only for cells that
            somebody named.
    """
    on_host = _on_host(cell, spec, host)
    if isinstance(on_host, TestPlace):
        return on_host
    elsewhere = (
        _under_wine(cell, spec, host)
        if cell.target.system == "win"
        else _in_container(cell, spec, host, emulates=emulates)
    )
    if elsewhere is None:
        return on_host
    if isinstance(elsewhere, TestPlace):
        return elsewhere
    return Obstacle(
        reason=f"{on_host.reason}; {elsewhere.reason}", cure=elsewhere.cure or on_host.cure
    )


def needs_container(cell: Cell, spec: InterpreterSpec, host: HostFacts, *, emulates: bool) -> bool:
    """Whether only a container could run the cell's tests, so that the engine is worth asking."""
    platform = cell.target.oci_platform
    if platform is None or isinstance(_on_host(cell, spec, host), TestPlace):
        return False
    return emulates or platform == _NATIVE_PLATFORMS.get(host.machine)


def is_ready_in_container(cell: Cell, spec: InterpreterSpec, host: HostFacts) -> bool:
    """Whether an image that is there already has the interpreter, so that none need be downloaded."""
    place = _in_container(cell, spec, host, emulates=False)
    return (
        isinstance(place, TestPlace)
        and place.image is not None
        and place.image.image_id is not None
    )


def spoken(spec: InterpreterSpec) -> str:
    """The interpreter as people call it: ``CPython 3.14 (free-threaded)``."""
    name = "PyPy" if spec.implementation == "pp" else "CPython"
    threaded = " (free-threaded)" if spec.free_threaded else ""
    return f"{name} {spec.version}{threaded}"


def _on_host(cell: Cell, spec: InterpreterSpec, host: HostFacts) -> TestPlace | Obstacle:
    cannot_run = can_run_tests(cell.target, host, cell.policy)
    if cannot_run is not None:
        return Obstacle(reason=cannot_run, cure=None)
    found = next((one for one in host.interpreters if one.spec == spec.spec), None)
    if found is None:
        problem = dict(host.interpreter_problems).get(spec.spec)
        return Obstacle(
            reason=f"no {spoken(spec)}: "
            + (problem or "none was found on PATH or in pyenv's or uv's folders"),
            cure=f"install it (uv python install {spec.spec}), or name it in [tool.wheelworks.interpreters]",
        )
    return TestPlace(
        interpreter=found.path,
        identity=f"{found.version} {found.path}",
        reason=f"{found.path} ({found.origin}) is Python {found.version}",
    )


def _in_container(
    cell: Cell, spec: InterpreterSpec, host: HostFacts, *, emulates: bool
) -> TestPlace | Obstacle | None:
    """None where there is nothing to say: no container is of the target, or nobody looked for an engine."""
    platform = cell.target.oci_platform
    if platform is None:
        return None
    containers = host.containers
    if containers is None:
        return _without_engine(cell, platform, host, emulates=emulates)
    is_emulated = platform != containers.engine.platform
    if not containers.runs(platform):
        problem = dict(containers.emulation_problems).get(platform)
        return Obstacle(
            reason=problem or f"containers of {platform} don't run here",
            cure="wheelworks doctor --fix",
        )
    if is_emulated and not emulates:
        return _only_when_named(cell)
    image = _image(cell, spec, containers, platform)
    if isinstance(image, Obstacle):
        return image
    path = dict(image.pythons)[spec.spec]
    under = f" under emulation of {platform}" if is_emulated else ""
    return TestPlace(
        interpreter=path,
        identity=f"{spec.spec} {path}",
        reason=f"{spoken(spec)} of the image {image.reference}{under}",
        image=image,
        is_emulated=is_emulated,
    )


def _without_engine(
    cell: Cell, platform: str, host: HostFacts, *, emulates: bool
) -> Obstacle | None:
    is_native = platform == _NATIVE_PLATFORMS.get(host.machine)
    if not is_native and not emulates:
        return _only_when_named(cell)
    return host.containers_missing


def _only_when_named(cell: Cell) -> Obstacle:
    return Obstacle(
        reason="under emulation, which is slow, cells are tested when they are named",
        cure=f"wheelworks test '*-{cell.target.name}'",
    )


def _image(
    cell: Cell, spec: InterpreterSpec, containers: ContainerFacts, platform: str
) -> ImageFacts | Obstacle:
    """The image that has the interpreter: one that is there before one that would have to be built."""
    libc: Literal["glibc", "musl"] = "musl" if cell.target.system == "musllinux" else "glibc"
    images = containers.test_images(platform, libc)
    fitting = [one for one in images if spec.spec in dict(one.pythons)]
    available = sorted(
        (one for one in fitting if one.is_available), key=lambda one: one.image_id is None
    )
    if available:
        return available[0]
    for one in fitting or images:
        if one.cannot_provide_reason is not None and not one.is_available:
            return Obstacle(reason=one.cannot_provide_reason, cure=one.cure)
    if not images:
        return Obstacle(reason=f"there is no image of {platform} with {libc} for tests", cure=None)
    there = ", ".join(dict.fromkeys(python for one in images for python, _ in one.pythons))
    return Obstacle(
        reason=f"no image of {platform} has {spoken(spec)}, only {there or 'other things'}",
        cure=None,
    )


def _under_wine(cell: Cell, spec: InterpreterSpec, host: HostFacts) -> TestPlace | Obstacle | None:
    if host.system == "windows":
        return None
    if cell.target.arch != "amd64" or host.machine != "x86_64":
        return Obstacle(
            reason=f"under wine only win_amd64 wheels are tested, on x86_64: not {cell.target.name} on {host.machine}",
            cure=None,
        )
    path = dict(host.wine_pythons).get(spec.spec)
    if host.wine is None:
        return Obstacle(
            reason="there is no wine here",
            cure="install wine, and name a Windows python.exe for each interpreter in [tool.wheelworks.wine-pythons]",
        )
    if path is None:
        return Obstacle(
            reason=f"no Windows {spoken(spec)} is named for wine",
            cure=f"name its python.exe in [tool.wheelworks.wine-pythons] for {spec.spec}",
        )
    return TestPlace(
        interpreter=path,
        identity=f"{path} by wine {host.wine.version}",
        reason=f"{path} runs under wine {host.wine.version}",
        wine=host.wine,
        is_emulated=True,
    )
