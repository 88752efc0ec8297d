"""Doctor's checks of containers: engine, base, images, emulation, room on disks, certificates, SDK and wine.

Pure: takes plans, the host's facts and a survey, gives checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.doctor_model import Check, Mending

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.containers.facts import ContainerFacts, ImageFacts
    from wheelworks.doctor_model import Survey
    from wheelworks.plan import Plan
    from wheelworks.toolchains import HostFacts

#: Roughly what cargo's target folder of one build takes; LTO of a large crate takes more.
BUILD_MIB = 300
#: Of images and builds together, so that nothing starts that can't end.
SPARE_MIB = 500
_GIB_IN_MIB = 1024
_BOOTSTRAP = "mmdebstrap"
_QEMU = "qemu-user-static"


def container_checks(
    builds: Plan, tests: Plan, host: HostFacts, survey: Survey, *, wanted: frozenset[str]
) -> tuple[Check, ...]:
    """The checks, in the order in which they are mended.

    Args:
        builds: plan of the builds of the whole matrix.
        tests: plan of its tests.
        host: the machine.
        survey: what else was asked of it.
        wanted: platforms of containers that cells of the matrix are for: ``linux/arm64``.
    """
    needed = {image.reference for plan in (builds, tests) for image in plan.images}
    return (
        _engine(host, survey),
        *_containers(host.containers, survey, needed, wanted),
        *_spaces(builds, host.containers, survey, needed),
        *_sdk(builds, host),
        *_wine(host),
    )


def _engine(host: HostFacts, survey: Survey) -> Check:
    if host.containers is None:
        missing = host.containers_missing
        return Check(
            subject="container engine",
            state="missing",
            detail=missing.reason if missing is not None else "none was looked for",
            hint=missing.cure if missing is not None else None,
        )
    engine = host.containers.engine
    client = f", client {survey.client_version}" if survey.client_version else ""
    return Check(
        subject="container engine",
        state="good",
        detail=f"{engine.name} {engine.version}{client}, {engine.platform} ({engine.path})",
    )


def _containers(
    containers: ContainerFacts | None, survey: Survey, needed: set[str], wanted: frozenset[str]
) -> Iterable[Check]:
    if containers is None:
        return
    yield _certificates(containers)
    yield from _base(containers, survey, needed)
    yield from _emulation(containers, survey, wanted)
    for image in containers.images:
        yield _image(image, is_needed=image.reference in needed)


def _certificates(containers: ContainerFacts) -> Check:
    bundle = containers.ca_bundle
    return Check(
        subject="certificates",
        state="good",
        detail=f"{bundle} goes into containers" if bundle else "those of the images",
    )


def _base(containers: ContainerFacts, survey: Survey, needed: set[str]) -> Iterable[Check]:
    if survey.base is not None:
        yield Check(subject="base image", state="good", detail=survey.base)
    elif survey.base_problem is not None:
        is_there = all(image.image_id is not None for image in containers.images)
        yield Check(
            subject="base image",
            state="unneeded" if is_there and not needed else "missing",
            detail=survey.base_problem,
            mending=None if is_there else _packages(survey, _BOOTSTRAP),
            hint="install mmdebstrap, or reach a registry",
        )


def _emulation(
    containers: ContainerFacts, survey: Survey, wanted: frozenset[str]
) -> Iterable[Check]:
    version = f" {survey.qemu_version}" if survey.qemu_version else ""
    for platform in containers.emulated:
        yield Check(subject=f"emulation of {platform}", state="good", detail=f"QEMU{version}")
    for platform, problem in containers.emulation_problems:
        if platform not in wanted:
            yield Check(subject=f"emulation of {platform}", state="unneeded", detail=problem)
            continue
        qemu = _packages(survey, _QEMU)
        if qemu is not None:
            yield Check(
                subject="QEMU",
                state="missing",
                detail=f"{_QEMU} is not installed",
                mending=qemu,
            )
        yield Check(
            subject=f"emulation of {platform}",
            state="missing",
            detail=problem,
            mending=Mending(emulates=platform),
        )


def _packages(survey: Survey, package: str) -> Mending | None:
    is_missing = package in survey.missing_packages and bool(survey.package_command)
    return Mending(packages=(package,)) if is_missing else None


def _image(image: ImageFacts, *, is_needed: bool) -> Check:
    # Several may hold interpreters for tests.
    pythons = ", ".join(spec for spec, _ in image.pythons)
    held = f" ({pythons})" if image.role == "tests" and pythons else ""
    subject = f"image {image.role} {image.platform}{held}"
    size = f"{_size(image.size_mib)}, about {image.minutes} min"
    if image.image_id is not None:
        return Check(subject=subject, state="good", detail=image.reference)
    if image.cannot_provide_reason is not None:
        return Check(
            subject=subject,
            state="unavailable",
            detail=image.cannot_provide_reason,
            hint=image.cure,
        )
    if not is_needed:
        return Check(
            subject=subject,
            state="unneeded",
            detail=f"{image.reference} is built when a job needs it ({size})",
        )
    return Check(
        subject=subject,
        state="missing",
        detail=f"{image.reference} is built at the first run ({size})",
        mending=Mending(image=image.reference),
    )


def _spaces(
    builds: Plan, containers: ContainerFacts | None, survey: Survey, needed: set[str]
) -> Iterable[Check]:
    images = containers.images if containers is not None else ()
    wanted = {
        "images": sum(one.size_mib for one in images if one.reference in needed),
        "builds": BUILD_MIB * sum(job.kind == "build" for job in builds.jobs),
    }
    for space in survey.spaces:
        need = wanted.get(space.what, 0)
        is_enough = space.free_mib >= need + SPARE_MIB
        yield Check(
            subject=f"disk for {space.what}",
            state="good" if is_enough else "missing",
            detail=f"{_size(space.free_mib)} free at {space.folder}, about {_size(need)} needed",
            hint=None if is_enough else "run wheelworks gc, or free space there",
        )


def _sdk(builds: Plan, host: HostFacts) -> Iterable[Check]:
    has_macos = any("-macosx_" in cell for cell in builds.selected_cells)
    if host.macos_sdk is not None:
        yield Check(subject="macOS SDK", state="good", detail=host.macos_sdk)
    elif has_macos:
        yield Check(
            subject="macOS SDK",
            state="unneeded",
            detail="none is named; only crates that link Apple's frameworks need one",
            hint="SDKROOT names one",
        )


def _wine(host: HostFacts) -> Iterable[Check]:
    if host.wine is None:
        if host.system != "windows":
            yield Check(
                subject="wine",
                state="unneeded",
                detail="not found, so Windows wheels are built and audited, but not run",
                hint="install wine, and name a Windows python.exe in [tool.wheelworks.wine-pythons]",
            )
        return
    pythons = ", ".join(spec for spec, _ in host.wine_pythons)
    yield Check(
        subject="wine",
        state="good" if pythons else "unneeded",
        detail=f"{host.wine.version}, "
        + (f"with Python {pythons}" if pythons else "but no Windows python.exe is named"),
        hint=None if pythons else "name one in [tool.wheelworks.wine-pythons]",
    )


def _size(mib: int) -> str:
    return f"{mib / _GIB_IN_MIB:.1f} GiB" if mib >= _GIB_IN_MIB else f"{mib} MiB"
