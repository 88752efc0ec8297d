"""Selectors: against a plain model of braces, and against fnmatch."""

from __future__ import annotations

import fnmatch
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from wheelworks.selectors import expand_braces, matcher, matches, select, unmatched

identifiers = st.from_regex(r"(cp|pp)3[0-9]{1,2}t?-[a-z0-9_]{3,12}", fullmatch=True)
plain = st.text(alphabet="abc1_-*?", max_size=4)

#: A pattern and its expansion, made side by side: the model.
Expanded = tuple[str, tuple[str, ...]]


def _literal(text: str) -> Expanded:
    return text, (text,)


def _alternatives(parts: list[Expanded]) -> Expanded:
    written = "{" + ",".join(text for text, _ in parts) + "}"
    return written, tuple(one for _, expansion in parts for one in expansion)


def _sequence(parts: list[Expanded]) -> Expanded:
    written = "".join(text for text, _ in parts)
    return written, tuple("".join(row) for row in product(*(expansion for _, expansion in parts)))


patterns = st.recursive(
    plain.map(_literal),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(_alternatives),
        st.lists(inner, min_size=1, max_size=3).map(_sequence),
    ),
    max_leaves=6,
)


@given(patterns)
def test_braces_expand_like_the_model(pattern: Expanded) -> None:
    """Nested alternatives give their product in the order written."""
    written, expansion = pattern
    assert expand_braces(written) == expansion


@given(patterns, st.text(alphabet="abc1_-", max_size=8))
def test_a_match_is_a_match_of_some_alternative(pattern: Expanded, identifier: str) -> None:
    """Compiling all alternatives into one expression changes nothing."""
    written, expansion = pattern
    expected = written != "" and any(fnmatch.fnmatchcase(identifier, one) for one in expansion)
    assert matches(identifier, written) is expected


@given(identifiers, identifiers)
def test_an_id_selects_itself_and_nothing_else(one: str, other: str) -> None:
    """A cell id is a selector for that cell."""
    assert matches(one, one)
    assert matches(other, one) is (one == other)


@given(identifiers, st.data())
def test_a_beginning_and_a_star_select_the_id(identifier: str, data: st.DataObject) -> None:
    """Any part may stand for itself, the rest for a star."""
    cut = data.draw(st.integers(0, len(identifier)))
    assert matches(identifier, f"{identifier[:cut]}*")
    assert matches(identifier, f"*{identifier[cut:]}")


@given(st.lists(identifiers, unique=True), st.lists(patterns), st.lists(patterns))
def test_select_is_a_filter_in_order(
    ids: list[str], wanted: list[Expanded], skipped: list[Expanded]
) -> None:
    """Every id is judged for itself."""
    want = [text for text, _ in wanted]
    skip = [text for text, _ in skipped]
    chosen = select(ids, want, skip=skip)
    assert chosen == tuple(
        one for one in ids if (not want or matcher(want)(one)) and not matcher(skip)(one)
    )


@given(st.lists(identifiers, unique=True, max_size=5), st.lists(patterns, max_size=4))
def test_unmatched_reports_exactly_what_selects_nothing(
    ids: list[str], wanted: list[Expanded]
) -> None:
    """Each report is a pattern without a match, with an id of the list or none."""
    words = [word for text, _ in wanted for word in text.split()]
    reported = unmatched(ids, words)
    assert [word for word, _ in reported] == [
        word for word in words if not any(matches(one, word) for one in ids)
    ]
    assert all(near is None or near in ids for _, near in reported)


@given(st.text(max_size=30))
def test_any_text_is_a_selector_or_a_value_error(text: str) -> None:
    """Nothing else is raised, whatever is typed."""
    try:
        found = matches("cp313-win_amd64", text)
    except ValueError as error:
        assert str(error).startswith("selector ")  # noqa: PT017
    else:
        assert isinstance(found, bool)


@given(st.integers(1, 60))
def test_many_stars_stay_cheap(stars: int) -> None:
    """A pattern of stars that can't match is answered, not searched for ever."""
    assert not matches("a" * 200, "*a" * stars + "*b")
