"""Which engine answers, and what is said when none does."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from fake_engine import INFO, NO_DAEMON, FakeEngine, install_program
from fakes import FakeRunner, Reply

from wheelworks.containers.engine import FoundEngine, engine_variables, find_engine
from wheelworks.probe_door import ProbeDoor
from wheelworks.rust_choice import Obstacle

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.config.settings import ContainerEngine

PODMAN = {
    "host": {"arch": "arm64", "security": {"rootless": True}, "serviceIsRemote": False},
    "version": {"Version": "5.4.0"},
}
ME = f"{os.getuid()}:{os.getgid()}" if sys.platform != "win32" else None
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems map users themselves")


def _find(
    tmp_path: Path,
    engine: FakeEngine,
    *programs: str,
    wanted: ContainerEngine = "auto",
) -> tuple[FoundEngine | Obstacle, FakeRunner]:
    install_program(tmp_path, *programs)
    runner = engine.runner()
    door = ProbeDoor(runner=runner, environ={"PATH": str(tmp_path)}, cwd=tmp_path)
    return find_engine(door, wanted=wanted), runner


def _docker(tmp_path: Path, **changes: object) -> FoundEngine:
    engine = FakeEngine(info=Reply(stdout=json.dumps({**INFO, **changes})))
    found, _ = _find(tmp_path, engine, "docker")
    assert isinstance(found, FoundEngine)
    return found


def test_nothing_is_started_where_no_client_is(tmp_path: Path) -> None:
    """A machine without containers loses no time."""
    found, runner = _find(tmp_path, FakeEngine())
    assert isinstance(found, Obstacle)
    assert found.reason == "neither docker nor podman is on PATH"
    assert runner.calls == []


@on_linux
def test_docker_runs_as_the_caller(tmp_path: Path) -> None:
    """So that the caller owns what a container writes."""
    facts = _docker(tmp_path).facts
    assert (facts.name, facts.version, facts.platform) == ("docker", "27.1", "linux/amd64")
    assert facts.user == ME
    assert not facts.keeps_id


def test_rootless_docker_maps_its_root_to_the_caller(tmp_path: Path) -> None:
    """Another user would own nothing there."""
    found = _docker(tmp_path, SecurityOptions=["name=seccomp", "name=rootless"])
    assert found.facts.user is None
    assert not found.is_virtual or sys.platform != "linux"


def test_docker_desktop_is_a_machine_of_its_own(tmp_path: Path) -> None:
    """It maps users and emulates by itself."""
    found = _docker(tmp_path, OperatingSystem="Docker Desktop", Architecture="aarch64")
    assert found.facts.user is None
    assert found.is_virtual
    assert found.facts.platform == "linux/arm64"


def test_a_mirror_of_images_is_seen(tmp_path: Path) -> None:
    """With one the registry itself need not answer."""
    assert not _docker(tmp_path).facts.has_mirror
    assert _docker(tmp_path, RegistryConfig={"Mirrors": ["https://m/"]}).facts.has_mirror


@on_linux
@pytest.mark.parametrize("client", ["podman", "docker"])
def test_podman_keeps_the_callers_id(tmp_path: Path, client: str) -> None:
    """Also where it calls itself docker."""
    engine = FakeEngine(info=Reply(stdout=json.dumps(PODMAN)))
    found, _ = _find(tmp_path, engine, client)
    assert isinstance(found, FoundEngine)
    assert (found.facts.name, found.facts.version) == ("podman", "5.4.0")
    assert (found.facts.user, found.facts.keeps_id) == (ME, True)
    assert found.facts.platform == "linux/arm64"


def test_a_stopped_server_is_told_from_a_missing_client(tmp_path: Path) -> None:
    """The way out is another one."""
    silent = Reply(stdout=json.dumps({"ServerErrors": [NO_DAEMON]}), returncode=1)
    found, _ = _find(tmp_path, FakeEngine(info=silent), "docker")
    assert isinstance(found, Obstacle)
    assert found.reason.startswith("docker is installed, but its server does not answer: Cannot")
    assert found.cure is not None
    assert "systemctl start docker" in found.cure


def test_a_server_that_refuses_the_user_is_no_stopped_one(tmp_path: Path) -> None:
    """Joining the group helps, starting it does not."""
    refusal = "permission denied while trying to connect to the Docker daemon socket"
    found, _ = _find(
        tmp_path, FakeEngine(info=Reply(stderr=f"{refusal}\n", returncode=1)), "docker"
    )
    assert isinstance(found, Obstacle)
    assert refusal in found.reason
    assert found.cure is not None
    assert "usermod" in found.cure


def test_a_server_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """A probe is bounded."""
    found, _ = _find(tmp_path, FakeEngine(info=Reply(timed_out=True, returncode=None)), "docker")
    assert isinstance(found, Obstacle)
    assert "no answer within 15 s" in found.reason


def test_podman_serves_where_docker_is_silent(tmp_path: Path) -> None:
    """The first that answers is taken."""
    answers = {
        "docker": Reply(stderr=NO_DAEMON, returncode=1),
        "podman": Reply(stdout=json.dumps(PODMAN)),
    }
    install_program(tmp_path, "docker", "podman")
    runner = FakeRunner(answer=lambda call: answers[call.argv[0].rpartition("/")[2]])
    door = ProbeDoor(runner=runner, environ={"PATH": str(tmp_path)}, cwd=tmp_path)
    found = find_engine(door, wanted="auto")
    assert isinstance(found, FoundEngine)
    assert found.facts.name == "podman"
    assert isinstance(find_engine(door, wanted="docker"), Obstacle)


def test_an_engine_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    """Another one is no substitute."""
    found, runner = _find(tmp_path, FakeEngine(), "docker", wanted="podman")
    assert isinstance(found, Obstacle)
    assert "podman, which container.engine asks for" in found.reason
    assert runner.calls == []


def test_windows_containers_are_refused(tmp_path: Path) -> None:
    """Nothing of ours runs in them."""
    info = Reply(stdout=json.dumps({**INFO, "OSType": "windows"}))
    found, _ = _find(tmp_path, FakeEngine(info=info), "docker")
    assert isinstance(found, Obstacle)
    assert "windows" in found.reason


def test_the_client_is_told_where_the_engine_is() -> None:
    """Other variables of the caller stay out."""
    caller = {"DOCKER_HOST": "ssh://build", "XDG_RUNTIME_DIR": "/run/user/1", "TOKEN": "x"}
    assert engine_variables(caller) == {
        "DOCKER_HOST": "ssh://build",
        "XDG_RUNTIME_DIR": "/run/user/1",
    }
