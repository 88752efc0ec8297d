"""Where the tests of a cell run, and the reasons where they can't."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import a_cell
from container_samples import a_test_image, an_engine, some_containers

from wheelworks.interpreters import parse_interpreter
from wheelworks.rust_choice import Obstacle
from wheelworks.test_places import (
    TestPlace,
    choose_place,
    is_ready_in_container,
    needs_container,
)
from wheelworks.toolchains import FoundTool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.toolchains import HostFacts

WINE = FoundTool(path="/usr/bin/wine", version="9.0", size=1, mtime_ns=1)
WINDOWS_PYTHON = "/opt/win/python.exe"


@pytest.fixture
def linux(hosts: Mapping[str, HostFacts]) -> HostFacts:
    """A Linux of x86_64 with CPython 3.11 to 3.13 and an engine that runs arm64 under QEMU."""
    return replace(hosts["linux_x86_64"], containers=some_containers())


def choose(
    host: HostFacts, target: str, python: str = "3.13", *, emulates: bool = True, **cell: object
) -> TestPlace | Obstacle:
    """The place for one cell."""
    policy = str(cell.get("compatibility", "auto"))
    return choose_place(
        a_cell(python, target, compatibility=policy),
        parse_interpreter(python),
        host,
        emulates=emulates,
    )


def place(host: HostFacts, target: str, python: str = "3.13", **options: object) -> TestPlace:
    """The place, which must be there."""
    found = choose(host, target, python, **options)  # type: ignore[arg-type]
    assert isinstance(found, TestPlace), found
    return found


def obstacle(host: HostFacts, target: str, python: str = "3.13", *, emulates: bool = True) -> str:
    """The reason, which must be there, and its way out."""
    found = choose(host, target, python, emulates=emulates)
    assert isinstance(found, Obstacle), found
    return f"{found.reason} -> {found.cure}"


def test_the_host_goes_first(linux: HostFacts) -> None:
    """Though the image has the interpreter, too."""
    found = place(linux, "manylinux_x86_64")
    assert (found.image, found.is_emulated) == (None, False)
    assert found.interpreter.endswith("3.13.0/bin/python")


def test_an_interpreter_that_the_host_lacks_is_taken_from_the_image(linux: HostFacts) -> None:
    """Natively: it is not emulated."""
    found = place(linux, "manylinux_x86_64", "3.14", emulates=False)
    assert found.image is not None
    assert (found.interpreter, found.is_emulated) == ("/usr/bin/python3.14", False)
    assert "wheelworks/tests:0123456789ab-amd64" in found.reason


def test_a_wheel_of_another_architecture_is_tested_under_emulation(linux: HostFacts) -> None:
    """In the image of its own platform."""
    found = place(linux, "manylinux_aarch64")
    assert found.image is not None
    assert (found.image.platform, found.is_emulated) == ("linux/arm64", True)
    assert "emulation" in found.reason


def test_emulation_waits_until_the_cell_is_named(linux: HostFacts) -> None:
    """It is slow; the way out is the command that names the cells."""
    said = obstacle(linux, "manylinux_aarch64", emulates=False)
    assert "when they are named" in said
    assert said.endswith("wheelworks test '*-manylinux_aarch64'")
    # The same where nobody looked for an engine, because no other cell needs one.
    assert obstacle(replace(linux, containers=None), "manylinux_aarch64", emulates=False) == said


def test_a_wheel_for_a_newer_glibc_than_the_hosts_is_tested_in_a_container(
    linux: HostFacts,
) -> None:
    """The image's libc is newer than any policy."""
    found = place(linux, "manylinux_x86_64", compatibility="manylinux_2_39")
    assert found.image is not None


def test_an_arm64_host_tests_its_own_wheels_natively_in_containers(
    hosts: Mapping[str, HostFacts],
) -> None:
    """What is emulated depends on the engine, also on a Mac."""
    containers = some_containers(
        engine=an_engine(platform="linux/arm64", user=None), emulated=("linux/amd64",)
    )
    mac = replace(hosts["macos_arm64"], containers=containers)
    assert not place(mac, "manylinux_aarch64", emulates=False).is_emulated
    assert place(mac, "manylinux_x86_64").is_emulated


def test_musl_wheels_need_an_image_of_alpine(linux: HostFacts) -> None:
    """One of glibc is none; where no registry gives one, its reason is said."""
    assert "no image of linux/amd64 with musl" in obstacle(linux, "musllinux_x86_64")
    alpine = a_test_image(
        libc="musl", reference="python:3.13-alpine", pythons=(("3.13", "/usr/local/bin/python"),)
    )
    images = (a_test_image(), alpine)
    with_alpine = replace(linux, containers=some_containers(images=images))
    assert place(with_alpine, "musllinux_x86_64").image == alpine
    gone = replace(alpine, image_id=None, cannot_provide_reason="no image registry answers")
    without = replace(linux, containers=some_containers(images=(gone,)))
    assert "no image registry answers" in obstacle(without, "musllinux_x86_64")


