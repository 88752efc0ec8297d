"""A step on the host whose program makes a container by itself leaves none. No engine is started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import Call, FakeRunner, Reply
from jobs import a_context, a_job

from wheelworks.executors.base import run_steps
from wheelworks.plan import Step
from wheelworks.process import Cancellation

STEP = Step(
    name="compile",
    argv=("/tools/cibuildwheel",),
    env={"ENGINE": "--cidfile {cidfile} --label run={run}"},
    cwd="/",
    timeout_seconds=1,
    makes_containers_with="/usr/bin/docker",
)


def run(tmp_path: Path, outcome: Reply, *, container: str | None) -> tuple[FakeRunner, list[str]]:
    """Run the step, whose program makes the container; gives the calls and what is written down afterwards."""

    def answer(call: Call) -> Reply:
        if call.argv[0] != "/tools/cibuildwheel":
            return Reply()
        cidfile = Path(call.env["ENGINE"].split()[1])
        assert cidfile.parent.is_dir()
        assert not cidfile.exists()
        if container is not None:
            cidfile.write_text(container)
        return outcome

    runner = FakeRunner(answer)
    context = replace(a_context(tmp_path), runner=runner, environ={}, run_id="r1")
    run_steps(a_job("b"), (STEP,), context, Cancellation(), {})
    return runner, [path.suffix for path in (tmp_path / "running/r1.containers").iterdir()]


def test_a_program_that_ends_well_removed_its_container(tmp_path: Path) -> None:
    """The engine is not asked; the program was told where the id goes, and the run's label."""
    runner, written = run(tmp_path, Reply(), container="c1")
    (call,) = runner.calls
    assert call.env["ENGINE"].endswith("--label run=r1")
    assert written == [".json"]


@pytest.mark.parametrize(
    "outcome", [Reply(returncode=1), Reply(returncode=None, cancelled=True)], ids=["failed", "cut"]
)
def test_what_may_be_left_is_removed_by_its_id(tmp_path: Path, outcome: Reply) -> None:
    """Killed programs remove nothing."""
    runner, written = run(tmp_path, outcome, container="c1\n")
    assert runner.calls[1].argv == ("/usr/bin/docker", "rm", "--force", "c1")
    assert written == [".json"]


def test_a_container_in_the_making_is_left_to_the_end_of_the_run(tmp_path: Path) -> None:
    """It has no id yet; its label says whose it is, and a file that there may be one."""
    runner, written = run(tmp_path, Reply(returncode=None, cancelled=True), container=None)
    assert len(runner.calls) == 1
    assert sorted(written) == [".cid", ".json"]
