"""The matrix: settings -> cells.

Takes settings and the project's own facts, gives a tuple of frozen cells in a stable order (target
by target, interpreter by interpreter). Does not know this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from wheelworks.config.overrides import merge_overrides, override_finder
from wheelworks.errors import ConfigurationError, Fault
from wheelworks.interpreters import InterpreterSpec, parse_interpreter
from wheelworks.python_versions import admits_python
from wheelworks.selectors import matcher
from wheelworks.targets import resolve_policy, system_of_policy, target_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wheelworks.config.settings import CellSettings, Settings
    from wheelworks.project import Project
    from wheelworks.targets import Target

_Value = TypeVar("_Value", "InterpreterSpec", "Target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One interpreter on one target."""

    id: str
    """cibuildwheel's build identifier: ``cp313-manylinux_aarch64``."""
    interpreter: InterpreterSpec
    target: Target
    policy: str
    """Platform policy it is built for and held to: ``manylinux2014``."""
    built_for: InterpreterSpec
    """What is compiled: the interpreter itself, or the stable-ABI floor that serves it."""
    settings: CellSettings
    """The settings after the overrides that match this cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpossibleCell:
    """A combination that nobody builds (PyPy on musllinux or universal2), with the reason."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All cells of the project, before selection."""

    cells: tuple[Cell, ...]
    impossible: tuple[ImpossibleCell, ...]


def expand_matrix(settings: Settings, project: Project) -> Matrix:
    """Every cell that the settings name, without the skipped ones.

    Linear in the number of cells. Interpreters and targets that are named twice count once.

    Args:
        settings: after merging all sources.
        project: for its stable ABI and requires-python.

    Raises:
        ConfigurationError: a spec, target, pattern or level is wrong; all faults together.
    """
    faults: list[Fault] = []
    interpreters = _parsed(parse_interpreter, settings.pythons, "pythons", settings, faults)
    targets = _parsed(target_named, settings.targets, "targets", settings, faults)
    options = _CellOptions(settings, faults)
    unfit = _unfit_interpreters(interpreters, project, faults)
    cells: list[Cell] = []
    impossible: list[ImpossibleCell] = []
    for target in targets:
        for interpreter in interpreters:
            cell_id = f"{interpreter.tag}-{target.name}"
            if options.is_skipped(cell_id):
                continue
            own, policy = options.of(cell_id, target)
            reason = unfit.get(interpreter) or _why_impossible(interpreter, target, project, own)
            if reason is not None:
                impossible.append(ImpossibleCell(id=cell_id, reason=reason))
                continue
            cell = Cell(
                id=cell_id,
                interpreter=interpreter,
                target=target,
                policy=policy,
                built_for=_built_for(interpreter, project),
                settings=own,
            )
            cells.append(cell)
    if faults:
        raise ConfigurationError("the matrix can't be made", faults=tuple(faults))
    return Matrix(cells=tuple(cells), impossible=tuple(impossible))


def _parsed(
    parse: Callable[[str], _Value],
    texts: Iterable[str],
    key: str,
    settings: Settings,
    faults: list[Fault],
) -> tuple[_Value, ...]:
    """The values of the texts, each once, in order; every wrong text is a fault."""
    values: dict[_Value, None] = {}
    for text in dict.fromkeys(texts):
        try:
            values[parse(text)] = None
        except ValueError as error:
            faults.append(_fault(key, settings.origins.get(key, "default"), error))
    return tuple(values)


def _fault(key: str, origin: str, error: ValueError) -> Fault:
    return Fault(key=f"tool.wheelworks.{key}", origin=origin, message=str(error))


