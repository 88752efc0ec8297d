"""Which build folders a clean-up removes."""

from __future__ import annotations

from wheelworks.gc import Candidate, choose_removals

OLD = Candidate(name="old", size=100, last_used=10.0)
NEW = Candidate(name="new", size=300, last_used=50.0)
NEWEST = Candidate(name="newest", size=500, last_used=90.0)


def test_folders_unused_for_long_go_without_a_limit() -> None:
    """What was last used before the given time is removed, the rest stays."""
    assert choose_removals((NEWEST, OLD, NEW), max_bytes=None, unused_since=20.0) == (OLD,)


def test_nothing_goes_when_all_is_recent_and_small() -> None:
    """A limit that is kept removes nothing."""
    assert choose_removals((OLD, NEW), max_bytes=400, unused_since=0.0) == ()


def test_the_longest_unused_go_first_until_the_limit_is_kept() -> None:
    """A size limit removes in the order of last use and stops as soon as the rest fits."""
    assert choose_removals((NEWEST, NEW, OLD), max_bytes=500, unused_since=0.0) == (OLD, NEW)


def test_a_limit_of_zero_removes_everything() -> None:
    """Nothing fits into nothing."""
    assert choose_removals((OLD, NEW), max_bytes=0, unused_since=0.0) == (OLD, NEW)
