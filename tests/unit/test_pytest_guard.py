"""Tests of the guard plugin in real pytest runs, in-process."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Protocol

import pytest

from wheelworks import pytest_guard
from wheelworks.pytest_guard import Guard, find_strangers, is_within

if TYPE_CHECKING:
    from pathlib import Path


class Run(Protocol):
    """Runs pytest with further arguments."""

    def __call__(self, *arguments: str) -> pytest.RunResult:
        """The result of the run."""


pytest_plugins = ["pytester"]

PACKAGE = "guarded_package"


@pytest.fixture(autouse=True)
def _unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """This suite may itself run under the guard."""
    for name in list(os.environ):
        if name.startswith("WHEELWORKS_GUARD_") or name in ("PYTEST_PLUGINS", "PYTEST_ADDOPTS"):
            monkeypatch.delenv(name)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs pytest with the guard on; the package is installed below ``env``."""
    site = tmp_path / "env" / "site-packages"
    _package(site)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv(pytest_guard.NAMES_VARIABLE, PACKAGE)
    monkeypatch.setenv(pytest_guard.PREFIX_VARIABLE, str(tmp_path / "env"))
    monkeypatch.setenv(pytest_guard.RESULT_VARIABLE, str(tmp_path / "result.json"))

    def runs(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-p", "wheelworks.pytest_guard", *arguments)

    return runs


def _package(folder: Path) -> Path:
    package = folder / PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("")
    return package


def _sessions(tmp_path: Path) -> list[dict[str, object]]:
    sessions = json.loads((tmp_path / "result.json").read_text())["sessions"]
    assert isinstance(sessions, list)
    return sessions


def _session(tmp_path: Path) -> dict[str, object]:
    (session,) = _sessions(tmp_path)
    return session


def test_the_installed_package_passes_and_tests_are_counted(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """Every kind of outcome has its number, and failures have their ids."""
    pytester.makepyfile(
        test_a=f"""
        import pytest
        import {PACKAGE}.part

        def test_good(): pass
        def test_bad(): assert 0
        def test_not_here(): pytest.skip("no")
        @pytest.mark.xfail
        def test_known(): assert 0
        @pytest.fixture
        def broken(): raise ValueError
        @pytest.fixture
        def late():
            yield
            raise ValueError
        def test_setup(broken): pass
        def test_teardown(late): pass
        """
    )
    result = run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    session = _session(tmp_path)
    assert session["counts"] == {
        "passed": 1,
        "failed": 1,
        "errors": 2,
        "skipped": 2,
        "total": 6,
    }
    assert session["failed"] == [
        "test_a.py::test_bad",
        "test_a.py::test_setup",
        "test_a.py::test_teardown",
    ]
    assert (session["exit_status"], session["violations"], session["warnings"]) == (1, [], [])
    result.stdout.no_fnmatch_line("*wheelworks guard*")


def test_a_passing_run_stays_a_success(pytester: pytest.Pytester, run: Run, tmp_path: Path) -> None:
    """The guard adds nothing to a good run but its record."""
    pytester.makepyfile(f"import {PACKAGE}\ndef test_good(): pass")
    assert run().ret == pytest.ExitCode.OK
    assert _session(tmp_path)["exit_status"] == 0


def test_a_package_beside_the_tests_stops_the_run_after_collection(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """The flat layout: pytest puts the project's folder first on sys.path, so its copy wins."""
    place = _package(pytester.path) / "__init__.py"
    pytester.makepyfile(
        test_flat=f"""
        import pathlib
        import {PACKAGE}

        def test_good():
            pathlib.Path("ran").write_text("")
        """
    )
    result = run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*wheelworks guard: not the installed wheel*",
            f"module {PACKAGE} was imported from {place}",
            f"expected below {tmp_path / 'env'}",
            "hint: *",
        ]
    )
    assert _session(tmp_path)["violations"] == [{"module": PACKAGE, "file": str(place)}]
    assert not (pytester.path / "ran").exists()


def test_an_import_within_a_test_stops_the_run_at_the_end_of_its_module(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """Late imports are seen as well; later modules are not run."""
    _package(pytester.path)
    pytester.makepyfile(
        test_a=f"def test_late():\n    import {PACKAGE}.part",
        test_b="def test_never(): pass",
    )
    assert run().ret == pytest.ExitCode.TESTS_FAILED
    session = _session(tmp_path)
    assert session["counts"] == {"passed": 1, "failed": 0, "errors": 0, "skipped": 0, "total": 1}
    violations = session["violations"]
    assert isinstance(violations, list)
    assert [one["module"] for one in violations] == [PACKAGE, f"{PACKAGE}.part"]


def test_an_import_at_the_very_end_fails_the_run(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """A session fixture's teardown comes after the last test."""
    _package(pytester.path)
    pytester.makeconftest(
        f"""
        def pytest_sessionfinish():
            import {PACKAGE}
        """
    )
    pytester.makepyfile("def test_good(): pass")
    assert run().ret == pytest.ExitCode.TESTS_FAILED
    assert _session(tmp_path)["exit_status"] == 1


def test_a_file_that_cannot_be_collected_is_an_error(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """And one that skips itself is skipped."""
    pytester.makepyfile(
        test_a="import does_not_exist",
        test_b="import pytest\npytest.skip('no', allow_module_level=True)",
    )
    assert run().ret == pytest.ExitCode.INTERRUPTED
    session = _session(tmp_path)
    assert session["counts"] == {"passed": 0, "failed": 0, "errors": 1, "skipped": 1, "total": 2}
    assert session["failed"] == ["test_a.py"]


def test_nothing_run_stays_pytests_own_failure(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """Exit status 5 means that no test was found."""
    pytester.makepyfile(helper="x = 1")
    assert run().ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert _session(tmp_path)["warnings"] == [f"the tests imported no module of {PACKAGE}"]


def test_tests_that_never_import_the_package_are_warned_about(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """They may test through a program, so it is no failure."""
    pytester.makepyfile("def test_good(): pass")
    assert run().ret == pytest.ExitCode.OK
    assert _session(tmp_path)["warnings"] == [f"the tests imported no module of {PACKAGE}"]


def test_a_crash_leaves_what_was_known(pytester: pytest.Pytester, run: Run, tmp_path: Path) -> None:
    """The record is written at each new file, so a segmentation fault costs one file's tests."""
    pytester.makepyfile(
        test_a="def test_good(): pass",
        test_b=f"""
        import json, os

        def test_crash():
            with open({str(tmp_path / "result.json")!r}) as stream:
                session = json.load(stream)["sessions"][0]
            assert session["counts"]["passed"] == 1
            assert session["exit_status"] is None
            assert session["last_file"] == "test_b.py"
        """,
    )
    assert run().ret == pytest.ExitCode.OK


def test_sessions_of_one_command_are_kept_beside_each_other(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """A command may start pytest twice, for instance a script."""
    pytester.makepyfile(f"import {PACKAGE}\ndef test_good(): pass")
    run()
    run("--collect-only")
    assert [session["exit_status"] for session in _sessions(tmp_path)] == [0, 0]
    assert pytest_guard.OWNER_VARIABLE not in os.environ


def test_a_pytest_inside_a_test_is_not_the_run(
    pytester: pytest.Pytester, run: Run, tmp_path: Path
) -> None:
    """Projects that test pytest plugins start one; its own project has other imports and counts."""
    pytester.makepyfile(
        f"""
        import {PACKAGE}
        pytest_plugins = ["pytester"]

        def test_inner(pytester):
            pytester.makepyfile("def test_bad(): assert 0")
            assert pytester.runpytest_inprocess("-p", "wheelworks.pytest_guard").ret == 1
        """
    )
    assert run().ret == pytest.ExitCode.OK
    assert _session(tmp_path)["counts"] == {
        "passed": 1,
        "failed": 0,
        "errors": 0,
        "skipped": 0,
        "total": 1,
    }


def test_without_its_variables_the_guard_does_nothing(pytester: pytest.Pytester) -> None:
    """So that the file may lie in an environment that people use by hand."""
    _package(pytester.path)
    pytester.makepyfile(f"import {PACKAGE}\ndef test_good(): pass")
    result = pytester.runpytest_inprocess("-p", "wheelworks.pytest_guard")
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize("content", ["", "[]", '{"sessions": 3}', "{}"])
def test_a_torn_record_of_an_earlier_session_is_replaced(
    pytester: pytest.Pytester, run: Run, tmp_path: Path, content: str
) -> None:
    """It never stops the tests."""
    (tmp_path / "result.json").write_text(content)
    pytester.makepyfile(f"import {PACKAGE}\ndef test_good(): pass")
    assert run().ret == pytest.ExitCode.OK
    assert _session(tmp_path)["exit_status"] == 0


def test_a_record_that_cannot_be_written_does_not_change_the_verdict(
    pytester: pytest.Pytester, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, for instance."""
    monkeypatch.setenv(pytest_guard.RESULT_VARIABLE, str(tmp_path / "gone" / "result.json"))
    pytester.makepyfile(f"import {PACKAGE}\ndef test_good(): pass")
    assert run().ret == pytest.ExitCode.OK
    monkeypatch.delenv(pytest_guard.RESULT_VARIABLE)
    assert run().ret == pytest.ExitCode.OK


def _module(name: str, **attributes: object) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(attributes)
    return module


def test_strangers_are_named_modules_from_elsewhere() -> None:
    """Submodules count, names that only begin alike do not."""
    modules = {
        "demo": _module("demo", __file__="/env/demo/__init__.py"),
        "demo.native": _module("demo.native", __file__="/src/demo/native.so"),
        "demonstration": _module("demonstration", __file__="/src/demonstration.py"),
    }
    assert find_strangers(modules, ["demo"], "/env") == (
        {"demo.native": "/src/demo/native.so"},
        True,
    )
    assert find_strangers(modules, ["other"], "/env") == ({}, False)


@pytest.mark.parametrize(
    ("attributes", "strangers"),
    [
        ({}, {}),
        ({"__file__": None}, {}),
        ({"__path__": 3}, {}),
        ({"__path__": ["/src/demo"]}, {"demo": "/src/demo"}),
        ({"__path__": ["/src/demo", "/env/demo"]}, {}),
        ({"__path__": []}, {}),
    ],
)
def test_modules_without_a_file_are_judged_by_their_folders(
    attributes: dict[str, object], strangers: dict[str, str]
) -> None:
    """A namespace package may span several places; what code made has none."""
    modules = {"demo": _module("demo", **attributes)}
    assert find_strangers(modules, ["demo"], "/env") == (strangers, True)


def test_links_are_resolved_before_paths_are_compared(tmp_path: Path) -> None:
    """A temporary folder is often behind a link, and a link out of the environment leads out."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "out").symlink_to("/usr")
    assert is_within(str(tmp_path / "link" / "a.py"), str(tmp_path / "real"))
    assert is_within(str(tmp_path / "real" / "a.py"), str(tmp_path / "link"))
    assert not is_within(str(tmp_path / "real" / "out" / "a.py"), str(tmp_path / "real"))
    assert not is_within(str(tmp_path / "realm" / "a.py"), str(tmp_path / "real"))


def _guard(tmp_path: Path, *, is_worker: bool) -> Guard:
    return Guard(
        names=(PACKAGE,),
        prefix=str(tmp_path / "env"),
        result=str(tmp_path / "result.json"),
        is_worker=is_worker,
    )


def test_a_worker_tells_the_controller_what_it_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pytest-xdist imports the package in its workers only, and only the controller records."""
    stranger = _module(PACKAGE, __file__="/src/guarded_package/__init__.py")
    monkeypatch.setitem(sys.modules, PACKAGE, stranger)
    worker = _guard(tmp_path, is_worker=True)
    config = SimpleNamespace(workeroutput={})
    session = SimpleNamespace(config=config, shouldfail=False, exitstatus=0)
    worker.pytest_collection_finish(session)  # type: ignore[arg-type]
    worker.pytest_sessionfinish(session, 0)  # type: ignore[arg-type]
    assert str(session.shouldfail).startswith(f"{PACKAGE} was imported from /src/")
    assert not (tmp_path / "result.json").exists()

    monkeypatch.delitem(sys.modules, PACKAGE)
    controller = _guard(tmp_path, is_worker=False)
    controller.pytest_testnodedown(SimpleNamespace(workeroutput=config.workeroutput))
    controller.pytest_testnodedown(SimpleNamespace())
    session = SimpleNamespace(config=SimpleNamespace(), exitstatus=0)
    controller.pytest_sessionfinish(session, 0)  # type: ignore[arg-type]
    assert session.exitstatus == 1
    recorded = _session(tmp_path)
    assert recorded["exit_status"] == 1
    assert recorded["warnings"] == []
