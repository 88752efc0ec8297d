"""Which linker serves a target on which host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import a_cell, a_project, changed

from wheelworks.linkers import Linking, choose_linking, excludes_raw_dylib
from wheelworks.rust_choice import Obstacle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts

HOSTS = ("linux_x86_64", "linux_arm64", "macos_arm64", "macos_intel", "windows", "wsl")


def linked(
    host: HostFacts, target: str, *, compatibility: str = "auto", project: Project | None = None
) -> tuple[Linking, ...]:
    """The linkings, which there must be."""
    cell = a_cell("3.13", target, compatibility=compatibility)
    linkings = choose_linking(cell, project or a_project(), host)
    assert not isinstance(linkings, Obstacle)
    return linkings


def hindered(
    host: HostFacts, target: str, *, compatibility: str = "auto", project: Project | None = None
) -> Obstacle:
    """The obstacle, which there must be."""
    cell = a_cell("3.13", target, compatibility=compatibility)
    obstacle = choose_linking(cell, project or a_project(), host)
    assert isinstance(obstacle, Obstacle)
    return obstacle


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize(
    ("target", "compatibility", "reason"),
    [
        (
            "manylinux_x86_64",
            "auto",
            "zig links with glibc 2.17, as manylinux2014 asks",
        ),
        (
            "manylinux_aarch64",
            "manylinux_2_28",
            "zig links with glibc 2.28, as manylinux_2_28 asks",
        ),
        ("musllinux_armv7l", "auto", "zig links with musl, as musllinux_1_2 asks"),
    ],
)
def test_zig_links_linux_wheels_everywhere(
    hosts: Mapping[str, HostFacts], name: str, target: str, compatibility: str, reason: str
) -> None:
    """Also natively, because only zig keeps the floor of glibc."""
    (linking,) = linked(hosts[name], target, compatibility=compatibility)
    assert (linking.linker, linking.reasons) == ("zig", (reason,))


@pytest.mark.parametrize(
    ("change", "target", "compatibility", "reason"),
    [
        ({}, "manylinux_s390x", "auto", "this machine is no such Linux"),
        (
            {"machine": "s390x", "system": "macos"},
            "manylinux_s390x",
            "auto",
            "no such Linux",
        ),
        ({"machine": "s390x"}, "musllinux_s390x", "auto", "this Linux has no musl"),
        ({"machine": "s390x", "libc": "musl"}, "manylinux_s390x", "auto", "has no glibc"),
        (
            {"machine": "s390x"},
            "manylinux_s390x",
            "manylinux_2_35",
            "the glibc 2.36 of this machine is newer than manylinux_2_35 allows",
        ),
        (
            {"machine": "s390x", "libc_version": None},
            "manylinux_s390x",
            "manylinux_2_39",
            "the glibc of unknown version of this machine",
        ),
    ],
)
def test_s390x_is_refused_where_only_zig_could_link(
    hosts: Mapping[str, HostFacts],
    change: dict[str, object],
    target: str,
    compatibility: str,
    reason: str,
) -> None:
    """Zig can't, and the system's linker only on such a machine with an old enough glibc."""
    obstacle = hindered(changed(hosts["linux_x86_64"], change), target, compatibility=compatibility)
    assert obstacle.reason.startswith("zig can't link for s390x")
    assert reason in obstacle.reason


@pytest.mark.parametrize(
    ("libc", "target", "compatibility"),
    [
        ("glibc", "manylinux_s390x", "manylinux_2_36"),
        ("musl", "musllinux_s390x", "auto"),
    ],
)
def test_s390x_is_linked_natively(
    hosts: Mapping[str, HostFacts], libc: str, target: str, compatibility: str
) -> None:
    """On such a machine the system's linker does."""
    host = changed(hosts["linux_x86_64"], {"machine": "s390x", "libc": libc})
    (linking,) = linked(host, target, compatibility=compatibility)
    assert (linking.triple, linking.linker) == (f"s390x-unknown-linux-{_env(libc)}", "system")


def _env(libc: str) -> str:
    return "gnu" if libc == "glibc" else "musl"


