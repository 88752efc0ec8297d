"""Whole runs with universal2 wheels on a faked Mac: what is compiled, merged, kept and said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import Call, Reply
from slice_samples import LIBRARIES, MODULE, PLATFORMS, TAGS, without_signature
from wheel_samples import wheel_files, write_wheel
from workshop import PYPROJECT, Workshop

from wheelworks.commands.gc import KEY_FOLDERS
from wheelworks.locks import acquire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.toolchains import HostFacts

ARCHES = {"x86_64-apple-darwin": "x86_64", "aarch64-apple-darwin": "arm64"}
SLICES = {arch: f"demo-1.0-{tag}.whl" for arch, tag in TAGS.items()}
UNIVERSAL = f"demo-1.0-cp313-cp313-{'.'.join(PLATFORMS)}.whl"
UNIVERSAL_CELL = "cp313-macosx_universal2"
UNIVERSAL_JOB = f"build {UNIVERSAL_CELL}"


class MacMaturin:
    """Plays maturin for macOS targets.

    Args:
        files: architecture -> members besides the usual ones.
    """

    def __init__(self, files: Mapping[str, Mapping[str, bytes]] | None = None) -> None:
        self.targets: list[str] = []
        self.files = files or {}
        self.fails_for = ""

    def __call__(self, call: Call) -> Reply:
        """Write the wheel of the target."""
        target = call.argv[call.argv.index("--target") + 1]
        self.targets.append(target)
        if target == self.fails_for:
            return Reply(returncode=1, stderr="error: linking failed")
        arch = ARCHES[target]
        members = wheel_files(TAGS[arch], native=(MODULE, LIBRARIES[arch]))
        members["demo/__init__.py"] = b"from .sample import *\n"
        members |= self.files.get(arch, {})
        write_wheel(Path(call.argv[call.argv.index("--out") + 1]), members, tag=TAGS[arch])
        return Reply(stdout="Built it\n")


@pytest.fixture
def maturin() -> MacMaturin:
    """What plays maturin."""
    return MacMaturin()


@pytest.fixture
def mac(
    tmp_path: Path,
    hosts: Mapping[str, HostFacts],
    monkeypatch: pytest.MonkeyPatch,
    maturin: MacMaturin,
) -> Workshop:
    """A project with three macOS targets on a Mac that compiles for both architectures."""
    workshop = Workshop(tmp_path / "demo", hosts["macos_arm64"], monkeypatch)
    targets = '["macosx_x86_64", "macosx_arm64", "macosx_universal2"]'
    workshop.write(
        "pyproject.toml",
        PYPROJECT.replace('["3.12", "3.13"]', '["3.13"]').replace(
            '["manylinux_x86_64", "win_amd64"]', targets
        ),
    )
    workshop.machine.parts["maturin"] = maturin
    return workshop


def slice_files(workshop: Workshop) -> list[str]:
    """Names of what lies in the folder of slices."""
    return sorted(path.name for path in (workshop.state / "slices").glob("*/*"))


def test_a_universal2_wheel_alone_is_merged_from_slices_that_stay_out_of_dist(
    mac: Workshop, maturin: MacMaturin, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two slices are compiled, one wheel is published, one cell is counted."""
    assert mac.run("build", UNIVERSAL_CELL) == 0
    assert sorted(maturin.targets) == sorted(ARCHES)
    assert mac.built() == [UNIVERSAL]
    assert slice_files(mac) == sorted(SLICES.values())
    out, err = capsys.readouterr()
    assert out.split() == [str(mac.dist / UNIVERSAL)]
    assert err.splitlines()[-1] == "1 cell: 1 built"
    assert mac.outcomes() == {
        "slice cp313-macosx_x86_64": "succeeded",
        "slice cp313-macosx_arm64": "succeeded",
        UNIVERSAL_JOB: "succeeded",
    }
    artifact = mac.results()["slice cp313-macosx_arm64"]["artifact"]
    assert isinstance(artifact, dict)
    assert artifact["is_published"] is False
    assert "slice cp313-macosx_arm64" in (mac.runs()[-1] / "junit.xml").read_text()


def test_an_unchanged_merged_wheel_starts_nothing(
    mac: Workshop, maturin: MacMaturin, capsys: pytest.CaptureFixture[str]
) -> None:
    """The slices are up to date where they lie, not in dist/."""
    mac.run("build", UNIVERSAL_CELL)
    before = (mac.dist / UNIVERSAL).read_bytes()
    capsys.readouterr()
    assert mac.run("build", UNIVERSAL_CELL) == 0
    assert len(maturin.targets) == 2
    assert set(mac.outcomes().values()) == {"up to date"}
    assert capsys.readouterr().err.splitlines()[-1] == "1 cell: 1 up to date"
    assert (mac.dist / UNIVERSAL).read_bytes() == before


