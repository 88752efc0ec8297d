"""Every Cargo.toml that cargo loads is read, and what is missing is a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheelworks.config.crates import CrateTree, read_crates

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, **texts: str) -> None:
    """Write a Cargo.toml per keyword; ``__`` in it is a folder."""
    for name, text in texts.items():
        folder = root if name == "top" else root / name.replace("__", "/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Cargo.toml").write_text(text)


def crate(name: str, more: str = "") -> str:
    """The text of a crate's manifest."""
    return f'[package]\nname = "{name}"\n{more}\n'


def read(root: Path, name: str) -> CrateTree:
    """What reading the crate of a folder gives."""
    return read_crates(root / name / "Cargo.toml")


def folders(root: Path, tree: CrateTree) -> set[str]:
    """The folders of the manifests that were read."""
    return {folder.relative_to(root).as_posix() for folder in tree.manifests}


def test_a_crate_alone(tmp_path: Path) -> None:
    """It is its own workspace root."""
    write(tmp_path, a=crate("a"))
    tree = read(tmp_path, "a")
    assert (tree.manifest.name, tree.workspace_root, tree.faults) == ("a", tmp_path / "a", ())
    assert tree.files == (tmp_path / "a" / "Cargo.toml",)


def test_path_dependencies_are_followed(tmp_path: Path) -> None:
    """Also of build scripts and tests, through several crates, in a circle."""
    write(
        tmp_path,
        a=crate("a", '[dependencies]\nb = { path = "../b" }'),
        b=crate("b", '[build-dependencies]\nc = { path = "../libs/c" }'),
        libs__c=crate("c", '[dev-dependencies]\na = { path = "../../a" }'),
    )
    assert folders(tmp_path, read(tmp_path, "a")) == {"a", "b", "libs/c"}


def test_a_workspace_above_gives_its_values_and_members(tmp_path: Path) -> None:
    """Cargo loads every member, whether or not the crate needs it."""
    write(
        tmp_path,
        top='[workspace]\nmembers = ["crates/*", "tool", "gone", "[", "/abs/*"]\n'
        '[workspace.package]\nversion = "3.0.0"',
        crates__a=crate("a", "version.workspace = true"),
        crates__b=crate("b", '[dependencies]\nx = { path = "../../extra" }'),
        extra=crate("extra"),
        tool=crate("tool"),
    )
    tree = read(tmp_path, "crates/a")
    assert (tree.manifest.version, tree.workspace_root) == ("3.0.0", tmp_path)
    assert folders(tmp_path, tree) == {".", "crates/a", "crates/b", "extra", "tool"}
    assert tree.faults == ()


def test_a_workspace_that_excludes_the_crate_is_not_its_own(tmp_path: Path) -> None:
    """The search goes on above it."""
    write(
        tmp_path,
        top="[workspace]\n",
        mid='[workspace]\nexclude = ["a"]',
        mid__a=crate("a"),
    )
    assert read(tmp_path, "mid/a").workspace_root == tmp_path


def test_a_crate_can_name_its_workspace(tmp_path: Path) -> None:
    """``package.workspace``; one that does not exist is a fault."""
    write(tmp_path, ws="[workspace]\n", a=crate("a", 'workspace = "../ws"'))
    assert read(tmp_path, "a").workspace_root == tmp_path / "ws"
    write(tmp_path, b=crate("b", 'workspace = "../gone"'))
    assert [fault.key for fault in read(tmp_path, "b").faults] == ["package.workspace"]


def test_a_missing_path_dependency_is_a_fault(tmp_path: Path) -> None:
    """With the manifest that names it."""
    write(tmp_path, a=crate("a", '[dependencies]\nb = { path = "../b" }'))
    (fault,) = read(tmp_path, "a").faults
    assert (fault.key, fault.origin) == (
        "dependencies.b.path",
        str(tmp_path / "a" / "Cargo.toml"),
    )
    assert fault.message == f"there is no Cargo.toml in {tmp_path / 'b'}"


@pytest.mark.parametrize("broken", ["a", "b"])
def test_a_broken_manifest_is_a_fault(tmp_path: Path, broken: str) -> None:
    """Told once, however often it is read."""
    write(tmp_path, a=crate("a", '[dependencies]\nb = { path = "../b" }'), b=crate("b"))
    write(tmp_path, **{broken: "= 3"})
    (fault,) = read(tmp_path, "a").faults
    assert fault.message.startswith("is no valid TOML")
