"""What a killed run leaves behind: who is alive, and the removal of what the dead left.

Touches ``running/`` and ``staging/`` below ``.wheelworks/``, and kills process groups that a dead
run started. Its containers are removed by whoever calls, through a function.

A run holds the lock ``running/<id>.lock`` as long as it lives; the system lets go of it however the
process ends, so that no pid has to be trusted. ``running/<id>.json`` names its process groups with
the start time of their leaders, so that a number the system has given to somebody else since is
never killed. Groups are found only where ``/proc`` is (Linux); elsewhere only the folders are
removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from filelock import FileLock

from wheelworks.files import atomic_write, ensure_state_dir, unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wheelworks.runner import GroupRecorder

CONTAINERS_SUFFIX: Final = ".containers"
"""Of the folder in ``running/`` that stands for containers of a run (``containers.removal``)."""
_REGISTER_SECONDS: Final = 10.0
_DEATH_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep removed."""

    staging: tuple[str, ...]
    """Ids of the runs whose staging folders were removed."""
    groups: tuple[int, ...]
    """Numbers of the process groups that were killed."""


@runtime_checkable
class RecordsGroups(Protocol):
    """A runner that tells a recorder of its process groups; a fake that starts none need not."""

    def recording(self, recorder: GroupRecorder) -> contextlib.AbstractContextManager[None]:
        """Tell the recorder of every group that starts or ends while the context is open."""
        ...


class RunRegistry:
    """The runs that are alive in one project.

    Args:
        state_dir: ``.wheelworks`` in the project.
    """

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._folder = state_dir / "running"

    @contextlib.contextmanager
    def register(self, run_id: str, runner: object = None) -> Iterator[None]:
        """Be alive while the context is open; the staging folder of the run is removed at the end.

        Args:
            run_id: the run; nothing may be put into its staging folder before.
            runner: its process groups are written down, if it can tell of them.

        Raises:
            MissingResourceError: the folder can't be written.
        """
        ensure_state_dir(self._state_dir)
        lock = FileLock(self._folder / f"{run_id}.lock", timeout=_REGISTER_SECONDS)
        record = _GroupFile(self._folder / f"{run_id}.json")
        with contextlib.ExitStack() as stack:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock)
                record.write()
            except OSError as error:
                raise unwritable(self._folder, error) from error
            stack.callback(self._clean, run_id)
            if isinstance(runner, RecordsGroups):
                stack.enter_context(runner.recording(record))
            yield

    def alive(self) -> frozenset[str]:
        """Ids of the runs whose process lives."""
        alive = set()
        for run_id in {path.stem for path in self._folder.glob("*.json")}:
            with self._held_if_dead(run_id) as is_dead:
                if not is_dead:
                    alive.add(run_id)
        return frozenset(alive)

    def sweep(self, remove_containers: Callable[[str], object]) -> Swept:
        """Remove what dead runs left; see :func:`sweep_leftovers`."""
        # The folders first: a run that begins after this line may make one that is not in the list.
        staged = {path.name for path in (self._state_dir / "staging").glob("*")}
        recorded = {path.stem for path in self._folder.glob("*.json")}
        with_containers = {path.stem for path in self._folder.glob(f"*{CONTAINERS_SUFFIX}")}
        removed: list[str] = []
        killed: list[int] = []
        for run_id in sorted(staged | recorded | with_containers):
            with self._held_if_dead(run_id) as is_dead:
                if not is_dead:
                    continue
                killed += _kill_groups(self._folder / f"{run_id}.json", self._state_dir.resolve())
                if run_id in with_containers:
                    # Before the folders that they write into.
                    remove_containers(run_id)
                self._clean(run_id)
            if run_id in staged:
                removed.append(run_id)
        return Swept(staging=tuple(removed), groups=tuple(killed))

    @contextlib.contextmanager
    def _held_if_dead(self, run_id: str) -> Iterator[bool]:
        """Hold the run's lock, if its process does not; gives whether that is so."""
        with contextlib.ExitStack() as stack:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(FileLock(self._folder / f"{run_id}.lock", timeout=0))
            except OSError:
                # filelock's Timeout is one, too.
                yield False
            else:
                yield True

    def _clean(self, run_id: str) -> None:
        """Remove all traces of a run that is over; the caller holds its lock."""
        shutil.rmtree(self._state_dir / "staging" / run_id, ignore_errors=True)
        # Windows does not remove a lock file that is open; it is empty and harmless.
        for suffix in ("json", "lock"):
            with contextlib.suppress(OSError):
                (self._folder / f"{run_id}.{suffix}").unlink()