def test_slices_of_selected_cells_are_compiled_once(
    mac: Workshop, maturin: MacMaturin, capsys: pytest.CaptureFixture[str]
) -> None:
    """With all three cells there is no slice of its own."""
    assert mac.run("build", "*-macosx_*") == 0
    assert sorted(maturin.targets) == sorted(ARCHES)
    assert mac.built() == sorted([*SLICES.values(), UNIVERSAL])
    assert slice_files(mac) == []
    assert capsys.readouterr().err.splitlines()[-1] == "3 cells: 3 built"


def test_a_slice_of_its_own_and_a_shared_one(mac: Workshop, maturin: MacMaturin) -> None:
    """What the selection lacks is a slice; what it has is shared."""
    assert mac.run("build", "*-macosx_{x86_64,universal2}") == 0
    assert list(mac.outcomes()) == [
        "build cp313-macosx_x86_64",
        "slice cp313-macosx_arm64",
        UNIVERSAL_JOB,
    ]
    assert mac.built() == sorted([SLICES["x86_64"], UNIVERSAL])
    assert slice_files(mac) == [SLICES["arm64"]]
    assert len(maturin.targets) == 2


def test_a_slice_and_the_cell_of_its_target_share_their_folders(mac: Workshop) -> None:
    """Built one after the other, the second finds everything compiled."""
    mac.run("build", "cp313-macosx_x86_64")
    mac.run("build", UNIVERSAL_CELL)
    folders = [
        call.argv[call.argv.index("--target-dir") + 1]
        for call in mac.machine.called("maturin", "x86_64-apple-darwin")
    ]
    assert len(folders) == 2
    assert len(set(folders)) == 1


@pytest.mark.parametrize("change", ["remove", "replace"])
def test_a_slice_that_is_gone_or_another_is_made_again(
    mac: Workshop, maturin: MacMaturin, change: str
) -> None:
    """And the wheel is merged again; the other slice is taken as it is."""
    mac.run("build", UNIVERSAL_CELL)
    (path,) = (mac.state / "slices").glob(f"*/{SLICES['arm64']}")
    if change == "remove":
        path.unlink()
    else:
        path.write_bytes(b"another")
    assert mac.run("build", UNIVERSAL_CELL) == 0
    assert maturin.targets[2:] == ["aarch64-apple-darwin"]
    assert mac.outcomes()[UNIVERSAL_JOB] == "succeeded"


def test_a_failed_slice_skips_the_cell_with_the_reason(
    mac: Workshop, maturin: MacMaturin, capsys: pytest.CaptureFixture[str]
) -> None:
    """The slice failed, the cell was skipped for it, and the command that repeats it names the cell."""
    maturin.fails_for = "aarch64-apple-darwin"
    assert mac.run("build", UNIVERSAL_CELL) == 1
    results = mac.results()
    repeat = str(results["slice cp313-macosx_arm64"]["repeat"])
    assert repeat.startswith(f"wheelworks build {UNIVERSAL_CELL} ")
    assert results[UNIVERSAL_JOB]["outcome"] == "skipped"
    assert results[UNIVERSAL_JOB]["reason"] == "needs slice cp313-macosx_arm64, which failed"
    assert mac.built() == []
    assert capsys.readouterr().err.splitlines()[-1] == "1 cell: 1 skipped"


def test_slices_that_differ_fail_the_cell(mac: Workshop, maturin: MacMaturin) -> None:
    """A generated file that names the processor: the member and both slices are named, nothing is published."""
    maturin.files = {arch: {"demo/cpu.py": arch.encode()} for arch in TAGS}
    assert mac.run("build", UNIVERSAL_CELL) == 1
    reason = str(mac.results()[UNIVERSAL_JOB]["reason"])
    for part in ("demo/cpu.py", *SLICES.values()):
        assert part in reason
    assert mac.built() == []


def test_a_slice_is_audited(mac: Workshop, maturin: MacMaturin) -> None:
    """An arm64 slice without signature is refused before anything is merged."""
    unsigned = without_signature(LIBRARIES["arm64"])
    maturin.files = {"arm64": {MODULE: unsigned}}
    assert mac.run("build", UNIVERSAL_CELL) == 5
    assert "W062" in mac.rules("slice cp313-macosx_arm64")
    assert mac.built() == []
    assert SLICES["arm64"] not in slice_files(mac)


