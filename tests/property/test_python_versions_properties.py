"""The rule for Python versions agrees with packaging, which wheelworks.nox may not import."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from wheelworks.python_versions import admits_python

minors = st.integers(min_value=6, max_value=20)
releases = st.one_of(
    st.just("3"),
    st.just("4"),
    st.builds("3.{}".format, minors),
    st.builds("3.{}.{}".format, minors, st.integers(min_value=0, max_value=9)),
)
ordered = st.builds("{}{}".format, st.sampled_from([">=", ">", "<=", "<", "==", "!="]), releases)
prefixes = st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), releases)
compatible = st.builds("~=3.{}".format, minors)
clauses = st.one_of(ordered, prefixes, compatible)


@given(clause=clauses, minor=minors)
def test_a_clause_admits_what_packaging_admits(clause: str, minor: int) -> None:
    """A minor version is admitted exactly when packaging admits one of its patch releases."""
    specifiers = SpecifierSet(clause)
    # One patch release beyond those that the strategy names, so that ``>`` can be met.
    expected = any(specifiers.contains(f"3.{minor}.{patch}") for patch in range(11))
    assert admits_python(clause, minor) is expected
