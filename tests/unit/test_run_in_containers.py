"""Test runs on a faked machine whose tests run in containers, and what is said of those that run nowhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from container_samples import a_test_image, an_engine, some_containers
from fakes import Call, Reply

if TYPE_CHECKING:
    from workshop import Workshop

    from wheelworks.containers.facts import ContainerFacts

TEST = "test cp313-manylinux_x86_64"


class Docker:
    """Plays the engine: a container whose command is pytest leaves the guard's record in the scratch folder."""

    def __init__(self) -> None:
        self.ran: list[Call] = []

    def __call__(self, call: Call) -> Reply:
        """Answer a call of the client."""
        if "run" not in call.argv:
            return Reply()
        self.ran.append(call)
        if "pytest" in call.argv:
            counts = {"total": 3, "failed": 0, "errors": 0, "skipped": 0}
            session = {"counts": counts, "failed": [], "violations": [], "warnings": []}
            record = self.scratch(call) / "tests-1.json"
            record.write_text(json.dumps({"sessions": [session]}), encoding="utf-8")
        return Reply(stdout="done\n")

    @staticmethod
    def scratch(call: Call) -> Path:
        """The host's folder behind the scratch folder."""
        (mount,) = (word for word in call.argv if word.endswith("target=/wheelworks/scratch"))
        return Path(mount.split("source=")[1].split(",")[0])


@pytest.fixture
def docker(workshop: Workshop) -> Docker:
    """An engine on a machine that has only CPython 3.12."""
    engine = Docker()
    workshop.machine.parts["docker"] = engine
    only = tuple(one for one in workshop.host.interpreters if one.spec == "3.12")
    workshop.host = replace(workshop.host, interpreters=only)
    return engine


def give_containers(
    workshop: Workshop, tmp_path: Path, containers: ContainerFacts | None = None
) -> None:
    """The machine has an engine with images for tests."""
    found = replace(
        containers or some_containers(), ca_bundle=None, uv_cache=str(tmp_path / "uv-cache")
    )
    workshop.host = replace(workshop.host, containers=found)


def test_a_wheel_whose_interpreter_only_an_image_has_is_tested_there(
    workshop: Workshop, docker: Docker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The counts are read from the mounted scratch folder; nothing was emulated, no interpreter installed."""
    give_containers(workshop, tmp_path)
    assert workshop.run("test", "--python", "3.13") == 0
    assert capsys.readouterr().err.splitlines()[-1].startswith("2 cells: 1 tested, 1 unavailable")
    result = workshop.results()[TEST]
    assert result["tests"] == {"total": 3, "failed": 0, "errors": 0, "skipped": 0}
    assert result["is_emulated"] is False
    assert len(docker.ran) == 4
    assert not workshop.machine.called("uv", "install", "3.13")
    assert not Docker.scratch(docker.ran[-1]).exists()


def test_a_container_under_qemu_marks_its_result(
    workshop: Workshop,
    docker: Docker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On the screen, in the last line and in the report."""
    monkeypatch.setenv("WHEELWORKS_PROVISION", "never")
    give_containers(
        workshop,
        tmp_path,
        some_containers(
            engine=an_engine(platform="linux/arm64"),
            emulated=("linux/amd64",),
            images=(a_test_image("linux/amd64"),),
        ),
    )
    assert workshop.run("test", "cp313-manylinux_x86_64") == 0
    err = capsys.readouterr().err
    assert err.splitlines()[-1] == "1 cell: 1 tested under emulation"
    assert "cp313-manylinux_x86_64 (emulated)" in err
    assert workshop.results()[TEST]["is_emulated"] is True
    assert len(docker.ran) == 4


def test_what_is_built_and_can_not_run_here_says_both(
    workshop: Workshop,
    docker: Docker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Until a source changes: then the wheel is no longer that of these sources."""
    monkeypatch.setenv("WHEELWORKS_PROVISION", "never")
    assert workshop.run("build") == 0
    capsys.readouterr()
    assert workshop.run("test", "cp313-manylinux_x86_64") == 3
    assert "built, audited, not run: no CPython 3.13: " in capsys.readouterr().err
    workshop.write("src/lib.rs", "// other")
    assert workshop.run("test", "cp313-manylinux_x86_64") == 3
    err = capsys.readouterr().err
    assert "no CPython 3.13: " in err
    assert "built, audited" not in err
    assert docker.ran == []
