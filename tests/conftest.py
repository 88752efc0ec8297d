"""Fixtures for every test: the guard against side effects, and six machines as values."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from wheelworks.toolchains import FoundInterpreter, FoundTool, HostFacts, RustFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# No test may depend on the speed of the machine, neither by a deadline nor by a slow first draw.
settings.register_profile(
    "wheelworks", deadline=None, suppress_health_check=(HealthCheck.too_slow,), print_blob=True
)
settings.load_profile("wheelworks")

#: Folders whose tests must not touch the outside world.
GUARDED = (Path(__file__).parent / "unit", Path(__file__).parent / "property")

#: Audit events that stand for a started process or a used network. A socket pair, as an event
#: loop makes one for itself, raises none of them on POSIX.
FORBIDDEN_EVENTS = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "subprocess.Popen",
    }
)


def pytest_configure() -> None:
    """Take back signals that whoever started pytest ignores.

    A shell starts background jobs with SIGINT ignored and nohup does so with SIGHUP; every child would inherit it,
    and a program that is started so rightly stays deaf to them.
    """
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            handler = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
            # Outside the main thread Python allows no handlers; pytest's own tests run there.
            with contextlib.suppress(ValueError):
                signal.signal(number, handler)


class _Guard:
    """Whether the guard is up, and what it met meanwhile.

    An audit hook can't be removed, so there is one for the whole session that looks here. It
    sees what patched functions would miss: any module, any alias, any C code that asks.
    """

    def __init__(self) -> None:
        self.is_up = False
        self.met: list[str] = []

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if self.is_up and event in FORBIDDEN_EVENTS:
            self.met.append(f"{event}{args!r}"[:300])
            # pytest's Failed is no Exception, so that `except Exception` can't swallow it.
            pytest.fail(f"a unit test reached the outside world: {self.met[-1]}", pytrace=True)


_guard = _Guard()
sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests away from them."""
    for name in [name for name in os.environ if name.startswith("WHEELWORKS_")]:
        if not name.startswith(("WHEELWORKS_GUARD_", "WHEELWORKS_UPDATE_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_outside_world(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Make a test in tests/unit or tests/property fail when it starts a process or uses a network.

    The markers ``integration`` and ``starts_processes`` lift the guard. Gives what it met, for the
    tests of the guard itself.
    """
    node = request.node
    lifted = any(node.get_closest_marker(name) for name in ("integration", "starts_processes"))
    _guard.met.clear()
    _guard.is_up = not lifted and any(folder in request.path.parents for folder in GUARDED)
    try:
        yield _guard.met
    finally:
        _guard.is_up = False
    # A failure raised in a thread would be lost without this.
    assert not _guard.met, f"a unit test reached the outside world: {_guard.met}"


def _tool(path: str, version: str) -> FoundTool:
    return FoundTool(path=path, version=version, size=1000, mtime_ns=1_700_000_000_000_000_000)


def _python(version: str, machine: str, path: str, origin: str = "PATH") -> FoundInterpreter:
    return FoundInterpreter(
        spec=version.rpartition(".")[0],
        path=path,
        version=version,
        machine=machine,
        origin=origin,
        size=1000,
        mtime_ns=1_700_000_000_000_000_000,
    )


def _rustup_facts(
    triple: str, home: str, targets: tuple[str, ...] = (), *, cannot_add_reason: str | None = None
) -> RustFacts:
    """Rust 1.95.0 from rustup, with the host's standard library and those of ``targets``."""
    suffix = ".exe" if "windows" in triple else ""
    toolchain = f"stable-{triple}"
    return RustFacts(
        rustc=_tool(f"{home}/.cargo/bin/rustc{suffix}", "1.95.0"),
        cargo=_tool(f"{home}/.cargo/bin/cargo{suffix}", "1.95.0"),
        host_triple=triple,
        sysroot=f"{home}/.rustup/toolchains/{toolchain}",
        targets=(triple, *targets),
        toolchain=toolchain,
        installed_toolchains=(toolchain,),
        rustup=_tool(f"{home}/.cargo/bin/rustup{suffix}", "1.28.2"),
        can_add_targets=cannot_add_reason is None,
        cannot_add_reason=cannot_add_reason,
    )


def _linux_x86_64() -> HostFacts:
    """A Debian whose rustup reaches no server: only wheels for itself can be built."""
    return HostFacts(
        system="linux",
        machine="x86_64",
        is_wsl=False,
        libc="glibc",
        libc_version=(2, 36),
        cores=8,
        memory_available_mib=16_384,
        rust=_rustup_facts(
            "x86_64-unknown-linux-gnu",
            "/home/dev",
            cannot_add_reason="rustup can't reach its server",
        ),
        rust_missing_reason=None,
        interpreters=(
            _python("3.11.7", "x86_64", "/usr/bin/python3.11"),
            _python("3.12.1", "x86_64", "/home/dev/.pyenv/versions/3.12.1/bin/python", "pyenv"),
            _python("3.13.0", "x86_64", "/home/dev/.pyenv/versions/3.13.0/bin/python", "pyenv"),
        ),
        mingw=(),
        macos_sdk=None,
        uv=None,
        git=_tool("/usr/bin/git", "2.39.5"),
        ci=False,
    )


def _linux_arm64() -> HostFacts:
    """An arm64 Ubuntu with everything: rustup adds targets, mingw-w64 and uv are there."""
    return HostFacts(
        system="linux",
        machine="aarch64",
        is_wsl=False,
        libc="glibc",
        libc_version=(2, 39),
        cores=4,
        memory_available_mib=8_192,
        rust=_rustup_facts("aarch64-unknown-linux-gnu", "/home/dev"),
        rust_missing_reason=None,
        interpreters=(
            _python("3.12.3", "aarch64", "/usr/bin/python3.12"),
            _python("3.14.0", "aarch64", "/home/dev/.local/bin/python3.14", "uv"),
        ),
        mingw=(
            (
                "x86_64-pc-windows-gnu",
                _tool("/usr/bin/x86_64-w64-mingw32-gcc", "13.2.0"),
            ),
        ),
        macos_sdk=None,
        uv=_tool("/home/dev/.local/bin/uv", "0.13.9"),
        git=_tool("/usr/bin/git", "2.43.0"),
        ci=True,
    )


def _macos(machine: str, triple: str, other: str) -> HostFacts:
    """A Mac with Xcode's command line tools and both of Apple's standard libraries."""
    return HostFacts(
        system="macos",
        machine=machine,
        is_wsl=False,
        libc=None,
        libc_version=None,
        cores=10,
        memory_available_mib=24_576,
        rust=_rustup_facts(triple, "/Users/dev", (other,)),
        rust_missing_reason=None,
        interpreters=(
            _python(
                "3.13.1",
                "arm64" if machine == "aarch64" else "x86_64",
                "/Library/Frameworks/Python.framework/Versions/3.13/bin/python3.13",
            ),
        ),
        mingw=(),
        macos_sdk="/Library/Developer/CommandLineTools/SDKs/MacOSX.sdk",
        uv=_tool("/Users/dev/.local/bin/uv", "0.13.9"),
        git=_tool("/usr/bin/git", "2.39.5"),
        ci=False,
    )


def _windows() -> HostFacts:
    """A Windows machine with Rust for MSVC."""
    return HostFacts(
        system="windows",
        machine="x86_64",
        is_wsl=False,
        libc=None,
        libc_version=None,
        cores=8,
        memory_available_mib=16_384,
        rust=_rustup_facts("x86_64-pc-windows-msvc", "C:/Users/dev"),
        rust_missing_reason=None,
        interpreters=(
            _python("3.13.1", "amd64", "C:/Users/dev/AppData/Local/Programs/Python/python.exe"),
        ),
        mingw=(),
        macos_sdk=None,
        uv=None,
        git=_tool("C:/Program Files/Git/cmd/git.exe", "2.47.0"),
        ci=False,
    )


def _wsl() -> HostFacts:
    """Ubuntu under WSL with the distribution's Rust, so without rustup."""
    return HostFacts(
        system="linux",
        machine="x86_64",
        is_wsl=True,
        libc="glibc",
        libc_version=(2, 39),
        cores=8,
        memory_available_mib=7_900,
        rust=RustFacts(
            rustc=_tool("/usr/bin/rustc", "1.91.1"),
            cargo=_tool("/usr/bin/cargo", "1.91.1"),
            host_triple="x86_64-unknown-linux-gnu",
            sysroot="/usr",
            targets=("x86_64-pc-windows-gnu", "x86_64-unknown-linux-gnu"),
            toolchain=None,
            installed_toolchains=(),
            rustup=None,
            can_add_targets=False,
            cannot_add_reason="there is no rustup here",
        ),
        rust_missing_reason=None,
        interpreters=(_python("3.12.3", "x86_64", "/usr/bin/python3.12"),),
        mingw=(("x86_64-pc-windows-gnu", _tool("/usr/bin/x86_64-w64-mingw32-gcc", "13.2.0")),),
        macos_sdk=None,
        uv=None,
        git=None,
        ci=False,
    )


@pytest.fixture(scope="session")
def hosts() -> Mapping[str, HostFacts]:
    """Six machines that plans are made for, by name."""
    return {
        "linux_x86_64": _linux_x86_64(),
        "linux_arm64": _linux_arm64(),
        "macos_arm64": _macos("aarch64", "aarch64-apple-darwin", "x86_64-apple-darwin"),
        "macos_intel": _macos("x86_64", "x86_64-apple-darwin", "aarch64-apple-darwin"),
        "windows": _windows(),
        "wsl": _wsl(),
    }
