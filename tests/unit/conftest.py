"""Fixtures for the unit tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelworks.toolchains import HostFacts


@pytest.fixture
def workshop(
    tmp_path: Path, hosts: Mapping[str, HostFacts], monkeypatch: pytest.MonkeyPatch
) -> Workshop:
    """A project on a faked Linux without other standard libraries: its Windows cells are unavailable."""
    return Workshop(tmp_path / "demo", hosts["linux_x86_64"], monkeypatch)
