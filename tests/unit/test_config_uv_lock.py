"""Requirements with the versions of a uv.lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheelworks.config.uv_lock import lock_requirements

if TYPE_CHECKING:
    from pathlib import Path

LOCK = """\
version = 1
revision = 3
requires-python = ">=3.10"

[[package]]
name = "example"
version = "1.0"
source = { editable = "." }

[[package]]
name = "pytest"
version = "9.0.3"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "pytest-mock"
version = "3.15.0rc1"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "numpy"
version = "2.2.6"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version < '3.11'"]

[[package]]
name = "numpy"
version = "2.4.0"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version >= '3.11'"]

[[package]]
name = "helper"
version = "0.1"
source = { git = "https://example.com/helper" }
"""


def locked(folder: Path, *requirements: str) -> tuple[str, ...]:
    """The requirements with the versions of the folder's lock file."""
    return lock_requirements({"test": requirements}, [folder])["test"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a lock file."""
    (tmp_path / "uv.lock").write_text(LOCK, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("pytest", "pytest==9.0.3"),
        ("pytest>=7.4.4", "pytest==9.0.3"),
        ("PyTest[dev]>=9 ; os_name == 'posix'", 'PyTest[dev]==9.0.3; os_name == "posix"'),
        ("pytest_mock", "pytest_mock==3.15.0rc1"),
    ],
)
def test_a_locked_version_is_taken(folder: Path, requirement: str, expected: str) -> None:
    """What ``uv sync`` would install is installed, with the same extras and markers."""
    assert locked(folder, requirement) == (expected,)


@pytest.mark.parametrize(
    "requirement",
    [
        "pytest>=9.1",
        "pytest @ https://example.com/pytest.whl",
        "numpy",
        "helper",
        "example",
        "unknown>=1",
        "not a requirement",
    ],
)
def test_what_is_not_locked_is_left_alone(folder: Path, requirement: str) -> None:
    """A stale, ambiguous or foreign entry does not overrule what the project asks for."""
    assert locked(folder, requirement) == (requirement,)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"\xff",
        b"[[package]",
        b"package = 1",
        b"package = [1]",
        b"[[package]]\nname = 'pytest'\nsource = {registry = ''}",
        b"[[package]]\nname = 'pytest'\nversion = 'x'\nsource = {registry = ''}",
    ],
)
def test_a_lock_file_that_says_nothing_changes_nothing(
    tmp_path: Path, content: bytes | None
) -> None:
    """Uv complains of its own files; the tests of a wheel do not depend on them."""
    if content is not None:
        (tmp_path / "uv.lock").write_bytes(content)
    assert locked(tmp_path, "pytest>=8") == ("pytest>=8",)


def test_the_nearest_lock_file_counts(folder: Path) -> None:
    """A member of a uv workspace is locked by the file at the workspace's top."""
    member = folder / "member"
    member.mkdir()
    groups = {"test": ("pytest",)}
    assert lock_requirements(groups, [member, folder]) == {"test": ("pytest==9.0.3",)}
    (member / "uv.lock").write_text(LOCK.replace("9.0.3", "8.4.0"), encoding="utf-8")
    assert lock_requirements(groups, [member, folder]) == {"test": ("pytest==8.4.0",)}


def test_a_requirement_of_the_configuration_has_the_last_word(folder: Path) -> None:
    """Who asks for a newer pytest by ``test.requires`` gets it."""
    groups = {"test": ("pytest", "pytest-mock")}
    found = lock_requirements(groups, [folder], others=("Pytest >=9.1", "@damaged"))
    assert found == {"test": ("pytest", "pytest-mock==3.15.0rc1")}
