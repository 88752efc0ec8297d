"""Whether a wheel can be executed on a host, so that its tests can run there.

Takes a target and HostFacts, gives a reason or None. Does not know cells or interpreters' versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never

from wheelworks.targets import glibc_floor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.targets import Target
    from wheelworks.toolchains import HostFacts, HostSystem

_SPOKEN_SYSTEM: Mapping[HostSystem, str] = {
    "linux": "Linux",
    "macos": "macOS",
    "windows": "Windows",
}


def can_run_tests(target: Target, host: HostFacts, policy: str | None = None) -> str | None:
    """None when a wheel of the target can be executed on this host, else the reason why not.

    Whether the right interpreter is there is another question, with one exception: that a machine
    runs x86_64 programs by translation (Rosetta on a Mac, Prism on Windows) can be known only from
    an x86_64 interpreter that has been seen to run.

    Args:
        target: the wheel's target.
        host: the machine.
        policy: the level that the wheel is built for; None for the target's lowest.
    """
    match target.system:
        case "manylinux":
            return _why_not_linux(target, host, "glibc") or _why_not_glibc(target, host, policy)
        case "musllinux":
            return _why_not_linux(target, host, "musl")
        case "macosx":
            return _why_not_macos(target, host)
        case "win":
            return _why_not_windows(target, host)
        case unreachable:
            assert_never(unreachable)


def _why_not_linux(target: Target, host: HostFacts, libc: Literal["glibc", "musl"]) -> str | None:
    if host.system != "linux":
        return f"{target.name} wheels run on Linux, and this is {_SPOKEN_SYSTEM[host.system]}"
    if target.arch == "i686" and host.machine == "x86_64":
        return "no 32-bit Python is looked for on this 64-bit machine"
    if target.arch != host.machine:
        return f"{target.name} wheels run on {target.arch}, and this machine is {host.machine}"
    if host.libc != libc:
        return f"{target.name} wheels need {libc}, and this Linux has {host.libc or 'another libc'}"
    return None


def _why_not_glibc(target: Target, host: HostFacts, policy: str | None) -> str | None:
    floor = glibc_floor(policy or target.default_policy)
    if floor is None or host.libc_version is None or host.libc_version >= floor:
        return None
    needed, here = (".".join(map(str, version)) for version in (floor, host.libc_version))
    return f"{policy or target.default_policy} needs glibc {needed}, and this Linux has {here}"


def _why_not_macos(target: Target, host: HostFacts) -> str | None:
    if host.system != "macos":
        return f"{target.name} wheels run on macOS, and this is {_SPOKEN_SYSTEM[host.system]}"
    if target.arch == "arm64" and host.machine != "aarch64":
        return "arm64 wheels need a Mac with Apple silicon, and this one is an Intel"
    if target.arch == "x86_64" and host.machine == "aarch64" and not _has_x86_64_python(host):
        return "no x86_64 Python was found on this arm64 Mac, so that Rosetta can't be relied on"
    return None


def _why_not_windows(target: Target, host: HostFacts) -> str | None:
    if host.system != "windows":
        return f"{target.name} wheels run on Windows, and this is {_SPOKEN_SYSTEM[host.system]}"
    if target.arch == "x86":
        return "no 32-bit Python is looked for on this 64-bit machine"
    if target.arch == "arm64" and host.machine != "aarch64":
        return "win_arm64 wheels need an arm64 machine, and this one is x86_64"
    if target.arch == "amd64" and host.machine == "aarch64" and not _has_x86_64_python(host):
        return "no x86_64 Python was found on this arm64 machine"
    return None


def _has_x86_64_python(host: HostFacts) -> bool:
    return any(python.machine in ("x86_64", "amd64") for python in host.interpreters)
