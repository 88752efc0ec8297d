"""The recipes of our images."""

from __future__ import annotations

import fnmatch
from dataclasses import replace

import pytest
from builders import a_project, some_settings

from wheelworks.config.settings import ContainerSettings
from wheelworks.containers.recipes import PLATFORMS, Recipe, debian_base, recipes_for, resource
from wheelworks.tools import PINS

AMD64 = "linux/amd64"


def _recipes(
    *,
    container: ContainerSettings | None = None,
    rust: str | None = None,
    interpreters: tuple[str, ...] = (),
    engine_platform: str = AMD64,
    maturin: str | None = None,
    targets: tuple[str, ...] = ("manylinux_x86_64",),
) -> tuple[Recipe, ...]:
    return recipes_for(
        settings=some_settings(container=container or ContainerSettings(), targets=targets),
        project=a_project(maturin_requirement=maturin),
        engine_platform=engine_platform,
        rust=rust,
        interpreters=interpreters,
    )


def _one(role: str, platform: str = AMD64, recipes: tuple[Recipe, ...] | None = None) -> Recipe:
    return next(
        one for one in recipes or _recipes() if one.role == role and one.platform == platform
    )


def test_cross_compiling_needs_an_image_of_the_engines_platform_only() -> None:
    """The others are there for both platforms."""
    recipes = _recipes(engine_platform="linux/arm64")
    platforms = {(one.role, one.platform) for one in recipes}
    both = {(role, platform) for role in ("native", "tests") for platform in PLATFORMS}
    assert both | {("toolchain", "linux/arm64")} <= platforms
    assert ("toolchain", AMD64) not in platforms


def test_the_name_tells_role_recipe_and_architecture() -> None:
    """It is the same every time."""
    recipe = _one("toolchain")
    assert recipe.reference == f"wheelworks/toolchain:{recipe.digest}-amd64"
    assert len(recipe.digest) == 12
    assert recipe.reference == _one("toolchain").reference
    assert _one("tests", "linux/arm64").reference.endswith("-arm64")


@pytest.mark.parametrize(
    "container",
    [
        ContainerSettings(packages=("cmake",)),
        ContainerSettings(build_args={"CFLAGS": "-O1"}),
        ContainerSettings(base="example.org/debian:1"),
        ContainerSettings(mirror="http://mirror.example.org/debian"),
    ],
)
def test_what_changes_the_image_changes_its_name(container: ContainerSettings) -> None:
    """So that an image of another recipe is never taken for it."""
    assert (
        _one("toolchain", recipes=_recipes(container=container)).digest != _one("toolchain").digest
    )


def test_certificates_do_not_change_the_name() -> None:
    """They are mounted over at every run."""
    with_bundle = _recipes(container=ContainerSettings(ca_bundle="company.pem"))
    assert _one("toolchain", recipes=with_bundle).digest == _one("toolchain").digest


def test_packages_of_the_user_stay_out_of_images_for_tests() -> None:
    """Those hold only interpreters."""
    with_cmake = _recipes(container=ContainerSettings(packages=("cmake", "nasm")))
    assert ("PACKAGES", "cmake nasm") in _one("toolchain", recipes=with_cmake).build_args
    assert _one("tests", recipes=with_cmake).digest == _one("tests").digest


def test_our_maturin_is_pinned_by_hash() -> None:
    """Pip refuses any other file."""
    files = dict(_one("toolchain").files)
    assert files["maturin.txt"].startswith(f"maturin=={PINS['maturin']} ")
    assert "--hash=sha256:" in files["maturin.txt"]


def test_another_maturin_is_what_the_project_requires() -> None:
    """Only the last steps of the build differ."""
    recipes = _recipes(maturin=">=1.9,<1.10")
    assert dict(_one("toolchain", recipes=recipes).files)["maturin.txt"] == "maturin>=1.9,<1.10\n"
    assert _one("toolchain", recipes=recipes).dockerfile == _one("toolchain").dockerfile


