"""The interpreters that a project is built for when nobody names them.

Takes classifiers, requires-python and the table ``resources/pythons.toml``; gives version texts and
what was left out, with the reason. Standard library only. Knows neither files of the project nor
interpreters of this machine.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from wheelworks.python_versions import admits_python

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

_TABLE = Path(__file__).parent.parent / "resources" / "pythons.toml"
_CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.([0-9]{1,4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CPython:
    """One minor version of CPython."""

    minor: int
    end_of_life: date
    is_maintained: bool
    """Whether its end of life lies after the day of the table."""
    is_prerelease: bool
    is_without_classifiers: bool
    """Whether a project without classifiers is built for it."""

    @property
    def version(self) -> str:
        """As a spec: ``3.13``."""
        return f"3.{self.minor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultPythons:
    """The interpreters that a project's metadata asks for."""

    versions: tuple[str, ...]
    """In ascending order; empty when there is none, which is a fault."""
    origin: str
    """``classifiers``, or why others were taken."""
    left_out: tuple[str, ...] = ()
    """A fragment for each version that a classifier names and that is not taken."""


@cache
def known_cpythons() -> tuple[CPython, ...]:
    """The table, oldest first."""
    document = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    rows = cast("list[Mapping[str, object]]", document["cpython"])
    as_of = cast("date", document["as-of"])
    return tuple(_row(row, as_of) for row in rows)


def default_pythons(requires_python: str | None, classifiers: Iterable[str]) -> DefaultPythons:
    """The maintained CPython versions that the classifiers name and requires-python allows.

    Without such classifiers: those that the table gives to projects without any. Free-threaded
    and PyPy classifiers add nothing, because they say nothing of versions.

    Args:
        requires_python: version specifiers; None for any version.
        classifiers: trove classifiers.

    Raises:
        ValueError: requires-python is no list of version specifiers.
    """
    known = {row.minor: row for row in known_cpythons()}
    found = {int(match[1]) for text in classifiers if (match := _CLASSIFIER.fullmatch(text))}
    named = sorted(minor for minor in found if admits_python(requires_python, minor))
    left_out = tuple(reason for minor in named if (reason := _why_left_out(minor, known)))
    versions = tuple(f"3.{minor}" for minor in named if _why_left_out(minor, known) is None)
    if not versions:
        return replace(_without_classifiers(requires_python), left_out=left_out)
    return DefaultPythons(versions=versions, origin="default (classifiers)", left_out=left_out)


def lowest_minor(requires_python: str | None) -> int | None:
    """The lowest minor version of Python 3 that requires-python allows; None for no limit.

    Raises:
        ValueError: requires-python is no list of version specifiers.
    """
    if requires_python is None:
        return None
    highest = max(row.minor for row in known_cpythons())
    allowed = (minor for minor in range(highest + 1) if admits_python(requires_python, minor))
    lowest = next(allowed, None)
    return lowest or None


def _without_classifiers(requires_python: str | None) -> DefaultPythons:
    allowed = [row for row in known_cpythons() if admits_python(requires_python, row.minor)]
    usual = [row for row in allowed if row.is_without_classifiers]
    # A project that needs something newer than the usual ones says so by requires-python.
    newer = [row for row in allowed if row.is_maintained and not row.is_prerelease][:1]
    return DefaultPythons(
        versions=tuple(row.version for row in usual or newer),
        origin="default (requires-python)" if requires_python else "default (maintained CPythons)",
    )


def _why_left_out(minor: int, known: Mapping[int, CPython]) -> str | None:
    row = known.get(minor)
    if row is None:
        return f"CPython 3.{minor} is not known to this release of wheelworks"
    if row.is_prerelease:
        return f"CPython {row.version} is a pre-release"
    if not row.is_maintained:
        return f"CPython {row.version} reached its end of life on {row.end_of_life.isoformat()}"
    return None


def _row(row: Mapping[str, object], as_of: date) -> CPython:
    end_of_life = cast("date", row["end-of-life"])
    return CPython(
        minor=int(str(row["version"]).removeprefix("3.")),
        end_of_life=end_of_life,
        is_maintained=end_of_life > as_of,
        is_prerelease=row.get("prerelease") is True,
        is_without_classifiers=row["without-classifiers"] is True,
    )
