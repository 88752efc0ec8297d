"""Files that appear whole or not at all.

Takes a path and bytes. Touches that file and its folder; knows nothing of what is in it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from typing import TYPE_CHECKING

from wheelworks.errors import MissingResourceError

if TYPE_CHECKING:
    from pathlib import Path


def atomic_write(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace a file by rename, making its folder where needed; readers see old or new.

    Args:
        path: the file.
        content: all of it.
        durable: make it survive a power failure (fsync of file and folder). Without it the file
            still survives the end of this process, however that ends.

    Raises:
        OSError: the disk is full, the folder can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename inside the folder survive a power failure, where the system can."""
    if sys.platform == "win32":
        # Windows has no such call; its file systems journal renames.
        return
    # Some network file systems refuse it; the rename itself is done.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def ensure_state_dir(state_dir: Path) -> None:
    """Make ``.wheelworks/`` with a ``.gitignore`` that keeps all of it out of the repository.

    Raises:
        MissingResourceError: it can't be made.
    """
    ignore = state_dir / ".gitignore"
    if ignore.exists():
        return
    try:
        atomic_write(ignore, b"*\n", durable=False)
    except OSError as error:
        raise unwritable(state_dir, error) from error


def unwritable(path: Path, error: OSError) -> MissingResourceError:
    """The error for a place that can't be written, with what to do about it."""
    return MissingResourceError(
        f"{path} can't be written: {error.strerror}",
        hint="free some space there, or make it writable for this user",
    )
