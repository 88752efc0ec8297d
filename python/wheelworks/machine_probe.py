"""What the machine is and has: system, libc, processors, memory, the limits of its control group.

Reads /proc and /sys below a given root, or asks the operating system; starts no process. Knows
nothing of tools and projects.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks.toolchains import HostSystem

MIB = 1024 * 1024
#: Assumed where the system tells no amount at all.
FALLBACK_MEMORY_MIB = 4096
#: Limits above this mean that there is none (version 1 writes a huge page-aligned number).
NO_LIMIT = 1 << 60

Libc = Literal["glibc", "musl"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLimits:
    """What the control groups of this process allow; None where they set no limit."""

    cores: float | None
    memory_free_bytes: int | None


def host_system(platform_name: str = sys.platform) -> HostSystem:
    """The kind of system; everything that is neither Windows nor macOS is treated as Linux."""
    if platform_name == "win32":
        return "windows"
    return "macos" if platform_name == "darwin" else "linux"


def normal_machine(machine: str) -> str:
    """``x86_64`` and ``aarch64`` for amd64 and arm64; other names in lower case."""
    lowered = machine.lower()
    return {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}.get(lowered, lowered)


def is_wsl(root: Path = Path("/")) -> bool:
    """Whether this Linux is the Windows Subsystem for Linux, whose kernel names Microsoft."""
    texts = (_read(root / "proc/sys/kernel/osrelease"), _read(root / "proc/version"))
    return any("microsoft" in text.lower() for text in texts if text is not None)


def host_libc(root: Path = Path("/")) -> tuple[Libc | None, tuple[int, int] | None]:
    """The C library of a Linux host and its version (musl tells none); nothing elsewhere."""
    if sys.platform == "win32" or host_system() != "linux":
        return None, None
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        text = None
    found = re.fullmatch(r"glibc (\d+)\.(\d+).*", text or "")
    if found is not None:
        return "glibc", (int(found[1]), int(found[2]))
    return ("musl", None) if any(root.glob("lib/ld-musl-*.so.1")) else (None, None)


def usable_cores(root: Path = Path("/")) -> int:
    """Processors that this process may use, a container's quota counted; at least one."""
    quota = group_limits(root).cores
    cores = _affine_cores()
    return max(1, min(cores, int(quota))) if quota is not None else cores


def available_memory_mib(root: Path = Path("/")) -> int:
    """Memory that may be used without swapping, a container's limit counted."""
    free = _system_memory_bytes(root)
    limit = group_limits(root).memory_free_bytes
    amounts = [amount for amount in (free, limit) if amount is not None]
    return min(amounts) // MIB if amounts else FALLBACK_MEMORY_MIB


def group_limits(root: Path = Path("/")) -> GroupLimits:
    """The tightest limits of the process's control groups and their parents, versions 1 and 2."""
    cores: list[float] = []
    memory: list[int] = []
    for version, controllers, group in _memberships(root):
        if version == 2:
            for folder in _lineage(root / "sys/fs/cgroup", group):
                cores += _quota_v2(folder)
                memory += _free_v2(folder)
        if "cpu" in controllers:
            for folder in _lineage(root / "sys/fs/cgroup/cpu", group):
                cores += _quota_v1(folder)
        if "memory" in controllers:
            for folder in _lineage(root / "sys/fs/cgroup/memory", group):
                memory += _free_v1(folder)
    return GroupLimits(cores=min(cores, default=None), memory_free_bytes=min(memory, default=None))


def _affine_cores() -> int:
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memberships(root: Path) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """(version, controllers, path) of each line ``4:memory:/path`` of /proc/self/cgroup."""
    for line in (_read(root / "proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        yield (2 if number == "0" else 1), tuple(controllers.split(",")), group


def _lineage(mount: Path, group: str) -> Iterator[Path]:
    """The group's folder and those above it; a container sees its own group as the mount itself."""
    folder = mount / group.lstrip("/")
    while folder != mount and mount in folder.parents:
        yield folder
        folder = folder.parent
    yield mount


def _quota_v2(folder: Path) -> list[float]:
    quota, _, period = (_read(folder / "cpu.max") or "max").strip().partition(" ")
    return [int(quota) / int(period)] if quota.isdigit() and period.isdigit() else []


def _quota_v1(folder: Path) -> list[float]:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return [quota / period] if quota and period and quota > 0 else []


def _free_v2(folder: Path) -> list[int]:
    return _free(folder, limit="memory.max", usage="memory.current", cached="inactive_file")


def _free_v1(folder: Path) -> list[int]:
    return _free(
        folder,
        limit="memory.limit_in_bytes",
        usage="memory.usage_in_bytes",
        cached="total_inactive_file",
    )


def _free(folder: Path, *, limit: str, usage: str, cached: str) -> list[int]:
    """Limit minus use; file pages not in use count as free, because the kernel drops them."""
    allowed, used = _number(folder / limit), _number(folder / usage)
    if allowed is None or allowed >= NO_LIMIT:
        return []
    dropped = re.search(rf"^{cached} (\d+)$", _read(folder / "memory.stat") or "", re.MULTILINE)
    return [max(0, allowed - (used or 0) + (int(dropped[1]) if dropped else 0))]


def _system_memory_bytes(root: Path) -> int | None:
    if sys.platform == "win32":
        return _windows_memory_bytes()
    found = re.search(
        r"^MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo") or "", re.MULTILINE
    )
    if found is not None:
        return int(found[1]) * 1024
    try:
        # macOS tells only the total; what it caches it gives back, the rest is taken to be in use.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4
    except (ValueError, OSError):
        return None


if sys.platform == "win32":

    def _windows_memory_bytes() -> int | None:
        import ctypes

        class MemoryStatus(ctypes.Structure):
            """MEMORYSTATUSEX of the Windows API."""

            _fields_ = (
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                ("total_physical", ctypes.c_ulonglong),
                ("available_physical", ctypes.c_ulonglong),
                ("total_page_file", ctypes.c_ulonglong),
                ("available_page_file", ctypes.c_ulonglong),
                ("total_virtual", ctypes.c_ulonglong),
                ("available_virtual", ctypes.c_ulonglong),
                ("available_extended", ctypes.c_ulonglong),
            )

        status = MemoryStatus()
        status.length = ctypes.sizeof(MemoryStatus)
        if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return None
        return int(status.available_physical)


def _number(path: Path) -> int | None:
    text = (_read(path) or "").strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def machine_name() -> str:
    """The processor architecture of this machine: ``x86_64``, ``aarch64``."""
    return normal_machine(platform.machine())
