"""wheelworks: every wheel of a maturin project's CI matrix, built, audited and tested on this machine.

Import-light on purpose: a noxfile imports ``wheelworks.nox`` at every ``nox -l``, also in a clone where
the Rust core is not built yet.
"""

from __future__ import annotations

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """The version, read from the installed metadata when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("wheelworks")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
