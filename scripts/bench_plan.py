"""How long ``wheelworks plan --json`` takes on matrices of 100, 1,000 and 10,000 cells.

Aim: under a second for 10,000 cells, and linear: the added cells cost the same each, so the cost of
one between 1,000 and 10,000 is compared with that between 100 and 1,000.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path

from _bench import Candidate, Comparison, arguments, median, run, show, take_turns, timed

_LINUX = ("x86_64", "aarch64", "i686", "armv7l", "ppc64le", "s390x", "riscv64")
TARGETS = (
    *(f"{system}_{arch}" for system in ("manylinux", "musllinux") for arch in _LINUX),
    *("macosx_x86_64", "macosx_arm64", "macosx_universal2"),
    *("win_amd64", "win_arm64", "win32"),
)
SIZES = (100, 1_000, 10_000)
FIRST_MINOR = 11


def main() -> None:
    """Make a project of each size, measure, print."""
    args = arguments(str(__doc__), repeat=5).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        projects = {size: make_project(Path(folder) / str(size), size) for size in SIZES}
        for size, project in projects.items():
            found = len(json.loads(plan(project))["cells"])
            if found != size:
                raise SystemExit(f"the project for {size} cells has {found}")
        seconds = take_turns(
            [
                Candidate(name=f"{size} cells", measure=partial(timed, partial(plan, path)))
                for size, path in projects.items()
            ],
            args.repeat,
        )
    small, middle, large = (median(seconds, f"{size} cells") for size in SIZES)
    first = (middle - small) / (SIZES[1] - SIZES[0])
    second = (large - middle) / (SIZES[2] - SIZES[1])
    show(
        args,
        seconds,
        [
            Comparison(name="10,000 cells, seconds", value=large, aim="under 1"),
            Comparison(name="microseconds a cell, 100 to 1,000", value=first * 1e6),
            Comparison(name="microseconds a cell, to 10,000", value=second * 1e6),
            Comparison(name="growth of a cell's cost", value=second / first, aim="about 1"),
        ],
    )


def plan(project: Path) -> str:
    """The plan of a project, as JSON text."""
    return run([sys.executable, "-P", "-m", "wheelworks", "plan", "--json"], cwd=project)


def make_project(folder: Path, cells: int) -> Path:
    """A project whose matrix has so many cells: twenty targets, the rest by interpreters."""
    pythons = [f"3.{FIRST_MINOR + number}" for number in range(cells // len(TARGETS))]
    files = {
        "pyproject.toml": (
            '[build-system]\nrequires = ["maturin>=1,<2"]\nbuild-backend = "maturin"\n'
            '[project]\nname = "demo"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
            f"[tool.wheelworks]\npythons = {json.dumps(pythons)}\n"
            f"targets = {json.dumps(TARGETS)}\n"
        ),
        "Cargo.toml": (
            '[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n'
            '[lib]\ncrate-type = ["cdylib"]\n[dependencies]\npyo3 = "0.30"\n'
        ),
        "src/lib.rs": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
