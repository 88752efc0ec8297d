"""Whether requires-python admits a version of Python.

Takes version specifiers and a minor version. Standard library only, because ``wheelworks.nox`` asks
where nothing but nox is installed. Reads no files; does not know which versions exist.
"""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"(===|~=|==|!=|<=|>=|<|>)\s*v?([0-9]+(?:\.[0-9]+)*)([^\s]*)")


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
