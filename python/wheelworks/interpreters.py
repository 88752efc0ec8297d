"""Interpreter specs as values: ``3.13``, ``3.14t``, ``pp311``, ``abi3-py310``.

Takes text, gives frozen values. Does not know which interpreters this machine has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, assert_never

Implementation = Literal["cp", "pp"]

OLDEST_CPYTHON_MINOR = 7
OLDEST_FREE_THREADED_MINOR = 14
PYPY_MINOR = 11

# The major version is one digit, so that the digits of `cp313` can be read in one way only.
_GRAMMAR = re.compile(
    r"""(?x)
    (?P<dotted> (?P<dotted_major>\d)\.(?P<dotted_minor>0|[1-9]\d{0,2}) (?P<dotted_t>t?) )
    | (?P<cp> cp(?P<cp_major>\d)(?P<cp_minor>0|[1-9]\d{0,2}) (?P<cp_t>t?) )
    | (?P<pp> pp(?P<pp_major>\d)(?P<pp_minor>0|[1-9]\d{0,2}) )
    | (?P<pypy> pypy(?P<pypy_major>\d)\.(?P<pypy_minor>0|[1-9]\d{0,2}) )
    | (?P<abi> abi3-py(?P<abi_major>\d)(?P<abi_minor>0|[1-9]\d{0,2}) )
    """
)
_FULL_VERSION = re.compile(r"(?P<version>\d\.\d{1,3})\.\d+\S*")
_WORD_THEN_VERSION = re.compile(r"(?:c?python|py)-?(?P<version>\d\.\d{1,3}t?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class InterpreterSpec:
    """One Python interpreter that a wheel is built for, or the stable-ABI floor of several."""

    implementation: Implementation
    major: int
    minor: int
    free_threaded: bool = False
    is_stable_abi: bool = False
    """``abi3-py310``: one wheel for CPython 3.10 and every later one. With ``free_threaded`` the
    abi3t of PEP 803, whose wheel serves both builds of CPython 3.15 and later."""

    @property
    def version(self) -> str:
        """``3.14`` (without the ``t``)."""
        return f"{self.major}.{self.minor}"

    @property
    def spec(self) -> str:
        """As a user writes it: ``3.14t``, ``pp311``, ``abi3-py310``."""
        if self.is_stable_abi:
            return f"abi3{self._thread_flag}-py{self.major}{self.minor}"
        match self.implementation:
            case "cp":
                return f"{self.version}{self._thread_flag}"
            case "pp":
                return self.python_tag
            case unreachable:
                assert_never(unreachable)

    @property
    def tag(self) -> str:
        """As in build identifiers: ``cp314t``, ``pp311``; for the stable ABI ``cp310-abi3``."""
        if self.is_stable_abi:
            return f"{self.python_tag}-{self.abi_tag}"
        return f"{self.python_tag}{self._thread_flag}"

    @property
    def python_tag(self) -> str:
        """Interpreter tag of the wheel's name: ``cp314``, ``pp311``."""
        return f"{self.implementation}{self.major}{self.minor}"

    @property
    def abi_tag(self) -> str:
        """ABI tag of the wheel's name: ``cp314t``, ``pypy311_pp73``, ``abi3``."""
        if self.is_stable_abi:
            return "abi3.abi3t" if self.free_threaded else "abi3"
        match self.implementation:
            case "cp":
                # CPython dropped the `m` of pymalloc with 3.8.
                malloc_flag = "m" if (self.major, self.minor) < (3, 8) else ""
                return f"{self.python_tag}{self._thread_flag}{malloc_flag}"
            case "pp":
                return f"pypy{self.major}{self.minor}_pp73"
            case unreachable:
                assert_never(unreachable)

    @property
    def maturin_name(self) -> str:
        """What ``maturin build -i`` takes: ``3.14t``, ``pypy3.11``, ``3.10``."""
        match self.implementation:
            case "cp":
                return f"{self.version}{self._thread_flag}"
            case "pp":
                return f"pypy{self.version}"
            case unreachable:
                assert_never(unreachable)

    @property
    def _thread_flag(self) -> str:
        return "t" if self.free_threaded else ""


