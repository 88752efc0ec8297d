"""What the real cargo makes of a target folder that begins with a copy, in both of its layouts."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from wheelworks.cancellation import Cancellation
from wheelworks.seeding import Seeding, mark_seed, seed_target

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = """\
[package]
name = "own"
version = "1.0.0"
edition = "2021"

[dependencies]
libc = "0.2"
core-part = { path = "core-part" }

[workspace]
members = ["core-part"]
"""
MEMBER = """\
[package]
name = "core-part"
version = "1.0.0"
edition = "2021"
"""
#: Keeps what it saw first, as cmake does.
SCRIPT = """\
fn main() {
    println!("cargo:rerun-if-env-changed=INTERPRETER");
    let cache = std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("cache");
    if !cache.exists() {
        std::fs::write(&cache, std::env::var("INTERPRETER").unwrap()).unwrap();
    }
    println!("cargo:rustc-env=SEEN={}", std::fs::read_to_string(&cache).unwrap());
}
"""
MAIN = """\
fn main() {
    println!("{} {} {}", env!("SEEN"), core_part::SAYS, unsafe { libc::getpid() } > 0);
}
"""
OLD_NS = 1_600_000_000 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """A crate with a crate of its own beside it, and one of a registry."""

    root: Path
    flags: tuple[str, ...]

    def says(self, text: str) -> None:
        """Change the inner crate to a file of long ago, as an archive or an older checkout brings it."""
        source = self.root / "core-part/src/lib.rs"
        source.write_text(f'pub const SAYS: &str = "{text}";\n', encoding="utf-8")
        os.utime(source, ns=(OLD_NS, OLD_NS))

    def build(self, name: str, interpreter: str) -> tuple[set[str], str]:
        """The crates that cargo compiles, and what the program prints."""
        target = self.root / "build" / name
        done = subprocess.run(
            ["cargo", "build", "--target-dir", str(target), *self.flags],
            cwd=self.root,
            env={
                **os.environ,
                "INTERPRETER": interpreter,
                "RUSTC_BOOTSTRAP": "1",
                "CARGO_TERM_COLOR": "never",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        words = [line.split() for line in done.stderr.splitlines()]
        printed = subprocess.run([target / "debug/own"], capture_output=True, text=True, check=True)
        return {line[1] for line in words if line[:1] == ["Compiling"]}, printed.stdout.strip()


@pytest.fixture(params=[(), ("-Zbuild-dir-new-layout",)], ids=["old layout", "new layout"])
def crate(tmp_path: Path, request: pytest.FixtureRequest) -> Crate:
    """The crate, in a folder of its own."""
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not on PATH")
    made = Crate(root=tmp_path / "own", flags=request.param)
    for name, text in {
        "Cargo.toml": MANIFEST,
        "build.rs": SCRIPT,
        "src/main.rs": MAIN,
        "core-part/Cargo.toml": MEMBER,
        "core-part/src/lib.rs": "",
    }.items():
        path = made.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return made


def test_cargo_compiles_the_projects_crates_and_no_others(crate: Crate, tmp_path: Path) -> None:
    """From the sources and for the interpreter of now, although every file is older than the sibling's build."""
    crate.says("old")
    compiled, printed = crate.build("first", "3.12")
    assert (compiled, printed) == ({"libc", "core-part", "own"}, "3.12 old true")
    mark_seed(crate.root / "build/first", "f")
    crate.says("new")
    seeding = Seeding(
        family="f",
        scratch=tmp_path / "seed",
        own_crates=frozenset({"own", "core-part"}),
        is_moved=True,
        cancellation=Cancellation(),
    )
    assert seed_target(crate.root / "build/second", seeding) == crate.root / "build/first"
    compiled, printed = crate.build("second", "3.13")
    assert (compiled, printed) == ({"core-part", "own"}, "3.13 new true")
    crate.says("old")
    compiled, printed = crate.build("first", "3.12")
    assert "libc" not in compiled, "the sibling went stale"
