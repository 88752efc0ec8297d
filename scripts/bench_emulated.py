"""One aarch64 cell of a real project, cold: cross-compiled by zig against compiled under QEMU.

Both build cp313-manylinux_aarch64 of rpds-py from the same sdist, each in a container of ours: the toolchain image of
this machine's architecture, and the native image of the target's under emulation. The emulated build takes many
minutes, so each is measured once unless asked otherwise, without a rehearsal; images and crates are prefetched.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _bench import Comparison, arguments, median, run, show, timed
from _rpds import count_wheels, sdist_of, unpack

CELL = "cp313-manylinux_aarch64"
TOOLCHAINS = ("container", "emulated")


def main() -> None:
    """Get the sdist, prefetch, measure, print."""
    parser = arguments(str(__doc__), repeat=1)
    parser.add_argument("--sdist", type=Path, metavar="FILE", help="the sdist, if it is here")
    args = parser.parse_args()
    seconds: dict[str, list[float]] = {toolchain: [] for toolchain in TOOLCHAINS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sdist = sdist_of(args.sdist, folder)
        for toolchain in TOOLCHAINS:
            run(ours("prefetch", toolchain), cwd=unpack(sdist, folder))
        for _ in range(args.repeat):
            for toolchain in TOOLCHAINS:
                seconds[toolchain].append(built(unpack(sdist, folder), toolchain))
    ratio = median(seconds, "emulated") / median(seconds, "container")
    comparison = Comparison(name="emulated / container", value=ratio, aim="at least 25")
    show(args, seconds, [comparison], {"cell": CELL})


def ours(command: str, toolchain: str) -> list[str]:
    """A wheelworks command for the cell with that toolchain."""
    return [sys.executable, "-P", "-m", "wheelworks", command, "--toolchain", toolchain, CELL]


def built(project: Path, toolchain: str) -> float:
    """Seconds of one build."""
    seconds = timed(lambda: run([*ours("build", toolchain), "--no-sdist"], cwd=project))
    count_wheels(project, 1, "manylinux2014_aarch64")
    return seconds


if __name__ == "__main__":
    main()
