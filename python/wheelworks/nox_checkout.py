"""An environment that holds a checkout of wheelworks, for the nox sessions of its own repository.

Takes a nox session and the checkout's folder; gives an interpreter that has it installed. Makes
the environment with virtualenv (nox brings it; Debian's Python has no ensurepip) and installs again
only when a file that counts has changed. Standard library and nox only. Does not know what runs in
it.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import nox

__all__ = ["checkout_environment", "source_stamp"]

#: What of a checkout decides about the installed package.
_INPUTS = ("Cargo.toml", "Cargo.lock", "pyproject.toml", "src/**/*", "python/**/*")
_BY_PRODUCTS = frozenset({".pyc", ".so", ".pyd"})


@contextmanager
def checkout_environment(
    session: nox.Session,
    checkout: Path,
    *,
    name: str = "wheelworks",
    requirements: Sequence[str] = (),
) -> Iterator[Path]:
    """An interpreter that has the checkout installed, for as long as the block runs.

    Environments of one name are shared by all sessions, also by those that run at the same time:
    the first installs, and who finds the sources changed waits until nobody uses the environment.

    Args:
        session: the session that uses it; its commands make the environment.
        checkout: folder of the checkout's pyproject.toml.
        name: names the environment; other requirements need another name.
        requirements: installed beside the checkout.

    Yields:
        Path of the environment's interpreter.

    Raises:
        nox.command.CommandFailed: the environment can't be made, or the checkout not built.
    """
    folder = session.cache_dir.absolute() / "checkout" / name
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with _locked(folder / "install.lock"):
            _bring_up_to_date(session, checkout.absolute(), folder, requirements)
            stack.enter_context(_locked(folder / "use.lock", shared=True))
        yield _python(folder)


def source_stamp(checkout: Path) -> str:
    """A digest of everything in a checkout that the installed package is made of.

    Args:
        checkout: folder of the checkout's pyproject.toml.
    """
    digest = hashlib.sha256()
    found = {path.relative_to(checkout) for pattern in _INPUTS for path in checkout.glob(pattern)}
    for path in sorted(found):
        if _counts(path) and (checkout / path).is_file():
            content = (checkout / path).read_bytes()
            digest.update(f"{path.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _counts(path: Path) -> bool:
    """Whether a file belongs to the sources: no by-product, and in no tool's cache."""
    return path.suffix not in _BY_PRODUCTS and not any(part.startswith(".") for part in path.parts)


def _bring_up_to_date(
    session: nox.Session, checkout: Path, folder: Path, requirements: Sequence[str]
) -> None:
    """Make the environment or install the checkout again, whichever its stamps ask for."""
    stamp = folder / "stamp"
    base = hashlib.sha256("\n".join((sys.version, sys.prefix, *requirements)).encode()).hexdigest()
    wanted = [base, source_stamp(checkout)]
    found = stamp.read_text(encoding="ascii").split() if stamp.is_file() else []
    if found == wanted and _python(folder).exists():
        return
    with _locked(folder / "use.lock"):
        stamp.unlink(missing_ok=True)
        if found[:1] != [base] or not _python(folder).exists():
            shutil.rmtree(folder / "env", ignore_errors=True)
            session.run_install(sys.executable, "-m", "virtualenv", "-q", str(folder / "env"))
        _install(session, checkout, folder, requirements)
        stamp.write_text("\n".join(wanted), encoding="ascii")


def _install(
    session: nox.Session, checkout: Path, folder: Path, requirements: Sequence[str]
) -> None:
    """Build the checkout and install it; one cargo folder serves all environments."""
    environment = {
        "CARGO_TARGET_DIR": str(checkout / "target" / "nox"),
        # Without it PyO3 is configured for the interpreter of pip's throw-away environment, and
        # cargo compiles PyO3 and the core anew for each environment.
        "MATURIN_PEP517_USE_BASE_PYTHON": "true",
    }
    pip = (str(_python(folder)), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    session.run_install(*pip, str(checkout), *requirements, env=environment, silent=True)


def _python(folder: Path) -> Path:
    if sys.platform == "win32":
        return folder / "env" / "Scripts" / "python.exe"
    return folder / "env" / "bin" / "python"


@contextmanager
def _locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock that the system releases when the process ends, however it ends."""
    with path.open("ab") as handle:
        _lock(handle, shared=shared)
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: BinaryIO, *, shared: bool) -> None:
        """Wait for the lock; a shared one is not needed, Windows protects loaded modules itself."""
        while not shared:
            try:
                msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
            except OSError:  # after ten seconds of waiting
                continue
            return

else:
    import fcntl

    def _lock(handle: BinaryIO, *, shared: bool) -> None:
        """Wait for the lock."""
        fcntl.flock(handle.fileno(), fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
