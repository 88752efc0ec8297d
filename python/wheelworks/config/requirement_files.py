"""The requirements.txt of a project's tests.

(!) Reads the files. Takes the places of the tests, gives requirements as texts; options of pip and
what is no requirement are left out. Does not know groups and extras.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: Names that projects without dependency groups use, relative to the project.
_NAMES = (
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements_test.txt",
    "test-requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
)
_COMMENT = re.compile(r"(^|\s)#.*$")
_INCLUDE = re.compile(r"(?:-r|--requirement)[ =]\s*(\S+)")
#: ``--hash=...`` after a requirement.
_OPTIONS = re.compile(r"\s+--?\w.*$")
#: A name, extras, and what may follow them; a path or a URL does not look so.
_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*\s*(\[[^\]]*\])?\s*([<>=!~;@(].*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementFile:
    """What a file of requirements holds."""

    name: str = ""
    """Relative to the project, with ``/``; empty without such a file."""
    requirements: tuple[str, ...] = ()


def find_requirement_file(root: Path, locations: Iterable[str]) -> RequirementFile:
    """The file beside the tests, else one of the usual names in the project; empty without one.

    Args:
        root: the project's folder.
        locations: folders of tests, relative to it.
    """
    for name in (*(f"{location}/requirements.txt" for location in locations), *_NAMES):
        requirements = tuple(dict.fromkeys(_read(root / name, seen=set())))
        if requirements:
            return RequirementFile(name=name, requirements=requirements)
    return RequirementFile()


def _read(path: Path, *, seen: set[Path]) -> Iterator[str]:
    if path in seen:
        return
    seen.add(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return
    for line in text.replace("\\\n", " ").splitlines():
        content = _COMMENT.sub("", line).strip()
        included = _INCLUDE.match(content)
        if included:
            yield from _read(path.parent / included[1], seen=seen)
            continue
        requirement = _OPTIONS.sub("", content)
        if _REQUIREMENT.fullmatch(requirement):
            yield requirement
