"""What a command asks for, and the cells and interpreters that this means.

Pure: takes a request, the matrix and the host's facts, gives cells and interpreter specs. Reads nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wheelworks import selectors
from wheelworks.errors import NothingSelectedError, UsageError
from wheelworks.interpreters import parse_interpreter
from wheelworks.test_jobs import interpreter_under_test
from wheelworks.test_places import is_ready_in_container, needs_container
from wheelworks.toolchains import can_run_tests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelworks.interpreters import InterpreterSpec
    from wheelworks.matrix import Cell, Matrix
    from wheelworks.targets import Target
    from wheelworks.toolchains import HostFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a command asks for."""

    goal: Literal["build", "test"]
    directory: Path
    package: str | None
    flags: Mapping[str, str | tuple[str, ...] | bool]
    selectors: tuple[str, ...] = ()
    python: str | None = None
    """Test only with this interpreter spec."""
    sdist: Literal["default", "yes", "no", "only"] = "default"
    force: bool = False

    @property
    def emulates_tests(self) -> bool:
        """Whether tests may run under emulation, which is slow: only where somebody named the cells."""
        return bool(self.selectors)


def select_cells(matrix: Matrix, request: RunRequest) -> tuple[Cell, ...]:
    """The cells that the selectors, and with ``--python`` the interpreter, choose.

    Raises:
        UsageError: a selector is malformed.
        NothingSelectedError: nothing is left.
    """
    if request.sdist == "only":
        return ()
    ids = tuple(cell.id for cell in matrix.cells)
    try:
        missing = selectors.unmatched(ids, request.selectors)
        chosen = frozenset(selectors.select(ids, request.selectors))
    except ValueError as error:
        raise UsageError(
            str(error), hint="selectors are cell ids with *, ? and {a,b}: 'cp31{3,4}-manylinux_*'"
        ) from error
    if missing:
        pattern, nearest = missing[0]
        reason = next(
            (cell.reason for cell in matrix.impossible if selectors.matches(cell.id, pattern)), None
        )
        raise NothingSelectedError(
            f"selector {pattern!r} matches no cell of the matrix"
            + (f": {reason}" if reason else ""),
            hint=f"did you mean {nearest}? wheelworks plan lists the cells"
            if nearest
            else "wheelworks plan lists the cells; --pythons and --targets add others",
        )
    cells = tuple(cell for cell in matrix.cells if cell.id in chosen)
    if request.python is not None:
        spec = _test_interpreter(request.python)
        cells = tuple(cell for cell in cells if _serves(cell, spec))
    if not cells:
        wanted = f" for Python {request.python}" if request.python is not None else ""
        raise NothingSelectedError(
            f"no cell is selected{wanted}", hint="wheelworks plan lists the cells of the matrix"
        )
    return cells


def _test_interpreter(python: str) -> InterpreterSpec:
    """What ``--python`` names.

    Raises:
        UsageError: it is no interpreter spec.
    """
    try:
        return parse_interpreter(python)
    except ValueError as error:
        raise UsageError(f"--python: {error}", hint="write it as 3.13, 3.14t or pp311") from error


def _serves(cell: Cell, spec: InterpreterSpec) -> bool:
    """Whether the cell's wheel is for the interpreter; a stable-ABI wheel is for its floor and all later ones."""
    own = cell.interpreter
    if not own.is_stable_abi:
        return own == spec
    is_later = (spec.major, spec.minor) >= (own.major, own.minor)
    # abi3t serves both CPythons, abi3 only the one with the lock.
    is_kin = spec.implementation == own.implementation and own.free_threaded >= spec.free_threaded
    return is_later and is_kin


def wanted_interpreters(cells: tuple[Cell, ...], request: RunRequest) -> frozenset[str]:
    """The interpreters that tests need; none for builds, which need no interpreter at all."""
    if request.goal == "build":
        return frozenset()
    return frozenset(interpreter_under_test(cell, request.python).spec for cell in cells)


def missing_interpreters(
    cells: tuple[Cell, ...], request: RunRequest, host: HostFacts
) -> tuple[str, ...]:
    """The interpreters that the tests which could run on this host lack.

    What an image has that is there already need not be installed.
    """
    if request.goal == "build":
        return ()
    there = {found.spec for found in host.interpreters}
    missing: dict[str, None] = {}
    for cell in cells:
        wanted = interpreter_under_test(cell, request.python)
        if wanted.spec in there or can_run_tests(cell.target, host, cell.policy) is not None:
            continue
        if not is_ready_in_container(cell, wanted, host):
            missing[wanted.spec] = None
    return tuple(missing)


def needs_containers_for_tests(
    cells: tuple[Cell, ...], request: RunRequest, host: HostFacts
) -> bool:
    """Whether some selected test runs only in a container, so that the engine has to be asked."""
    return request.goal == "test" and any(
        needs_container(
            cell,
            interpreter_under_test(cell, request.python),
            host,
            emulates=request.emulates_tests,
        )
        for cell in cells
    )


def target_triples(target: Target) -> tuple[str, ...]:
    """Every triple that some toolchain may compile for the target."""
    gnu = target.windows_gnu_triple
    return target.triples if gnu is None else (*target.triples, gnu)
