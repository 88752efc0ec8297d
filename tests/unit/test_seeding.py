"""Target folders that begin with a copy of a sibling's, in both of cargo's layouts."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jobs import a_job

from wheelworks.cancellation import Cancellation
from wheelworks.seeding import (
    SEED_FILE,
    Seeding,
    _Copy,
    find_seed,
    is_ripe,
    mark_seed,
    own_packages,
    seed_target,
    seeded_families,
)
from wheelworks.target_folder import units_of

if TYPE_CHECKING:
    from collections.abc import Callable

#: Times long ago, which a copy must keep: cargo compares them.
OLD_NS = 1_600_000_000 * 10**9
HASH = "0123456789abcdef"
LAYOUTS = ("old", "new")


class Target:
    """A target folder as cargo lays it out.

    Args:
        root: the folder.
        layout: ``old`` or ``new``.
    """

    def __init__(self, root: Path, layout: str) -> None:
        self.root = root
        self.profile = root / "x86_64-unknown-linux-gnu" / "release"
        self.is_new = layout == "new"

    def fingerprint(self, crate: str) -> Path:
        """The hash file of a crate's unit."""
        if self.is_new:
            return self.profile / "build" / crate / HASH / "fingerprint" / f"lib-{crate}"
        return self.profile / ".fingerprint" / f"{crate}-{HASH}" / f"lib-{crate}"

    def library(self, crate: str) -> Path:
        """Its library."""
        folder = self.profile / "build" / crate / HASH / "out" if self.is_new else None
        return (folder or self.profile / "deps") / f"lib{crate.replace('-', '_')}-{HASH}.rlib"

    def compiled(self, *crates: str) -> Target:
        """Libraries with their fingerprints."""
        for crate in crates:
            write(self.fingerprint(crate), "fa11")
            write(self.library(crate), crate)
        mark_seed(self.root, "f")
        return self

    def script(self, crate: str, said: str, **wrote: str) -> Path:
        """The run of a build script; gives its OUT_DIR."""
        if self.is_new:
            unit = self.profile / "build" / crate / "fedcba9876543210"
            mark, output = unit / "fingerprint", unit / "run" / "stdout"
        else:
            unit = self.profile / "build" / f"{crate}-fedcba9876543210"
            mark = self.profile / ".fingerprint" / unit.name
            output = unit / "output"
        write(mark / "run-build-script-build-script-build", "fa11")
        write(output, said)
        for name, text in wrote.items():
            write(unit / "out" / name, text)
        return unit / "out"

    def finished(self) -> list[str]:
        """The packages of the units that cargo would take for made."""
        return sorted(unit.package for unit in units_of(self.root) if unit.is_finished(self.root))


def write(path: Path, text: str) -> None:
    """A file of long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(OLD_NS, OLD_NS))


def files(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=LAYOUTS)
def old(tmp_path: Path, request: pytest.FixtureRequest) -> Target:
    """The sibling, with two crates."""
    return Target(tmp_path / "build/old", str(request.param)).compiled("syn", "quote")


@pytest.fixture
def new(tmp_path: Path, old: Target) -> Target:
    """The folder to be made."""
    return Target(tmp_path / "build/new", "new" if old.is_new else "old")


@pytest.fixture
def seeding(tmp_path: Path) -> Seeding:
    """How it is made, in a container."""
    return Seeding(
        family="f",
        scratch=tmp_path / "staging/seed",
        own_crates=frozenset(),
        is_moved=False,
        cancellation=Cancellation(),
    )


def test_a_new_folder_gets_what_the_sibling_compiled_with_its_times(
    old: Target, new: Target, seeding: Seeding
) -> None:
    """Files of its own, so that writing into one leaves the other."""
    assert seed_target(new.root, seeding) == old.root
    assert files(new.root) == files(old.root) - {SEED_FILE}
    for name in files(new.root):
        assert (new.root / name).stat().st_mtime_ns == OLD_NS
        assert not (new.root / name).samefile(old.root / name)
        assert (new.root / name).read_bytes() == (old.root / name).read_bytes()
    assert not seeding.scratch.exists()


def test_the_projects_own_crates_are_made_anew(old: Target, new: Target, seeding: Seeding) -> None:
    """With what their build scripts wrote: a cache there may know the sibling's interpreter."""
    old.compiled("my-core", "my")
    old.script("my", "cargo:rustc-cfg=x", cached="3.12")
    seed_target(new.root, replace(seeding, own_crates=frozenset({"my-core", "my"})))
    assert new.finished() == ["quote", "syn"]
    assert not [name for name in files(new.root) if "my" in name]


