"""Interpreter specs: every valid one survives writing and reading, nothing else is taken."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from packaging.tags import parse_tag

from wheelworks.interpreters import InterpreterSpec, parse_interpreter

cpython = st.builds(
    InterpreterSpec, implementation=st.just("cp"), major=st.just(3), minor=st.integers(7, 999)
)
free_threaded = st.builds(
    InterpreterSpec,
    implementation=st.just("cp"),
    major=st.just(3),
    minor=st.integers(14, 999),
    free_threaded=st.just(True),
)
stable_abi = st.builds(
    InterpreterSpec,
    implementation=st.just("cp"),
    major=st.just(3),
    minor=st.integers(7, 999),
    is_stable_abi=st.just(True),
)
pypy = st.just(InterpreterSpec(implementation="pp", major=3, minor=11))
specs = st.one_of(cpython, free_threaded, stable_abi, pypy)


@given(specs)
def test_the_written_spec_reads_back(spec: InterpreterSpec) -> None:
    """What is shown to the user can be written into the configuration."""
    assert parse_interpreter(spec.spec) == spec


@given(st.one_of(cpython, free_threaded, pypy))
def test_the_tag_reads_back(spec: InterpreterSpec) -> None:
    """Build identifiers' first part is a spec too."""
    assert parse_interpreter(spec.tag) == spec


@given(specs, specs)
def test_different_interpreters_have_different_tags(
    one: InterpreterSpec, other: InterpreterSpec
) -> None:
    """Cell ids are made of tags, so two interpreters never share one."""
    assert (one.tag == other.tag) is (one == other)


@given(specs)
def test_wheel_tags_are_what_packaging_reads(spec: InterpreterSpec) -> None:
    """Interpreter tag and ABI tag make one wheel tag."""
    (tag,) = parse_tag(f"{spec.python_tag}-{spec.abi_tag}-win32")
    assert (tag.interpreter, tag.abi) == (spec.python_tag, spec.abi_tag)


@given(st.one_of(st.text(max_size=12), st.from_regex(r"(cp|pp|pypy|abi3-py)?3\.?\d{1,3}t?")))
@example("3.13t")
@example("3.12\n")
def test_any_text_is_a_spec_or_an_error_with_words(text: str) -> None:
    """No text makes anything but a spec that reads back, or a ValueError that quotes it."""
    try:
        spec = parse_interpreter(text)
    except ValueError as error:
        assert str(error).startswith(repr(text))  # noqa: PT017
    else:
        assert parse_interpreter(spec.spec) == spec
