"""Loads the configuration: finds the project, merges all sources, reports every fault together.

(!) Reads files through its neighbours. Gives the settings and the project as frozen values; does
not know what is done with them. This is the package's border: others call ``load`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from wheelworks.config.cibuildwheel import cibuildwheel_values
from wheelworks.config.detect import Detected, FeatureChoice, detect_project
from wheelworks.config.find import find_project
from wheelworks.config.layout import find_test_locations
from wheelworks.config.merge import Value, build_settings, typed_values
from wheelworks.config.override_tables import parse_overrides
from wheelworks.config.pythons import default_pythons
from wheelworks.config.requirement_files import find_requirement_file
from wheelworks.config.sources import (
    Source,
    environment_source,
    flag_source,
    toml_source,
)
from wheelworks.config.testing import ResolvedTest, TestFacts, resolve_test
from wheelworks.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelworks.config.find import FoundProject
    from wheelworks.config.pyproject import PyProject
    from wheelworks.config.settings import Override, Settings
    from wheelworks.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Everything that the configuration says."""

    settings: Settings
    project: Project
    files: tuple[Path, ...]
    """Every file that was read."""
    warnings: tuple[str, ...]
    """Fragments for people: what was left out or not taken over."""
    group_requirements: Mapping[str, tuple[str, ...]]
    """Dependency group -> its requirements, included groups' too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suggested:
    """What the project's own files suggest, below every source of ours."""

    values: Mapping[str, Value]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


def load(
    start: Path,
    *,
    flags: Mapping[str, str | tuple[str, ...] | bool],
    environ: Mapping[str, str],
    package: str | None = None,
) -> Loaded:
    """Load the configuration of the project that a folder stands for.

    Args:
        start: the folder that was started in, or that ``-C`` names.
        flags: dotted key of an option -> text as in an environment variable, or a tuple of texts.
        environ: the caller's environment variables.
        package: folder or name of the package, where there are several.

    Returns:
        Settings, project, the files read and warnings.

    Raises:
        ConfigurationError: with every fault of every source.
    """
    try:
        return _load(start, flags, environ, package)
    except OSError as error:
        # A path that the system refuses to look at: without permission, too long, a dead mount.
        where = error.filename or start
        msg = f"{where} can't be looked at: {(error.strerror or str(error)).lower()}"
        raise ConfigurationError(msg, hint="correct the path, or its permissions") from error


def _load(
    start: Path,
    flags: Mapping[str, str | tuple[str, ...] | bool],
    environ: Mapping[str, str],
    package: str | None,
) -> Loaded:
    found = find_project(start, package or _wanted_package(flags, environ))
    pyproject = found.pyproject
    sections = _sections(found)
    stronger = (environment_source(environ), flag_source(flags))
    sources = (*sections, *stronger)
    typed, faults = typed_values(entry for source in sources for entry in source.entries)
    overrides, override_faults = _overrides(found, sections)
    overruled = {entry.key for source in stronger for entry in source.entries}
    suggested = _suggestions(pyproject, typed)
    values = {**suggested.values, **typed}
    detected = detect_project(pyproject, _feature_choice(values), environ)
    test = _resolve_test(pyproject, detected, values)
    all_faults = (
        *(fault for source in sources for fault in source.faults),
        *faults,
        *override_faults,
        *suggested.faults,
        *test.faults,
        *detected.faults,
    )
    settings = build_settings(
        {**values, **test.values},
        root=pyproject.path.parent,
        overrides=tuple(_without(override, overruled) for override in overrides),
        no_command_reason=test.no_command_reason,
    )
    return Loaded(
        settings=settings,
        project=_project_or_raise(detected, all_faults),
        files=(*_pyproject_files(found), *detected.files),
        warnings=suggested.warnings,
        group_requirements=pyproject.groups,
    )


def _wanted_package(
    flags: Mapping[str, str | tuple[str, ...] | bool], environ: Mapping[str, str]
) -> str | None:
    """The option ``package`` from a flag or the environment, which is needed before all others."""
    flag = flags.get("package")
    return flag if isinstance(flag, str) else environ.get("WHEELWORKS_PACKAGE") or None


def _sections(found: FoundProject) -> tuple[Source, ...]:
    """The sections of the repository's top and of the package, the weaker first."""
    files = [found.top] if found.top is not None else []
    return tuple(
        toml_source(pyproject.section, path=pyproject.path)
        for pyproject in (*files, found.pyproject)
    )


