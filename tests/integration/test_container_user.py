"""A build in a container by a user that the image does not know leaves files that this user owns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from container_project import ContainerProject
from integration.conftest import RUN_TIMEOUT_SECONDS, tool_environment
from tiny_project import WHEEL

UNKNOWN = 12345
SOCKET = Path("/var/run/docker.sock")


def strangers(*folders: Path) -> list[str]:
    """What does not belong to the user, links included."""
    found = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return [str(path) for path in found if path.lstat().st_uid != UNKNOWN]


def test_a_user_without_an_entry_in_the_image(
    tmp_path: Path, container_engine: str, toolchain_image: str
) -> None:
    """The wheel, the target folder, HOME and the caches of cargo and zig are the user's."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or os.geteuid() != 0 or not SOCKET.exists():
        pytest.skip("only root can become another user who may talk to docker, with setpriv")
    project = ContainerProject.write(
        tmp_path / "tiny", engine=container_engine, image=toolchain_image
    )
    home = tmp_path / "home"
    home.mkdir()
    for path in (home, project.root, *project.root.rglob("*")):
        os.chown(path, UNKNOWN, UNKNOWN)
    done = subprocess.run(
        [
            setpriv, f"--reuid={UNKNOWN}", f"--regid={UNKNOWN}",
            f"--groups={UNKNOWN},{SOCKET.stat().st_gid}",
            # The interpreter of the tests may lie in root's home: reading is allowed, writing is not.
            "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search",
            "--bounding-set=-all,+dac_read_search",
            sys.executable, "-m", "wheelworks", "build",
        ],
        cwd=project.root,
        env={**tool_environment(), "HOME": str(home), "PATH": f"{Path(container_engine).parent}:/usr/bin:/bin"},
        capture_output=True, text=True, timeout=RUN_TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert project.tiny.built() == [WHEEL]
    assert strangers(project.root, home) == []
    homes = list((project.tiny.state / "homes").iterdir())
    assert any(list(folder.rglob("zig*")) for folder in homes), "zig had a cache of its own"
    assert list(home.rglob("containers/cargo")), "cargo had its home below the user's"
    project.assert_clean()
