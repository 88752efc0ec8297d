"""What changed between two fingerprints, in words for people."""

from __future__ import annotations

import pytest

from wheelworks.fingerprints import changes

DIGESTS = ("a1" * 32, "b2" * 32)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({"maturin": "1.15.0"}, {"maturin": "1.16.0"}, "maturin 1.15.0 -> 1.16.0"),
        ({"src/lib.rs": DIGESTS[0]}, {"src/lib.rs": DIGESTS[1]}, "src/lib.rs changed"),
        (
            {"src/lib.rs": f"blake3:{DIGESTS[0]}"},
            {"src/lib.rs": f"blake3:{DIGESTS[1]}"},
            "src/lib.rs changed",
        ),
        ({}, {"tests/new.py": DIGESTS[0]}, "tests/new.py is new"),
        ({"tests/old.py": DIGESTS[0]}, {}, "tests/old.py is gone"),
        ({"option features": ""}, {"option features": "abi3"}, "option features (empty) -> abi3"),
        ({"option features": "abi3"}, {"option features": ""}, "option features abi3 -> (empty)"),
        ({"env RUSTFLAGS": "x" * 61}, {"env RUSTFLAGS": "y"}, "env RUSTFLAGS changed"),
        ({"env RUSTFLAGS": "a\nb"}, {"env RUSTFLAGS": "y"}, "env RUSTFLAGS changed"),
    ],
)
def test_a_difference_is_said_in_words(
    before: dict[str, str], now: dict[str, str], words: str
) -> None:
    """Versions are shown, digests and long or unprintable values are not."""
    assert changes(before, now) == (words,)


def test_equal_fingerprints_differ_in_nothing() -> None:
    """Nothing changed is an empty answer, which is what makes a job up to date."""
    assert changes({"a": "1", "b": "2"}, {"b": "2", "a": "1"}) == ()


def test_differences_come_sorted_by_name() -> None:
    """The order does not depend on how the mappings were made."""
    before, now = {"c": "1", "a": "1"}, {"b": "1", "a": "2"}
    assert changes(before, now) == ("a 1 -> 2", "b is new", "c is gone")
