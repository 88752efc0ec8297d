"""Tests of the machine's whole description, with faked programs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import a_project
from fakes import Call, FakeRunner, Reply

from wheelworks.config.settings import Settings
from wheelworks.host import probe_host

if TYPE_CHECKING:
    from wheelworks.project import Project

HOST = "x86_64-unknown-linux-gnu"


def _project(root: Path) -> Project:
    return a_project(root=root, source_root=root, workspace_root=root, python_source=None)


def _settings(tmp_path: Path) -> Settings:
    return Settings(pythons=("3.13",), targets=("manylinux_x86_64",), dist=tmp_path / "dist")


def _programs(tmp_path: Path, *names: str) -> dict[str, str]:
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("")
        (folder / name).chmod(0o755)
    libs = tmp_path / "usr/lib/rustlib" / HOST / "lib"
    libs.mkdir(parents=True, exist_ok=True)
    (libs / "libstd-1.rlib").write_text("")
    return {"PATH": str(folder), "HOME": str(tmp_path)}


def _answer(tmp_path: Path) -> FakeRunner:
    python = {
        "implementation": "cpython",
        "version": "3.13.0",
        "series": "3.13",
        "threaded": "",
        "machine": "x86_64",
        "platform": "linux-x86_64",
        "bits": "64",
        "executable": str(tmp_path / "bin/python3.13"),
    }

    def answer(call: Call) -> Reply | None:
        name = Path(call.argv[0]).name
        if name == "python3.13":
            return Reply(stdout=json.dumps(python))
        if call.argv[1:] == ("-vV",):
            return Reply(stdout=f"host: {HOST}\nrelease: 1.95.0\n")
        if call.argv[1:] == ("--print", "sysroot"):
            return Reply(stdout=f"{tmp_path}/usr\n")
        if name == "xcrun":
            return Reply(stdout="/Applications/Xcode.app/SDK\n")
        return Reply(stdout=f"{name} 1.2.3\n")

    return FakeRunner(answer)


def _asked(url: str, timeout_seconds: float) -> None:
    raise AssertionError(f"asked {url} within {timeout_seconds}")


def test_facts_come_from_every_probe(tmp_path: Path) -> None:
    """One call describes the machine."""
    environ = _programs(
        tmp_path, "rustc", "cargo", "git", "uv", "python3.13", "x86_64-w64-mingw32-gcc"
    )
    facts = probe_host(
        _answer(tmp_path),
        project=_project(tmp_path),
        settings=_settings(tmp_path),
        environ={**environ, "CI": "true"},
        triples=frozenset({HOST}),
        wanted=frozenset({"3.13", "3.14"}),
        cache_dir=tmp_path / "cache",
        fetch=_asked,
    )
    assert facts.rust is not None
    assert facts.rust.targets == (HOST,)
    assert [one.spec for one in facts.interpreters] == ["3.13"]
    assert [spec for spec, _ in facts.interpreter_problems] == ["3.14"]
    assert [triple for triple, _ in facts.mingw] == ["x86_64-pc-windows-gnu"]
    assert facts.uv is not None
    assert facts.uv.version == "1.2.3"
    assert facts.git is not None
    assert facts.ci
    assert facts.cores >= 1
    assert facts.memory_available_mib > 0


def test_an_unchanged_machine_starts_no_process(tmp_path: Path) -> None:
    """What the no-op run relies on."""
    environ = _programs(tmp_path, "rustc", "cargo", "git", "uv", "python3.13")
    runner = _answer(tmp_path)

    def facts() -> object:
        found = probe_host(
            runner,
            project=_project(tmp_path),
            settings=_settings(tmp_path),
            environ=environ,
            triples=frozenset({HOST}),
            wanted=frozenset({"3.13"}),
            cache_dir=tmp_path / "cache",
            fetch=_asked,
        )
        return replace(found, memory_available_mib=0)

    first = facts()
    runner.calls.clear()
    assert facts() == first
    assert runner.calls == []


def test_an_empty_machine_is_described_too(tmp_path: Path) -> None:
    """Everything is optional."""
    facts = probe_host(
        FakeRunner(lambda call: None),
        project=_project(tmp_path),
        settings=_settings(tmp_path),
        environ={"PATH": "", "HOME": str(tmp_path), "CI": "0"},
        cache_dir=tmp_path / "cache",
        fetch=_asked,
    )
    assert (facts.rust, facts.uv, facts.git, facts.mingw) == (None, None, None, ())
    assert facts.rust_missing_reason is not None
    assert facts.interpreters == ()
    assert not facts.ci


def test_the_server_is_asked_only_when_something_is_missing(tmp_path: Path) -> None:
    """Here there is no rustup, so that the reason is known without the network."""
    facts = probe_host(
        _answer(tmp_path),
        project=_project(tmp_path),
        settings=_settings(tmp_path),
        environ=_programs(tmp_path, "rustc", "cargo"),
        triples=frozenset({HOST, "aarch64-apple-darwin"}),
        cache_dir=tmp_path / "cache",
        fetch=_asked,
    )
    assert facts.rust is not None
    assert facts.rust.cannot_add_reason == "there is no rustup"


@pytest.mark.parametrize(
    ("rust", "toolchain", "ending"),
    [
        ("auto", "1.80.0", "channel-rust-1.80.0.toml.sha256"),
        ("1.90.0", "1.80.0", "channel-rust-1.90.0.toml.sha256"),
    ],
)
def test_a_missing_toolchain_makes_the_server_be_asked(
    tmp_path: Path, rust: str, toolchain: str, ending: str
) -> None:
    """The project's, or the one that the configuration names instead."""
    stable = tmp_path / ".rustup/toolchains" / f"stable-{HOST}"
    stable.mkdir(parents=True)
    runner = _answer(tmp_path)
    inner = runner.answer

    def answer(call: Call) -> Reply | None:
        if call.argv[1:] == ("toolchain", "list"):
            return Reply(stdout=f"stable-{HOST} (default)\n")
        return inner(call)

    runner.answer = answer
    asked: list[str] = []
    facts = probe_host(
        runner,
        project=replace(_project(tmp_path), rust_toolchain=toolchain),
        settings=replace(_settings(tmp_path), rust=rust),
        environ=_programs(tmp_path, "rustc", "cargo", "rustup"),
        triples=frozenset({HOST}),
        cache_dir=tmp_path / "cache",
        fetch=lambda url, timeout_seconds: asked.append(url),
    )
    assert facts.rust is not None
    assert facts.rust.can_add_targets
    assert [url.rpartition("/")[2] for url in asked] == [ending]