def sweep_leftovers(
    state_dir: Path, remove_containers: Callable[[str], object] = lambda _run_id: None
) -> Swept:
    """Remove what killed runs left: staging folders, and process groups and containers that go on compiling.

    Nothing of a run that is alive is touched, also when it runs at the same time. What can't be
    removed stays for the next sweep.

    Args:
        state_dir: ``.wheelworks`` in the project.
        remove_containers: removes the containers of a run, given its id; called only for dead runs that had any.
    """
    if not (state_dir / "running").is_dir() and not (state_dir / "staging").is_dir():
        return Swept(staging=(), groups=())
    return RunRegistry(state_dir).sweep(remove_containers)


class _GroupFile:
    """The living process groups of a run, in a file. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._groups: dict[int, str] = {}
        self._lock = threading.Lock()

    def group_started(self, pid: int) -> None:
        """Write the group down."""
        start = _start_time(pid)
        if start is not None:
            with self._lock, contextlib.suppress(OSError):
                self._groups[pid] = start
                self.write()

    def group_ended(self, pid: int) -> None:
        """Strike the group out."""
        with self._lock, contextlib.suppress(OSError):
            if self._groups.pop(pid, None) is not None:
                self.write()

    def write(self) -> None:
        """Replace the file."""
        document = {
            "schema": 1,
            "pid": os.getpid(),
            "machine": _machine(),
            "groups": {str(pid): start for pid, start in self._groups.items()},
        }
        atomic_write(self._path, json.dumps(document).encode(), durable=False)


def _kill_groups(record: Path, state_dir: Path) -> list[int]:
    """Kill the recorded groups that still exist; gives their numbers."""
    if sys.platform == "win32":
        return []
    killed = []
    for leader, start in _recorded_groups(record):
        members = _members(leader)
        if not members or not _is_ours(leader, start, members, state_dir):
            continue
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)
            killed.append(leader)
            _await_death(leader)
    return killed


def _recorded_groups(record: Path) -> list[tuple[int, str]]:
    """Groups of a dead run; none when the record is torn, or of another boot or namespace."""
    try:
        document: object = json.loads(record.read_bytes())
        if not isinstance(document, dict) or document["machine"] != _machine():
            return []
        return [(int(pid), str(start)) for pid, start in document["groups"].items() if int(pid) > 1]
    except (OSError, ValueError, KeyError, AttributeError):
        return []


def _is_ours(leader: int, start: str, members: list[int], state_dir: Path) -> bool:
    """Whether the group is the recorded one, and not another that was given its number since.

    While the leader lives, its start time decides. When only children are left (a compiler that
    outlived cargo), their group's number can't have been given away; so that it was not given away
    *before*, they must be as young as the record and work in our folder.
    """
    if leader in members:
        return _start_time(leader) == start
    return all(
        int(_start_time(pid) or 0) >= int(start) and _mentions(pid, state_dir) for pid in members
    )


def _members(group: int) -> list[int]:
    """Living processes of a group that is a session, too, as ours are."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        fields = _stat_fields(int(path.name))
        if fields and fields[0] not in "ZX" and fields[2] == fields[3] == str(group):
            found.append(int(path.name))
    return found


def _mentions(pid: int, folder: Path) -> bool:
    """Whether a process works in a folder: its working folder, arguments or variables name it."""
    try:
        if Path(f"/proc/{pid}/cwd").readlink().is_relative_to(folder):
            return True
        texts = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
    except OSError:
        return False
    return any(os.fsencode(folder) in text for text in texts)


def _await_death(group: int) -> None:
    """Wait, with a bound, until nothing of the group can write into a build folder any more."""
    deadline = time.monotonic() + _DEATH_SECONDS
    while _members(group) and time.monotonic() < deadline:
        time.sleep(0.02)


def _start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since the system did; None if it is gone."""
    fields = _stat_fields(pid)
    return fields[19] if fields else None


def _stat_fields(pid: int) -> list[str]:
    """Fields of ``/proc/<pid>/stat`` from the third (state) on; empty without such a process."""
    try:
        # The second field, the program's name, may hold blanks and parentheses.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _machine() -> str:
    """Where process numbers mean the same: one boot of one system, one process namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
