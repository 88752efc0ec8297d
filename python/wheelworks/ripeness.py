"""Which seeding families have a first job that is so far that others can begin with what it made.

Pure, but for the waking of whoever waits. Knows nothing of folders.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ripeness:
    """The families that are open. Thread-safe.

    Args:
        families: those that are so from the start.
    """

    def __init__(self, families: Iterable[str] = ()) -> None:
        self._families = frozenset(families)
        self._lock = threading.Lock()
        self.woken: SimpleQueue[None] = SimpleQueue()
        """Gets something whenever a family is noted."""

    def note(self, family: str) -> None:
        """The family's other jobs may begin."""
        with self._lock:
            self._families |= {family}
        self.woken.put(None)

    def __contains__(self, family: object) -> bool:
        return family in self._families
