"""Fixtures that talk to the real world: the installed wheelworks, and a real project from PyPI."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin

import platformdirs
import pytest
from terminal_session import TerminalSession
from tiny_project import RunningWheelworks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECTS = Path(__file__).parent.parent / "projects"
RPDS_FILE = "rpds_py-2026.9.1.tar.gz"
RPDS_SHA256 = "4793ef7f78268b124b73fa933440f01d258bbae01de9fa53e9080c9ab0425a12"
#: More than any of the runs takes on two slow cores; a hanging one is reported instead of waited for.
RUN_TIMEOUT_SECONDS = 1500


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder starts real tools, and may take minutes."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.timeout(RUN_TIMEOUT_SECONDS + 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a call of wheelworks ended."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The summary's last line."""
        return self.err.strip().splitlines()[-1] if self.err.strip() else ""


class Wheelworks(Protocol):
    """Calls ``python -m wheelworks`` in a folder and waits for it."""

    def __call__(self, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
        """Run a command line.

        Args:
            arguments: after ``wheelworks``.
            cwd: the folder.
            env: variables to set, besides the caller's.
        """
        ...


def tool_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment with plain output, and without what a test run adds to it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WHEELWORKS_")}
    kept.pop("PYTEST_PLUGINS", None)
    # A rustup that reaches its server would make every cell buildable: minutes that these tests need not spend.
    return {**kept, "CI": "true", "WHEELWORKS_PROVISION": "never", **(env or {})}


@pytest.fixture(scope="session")
def wheelworks() -> Wheelworks:
    """The installed wheelworks as a command."""

    def call(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "wheelworks", *arguments],
            cwd=cwd,
            env=tool_environment(env),
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_SECONDS,
            check=False,
        )
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    return call


@pytest.fixture(scope="session")
def container_engine() -> str:
    """The program of a container engine that answers; its tests are skipped, saying why, where none does."""
    said = "neither docker nor podman is on PATH"
    for name in ("docker", "podman"):
        path = shutil.which(name)
        if path is None:
            continue
        asked = subprocess.run(
            [path, "info"], capture_output=True, text=True, timeout=60, check=False
        )
        if asked.returncode == 0:
            return path
        said = f"{name} does not answer: {asked.stderr.strip()}"
    pytest.skip(said)


@pytest.fixture(scope="session")
def toolchain_image(container_engine: str) -> str:
    """An image with Rust, maturin and zig: the one that is named, else the newest of ours; none is built here."""
    named = os.environ.get("WHEELWORKS_TEST_IMAGE")
    if named:
        return named
    listed = subprocess.run(
        [
            container_engine,
            "images",
            "--format",
            "{{.Repository}}:{{.Tag}}",
            "wheelworks/toolchain",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    if not listed.stdout.split():
        pytest.skip("there is no toolchain image here: `wheelworks prefetch` builds it")
    return listed.stdout.split()[0]


class StartWheelworks(Protocol):
    """Starts ``python -m wheelworks`` and goes on beside it."""

    def __call__(
        self, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
    ) -> RunningWheelworks:
        """Start a command line; the arguments are those of :class:`Wheelworks`."""
        ...


@pytest.fixture
def start_wheelworks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartWheelworks]:
    """The installed wheelworks in the background; what still runs at the end of the test is killed."""
    started: list[RunningWheelworks] = []
    outputs = tmp_path_factory.mktemp("outputs")

    def start(
        *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
    ) -> RunningWheelworks:
        running = RunningWheelworks(
            *arguments, cwd=cwd, env=tool_environment(env), output=outputs / str(len(started))
        )
        started.append(running)
        return running

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()


class OnTerminal(Protocol):
    """Runs ``python -m wheelworks`` on a terminal of its own."""

    def __call__(self, *arguments: str, cwd: Path) -> TerminalSession:
        """Start a command line in a folder."""
        ...


@pytest.fixture(scope="session")
def on_terminal() -> OnTerminal:
    """The installed wheelworks as a person has it."""
    if sys.platform == "win32":
        pytest.skip("the terminals are POSIX's")

    def start(*arguments: str, cwd: Path) -> TerminalSession:
        argv = (sys.executable, "-m", "wheelworks", *arguments)
        return TerminalSession(argv, env=tool_environment({"TERM": "dumb"}), cwd=cwd)

    return start


@pytest.fixture
def sample(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A fresh copy of a sample project; its name is the fixture's parameter."""
    target = tmp_path / str(request.param)
    shutil.copytree(PROJECTS / str(request.param), target)
    return target


@pytest.fixture(scope="session")
def rpds_sdist() -> Path:
    """The sdist of rpds-py 2026.9.1 from the package index, kept in the user's cache."""
    cached = platformdirs.user_cache_path("wheelworks-tests", appauthor=False) / RPDS_FILE
    if not cached.exists() or _sha256(cached.read_bytes()) != RPDS_SHA256:
        content = _download("rpds-py", RPDS_FILE)
        assert _sha256(content) == RPDS_SHA256, f"{RPDS_FILE} has another hash than the pinned one"
        cached.parent.mkdir(parents=True, exist_ok=True)
        unfinished = cached.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(cached)
    return cached


@pytest.fixture(scope="module")
def rpds(rpds_sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh unpacked rpds-py for the tests of a module, because its builds take long."""
    folder = tmp_path_factory.mktemp("rpds")
    with tarfile.open(rpds_sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / RPDS_FILE.removesuffix(".tar.gz")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download(project: str, file_name: str) -> bytes:
    """A file of the index that pip would ask, through the JSON form of its simple API (PEP 691)."""
    index = f"{os.environ.get('PIP_INDEX_URL', 'https://pypi.org/simple').rstrip('/')}/{project}/"
    request = urllib.request.Request(
        index, headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    url = next(str(file["url"]) for file in files if file["filename"] == file_name)
    with urllib.request.urlopen(urljoin(index, url), timeout=120) as answer:
        content: bytes = answer.read()
    return content
