"""What of [tool.cibuildwheel] decides how a cell runs through cibuildwheel."""

from __future__ import annotations

import pytest

from wheelworks.cibuildwheel_facts import CibuildwheelFacts
from wheelworks.config.cibuildwheel_table import cibuildwheel_facts


def test_an_empty_table_says_nothing() -> None:
    """So do values of wrong types, which cibuildwheel refuses itself."""
    assert cibuildwheel_facts({}) == CibuildwheelFacts()
    wrong = {
        "container-engine": 3,
        "before-all": 3,
        "overrides": 3,
        "linux": 3,
        "environment": 3,
        "config-settings": 3,
        "manylinux-x86_64-image": 3,
    }
    assert cibuildwheel_facts(wrong) == CibuildwheelFacts()


@pytest.mark.parametrize(
    "engine",
    [
        {"name": "podman", "create-args": ["--gpus", "all"], "disable-host-mount": True},
        {"name": "podman", "create_args": "--gpus all", "disable_host_mount": True},
        "podman; create_args: --gpus all; disable_host_mount: yes",
    ],
)
def test_the_engine_is_read_in_all_its_spellings(engine: object) -> None:
    """Our own arguments are added to these, because the variable for them replaces the option."""
    facts = cibuildwheel_facts({"container-engine": engine, "environment-pass": "A B"})
    assert facts.create_args == ("--gpus", "all")
    assert facts.environment_pass == ("A", "B")
    assert facts.disables_host_mount


def test_an_engine_without_arguments_has_none() -> None:
    """Also where they can't be split into words."""
    assert cibuildwheel_facts({"container-engine": "docker"}).create_args == ()
    broken = cibuildwheel_facts({"container-engine": "docker; create_args: 'x"})
    assert broken.create_args == ()


def test_the_table_for_linux_replaces_the_common_one() -> None:
    """As cibuildwheel's own rule is; nothing is merged."""
    facts = cibuildwheel_facts(
        {
            "before-all": "a",
            "test-command": ["b", "c"],
            "manylinux-x86_64-image": "manylinux_2_28",
            "environment": {"MATURIN_PEP517_ARGS": "--zig"},
            "linux": {
                "before-all": "d",
                "manylinux-x86_64-image": "manylinux2014",
                "environment": {"A": "1"},
            },
            "windows": {"before-all": "e"},
        }
    )
    assert facts.commands_for("cp313-manylinux_x86_64") == {
        "before-all": "d",
        "test-command": "b && c",
    }
    assert facts.images == (("manylinux-x86_64-image", "manylinux2014"),)
    assert facts.maturin_args is None


def test_overrides_hold_for_the_cells_that_they_select() -> None:
    """The last one wins; a pattern that only cibuildwheel understands selects nothing."""
    facts = cibuildwheel_facts(
        {
            "before-all": "yum install x",
            "overrides": [
                {"select": "*-musllinux*", "before-all": "apk add x"},
                {"select": ["cp314-*", "pp*"], "before-all": "true"},
                {"select": "cp3[12]*", "before-all": "false"},
                3,
            ],
        }
    )
    said = {
        cell: facts.commands_for(cell)["before-all"]
        for cell in ("cp313-manylinux_x86_64", "cp313-musllinux_x86_64", "cp314-musllinux_x86_64")
    }
    assert said == {
        "cp313-manylinux_x86_64": "yum install x",
        "cp313-musllinux_x86_64": "apk add x",
        "cp314-musllinux_x86_64": "true",
    }


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"environment": 'A=1 MATURIN_PEP517_ARGS="--features x" B=2'}, "--features x"),
        ({"environment": "MATURIN_PEP517_ARGS=--zig"}, "--zig"),
        ({"environment": "A=1"}, None),
        ({"config-settings": {"build-args": "--zig"}}, "--zig"),
        ({"config-settings": {"maturin.build-args": ["--zig", "--locked"]}}, "--zig --locked"),
    ],
)
def test_arguments_for_maturin_are_found(table: dict[str, object], said: str | None) -> None:
    """They replace those that the local image needs."""
    assert cibuildwheel_facts(table).maturin_args == said
