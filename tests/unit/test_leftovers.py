"""What killed runs leave, and what is done about it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from wheelworks.leftovers import RunRegistry, Swept, sweep_leftovers
from wheelworks.process import ProcessRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="process groups are only found through /proc"
)
NOTHING = Swept(staging=(), groups=())
SLEEP = "exec sleep 600"


def stage(state_dir: Path, run_id: str) -> Path:
    """A staging folder with a file in it."""
    folder = state_dir / "staging" / run_id / "job"
    folder.mkdir(parents=True)
    (folder / "half.whl").write_bytes(b"PK")
    return folder.parent


def start_time(pid: int) -> str:
    """As the record has it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def machine() -> str:
    """As the record has it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def record(state_dir: Path, run_id: str, groups: object, *, boot: str | None = None) -> None:
    """The record that a killed run left."""
    document = {"schema": 1, "pid": 1, "machine": boot or machine(), "groups": groups}
    (state_dir / "running").mkdir(exist_ok=True, parents=True)
    (state_dir / "running" / f"{run_id}.json").write_text(json.dumps(document))


@pytest.fixture
def group(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a session of its own, as the runner's do."""
    process = subprocess.Popen(["sh", "-c", SLEEP], start_new_session=True, cwd=tmp_path)
    yield process
    process.kill()
    process.wait()


def test_nothing_to_sweep(tmp_path: Path) -> None:
    """A project that was never built is left as it is."""
    assert sweep_leftovers(tmp_path) == NOTHING
    assert list(tmp_path.iterdir()) == []


def test_run_that_ends_cleans_up_after_itself(tmp_path: Path) -> None:
    """Its staging folder and its record are gone, whatever happened inside."""
    with pytest.raises(FileExistsError), RunRegistry(tmp_path).register("r1"):
        stage(tmp_path, "r1").mkdir()
    assert list((tmp_path / "staging").iterdir()) == []
    assert list((tmp_path / "running").iterdir()) == []


def test_living_run_is_left_alone(tmp_path: Path) -> None:
    """A run in another process (or thread) of the same project keeps its files."""
    registry = RunRegistry(tmp_path)
    with registry.register("r1"):
        folder = stage(tmp_path, "r1")
        assert registry.alive() == {"r1"}
        assert sweep_leftovers(tmp_path) == NOTHING
        assert folder.exists()
    assert registry.alive() == frozenset()


def test_staging_of_a_dead_run_is_removed(tmp_path: Path) -> None:
    """With or without a record: nobody holds the lock, so nobody needs it."""
    record(tmp_path, "r1", {})
    first, second = stage(tmp_path, "r1"), stage(tmp_path, "r2")
    assert sweep_leftovers(tmp_path).staging == ("r1", "r2")
    assert not first.exists()
    assert not second.exists()
    assert list((tmp_path / "running").iterdir()) == []
    assert sweep_leftovers(tmp_path) == NOTHING


def test_other_sweeper_at_work_is_not_disturbed(tmp_path: Path) -> None:
    """Two runs that begin at once do not sweep the same leftovers together."""
    record(tmp_path, "r1", {})
    folder = stage(tmp_path, "r1")
    with FileLock(tmp_path / "running" / "r1.lock"):
        assert sweep_leftovers(tmp_path) == NOTHING
    assert folder.exists()


@needs_proc
@pytest.mark.starts_processes
def test_group_of_a_dead_run_is_killed(tmp_path: Path, group: subprocess.Popen[bytes]) -> None:
    """A compiler that outlived its wheelworks must not disturb the next build."""
    record(tmp_path, "r1", {str(group.pid): start_time(group.pid)})
    assert sweep_leftovers(tmp_path).groups == (group.pid,)
    assert group.wait(60) == -signal.SIGKILL


@needs_proc
@pytest.mark.starts_processes
def test_number_that_was_given_to_somebody_else_is_never_killed(
    tmp_path: Path, group: subprocess.Popen[bytes]
) -> None:
    """The start time tells a reused number."""
    record(tmp_path, "r1", {str(group.pid): str(int(start_time(group.pid)) - 1)})
    assert sweep_leftovers(tmp_path).groups == ()
    assert group.poll() is None