def _pyproject_files(found: FoundProject) -> tuple[Path, ...]:
    top = (found.top.path,) if found.top is not None else ()
    return (found.pyproject.path, *top)


def _overrides(
    found: FoundProject, sections: tuple[Source, ...]
) -> tuple[tuple[Override, ...], tuple[Fault, ...]]:
    """The overrides of the sections, in the order of the files."""
    files = _pyproject_files(found)[::-1]
    read = [
        parse_overrides(source.overrides, origin=str(path))
        for source, path in zip(sections, files, strict=True)
    ]
    return (
        tuple(override for overrides, _ in read for override in overrides),
        tuple(fault for _, faults in read for fault in faults),
    )


def _without(override: Override, keys: set[str]) -> Override:
    """The override without the options that a variable or a flag has the last word on."""
    return replace(
        override,
        values={key: value for key, value in override.values.items() if key not in keys},
        inherit={key: way for key, way in override.inherit.items() if key not in keys},
    )


def _suggestions(pyproject: PyProject, typed: Mapping[str, Value]) -> _Suggested:
    """What ``[project]``, ``[tool.maturin]`` and ``[tool.cibuildwheel]`` already say."""
    taken, warnings = cibuildwheel_values(pyproject.cibuildwheel or {})
    values = dict(taken)
    if "test.command" in typed:
        warnings = ()
    if pyproject.maturin.profile:
        profile = pyproject.maturin.profile
        values["profile"] = Value(value=profile, origin="[tool.maturin] profile")
    faults: tuple[Fault, ...] = ()
    try:
        default = default_pythons(pyproject.requires_python, pyproject.classifiers)
    except ValueError as error:
        key, origin = "project.requires-python", str(pyproject.path)
        faults = (Fault(key=key, origin=origin, message=str(error)),)
        values["pythons"] = Value(value=(), origin=origin)
    else:
        values["pythons"] = Value(value=default.versions, origin=default.origin)
        if "pythons" not in typed:
            warnings += tuple(f"{reason}, so it is left out" for reason in default.left_out)
            faults = _no_pythons(pyproject) if not default.versions else ()
    return _Suggested(values=values, faults=faults, warnings=warnings)


def _no_pythons(pyproject: PyProject) -> tuple[Fault, ...]:
    message = f"no maintained CPython satisfies {pyproject.requires_python!r}"
    hint = "name the interpreters by [tool.wheelworks] pythons"
    key, origin = "project.requires-python", str(pyproject.path)
    return (Fault(key=key, origin=origin, message=message, hint=hint),)


def _resolve_test(
    pyproject: PyProject, detected: Detected, values: Mapping[str, Value]
) -> ResolvedTest:
    locations = find_test_locations(pyproject)
    listed = find_requirement_file(pyproject.path.parent, locations.paths)
    facts = TestFacts(
        groups=pyproject.groups,
        extras=pyproject.extras,
        locations=locations.paths,
        locations_origin=locations.origin,
        packaged=_packaged(detected.project, locations.paths) if detected.project else {},
        requirements=listed.requirements,
        requirements_origin=listed.name,
    )
    return resolve_test(facts, values)


def _packaged(project: Project, locations: tuple[str, ...]) -> Mapping[str, str]:
    """The locations that lie in the Python package, with their dotted names."""
    source = project.python_source
    if source is None:
        return {}
    paths = {location: project.root / location for location in locations}
    return {
        location: ".".join(path.relative_to(source).with_suffix("").parts)
        for location, path in paths.items()
        if any(path.is_relative_to(package) for package in project.package_dirs)
    }


def _feature_choice(values: Mapping[str, Value]) -> FeatureChoice:
    features = values.get("features")
    return FeatureChoice(
        features=cast("tuple[str, ...]", features.value) if features else (),
        no_default_features="no-default-features" in values
        and values["no-default-features"].value is True,
    )


def _project_or_raise(detected: Detected, faults: tuple[Fault, ...]) -> Project:
    unique = tuple(dict.fromkeys(faults))
    if detected.project is not None and not unique:
        return detected.project
    assert unique, "BUG: a project can't be missing without a fault"
    number = "a fault" if len(unique) == 1 else f"{len(unique)} faults"
    msg = f"the configuration has {number}"
    raise ConfigurationError(msg, faults=unique)
