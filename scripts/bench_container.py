"""One cell of a real project, cold, in the toolchain image: our run against the same maturin call made by hand.

Both compile rpds-py from the same sdist in the same image with the same flags, each time in a folder that holds nothing
but the sources; crates are fetched beforehand into the same cargo home. Needs a container engine and the image.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from _bench import Candidate, Comparison, arguments, median, run, show, take_turns, timed
from _rpds import count_wheels, sdist_of, unpack

from wheelworks.containers import paths

CELL = "cp313-manylinux_x86_64"
TRIPLE = "x86_64-unknown-linux-gnu"


def main() -> None:
    """Get the sdist, find out what our plan runs, measure, print."""
    parser = arguments(str(__doc__), repeat=3)
    parser.add_argument("--sdist", type=Path, metavar="FILE", help="the sdist, if it is here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sdist = sdist_of(args.sdist, folder)
        use = container_of(unpack(sdist, folder))
        seconds = take_turns(
            [
                Candidate(name="by hand", measure=lambda: by_hand(unpack(sdist, folder), use)),
                Candidate(name="wheelworks", measure=lambda: wheelworks(unpack(sdist, folder))),
            ],
            args.repeat,
        )
    ratio = median(seconds, "wheelworks") / median(seconds, "by hand")
    comparison = Comparison(name="wheelworks / by hand", value=ratio, aim="at most 1.03")
    show(args, seconds, [comparison], {"image": str(use["image"]), "cell": CELL})


def ours(*arguments_: str) -> list[str]:
    """A wheelworks command that builds the cell in the container."""
    return [sys.executable, "-P", "-m", "wheelworks", *arguments_, "--toolchain", "container", CELL]


def container_of(project: Path) -> dict[str, object]:
    """The container that our plan compiles in: its engine, image and mounts."""
    plan = json.loads(run(ours("plan", "--json"), cwd=project))
    job = next(job for job in plan["jobs"] if job["kind"] == "build")
    step = next(step for step in job["steps"] if step["name"] == "compile")
    found: dict[str, object] = step["container"]
    return found


def mounted(use: dict[str, object], target: str) -> str:
    """The folder that our plan mounts there."""
    mounts = use["mounts"]
    assert isinstance(mounts, list), "BUG: a plan's mounts are a list"
    return next(str(one["source"]) for one in mounts if one["target"] == target)


def by_hand(project: Path, use: dict[str, object]) -> float:
    """Seconds of the container that a person would start, in which cargo fetches and maturin builds."""
    maturin = (
        f"cargo fetch --locked --target {TRIPLE} && maturin build --release --locked --offline "
        f"--target {TRIPLE} -i 3.13 --compatibility manylinux2014 --zig --out dist"
    )
    argv = [
        str(use["engine"]),
        "run",
        "--rm",
        "--network",
        "host",
        "--platform",
        str(use["platform"]),
    ]
    # The same crates and the same cache of zig's; where zig is, only the image's own Python knows.
    argv += ["--volume", f"{project}:/project"]
    argv += ["--volume", f"{mounted(use, paths.CARGO_HOME)}:/cargo", "--env", "CARGO_HOME=/cargo"]
    argv += ["--volume", f"{mounted(use, paths.ZIG_CACHE)}:/zig"]
    argv += ["--env", "ZIG_GLOBAL_CACHE_DIR=/zig", "--env", "CARGO_INCREMENTAL=0"]
    argv += ["--env", f"CARGO_ZIGBUILD_PYTHON_PATH={paths.TOOLS}/bin/python", "--env", "HOME=/tmp"]
    argv += ["--user", f"{os.getuid()}:{os.getgid()}", "--workdir", "/project"]
    seconds = timed(lambda: run([*argv, str(use["image"]), "sh", "-c", maturin], cwd=project))
    count_wheels(project, 1, "manylinux2014_x86_64")
    return seconds


def wheelworks(project: Path) -> float:
    """Seconds of one run of ours for the same wheel, its audit included."""
    seconds = timed(lambda: run(ours("build", "--no-sdist"), cwd=project))
    count_wheels(project, 1, "manylinux2014_x86_64")
    return seconds


if __name__ == "__main__":
    main()