def test_an_image_that_is_there_goes_before_one_to_build(linux: HostFacts) -> None:
    """The same interpreter in two images: nobody waits for a build."""
    to_build = a_test_image(image_id=None, reference="wheelworks/tests:other-amd64")
    host = replace(linux, containers=some_containers(images=(to_build, a_test_image())))
    assert place(host, "manylinux_x86_64", "3.14").image == a_test_image()
    only = replace(linux, containers=some_containers(images=(to_build,)))
    assert place(only, "manylinux_x86_64", "3.14").image == to_build


@pytest.mark.parametrize(
    ("python", "containers", "expected"),
    [
        ("3.12", {}, "no image of linux/arm64 has CPython 3.12, only 3.13, 3.14 -> None"),
        (
            "3.13",
            {"emulated": (), "emulation_problems": (("linux/arm64", "QEMU is not registered"),)},
            "QEMU is not registered -> wheelworks doctor --fix",
        ),
        (
            "3.13",
            {"emulated": ()},
            "containers of linux/arm64 don't run here -> wheelworks doctor --fix",
        ),
        (
            "3.13",
            {
                "images": (
                    a_test_image(
                        "linux/arm64",
                        image_id=None,
                        cannot_provide_reason="mmdebstrap is not installed",
                        cure="apt install mmdebstrap",
                    ),
                )
            },
            "mmdebstrap is not installed -> apt install mmdebstrap",
        ),
        ("3.13", {"images": ()}, "there is no image of linux/arm64 with glibc for tests -> None"),
    ],
)
def test_what_can_not_run_says_what_host_and_container_lack(
    linux: HostFacts, python: str, containers: dict[str, object], expected: str
) -> None:
    """Both reasons, and the way out that would help."""
    host = replace(linux, containers=some_containers(**containers))
    said = obstacle(host, "manylinux_aarch64", python)
    assert (
        said == f"manylinux_aarch64 wheels run on aarch64, and this machine is x86_64; {expected}"
    )


def test_without_an_engine_its_reason_is_said(linux: HostFacts) -> None:
    """After the host's; installing the interpreter is the way out where the engine has none."""
    missing = Obstacle(reason="docker does not answer", cure=None)
    host = replace(linux, containers=None, containers_missing=missing)
    said = obstacle(host, "manylinux_x86_64", "3.14")
    assert said.startswith("no CPython 3.14: ")
    assert "docker does not answer -> install it (uv python install 3.14)" in said
    assert "docker does not answer" in obstacle(host, "manylinux_aarch64")


def test_macos_wheels_run_on_macos_only(linux: HostFacts) -> None:
    """No container and no wine is offered."""
    assert obstacle(linux, "macosx_arm64") == (
        "macosx_arm64 wheels run on macOS, and this is Linux -> None"
    )


def test_windows_wheels_run_under_a_wine_with_a_named_python(linux: HostFacts) -> None:
    """Without either the reason says which."""
    assert "there is no wine here" in obstacle(linux, "win_amd64")
    assert "no Windows CPython 3.13 is named" in obstacle(replace(linux, wine=WINE), "win_amd64")
    host = replace(linux, wine=WINE, wine_pythons=(("3.13", WINDOWS_PYTHON),))
    found = place(host, "win_amd64", emulates=False)
    assert (found.wine, found.interpreter, found.is_emulated) == (WINE, WINDOWS_PYTHON, True)
    assert "only win_amd64" in obstacle(host, "win_arm64")


def test_a_windows_host_offers_itself_no_wine(hosts: Mapping[str, HostFacts]) -> None:
    """Its reason is that of the interpreter alone."""
    assert "wine" not in obstacle(hosts["windows"], "win_amd64", "3.14")


@pytest.mark.parametrize(
    ("target", "python", "emulates", "expected"),
    [
        ("manylinux_x86_64", "3.13", True, False),
        ("manylinux_x86_64", "3.14", False, True),
        ("manylinux_aarch64", "3.13", False, False),
        ("manylinux_aarch64", "3.13", True, True),
        ("musllinux_x86_64", "3.13", False, True),
        ("win_amd64", "3.13", True, False),
        ("macosx_arm64", "3.13", True, False),
    ],
)
def test_the_engine_is_asked_only_when_a_container_could_help(
    hosts: Mapping[str, HostFacts], target: str, python: str, emulates: bool, expected: bool
) -> None:
    """Asking costs time; a Mac or Windows wheel runs in no container."""
    cell = a_cell(python, target)
    spec = parse_interpreter(python)
    assert needs_container(cell, spec, hosts["linux_x86_64"], emulates=emulates) is expected


def test_only_an_image_that_is_there_saves_a_download(linux: HostFacts) -> None:
    """One that has to be built first takes longer than uv's download."""
    cell, spec = a_cell("3.14", "manylinux_x86_64"), parse_interpreter("3.14")
    assert is_ready_in_container(cell, spec, linux)
    to_build = some_containers(images=(a_test_image(image_id=None),))
    assert not is_ready_in_container(cell, spec, replace(linux, containers=to_build))
    assert not is_ready_in_container(cell, spec, replace(linux, containers=None))
