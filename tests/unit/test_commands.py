"""Every command from its arguments to stdout, stderr and the exit code, on a faked machine."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from container_samples import a_toolchain_image, build_containers, unbuilt
from fakes import Call, Reply
from filelock import FileLock
from workshop import PYPROJECT, SDIST, WHEELS

from wheelworks import __version__, cli
from wheelworks.doctor_model import Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workshop import Workshop

CELL = "cp313-manylinux_x86_64"
DAY = 86_400


def read_json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The one document on stdout."""
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


# Errors and exit codes


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("build", "cp313-manylinux_x86_65"), 3, f"hint: did you mean {CELL}?"),
        (("build", "cp3{12"), 2, "hint: selectors are cell ids"),
        (("test", "--python", "banana"), 2, "error: --python: 'banana' is no interpreter spec"),
        (("test", "--python", "3.11"), 3, "error: no cell is selected for Python 3.11"),
        (("build", "--targets", "amiga"), 2, "amiga"),
        (("build", "--json", "--events", "json"), 2, "error: --json and --events"),
        (("build", "--sdist-only", "cp313-*"), 2, "error: --sdist-only builds no cells"),
        (("why", "cp31*"), 2, "names 4 cells"),
        (("gc", "--max-size", "much"), 2, "error: --max-size"),
        (("runs", "nonsense"), 3, "there is no finished run 'nonsense'"),
        (("audit",), 3, "holds no wheel and no sdist"),
        (("audit", "absent.whl"), 2, "there is no file"),
        (("audit", "pyproject.toml"), 2, "is neither a wheel nor an sdist"),
        (("audit", "--explain", "W9999"), 2, "there is no rule 'W9999'"),
        (("diff", "a.whl", "b.whl"), 2, "there is no file"),
    ],
)
def test_errors_are_told_on_stderr_with_their_exit_code(
    workshop: Workshop,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    """Stdout stays empty, so that nothing is taken for a result."""
    assert workshop.run(*arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("error: ")


def test_sdist_flags_exclude_each_other(workshop: Workshop) -> None:
    """Argparse says so, with the code for usage."""
    with pytest.raises(SystemExit) as caught:
        workshop.run("build", "--no-sdist", "--sdist")
    assert caught.value.code == 2


def test_a_bug_of_ours_is_70_and_has_a_log(
    workshop: Workshop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the cause, the log holds the traceback."""

    def broken(*_: object) -> None:
        raise RuntimeError("the cause")

    monkeypatch.setattr("wheelworks.preparation.expand_matrix", broken)
    assert workshop.run("plan") == 70
    err = capsys.readouterr().err
    assert "this is a bug of wheelworks: RuntimeError: the cause" in err
    log = Path(err.splitlines()[-1].removeprefix("log: "))
    try:
        assert "Traceback" in log.read_text()
    finally:
        log.unlink()


def test_an_interrupt_before_the_run_is_130(
    workshop: Workshop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback for somebody who changed their mind."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wheelworks.preparation.expand_matrix", interrupted)
    assert workshop.run("build") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_version_and_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is a result, the help for a missing command is not."""
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"wheelworks {__version__}\n"
    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert (out, "exit codes:" in err) == ("", True)


# build and test


def test_json_is_one_document_on_stdout(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the report of the run; everything for people is on stderr."""
    assert workshop.run("build", "--json") == 0
    assert read_json(capsys) == workshop.report()


def test_events_are_one_document_a_line(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else is on stdout, from the first event to the last."""
    assert workshop.run("build", "--events", "json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_finished"
    assert {event["schema"] for event in events} == {1}
    assert "job_output" in {event["event"] for event in events}


@pytest.mark.parametrize("flags", [(), ("--json",), ("--events", "json")])
def test_a_reader_that_went_away_changes_no_exit_code(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    """`| head -1` must not make a failed build a success, nor the other way round."""

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert workshop.run("build", *flags) == 0
    workshop.machine.parts["maturin"] = lambda _: Reply(returncode=1)
    workshop.write("src/lib.rs", "// other")
    assert workshop.run("build", *flags) == 1


def test_what_stdout_can_not_show_is_escaped(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal of another encoding costs letters, not the run."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    assert workshop.run("build", CELL, "--dist", str(workshop.root / "räder")) == 0
    stream.seek(0)
    assert "r\\xe4der" in stream.read()


def test_the_step_summary_gets_the_report(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is added to what other steps wrote."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    workshop.run("build", CELL)
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n### demo 1.0")
    assert CELL in text


def test_a_step_summary_that_can_not_be_written_costs_nothing(
    workshop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """A warning says so."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert workshop.run("build", CELL) == 0
    assert "warning: the step summary" in capsys.readouterr().err


def test_a_warning_of_the_configuration_is_shown_and_reported(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """`plan` shows it, too."""
    section = '\n[tool.cibuildwheel]\ntest-command = "pytest {package}/{what}"\n'
    workshop.write(
        "pyproject.toml", PYPROJECT.replace("[tool.wheelworks.test]", "[tool.x]") + section
    )
    workshop.run("plan")
    planned = capsys.readouterr().err
    workshop.run("build", CELL)
    assert all(f"warning: {notice}" in planned for notice in workshop.notices())


# Consent


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Somebody at the terminal who types what is given."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def sits_there(answer: str) -> None:
        monkeypatch.delenv("CI")
        monkeypatch.setenv("TERM", "dumb")
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        monkeypatch.setattr(sys, "stderr", Terminal())

    return sits_there


@pytest.mark.parametrize(
    ("answer", "is_added"), [("\n", True), ("y\n", True), ("n\n", False), ("", False)]
)
def test_a_person_is_asked_before_rustup_adds_something(
    workshop: Workshop, person: Callable[[str], None], answer: str, is_added: bool
) -> None:
    """An empty line is a yes; the end of the input (Ctrl-D) is none."""
    person(answer)
    rust = workshop.host.rust
    assert rust is not None
    workshop.host = replace(
        workshop.host, rust=replace(rust, can_add_targets=True, cannot_add_reason=None)
    )
    workshop.write("pyproject.toml", PYPROJECT.replace("win_amd64", "manylinux_aarch64"))
    workshop.machine.parts["rustup"] = lambda _: Reply(returncode=1)
    workshop.run("build", "cp313-*")
    assert bool(workshop.machine.called("rustup")) == is_added


def test_nobody_is_asked_for_what_is_up_to_date(
    workshop: Workshop, person: Callable[[str], None]
) -> None:
    """Only what a stale job needs is a question."""
    workshop.run("build", CELL)
    person("n\n")
    stdin = sys.stdin
    rust = workshop.host.rust
    assert rust is not None
    workshop.host = replace(
        workshop.host, rust=replace(rust, can_add_targets=True, cannot_add_reason=None)
    )
    assert workshop.run("build", CELL) == 0
    assert stdin.read() == "n\n"


# plan and why


def test_plan_builds_nothing_and_says_what_would_run(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stale jobs with their reason, unavailable cells with theirs."""
    assert workshop.run("plan") == 0
    out = capsys.readouterr().out
    assert f"build {CELL}  [host]: stale: it has not succeeded yet" in out
    assert "unavailable here: cp312-win_amd64, cp313-win_amd64" in out
    assert "4 cells: 2 build jobs to run, 1 sdist job to run, 2 unavailable here" in out
    assert workshop.machine.calls == []
    assert workshop.built() == []


def test_plan_names_what_changed(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """Up to date after a run; then the changed file is the reason."""
    workshop.run("build", CELL)
    capsys.readouterr()
    workshop.run("plan", CELL)
    assert f"build {CELL}  [host]: up to date" in capsys.readouterr().out
    workshop.write("src/lib.rs", "// other")
    workshop.run("plan", CELL)
    assert "stale: src/lib.rs changed" in capsys.readouterr().out


def test_plan_as_json_holds_the_whole_job(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its command, as `build` would run it."""
    workshop.run("plan", CELL, "--json")
    document = read_json(capsys)
    jobs = document["jobs"]
    assert isinstance(jobs, list)
    (job,) = jobs
    assert document["cells"] == [CELL]
    workshop.run("build", CELL)
    (call,) = workshop.machine.called("maturin")
    planned = job["steps"][0]["argv"]
    assert [word for word in planned if word != "{staging}"] == [
        word for word in call.argv if "staging" not in word
    ]


def test_plan_with_tests(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """`--test` plans them, with the interpreter that would run them."""
    workshop.run("plan", CELL, "--test", "-v")
    out = capsys.readouterr().out
    assert f"test {CELL}: stale" in out
    assert "is Python 3.13.0" in out


def test_why_tells_everything_behind_a_cell(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options with their origin, toolchains, the jobs; and for people and programs the same."""
    assert workshop.run("why", CELL, "--profile", "dist") == 0
    out = capsys.readouterr().out
    assert "profile = 'dist'  (flag --profile)" in out
    assert "test.requires = ('pytest',)" in out
    assert "pyproject.toml)" in out
    assert workshop.run("why", CELL, "--json") == 0
    document = read_json(capsys)
    assert (document["cell"], document["policy"]) == (CELL, "manylinux2014")


def test_why_of_an_unavailable_cell_gives_the_refusal(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the way out."""
    assert workshop.run("why", "cp313-win_amd64") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "toolchains host: refused, " in out
    assert "(hint: " in out


# audit and diff


def test_audit_looks_at_everything_in_dist(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was built passes."""
    workshop.run("build")
    capsys.readouterr()
    assert workshop.run("audit") == 0
    out = capsys.readouterr().out
    assert all(f"{name}: passes" in out for name in (*WHEELS, SDIST))


def test_a_refused_file_gives_5(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one that can't be read at all; the others are told of all the same."""
    workshop.run("build", CELL)
    (workshop.dist / "broken-1.0-py3-none-any.whl").write_bytes(b"no zip")
    capsys.readouterr()
    assert workshop.run("audit", "--json") == 5
    files = read_json(capsys)["files"]
    assert isinstance(files, list)
    levels = [{finding["level"] for finding in one["findings"]} for one in files]
    assert ["error" in found for found in levels] == [True, False]


def test_a_rule_is_explained(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """Its id may be written small."""
    assert workshop.run("audit", "--explain", "w081") == 0
    assert capsys.readouterr().out.startswith("W081 (error): ")


def test_two_wheels_are_compared(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """Differing is no failure."""
    workshop.run("build")
    capsys.readouterr()
    wheels = [f"dist/{name}" for name in WHEELS]
    assert workshop.run("diff", *wheels) == 0
    assert "cpython-312" in capsys.readouterr().out
    assert workshop.run("diff", *wheels, "--json") == 0
    assert read_json(capsys)


# runs and gc


def test_runs_are_listed_newest_first(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their outcome; one that did not finish says so."""
    assert workshop.run("runs") == 0
    assert "no runs yet" in capsys.readouterr().err
    workshop.run("build", CELL)
    workshop.run("build")
    unfinished = workshop.state / "runs/20991231-000000-000-abcdef"
    unfinished.mkdir()
    (unfinished / "report.json").write_text('{"schema": 1')
    capsys.readouterr()
    assert workshop.run("runs") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{unfinished.name}  not finished"
    assert "4 cells: 1 built, 1 up to date" in lines[1]
    assert "1 cell: 1 built" in lines[2]
    assert workshop.run("runs", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [run["run_id"] for run in listed] == [line.split()[0] for line in lines]


def test_the_last_run_is_the_newest_finished_one(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that is at work beside it has nothing to show."""
    workshop.run("build", CELL)
    expected = workshop.report()
    (workshop.state / "runs/20991231-000000-000-abcdef").mkdir()
    capsys.readouterr()
    assert workshop.run("runs", "last", "--json") == 0
    assert read_json(capsys) == expected
    assert workshop.run("runs", "last") == 0
    assert capsys.readouterr().err.splitlines()[-1] == "1 cell: 1 built"


def test_gc_keeps_what_was_used_lately(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """A build counts as use, however old its folders are."""
    workshop.run("build", CELL)
    (snapshot,) = workshop.state.glob("source/cp313-*/")
    old = time.time() - 40 * DAY
    os.utime(snapshot, (old, old))
    workshop.write("src/lib.rs", "// other")
    workshop.run("build", CELL)
    capsys.readouterr()
    assert workshop.run("gc") == 0
    assert capsys.readouterr().out == ""
    assert snapshot.is_dir()
    os.utime(snapshot, (old, old))
    assert workshop.run("gc", "--dry-run") == 0
    assert snapshot.name in capsys.readouterr().out
    assert snapshot.is_dir()
    assert workshop.run("gc", "--json") == 0
    removed = read_json(capsys)["removed"]
    assert isinstance(removed, list)
    assert [one["name"] for one in removed] == [snapshot.name]
    assert list(workshop.state.glob("source/cp313-*")) == []
    assert workshop.built() == [WHEELS[1]]


def test_gc_takes_folders_out_of_sight_before_it_removes_them(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that copies from one meanwhile finds all of it or nothing."""
    workshop.run("build", CELL)
    seen: list[list[Path]] = []
    remove = shutil.rmtree

    def removing(folder: Path, *, ignore_errors: bool = False) -> None:
        if folder.name.startswith("gc-"):
            seen.append(list(workshop.state.glob("*/cp313-*/")))
        remove(folder, ignore_errors=ignore_errors)

    monkeypatch.setattr("wheelworks.commands.gc.shutil.rmtree", removing)
    old = time.time() - 40 * DAY
    for folder in workshop.state.glob("*/cp313-*/"):
        os.utime(folder, (old, old))
    assert workshop.run("gc") == 0
    assert seen == [[]]
    assert list(workshop.state.glob("staging/*")) == []


def test_gc_leaves_the_folders_of_a_running_build(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others go, and what stays is named."""
    workshop.run("build", "--no-sdist")
    busy = next(workshop.state.glob("source/cp312-*/"))
    old = time.time() - 40 * DAY
    for snapshot in workshop.state.glob("source/*/"):
        os.utime(snapshot, (old, old))
    capsys.readouterr()
    with FileLock(workshop.state / "locks" / f"{busy.name}.lock"):
        assert workshop.run("gc") == 0
    out, err = capsys.readouterr()
    assert f"{busy.name} stays" in err
    assert busy.is_dir()
    assert "cp313-" in out
    assert [path.name for path in workshop.state.glob("source/*/")] == [busy.name]


# doctor and completion


def test_doctor_says_what_this_machine_can_do(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing can be mended, and --fix does it."""
    assert workshop.run("doctor") == 0
    out = capsys.readouterr().out
    assert "ok       rust: rustc 1.95.0" in out
    assert "mend: install maturin (doctor --fix)" in out
    assert "cannot   build: cp312-win_amd64, cp313-win_amd64" in out
    assert workshop.run("doctor", "--fix") == 0
    assert workshop.machine.called("uv", "install")
    capsys.readouterr()
    assert workshop.run("doctor", "--json") == 0
    checks = read_json(capsys)["checks"]
    assert isinstance(checks, list)
    assert {one["subject"]: one["state"] for one in checks}["maturin"] == "good"


def test_doctor_without_rust_gives_4(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing at all can be built; the way out is named."""
    workshop.host = replace(workshop.host, rust=None, rust_missing_reason="rustc is not on PATH")
    assert workshop.run("doctor") == 4
    assert "hint: install Rust with rustup" in capsys.readouterr().out


def test_doctor_tells_when_mending_failed(workshop: Workshop) -> None:
    """Exit 4: what the matrix needs is still missing."""

    def uv(_: Call) -> Reply:
        return Reply(returncode=1, stderr="error: no network")

    workshop.machine.parts["uv"] = uv
    assert workshop.run("doctor", "--fix") == 4


def test_doctor_adds_nothing_to_rust_that_an_image_will_hold(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What makes images possible is mended first; then the image builds all, because the host lacks mingw-w64."""
    rust = workshop.host.rust
    assert rust is not None
    absent = replace(
        unbuilt(a_toolchain_image()), cannot_provide_reason="there is no mmdebstrap", cure="get it"
    )
    workshop.write("pyproject.toml", PYPROJECT.replace('"win_', '"manylinux_aarch64", "win_'))
    workshop.host = replace(
        workshop.host,
        rust=replace(rust, can_add_targets=True),
        containers=build_containers(absent),
    )
    assert workshop.run("plan", "--json") == 0
    assert "aarch64-unknown-linux-gnu" in json.dumps(read_json(capsys)["provisioning"])

    def install(packages: Sequence[str], *_: object, **__: object) -> None:
        assert packages == ("mmdebstrap",)
        workshop.host = replace(workshop.host, containers=build_containers(a_toolchain_image()))

    def look(*_: object) -> Survey:
        packages = ("mmdebstrap",)
        return Survey(missing_packages=packages, package_command=("apt",), base_problem="none")

    monkeypatch.setattr("wheelworks.commands.doctor.install_host_packages", install)
    monkeypatch.setattr("wheelworks.commands.doctor.survey", look)
    assert workshop.run("doctor", "--fix") == 0
    assert workshop.machine.called("rustup") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_is_a_script_on_stdout(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    """It needs no project."""
    assert cli.main(["completion", shell]) == 0
    assert "wheelworks" in capsys.readouterr().out


# Start-up


@pytest.mark.starts_processes
@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import wheelworks.cli", {"rich", "installer", "packaging", "platformdirs", "filelock"}),
        ("import wheelworks.commands.plan", {"rich", "installer"}),
        (
            "import wheelworks.commands.build, wheelworks.ui.lines",
            {"rich", "pytest", "installer", "wheelworks.audit.check"},
        ),
    ],
)
def test_nothing_heavy_is_imported(statement: str, unwanted: set[str]) -> None:
    """A run that has nothing to do is over before rich would be imported."""
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert unwanted.isdisjoint(done.stdout.split())


@pytest.mark.starts_processes
def test_the_sessions_need_only_nox() -> None:
    """`nox -l` works in a bare clone, where neither our dependencies nor the Rust core are there."""
    code = (
        "import sys, nox; before = {name.partition('.')[0] for name in sys.modules}\n"
        "import wheelworks.nox\n"
        "after = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(after - before - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["wheelworks"]
