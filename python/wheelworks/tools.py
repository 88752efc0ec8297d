"""Which version of a Python tool (maturin, ziglang, uv, abi3audit) is used, and where it lies.

Takes names, version specifiers and the folder of tools; gives requests and paths of environments
that may not exist yet. Reads nothing but our own resources; ``tool_install.py`` makes the
environments.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from wheelworks.errors import ConfigurationError
from wheelworks.plan import ToolRequest

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    ToolName: TypeAlias = Literal[
        "maturin", "ziglang", "uv", "abi3audit", "virtualenv", "cibuildwheel", "auditwheel", "build"
    ]

#: The versions that are tested together; scripts/refresh_tools.py writes their hashes to
#: resources/tools.
PINS = {
    # Its cargo-zigbuild knows --fix-cortex-a53-843419, which Rust 1.98 passes to every aarch64
    # linker.
    "maturin": "1.16.0",
    # 0.16.0's ar fails on every crate that compiles C (cargo-zigbuild#433); with maturin 1.16.0
    # this one stamps the macOS floor that was asked for, 0.15.2 and 0.16.0 stamp 13.0.
    "ziglang": "0.17.1",
    "uv": "0.13.9",
    "abi3audit": "0.0.26",
    "cibuildwheel": "4.3.3",
    # These two lie in the local image for cibuildwheel.
    "auditwheel": "6.8.2",
    "build": "1.6.1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEnvironment:
    """Where a tool is, or will be once it is provided."""

    name: str
    folder: PurePath
    identity: str
    """What a fingerprint remembers of it: the pinned version, else the requirement."""

    @property
    def bin_dir(self) -> PurePath:
        """The folder of its programs, to put before PATH."""
        return self.folder / ("Scripts" if isinstance(self.folder, PureWindowsPath) else "bin")

    @property
    def python(self) -> str:
        """Path of the environment's interpreter."""
        return self.program("python")

    def program(self, name: str) -> str:
        """Path of one of its programs."""
        suffix = ".exe" if isinstance(self.folder, PureWindowsPath) else ""
        return str(self.bin_dir / f"{name}{suffix}")


def default_request(
    name: ToolName, project_requirement: str | None = None, *, configured: str = "auto"
) -> ToolRequest:
    """The version of a tool to use.

    Args:
        name: the tool.
        project_requirement: version specifiers that the project demands of it: ``>=1.9,<2``.
        configured: a version that the configuration forces, or ``auto``.

    Raises:
        ConfigurationError: the specifiers are malformed.
    """
    pin = PINS.get(name)
    if configured not in ("auto", pin):
        return ToolRequest(
            name=name,
            requirement=f"{name}=={configured}",
            is_pinned=False,
            reason=f"[tool.wheelworks] asks for {name} {configured}",
        )
    if pin is None or (configured == "auto" and not _allows(name, project_requirement, pin)):
        demanded = project_requirement or ""
        return ToolRequest(
            name=name,
            requirement=f"{name}{demanded}",
            is_pinned=False,
            reason=f"the project requires {name}{demanded}, not the pinned {pin}" if pin else "",
        )
    return ToolRequest(
        name=name, requirement=f"{name}=={pin}", is_pinned=True, reason=f"{name} {pin} is pinned"
    )


def _allows(name: str, specifiers: str | None, version: str) -> bool:
    try:
        return SpecifierSet(specifiers or "").contains(version, prereleases=True)
    except InvalidSpecifier as error:
        raise ConfigurationError(
            f"the specifiers {specifiers!r} of {name} in [build-system] requires are malformed",
            hint="write them as in 'maturin>=1.9,<2'",
        ) from error


def tool_environment(tools_dir: PurePath, request: ToolRequest) -> ToolEnvironment:
    """Where the requested tool lies: one place per request, hashes and interpreter of ours."""
    pin = PINS[request.name] if request.is_pinned else None
    ours = f"{sys.implementation.name} {platform.python_version()} {sysconfig.get_platform()}"
    parts = [request.requirement, pinned_hashes(request.name) if pin else "", ours]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
    return ToolEnvironment(
        name=request.name,
        folder=tools_dir / f"{request.name}-{pin or 'custom'}-{digest}",
        identity=pin or request.requirement,
    )


@cache
def pinned_hashes(name: str) -> str:
    """The text of ``resources/tools/<name>.txt``: the tool and all it depends on, with hashes."""
    return hashes_file(name).read_text(encoding="utf-8")


def hashes_file(name: str) -> Path:
    """The file of :func:`pinned_hashes`, which pip and uv read."""
    return Path(str(resources.files("wheelworks"))) / "resources" / "tools" / f"{name}.txt"
