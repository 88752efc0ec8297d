"""What doctor says of containers: each part of the machine, and the one thing that mends it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from jobs import a_job

from wheelworks.containers.facts import ContainerFacts, EngineFacts, ImageFacts
from wheelworks.doctor_containers import BUILD_MIB, container_checks
from wheelworks.doctor_model import Check, Mending, Space, Survey
from wheelworks.plan import ImageRequest, Plan
from wheelworks.rust_choice import Obstacle
from wheelworks.toolchains import FoundTool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.toolchains import HostFacts

EMPTY = Plan(
    jobs=(), unavailable=(), selected_cells=(), tools=(), provisioning=(), cores=1, memory_mib=1
)
TOOLCHAIN = ImageFacts(
    role="toolchain",
    platform="linux/amd64",
    reference="wheelworks/toolchain:1-amd64",
    image_id=None,
    size_mib=4096,
    minutes=8,
)
FACTS = ContainerFacts(
    engine=EngineFacts(
        name="docker", path="/usr/bin/docker", version="28.0", platform="linux/amd64", user=None
    ),
    images=(TOOLCHAIN,),
    ca_bundle="/etc/ca.crt",
)
WAITING = replace(
    EMPTY,
    jobs=(a_job("build a"), a_job("build b")),
    images=(
        ImageRequest(
            role="toolchain",
            platform="linux/amd64",
            reference=TOOLCHAIN.reference,
            needed_by=("build a",),
            size_mib=4096,
            minutes=8,
        ),
    ),
)


def checks(
    host: HostFacts,
    containers: ContainerFacts | None = FACTS,
    *,
    survey: Survey | None = None,
    builds: Plan = EMPTY,
    wanted: frozenset[str] = frozenset(),
) -> dict[str, Check]:
    """The checks by subject."""
    found = container_checks(
        builds,
        EMPTY,
        replace(host, containers=containers),
        survey or Survey(),
        wanted=wanted,
    )
    return {check.subject: check for check in found}


@pytest.fixture
def host(hosts: Mapping[str, HostFacts]) -> HostFacts:
    """A Debian."""
    return hosts["linux_x86_64"]


def test_without_an_engine_nothing_else_is_said_of_containers(host: HostFacts) -> None:
    """The reason and the way out are the probe's."""
    missing = Obstacle(reason="the server does not answer", cure="sudo systemctl start docker")
    found = checks(replace(host, containers_missing=missing), None)
    engine = found["container engine"]
    assert (engine.state, engine.detail) == ("missing", "the server does not answer")
    assert engine.hint == "sudo systemctl start docker"
    assert set(found) == {"container engine", "wine"}


def test_the_engine_is_named_with_both_versions(host: HostFacts) -> None:
    """They may differ, which explains a lot."""
    found = checks(host, survey=Survey(client_version="29.1"))
    assert (
        found["container engine"].detail
        == "docker 28.0, client 29.1, linux/amd64 (/usr/bin/docker)"
    )
    assert found["certificates"].detail == "/etc/ca.crt goes into containers"


def test_an_image_that_a_job_waits_for_is_built_by_fix(host: HostFacts) -> None:
    """With its size and the minutes; one that nobody needs is not built; one that is there is good."""
    subject = "image toolchain linux/amd64"
    needed = checks(host, builds=WAITING)[subject]
    assert needed.state == "missing"
    assert "(4.0 GiB, about 8 min)" in needed.detail
    assert needed.mending == Mending(image=TOOLCHAIN.reference)
    unneeded = checks(host)[subject]
    assert (unneeded.state, unneeded.mending) == ("unneeded", None)
    there = replace(FACTS, images=(replace(TOOLCHAIN, image_id="sha256:1"),))
    assert checks(host, there)[subject].state == "good"


def test_an_image_that_can_not_be_built_says_why(host: HostFacts) -> None:
    """With the probe's cure."""
    refused = replace(TOOLCHAIN, cannot_provide_reason="no base", cure="reach a registry")
    check = checks(host, replace(FACTS, images=(refused,)))["image toolchain linux/amd64"]
    assert (check.state, check.detail, check.hint) == ("unavailable", "no base", "reach a registry")