@pytest.mark.parametrize("name", ["macos_arm64", "macos_intel"])
def test_apples_linker_serves_both_slices_on_a_mac(
    hosts: Mapping[str, HostFacts], name: str
) -> None:
    """A universal2 wheel has a linking per triple, x86_64 first."""
    first, second = linked(hosts[name], "macosx_universal2")
    assert (first.triple, second.triple) == ("x86_64-apple-darwin", "aarch64-apple-darwin")
    assert {first.linker, second.linker} == {"system"}
    assert "Apple's linker with the SDK /Library/Developer" in first.reasons[0]


def test_a_mac_without_an_sdk_is_refused(hosts: Mapping[str, HostFacts]) -> None:
    """Apple's linker has nothing to link with, and one command mends it."""
    obstacle = hindered(replace(hosts["macos_arm64"], macos_sdk=None), "macosx_arm64")
    assert obstacle.cure == "xcode-select --install"


def test_zig_links_for_macos_elsewhere(hosts: Mapping[str, HostFacts]) -> None:
    """Without an SDK that is good for crates that link no framework, which is said, not refused."""
    (linking,) = linked(hosts["linux_x86_64"], "macosx_arm64")
    assert linking.linker == "zig"
    assert "needs SDKROOT" in linking.reasons[0]
    with_sdk = replace(hosts["linux_x86_64"], macos_sdk="/opt/MacOSX.sdk")
    (linking,) = linked(with_sdk, "macosx_arm64")
    assert linking.reasons == ("zig links with the macOS SDK /opt/MacOSX.sdk",)


@pytest.mark.parametrize(
    ("target", "triple"),
    [
        ("win_amd64", "x86_64-pc-windows-msvc"),
        ("win_arm64", "aarch64-pc-windows-msvc"),
        ("win32", "i686-pc-windows-msvc"),
    ],
)
def test_microsofts_tools_link_on_windows(
    hosts: Mapping[str, HostFacts], target: str, triple: str
) -> None:
    """All three Windows targets are linked by what Rust uses there."""
    (linking,) = linked(hosts["windows"], target, project=a_project(pyo3_requirement="0.20"))
    assert (linking.triple, linking.linker) == (triple, "system")
    assert "Microsoft" in linking.reasons[0]


def test_a_windows_with_gnu_rust_stays_with_it(hosts: Mapping[str, HostFacts]) -> None:
    """Such a machine need not have Microsoft's tools."""
    rust = hosts["windows"].rust
    assert rust is not None
    host = replace(hosts["windows"], rust=replace(rust, host_triple="x86_64-pc-windows-gnu"))
    (linking,) = linked(host, "win_amd64")
    assert (linking.triple, linking.linker) == ("x86_64-pc-windows-gnu", "system")
    assert "mingw-w64" in linking.reasons[0]
    (other,) = linked(host, "win_arm64")
    assert other.triple == "aarch64-pc-windows-msvc"
    assert linked(replace(host, rust=None), "win_amd64")[0].triple == "x86_64-pc-windows-msvc"


def test_zig_can_not_export_the_init_function_of_a_module_in_a_package(
    hosts: Mapping[str, HostFacts],
) -> None:
    """Maturin 1.16.0 writes the dotted name into the module definition, and the link fails."""
    packaged = a_project(module_name="example._native")
    obstacle = hindered(hosts["macos_intel"], "win_amd64", project=packaged)
    assert "example._native" in obstacle.reason
    assert "gcc-mingw-w64-x86-64" in (obstacle.cure or "")


def test_mingw_links_for_windows_where_it_is(hosts: Mapping[str, HostFacts]) -> None:
    """mingw-w64 is preferred to zig, and the reason says which it is."""
    (linking,) = linked(hosts["wsl"], "win_amd64")
    assert (linking.triple, linking.linker) == ("x86_64-pc-windows-gnu", "mingw")
    assert "mingw-w64 links for x86_64-pc-windows-gnu" in linking.reasons[0]


