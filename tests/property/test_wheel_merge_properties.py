"""Properties of merging: whatever else is in the slices, the merged wheel is whole and the same."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from installer.sources import WheelFile
from slice_samples import LIBRARIES, MODULE, PLATFORMS, merged, thin_parts

NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "N"), include_characters=', "_.'), min_size=1
).map(lambda name: f"demo/data/{name}x")
FILES = st.dictionaries(NAMES, st.binary(max_size=200).map(lambda data: b"data" + data), max_size=5)


@given(FILES)
def test_any_common_files_survive(files: dict[str, bytes]) -> None:
    """Names with commas and quotes included: RECORD holds, content and slices are unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        path = merged(Path(folder), files, files)
        assert all(platform in path.name for platform in PLATFORMS)
        with zipfile.ZipFile(path) as archive:
            WheelFile(archive).validate_record()
            assert {name: archive.read(name) for name in files} == files
            assert sorted(thin_parts(archive.read(MODULE)).values()) == sorted(LIBRARIES.values())