def test_units_that_cargo_is_making_are_left_out(
    old: Target, new: Target, seeding: Seeding
) -> None:
    """Their hash is empty; what a build script wrote until now must not lie in wait for the next one."""
    out = old.script("openssl-sys", "", half="x")
    mark = next(unit for unit in units_of(old.root) if unit.package == "openssl-sys").fingerprint
    write(old.root / mark / "run-build-script-build-script-build", "")
    seed_target(new.root, seeding)
    assert new.finished() == ["quote", "syn"]
    assert not (new.root / out.relative_to(old.root)).exists()


def test_whatever_a_build_script_wrote_comes_along(
    old: Target, new: Target, seeding: Seeding
) -> None:
    """Whatever it is called; links lead to where they led, but within the new folder."""
    out = old.script("sys", "")
    for name in ("tmp/gen.rs", "examples/x", "wheels/x", "incremental/x", "maturin/x", "lib/x"):
        write(out / name, "x")
    (out / "lib64").symlink_to("lib")
    (out / "absolute").symlink_to(out / "lib")
    seed_target(new.root, seeding)
    copied = new.root / out.relative_to(old.root)
    assert files(copied) == files(out)
    assert (copied / "lib64").readlink() == Path("lib")
    assert (copied / "absolute").readlink() == copied / "lib"


def test_at_another_path_what_scripts_wrote_is_made_anew(
    old: Target, new: Target, seeding: Seeding
) -> None:
    """Crates compile their OUT_DIR in, and scripts tell cargo of it; one that only sets a flag is as good anywhere."""
    old.script("flags", "cargo:rustc-cfg=x")
    old.script("writes", "", generated="x")
    old.script("tells", f"cargo:root={old.root}/elsewhere")
    seed_target(new.root, replace(seeding, is_moved=True))
    assert new.finished() == ["flags", "quote", "syn"]


def test_what_is_of_one_wheel_only_is_left_out(old: Target, new: Target, seeding: Seeding) -> None:
    """The folders of maturin, what cargo lays beside them, and what a compiler removes by itself."""
    before = files(old.root)
    for name in ("maturin/pyo3-config.txt", "wheels/x.whl", "tmp/x"):
        write(old.root / name, "x")
    for name in ("incremental/x/y", "examples/x", "deps/a.cgu.0.rcgu.o", ".cargo-lock", "libx.so"):
        write(old.profile / name, "x")
    seed_target(new.root, seeding)
    assert files(new.root) == before - {SEED_FILE}


def test_a_folder_with_anything_in_it_is_left_as_it_is(
    old: Target, new: Target, seeding: Seeding
) -> None:
    """It was built from; an empty one was only mounted."""
    write(new.root / "release/something", "mine")
    assert seed_target(new.root, seeding) is None
    assert files(new.root) == {"release/something"}
    assert old.finished() == ["quote", "syn"]


def test_an_empty_folder_is_seeded(old: Target, new: Target, seeding: Seeding) -> None:
    """The fetching of crates leaves one."""
    new.root.mkdir()
    assert seed_target(new.root, seeding) == old.root
    assert new.finished() == ["quote", "syn"]


