"""A step in a container: what is prepared before, what is left behind. No engine is started."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import Call, FakeRunner, Reply
from jobs import CONTAINER_STEP as STEP
from jobs import CONTAINER_USE as USE
from jobs import a_context, a_job

from wheelworks.containers.removal import RunContainers, container_remover
from wheelworks.errors import MissingResourceError
from wheelworks.executors.base import failed_result, run_steps
from wheelworks.executors.containers import placeholders_inside, prepare_mounts
from wheelworks.leftovers import sweep_leftovers
from wheelworks.plan import Mount
from wheelworks.process import Cancellation

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelworks.executors.base import StepFailure
    from wheelworks.plan import Step


def running(state_dir: Path) -> list[str]:
    """What lies in ``running/``, without the random part of names."""
    folder = state_dir / "running"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def run(
    tmp_path: Path, answer: Callable[[Call], Reply | None], step: Step = STEP, **environ: str
) -> tuple[FakeRunner, StepFailure | None]:
    """Run one step; what the engine answers is given."""
    runner = FakeRunner(answer)
    context = replace(a_context(tmp_path), runner=runner, environ=environ, run_id="r1")
    staging = tmp_path / "staging" / "b"
    _, failure = run_steps(a_job("b"), (step,), context, Cancellation(), {"staging": str(staging)})
    return runner, failure


def test_a_container_that_ends_leaves_only_the_engines_name(tmp_path: Path) -> None:
    """No second call, and no file that stands for a container."""
    runner, failure = run(tmp_path, lambda _: Reply(), DOCKER_HOST="unix:///x", MY_TOKEN="secret")
    assert failure is None
    (call,) = runner.calls
    assert call.argv[:2] == ("/usr/bin/docker", "run")
    assert call.env == {"DOCKER_HOST": "unix:///x"}
    assert running(tmp_path) == ["r1.containers", "r1.containers/engine.json"]
    note = json.loads((tmp_path / "running/r1.containers/engine.json").read_text())
    assert note == {"engine": "/usr/bin/docker", "DOCKER_HOST": "unix:///x"}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(returncode=None, timed_out=True),
        Reply(returncode=None, cancelled=True),
        Reply(returncode=137),
        Reply(returncode=125, stderr="unexpected EOF"),
        Reply(returncode=-9),
    ],
    ids=["timeout", "interrupt", "killed", "engine", "client killed"],
)
def test_a_container_that_may_go_on_is_removed(tmp_path: Path, reply: Reply) -> None:
    """By the name that it was started with."""
    runner, failure = run(tmp_path, lambda call: reply if call.argv[1] == "run" else Reply())
    assert failure is not None
    start, removal = runner.calls
    name = start.argv[start.argv.index("--name") + 1]
    assert removal.argv == ("/usr/bin/docker", "rm", "--force", name)
    assert running(tmp_path) == ["r1.containers", "r1.containers/engine.json"]


def test_a_container_that_can_not_be_removed_is_remembered(tmp_path: Path) -> None:
    """The end of the run tries again by label; when that fails, too, the next run does."""
    dead = Reply(returncode=1, stderr="Cannot connect to the Docker daemon")
    runner, _ = run(
        tmp_path,
        lambda call: Reply(returncode=None, cancelled=True) if call.argv[1] == "run" else dead,
    )
    assert len([name for name in running(tmp_path) if name.endswith(".cid")]) == 1
    containers = RunContainers(state_dir=tmp_path, run_id="r1", runner=runner, environ={})
    containers.close()
    assert runner.calls[-1].argv[1] == "ps"
    assert containers.folder.is_dir()
    again = FakeRunner(lambda call: Reply(stdout="c1\n" if call.argv[1] == "ps" else ""))
    swept = []

    def remove(run_id: str) -> None:
        swept.append(container_remover(tmp_path, again, {})(run_id))

    sweep_leftovers(tmp_path, remove)
    assert swept == [("c1",)]
    assert [call.argv[1] for call in again.calls] == ["ps", "rm"]
    assert running(tmp_path) == []


def test_a_container_that_is_gone_already_counts_as_removed(tmp_path: Path) -> None:
    """``--rm`` is faster than we are."""
    gone = Reply(returncode=1, stderr="Error: No such container: x")
    run(tmp_path, lambda call: Reply(returncode=137) if call.argv[1] == "run" else gone)
    assert running(tmp_path) == ["r1.containers", "r1.containers/engine.json"]


def test_no_engine_is_asked_where_nothing_is_left(tmp_path: Path) -> None:
    """At the end of a run without trouble, and when a project without containers is swept."""
    runner, _ = run(tmp_path, lambda _: Reply())
    RunContainers(state_dir=tmp_path, run_id="r1", runner=runner, environ={}).close()
    assert len(runner.calls) == 1
    assert running(tmp_path) == []
    sweep_leftovers(tmp_path, lambda run_id: pytest.fail(run_id))


def test_containers_of_a_run_that_died_early(tmp_path: Path) -> None:
    """It wrote no engine down, so that it started none."""
    (tmp_path / "running" / "r1.containers").mkdir(parents=True)
    runner = FakeRunner(lambda _: None)
    sweep_leftovers(tmp_path, container_remover(tmp_path, runner, {}))
    assert runner.calls == []
    assert running(tmp_path) == []


def test_variables_that_are_passed_lie_in_a_file_of_the_owner(tmp_path: Path) -> None:
    """As long as the container runs."""
    seen: list[tuple[int, str]] = []

    def answer(call: Call) -> Reply:
        (option,) = (
            word for word in call.argv if word.endswith("/wheelworks/environment,readonly")
        )
        file = Path(option.removeprefix("type=bind,source=").partition(",target=")[0])
        seen.append((stat.S_IMODE(file.stat().st_mode), file.read_text()))
        return Reply()

    step = replace(STEP, env_pass=("MY_TOKEN",))
    runner, failure = run(tmp_path, answer, step, MY_TOKEN="hunter2")
    assert failure is None
    assert seen == [(0o600, "export MY_TOKEN=hunter2\n")]
    assert "hunter2" not in " ".join(runner.calls[0].argv)
    assert list((tmp_path / ".environments").iterdir()) == []


def test_the_failure_carries_the_way_out(tmp_path: Path) -> None:
    """From the engine's words to the result of the job."""
    reply = Reply(returncode=125, stderr="docker: Error response from daemon: No such image: x")
    _, failure = run(tmp_path, lambda call: reply if call.argv[1] == "run" else Reply())
    assert failure is not None
    result = failed_result(a_job("b"), (), failure, a_context(tmp_path), 0.0)
    assert result.exit_code == 4
    assert result.cure == "run again: an image of ours is built when it is missing"


