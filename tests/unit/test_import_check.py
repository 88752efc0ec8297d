"""Tests of the standalone import check, run in-process."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from wheelworks import import_check, pytest_guard


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package below a folder that is on sys.path."""
    folder = tmp_path / "env" / "checked_package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "broken.py").write_text("raise KeyboardInterrupt('stop')")
    (tmp_path / "env" / "checked_namespace").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "env"))
    for name in [name for name in sys.modules if name.startswith("checked_")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path / "env"


def test_a_package_of_the_environment_is_fine(
    package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The place of every name is printed for the log."""
    monkeypatch.setattr(sys, "prefix", str(package))
    assert import_check.main(["checked_package", "checked_namespace"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"checked_package is {package / 'checked_package' / '__init__.py'}"
    assert out[1].startswith("checked_namespace is ")


def test_a_package_from_elsewhere_is_refused(
    package: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A folder whose name only begins like the environment's is elsewhere."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "en"))
    assert import_check.main(["checked_package"]) == 1
    assert "not from" in capsys.readouterr().err
    assert import_check.find_fault("checked_package", str(package)) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [("checked_missing", "ModuleNotFoundError"), ("checked_package.broken", "KeyboardInterrupt")],
)
def test_an_import_that_fails_is_told(
    package: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    """Whatever a native module raises, the step ends with a line and 1."""
    assert package.is_dir()
    assert import_check.main([name]) == 1
    assert words in capsys.readouterr().err


def test_the_plugin_is_put_into_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the installed packages, where pytest finds it by name."""
    (tmp_path / "plugin.py").write_text("x = 1")
    (tmp_path / "site").mkdir()
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / "site"))
    assert import_check.main(["--plugin", str(tmp_path / "plugin.py")]) == 0
    assert (tmp_path / "site/plugin.py").read_text() == "x = 1"


@pytest.mark.parametrize("module", [import_check, pytest_guard])
def test_standalone_files_speak_old_python_and_need_nothing_of_ours(module: object) -> None:
    """They run under the interpreter under test, where wheelworks is not installed."""
    tree = ast.parse(
        Path(str(getattr(module, "__file__", ""))).read_text(encoding="utf-8"),
        feature_version=(3, 8),
    )
    imported = {
        name.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    } | {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert imported <= sys.stdlib_module_names | {"pytest"}
