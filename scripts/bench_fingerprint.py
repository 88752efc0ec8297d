"""How long a tree of 10,000 files takes to fingerprint when nothing has changed.

Compared with what the same question costs elsewhere: ``git status``, and walking the tree in Python
with one stat a file. Aim: under 100 ms warm.
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from _bench import Candidate, Comparison, arguments, median, run, show, take_turns, timed

from wheelworks._native import fingerprint_tree

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDERS = 100
FILES = 100


def main() -> None:
    """Make the tree, measure, print."""
    args = arguments(str(__doc__), repeat=9).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_tree(root)
        known = {
            entry.path: (entry.size, entry.mtime_ns, entry.digest)
            for entry in fingerprint_tree(folder)
        }
        measured: dict[str, Callable[[], object]] = {
            "cold": lambda: fingerprint_tree(folder),
            "warm": lambda: fingerprint_tree(folder, known=known),
            "os.walk and stat": lambda: walk(folder),
            "git status": lambda: run(["git", "status", "--short"], cwd=root),
        }
        candidates = [
            Candidate(name=name, measure=partial(timed, function))
            for name, function in measured.items()
        ]
        seconds = take_turns(candidates, args.repeat)
    warm = median(seconds, "warm")
    show(
        args,
        seconds,
        [
            Comparison(name="warm, milliseconds", value=warm * 1000, aim="under 100"),
            Comparison(
                name="warm / os.walk and stat", value=warm / median(seconds, "os.walk and stat")
            ),
            Comparison(name="warm / git status", value=warm / median(seconds, "git status")),
        ],
        {"files": str(len(known))},
    )


def make_tree(root: Path) -> None:
    """A repository of 10,000 committed files of two kilobytes each."""
    for folder in range(FOLDERS):
        (root / f"folder_{folder}").mkdir()
        for file in range(FILES):
            text = f"// {folder} {file}\n" * 150
            (root / f"folder_{folder}" / f"file_{file}.rs").write_text(text, encoding="utf-8")
    # A commit of so many files would start a clean-up in the background, and disturb the measuring.
    quiet = ("-c", "gc.auto=0", "-c", "maintenance.auto=false")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.invalid")
    run(["git", "init", "-q"], cwd=root)
    run(["git", "add", "."], cwd=root)
    run(["git", *quiet, *identity, "commit", "-q", "-m", "tree"], cwd=root)


def walk(folder: str) -> int:
    """Size of all files, by one stat each."""
    total = 0
    for parent, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
        # os.path, because pathlib would be what is measured.
        total += sum(os.stat(os.path.join(parent, file)).st_size for file in files)  # noqa: PTH116, PTH118
    return total


if __name__ == "__main__":
    main()
