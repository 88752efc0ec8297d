"""Tests of the machine's facts, read from made-up /proc and /sys trees."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from wheelworks.machine_probe import (
    FALLBACK_MEMORY_MIB,
    GroupLimits,
    available_memory_mib,
    group_limits,
    host_libc,
    host_system,
    is_wsl,
    normal_machine,
    usable_cores,
)

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads the layout of Linux")


def _tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_version_two_limits_are_the_tightest_of_the_group_and_its_parents(tmp_path: Path) -> None:
    """A parent's lower quota and the group's own memory limit both count."""
    root = _tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/run\n",
            "sys/fs/cgroup/user/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/user/run/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user/run/memory.max": f"{1000 * MIB}\n",
            "sys/fs/cgroup/user/run/memory.current": f"{600 * MIB}\n",
            "sys/fs/cgroup/user/run/memory.stat": f"anon 5\ninactive_file {100 * MIB}\n",
            "sys/fs/cgroup/user/memory.max": "max\n",
        },
    )
    assert group_limits(root) == GroupLimits(cores=1.5, memory_free_bytes=500 * MIB)


def test_version_one_limits_are_read_per_controller(tmp_path: Path) -> None:
    """Each controller of version 1 has a tree of its own."""
    root = _tree(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n",
            "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "300000",
            "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": str(800 * MIB),
            "sys/fs/cgroup/memory/job/memory.usage_in_bytes": str(300 * MIB),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        },
    )
    assert group_limits(root) == GroupLimits(cores=3.0, memory_free_bytes=500 * MIB)


def test_a_container_sees_its_own_group_at_the_mount(tmp_path: Path) -> None:
    """The path in /proc is the host's; the folder of that name does not exist in the container."""
    root = _tree(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/docker/0123\n1:cpu:/docker/0123\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": str(256 * MIB),
        },
    )
    assert group_limits(root) == GroupLimits(cores=2.0, memory_free_bytes=256 * MIB)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "0::/\n"},
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000"},
        {"proc/self/cgroup": "1:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1"},
        {"proc/self/cgroup": "nonsense\n", "sys/fs/cgroup/cpu.max": "what"},
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "unknown"},
    ],
)
def test_no_limit_is_none(tmp_path: Path, files: dict[str, str]) -> None:
    """Missing, unlimited and unreadable files set no limit."""
    assert group_limits(_tree(tmp_path, files)) == GroupLimits(cores=None, memory_free_bytes=None)


def test_a_used_up_limit_leaves_nothing(tmp_path: Path) -> None:
    """Free memory is never negative."""
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": "10",
        "sys/fs/cgroup/memory.current": "20",
    }
    assert group_limits(_tree(tmp_path, files)).memory_free_bytes == 0


@linux_only
def test_cores_respect_a_quota_and_are_at_least_one(tmp_path: Path) -> None:
    """Half a processor is one that is shared."""
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000"}
    assert usable_cores(_tree(tmp_path, files)) == 1
    assert usable_cores(tmp_path / "nothing") >= 1


@linux_only
def test_memory_is_the_lower_of_the_system_and_the_limit(tmp_path: Path) -> None:
    """What MemAvailable says is not what a container may use."""
    free = {"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2097152 kB\n"}
    assert available_memory_mib(_tree(tmp_path / "free", free)) == 2048
    limited = {
        **free,
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": str(512 * MIB),
    }
    assert available_memory_mib(_tree(tmp_path / "limited", limited)) == 512


@pytest.mark.skipif(sys.platform == "win32", reason="asks sysconf")
def test_a_system_without_meminfo_tells_part_of_its_total(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Mac tells the total alone; where even that is missing, a fallback is taken."""
    amounts = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1024 * 1024}
    monkeypatch.setattr("os.sysconf", amounts.__getitem__)
    assert available_memory_mib(tmp_path) == 3072

    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr("os.sysconf", unknown)
    assert available_memory_mib(tmp_path) == FALLBACK_MEMORY_MIB


@linux_only
@pytest.mark.parametrize(
    ("confstr", "loader", "expected"),
    [
        ("glibc 2.36", False, ("glibc", (2, 36))),
        ("glibc 2.31.9000-dev", False, ("glibc", (2, 31))),
        (None, True, ("musl", None)),
        (None, False, (None, None)),
    ],
)
def test_the_libc_is_told_by_the_system(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    confstr: str | None,
    loader: bool,
    expected: tuple[str | None, tuple[int, int] | None],
) -> None:
    """The GNU libc tells its version, musl is known by its loader."""

    def answer(name: str) -> str:
        if confstr is None:
            raise ValueError(name)
        return confstr

    monkeypatch.setattr("os.confstr", answer)
    if loader:
        _tree(tmp_path, {"lib/ld-musl-x86_64.so.1": ""})
    assert host_libc(tmp_path) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/sys/kernel/osrelease": "5.15.90.1-microsoft-standard-WSL2\n"}, True),
        ({"proc/version": "Linux version 4.4.0-19041-Microsoft (x@y)"}, True),
        ({"proc/sys/kernel/osrelease": "6.1.0-18-amd64\n", "proc/version": "Linux"}, False),
        ({}, False),
    ],
)
def test_wsl_is_known_by_its_kernel(tmp_path: Path, files: dict[str, str], expected: bool) -> None:
    """Both generations name Microsoft, in one of two files."""
    assert is_wsl(_tree(tmp_path, files)) is expected


@pytest.mark.parametrize(
    ("platform", "system"),
    [("linux", "linux"), ("darwin", "macos"), ("win32", "windows"), ("freebsd14", "linux")],
)
def test_the_system_follows_from_the_platform(platform: str, system: str) -> None:
    """Other Unix systems are treated as Linux."""
    assert host_system(platform) == system


@pytest.mark.parametrize(
    ("machine", "normal"),
    [("AMD64", "x86_64"), ("arm64", "aarch64"), ("ARM64", "aarch64"), ("ppc64le", "ppc64le")],
)
def test_machines_have_one_name(machine: str, normal: str) -> None:
    """Windows and macOS have names of their own for the same processors."""
    assert normal_machine(machine) == normal
