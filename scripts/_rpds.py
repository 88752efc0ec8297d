"""rpds-py from its sdist, for the benchmarks that build a real project."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
from typing import TYPE_CHECKING

from _bench import run

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = "rpds_py-2026.9.1"
REQUIREMENT = "rpds-py==2026.9.1"
SHA256 = "4793ef7f78268b124b73fa933440f01d258bbae01de9fa53e9080c9ab0425a12"


def sdist_of(given: Path | None, folder: Path) -> Path:
    """The sdist: the given file, else one from the package index, checked by its hash.

    Raises:
        SystemExit: it is another file.
    """
    sdist = given or _download(folder)
    if hashlib.sha256(sdist.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{sdist} is not the sdist of {REQUIREMENT}")
    return sdist


def unpack(sdist: Path, folder: Path) -> Path:
    """The sources alone, in place of those of the turn before."""
    project = folder / PROJECT
    shutil.rmtree(project, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return project


def count_wheels(project: Path, number: int, platform: str) -> None:
    """Make sure that so many wheels of the platform were built.

    Raises:
        SystemExit: they were not.
    """
    wheels = sorted(path.name for path in (project / "dist").glob("*.whl"))
    if len(wheels) != number or not all(platform in wheel for wheel in wheels):
        raise SystemExit(f"{number} {platform} wheels were expected, not {wheels}")


def _download(folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check")
    run([*pip, "--no-deps", "--no-binary", ":all:", "-r", str(requirements)], cwd=folder)
    return folder / f"{PROJECT}.tar.gz"