def test_zig_links_for_windows_where_there_is_no_mingw(hosts: Mapping[str, HostFacts]) -> None:
    """Zig can for x86_64, and only there."""
    plain = a_project(module_name="example")
    (linking,) = linked(hosts["macos_intel"], "win_amd64", project=plain)
    assert (linking.linker, linking.reasons) == (
        "zig",
        ("zig links for x86_64-pc-windows-gnu, because no mingw-w64 was found",),
    )
    obstacle = hindered(hosts["macos_intel"], "win32")
    assert obstacle.reason == (
        "no mingw-w64 for i686-pc-windows-gnu was found, and zig can't link for it"
    )
    assert obstacle.cure is not None
    assert "gcc-mingw-w64-i686" in obstacle.cure


def test_win_arm64_is_refused_elsewhere(hosts: Mapping[str, HostFacts]) -> None:
    """It needs Microsoft's SDK, whose licence nobody accepts for the user."""
    obstacle = hindered(hosts["linux_x86_64"], "win_arm64")
    assert "licence" in obstacle.reason
    assert "accept-microsoft-licence = true" in (obstacle.cure or "")


def test_an_old_pyo3_without_import_library_is_refused(hosts: Mapping[str, HostFacts]) -> None:
    """Maturin would stop at it: no Windows Python lies here to link with."""
    project = a_project(pyo3_requirement="0.28", pyo3_features=("extension-module",))
    obstacle = hindered(hosts["wsl"], "win_amd64", project=project)
    assert obstacle.reason == (
        "PyO3 0.28 needs its feature generate-import-lib to be built for Windows on another "
        "system, and example does not turn it on"
    )
    assert obstacle.cure is not None
    assert "update PyO3 to 0.29" in obstacle.cure


def test_an_old_pyo3_with_unknown_features_is_mentioned(hosts: Mapping[str, HostFacts]) -> None:
    """Where nobody read the features, the build is tried and the plan says what it needs."""
    project = a_project(pyo3_requirement="0.28", module_name="example")
    for name in ("wsl", "linux_x86_64"):
        (linking,) = linked(hosts[name], "win_amd64", project=project)
        assert linking.reasons[1:] == (
            "PyO3 0.28 needs its feature generate-import-lib to be built for Windows here",
        )


@pytest.mark.parametrize(
    "project",
    [
        a_project(pyo3_requirement="0.28", pyo3_features=("generate-import-lib",)),
        a_project(pyo3_requirement="0.28", pyo3_features=("pyo3/generate-abi3-import-lib",)),
        a_project(pyo3_requirement="0.29", pyo3_features=()),
        a_project(pyo3_requirement=None, pyo3_features=()),
    ],
)
def test_a_pyo3_that_needs_no_python_is_not_mentioned(
    hosts: Mapping[str, HostFacts], project: Project
) -> None:
    """With the feature, with 0.29 or without PyO3 there is nothing to say."""
    (linking,) = linked(hosts["wsl"], "win_amd64", project=project)
    assert len(linking.reasons) == 1


def test_the_feature_may_come_from_the_cells_settings(hosts: Mapping[str, HostFacts]) -> None:
    """`features = ["pyo3/generate-import-lib"]` for Windows cells is enough."""
    project = a_project(pyo3_requirement="0.28", pyo3_features=())
    cell = a_cell("3.13", "win_amd64", features=("pyo3/generate-import-lib",))
    assert not isinstance(choose_linking(cell, project, hosts["wsl"]), Obstacle)


@pytest.mark.parametrize(
    ("requirement", "is_excluded"),
    [
        ("0.28", True),
        ("^0.28.1", True),
        ("0.28.*", True),
        ("~0.28.2", True),
        ("~0.28", True),
        ("=0.28.3", True),
        ("=0.28", True),
        ("<0.29", True),
        ("<0.29.0", True),
        (">=0.26, <0.29", True),
        ("<=0.28", True),
        ("0.0.3", True),
        ("0.29", False),
        ("0.30", False),
        ("^0.29.0-beta.1", False),
        ("=0.29.0", False),
        ("<0.30", False),
        ("<=0.29.0", False),
        (">=0.26", False),
        (">0.20", False),
        ("0", False),
        ("1", False),
        ("~0", False),
        ("*", False),
        ("", False),
        ("unreadable", False),
    ],
)
def test_a_requirement_excludes_pyo3_0_29_or_not(requirement: str, is_excluded: bool) -> None:
    """Cargo's operators are read as cargo reads them; what can't be read excludes nothing."""
    assert excludes_raw_dylib(requirement) is is_excluded
