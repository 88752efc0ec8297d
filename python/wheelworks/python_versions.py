"""Which Python versions a project is for, from what its metadata says.

Takes classifiers and a requires-python text, gives versions such as ``3.13``. Standard library
only, because ``wheelworks.nox`` reads them where nothing but nox is installed. Reads no files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What a project without version classifiers is built for. 3.15 is left to be asked for, because
#: most releases of PyO3 in use refuse an interpreter that is newer than they are.
MAINTAINED_PYTHONS = ("3.11", "3.12", "3.13", "3.14")

_CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.([0-9]+)")
_CLAUSE = re.compile(r"(===|~=|==|!=|<=|>=|<|>)\s*v?([0-9]+(?:\.[0-9]+)*)([^\s]*)")


def classified_pythons(classifiers: Iterable[str], requires_python: str | None) -> tuple[str, ...]:
    """The versions that the classifiers name and requires-python admits, in ascending order.

    Without such a classifier: the maintained versions that requires-python admits, or its lower
    bound where it admits none of them.

    Args:
        classifiers: trove classifiers; only ``Programming Language :: Python :: 3.N`` count.
        requires_python: version specifiers, ``>=3.11,<4``; None for any version.

    Returns:
        ``("3.12", "3.13")``; empty when nothing can be said.

    Raises:
        ValueError: requires-python is no list of version specifiers.
    """
    clauses = _parse_clauses(requires_python or "")
    named = {int(found[1]) for text in classifiers if (found := _CLASSIFIER.fullmatch(text))}
    if named:
        return tuple(f"3.{minor}" for minor in sorted(named) if _admits(clauses, minor))
    maintained = tuple(
        version for version in MAINTAINED_PYTHONS if _admits(clauses, int(version[2:]))
    )
    return maintained or _lower_bound(clauses)


def admits_python(requires_python: str | None, minor: int) -> bool:
    """Whether some release of Python 3.<minor> satisfies the specifiers.

    Args:
        requires_python: version specifiers; None for any version.
        minor: the minor version, 13 for Python 3.13.

    Raises:
        ValueError: requires-python is no list of version specifiers.
    """
    return _admits(_parse_clauses(requires_python or ""), minor)


_Clause = tuple[str, tuple[int, ...], bool]


def _parse_clauses(text: str) -> tuple[_Clause, ...]:
    """``>=3.11,!=3.12.*`` -> operator, release and whether it ends with ``.*``."""
    clauses = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _CLAUSE.fullmatch(part)
        if found is None:
            msg = f"requires-python {text!r} is no list of version specifiers: {part!r}"
            raise ValueError(msg)
        release = tuple(int(number) for number in found[2].split("."))
        clauses.append((found[1], release, found[3] == ".*"))
    return tuple(clauses)


def _admits(clauses: tuple[_Clause, ...], minor: int) -> bool:
    return all(_clause_admits(clause, minor) for clause in clauses)


def _clause_admits(clause: _Clause, minor: int) -> bool:
    """Whether one clause lets some patch release of 3.<minor> through, pre-releases aside."""
    operator, release, is_prefix = clause
    first = (3, minor)
    match operator:
        # A later patch release satisfies these even when the first one doesn't.
        case ">=" | ">":
            return first >= _padded(release)[:2]
        case "<=":
            return (*first, 0) <= _padded(release)
        case "<":
            return (*first, 0) < _padded(release)
        case "~=":
            return first >= _padded(release)[:2] and _agrees(first, release[:-1])
        case "!=":
            return not (is_prefix and len(release) <= 2 and _agrees(first, release))
        case _:
            return _agrees(first, release if is_prefix else _padded(release))


def _padded(release: tuple[int, ...]) -> tuple[int, ...]:
    return (*release, 0, 0)[: max(3, len(release))]


def _agrees(first: tuple[int, int], prefix: tuple[int, ...]) -> bool:
    """Whether 3.N and the prefix agree as far as both go."""
    return all(ours == theirs for ours, theirs in zip(first, prefix, strict=False))


def _lower_bound(clauses: tuple[_Clause, ...]) -> tuple[str, ...]:
    floors = [
        _padded(release)[:2]
        for operator, release, _ in clauses
        if operator in {">=", ">", "~=", "=="}
    ]
    highest = max(floors, default=None)
    if highest is None or highest[0] != 3 or not _admits(clauses, highest[1]):
        return ()
    return (f"3.{highest[1]}",)
