"""Target folders that begin with a copy of a sibling's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jobs import a_job

from wheelworks import seeding
from wheelworks.seeding import find_seed, mark_seed, seed_target, seeded_families

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

FINGERPRINT = "release/.fingerprint"
#: Times long ago, which a copy must keep: cargo compares them.
OLD_NS = 1_600_000_000 * 10**9


def a_target(folder: Path, *crates: str, family: str | None = "f") -> Path:
    """A target folder with some compiled crates, as cargo lays it out."""
    for crate in crates:
        write(folder / FINGERPRINT / f"{crate}-0123456789abcdef" / f"lib-{crate}", "fa11")
        write(folder / "release/deps" / f"lib{crate}-0123456789abcdef.rlib", crate)
    if family is not None:
        mark_seed(folder, family)
    return folder


def write(path: Path, text: str) -> None:
    """A file of long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(OLD_NS, OLD_NS))


def files(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def units(folder: Path) -> set[str]:
    """The crates that cargo would take for compiled."""
    return {path.name.rpartition("-")[0] for path in (folder / FINGERPRINT).glob("*")}


def seed(tmp_path: Path, *own: str) -> Path | None:
    """Seed ``build/new``."""
    return seed_target(
        tmp_path / "build/new", "f", scratch=tmp_path / "staging/seed", own_crates=own
    )


def test_a_new_folder_gets_what_the_sibling_compiled_with_its_times(tmp_path: Path) -> None:
    """Files of its own, so that writing into one leaves the other."""
    old = a_target(tmp_path / "build/old", "syn", "quote")
    assert seed(tmp_path) == old
    new = tmp_path / "build/new"
    assert files(new) == files(old) - {seeding.SEED_FILE}
    for name in files(new):
        assert (new / name).stat().st_mtime_ns == OLD_NS
        assert not (new / name).samefile(old / name)
        assert (new / name).read_bytes() == (old / name).read_bytes()
    assert not (tmp_path / "staging/seed").exists()


def test_the_projects_own_crates_are_compiled_anew(tmp_path: Path) -> None:
    """By times alone cargo can't tell that the sibling was built from other sources."""
    a_target(tmp_path / "build/old", "syn", "my-core", "my")
    seed(tmp_path, "my-core", "my")
    assert units(tmp_path / "build/new") == {"syn"}


def test_what_is_of_one_wheel_only_is_left_out(tmp_path: Path) -> None:
    """The folders of maturin and cargo's incremental state."""
    old = a_target(tmp_path / "build/old", "syn")
    for name in ("maturin/pyo3-config.txt", "wheels/x.whl", "release/incremental/x", "tmp/x"):
        write(old / name, "x")
    seed(tmp_path)
    assert files(tmp_path / "build/new") == files(a_target(tmp_path / "like", "syn", family=None))


def test_a_folder_with_anything_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    """It was built from; an empty one was only mounted."""
    a_target(tmp_path / "build/old", "syn")
    write(tmp_path / "build/new/release/something", "mine")
    assert seed(tmp_path) is None
    assert files(tmp_path / "build/new") == {"release/something"}


def test_an_empty_folder_is_seeded(tmp_path: Path) -> None:
    """The fetching of crates leaves one."""
    a_target(tmp_path / "build/old", "syn")
    (tmp_path / "build/new").mkdir()
    assert seed(tmp_path) is not None
    assert units(tmp_path / "build/new") == {"syn"}


def test_only_the_family_serves_and_the_last_used_first(tmp_path: Path) -> None:
    """Another family's folder has other flags, another compiler or target."""
    build = tmp_path / "build"
    a_target(build / "stranger", "syn", family="g")
    a_target(build / "unfinished", "syn", family=None)
    assert find_seed(build, "f") is None
    for age, name in enumerate(("older", "oldest")):
        marker = a_target(build / name, "syn") / seeding.SEED_FILE
        os.utime(marker, ns=(OLD_NS - age, OLD_NS - age))
    assert find_seed(build, "f") == build / "older"
    jobs = [a_job("a", family="f"), a_job("b", family="h"), a_job("c")]
    assert seeded_families(jobs, build) == {"f"}


def test_a_unit_that_cargo_begins_anew_meanwhile_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fingerprint was whole when it was copied, and what it stands for is being overwritten."""
    old = a_target(tmp_path / "build/old", "syn", "quote")

    def then(copied: Path) -> None:
        if copied.name.startswith("libsyn"):
            write(old / FINGERPRINT / "syn-0123456789abcdef/lib-syn", "")

    monkeypatch.setattr(seeding, "_copy", watched(then))
    assert seed(tmp_path) == old
    assert units(tmp_path / "build/new") == {"quote"}


def test_a_file_that_the_compiler_removes_meanwhile_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporary files of units that are not finished."""
    old = a_target(tmp_path / "build/old", "syn")
    write(old / "release/deps/a.rcgu.o", "x")
    write(old / "release/deps/b.rcgu.o", "x")

    def then(copied: Path) -> None:
        for name in ("a.rcgu.o", "b.rcgu.o"):
            if copied.name != name:
                (old / "release/deps" / name).unlink(missing_ok=True)

    monkeypatch.setattr(seeding, "_copy", watched(then))
    assert seed(tmp_path) == old
    assert units(tmp_path / "build/new") == {"syn"}


def test_a_full_disk_costs_the_copy_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build compiles everything then, and nothing half-copied is left."""
    a_target(tmp_path / "build/old", "syn")

    def full(_copied: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(seeding, "_copy", watched(full))
    assert seed(tmp_path) is None
    assert not (tmp_path / "build/new").exists()
    assert not (tmp_path / "staging/seed").exists()


def watched(then: Callable[[Path], None]) -> Callable[[Path, Path], None]:
    """The copying of a file, after which something happens."""
    copy = seeding._copy

    def copy_then(source: Path, destination: Path) -> None:
        copy(source, destination)
        then(source)

    return copy_then
