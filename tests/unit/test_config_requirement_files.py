"""Requirements of tests in files for pip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheelworks.config.requirement_files import RequirementFile, find_requirement_file

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, name: str, text: str) -> None:
    """A file of the project."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def test_the_file_beside_the_tests_comes_first(tmp_path: Path) -> None:
    """As orjson has it; a file for all of development is none for tests."""
    write(tmp_path, "requirements-dev.txt", "ruff\n")
    assert find_requirement_file(tmp_path, ["test"]) == RequirementFile()
    write(tmp_path, "requirements-test.txt", "pytest\n")
    assert find_requirement_file(tmp_path, ["test"]).name == "requirements-test.txt"
    write(tmp_path, "test/requirements.txt", "faker\npytest\n")
    found = find_requirement_file(tmp_path, ["test"])
    assert found == RequirementFile(name="test/requirements.txt", requirements=("faker", "pytest"))


@pytest.mark.parametrize(
    ("line", "requirements"),
    [
        ("pytest>=8  # the runner", ("pytest>=8",)),
        ("numpy;python_version<'3.15' and os_name=='posix'", None),
        ("pytest==9.0 --hash=sha256:00", ("pytest==9.0",)),
        ("pytest==9.0 \\\n    --hash=sha256:00", ("pytest==9.0",)),
        ("helper @ https://example.com/a.whl", None),
        ("# pytest", ()),
        ("-e .", ()),
        ("--index-url https://example.com/simple", ()),
        ("-c constraints.txt", ()),
        ("./local", ()),
        ("https://example.com/a.whl", ()),
        ("", ()),
    ],
)
def test_lines_of_the_file(tmp_path: Path, line: str, requirements: tuple[str, ...] | None) -> None:
    """Requirements are kept as they are; what only pip understands is left out."""
    write(tmp_path, "tests/requirements.txt", f"{line}\n")
    found = find_requirement_file(tmp_path, ["tests"])
    assert found.requirements == ((line,) if requirements is None else requirements)


def test_included_files_are_read(tmp_path: Path) -> None:
    """Relative to the file that names them, each once, missing ones not at all."""
    write(tmp_path, "requirements/test.txt", "-r base.txt\n--requirement=gone.txt\npytest\n")
    write(tmp_path, "requirements/base.txt", "-r test.txt\nattrs\n")
    found = find_requirement_file(tmp_path, [])
    assert found.requirements == ("attrs", "pytest")


def test_a_file_that_is_no_text_counts_as_missing(tmp_path: Path) -> None:
    """Nothing can be read from it."""
    (tmp_path / "requirements-test.txt").write_bytes(b"\xff")
    assert find_requirement_file(tmp_path, []) == RequirementFile()
