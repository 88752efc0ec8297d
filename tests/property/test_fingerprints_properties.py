"""What changed: exactly the names that differ, each once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wheelworks.fingerprints import changes

names = st.text(alphabet="abc/.", min_size=1, max_size=4)
values = st.one_of(
    st.sampled_from(["", "1.15.0", "1.16.0"]),
    st.sampled_from(["0" * 64, "f" * 64]),
    st.text(max_size=80),
)
fingerprints = st.dictionaries(names, values, max_size=6)


@given(fingerprints)
def test_nothing_differs_from_itself(fingerprint: dict[str, str]) -> None:
    """An unchanged job is up to date."""
    assert changes(fingerprint, dict(fingerprint)) == ()


@given(fingerprints, fingerprints)
def test_each_differing_name_is_said_once(before: dict[str, str], now: dict[str, str]) -> None:
    """One fragment per name, sorted, and none shows a digest."""
    differing = sorted(
        name for name in before.keys() | now.keys() if before.get(name) != now.get(name)
    )
    said = changes(before, now)
    assert len(said) == len(differing)
    assert all(text.startswith(f"{name} ") for name, text in zip(differing, said, strict=True))
    assert not any("0" * 64 in text or "f" * 64 in text for text in said)


@given(fingerprints, fingerprints)
def test_new_and_gone_are_each_others_mirror(before: dict[str, str], now: dict[str, str]) -> None:
    """What is new one way is gone the other way."""
    new = {
        text.removesuffix(" is new") for text in changes(before, now) if text.endswith(" is new")
    }
    gone = {
        text.removesuffix(" is gone") for text in changes(now, before) if text.endswith(" is gone")
    }
    assert (now.keys() - before.keys()) <= new
    assert (now.keys() - before.keys()) <= gone
