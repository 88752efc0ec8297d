"""The recipe of the local image for cibuildwheel."""

from __future__ import annotations

import pytest
from builders import a_project, some_settings

from wheelworks.config.settings import ContainerSettings
from wheelworks.containers.recipes import Recipe, recipes_for


def recipes(container: ContainerSettings | None = None) -> dict[str, Recipe]:
    """The recipes for cibuildwheel by platform, on an engine of amd64."""
    found = recipes_for(
        settings=some_settings(container=container or ContainerSettings()),
        project=a_project(),
        engine_platform="linux/amd64",
    )
    return {one.platform: one for one in found if one.role == "cibuildwheel"}


@pytest.mark.parametrize(
    ("platform", "parent", "arch"),
    [("linux/amd64", "toolchain", "x86_64"), ("linux/arm64", "native", "aarch64")],
)
def test_it_is_built_on_an_image_that_compiles(platform: str, parent: str, arch: str) -> None:
    """Of its own platform, with auditwheel's platform."""
    recipe = recipes()[platform]
    assert recipe.parent is not None
    assert (recipe.parent.role, recipe.parent.platform) == (parent, platform)
    assert recipe.build_args == (("ARCH", arch),)
    assert [spec for spec, _ in recipe.pythons] == ["3.13", "3.14"]


def test_beside_an_image_of_the_users_own_it_has_the_native_one() -> None:
    """Of that image nobody knows whether Debian's packages are in it."""
    recipe = recipes(ContainerSettings(image="mine:1"))["linux/amd64"]
    assert recipe.parent is not None
    assert recipe.parent.role == "native"


def test_everything_that_it_copies_is_a_file_of_the_recipe() -> None:
    """Each tool with its hashes."""
    recipe = recipes()["linux/amd64"]
    names = {name for name, _ in recipe.files}
    copied = next(line for line in recipe.dockerfile.splitlines() if line.startswith("COPY"))
    assert set(copied.split()[1:-1]) == names
    assert all("--hash=sha256:" in text for name, text in recipe.files if name.endswith(".txt"))
    script = dict(recipe.files)["cibuildwheel-pythons.sh"]
    assert "/opt/python/cp39-cp39" in script