def test_images_of_several_interpreters_are_told_apart(host: HostFacts) -> None:
    """Debian's, and one for each interpreter that Debian lacks."""
    tests = replace(TOOLCHAIN, role="tests", pythons=(("3.12", "/p"),), reference="a")
    others = replace(tests, pythons=(("3.13", "/p"), ("3.14", "/q")), reference="b")
    found = checks(host, replace(FACTS, images=(tests, others)))
    assert "image tests linux/amd64 (3.12)" in found
    assert "image tests linux/amd64 (3.13, 3.14)" in found


def test_a_base_that_nobody_gives_is_mended_by_mmdebstrap(host: HostFacts) -> None:
    """Where apt-get is; elsewhere the hint has to do."""
    survey = Survey(
        base_problem="no registry, no mmdebstrap",
        missing_packages=("mmdebstrap", "qemu-user-static"),
        package_command=("apt-get", "install", "x"),
    )
    check = checks(host, survey=survey)["base image"]
    assert (check.state, check.mending) == ("missing", Mending(packages=("mmdebstrap",)))
    by_hand = checks(host, survey=replace(survey, package_command=()))["base image"]
    assert by_hand.mending is None
    assert by_hand.hint is not None
    there = replace(FACTS, images=(replace(TOOLCHAIN, image_id="sha256:1"),))
    assert checks(host, there, survey=survey)["base image"].state == "unneeded"


def test_emulation_is_mended_for_platforms_of_the_matrix(host: HostFacts) -> None:
    """QEMU is installed first, then registered; without cells of the platform nothing is changed."""
    facts = replace(FACTS, emulation_problems=(("linux/arm64", "no QEMU is registered"),))
    survey = Survey(
        missing_packages=("qemu-user-static",), package_command=("apt-get", "install", "x")
    )
    found = checks(host, facts, survey=survey, wanted=frozenset({"linux/arm64"}))
    subjects = list(found)
    assert subjects.index("QEMU") < subjects.index("emulation of linux/arm64")
    assert found["QEMU"].mending == Mending(packages=("qemu-user-static",))
    assert found["emulation of linux/arm64"].mending == Mending(emulates="linux/arm64")
    unwanted = checks(host, facts, survey=survey)
    assert "QEMU" not in unwanted
    assert unwanted["emulation of linux/arm64"].state == "unneeded"


def test_emulation_that_works_names_qemu(host: HostFacts) -> None:
    """With its version."""
    facts = replace(FACTS, emulated=("linux/arm64",))
    found = checks(host, facts, survey=Survey(qemu_version="7.2"))
    assert found["emulation of linux/arm64"].detail == "QEMU 7.2"


@pytest.mark.parametrize(("free_mib", "state"), [(100_000, "good"), (4_500, "missing")])
def test_room_is_held_against_what_images_and_builds_take(
    host: HostFacts, free_mib: int, state: str
) -> None:
    """Before anything starts that can't end."""
    survey = Survey(
        spaces=(
            Space(what="images", folder="/var/lib/docker", free_mib=free_mib),
            Space(what="builds", folder="/project", free_mib=100_000),
        )
    )
    found = checks(host, survey=survey, builds=WAITING)
    assert found["disk for images"].state == state
    assert "about 4.0 GiB needed" in found["disk for images"].detail
    assert f"about {2 * BUILD_MIB} MiB needed" in found["disk for builds"].detail


def test_wine_and_sdk(hosts: Mapping[str, HostFacts], host: HostFacts) -> None:
    """Both are named by the user; without them something is left out, and nothing is missing."""
    wine = FoundTool(path="/usr/bin/wine", version="9.0", size=1, mtime_ns=1)
    assert checks(host)["wine"].state == "unneeded"
    assert checks(replace(host, wine=wine))["wine"].state == "unneeded"
    named = replace(host, wine=wine, wine_pythons=(("3.13", "/w/python.exe"),))
    assert checks(named)["wine"].detail == "9.0, with Python 3.13"
    assert "wine" not in checks(hosts["windows"])
    assert "macOS SDK" not in checks(host)
    macos = replace(EMPTY, selected_cells=("cp313-macosx_arm64",))
    assert checks(host, builds=macos)["macOS SDK"].state == "unneeded"
    assert checks(replace(host, macos_sdk="/sdk"))["macOS SDK"].state == "good"
