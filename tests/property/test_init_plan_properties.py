"""Whatever pyproject.toml holds, init keeps it byte by byte and means what it shows."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from wheelworks.init_plan import _adds_only, _appendix

lines = st.sampled_from(
    ["[project]", 'name = "a"', "[tool.maturin]", "# comment é", "", "x = '''", "'''", "[[tool.x]]"]
)
contents = st.builds(
    lambda parts, end, tail: (end.join(parts) + tail).encode(),
    st.lists(lines, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\r\n"]),
)


@given(before=contents)
def test_a_section_is_added_to_any_document(before: bytes) -> None:
    """A valid document with the section means the old document and the section."""
    try:
        document = dict(tomllib.loads(before.decode()))
    except tomllib.TOMLDecodeError:
        return
    added = _appendix(before, '[tool.wheelworks]\npythons = ["3.13"]\n')
    assert _adds_only(document, before + added, {"pythons": ["3.13"]})
