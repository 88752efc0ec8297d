"""The guard of conftest.py, without which "pure" would only be a word."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest


def test_starting_a_process_fails_the_test(no_outside_world: list[str]) -> None:
    """A process started in a unit test is a failure, also behind an `except Exception`."""
    with pytest.raises(pytest.fail.Exception, match="outside world"):
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert len(no_outside_world) == 1
    no_outside_world.clear()  # else it would fail this test at its end


def test_connecting_fails_the_test(no_outside_world: list[str]) -> None:
    """A connection made in a unit test is a failure, even to this machine."""
    with (
        socket.socket() as door,
        pytest.raises(pytest.fail.Exception, match="outside world"),
    ):
        door.connect(("127.0.0.1", 9))
    no_outside_world.clear()


@pytest.mark.starts_processes
def test_the_marker_lifts_the_guard() -> None:
    """A test of the module that starts processes may start one."""
    done = subprocess.run([sys.executable, "-c", "print(7)"], capture_output=True, check=True)
    assert done.stdout.strip() == b"7"
