"""Whole runs on a faked machine: what is run, what is kept, what is said."""

from __future__ import annotations

import json
import os
import signal
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import Call, Reply
from workshop import PYPROJECT, SDIST, WHEELS

from wheelworks import wheeltest
from wheelworks._native import FingerprintError
from wheelworks.gc import KEPT_RUNS
from wheelworks.locks import acquire
from wheelworks.process import Cancellation

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop import Workshop

    from wheelworks.plan import TestPlan

BUILDS = tuple(f"build cp3{minor}-manylinux_x86_64" for minor in (12, 13))
TESTS = tuple(f"test cp3{minor}-manylinux_x86_64" for minor in (12, 13))


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line that people saw."""
    return capsys.readouterr().err.splitlines()[-1]


def test_a_first_run_builds_everything_that_can_be_built(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wheels and sdist lie in dist/, stdout names them, and the unavailable cells are counted."""
    assert workshop.run("build") == 0
    assert workshop.built() == sorted([*WHEELS, SDIST])
    out, err = capsys.readouterr()
    assert out.split() == [str(workshop.dist / name) for name in (SDIST, *WHEELS)]
    assert err.splitlines()[-1] == "4 cells: 2 built, 2 unavailable here, and the sdist"


def test_the_report_says_what_compiled_each_wheel(workshop: Workshop) -> None:
    """The sdist is only packed."""
    workshop.run("build")
    rust = workshop.host.rust
    assert rust is not None
    for job_id, result in workshop.results().items():
        if job_id in BUILDS:
            compiler = (result["toolchain"], result["rust"])
            assert compiler == ("host", f"rustc {rust.rustc.version}")
        else:
            assert result["rust"] is None


