"""Golden files: text that was looked at once and must not change unseen.

``WHEELWORKS_UPDATE_SNAPSHOTS=1`` writes them anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(__file__).parent / "snapshots"


def check_golden(name: str, text: str) -> None:
    """Compare the text with ``tests/snapshots/<name>``."""
    path = _ROOT / name
    if os.environ.get("WHEELWORKS_UPDATE_SNAPSHOTS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.is_file(), f"no golden file {name}; WHEELWORKS_UPDATE_SNAPSHOTS=1 writes it"
    assert text == path.read_text(encoding="utf-8")