class _CellOptions:
    """What the settings say of each cell.

    Patterns are compiled and each distinct set of overrides is merged once, so that a cell costs
    no more than the matching of its id. Adds what is wrong to ``faults``.
    """

    def __init__(self, settings: Settings, faults: list[Fault]) -> None:
        self._settings = settings
        self._faults = faults
        self._merged: dict[tuple[int, ...], CellSettings] = {}
        self._policies: dict[tuple[str, str, str | None], str] = {}
        self.is_skipped = self._matcher(settings.skip, "skip")
        faults_before = len(faults)
        for number, override in enumerate(settings.overrides):
            self._matcher(override.select, f"overrides[{number}].select")
        # With a wrong pattern there will be no matrix, so the others needn't be applied.
        is_usable = len(faults) == faults_before
        self._numbers_for = override_finder(settings.overrides if is_usable else ())

    def of(self, cell_id: str, target: Target) -> tuple[CellSettings, str]:
        """The settings and the platform policy of a cell."""
        numbers = self._numbers_for(cell_id)
        if numbers not in self._merged:
            chosen = [self._settings.overrides[number] for number in numbers]
            self._merged[numbers] = merge_overrides(self._settings.cell, chosen)
        own = self._merged[numbers]
        return own, self._policy(target, own.compatibility, self._compatibility_key(numbers))

    def _compatibility_key(self, numbers: tuple[int, ...]) -> str | None:
        """The key of the override that the compatibility comes from; None for the base."""
        for number in reversed(numbers):
            if "compatibility" in self._settings.overrides[number].values:
                return f"overrides[{number}].compatibility"
        return None

    def _policy(self, target: Target, compatibility: str, override_key: str | None) -> str:
        known = (target.name, compatibility, override_key)
        if known not in self._policies:
            self._policies[known] = self._resolved(target, compatibility, override_key)
        return self._policies[known]

    def _resolved(self, target: Target, compatibility: str, override_key: str | None) -> str:
        key = override_key or "compatibility"
        origin = self._origin("overrides" if override_key else key)
        try:
            # A level for all cells is meant for the targets that have such levels.
            is_for_others = (
                override_key is None
                and compatibility != "auto"
                and system_of_policy(compatibility) != target.system
            )
            return resolve_policy(target, "auto" if is_for_others else compatibility)
        except ValueError as error:
            fault = _fault(key, origin, error)
            if fault not in self._faults:
                self._faults.append(fault)
            return target.default_policy

    def _matcher(self, patterns: tuple[str, ...], key: str) -> Callable[[str], bool]:
        try:
            return matcher(patterns)
        except ValueError as error:
            self._faults.append(_fault(key, self._origin(key.partition("[")[0]), error))
            return matcher(())

    def _origin(self, key: str) -> str:
        return self._settings.origins.get(
            key, "pyproject.toml" if key == "overrides" else "default"
        )


def _built_for(interpreter: InterpreterSpec, project: Project) -> InterpreterSpec:
    """The stable-ABI floor where one serves the interpreter, else the interpreter itself."""
    if interpreter.implementation != "cp" or interpreter.is_stable_abi:
        return interpreter
    plain, threaded = project.stable_abi, project.free_threaded_stable_abi
    version = (interpreter.major, interpreter.minor)
    if plain is not None and version >= plain and not interpreter.free_threaded:
        return _stable_abi(plain, free_threaded=False)
    # A wheel with abi3t serves the ordinary CPython too, where there is no abi3 for it.
    if threaded is not None and version >= threaded:
        return _stable_abi(threaded, free_threaded=True)
    return interpreter


def _stable_abi(floor: tuple[int, int], *, free_threaded: bool) -> InterpreterSpec:
    return InterpreterSpec(
        implementation="cp",
        major=floor[0],
        minor=floor[1],
        free_threaded=free_threaded,
        is_stable_abi=True,
    )


def _unfit_interpreters(
    interpreters: Iterable[InterpreterSpec], project: Project, faults: list[Fault]
) -> dict[InterpreterSpec, str]:
    """The interpreters that requires-python leaves out, with the reason.

    A stable-ABI floor is left alone: the wheel may well say more than the project supports.
    """
    requires = project.requires_python
    # Python 3 only, so that the minor version says it all.
    plain = [one for one in interpreters if not one.is_stable_abi]
    try:
        return {
            one: f"requires-python of {project.name} is {requires}, which leaves out {one.version}"
            for one in plain
            if not admits_python(requires, one.minor)
        }
    except ValueError as error:
        key = "project.requires-python"
        faults.append(Fault(key=key, origin="pyproject.toml", message=str(error)))
        return {}


def _why_impossible(
    interpreter: InterpreterSpec, target: Target, project: Project, own: CellSettings
) -> str | None:
    """Why nobody builds the combination; None when it can be built."""
    if interpreter.implementation == "pp" and not target.has_pypy:
        if target.arch == "universal2":
            return "PyPy has no universal2 build; take macosx_x86_64 and macosx_arm64"
        return f"PyPy {interpreter.version} is not published for {target.name}"
    # Features and arguments of the cell may turn the stable ABI on by a name that we can't know.
    can_have_stable_abi = project.stable_abi is not None or own.features or own.maturin_args
    if interpreter.is_stable_abi and not can_have_stable_abi:
        return (
            f"{project.name} turns no abi3 feature of PyO3 on; "
            f"add one to features of [tool.maturin], or write {interpreter.version}"
        )
    return None
