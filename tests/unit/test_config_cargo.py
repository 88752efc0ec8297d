"""A Cargo.toml becomes a Manifest, with what it inherits from its workspace."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from wheelworks.config.cargo import Dependency, Manifest, Workspace, join, read_manifest

ROOT = Path("/w")


def read(text: str, workspace: Workspace | None = None) -> Manifest:
    """The manifest of a crate in the workspace /w."""
    return read_manifest(tomllib.loads(text), ROOT / "crate" / "Cargo.toml", workspace)


def top(text: str) -> Workspace:
    """The workspace of a manifest at /w."""
    found = read_manifest(tomllib.loads(text), ROOT / "Cargo.toml").workspace
    assert found is not None
    return found


def dependency(text: str, workspace: Workspace | None = None) -> Dependency:
    """The only dependency of a manifest."""
    (found,) = read(f"[dependencies]\n{text}", workspace).dependencies
    return found


def test_reads_the_package() -> None:
    """What the build needs to know of a crate."""
    manifest = read(
        """
        [package]
        name = "a"
        version = "1.0.0"
        rust-version = "1.85"
        readme = "../README.md"
        build = "make.rs"
        workspace = "../.."
        [lib]
        name = "_a"
        crate-type = ["cdylib", "rlib"]
        [[bin]]
        name = "x"
        [features]
        default = ["std"]
        odd = 3
        """
    )
    assert (manifest.name, manifest.version, manifest.rust_version) == ("a", "1.0.0", "1.85")
    assert (manifest.lib_name, manifest.crate_types) == ("_a", ("cdylib", "rlib"))
    assert (manifest.bins, manifest.build_script) == (1, "make.rs")
    assert (manifest.metadata_files, manifest.workspace_pointer) == (("../README.md",), "../..")
    assert manifest.features == {"default": ("std",), "odd": ()}
    assert manifest.workspace is None


@pytest.mark.parametrize(("written", "script"), [("", "build.rs"), ("build = false", None)])
def test_the_build_script_is_build_rs_unless_switched_off(written: str, script: str | None) -> None:
    """Cargo's own default."""
    assert read(f"[package]\n{written}").build_script == script


def test_inherits_from_the_workspace() -> None:
    """Version, MSRV and readme come from the workspace; its paths are relative to its root."""
    workspace = top(
        '[workspace.package]\nversion = "2.0.0"\nrust-version = "1.80"\nreadme = "R.md"'
    )
    manifest = read(
        "[package]\nversion.workspace = true\nrust-version.workspace = true\n"
        "readme.workspace = true\nlicense-file.workspace = true",
        workspace,
    )
    assert (manifest.version, manifest.rust_version) == ("2.0.0", "1.80")
    assert [Path(name).as_posix() for name in manifest.metadata_files] == ["../R.md"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a = "1"', ("a", "1", None, False, True, ())),
        (
            'a = { package = "b", version = "1", optional = true, features = ["x"] }',
            ("b", "1", None, True, True, ("x",)),
        ),
        ('a = { path = "../b", default-features = false }', ("a", None, "/w/b", False, False, ())),
        ("a = { default_features = false }", ("a", None, None, False, False, ())),
        ("a = 3", ("a", None, None, False, True, ())),
    ],
)
def test_dependencies(text: str, expected: tuple[object, ...]) -> None:
    """Short and long form, renamed, optional, by path, with features."""
    found = dependency(text)
    path = found.path.as_posix() if found.path else None
    assert expected == (
        found.package,
        found.requirement,
        path,
        found.optional,
        found.default_features,
        found.features,
    )


def test_dependencies_are_inherited_with_more_features() -> None:
    """Features add up, the path is the workspace's, optional is the crate's own."""
    workspace = top(
        '[workspace.dependencies]\na = { path = "libs/a", features = ["x"] }\nb = "1.5"'
    )
    found = dependency('a = { workspace = true, features = ["y"], optional = true }', workspace)
    assert found.path == join(ROOT, "libs/a")
    assert (found.features, found.optional) == (("x", "y"), True)
    assert dependency("b.workspace = true", workspace).requirement == "1.5"
    assert dependency("gone.workspace = true", workspace).requirement is None
    assert dependency("b.workspace = true").requirement is None


def test_dependencies_of_every_kind_and_platform() -> None:
    """Build and dev dependencies are told apart, those of platforms are included."""
    manifest = read(
        """
        [dependencies]
        a = "1"
        [build-dependencies]
        b = "1"
        [dev-dependencies]
        c = { path = "../c" }
        [target.'cfg(unix)'.dependencies]
        d = "1"
        [target.broken]
        dependencies = 3
        [patch.crates-io]
        e = { path = "../e" }
        """
    )
    kinds = [(item.alias, item.kind) for item in manifest.dependencies]
    assert kinds == [("a", "normal"), ("b", "build"), ("c", "dev"), ("d", "normal")]
    assert manifest.path_dependencies == (join(ROOT, "c"), join(ROOT, "e"))


@pytest.mark.parametrize(
    ("path", "excluded"),
    [("old/a", True), ("old/keep", False), ("crates/a", False), ("older", False)],
)
def test_a_workspace_excludes_as_cargo_does(path: str, excluded: bool) -> None:
    """A member named in so many words beats exclude; names are compared part by part."""
    workspace = top('[workspace]\nmembers = ["crates/*", "old/keep"]\nexclude = ["old"]')
    assert workspace.excludes(join(ROOT, path) / "Cargo.toml") is excluded
