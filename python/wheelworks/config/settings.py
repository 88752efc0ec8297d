"""Every option of ``[tool.wheelworks]``, declared once, with default and docstring.

The parser, ``docs/configuration.md`` and the JSON schema are generated from these dataclasses.
Pure values: reading files, environment and flags is ``sources.py``'s and ``load.py``'s work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Provision = Literal["ask", "always", "never"]
ToolchainChoice = Literal["auto", "host"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSettings:
    """``[tool.wheelworks.test]``: how a built wheel is tested."""

    command: tuple[str, ...] | None = None
    """Command lines run one after another, split as a POSIX shell splits words, never run by a shell. A single
    string is one command. Placeholders: ``{project}`` (the copied project folder), ``{wheel}``, ``{python}``.
    Default: ``pytest {project}/tests`` where such a folder exists, else ``pytest {project}``."""
    requires: tuple[str, ...] | None = None
    """Requirements installed beside the wheel. Default: ``pytest`` when neither a group nor an extra is found."""
    groups: tuple[str, ...] | None = None
    """Dependency groups of the project. Default: the first of ``test``, ``tests``, ``testing``, ``dev`` that exists."""
    extras: tuple[str, ...] | None = None
    """Extras of the wheel. Default: the first of ``test``, ``tests``, ``testing`` that exists."""
    sources: tuple[str, ...] | None = None
    """Files and folders copied for the tests, relative to the project, with ``*``. Default: all but the package itself."""
    timeout_seconds: float = 900.0
    """Key ``timeout``: a number of seconds, or text such as ``90s``, ``15m``, ``1h``."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables set for the test commands."""
    environment_pass: tuple[str, ...] = ()
    """Names of variables of the caller that the test commands see, besides the usual ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSettings:
    """The options that an override may change for some cells."""

    compatibility: str = "auto"
    toolchain: ToolchainChoice = "auto"
    features: tuple[str, ...] = ()
    """Cargo features besides those of ``[tool.maturin]``."""
    no_default_features: bool = False
    profile: str = "release"
    maturin_args: tuple[str, ...] = ()
    """Further arguments for ``maturin build``, as they are."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables set for the build."""
    environment_pass: tuple[str, ...] = ()
    """Names of variables of the caller that the build sees, besides the usual ones."""
    timeout_seconds: float = 3600.0
    audit_ignore: tuple[str, ...] = ()
    """Key ``audit-ignore``: ids of findings that do not refuse a wheel."""
    test: TestSettings = field(default_factory=TestSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """``[[tool.wheelworks.overrides]]``: other options for some cells."""

    select: tuple[str, ...]
    values: Mapping[str, object]
    """Dotted key of a CellSettings option -> parsed value."""
    inherit: Mapping[str, Literal["none", "append", "prepend"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``[tool.wheelworks]`` after merging all sources."""

    pythons: tuple[str, ...]
    """Interpreter specs. Default: from requires-python and the classifiers."""
    targets: tuple[str, ...]
    skip: tuple[str, ...] = ()
    rust: str = "auto"
    provision: Provision = "ask"
    dist: Path
    """Key ``dist``: folder of the artifacts, absolute here."""
    sdist: bool = True
    interpreters: Mapping[str, str] = field(default_factory=dict)
    """Interpreter spec -> path of an executable to test with."""
    jobs: int | None = None
    """Processors that a run may use; None for all."""
    memory_per_build_mib: int = 2048
    maturin: str = "auto"
    """Version of maturin; ``auto`` for the one that wheelworks pins where ``[build-system] requires`` allows it."""
    snapshot_git: Literal["auto", "always", "never"] = "auto"
    """Key ``snapshot-git``: whether ``.git`` lies beside the snapshot."""
    cell: CellSettings = field(default_factory=CellSettings)
    overrides: tuple[Override, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    """Dotted key -> where its value came from; keys that kept their default are missing."""
