"""Real nox, with sessions from ``wheelworks.nox`` and a checkout that takes no time to build."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

# A build backend of the standard library alone: it puts python/ into a wheel, compiles nothing and
# needs no package index.
BACKEND = """\
import pathlib, zipfile

NAME = "wheelworks-0.0.0"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"{NAME}.dist-info"
    files = {
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: wheelworks\\nVersion: 0.0.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    for path in pathlib.Path("python").rglob("*.py"):
        files[path.relative_to("python").as_posix()] = path.read_text()
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in files)
    with zipfile.ZipFile(pathlib.Path(wheel_directory, f"{NAME}-py3-none-any.whl"), "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return f"{NAME}-py3-none-any.whl"
"""
MAIN = """\
import sys

print("stand-in", *sys.argv[1:])
sys.exit(3 if "--fail" in sys.argv else 0)
"""


def nox(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run nox in a folder as a user does."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NOX")}
    # The script environment is not what is tested: nox and wheelworks are here already.
    environ["NOX_SCRIPT_MODE"] = "none"
    return subprocess.run(
        [sys.executable, "-P", "-m", "nox", *arguments],
        cwd=folder,
        env=environ,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project whose noxfile runs a checkout of a stand-in for wheelworks."""
    files = {
        "noxfile.py": 'import wheelworks.nox\n\nwheelworks.nox.register(install="checkout")\n',
        "pyproject.toml": '[tool.wheelworks]\npythons = ["3.12", "3.99"]\n',
        "checkout/pyproject.toml": (
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        ),
        "checkout/backend.py": BACKEND,
        "checkout/python/wheelworks/__init__.py": "",
        "checkout/python/wheelworks/__main__.py": MAIN,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_sessions_are_listed_with_what_they_do(repository: Path) -> None:
    """``nox -l`` shows every session by its name and selects none."""
    done = nox(repository, "-l")
    assert done.returncode == 0, done.stdout
    for name in ("wheels", "sdist", "test-3.12", "test-3.99", "audit", "doctor"):
        assert f"\n- {name} -> " in done.stdout
    assert not (repository / ".nox").exists()


def test_sessions_side_by_side_install_the_checkout_once(repository: Path) -> None:
    """``nox -j2`` is safe, and an interpreter that nox does not know is no reason to skip."""
    done = nox(repository, "-j2", "-s", "test-3.12", "test-3.99")
    assert done.returncode == 0, done.stdout
    assert "stand-in test --python 3.12" in done.stdout
    assert "stand-in test --python 3.99" in done.stdout
    assert done.stdout.count("pip install") == 1
    assert "skipped" not in done.stdout


def test_a_failing_run_fails_the_session(repository: Path) -> None:
    """Nox knows one code for failure; arguments after ``--`` are handed on."""
    done = nox(repository, "-s", "wheels", "--", "cp313-*", "--fail")
    assert done.returncode == 1
    assert "stand-in build cp313-* --fail" in done.stdout


@pytest.mark.parametrize("backend", ["virtualenv", "venv", "uv", "none"])
def test_any_backend_of_nox_will_do(repository: Path, backend: str) -> None:
    """The environment of the checkout does not depend on how nox makes its own."""
    done = nox(repository, "-db", backend, "-s", "doctor")
    assert done.returncode == 0, done.stdout
    assert "stand-in doctor" in done.stdout


def test_a_change_is_installed_and_nothing_else_is(repository: Path) -> None:
    """Only a changed source costs an installation, and what runs is what was changed."""
    nox(repository, "-s", "doctor")
    again = nox(repository, "-s", "doctor")
    assert "pip install" not in again.stdout
    main = repository / "checkout" / "python" / "wheelworks" / "__main__.py"
    main.write_text('print("changed")\n', encoding="utf-8")
    changed = nox(repository, "-s", "doctor")
    assert changed.stdout.count("pip install") == 1
    assert "\nchanged\n" in changed.stdout


def test_an_adopter_runs_the_installed_wheelworks(repository: Path) -> None:
    """Without ``install=`` a session runs the wheelworks beside nox, whatever lies in the folder."""
    noxfile = "import wheelworks.nox\n\nwheelworks.nox.register()\n"
    (repository / "noxfile.py").write_text(noxfile, encoding="utf-8")
    # Python would import this one if the current folder were on its path.
    (repository / "argparse.py").write_text('raise SystemExit("shadowed")\n', encoding="utf-8")
    done = nox(repository, "-s", "audit", "--", "--help")
    assert done.returncode == 0, done.stdout
    assert "usage: wheelworks audit" in done.stdout


def test_this_repository_lists_its_sessions_before_anything_is_built() -> None:
    """In a bare clone nox alone is enough for ``nox -l``."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "noxfile.py").is_file():
        pytest.skip("the tests lie outside the repository")
    done = nox(root, "-l")
    assert done.returncode == 0, done.stdout
    for name in ("wheels", "test-3.12", "test-3.13", "test-3.14", "* lint", "tests", "bench"):
        assert name in done.stdout
