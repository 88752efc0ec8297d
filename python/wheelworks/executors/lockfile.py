"""One Cargo.lock for all snapshots of a project that commits none.

The first build of a run makes it in its snapshot; the others copy it, so that all wheels are built from
the same crates. It is made anew when a Cargo.toml changes. Touches ``.wheelworks/lockfile/`` and the snapshot.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wheelworks.files import atomic_write
from wheelworks.locks import acquire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheelworks.executors.base import RunContext
    from wheelworks.plan import Job
    from wheelworks.process import Cancellation

LOCK_FILE = "Cargo.lock"


@contextmanager
def shared_lock_file(
    context: RunContext, destination: Path, job: Job, cancellation: Cancellation
) -> Iterator[bool]:
    """Put the shared lock file into a snapshot, or take over the one that the caller makes there.

    Args:
        context: the run.
        destination: where the lock file lies in the snapshot.
        job: the job on whose behalf a lock is waited for.
        cancellation: ends the waiting.

    Yields:
        Whether the file is there; if not, the caller makes it inside the ``with`` block.
    """
    shared = context.state_dir / "lockfile" / f"{_manifests_digest(context)}.lock"
    with acquire(
        context.state_dir / "locks" / "lockfile.lock",
        wait=True,
        on_wait=context.notice_wait(job),
        cancellation=cancellation,
    ):
        if shared.exists():
            content = shared.read_bytes()
            # Rewriting an equal file would make cargo's fingerprints stale.
            if not destination.exists() or destination.read_bytes() != content:
                atomic_write(destination, content)
            yield True
            return
        destination.unlink(missing_ok=True)
        yield False
        if destination.exists():
            atomic_write(shared, destination.read_bytes())


def _manifests_digest(context: RunContext) -> str:
    manifests = sorted(
        (entry.path, entry.digest) for entry in context.entries if entry.path.endswith("Cargo.toml")
    )
    return hashlib.sha256(repr(manifests).encode()).hexdigest()[:16]
