"""What a pyproject.toml says, as frozen values.

Pure: takes the parsed document, gives a PyProject. Does not read files; wrong types in sections of
other tools count as missing, because those tools complain of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.config.toml_values import table_at, text_at, texts_at, texts_of, value_at

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(.*)", re.S
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalFeature:
    """A cargo feature that maturin switches on for some versions of Python."""

    feature: str
    python_version: str | None
    """Version specifiers."""
    implementation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaturinTable:
    """``[tool.maturin]``, as far as it decides what a build reads and gives."""

    manifest_path: str | None
    module_name: str | None
    bindings: str | None
    python_source: str | None
    python_packages: tuple[str, ...]
    data: str | None
    profile: str | None
    features: tuple[str, ...]
    """The unconditional ones."""
    conditional_features: tuple[ConditionalFeature, ...]
    no_default_features: bool
    all_features: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PyProject:
    """One pyproject.toml."""

    path: Path
    is_maturin: bool
    """Whether its build backend is maturin."""
    name: str | None
    version: str | None
    requires_python: str | None
    classifiers: tuple[str, ...]
    metadata_files: tuple[str, ...]
    """Readme and licence files, patterns among them, relative to the file."""
    maturin_requirement: str | None
    extras: Mapping[str, tuple[str, ...]]
    """Extra -> its requirements."""
    groups: Mapping[str, tuple[str, ...]]
    """Dependency group -> its requirements, included groups' too."""
    maturin: MaturinTable
    section: object
    """The raw ``[tool.wheelworks]``; None without one."""
    cibuildwheel: Mapping[str, object] | None
    """The raw ``[tool.cibuildwheel]``."""
    testpaths: tuple[str, ...]
    """``testpaths`` of pytest."""


def read_pyproject(document: Mapping[str, object], path: Path) -> PyProject:
    """The PyProject of a parsed document.

    Args:
        document: the whole file.
        path: the file.
    """
    project = table_at(document, "project")
    cibuildwheel = value_at(document, "tool", "cibuildwheel")
    requires = texts_at(document, "build-system", "requires")
    return PyProject(
        path=path,
        is_maturin=_is_maturin(document, requires),
        name=text_at(project, "name"),
        version=text_at(project, "version"),
        requires_python=text_at(project, "requires-python"),
        classifiers=texts_at(project, "classifiers"),
        metadata_files=_metadata_files(project),
        maturin_requirement=_specifier_of("maturin", requires),
        extras={
            name: texts_of(listed)
            for name, listed in table_at(project, "optional-dependencies").items()
        },
        groups=resolve_groups(table_at(document, "dependency-groups")),
        maturin=_maturin_table(table_at(document, "tool", "maturin")),
        section=value_at(document, "tool", "wheelworks"),
        cibuildwheel=cibuildwheel if isinstance(cibuildwheel, Mapping) else None,
        testpaths=_testpaths(document),
    )


def resolve_groups(raw: Mapping[str, object]) -> Mapping[str, tuple[str, ...]]:
    """Dependency groups with the groups that they include (PEP 735), each of these once."""
    by_name = {normalize_name(name): listed for name, listed in raw.items()}

    def collect(name: str, seen: set[str]) -> tuple[str, ...]:
        seen.add(name)
        listed = by_name.get(name)
        found: list[str] = []
        for item in listed if isinstance(listed, list) else ():
            included = text_at(item, "include-group")
            if isinstance(item, str):
                found.append(item)
            elif included is not None and normalize_name(included) not in seen:
                found += collect(normalize_name(included), seen)
        return tuple(found)

    return {name: collect(normalize_name(name), set()) for name in raw}


def normalize_name(name: str) -> str:
    """The name as PEP 503 compares names: lower case, with single dashes."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(requirement: str) -> str | None:
    """The normalized name at the start of a requirement; None when it has none."""
    found = _NAME.fullmatch(requirement)
    return normalize_name(found[1]) if found else None


def _is_maturin(document: Mapping[str, object], requires: tuple[str, ...]) -> bool:
    """Whether maturin builds it.

    As the backend, behind a backend of the project's own, or, where no backend is named at all,
    because it has a section of its own.
    """
    build_system = table_at(document, "build-system")
    backend = text_at(build_system, "build-backend")
    if backend is None:
        return bool(table_at(document, "tool", "maturin"))
    is_own = bool(texts_at(build_system, "backend-path"))
    return backend == "maturin" or (is_own and "maturin" in map(requirement_name, requires))


def _specifier_of(name: str, requires: tuple[str, ...]) -> str | None:
    """The version specifiers of the requirement of that name; None without any."""
    for requirement in requires:
        found = _NAME.fullmatch(requirement)
        if found and normalize_name(found[1]) == name:
            specifier = found[2].partition(";")[0].strip().strip("()").strip()
            return specifier if specifier and not specifier.startswith("@") else None
    return None


def _metadata_files(project: Mapping[str, object]) -> tuple[str, ...]:
    named = (
        text_at(project, "readme"),
        text_at(project, "readme", "file"),
        text_at(project, "license", "file"),
    )
    return (*(name for name in named if name), *texts_at(project, "license-files"))


def _maturin_table(table: Mapping[str, object]) -> MaturinTable:
    listed = table.get("features")
    plain: list[str] = []
    conditional: list[ConditionalFeature] = []
    for item in listed if isinstance(listed, list) else ():
        feature = item if isinstance(item, str) else text_at(item, "feature")
        version = text_at(item, "python-version")
        implementation = text_at(item, "python-implementation")
        if feature is None:
            continue
        if version is None and implementation is None:
            plain.append(feature)
        else:
            conditional.append(
                ConditionalFeature(
                    feature=feature, python_version=version, implementation=implementation
                )
            )
    return MaturinTable(
        manifest_path=text_at(table, "manifest-path"),
        module_name=text_at(table, "module-name"),
        bindings=text_at(table, "bindings"),
        python_source=text_at(table, "python-source"),
        python_packages=texts_at(table, "python-packages"),
        data=text_at(table, "data"),
        profile=text_at(table, "profile"),
        features=tuple(plain),
        conditional_features=tuple(conditional),
        no_default_features=table.get("no-default-features") is True,
        all_features=table.get("all-features") is True,
    )


def _testpaths(document: Mapping[str, object]) -> tuple[str, ...]:
    """``testpaths`` of ``[tool.pytest]`` (pytest 9) or ``[tool.pytest.ini_options]``."""
    for section in (("tool", "pytest"), ("tool", "pytest", "ini_options")):
        raw = value_at(document, *section, "testpaths")
        found = tuple(raw.split()) if isinstance(raw, str) else texts_of(raw)
        if found:
            return found
    return ()
