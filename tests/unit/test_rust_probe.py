"""Tests of Rust's facts, with faked programs in a made-up home folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from fakes import Call, FakeRunner, Reply

from wheelworks.probe_door import ProbeCache, ProbeDoor
from wheelworks.rust_probe import (
    installed_toolchains,
    is_installed,
    probe_rust,
    rustup_home,
    standard_libraries,
)

if TYPE_CHECKING:
    from pathlib import Path

HOST = "x86_64-unknown-linux-gnu"
STABLE = f"stable-{HOST}"


def _touch(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


@dataclass
class Home:
    """A home folder with rustup's layout, and what its programs answer."""

    root: Path
    toolchains: tuple[str, ...] = (STABLE,)
    default: str = STABLE
    fails: Reply | None = None
    """How rustc answers instead."""
    calls: list[Call] = field(default_factory=list)
    rustc_refuses_default: bool = False

    def install(self, *triples: str) -> None:
        """Write the files."""
        for name in ("rustc", "cargo", "rustup"):
            _touch(self.root / ".cargo/bin" / name)
        for toolchain in self.toolchains:
            folder = self.root / ".rustup/toolchains" / toolchain
            for name in ("rustc", "cargo"):
                _touch(folder / "bin" / name)
            for triple in (HOST, *triples):
                _touch(folder / "lib/rustlib" / triple / "lib" / "libstd-0123.rlib")

    def answer(self, call: Call) -> Reply | None:
        """What the program of a call prints."""
        self.calls.append(call)
        name, words = call.argv[0].rpartition("/")[2], call.argv[1:]
        active = call.env.get("RUSTUP_TOOLCHAIN", self.default)
        if name == "rustup" and words[:1] == ("toolchain",):
            marks = {self.default: " (active, default)"}
            lines = [f"{one}{marks.get(one, '')}" for one in self.toolchains]
            return Reply(stdout="\n".join(lines) or "no installed toolchains\n")
        if name == "rustup":
            return Reply(stdout="rustup 1.29.0 (28d1352db 2026-03-05)\n")
        if name == "rustc" and words == ("-V",):
            return Reply(stdout="rustc 1.95.0 (59807616e 2026-04-14)\n")
        if name == "cargo":
            return Reply(stdout="cargo 1.95.0 (f2d3ce0bd 2026-03-21)\n")
        if self.fails is not None and "RUSTUP_TOOLCHAIN" not in call.env:
            return self.fails
        if words == ("-vV",):
            return Reply(stdout=f"rustc 1.95.0\nbinary: rustc\nhost: {HOST}\nrelease: 1.95.0\n")
        return Reply(stdout=f"{self.root}/.rustup/toolchains/{active}\n")

    def door(self, cache: Path | None = None) -> ProbeDoor:
        """The door into this home, standing in its project folder."""
        project = self.root / "project"
        project.mkdir(exist_ok=True)
        return ProbeDoor(
            runner=FakeRunner(self.answer),
            environ={"PATH": str(self.root / ".cargo/bin"), "HOME": str(self.root)},
            cwd=project,
            cache=ProbeCache(cache),
        )


def test_facts_name_the_toolchains_own_programs(tmp_path: Path) -> None:
    """The proxies of rustup never change, so rustc is known by its file in the sysroot."""
    home = Home(tmp_path)
    home.install("aarch64-unknown-linux-gnu")
    facts = probe_rust(home.door()).facts
    assert facts is not None
    sysroot = tmp_path / ".rustup/toolchains" / STABLE
    assert facts.rustc.path == str(sysroot / "bin/rustc")
    assert facts.cargo.path == str(sysroot / "bin/cargo")
    assert (facts.rustc.version, facts.host_triple, facts.toolchain) == ("1.95.0", HOST, STABLE)
    assert facts.targets == ("aarch64-unknown-linux-gnu", HOST)
    assert facts.installed_toolchains == (STABLE,)
    assert not facts.can_add_targets


def test_probes_run_in_the_project_and_never_install(tmp_path: Path) -> None:
    """The rust-toolchain.toml of the folder applies, and rustup must not download it."""
    home = Home(tmp_path)
    home.install()
    probe_rust(home.door())
    asked = [call for call in home.calls if call.argv[1:] in (("-vV",), ("toolchain", "list"))]
    assert len(asked) == 2
    assert {call.env["RUSTUP_AUTO_INSTALL"] for call in asked} == {"0"}
    assert {call.cwd for call in home.calls} == {tmp_path / "project"}


