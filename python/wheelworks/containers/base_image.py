"""The image that ours are built on: pulled from a registry, else made from a Debian mirror.

Touches the network, the engine's images and a folder for unfinished files, which is emptied at the end and by
the next one after a kill.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING

from wheelworks.containers.archive import write_image_archive
from wheelworks.containers.build_errors import build_error
from wheelworks.containers.paths import LABEL_LOCAL
from wheelworks.containers.recipes import SUITE, architecture, resource
from wheelworks.containers.registry import registry_problem
from wheelworks.errors import MissingResourceError
from wheelworks.locks import acquire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.containers.image_door import ImageDoor
    from wheelworks.containers.recipes import Base
    from wheelworks.process import CommandResult

PULL_TIMEOUT_SECONDS = 1800.0
#: An arm64 one takes ten minutes under QEMU on a slow machine.
BOOTSTRAP_TIMEOUT_SECONDS = 3600.0
LOAD_TIMEOUT_SECONDS = 900.0
INSTALL_MMDEBSTRAP = "sudo apt-get install mmdebstrap debian-archive-keyring"


def ensure_base(base: Base, door: ImageDoor) -> str:
    """Make sure that the base is there under our name for it; gives that name.

    Args:
        base: the base.
        door: the engine.

    Raises:
        MissingResourceError: no registry answers and it can't be made here.
        InterruptedRunError: the run was interrupted meanwhile.
    """
    if door.image_id(base.reference) is not None:
        return base.reference
    lock = door.folder() / f"base-{architecture(base.platform)}.lock"
    with acquire(lock, wait=True, cancellation=door.cancellation):
        if door.image_id(base.reference) is None:
            _provide(base, door)
    return base.reference


def can_bootstrap(environ: Mapping[str, str]) -> bool:
    """Whether a Debian can be made here: mmdebstrap for anybody, debootstrap for root only."""
    path = environ.get("PATH", "")
    if shutil.which("mmdebstrap", path=path):
        return True
    is_root = sys.platform != "win32" and os.geteuid() == 0
    return is_root and shutil.which("debootstrap", path=path) is not None


def why_no_bootstrap(environ: Mapping[str, str]) -> str:
    """The reason behind a negative answer of :func:`can_bootstrap`, as a fragment."""
    if shutil.which("debootstrap", path=environ.get("PATH", "")):
        return "mmdebstrap is not installed, and debootstrap works for root only"
    return "neither mmdebstrap nor debootstrap is installed"


def _provide(base: Base, door: ImageDoor) -> None:
    if _take_local(base, door):
        return
    problem = None if door.engine.has_mirror else registry_problem(base.name, environ=door.environ)
    if problem is None:
        door.say(f"{base.name} for {base.platform} is pulled")
        argv = (door.engine.path, "pull", "--platform", base.platform, base.name)
        result = door.call(argv, timeout_seconds=PULL_TIMEOUT_SECONDS, on_line=door.on_line)
        if result.ok:
            _run(door, "tag", base.name, base.reference)
            return
        problem = str(build_error(result, f"{base.name} could not be pulled", door.log).message)
    if base.mirror is None:
        raise MissingResourceError(
            f"the image {base.name} for {base.platform} is not here, and {problem}",
            hint=f"load it by hand ({door.engine.name} load), or reach a registry",
            log=door.log,
        )
    if not can_bootstrap(door.environ):
        raise MissingResourceError(
            f"the base image can't be made: {problem}, and {why_no_bootstrap(door.environ)}",
            hint=INSTALL_MMDEBSTRAP,
            log=door.log,
        )
    _bootstrap(base, base.mirror, door)


def _take_local(base: Base, door: ImageDoor) -> bool:
    """Give our name to an image of that name and platform that is there already."""
    result = door.ask("image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", base.name)
    if not result.ok or result.stdout.strip() != base.platform:
        return False
    _run(door, "tag", base.name, base.reference)
    return True


def _bootstrap(base: Base, mirror: str, door: ImageDoor) -> None:
    door.say(f"a base image for {base.platform} is made from {mirror}")
    folder = door.folder() / f"base-{architecture(base.platform)}.unfinished"
    # What a killed run left; we hold the lock.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        script, root_tar = folder / "debian-base.sh", folder / "root.tar"
        script.write_text(resource("debian-base.sh"), encoding="utf-8")
        target = architecture(base.platform)
        result = door.call(
            ("sh", str(script), target, SUITE, mirror, str(root_tar)),
            timeout_seconds=BOOTSTRAP_TIMEOUT_SECONDS,
            on_line=door.on_line,
            # Other folders of temporary files than the system's may be out of reach for the users that it maps.
            set_={"TMPDIR": tempfile.gettempdir(), "PATH": _with_sbin(door.environ)},
        )
        _check(result, "the base image could not be made", door)
        archive = folder / "image.tar"
        write_image_archive(
            root_tar,
            archive,
            platform=base.platform,
            reference=base.reference,
            labels={LABEL_LOCAL: "true"},
        )
        root_tar.unlink()
        _run(door, "load", "--input", str(archive))
    except OSError as error:
        raise MissingResourceError(
            f"the base image could not be written to {folder}: {error.strerror or error}",
            hint="make room there",
            log=door.log,
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _with_sbin(environ: Mapping[str, str]) -> str:
    """PATH with the folders of administration programs, which Debian's users do not have."""
    return os.pathsep.join([environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def _run(door: ImageDoor, *arguments: str) -> None:
    argv = (door.engine.path, *arguments)
    result = door.call(argv, timeout_seconds=LOAD_TIMEOUT_SECONDS)
    _check(result, f"{door.engine.name} {arguments[0]} failed", door)


def _check(result: CommandResult, what: str, door: ImageDoor) -> None:
    if not result.ok:
        raise build_error(result, what, door.log)
