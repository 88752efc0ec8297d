"""Which other platforms the kernel runs under QEMU, and how that is mended.

Reads and, when asked, writes below /proc/sys/fs/binfmt_misc; starts mount and apt-get through the runner.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.containers.recipes import PLATFORMS, architecture
from wheelworks.errors import MissingResourceError
from wheelworks.process import child_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelworks.process import Runner

BINFMT = Path("proc/sys/fs/binfmt_misc")
CURE = "wheelworks doctor --fix"
MOUNT_TIMEOUT_SECONDS = 30.0
INSTALL_TIMEOUT_SECONDS = 900.0
#: The kernel's name of each architecture, as QEMU's programs use it.
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
#: The beginning of an ELF file of the machine, and which of its bits count (from QEMU's qemu-binfmt-conf.sh).
MAGIC = {
    "x86_64": (
        r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00",
        r"\xff\xff\xff\xff\xff\xfe\xfe\xfc\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
    ),
    "aarch64": (
        r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
        r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
    ),
}
#: Debian package -> the programs of which one shows that it is there; all are needed for images without a registry.
HOST_PACKAGES = {
    "mmdebstrap": ("mmdebstrap", "debootstrap"),
    "qemu-user-static": ("qemu-aarch64-static", "qemu-x86_64-static"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulation:
    """Which platforms besides its own an engine runs."""

    emulated: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]
    """Platform -> why nothing of it runs, as a fragment; ``wheelworks doctor --fix`` mends all of them."""


def read_emulation(engine_platform: str, root: Path = Path("/")) -> Emulation:
    """What is registered for the platforms other than the engine's own. Starts nothing."""
    emulated, problems = [], []
    for platform in PLATFORMS:
        if platform == engine_platform:
            continue
        problem = _problem(MACHINES[architecture(platform)], root / BINFMT)
        if problem is None:
            emulated.append(platform)
        else:
            problems.append((platform, problem))
    return Emulation(emulated=tuple(emulated), problems=tuple(problems))


def _problem(machine: str, folder: Path) -> str | None:
    """Why containers of the machine do not run under QEMU; None when they do."""
    status = _read(folder / "status")
    if status is None:
        return f"no QEMU is registered for {machine} (/{BINFMT} is not mounted)"
    if status.strip() == "disabled":
        return f"binfmt_misc, which starts QEMU for {machine}, is switched off"
    entry = _read(folder / f"qemu-{machine}")
    if entry is None:
        return f"no QEMU is registered for {machine}"
    lines = entry.splitlines()
    if lines[:1] == ["disabled"]:
        return f"the registration of QEMU for {machine} is switched off"
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags:")), "")
    if "F" not in flags:
        return (
            f"QEMU for {machine} is registered without the flag F, "
            "so that containers do not find its interpreter"
        )
    return None


