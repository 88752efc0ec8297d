"""What ``wheelworks.nox`` adds to the start of nox: its import and the registering of sessions.

Each turn is a new interpreter. Aim: under 100 ms over nox itself.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _bench import Candidate, Comparison, arguments, median, run, show, take_turns, timed

PYPROJECT = '[project]\nname = "demo"\nrequires-python = ">=3.11"\n'
BARE = "import nox"
OURS = "import nox; import wheelworks.nox; wheelworks.nox.register()"


def main() -> None:
    """Measure new interpreters, print."""
    args = arguments(str(__doc__), repeat=15).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")

        def start(code: str) -> float:
            return timed(lambda: run([sys.executable, "-P", "-c", code], cwd=root))

        seconds = take_turns(
            [
                Candidate(name="import nox", measure=lambda: start(BARE)),
                Candidate(name="and register()", measure=lambda: start(OURS)),
            ],
            args.repeat,
        )
    bare, ours = median(seconds, "import nox"), median(seconds, "and register()")
    show(
        args,
        seconds,
        [
            Comparison(name="added, milliseconds", value=(ours - bare) * 1000, aim="under 100"),
            Comparison(name="and register() / import nox", value=ours / bare),
        ],
    )


if __name__ == "__main__":
    main()
