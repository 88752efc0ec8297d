"""Selectors: braces, wildcards, what is refused, and near misses."""

from __future__ import annotations

import pytest

from wheelworks.selectors import expand_braces, matcher, matches, select, unmatched

IDS = (
    "cp312-manylinux_x86_64",
    "cp313-manylinux_x86_64",
    "cp314t-manylinux_x86_64",
    "cp313-win_amd64",
    "pp311-macosx_arm64",
    "cp310-abi3-win32",
)


@pytest.mark.parametrize(
    ("pattern", "expanded"),
    [
        ("", ("",)),
        ("cp313-*", ("cp313-*",)),
        ("cp31{3,4}-*", ("cp313-*", "cp314-*")),
        ("cp314{,t}-*", ("cp314-*", "cp314t-*")),
        ("{a,b}{1,2}", ("a1", "a2", "b1", "b2")),
        ("cp{312,31{3,4}}", ("cp312", "cp313", "cp314")),
        ("{a}", ("a",)),
        ("{}", ("",)),
        ("a,b", ("a,b",)),
        ("{a,{b,c}d,e}f", ("af", "bdf", "cdf", "ef")),
    ],
)
def test_braces_expand_as_in_a_shell(pattern: str, expanded: tuple[str, ...]) -> None:
    """Alternatives come in the order written, the left ones varying slowest."""
    assert expand_braces(pattern) == expanded


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("cp31{3,4", "opens a brace that it never closes"),
        ("cp313}-*", "closes a brace that it never opened"),
        ("}{", "closes a brace that it never opened"),
        ("{a,b}" * 10, "more than 1000 alternatives"),
        ("{" + ",".join("a" * 1001) + "}", "more than 1000 alternatives"),
        ("{" + ",".join(["{a,b}" * 9] * 3) + "}", "more than 1000 alternatives"),
        ("{a,b}" * 5000, "more than 1000 alternatives"),
        ("{" * 5000, "opens a brace that it never closes"),
    ],
)
def test_wrong_or_huge_braces_are_refused(pattern: str, words: str) -> None:
    """Unbalanced braces and a flood of alternatives are errors, found without much work."""
    with pytest.raises(ValueError, match=words):
        expand_braces(pattern)


def test_exactly_the_maximum_of_alternatives_is_allowed() -> None:
    """The limit itself is still a selector."""
    assert len(expand_braces("{" + ",".join("a" * 1000) + "}")) == 1000


@pytest.mark.parametrize(
    ("identifier", "pattern", "is_match"),
    [
        ("cp313-win_amd64", "cp313-win_amd64", True),
        ("cp313-win_amd64", "cp313-*", True),
        ("cp313-win_amd64", "*", True),
        ("cp313-win_amd64", "cp31?-win_amd64", True),
        ("cp313-win_amd64", "cp31?win_amd64", False),
        ("cp313-win_amd64", "cp313", False),
        ("cp313-win_amd64", "win_amd64", False),
        ("cp313-win_amd64", "CP313-*", False),
        ("cp313-win_amd64", "cp312-* cp313-*", True),
        ("cp313-win_amd64", "cp31{2,4}-*", False),
        ("cp314t-win_amd64", "cp314-*", False),
        ("cp313-win_amd64", "", False),
    ],
)
def test_a_pattern_matches_the_whole_id_with_case(
    identifier: str, pattern: str, is_match: bool
) -> None:
    """A part of an id, or another case, is no match; white space separates patterns."""
    assert matches(identifier, pattern) is is_match


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("dist/example.whl", "'/', which no cell id has"),
        ("./tests", "'.', which no cell id has"),
        ("cp3[12]-*", r"'\[', which no cell id has"),
        ("!cp313-*", "'!', which no cell id has"),
        ("3.13", "'.', which no cell id has"),
        ("C:\\wheels", "':', which no cell id has"),
        ("cp31{2..4}-*", "holds a range; write the values"),
        ("cp312-*,cp313-*", "comma outside braces; separate selectors by spaces"),
        ("cp31{2,3}-*,cp314-*", "comma outside braces"),
        ("cp31{2,3", "opens a brace"),
    ],
)
def test_what_is_no_selector_is_an_error(pattern: str, words: str) -> None:
    """A path, a foreign glob or a list never selects silently."""
    for use in (
        lambda: matches("cp313-win32", pattern),
        lambda: select(IDS, [pattern]),
        lambda: select(IDS, ["*"], skip=[pattern]),
        lambda: unmatched((), [pattern]),
        lambda: matcher([pattern]),
    ):
        with pytest.raises(ValueError, match=words):
            use()


def test_no_pattern_selects_everything() -> None:
    """A command without selectors means all cells."""
    assert select(IDS, []) == IDS


def test_select_keeps_the_given_order_and_skip_wins() -> None:
    """The order of the matrix stays, whatever the order of the patterns."""
    chosen = select(IDS, ["*-win*", "cp31{2,3}-*"], skip=["cp312-*"])
    assert chosen == ("cp313-manylinux_x86_64", "cp313-win_amd64", "cp310-abi3-win32")


def test_skip_applies_without_patterns() -> None:
    """Skipping works on the whole matrix too."""
    assert select(IDS, [], skip=["cp*"]) == ("pp311-macosx_arm64",)


@pytest.mark.parametrize(
    ("pattern", "nearest"),
    [
        ("cp313-manylinux_x86-64", "cp313-manylinux_x86_64"),
        ("CP313-WIN_AMD64", "cp313-win_amd64"),
        ("pp31-macos*", "pp311-macosx_arm64"),
        ("cp31{8,9}-win_amd64", "cp313-win_amd64"),
        ("zzzzqqq", None),
        ("?zz*", None),
    ],
)
def test_a_pattern_that_matches_nothing_offers_the_nearest_id(
    pattern: str, nearest: str | None
) -> None:
    """A mistyped selector is reported with the id that was probably meant."""
    assert unmatched(IDS, [pattern]) == ((pattern, nearest),)


def test_only_patterns_without_a_match_are_reported_one_by_one() -> None:
    """Of several patterns in one text each is judged for itself."""
    assert unmatched(IDS, ["cp313-* qq-*", "pp311-*"]) == (("qq-*", None),)


def test_a_bare_wildcard_over_no_ids_has_no_neighbour() -> None:
    """With nothing to select from there is nothing to offer."""
    assert unmatched((), ["*"]) == (("*", None),)
    assert unmatched(("ab",), ["?"]) == (("?", None),)
