"""What doctor finds: checks, and what mends them. Pure types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["good", "missing", "unavailable", "unneeded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """What mends a check: one of these."""

    argv: tuple[str, ...] = ()
    """A command."""
    tool: str | None = None
    """A tool that wheelworks installs for itself."""
    packages: tuple[str, ...] = ()
    """Packages of the distribution."""
    emulates: str | None = None
    """The platform that QEMU is registered for: ``linux/arm64``."""
    image: str | None = None
    """Reference of an image that is built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    subject: str
    state: CheckState
    detail: str
    mending: Mending | None = None
    hint: str | None = None
    is_fatal: bool = False
    """Whether nothing at all can be built without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Room on a disk."""

    what: str
    """``images``, ``builds``"""
    folder: str
    free_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What only doctor asks of the machine."""

    client_version: str | None = None
    """Of the engine's client."""
    spaces: tuple[Space, ...] = ()
    qemu_version: str | None = None
    missing_packages: tuple[str, ...] = ()
    """Debian packages that images of every platform would need here."""
    package_command: tuple[str, ...] = ()
    """What installs them; empty where the system has no apt-get."""
    base: str | None = None
    """Where the base image would come from; None where nobody could give one."""
    base_problem: str | None = None
    """Why not."""