def test_an_unchanged_rust_starts_nothing(tmp_path: Path) -> None:
    """Everything is remembered as long as the files that decide are the same."""
    home = Home(tmp_path)
    home.install()
    first = home.door(tmp_path / "cache")
    found = probe_rust(first)
    first.cache.save()
    home.calls.clear()
    assert probe_rust(home.door(tmp_path / "cache")) == found
    assert home.calls == []


@pytest.mark.parametrize(
    "changed",
    [
        "project/rust-toolchain.toml",
        "rust-toolchain",
        ".rustup/settings.toml",
        f".rustup/toolchains/{STABLE}/lib/rustlib/components",
    ],
)
def test_what_decides_the_toolchain_voids_the_memory(tmp_path: Path, changed: str) -> None:
    """A toolchain file here or above, other settings or an updated toolchain mean asking anew."""
    home = Home(tmp_path)
    home.install()
    first = home.door(tmp_path / "cache")
    probe_rust(first)
    first.cache.save()
    home.calls.clear()
    _touch(tmp_path / changed, "x")
    probe_rust(home.door(tmp_path / "cache"))
    assert ("-vV",) in [call.argv[1:] for call in home.calls]


def test_a_target_added_later_is_seen_without_asking(tmp_path: Path) -> None:
    """Standard libraries are folders, and are read each time."""
    home = Home(tmp_path)
    home.install()
    door = home.door()
    probe_rust(door)
    home.install("x86_64-pc-windows-gnu")
    facts = probe_rust(door).facts
    assert facts is not None
    assert "x86_64-pc-windows-gnu" in facts.targets


def test_a_missing_project_toolchain_is_not_shown_to_the_proxies(tmp_path: Path) -> None:
    """An old rustup would install it; the facts are those of the default toolchain instead."""
    home = Home(tmp_path, toolchains=("nightly-2026-01-01-x86_64-unknown-linux-gnu", STABLE))
    home.install()
    facts = probe_rust(home.door(), project_toolchain="1.80.0").facts
    assert facts is not None
    assert facts.toolchain == STABLE
    assert not is_installed("1.80.0", facts.installed_toolchains)
    rustc = [call for call in home.calls if call.argv[1:] == ("-vV",)]
    assert [call.env["RUSTUP_TOOLCHAIN"] for call in rustc] == [STABLE]


def test_an_installed_project_toolchain_is_rustups_choice(tmp_path: Path) -> None:
    """Nothing is forced when rust-toolchain.toml can be followed."""
    home = Home(tmp_path)
    home.install()
    probe_rust(home.door(), project_toolchain="stable")
    assert all("RUSTUP_TOOLCHAIN" not in call.env for call in home.calls)


def test_a_forced_toolchain_is_the_one_that_is_probed(tmp_path: Path) -> None:
    """The configuration's choice outranks the project's file."""
    other = f"1.90.0-{HOST}"
    home = Home(tmp_path, toolchains=(STABLE, other))
    home.install()
    probe_rust(home.door(), project_toolchain="stable", forced_toolchain="1.90.0")
    rustc = [call for call in home.calls if call.argv[1:] == ("-vV",)]
    assert [call.env["RUSTUP_TOOLCHAIN"] for call in rustc] == ["1.90.0"]


def test_a_toolchain_named_above_the_project_and_missing_falls_back(tmp_path: Path) -> None:
    """Rustup's refusal is met with the default toolchain."""
    refusal = Reply(returncode=1, stderr="error: toolchain '1.70.0' is not installed")
    home = Home(tmp_path, fails=refusal)
    home.install()
    facts = probe_rust(home.door()).facts
    assert facts is not None
    assert facts.toolchain == STABLE


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            Reply(returncode=1, stderr="error: toolchain '1.70.0-x' is not installed\nhelp: run"),
            "the Rust toolchain 1.70.0-x is not installed",
        ),
        (
            Reply(returncode=None, start_error="no permission"),
            "rustc does not start: no permission",
        ),
        (
            Reply(returncode=1, stderr="warning\nerror: broken pipe\nmore"),
            "rustc does not run: error: broken pipe",
        ),
        (Reply(returncode=3), "rustc does not run: exit code 3"),
        (Reply(stdout="host: x\n"), "rustc does not run: host: x"),
    ],
)
def test_a_rustc_that_does_not_run_gives_its_reason(
    tmp_path: Path, reply: Reply, reason: str
) -> None:
    """The decisive line of what it said reaches the user."""
    home = Home(tmp_path, toolchains=(), fails=reply)
    home.install()
    probed = probe_rust(home.door())
    assert probed.facts is None
    assert probed.missing_reason == reason


def test_without_rust_the_reason_says_what_is_missing(tmp_path: Path) -> None:
    """A machine without Rust is told to install it."""
    probed = probe_rust(Home(tmp_path).door())
    assert probed.missing_reason is not None
    assert probed.missing_reason.startswith("rustc is not on PATH: install Rust")


