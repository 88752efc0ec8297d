"""Reads what lies around a crate: rust-toolchain, .cargo/config.toml, build scripts.

(!) Reads files; one that can't be read counts as missing, because rustup and cargo complain of it.
Does not know pyproject.toml.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.config.cargo import join
from wheelworks.config.toml_values import text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.config.cargo import Manifest

#: Crates that read the repository when they are compiled or run in a build script.
_GIT_CRATES = re.compile(
    r"(vergen(-.+)?|built|git2|gix|git-version|shadow-rs|build-info|build-data|git-testament)"
)
_GIT_IN_SCRIPT = re.compile(r"""["']git["']|\.git\b|\bGIT_|\bgit2\b|\bvergen""")


def find_rust_toolchain(folder: Path) -> tuple[Path | None, str | None]:
    """The nearest rust-toolchain file upwards and the channel that it names.

    Args:
        folder: where rustup would start.

    Returns:
        File and channel; no channel where the file names a path, or nothing.
    """
    for parent in (folder, *folder.parents):
        # rustup prefers the old name where both exist.
        for path in (parent / "rust-toolchain", parent / "rust-toolchain.toml"):
            text = _read(path)
            if text is not None:
                return path, _channel(text)
    return None, None


def find_cargo_configs(folder: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The ``.cargo/config.toml`` files in force, nearest first, without that of CARGO_HOME.

    Args:
        folder: the crate's folder.
        environ: the caller's environment.
    """
    homes = (environ.get("HOME"), environ.get("USERPROFILE"))
    cargo_home = environ.get("CARGO_HOME")
    excluded = {Path(home, ".cargo") for home in homes if home}
    excluded |= {Path(cargo_home)} if cargo_home else set()
    found = []
    for parent in (folder, *folder.parents):
        cargo = parent / ".cargo"
        if cargo in excluded:
            continue
        names = (cargo / "config", cargo / "config.toml")
        found += [path for path in names if path.is_file()][:1]
    return tuple(found)


def looks_at_git(manifest: Manifest) -> bool:
    """Whether compiling a crate reads ``.git``: by a crate known for it, or in its build script."""
    names = (dependency.package for dependency in manifest.dependencies if dependency.kind != "dev")
    if any(_GIT_CRATES.fullmatch(name) for name in names):
        return True
    if manifest.build_script is None:
        return False
    script = _read(join(manifest.folder, manifest.build_script)) or ""
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("//"))
    return any(_GIT_IN_SCRIPT.search(line) for line in lines)


def normalize_version(version: str) -> str:
    """A version of Cargo's or ``[project]``'s as wheels have it: ``1.0.0-rc.1`` is ``1.0.0rc1``."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)*", version):
        return version
    # Imported where it is needed, because most versions need none of it.
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(version))
    except InvalidVersion:
        return version


def _channel(text: str) -> str | None:
    try:
        return text_at(tomllib.loads(text), "toolchain", "channel")
    except (tomllib.TOMLDecodeError, RecursionError):
        # The old format is the channel alone.
        words = text.split()
        return words[0] if len(words) == 1 else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