def test_only_the_family_serves_and_the_last_used_first(tmp_path: Path) -> None:
    """Another family's folder has other flags, another compiler or target; a torn marker is nobody's."""
    build = tmp_path / "build"
    (build / "torn").mkdir(parents=True)
    (build / "torn" / SEED_FILE).write_bytes(b"\xff\xfe")
    (build / "stranger").mkdir()
    mark_seed(build / "stranger", "g")
    assert find_seed(build, "f") is None
    for age, name in enumerate(("older", "oldest")):
        marker = Target(build / name, "old").compiled("syn").root / SEED_FILE
        os.utime(marker, ns=(OLD_NS - age, OLD_NS - age))
    assert find_seed(build, "f") == build / "older"
    jobs = [a_job("a", family="f"), a_job("b", family="h"), a_job("c")]
    assert seeded_families(jobs, build) == {"f"}


def test_a_unit_that_cargo_begins_anew_meanwhile_is_not_taken(
    old: Target, new: Target, seeding: Seeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fingerprint was whole when it was copied, and what it stands for is being overwritten."""
    meanwhile(monkeypatch, "libsyn", lambda: write(old.fingerprint("syn"), ""))
    assert seed_target(new.root, seeding) == old.root
    assert new.finished() == ["quote"]


def test_a_folder_that_is_removed_meanwhile_gives_no_units(
    old: Target, new: Target, seeding: Seeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by gc, which moves it away at once."""
    meanwhile(monkeypatch, "lib-quote", lambda: old.root.rename(old.root.with_name("away")))
    seed_target(new.root, seeding)
    assert new.finished() == []


def test_a_file_that_the_compiler_removes_meanwhile_is_no_failure(
    old: Target, new: Target, seeding: Seeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the crate that it is compiling."""
    torn = old.profile / "deps" / f"libzz-{HASH}.rmeta"
    write(torn, "x")
    meanwhile(monkeypatch, "libsyn", torn.unlink)
    assert seed_target(new.root, seeding) == old.root
    assert new.finished() == ["quote", "syn"]


@pytest.mark.parametrize("stops", [False, True])
def test_a_full_disk_or_an_interrupt_costs_the_copy_only(
    old: Target, new: Target, seeding: Seeding, monkeypatch: pytest.MonkeyPatch, *, stops: bool
) -> None:
    """The build compiles everything then, and nothing half-copied is left."""

    def fail() -> None:
        if stops:
            seeding.cancellation.request()
        else:
            raise OSError(28, "No space left on device")

    meanwhile(monkeypatch, "lib-quote", fail)
    assert seed_target(new.root, seeding) is None
    assert not new.root.exists()
    assert not seeding.scratch.exists()
    assert old.finished() == ["quote", "syn"]


def meanwhile(monkeypatch: pytest.MonkeyPatch, name: str, happens: Callable[[], object]) -> None:
    """Let something happen once, after a file whose name begins so was copied."""
    copy = _Copy._copy_file
    done: list[Path] = []

    def copy_then(self: _Copy, path: Path) -> bool:
        result = copy(self, path)
        if path.name.startswith(name) and not done:
            done.append(path)
            happens()
        return result

    monkeypatch.setattr(_Copy, "_copy_file", copy_then)


def test_own_packages_are_all_whose_sources_lie_in_the_tree(tmp_path: Path) -> None:
    """Also vendored ones; a broken manifest is none."""
    for name, text in {
        "a": '[package]\nname = "vendored"\n',
        "b": "[workspace]\n",
        "c": "=",
    }.items():
        write(tmp_path / name / "Cargo.toml", text)
    found = own_packages(["mine"], sorted(tmp_path.glob("*/Cargo.toml")))
    assert found == {"mine", "vendored"}


@pytest.mark.parametrize(
    ("current", "left", "expected"),
    [
        ("syn, my", 9, False),
        ("my", 9, True),
        ("my, my-core(build)", 9, True),
        ("syn", 1, True),
        ("", 9, False),
    ],
)
def test_a_folder_is_ripe_when_only_own_crates_are_left(
    current: str, left: int, *, expected: bool
) -> None:
    """By cargo's bar."""
    assert is_ripe(current, left, {"my", "my-core"}) is expected