def test_placeholders_inside() -> None:
    """The wheel is where the scratch folder is."""
    host = {"scratch": "/p/s", "wheel": "/p/s/wheel/a.whl"}
    assert placeholders_inside(host) == {
        "scratch": "/wheelworks/scratch",
        "wheel": "/wheelworks/scratch/wheel/a.whl",
    }
    assert placeholders_inside({"staging": "/p"}) == {"staging": "/wheelworks/output"}


def test_folders_are_made_before_the_engine_makes_them(tmp_path: Path) -> None:
    """Also the places in one that another is mounted over: the engine would make them root's."""
    config = tmp_path / "config.toml"
    config.touch()
    prepare_mounts(
        (
            Mount(source=str(tmp_path / "crates"), target="/wheelworks/cargo"),
            Mount(source=str(config), target="/wheelworks/cargo/config.toml", is_read_only=True),
            Mount(source=str(tmp_path / "sub"), target="/wheelworks/cargo/a/b"),
        ),
        {},
    )
    assert (tmp_path / "crates" / "config.toml").is_file()
    assert (tmp_path / "crates" / "a" / "b").is_dir()
    assert (tmp_path / "sub").is_dir()


def test_what_is_only_read_must_be_there(tmp_path: Path) -> None:
    """Certificates that somebody removed."""
    mount = Mount(
        source=str(tmp_path / "ca.crt"),
        target="/etc/ssl/certs/ca-certificates.crt",
        is_read_only=True,
    )
    with pytest.raises(MissingResourceError, match=r"certificates for containers is missing: .*ca"):
        prepare_mounts((mount,), {})


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "file").touch()
    with pytest.raises(MissingResourceError, match="file/home can't be written"):
        prepare_mounts((Mount(source=str(tmp_path / "file/home"), target="/h"),), {})


def test_engine_of_the_use_is_called(tmp_path: Path) -> None:
    """podman, where the plan says so."""
    use = replace(USE, engine="/usr/bin/podman", engine_name="podman")
    runner, _ = run(tmp_path, lambda _: Reply(), replace(STEP, container=use))
    assert runner.calls[0].argv[0] == "/usr/bin/podman"
