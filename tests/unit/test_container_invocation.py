"""A step as the engine's command line: every argument has a reason, and no secret is among them."""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from jobs import CONTAINER_STEP as STEP
from jobs import CONTAINER_USE as USE

from wheelworks.containers.invocation import (
    engine_argv,
    engine_environment,
    environment_file_text,
    private_variables,
    run_labels,
)
from wheelworks.plan import Mount

if TYPE_CHECKING:
    from wheelworks.plan import Step


def call(step: Step = STEP, *, file: str | None = None) -> list[str]:
    """The command line of a step."""
    return list(
        engine_argv(
            step,
            placeholders_host={"staging": "/p/.wheelworks/staging/b"},
            placeholders_inside={"staging": "/wheelworks/output"},
            labels={"dev.wheelworks.run": "r1"},
            cidfile="/p/r1.cid",
            environment_file=file,
            name="wheelworks-r1",
        )
    )


def values(argv: list[str], option: str) -> list[str]:
    """The values of an option that may come more than once."""
    return [after for word, after in itertools.pairwise(argv) if word == option]


def test_the_whole_call() -> None:
    """Folders of the host on the left of mounts, those inside everywhere else."""
    assert call() == [
        "/usr/bin/docker", "run", "--rm", "--init", "--pull=never", "--log-driver=none",
        "--security-opt", "label=disable", "--entrypoint=", "--name", "wheelworks-r1",
        "--cidfile", "/p/r1.cid", "--label", "dev.wheelworks.run=r1",
        "--platform", "linux/amd64", "--network", "none", "--user", "1000:1000",
        "--env", "HOME=/wheelworks/home", "--env", "OUT=/wheelworks/output/x",
        "--mount", "type=bind,source=/p/.wheelworks/staging/b,target=/wheelworks/output",
        "--workdir", "/wheelworks/source", "wheelworks/toolchain:abc-amd64",
        "maturin", "build", "--out", "/wheelworks/output",
    ]  # fmt: skip


def test_podman_without_root_keeps_the_callers_number() -> None:
    """Otherwise the caller would be root inside, and somebody unknown outside."""
    argv = call(replace(STEP, container=replace(USE, keeps_id=True)))
    assert argv[argv.index("--userns=keep-id") + 1 :][:2] == ["--user", "1000:1000"]


def test_engine_that_maps_root_is_told_no_user() -> None:
    """Rootless docker: root inside is the caller outside."""
    assert "--user" not in call(replace(STEP, container=replace(USE, user=None)))


@pytest.mark.parametrize("folder", ["/a,b", '/a"b', "/a b", '/a,readonly,"x"'])
def test_any_folder_can_be_mounted(folder: str) -> None:
    """The engine reads the option as one line of comma-separated values."""
    mount = Mount(source=folder, target="/x", is_read_only=True)
    (option,) = values(call(replace(STEP, container=replace(USE, mounts=(mount,)))), "--mount")
    (fields,) = csv.reader([option])
    assert fields == ["type=bind", f"source={folder}", "target=/x", "readonly"]


def test_arguments_of_the_configuration_stand_before_the_image() -> None:
    """Where they are the engine's and not the program's."""
    argv = call(replace(STEP, container=replace(USE, engine_args=("--cpus", "1"))))
    assert argv[argv.index(USE.image) - 2 : argv.index(USE.image)] == ["--cpus", "1"]


def test_a_shell_reads_the_file_and_extends_the_path() -> None:
    """It becomes the program, so that signals reach that."""
    argv = call(replace(STEP, path_prepend=("{staging}/my bin", "/b")), file="/p/env")
    after = argv[argv.index(USE.image) + 1 :]
    assert after == [
        "sh", "-c",
        ". /wheelworks/environment; PATH='/wheelworks/output/my bin':/b:\"$PATH\"; export PATH; "
        'exec "$@"',
        "sh", "maturin", "build", "--out", "/wheelworks/output",
    ]  # fmt: skip
    assert "type=bind,source=/p/env,target=/wheelworks/environment,readonly" in argv


def test_secrets_are_in_the_file_and_not_in_the_call() -> None:
    """Those of the caller that are passed on, and those that the configuration sets."""
    step = replace(
        STEP,
        env={"PYPI_TOKEN": "hunter2-hunter2", "INDEX": "https://u:pass-word@x/", "PLAIN": "1"},
        env_pass=("MY_*", "PLAIN"),
    )
    caller = {"MY_KEY": "caller's", "PLAIN": "other", "ELSE": "x", "MY_bad-name": "y"}
    private = private_variables(step, caller, {})
    assert private == {
        "MY_KEY": "caller's",
        "PYPI_TOKEN": "hunter2-hunter2",
        "INDEX": "https://u:pass-word@x/",
    }
    assert values(call(step, file="/p/env"), "--env") == ["PLAIN=1"]
    assert environment_file_text({"B": "x y", "A": "it's"}) == (
        "export A='it'\"'\"'s'\nexport B='x y'\n"
    )


def test_what_a_step_unsets_is_not_passed() -> None:
    """As on the host."""
    step = replace(STEP, env_pass=("CARGO_*",), unset=("CARGO_BUILD_TARGET",))
    caller = {"CARGO_BUILD_TARGET": "x", "CARGO_NET_RETRY": "3"}
    assert private_variables(step, caller, {}) == {"CARGO_NET_RETRY": "3"}


def test_the_client_finds_its_engine() -> None:
    """Its variables pass, the user's secrets do not."""
    caller = {"DOCKER_HOST": "unix:///x", "CONTAINER_HOST": "y", "MY_TOKEN": "z", "PATH": "/bin"}
    assert engine_environment(caller) == {
        "DOCKER_HOST": "unix:///x",
        "CONTAINER_HOST": "y",
        "PATH": "/bin",
    }


def test_labels_tell_projects_apart() -> None:
    """Two checkouts on one machine never remove each other's containers."""
    one, other = run_labels("/a/.wheelworks", "r1"), run_labels("/b/.wheelworks", "r1")
    assert one["dev.wheelworks.run"] == other["dev.wheelworks.run"] == "r1"
    assert one["dev.wheelworks.project"] != other["dev.wheelworks.project"]


def test_a_step_of_the_host_is_refused() -> None:
    """That is a bug of the caller."""
    with pytest.raises(AssertionError, match="has no container"):
        call(replace(STEP, container=None))