def test_rustups_variant_installs_that_very_toolchain() -> None:
    """Its version is known before it is built."""
    recipe = _one("toolchain", recipes=_recipes(rust="1.90.0"))
    assert recipe.rust_version == "1.90.0"
    assert ("RUST", "1.90.0") in recipe.build_args
    assert "rustup-toolchain.sh" in recipe.dockerfile
    assert recipe.digest != _one("toolchain").digest


def test_an_image_of_the_user_replaces_the_toolchain_image() -> None:
    """The other roles stay ours."""
    recipes = _recipes(container=ContainerSettings(image="example.org/rust"))
    assert {one.role for one in recipes} >= {"native", "tests"}
    assert "toolchain" not in {one.role for one in recipes}


@pytest.mark.parametrize(
    ("spec", "base"), [("3.12", "python:3.12-slim"), ("pp311", "pypy:3.11-slim")]
)
def test_other_interpreters_come_from_the_official_images(spec: str, base: str) -> None:
    """One image each, for both platforms."""
    found = [
        one
        for one in _recipes(interpreters=("3.13", spec))
        if one.role == "tests" and spec in dict(one.pythons)
    ]
    assert [(one.platform, one.lowest_base.name) for one in found] == [
        (platform, base) for platform in PLATFORMS
    ]
    assert all(one.lowest_base.mirror is None for one in found)


def test_musl_is_tested_in_alpine() -> None:
    """Where the matrix has such a target; of PyPy and free-threaded Pythons there are no such images."""
    recipes = _recipes(interpreters=("3.13", "pp311", "3.14t"), targets=("musllinux_aarch64",))
    found = {(one.lowest_base.name, one.pythons[0][0]) for one in recipes if one.libc == "musl"}
    assert found == {("python:3.13-alpine", "3.13")}
    assert not any(one.libc == "musl" for one in _recipes(interpreters=("3.13",)))


def test_the_base_is_named_by_what_it_is_made_of() -> None:
    """One name for the pulled and the home-made one, another for another mirror."""
    usual = debian_base(some_settings(), AMD64)
    mirrored = debian_base(
        some_settings(container=ContainerSettings(mirror="http://mirror.example.org/debian")), AMD64
    )
    assert usual.name == mirrored.name == "debian:forky-slim"
    assert usual.reference.startswith("wheelworks/base:")
    assert usual.reference != mirrored.reference


def test_an_image_can_be_built_on_another() -> None:
    """Its hash holds that of the other, its base is the other's."""
    toolchain = _one("toolchain")
    above = replace(toolchain, role="cibuildwheel", base=None, parent=toolchain)
    other = replace(above, parent=_one("toolchain", recipes=_recipes(rust="1.90.0")))
    assert above.lowest_base == toolchain.base
    assert above.digest not in (toolchain.digest, other.digest)


def test_every_file_that_a_dockerfile_copies_is_in_its_recipe() -> None:
    """Else the build would stop in the middle."""
    recipes = (*_recipes(interpreters=("3.12",)), *_recipes(rust="1.90.0"))
    for recipe in recipes:
        names = {"ca.crt", *dict(recipe.files)}
        for line in recipe.dockerfile.splitlines():
            if line.startswith("COPY "):
                for copied in line.split()[1:-1]:
                    assert fnmatch.filter(names, copied), (recipe.role, line)


def test_steps_of_a_build_are_labelled_with_their_role() -> None:
    """By the label the next build finds what a killed one left."""
    for recipe in (*_recipes(interpreters=("3.12",)), *_recipes(rust="1.90.0")):
        assert f'LABEL dev.wheelworks.building="{recipe.role}"' in recipe.dockerfile


def test_scripts_are_there() -> None:
    """The package brings them."""
    assert resource("debian-base.sh").startswith("#!/bin/sh\n")
