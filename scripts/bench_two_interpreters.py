"""Two interpreters of one real project, cold: our run against one call of maturin.

Both build rpds-py from the same sdist with the same versions of maturin and zig and the same flags,
each time in a folder that holds nothing but the sources; crates are downloaded beforehand.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

from _bench import Candidate, Comparison, arguments, median, run, show, take_turns, timed

from wheelworks.tools import PINS

PROJECT = "rpds_py-2026.9.1"
REQUIREMENT = "rpds-py==2026.9.1"
SHA256 = "4793ef7f78268b124b73fa933440f01d258bbae01de9fa53e9080c9ab0425a12"
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
        sdist = args.sdist or download(folder)
        if hashlib.sha256(sdist.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"{sdist} is not the sdist of {REQUIREMENT}")
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


def download(folder: Path) -> Path:
    """The sdist from the package index, checked by its hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check")
    run([*pip, "--no-deps", "--no-binary", ":all:", "-r", str(requirements)], cwd=folder)
    return folder / f"{PROJECT}.tar.gz"


def unpack(sdist: Path, folder: Path) -> Path:
    """The sources alone, in place of those of the turn before."""
    project = folder / PROJECT
    shutil.rmtree(project, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return project


def maturin(project: Path) -> float:
    """Seconds of one call of maturin for both interpreters."""
    argv = [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--zig"]
    argv += ["--compatibility", "manylinux2014", "-i", "3.12", "-i", "3.13"]
    # `--target`, as wheelworks gives it: with it cargo compiles build scripts apart.
    argv += ["--target", "x86_64-unknown-linux-gnu", "--out", "dist"]
    env = {"CARGO_ZIGBUILD_PYTHON_PATH": sys.executable}
    seconds = timed(lambda: run(argv, cwd=project, env=env))
    count_wheels(project)
    return seconds


def wheelworks(project: Path) -> float:
    """Seconds of one run of ours for the same two wheels, their audit included."""
    argv = [sys.executable, "-P", "-m", "wheelworks", "build", "--no-sdist", SELECTOR]
    seconds = timed(lambda: run(argv, cwd=project, env={"WHEELWORKS_PROVISION": "always"}))
    count_wheels(project)
    return seconds


def count_wheels(project: Path) -> None:
    """Make sure that both wheels were built."""
    wheels = sorted(path.name for path in (project / "dist").glob("*.whl"))
    if len(wheels) != 2 or not all("manylinux2014_x86_64" in wheel for wheel in wheels):
        raise SystemExit(f"two manylinux2014 wheels were expected, not {wheels}")


if __name__ == "__main__":
    main()
