"""What the benchmarks share: measuring in turns, medians, ratios, text and JSON.

Absolute times say little on a machine that others use too, so every benchmark compares candidates
that take turns within one run, and gives ratios of their medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

#: Variables that would make a tool of the benchmark behave otherwise than on a user's machine.
UNSET = ("CARGO_TARGET_DIR", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "MATURIN_PEP517_ARGS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One of the things that are compared."""

    name: str
    measure: Callable[[], float]
    """Does it once, gives the seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A ratio to report."""

    name: str
    value: float
    aim: str = ""
    """What it should be, in words; empty when nothing is aimed at."""


def arguments(description: str, *, repeat: int) -> argparse.ArgumentParser:
    """The parser of a benchmark: ``--repeat`` and ``--json``.

    Args:
        description: what it measures.
        repeat: how often each candidate is measured unless the user says so.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--repeat", type=int, default=repeat, metavar="N", help="turns, at least 1")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def take_turns(candidates: Sequence[Candidate], repeat: int) -> dict[str, list[float]]:
    """Seconds of every turn of every candidate; the first turn is a rehearsal and not counted.

    Args:
        candidates: measured one after another in each turn, so that noise meets all alike.
        repeat: turns that count.
    """
    seconds: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    for turn in range(repeat + 1):
        for candidate in candidates:
            measured = candidate.measure()
            if turn > 0:
                seconds[candidate.name].append(measured)
    return seconds


def median(seconds: Mapping[str, Sequence[float]], name: str) -> float:
    """The median of a candidate's turns."""
    return statistics.median(seconds[name])


def timed(function: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def run(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and give what it prints.

    Args:
        argv: program and arguments.
        cwd: working folder.
        env: variables set besides those of the caller.

    Raises:
        SystemExit: it failed; its output is shown.
    """
    environ = {name: value for name, value in os.environ.items() if name not in UNSET}
    done = subprocess.run(
        argv, cwd=cwd, env={**environ, **(env or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def show(
    args: argparse.Namespace,
    seconds: Mapping[str, Sequence[float]],
    comparisons: Sequence[Comparison],
    facts: Mapping[str, str] | None = None,
) -> None:
    """Print the result, as text or as JSON.

    Args:
        args: the parsed command line.
        seconds: the turns of each candidate.
        comparisons: the ratios, or differences, that the benchmark is for.
        facts: what else to know, such as versions.
    """
    medians = {name: statistics.median(turns) for name, turns in seconds.items()}
    if args.json:
        document = {
            "schema": 1,
            "benchmark": os.path.basename(sys.argv[0]).removesuffix(".py"),  # noqa: PTH119
            "facts": dict(facts or {}),
            "seconds": {name: list(turns) for name, turns in seconds.items()},
            "medians": medians,
            "comparisons": {one.name: {"value": one.value, "aim": one.aim} for one in comparisons},
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    width = max(len(name) for name in (*medians, *(one.name for one in comparisons)))
    lines = [f"{name:{width}}  {text}" for name, text in (facts or {}).items()]
    for name, value in medians.items():
        spread = f"{min(seconds[name]):.4f} to {max(seconds[name]):.4f}"
        lines.append(f"{name:{width}}  {value:9.4f} s  ({spread}, {len(seconds[name])} turns)")
    lines += [
        f"{one.name:{width}}  {one.value:9.3f}{f'    aim: {one.aim}' if one.aim else ''}"
        for one in comparisons
    ]
    sys.stdout.write("\n".join(lines) + "\n")
