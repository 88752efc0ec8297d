"""Which crates need the macOS SDK: certain along a chain that nothing else has a hand in, else only perhaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheelworks.config.crates import read_crates
from wheelworks.config.features import activate
from wheelworks.config.frameworks import FrameworkCrates, framework_crates

if TYPE_CHECKING:
    from pathlib import Path

SYS = "core-foundation-sys"


def lock(**graph: str) -> str:
    """A Cargo.lock: package -> the packages that it depends on; ``__`` stands for a hyphen."""
    names = {name.replace("__", "-"): text.split() for name, text in graph.items()}
    return "version = 4\n" + "".join(
        f'\n[[package]]\nname = "{name}"\nversion = "1.0.0"\ndependencies = {needs}\n'
        for name, needs in names.items()
    )


CHRONO = lock(
    app="chrono",
    chrono="iana-time-zone",
    criterion="chrono",
    iana__time__zone=SYS,
    core__foundation__sys="libc",
    libc="",
)


def found(tmp_path: Path, more: str, text: str = CHRONO, *, member: str = "") -> FrameworkCrates:
    """What is found for a crate with those tables, beside another member of its workspace."""
    manifest = f'[package]\nname = "app"\nversion = "1.0.0"\n{more}\n'
    if member:
        manifest += '[workspace]\nmembers = ["tool"]\n'
        (tmp_path / "tool").mkdir()
        (tmp_path / "tool" / "Cargo.toml").write_text(
            f'[package]\nname = "tool"\nversion = "1.0.0"\n{member}\n'
        )
    path = tmp_path / "Cargo.toml"
    path.write_text(manifest)
    tree = read_crates(path)
    activation = activate(tree.manifests, tmp_path, features=())
    return framework_crates(text, tree.manifests, activation)


def test_a_crate_behind_a_dependency_is_needed(tmp_path: Path) -> None:
    """The chain may be long; what other crates of the list lead to does not matter."""
    assert found(tmp_path, '[dependencies]\nchrono = "0.4"') == FrameworkCrates(needed=(SYS,))


def test_a_crate_named_with_its_version_is_found(tmp_path: Path) -> None:
    """So lock files write it where there are several versions."""
    text = CHRONO.replace(f"['{SYS}']", f"['{SYS} 0.8.7 (registry+https://example.invalid)']")
    assert f"{SYS} 0.8.7" in text
    assert found(tmp_path, '[dependencies]\nchrono = "0.4"', text).needed == (SYS,)


@pytest.mark.parametrize(
    ("more", "member"),
    [
        pytest.param('[dev-dependencies]\ncriterion = "0.5"', "", id="tests"),
        pytest.param('[build-dependencies]\ncriterion = "0.5"', "", id="build script"),
        pytest.param("", '[dependencies]\ncriterion = "0.5"', id="another member"),
        pytest.param('[features]\ntz = ["chrono/clock"]', "", id="a feature that is off"),
    ],
)
def test_what_others_switch_on_is_only_perhaps_needed(
    tmp_path: Path, more: str, member: str
) -> None:
    """Chrono's own dependency may be theirs: a build that would succeed must not be refused."""
    result = found(tmp_path, f'[dependencies]\nchrono = "0.4"\n{more}', member=member)
    assert result == FrameworkCrates(optional=(SYS,))


@pytest.mark.parametrize("table", ["dev-dependencies", "build-dependencies"])
def test_what_only_tests_or_build_scripts_use_is_not_needed(tmp_path: Path, table: str) -> None:
    """It is not linked into the module."""
    assert found(tmp_path, f'[{table}]\nchrono = "0.4"') == FrameworkCrates()


def test_an_optional_dependency_that_is_off_is_not_needed(tmp_path: Path) -> None:
    """Nor perhaps: nothing that is compiled leads there."""
    more = '[dependencies]\nchrono = { version = "0.4", optional = true }'
    assert found(tmp_path, more) == FrameworkCrates()


@pytest.mark.parametrize("text", ["", f'"{SYS}" [[package', f'package = "{SYS}"', lock(app="")])
def test_a_lock_file_without_or_beyond_sense_gives_nothing(tmp_path: Path, text: str) -> None:
    """Cargo says what is wrong with it."""
    assert found(tmp_path, '[dependencies]\nchrono = "0.4"', text) == FrameworkCrates()
