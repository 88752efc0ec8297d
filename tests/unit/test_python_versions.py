"""Whether requires-python admits a version."""

from __future__ import annotations

import pytest

from wheelworks.python_versions import admits_python


@pytest.mark.parametrize(
    ("requires", "minor", "expected"),
    [
        (">=3.11.4", 11, True),
        (">3.11", 11, True),
        ("<3.12", 12, False),
        ("<3.12.3", 12, True),
        ("<=3.12", 12, True),
        ("~=3.10", 14, True),
        ("~=3.10.2", 11, False),
        ("!=3.12.*", 12, False),
        ("!=3.12.1", 12, True),
        ("!=3.12.1.*", 12, True),
        ("!=3.*", 12, False),
        ("==3.*", 12, True),
        ("==3.12", 13, False),
        ("===3.12.4", 12, True),
        (">=3.11, <4 ,", 13, True),
    ],
)
def test_specifiers_admit_a_version(requires: str, minor: int, *, expected: bool) -> None:
    """A version is admitted when some patch release of it is."""
    assert admits_python(requires, minor) is expected


@pytest.mark.parametrize("requires", ["3.11", "^3.11", ">=three"])
def test_text_that_is_no_specifier_is_refused(requires: str) -> None:
    """The error names the text, because it comes from the user's pyproject.toml."""
    with pytest.raises(ValueError, match="no list of version specifiers"):
        admits_python(requires, 13)


def test_nothing_said_admits_every_version() -> None:
    """A project without requires-python is for any Python."""
    assert admits_python(None, 6)
    assert admits_python("", 6)
