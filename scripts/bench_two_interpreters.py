"""Two interpreters of one real project, cold: our run against one call of maturin.

Both build rpds-py from the same sdist with the same versions of maturin and zig and the same flags,
each time in a folder that holds nothing but the sources; crates are downloaded beforehand.
"""

from __future__ import annotations

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from _bench import Candidate, Comparison, arguments, median, run, show, take_turns, timed
from _rpds import count_wheels, sdist_of, unpack

from wheelworks.tools import PINS

SELECTOR = "cp31{2,3}-manylinux_x86_64"


def main() -> None:
    """Get the sdist, measure, print."""
    parser = arguments(str(__doc__), repeat=3)
    parser.add_argument("--sdist", type=Path, metavar="FILE", help="the sdist, if it is here")
    args = parser.parse_args()
    versions = {name: version(name) for name in ("maturin", "ziglang")}
    for name, installed in versions.items():
        if installed != PINS[name]:
            raise SystemExit(f"{name} {installed} is installed, wheelworks uses {PINS[name]}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sdist = sdist_of(args.sdist, folder)
        seconds = take_turns(
            [
                Candidate(name="maturin", measure=lambda: maturin(unpack(sdist, folder))),
                Candidate(name="wheelworks", measure=lambda: wheelworks(unpack(sdist, folder))),
            ],
            args.repeat,
        )
    ratio = median(seconds, "wheelworks") / median(seconds, "maturin")
    comparison = Comparison(name="wheelworks / maturin", value=ratio, aim="under 1")
    show(args, seconds, [comparison], versions)


def maturin(project: Path) -> float:
    """Seconds of one call of maturin for both interpreters."""
    argv = [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--zig"]
    argv += ["--compatibility", "manylinux2014", "-i", "3.12", "-i", "3.13"]
    # `--target`, as wheelworks gives it: with it cargo compiles build scripts apart.
    argv += ["--target", "x86_64-unknown-linux-gnu", "--out", "dist"]
    env = {"CARGO_ZIGBUILD_PYTHON_PATH": sys.executable}
    seconds = timed(lambda: run(argv, cwd=project, env=env))
    count_wheels(project, 2, "manylinux2014_x86_64")
    return seconds


def wheelworks(project: Path) -> float:
    """Seconds of one run of ours for the same two wheels, their audit included."""
    argv = [
        sys.executable,
        "-P",
        "-m",
        "wheelworks",
        "build",
        "--no-sdist",
        "--toolchain",
        "host",
        SELECTOR,
    ]
    seconds = timed(lambda: run(argv, cwd=project, env={"WHEELWORKS_PROVISION": "always"}))
    count_wheels(project, 2, "manylinux2014_x86_64")
    return seconds


if __name__ == "__main__":
    main()