def test_any_rust_needs_no_toolchain_of_the_project(tmp_path: Path) -> None:
    """With rust = "any" what is there is good enough."""
    facts = probe_host(
        _answer(tmp_path),
        project=replace(_project(tmp_path), rust_toolchain="1.80.0"),
        settings=replace(_settings(tmp_path), rust="any"),
        environ=_programs(tmp_path, "rustc", "cargo", "rustup"),
        triples=frozenset({HOST}),
        cache_dir=tmp_path / "cache",
        fetch=_asked,
    )
    assert facts.rust is not None


@pytest.mark.skipif(sys.platform == "win32", reason="the faked Mac has POSIX programs")
@pytest.mark.parametrize(
    ("has_xcode", "sdk"), [(True, "/Applications/Xcode.app/SDK"), (False, None)]
)
def test_a_mac_without_developer_tools_is_not_asked_for_its_sdk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_xcode: bool, sdk: str | None
) -> None:
    """Apple's placeholders would open a dialogue."""
    monkeypatch.setattr("wheelworks.host.host_system", lambda: "macos")
    runner = _answer(tmp_path)
    inner = runner.answer

    def answer(call: Call) -> Reply | None:
        if call.argv[0] == "xcode-select":
            return Reply(returncode=0 if has_xcode else 2)
        return inner(call)

    runner.answer = answer
    facts = probe_host(
        runner,
        project=_project(tmp_path),
        settings=_settings(tmp_path),
        environ={"PATH": "/usr/bin", "HOME": str(tmp_path)},
        cache_dir=tmp_path / "cache",
        fetch=_asked,
    )
    assert facts.macos_sdk == sdk
    assert any(call.argv[0] == "xcrun" for call in runner.calls) is has_xcode


def test_a_named_sdk_is_believed(tmp_path: Path) -> None:
    """SDKROOT serves cross builds from Linux."""
    facts = probe_host(
        FakeRunner(lambda call: None),
        project=_project(tmp_path),
        settings=_settings(tmp_path),
        environ={"PATH": "", "HOME": str(tmp_path), "SDKROOT": "/sdk"},
        cache_dir=tmp_path / "cache",
    )
    assert facts.macos_sdk == "/sdk"