@needs_proc
@pytest.mark.starts_processes
def test_number_of_another_boot_is_never_killed(
    tmp_path: Path, group: subprocess.Popen[bytes]
) -> None:
    """After a restart, or seen from another container, the numbers mean nothing."""
    record(tmp_path, "r1", {str(group.pid): start_time(group.pid)}, boot="another")
    assert sweep_leftovers(tmp_path).groups == ()
    assert group.poll() is None


@needs_proc
@pytest.mark.parametrize("groups", [[], {"x": "1"}, None, {"0": "1"}, {"1": "0"}])
def test_torn_record_kills_nobody(tmp_path: Path, groups: object) -> None:
    """What can't be read is removed; process 1 and the sweeper's own group are out of reach."""
    record(tmp_path, "r1", groups)
    stage(tmp_path, "r1")
    assert sweep_leftovers(tmp_path) == Swept(staging=("r1",), groups=())


@needs_proc
@pytest.mark.starts_processes
@pytest.mark.parametrize("works_here", [True, False])
def test_children_that_outlived_their_leader(tmp_path: Path, *, works_here: bool) -> None:
    """They are killed if they work in the project's state folder, and only then."""
    state_dir = tmp_path / "state"
    elsewhere = tmp_path / "elsewhere"
    for folder in (state_dir, elsewhere):
        folder.mkdir()
    environment = {"PATH": os.defpath}
    leader = subprocess.Popen(
        ["sh", "-c", "sleep 600 >/dev/null & echo $!; read line"],
        start_new_session=True,
        cwd=state_dir if works_here else elsewhere,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert leader.stdout is not None
    child = int(leader.stdout.readline())
    start = start_time(leader.pid)
    leader.communicate()
    record(state_dir, "r1", {str(leader.pid): start})
    swept = sweep_leftovers(state_dir)
    try:
        assert swept.groups == ((leader.pid,) if works_here else ())
        assert is_alive(child) is not works_here
    finally:
        if is_alive(child):
            os.kill(child, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody reaps does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@needs_proc
@pytest.mark.starts_processes
def test_runner_tells_the_registry_of_its_groups(tmp_path: Path) -> None:
    """While a command runs its group is on record, with its start time; afterwards it is not."""
    registry = RunRegistry(tmp_path)
    runner = ProcessRunner({})
    seen: list[dict[str, str]] = []
    file = tmp_path / "running" / "r1.json"

    def look(_line: str) -> None:
        seen.append(json.loads(file.read_text())["groups"])

    with registry.register("r1", runner):
        result = runner.run(
            ["sh", "-c", "echo $$; sleep 0.2"],
            env={"PATH": os.defpath},
            cwd=tmp_path,
            timeout_seconds=60,
            on_line=look,
        )
        assert json.loads(file.read_text())["groups"] == {}
    (groups,) = seen
    assert list(groups) == [result.tail[0]]
    assert all(start.isdigit() for start in groups.values())


KILLED_RUN = """
import os, sys
from pathlib import Path
from wheelworks.leftovers import RunRegistry
from wheelworks.process import ProcessRunner

state_dir = Path(sys.argv[1])
runner = ProcessRunner()
with RunRegistry(state_dir).register("killed", runner):
    staging = state_dir / "staging" / "killed"
    staging.mkdir(parents=True)
    runner.run(
        ["sh", "-c", "echo $$ > pid; exec sleep 600"],
        env=dict(os.environ), cwd=state_dir, timeout_seconds=600,
    )
"""


@needs_proc
@pytest.mark.starts_processes
def test_run_that_was_killed_is_swept_by_the_next(tmp_path: Path) -> None:
    """SIGKILL in the middle: the group goes on until the next run ends it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", KILLED_RUN, str(tmp_path)], env=environment)
    pid_file = tmp_path / "pid"
    for _ in range(3000):
        if pid_file.exists() and pid_file.read_text().strip():
            break
        time.sleep(0.01)
    compiler = int(pid_file.read_text())
    assert sweep_leftovers(tmp_path) == NOTHING
    process.kill()
    process.wait()
    assert is_alive(compiler)
    assert sweep_leftovers(tmp_path) == Swept(staging=("killed",), groups=(compiler,))
    assert not is_alive(compiler)
    assert not (tmp_path / "staging" / "killed").exists()