def parse_interpreter(text: str) -> InterpreterSpec:
    """The interpreter that a spec names.

    Args:
        text: ``3.13``, ``3.14t``, ``cp313``, ``cp314t``, ``pp311``, ``pypy3.11`` or ``abi3-py310``.

    Raises:
        ValueError: not a spec, or one that nothing builds any more (``3.13t``); the message has
            the reason and what to write.
    """
    found = _GRAMMAR.fullmatch(text) if text.isascii() else None
    if found is None:
        raise ValueError(f"{text!r} is no interpreter spec{_what_to_write(text)}")
    form = next(name for name in ("dotted", "cp", "pp", "pypy", "abi") if found[name])
    spec = InterpreterSpec(
        implementation="pp" if form in ("pp", "pypy") else "cp",
        major=int(found[f"{form}_major"]),
        minor=int(found[f"{form}_minor"]),
        free_threaded=form in ("dotted", "cp") and found[f"{form}_t"] == "t",
        is_stable_abi=form == "abi",
    )
    refusal = _why_nobody_builds(spec)
    if refusal is not None:
        raise ValueError(f"{text!r} can't be built: {refusal}")
    return spec


def _why_nobody_builds(spec: InterpreterSpec) -> str | None:
    """The reason why maturin or PyO3 refuse the interpreter; None when they don't."""
    if spec.major != 3:
        return "maturin builds for Python 3 only"
    if spec.implementation == "pp":
        # maturin's MAXIMUM_PYPY_MINOR is 11; older PyPy is no longer maintained.
        if spec.minor < PYPY_MINOR:
            return f"PyPy {spec.version} has reached its end of life; write pp3{PYPY_MINOR}"
        if spec.minor > PYPY_MINOR:
            return f"maturin builds for PyPy up to 3.{PYPY_MINOR}; write pp3{PYPY_MINOR}"
        return None
    if spec.minor < OLDEST_CPYTHON_MINOR:
        return f"maturin builds for CPython 3.{OLDEST_CPYTHON_MINOR} and later"
    if spec.free_threaded and spec.minor == 13:
        return (
            "free-threaded CPython 3.13 was an experiment that PyO3 0.29, maturin 1.14, "
            "cibuildwheel 4 and the manylinux images no longer build; write 3.14t"
        )
    if spec.free_threaded and spec.minor < OLDEST_FREE_THREADED_MINOR:
        return (
            f"CPython {spec.version} has no free-threaded build; "
            f"write 3.{OLDEST_FREE_THREADED_MINOR}t or {spec.version}"
        )
    return None


def _what_to_write(text: str) -> str:
    """The end of the message about text that is no spec."""
    stripped = text.strip()
    if stripped != text and _GRAMMAR.fullmatch(stripped):
        return f" because of the white space around it; write {stripped!r}"
    if full := _FULL_VERSION.fullmatch(stripped):
        return f": a wheel is for a minor version; write {full['version']!r}"
    if word := _WORD_THEN_VERSION.fullmatch(stripped):
        return f"; write {word['version']!r}"
    if re.fullmatch(r"cp\d{2,4}-abi3", stripped):
        return f"; write 'abi3-py{stripped[2:-5]}'"
    if re.fullmatch(r"(?:pp\d{2,4}|pypy\d\.\d{1,3})t", stripped):
        return ": PyPy has no free-threaded build; write 'pp311'"
    if re.fullmatch(r"abi3-py\d{2,4}t", stripped):
        return ": free-threaded CPython has no abi3; write '3.14t' beside the abi3 spec"
    return "; write one like 3.13, 3.14t, pp311 or abi3-py310"