def test_an_unchanged_project_starts_no_process(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second run answers from records; its exit code and artifacts are those of the first."""
    workshop.run("build")
    workshop.machine.calls.clear()
    capsys.readouterr()
    assert workshop.run("build") == 0
    assert workshop.machine.calls == []
    out, err = capsys.readouterr()
    assert out.split() == [str(workshop.dist / name) for name in (SDIST, *WHEELS)]
    assert (
        err.splitlines()[-1]
        == "4 cells: 2 up to date, 2 unavailable here, and the sdist up to date"
    )


def test_a_second_interpreter_begins_with_what_the_first_one_compiled(workshop: Workshop) -> None:
    """All but the project's own crate; the first one's folder is left as it was."""
    found: dict[str, set[str]] = {}

    def maturin(call: Call) -> Reply:
        """Compile what is not compiled yet."""
        if "--target-dir" in call.argv:
            target = Path(call.argv[call.argv.index("--target-dir") + 1])
            units = target / "release" / ".fingerprint"
            version = call.argv[call.argv.index("--interpreter") + 1]
            found[version] = {path.name for path in units.glob("*")}
            for name in ("syn-0123456789abcdef", "demo-0123456789abcdef"):
                (units / name).mkdir(parents=True, exist_ok=True)
                (units / name / "lib").write_text("compiled", encoding="utf-8")
        return workshop.machine.maturin(call)

    workshop.machine.parts["maturin"] = maturin
    assert workshop.run("build", "cp31{2,3}-manylinux_x86_64") == 0
    assert sorted(found.values(), key=len) == [set(), {"syn-0123456789abcdef"}]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda shop: shop.write("src/lib.rs", "// other"), id="a source"),
        pytest.param(lambda shop: (shop.dist / WHEELS[1]).unlink(), id="a removed wheel"),
        pytest.param(lambda shop: (shop.dist / WHEELS[1]).write_bytes(b"x"), id="an edited wheel"),
    ],
)
def test_what_changed_is_built_again(
    workshop: Workshop, change: Callable[[Workshop], object]
) -> None:
    """And only that: a wheel that nothing happened to is not touched."""
    workshop.run("build", "cp313-manylinux_x86_64")
    change(workshop)
    workshop.machine.calls.clear()
    assert workshop.run("build", "cp313-manylinux_x86_64") == 0
    assert len(workshop.machine.called("maturin")) == 1
    assert workshop.outcomes() == {BUILDS[1]: "succeeded"}


def test_strict_makes_unavailable_cells_count(workshop: Workshop) -> None:
    """The wheels are built all the same."""
    assert workshop.run("build", "--strict") == 3
    assert set(WHEELS) < set(workshop.built())


def test_nothing_available_is_no_success(workshop: Workshop) -> None:
    """Exit 3 when no selected cell can be built here."""
    assert workshop.run("build", "*-win_amd64") == 3


def test_each_run_leaves_report_junit_and_events(workshop: Workshop) -> None:
    """All three tell the same story."""
    workshop.run("build")
    folder = workshop.runs()[-1]
    assert set(workshop.outcomes().values()) == {"succeeded", "unavailable"}
    junit = ET.parse(folder / "junit.xml").getroot()
    assert junit.attrib["tests"] == str(len(workshop.results()))
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("run_started", "run_finished")
    assert events[-1]["exit_code"] == 0


def test_a_tool_that_is_missing_fails_just_the_jobs_that_need_it(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without zig no wheel is built: exit 4 with the cause; the sdist is packed, and the report is there."""

    def uv(call: Call) -> Reply | None:
        if "install" in call.argv and any("ziglang" in word for word in call.argv):
            return Reply(returncode=1, stderr="error: Connection refused")
        return workshop.machine.uv(call)

    workshop.machine.parts["uv"] = uv
    assert workshop.run("build") == 4
    assert workshop.built() == [SDIST]
    results = workshop.results()
    for build in BUILDS:
        assert (results[build]["outcome"], results[build]["exit_code"]) == ("failed", 4)
        assert "Connection refused" in str(results[build]["reason"])
        assert str(results[build]["log"]).endswith("tools.log")
    assert workshop.report()["exit_code"] == 4
    assert last_line(capsys) == "4 cells: 2 failed, 2 unavailable here, and the sdist"


def test_a_standard_library_that_can_not_be_added_fails_just_its_cells(
    workshop: Workshop,
) -> None:
    """Rustup's own words are the reason."""
    rust = workshop.host.rust
    assert rust is not None
    workshop.host = replace(
        workshop.host, rust=replace(rust, can_add_targets=True, cannot_add_reason=None)
    )
    text = PYPROJECT.replace("win_amd64", "manylinux_aarch64")
    workshop.write("pyproject.toml", text)
    workshop.machine.parts["rustup"] = lambda _: Reply(returncode=1, stderr="error: no such target")
    assert workshop.run("build", "cp313-*") == 4
    results = workshop.results()
    assert results[BUILDS[1]]["outcome"] == "succeeded"
    lost = results["build cp313-manylinux_aarch64"]
    assert (lost["outcome"], lost["exit_code"]) == ("failed", 4)
    assert "rustup target add" in str(lost["reason"])
    assert "error: no such target" in str(lost["reason"])


def test_a_failing_build_costs_no_other(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1; the result has the log, the command that repeats it with this run's flags, and its tail."""

    def maturin(call: Call) -> Reply:
        if "3.12" in call.argv:
            return Reply(returncode=101, stderr="error[E0432]: unresolved import")
        return workshop.machine.maturin(call)

    workshop.machine.parts["maturin"] = maturin
    assert workshop.run("build", "--profile", "dist") == 1
    failed = workshop.results()[BUILDS[0]]
    assert failed["reason"] == "maturin ended with exit code 101 (step compile)"
    assert failed["repeat"] == (
        f"wheelworks build cp312-manylinux_x86_64 -C {workshop.root} --profile dist"
    )
    assert workshop.built() == sorted([WHEELS[1], SDIST])
    assert "error[E0432]: unresolved import" in capsys.readouterr().err


def test_a_build_without_a_wheel_has_its_log(workshop: Workshop) -> None:
    """A job that an exception of ours ended names the log of what ran before."""
    workshop.machine.parts["maturin"] = lambda _: Reply(stdout="built elsewhere")
    assert workshop.run("build", "cp313-manylinux_x86_64") == 1
    failed = workshop.results()[BUILDS[1]]
    assert "no wheel or sdist" in str(failed["reason"])
    assert str(failed["log"]).endswith("build-cp313-manylinux_x86_64.log")
    assert failed["repeat"]


def test_a_refused_wheel_is_kept_beside_the_run_and_not_in_dist(workshop: Workshop) -> None:
    """Exit 5; the file can be looked at, and what lay in dist/ before still does."""
    workshop.run("build", "cp313-manylinux_x86_64")
    before = (workshop.dist / WHEELS[1]).read_bytes()

    def maturin(call: Call) -> Reply:
        out = workshop.machine.maturin(call)
        (wheel,) = workshop.state.glob("staging/*/*/*.whl")
        wheel.rename(wheel.with_name(wheel.name.replace("2_17", "2_5")))
        return out

    workshop.machine.parts["maturin"] = maturin
    workshop.write("src/lib.rs", "// other")
    assert workshop.run("build", "cp313-manylinux_x86_64") == 5
    assert workshop.built() == [WHEELS[1]]
    assert (workshop.dist / WHEELS[1]).read_bytes() == before
    refused = [path.name for path in (workshop.runs()[-1] / "refused").iterdir()]
    assert refused == [WHEELS[1].replace("2_17", "2_5")]
    result = workshop.results()[BUILDS[1]]
    assert str(result["reason"]).startswith(f"the audit refused {refused[0]}")
    assert result["findings"]
    assert list(workshop.state.glob("staging/*")) == []


def test_an_ignored_rule_refuses_nothing(workshop: Workshop) -> None:
    """`audit-ignore` is a decision of the project."""
    workshop.run("build", "cp313-manylinux_x86_64")
    workshop.write("pyproject.toml", PYPROJECT.replace("demo.sample", "demo.other"))
    assert workshop.run("build", "cp313-manylinux_x86_64") == 5
    rules = workshop.rules(BUILDS[1])
    ignored = "audit-ignore = " + json.dumps(sorted(rules)) + "\n\n[tool.wheelworks.test]"
    text = PYPROJECT.replace("demo.sample", "demo.other").replace(
        "\n[tool.wheelworks.test]", ignored
    )
    workshop.write("pyproject.toml", text)
    assert workshop.run("build", "cp313-manylinux_x86_64") == 0


def test_a_source_that_changes_during_the_run_is_named(workshop: Workshop) -> None:
    """The wheel holds the state before; the next run builds again."""

    def maturin(call: Call) -> Reply:
        workshop.write("src/lib.rs", "// written meanwhile")
        return workshop.machine.maturin(call)

    workshop.machine.parts["maturin"] = maturin
    assert workshop.run("build", "cp313-manylinux_x86_64") == 0
    (notice,) = workshop.notices()
    assert notice.startswith("src/lib.rs changed during the run")
    workshop.machine.parts["maturin"] = workshop.machine.maturin
    assert workshop.run("build", "cp313-manylinux_x86_64") == 0
    assert workshop.outcomes() == {BUILDS[1]: "succeeded"}


def test_a_tree_that_can_not_be_read_any_more_costs_no_result(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether something changed is then unknown, and that is said."""

    def unreadable(*_: object, **__: object) -> tuple[str, ...]:
        raise FingerprintError("src/lib.rs vanished")

    monkeypatch.setattr("wheelworks.closing.changed_sources", unreadable)
    assert workshop.run("build", "cp313-manylinux_x86_64") == 0
    (notice,) = workshop.notices()
    assert notice.endswith("is not known: src/lib.rs vanished")


def test_wheels_of_an_earlier_version_are_told_in_the_last_line(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody shall upload two versions for one."""
    workshop.run("build", "cp313-manylinux_x86_64")
    (workshop.dist / WHEELS[1]).rename(workshop.dist / WHEELS[1].replace("1.0", "0.9"))
    capsys.readouterr()
    assert workshop.run("build", "cp313-manylinux_x86_64") == 0
    assert last_line(capsys) == "1 cell: 1 built; dist/ holds wheels of two source states"
    assert workshop.report()["other_sources"] == [WHEELS[1].replace("1.0", "0.9")]


def test_wheels_of_other_cells_from_another_source_state_are_told(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are right for the sources of then; a run without them says that they stay."""
    workshop.run("build", "--no-sdist")
    workshop.write("src/lib.rs", "// other")
    capsys.readouterr()
    workshop.run("build", "cp313-manylinux_x86_64")
    assert last_line(capsys).endswith("dist/ holds wheels of two source states")
    assert workshop.report()["other_sources"] == [WHEELS[0]]


def test_wheels_of_other_cells_from_the_same_sources_are_fine(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cell by cell comes to the same as all at once."""
    workshop.run("build", "--no-sdist")
    capsys.readouterr()
    workshop.run("build", "cp313-manylinux_x86_64")
    assert last_line(capsys) == "1 cell: 1 up to date"


def test_strangers_in_dist_are_named_but_not_touched(workshop: Workshop) -> None:
    """Hidden files are nobody's business."""
    workshop.dist.mkdir()
    for name in ("notes.txt", "other-1.0-py3-none-any.whl", ".gitignore"):
        (workshop.dist / name).touch()
    workshop.run("build", "cp313-manylinux_x86_64")
    (notice,) = workshop.notices()
    assert notice.endswith("left: notes.txt, other-1.0-py3-none-any.whl")
    assert {"notes.txt", ".gitignore"} < set(workshop.built())


def test_tests_use_the_wheel_that_was_built(workshop: Workshop) -> None:
    """It is copied, checked and installed from there; nothing is built for a cell without an interpreter."""
    assert workshop.run("test") == 0
    assert {job: outcome for job, outcome in workshop.outcomes().items() if "win" not in job} == {
        **dict.fromkeys(BUILDS, "succeeded"),
        **dict.fromkeys(TESTS, "succeeded"),
    }
    installed = [
        word
        for call in workshop.machine.called("uv", "install")
        for word in call.argv
        if word.endswith(".whl")
    ]
    assert {path.rpartition("/")[2] for path in installed} == set(WHEELS)
    counts = workshop.results()[TESTS[0]]["tests"]
    assert counts == {"total": 3, "failed": 0, "errors": 0, "skipped": 0}


def test_passed_tests_are_up_to_date_until_their_wheel_changes(workshop: Workshop) -> None:
    """A rebuilt wheel with other bytes is tested again, with the same bytes it is not."""
    cell = "cp313-manylinux_x86_64"
    workshop.run("test", cell)
    assert workshop.run("test", cell) == 0
    assert set(workshop.outcomes().values()) == {"up to date"}
    (workshop.dist / WHEELS[1]).unlink()

    def maturin(call: Call) -> Reply:
        workshop.machine.write_wheel(_out(call), "313", content=b"# other bytes\n")
        return Reply()

    workshop.machine.parts["maturin"] = maturin
    assert workshop.run("test", cell) == 0
    assert set(workshop.outcomes().values()) == {"succeeded"}


def _out(call: Call) -> Path:
    return Path(call.argv[call.argv.index("--out") + 1])


def test_failing_tests_are_named(workshop: Workshop) -> None:
    """Exit 1, the failed tests in the reason, the rest counted; the build stays a success."""
    names = tuple(f"tests/test_demo.py::test_{letter}" for letter in "abcde")
    workshop.machine.parts["pytest"] = lambda call: workshop.machine.tested(
        call, total=9, failed=names
    )
    assert workshop.run("test", "--python", "3.13") == 1
    result = workshop.results()[TESTS[1]]
    assert result["reason"] == f"5 tests failed: {', '.join(names[:3])} and 2 more"
    assert result["repeat"] == (
        f"wheelworks test cp313-manylinux_x86_64 -C {workshop.root} --python 3.13"
    )
    assert workshop.outcomes()[BUILDS[1]] == "succeeded"


def test_a_package_from_elsewhere_fails_the_tests_that_passed(workshop: Workshop) -> None:
    """The guard's word counts more than pytest's exit code."""
    workshop.machine.parts["pytest"] = lambda call: workshop.machine.tested(
        call, total=1, stranger="/src/demo/__init__.py"
    )
    assert workshop.run("test", "cp313-manylinux_x86_64") == 1
    result = workshop.results()[TESTS[1]]
    assert "/src/demo/__init__.py" in str(result["reason"])
    assert "test.sources" in str(result["cure"])


def test_tests_of_a_failed_build_are_skipped(workshop: Workshop) -> None:
    """Nothing is tested that is not there; the exit code is the build's."""
    workshop.machine.parts["maturin"] = lambda _: Reply(returncode=1)
    assert workshop.run("test", "cp313-manylinux_x86_64") == 1
    assert workshop.outcomes() == {BUILDS[1]: "failed", TESTS[1]: "skipped"}


@pytest.mark.parametrize(
    ("meddle", "reason"),
    [
        pytest.param(
            lambda shop: (shop.dist / WHEELS[1]).write_bytes(b"another"),
            "something replaced it",
            id="another wheel",
        ),
        pytest.param(
            lambda shop: (shop.dist / WHEELS[1]).unlink(), f"{WHEELS[1]} is gone", id="no wheel"
        ),
        pytest.param(
            lambda shop: shop.write("tests/test_demo.py", "def test_other(): ..."),
            "tests/test_demo.py changed while the tests were prepared",
            id="another test",
        ),
    ],
)
def test_only_what_was_built_and_fingerprinted_is_tested(
    workshop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
    meddle: Callable[[Workshop], object],
    reason: str,
) -> None:
    """A success would be remembered for something that nobody tested."""
    real = wheeltest.prepare

    def prepare(scratch: Path, test: TestPlan, **options: object) -> None:
        meddle(workshop)
        real(scratch, test, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(wheeltest, "prepare", prepare)
    assert workshop.run("test", "cp313-manylinux_x86_64") == 1
    assert reason in str(workshop.results()[TESTS[1]]["reason"])
    assert workshop.outcomes()[BUILDS[1]] == "succeeded"


def test_a_display_that_fails_costs_no_result(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of the display is logged; the wheel is there and the exit code is 0."""

    def broken(*_: object) -> None:
        raise ValueError("the display is broken")

    monkeypatch.setattr("wheelworks.ui.lines.LinesDisplay.__call__", broken)
    assert workshop.run("build", "cp313-manylinux_x86_64") == 0
    assert workshop.built() == [WHEELS[1]]


def test_old_runs_are_removed(workshop: Workshop) -> None:
    """The folder of runs does not grow without end."""
    for number in range(KEPT_RUNS + 5):
        (workshop.state / f"runs/20991231-0000{number:02}-000-abcdef").mkdir(parents=True)
    workshop.run("build", "cp313-manylinux_x86_64")
    assert len(workshop.runs()) <= KEPT_RUNS + 1
    assert (workshop.runs()[0] / "report.json").exists()


def test_without_a_lock_file_all_builds_get_the_same(workshop: Workshop) -> None:
    """The first build makes it in its snapshot, the others copy it; none is written into the project."""
    (workshop.root / "Cargo.lock").unlink()

    def cargo(call: Call) -> Reply:
        (_manifest(call).parent / "Cargo.lock").write_text("version = 4\n# made here\n")
        return Reply()

    workshop.machine.parts["cargo"] = cargo
    assert workshop.run("build") == 0
    assert len(workshop.machine.called("cargo", "generate-lockfile")) == 1
    made = [path.read_text() for path in workshop.state.glob("source/*/Cargo.lock")]
    assert made == ["version = 4\n# made here\n"] * 3
    assert not (workshop.root / "Cargo.lock").exists()


def test_a_lock_file_that_was_not_finished_is_nobodys(workshop: Workshop) -> None:
    """A killed or failed cargo may leave half of it; the next build makes it anew."""
    (workshop.root / "Cargo.lock").unlink()

    def cargo(call: Call) -> Reply:
        (_manifest(call).parent / "Cargo.lock").write_text("half")
        return Reply(returncode=101, stderr="error: failed to fetch")

    workshop.machine.parts["cargo"] = cargo
    assert workshop.run("build", "cp313-manylinux_x86_64") == 1
    assert list(workshop.state.glob("lockfile/*")) == []
    assert list(workshop.state.glob("source/*/Cargo.lock")) == []


def _manifest(call: Call) -> Path:
    return Path(call.argv[call.argv.index("--manifest-path") + 1])


def test_a_build_that_another_run_finished_meanwhile_is_not_repeated(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waited for the lock takes the wheel that was made under it."""
    cell = "cp313-manylinux_x86_64"
    nested: list[int] = []

    def acquire_after_another(path: Path, **options: object) -> object:
        if path.name.startswith("cp313") and not nested:
            nested.append(0)
            nested[0] = workshop.run("build", cell)
        return acquire(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("wheelworks.executors.workbench.acquire", acquire_after_another)
    assert workshop.run("build", cell) == 0
    assert nested == [0]
    assert len(workshop.machine.called("maturin")) == 1
    assert sorted(
        json.loads((run / "report.json").read_bytes())["results"][0]["outcome"]
        for run in workshop.runs()
    ) == ["succeeded", "up to date"]


def test_a_build_of_other_sources_by_another_run_is_not_taken(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the other run built is not what this one was asked for."""
    cell = "cp313-manylinux_x86_64"
    nested: list[int] = []

    def acquire_after_another(path: Path, **options: object) -> object:
        if path.name.startswith("cp313") and not nested:
            nested.append(0)
            workshop.write("src/lib.rs", "// of the other run")
            nested[0] = workshop.run("build", cell)
            workshop.write("src/lib.rs", "// the crate\n")
        return acquire(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("wheelworks.executors.workbench.acquire", acquire_after_another)
    assert workshop.run("build", cell) == 0
    assert len(workshop.machine.called("maturin")) == 2


def test_an_interrupt_while_tools_are_installed_cancels_every_job(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """130, with a report in which nothing is silent; no further tool is tried."""
    stops: list[Cancellation] = []

    class Watched(Cancellation):
        def __init__(self) -> None:
            super().__init__()
            stops.append(self)

    def uv(_: Call) -> Reply:
        os.kill(os.getpid(), signal.SIGINT)
        assert stops[0].wait(60.0)
        return Reply(returncode=None, cancelled=True)

    monkeypatch.setattr("wheelworks.commands.build.Cancellation", Watched)
    workshop.machine.parts["uv"] = uv
    assert workshop.run("build", "cp313-manylinux_x86_64") == 130
    assert workshop.outcomes() == {BUILDS[1]: "cancelled"}
    assert len(workshop.machine.calls) == 1
