"""Interpreter specs as values: ``3.13``, ``3.14t``, ``pp311``, ``abi3-py310``.

Takes text, gives frozen values. Does not know which interpreters this machine has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Implementation = Literal["cp", "pp"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class InterpreterSpec:
    """One Python interpreter that a wheel is built for, or the stable-ABI floor of several."""

    implementation: Implementation
    major: int
    minor: int
    free_threaded: bool = False
    is_stable_abi: bool = False
    """``abi3-py310``: one wheel for CPython 3.10 and every later one."""

    @property
    def version(self) -> str:
        """``3.14`` (without the ``t``)."""
        raise NotImplementedError

    @property
    def spec(self) -> str:
        """As a user writes it: ``3.14t``, ``pp311``, ``abi3-py310``."""
        raise NotImplementedError

    @property
    def tag(self) -> str:
        """As cibuildwheel's build identifiers write it: ``cp314t``, ``pp311``; for the stable
        ABI ``cp310-abi3``."""
        raise NotImplementedError

    @property
    def python_tag(self) -> str:
        """Interpreter tag of the wheel's name: ``cp314``, ``pp311``."""
        raise NotImplementedError

    @property
    def abi_tag(self) -> str:
        """ABI tag of the wheel's name: ``cp314t``, ``pypy311_pp73``, ``abi3``."""
        raise NotImplementedError

    @property
    def maturin_name(self) -> str:
        """What ``maturin build -i`` takes: ``3.14t``, ``pypy3.11``, ``3.10``."""
        raise NotImplementedError


def parse_interpreter(text: str) -> InterpreterSpec:
    """The interpreter that ``3.13``, ``3.14t``, ``cp313``, ``pp311`` or ``abi3-py310`` names.

    Raises:
        ValueError: not a spec, or one that nothing builds any more (``3.13t``); the message has the reason.
    """
    raise NotImplementedError