def test_rust_beside_path_is_named(tmp_path: Path) -> None:
    """The usual mistake after installing Rust is a PATH that lacks its folder."""
    home = Home(tmp_path)
    home.install()
    door = ProbeDoor(
        runner=FakeRunner(home.answer),
        environ={"PATH": str(tmp_path / "empty"), "HOME": str(tmp_path)},
        cwd=tmp_path,
    )
    reason = probe_rust(door).missing_reason
    assert reason == (
        f"rustc is not on PATH, but in {tmp_path}/.cargo/bin: put that folder on PATH"
    )


def test_a_distributions_rust_has_no_toolchain_name(tmp_path: Path) -> None:
    """Without rustup the programs on PATH are the ones that are used."""
    for name in ("rustc", "cargo"):
        _touch(tmp_path / "usr/bin" / name)
    _touch(tmp_path / "usr/lib/rustlib" / HOST / "lib/libstd-1.so")

    def answer(call: Call) -> Reply | None:
        if call.argv[1:] == ("-vV",):
            return Reply(stdout=f"host: {HOST}\nrelease: 1.85.0\n")
        if call.argv[1:] == ("--print", "sysroot"):
            return Reply(stdout=f"{tmp_path}/usr\n")
        return Reply(stdout="rustc 1.85.0 (built from a source tarball)\n")

    environ = {"PATH": str(tmp_path / "usr/bin"), "HOME": str(tmp_path)}
    facts = probe_rust(ProbeDoor(runner=FakeRunner(answer), environ=environ, cwd=tmp_path)).facts
    assert facts is not None
    assert (facts.toolchain, facts.rustup, facts.installed_toolchains) == (None, None, ())
    assert facts.rustc.path == str(tmp_path / "usr/bin/rustc")
    assert facts.targets == (HOST,)


@pytest.mark.parametrize("broken", ["sysroot", "cargo"])
def test_a_half_broken_toolchain_is_none(tmp_path: Path, broken: str) -> None:
    """A rustc without sysroot or cargo can't build."""
    home = Home(tmp_path, toolchains=())
    home.install()

    def answer(call: Call) -> Reply | None:
        if broken == "sysroot" and call.argv[1:] == ("--print", "sysroot"):
            return Reply(returncode=1, stderr="error: no sysroot")
        if broken == "cargo" and call.argv[0].endswith("cargo"):
            return Reply(returncode=1)
        return home.answer(call)

    environ = {"PATH": str(tmp_path / ".cargo/bin"), "HOME": str(tmp_path)}
    probed = probe_rust(ProbeDoor(runner=FakeRunner(answer), environ=environ, cwd=tmp_path))
    assert probed.facts is None
    assert probed.missing_reason is not None
    assert "does not run" in probed.missing_reason


def test_the_default_toolchain_comes_first(tmp_path: Path) -> None:
    """Fallbacks take the first, and lines that name no toolchain are left out."""
    home = Home(tmp_path, toolchains=(f"1.80.0-{HOST}", STABLE))
    home.install()
    door = home.door()
    assert installed_toolchains(door, door.find_tool("rustup")) == (STABLE, f"1.80.0-{HOST}")


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("stable", True),
        (STABLE, True),
        ("1.95.0", True),
        ("1.95", False),
        ("nightly", False),
        ("nightly-2026-01-01", True),
    ],
)
def test_a_channel_is_installed_under_its_own_name_only(channel: str, expected: bool) -> None:
    """A dated nightly is not the nightly."""
    installed = (STABLE, f"1.95.0-{HOST}", f"nightly-2026-01-01-{HOST}")
    assert is_installed(channel, installed) is expected


def test_rustups_folder_can_be_named(tmp_path: Path) -> None:
    """RUSTUP_HOME, else the home folder's."""
    assert rustup_home({"RUSTUP_HOME": "/opt/rustup"}).as_posix() == "/opt/rustup"
    assert rustup_home({"HOME": str(tmp_path)}) == tmp_path / ".rustup"


def test_only_folders_with_a_standard_library_count(tmp_path: Path) -> None:
    """The folders etc and components of the sysroot are no targets."""
    _touch(tmp_path / "lib/rustlib/etc/lldb_lookup.py")
    _touch(tmp_path / "lib/rustlib/components")
    _touch(tmp_path / f"lib/rustlib/{HOST}/bin/rust-lld")
    assert standard_libraries(tmp_path) == ()
    _touch(tmp_path / f"lib/rustlib/{HOST}/lib/libstd-1.rlib")
    assert standard_libraries(tmp_path) == (HOST,)
    assert standard_libraries(tmp_path / "none") == ()