def test_a_cell_with_other_options_has_a_wheel_of_its_own(
    mac: Workshop, maturin: MacMaturin
) -> None:
    """A slice is shared only where everything that the compiler is told is the same."""
    text = (mac.root / "pyproject.toml").read_text()
    override = '\n[[tool.wheelworks.overrides]]\nselect = "*-macosx_x86_64"\nfeatures = ["fast"]\n'
    mac.write("pyproject.toml", text + override)
    assert mac.run("build", "*-macosx_*") == 0
    assert sorted(maturin.targets) == sorted([*ARCHES, "x86_64-apple-darwin"])
    assert "slice cp313-macosx_x86_64" in mac.outcomes()
    assert slice_files(mac) == [SLICES["x86_64"]]
    assert mac.built() == sorted([*SLICES.values(), UNIVERSAL])


def test_a_slice_in_dist_is_nobodys_artifact(
    mac: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the same name as a cell's wheel: the record of the slice does not speak for it."""
    mac.run("build", UNIVERSAL_CELL)
    (path,) = (mac.state / "slices").glob(f"*/{SLICES['arm64']}")
    (mac.dist / path.name).write_bytes(path.read_bytes())
    capsys.readouterr()
    mac.run("build", UNIVERSAL_CELL)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "1 cell: 1 up to date; dist/ holds wheels of two source states"


def test_a_slice_that_another_run_made_meanwhile_is_taken(
    mac: Workshop, maturin: MacMaturin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waited for the lock compiles nothing again."""
    nested: list[int] = []

    def acquire_after_another(path: Path, **options: object) -> object:
        if path.name.startswith("cp313") and not nested:
            nested.append(0)
            nested[0] = mac.run("build", UNIVERSAL_CELL)
        return acquire(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("wheelworks.executors.workbench.acquire", acquire_after_another)
    assert mac.run("build", UNIVERSAL_CELL) == 0
    assert nested == [0]
    assert len(maturin.targets) == 2


def test_a_wheel_that_is_replaced_before_it_is_merged_is_noticed(
    mac: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was audited is what is merged."""

    def acquire_and_spoil(path: Path, **options: object) -> object:
        if path.name.startswith("cp313-macosx_universal2"):
            (mac.dist / SLICES["x86_64"]).write_bytes(b"another")
        return acquire(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("wheelworks.executors.workbench.acquire", acquire_and_spoil)
    assert mac.run("build", "*-macosx_*") == 1
    assert "something replaced it" in str(mac.results()[UNIVERSAL_JOB]["reason"])


def test_plan_why_and_runs_know_slices(mac: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan names what is merged and what is not published."""
    assert mac.run("plan", "--json", UNIVERSAL_CELL) == 0
    jobs = {job["id"]: job for job in json.loads(capsys.readouterr().out)["jobs"]}
    assert jobs[UNIVERSAL_JOB]["merges"] == list(jobs)[:2]
    assert [job["is_published"] for job in jobs.values()] == [False, False, True]
    assert mac.run("plan", "-v", UNIVERSAL_CELL) == 0
    assert "merged from the wheels of slice cp313-macosx_x86_64" in capsys.readouterr().out
    assert mac.run("why", UNIVERSAL_CELL) == 0
    assert mac.run("build", UNIVERSAL_CELL) == 0
    assert mac.run("runs") == 0
    assert "1 cell: 1 built" in capsys.readouterr().out


def test_old_slices_of_another_version_go(mac: Workshop) -> None:
    """The folder of a build key holds one wheel."""
    mac.run("build", UNIVERSAL_CELL)
    (path,) = (mac.state / "slices").glob(f"*/{SLICES['arm64']}")
    old = path.with_name(path.name.replace("1.0", "0.9"))
    path.rename(old)
    assert mac.run("build", UNIVERSAL_CELL) == 0
    assert not old.exists()
    assert path.exists()


def test_gc_removes_slices_with_their_build_folders(mac: Workshop) -> None:
    """They can be made again; what lies in dist/ stays."""
    mac.run("build", UNIVERSAL_CELL)
    assert slice_files(mac) != []
    for folder in [path for kind in KEY_FOLDERS for path in (mac.state / kind).glob("*")]:
        os.utime(folder, (0, 0))
    assert mac.run("gc") == 0
    assert slice_files(mac) == []
    assert mac.built() == [UNIVERSAL]
    assert mac.run("build", UNIVERSAL_CELL) == 0
    assert slice_files(mac) == sorted(SLICES.values())