def missing_host_packages(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The Debian packages that images of both platforms need here and that are not installed."""
    path = os.pathsep.join([environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return tuple(
        package
        for package, programs in HOST_PACKAGES.items()
        if not any(shutil.which(program, path=path) for program in programs)
    )


def install_command(packages: Sequence[str]) -> tuple[str, ...]:
    """What installs packages on this Debian or Ubuntu, with sudo where the caller is not root."""
    command = ("apt-get", "install", "--yes", "--no-install-recommends", *packages)
    return command if is_root() else ("sudo", *command)


def install_host_packages(
    packages: Sequence[str], runner: Runner, *, environ: Mapping[str, str], log: Path | None = None
) -> None:
    """Install Debian packages; as root only.

    Raises:
        MissingResourceError: the caller is not root, or apt-get fails; the hint is the command.
    """
    command = install_command(packages)
    hint = " ".join(command)
    if not is_root():
        raise MissingResourceError(
            f"{' and '.join(packages)} can be installed by root only", hint=hint
        )
    if shutil.which("apt-get", path=environ.get("PATH", "")) is None:
        hint = f"install {' and '.join(packages)} with your system's package manager"
        raise MissingResourceError("this system has no apt-get", hint=hint)
    for argv in (("apt-get", "update"), command):
        result = runner.run(
            argv,
            env=child_environment(environ, set_={"DEBIAN_FRONTEND": "noninteractive"}),
            cwd=Path("/"),
            timeout_seconds=INSTALL_TIMEOUT_SECONDS,
            log=log,
        )
    if not result.ok:
        said = result.start_error or (result.tail[-1] if result.tail else "")
        raise MissingResourceError(f"{' '.join(command)} failed: {said}", hint=hint, log=log)


def register_binfmt(
    platform: str,
    runner: Runner,
    *,
    environ: Mapping[str, str],
    root: Path = Path("/"),
    log: Path | None = None,
) -> None:
    """Let the kernel start QEMU for programs of a platform: mounts binfmt_misc, registers with flag F.

    Raises:
        MissingResourceError: the caller is not root, QEMU is not installed, or the kernel refuses.
    """
    machine = MACHINES[architecture(platform)]
    folder = root / BINFMT
    if _problem(machine, folder) is None:
        return
    line = _registration(machine, environ, root)
    hint = manual_registration(platform)
    if not is_root():
        raise MissingResourceError(f"QEMU for {machine} can be registered by root only", hint=hint)
    if line is None:
        raise MissingResourceError(
            f"QEMU for {machine} is not installed",
            hint=" ".join(install_command(["qemu-user-static"])),
        )
    try:
        if not (folder / "status").exists():
            _mount(runner, folder, environ, log)
        (folder / "status").write_text("1", encoding="ascii")
        entry = folder / f"qemu-{machine}"
        if entry.exists():
            entry.write_text("-1", encoding="ascii")
        (folder / "register").write_text(line, encoding="ascii")
    except OSError as error:
        raise MissingResourceError(
            f"the kernel refuses to register QEMU for {machine}: {error.strerror or error}",
            hint=hint,
        ) from error


def manual_registration(platform: str) -> str:
    """The commands that register QEMU by hand: from the system's package, or with an image."""
    machine = MACHINES[architecture(platform)]
    return (
        f"sudo sh -c 'apt-get install -y qemu-user-static; mount -t binfmt_misc binfmt_misc /{BINFMT}; "
        f"cat /usr/lib/binfmt.d/qemu-{machine}.conf > /{BINFMT}/register'; or "
        f"docker run --privileged --rm tonistiigi/binfmt --install {architecture(platform)}"
    )


def is_root() -> bool:
    """Whether this process may change the machine."""
    return sys.platform != "win32" and os.geteuid() == 0


def _registration(machine: str, environ: Mapping[str, str], root: Path) -> str | None:
    """The line for the kernel: the distribution's, else one for the QEMU on PATH; None without QEMU."""
    for folder in ("usr/lib/binfmt.d", "etc/binfmt.d"):
        line = (_read(root / folder / f"qemu-{machine}.conf") or "").strip()
        if line:
            head, _, flags = line.rpartition(":")
            return line if "F" in flags else f"{head}:{flags}F"
    for name in (f"qemu-{machine}-static", f"qemu-{machine}"):
        program = shutil.which(name, path=environ.get("PATH", ""))
        if program is not None:
            magic, mask = MAGIC[machine]
            return f":qemu-{machine}:M::{magic}:{mask}:{program}:OCF"
    return None


def _mount(runner: Runner, folder: Path, environ: Mapping[str, str], log: Path | None) -> None:
    result = runner.run(
        ("mount", "-t", "binfmt_misc", "binfmt_misc", str(folder)),
        env=child_environment(environ, set_={}),
        cwd=Path("/"),
        timeout_seconds=MOUNT_TIMEOUT_SECONDS,
        log=log,
    )
    if not result.ok:
        said = result.start_error or (result.tail[-1] if result.tail else "")
        raise OSError(f"binfmt_misc can't be mounted: {said}")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
