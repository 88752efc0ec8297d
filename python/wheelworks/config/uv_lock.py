"""The versions that a project's ``uv.lock`` names, applied to requirements.

(!) Reads the file. Takes requirements as texts, gives them with the locked versions; a lock file that
is missing, damaged or of another kind changes nothing. Does not know which requirements are used.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from wheelworks.config.pyproject import normalize_name, requirement_name
from wheelworks.config.toml_values import table_at, text_at, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LOCK_FILE = "uv.lock"


def lock_requirements(
    groups: Mapping[str, tuple[str, ...]],
    folders: Iterable[Path],
    *,
    others: Iterable[str] = (),
) -> Mapping[str, tuple[str, ...]]:
    """The requirements of dependency groups, with the versions of the nearest ``uv.lock``.

    Test tools move on: what a project's own ``uv sync`` installs works with its tests, the newest may not.

    Args:
        groups: dependency group -> requirements.
        folders: where the file may lie, nearest first.
        others: requirements that are installed as well; what they name is not locked, so that they
            can ask for another version.
    """
    versions = dict(next((found for folder in folders if (found := read_versions(folder))), {}))
    for other in others:
        versions.pop(requirement_name(other) or "", None)
    if not versions:
        return groups
    return {
        name: tuple(_locked(requirement, versions) for requirement in requirements)
        for name, requirements in groups.items()
    }


def read_versions(folder: Path) -> Mapping[str, str]:
    """Name -> version of what the folder's ``uv.lock`` takes from an index, where it names only one version.

    Where it names several, they are for different markers, and the requirement is left to the installer.
    """
    try:
        document = tomllib.loads((folder / LOCK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    packages = document.get("package")
    found: dict[str, set[str]] = {}
    for package in packages if isinstance(packages, list) else ():
        if (
            not isinstance(package, dict)
            or value_at(table_at(package, "source"), "registry") is None
        ):
            continue
        name, version = text_at(package, "name"), text_at(package, "version")
        if name is not None and version is not None:
            found.setdefault(normalize_name(name), set()).add(version)
    return {name: versions.pop() for name, versions in found.items() if len(versions) == 1}


def _locked(text: str, versions: Mapping[str, str]) -> str:
    """The requirement with the locked version; as it is where that is unknown or does not satisfy it."""
    # Imported here, because most projects have no uv.lock and loading should start fast.
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        requirement = Requirement(text)
        locked = Version(versions[normalize_name(requirement.name)])
    except (InvalidRequirement, InvalidVersion, KeyError):
        return text
    is_satisfied = requirement.specifier.contains(locked, prereleases=True)
    if requirement.url is not None or not is_satisfied:
        return text
    requirement.specifier = SpecifierSet(f"=={locked}")
    return str(requirement)
