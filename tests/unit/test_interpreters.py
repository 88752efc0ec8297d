"""Interpreter specs: grammar, tags, and what is refused with which words."""

from __future__ import annotations

import pytest

from wheelworks.interpreters import InterpreterSpec, parse_interpreter


@pytest.mark.parametrize(
    ("text", "spec", "tag", "python_tag", "abi_tag", "maturin_name"),
    [
        ("3.12", "3.12", "cp312", "cp312", "cp312", "3.12"),
        ("cp313", "3.13", "cp313", "cp313", "cp313", "3.13"),
        ("3.7", "3.7", "cp37", "cp37", "cp37m", "3.7"),
        ("3.14t", "3.14t", "cp314t", "cp314", "cp314t", "3.14t"),
        ("cp314t", "3.14t", "cp314t", "cp314", "cp314t", "3.14t"),
        ("pp311", "pp311", "pp311", "pp311", "pypy311_pp73", "pypy3.11"),
        ("pypy3.11", "pp311", "pp311", "pp311", "pypy311_pp73", "pypy3.11"),
        ("abi3-py310", "abi3-py310", "cp310-abi3", "cp310", "abi3", "3.10"),
        ("abi3-py38", "abi3-py38", "cp38-abi3", "cp38", "abi3", "3.8"),
    ],
)
def test_every_form_gives_its_names(
    text: str, spec: str, tag: str, python_tag: str, abi_tag: str, maturin_name: str
) -> None:
    """Each form of a spec gives the names that wheels, identifiers and maturin use."""
    found = parse_interpreter(text)
    names = (found.spec, found.tag, found.python_tag, found.abi_tag, found.maturin_name)
    assert names == (spec, tag, python_tag, abi_tag, maturin_name)


def test_version_has_no_thread_flag() -> None:
    """The version is the plain number, so that it can be compared and shown."""
    assert parse_interpreter("3.14t").version == "3.14"


def test_free_threaded_stable_abi_has_both_abi_tags() -> None:
    """A wheel with abi3t is tagged for both builds of CPython, as PEP 803 says."""
    spec = InterpreterSpec(
        implementation="cp", major=3, minor=15, free_threaded=True, is_stable_abi=True
    )
    assert (spec.spec, spec.abi_tag, spec.maturin_name) == ("abi3t-py315", "abi3.abi3t", "3.15t")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3.13t", ("experiment", "PyO3 0.29", "maturin 1.14", "cibuildwheel 4", "write 3.14t")),
        ("cp313t", ("experiment", "write 3.14t")),
        ("3.12t", ("3.12 has no free-threaded build", "3.14t")),
        ("2.7", ("Python 3 only",)),
        ("3.6", ("CPython 3.7 and later",)),
        ("abi3-py36", ("CPython 3.7 and later",)),
        ("pp310", ("PyPy 3.10 has reached its end of life", "pp311")),
        ("pypy3.12", ("PyPy up to 3.11", "pp311")),
    ],
)
def test_what_nobody_builds_is_refused_with_the_reason(text: str, words: tuple[str, ...]) -> None:
    """A spec that maturin or PyO3 refuse is refused here, with their reason."""
    with pytest.raises(ValueError, match="can't be built") as caught:
        parse_interpreter(text)
    message = str(caught.value)
    assert message.startswith(repr(text))
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("3.1x", "write one like 3.13, 3.14t, pp311 or abi3-py310"),
        ("", "write one like 3.13"),
        ("3.12\n", "white space around it; write '3.12'"),
        (" 3.12", "white space around it; write '3.12'"),
        ("3.12.1", "a wheel is for a minor version; write '3.12'"),
        ("3.14.0rc1", "a wheel is for a minor version; write '3.14'"),
        ("python3.12", "write '3.12'"),
        ("cpython-3.12", "write '3.12'"),
        ("py3.14t", "write '3.14t'"),
        ("cp310-abi3", "write 'abi3-py310'"),
        ("pp311t", "PyPy has no free-threaded build"),
        ("pypy3.11t", "PyPy has no free-threaded build"),
        ("abi3-py314t", "free-threaded CPython has no abi3"),
        ("3.012", "write one like 3.13"),
        ("3.١٢", "write one like 3.13"),
        ("CP313", "write one like 3.13"),
        ("313", "write one like 3.13"),
        ("3", "write one like 3.13"),
    ],
)
def test_what_is_no_spec_says_what_to_write(text: str, cure: str) -> None:
    """Only the exact grammar is taken; everything else names a way out."""
    with pytest.raises(ValueError, match="is no interpreter spec") as caught:
        parse_interpreter(text)
    assert cure in str(caught.value)


def test_specs_sort_by_version() -> None:
    """CPython sorts by its numbers, not by its text, with the free-threaded one after."""
    texts = ("3.14t", "3.9", "3.14", "3.10")
    ordered = sorted(parse_interpreter(text) for text in texts)
    assert [spec.spec for spec in ordered] == ["3.9", "3.10", "3.14", "3.14t"]
