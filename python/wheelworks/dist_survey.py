"""Whether every file in ``dist/`` is of the present sources.

Takes the folder, the records of past successes and what the present run left; reads ``dist/``, writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from wheelworks.artifacts import sha256_file
from wheelworks.freshness import SOURCE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from wheelworks.store import SuccessRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DistSurvey:
    """What lies in ``dist/`` besides the artifacts of the present sources; names of files, sorted."""

    other_sources: tuple[str, ...] = ()
    """Artifacts of this project that were built from another state of its sources, or that nobody knows of."""
    strangers: tuple[str, ...] = ()
    """Files that are no artifact of this project."""


def survey_dist(
    dist: Path,
    *,
    project: str,
    records: Iterable[SuccessRecord],
    sources: Mapping[str, str],
    ours: Collection[str],
) -> DistSurvey:
    """Look at every file of the folder; hidden ones (a ``.gitignore``) are nobody's business.

    Args:
        dist: the folder; none is an empty one.
        project: the project's name.
        records: the last success of every job.
        sources: path -> digest of the present source tree.
        ours: names of the artifacts that the present run left or found up to date.
    """
    if not dist.is_dir():
        return DistSurvey()
    rest = sorted(
        path for path in dist.iterdir() if path.name not in ours and not path.name.startswith(".")
    )
    if not rest:
        return DistSurvey()
    current = {
        record.artifact: record.artifact_sha256
        for record in records
        if record.artifact is not None and record.is_published and _sources_of(record) == sources
    }
    dubious = [path for path in rest if not _is_current(path, current.get(path.name))]
    prefix = canonicalize_name(project).replace("-", "_") + "-"
    other = tuple(path.name for path in dubious if _is_artifact(path, prefix))
    return DistSurvey(
        other_sources=other,
        strangers=tuple(path.name for path in dubious if path.name not in other),
    )


def _is_current(path: Path, sha256: str | None) -> bool:
    return sha256 is not None and path.is_file() and sha256_file(path) == sha256


def _is_artifact(path: Path, prefix: str) -> bool:
    return path.name.endswith((".whl", ".tar.gz")) and path.name.startswith(prefix)


def _sources_of(record: SuccessRecord) -> dict[str, str]:
    return {
        name.removeprefix(SOURCE_PREFIX): digest
        for name, digest in record.inputs.items()
        if name.startswith(SOURCE_PREFIX)
    }
