"""Registering QEMU and installing packages, with a faked /proc and a faked root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fake_engine import install_program
from fakes import Call, FakeRunner, Reply

from wheelworks.containers import emulation
from wheelworks.containers.emulation import (
    install_host_packages,
    missing_host_packages,
    read_emulation,
    register_binfmt,
)
from wheelworks.errors import MissingResourceError

if TYPE_CHECKING:
    from pathlib import Path

ARM64 = "linux/arm64"
DEBIANS = ":qemu-aarch64:M::magic:mask:/usr/libexec/qemu-binfmt/aarch64-binfmt-P:OP"


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests run as root, seemingly."""
    monkeypatch.setattr(emulation, "is_root", lambda: True)


def _binfmt(tmp_path: Path) -> Path:
    return tmp_path / "proc/sys/fs/binfmt_misc"


def _mounted(tmp_path: Path) -> Path:
    folder = _binfmt(tmp_path)
    folder.mkdir(parents=True)
    (folder / "status").write_text("enabled")
    return folder


def _register(tmp_path: Path, runner: FakeRunner | None = None) -> None:
    register_binfmt(
        ARM64,
        runner or FakeRunner(answer=lambda _: Reply()),
        environ={"PATH": str(tmp_path / "bin")},
        root=tmp_path,
    )


def test_the_distributions_line_is_registered_with_the_flag(tmp_path: Path) -> None:
    """Without F no container would find the interpreter."""
    folder = _mounted(tmp_path)
    (tmp_path / "usr/lib/binfmt.d").mkdir(parents=True)
    (tmp_path / "usr/lib/binfmt.d/qemu-aarch64.conf").write_text(f"{DEBIANS}\n")
    _register(tmp_path)
    assert (folder / "register").read_text() == f"{DEBIANS}F"


def test_a_qemu_on_path_is_registered_by_our_own_line(tmp_path: Path) -> None:
    """Other distributions have no such files."""
    folder = _mounted(tmp_path)
    install_program(tmp_path / "bin", "qemu-aarch64-static")
    _register(tmp_path)
    line = (folder / "register").read_text()
    assert line.startswith(":qemu-aarch64:M::\\x7fELF")
    assert line.endswith(f":{tmp_path}/bin/qemu-aarch64-static:OCF")


def test_it_is_mounted_first(tmp_path: Path) -> None:
    """On a machine that never used it."""
    install_program(tmp_path / "bin", "qemu-aarch64-static")

    def mount(call: Call) -> Reply:
        assert call.argv[:3] == ("mount", "-t", "binfmt_misc")
        _mounted(tmp_path)
        return Reply()

    _register(tmp_path, FakeRunner(answer=mount))
    assert (_binfmt(tmp_path) / "register").exists()


def test_a_registration_without_the_flag_is_replaced(tmp_path: Path) -> None:
    """The kernel keeps an old one until it is removed."""
    folder = _mounted(tmp_path)
    (folder / "qemu-aarch64").write_text("enabled\nflags: OC\n")
    install_program(tmp_path / "bin", "qemu-aarch64")
    _register(tmp_path)
    assert (folder / "qemu-aarch64").read_text() == "-1"
    assert (folder / "register").exists()


def test_what_is_registered_stays(tmp_path: Path) -> None:
    """Nothing is written."""
    folder = _mounted(tmp_path)
    (folder / "qemu-aarch64").write_text("enabled\nflags: F\n")
    _register(tmp_path)
    assert not (folder / "register").exists()
    assert read_emulation("linux/amd64", tmp_path).emulated == (ARM64,)
    assert dict(read_emulation(ARM64, tmp_path).problems) == {
        "linux/amd64": "no QEMU is registered for x86_64"
    }


def test_others_than_root_get_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, or by an image where a registry answers."""
    monkeypatch.setattr(emulation, "is_root", lambda: False)
    with pytest.raises(MissingResourceError, match="by root only") as caught:
        _register(tmp_path)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("sudo sh -c")
    assert "tonistiigi/binfmt --install arm64" in caught.value.hint


def test_a_missing_qemu_is_told(tmp_path: Path) -> None:
    """With the package that brings it."""
    with pytest.raises(MissingResourceError, match="not installed") as caught:
        _register(tmp_path)
    assert caught.value.hint is not None
    assert "apt-get install" in caught.value.hint


def test_a_kernel_that_refuses_is_told(tmp_path: Path) -> None:
    """As in a container without the right to mount."""
    install_program(tmp_path / "bin", "qemu-aarch64-static")
    refused = FakeRunner(answer=lambda _: Reply(stderr="permission denied", returncode=32))
    with pytest.raises(MissingResourceError, match="kernel refuses"):
        _register(tmp_path, refused)


def test_missing_packages_are_named(tmp_path: Path) -> None:
    """One program of each shows that it is there."""
    install_program(tmp_path, "debootstrap", "qemu-aarch64-static")
    assert missing_host_packages({"PATH": str(tmp_path)}) == ()


def test_packages_are_installed_by_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others get the command."""
    install_program(tmp_path, "apt-get")
    environ = {"PATH": str(tmp_path)}
    runner = FakeRunner(answer=lambda _: Reply())
    install_host_packages(["mmdebstrap"], runner, environ=environ)
    assert [call.argv[:2] for call in runner.calls] == [
        ("apt-get", "update"),
        ("apt-get", "install"),
    ]
    with pytest.raises(MissingResourceError, match="failed: E: no"):
        install_host_packages(
            ["mmdebstrap"],
            FakeRunner(answer=lambda _: Reply(stderr="E: no", returncode=100)),
            environ=environ,
        )
    with pytest.raises(MissingResourceError, match="no apt-get"):
        install_host_packages(["mmdebstrap"], runner, environ={"PATH": ""})
    monkeypatch.setattr(emulation, "is_root", lambda: False)
    with pytest.raises(MissingResourceError) as caught:
        install_host_packages(["mmdebstrap"], runner, environ=environ)
    assert caught.value.hint == "sudo apt-get install --yes --no-install-recommends mmdebstrap"
