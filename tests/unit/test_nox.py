"""The sessions that a noxfile gets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nox.registry
import pytest

from wheelworks import nox as wheelworks_nox
from wheelworks.arguments import build_parser, setting_flags
from wheelworks.config.pythons import default_pythons
from wheelworks.nox import project_pythons, register, session_specs

if TYPE_CHECKING:
    from collections.abc import Iterator


class FakeSession:
    """A nox session that notes what it is asked to run."""

    def __init__(self, *posargs: str) -> None:
        self.posargs = list(posargs)
        self.commands: list[tuple[str, ...]] = []
        self.options: list[dict[str, object]] = []

    def run(self, *command: str, **options: object) -> None:
        """Note a command."""
        self.commands.append(command)
        self.options.append(options)


@pytest.fixture(autouse=True)
def empty_registry() -> Iterator[None]:
    """Keep nox's registry of sessions empty around a test."""
    nox.registry.reset()
    yield
    nox.registry.reset()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The noxfile's folder, which nox makes the current one, with a project for two Pythons."""
    (tmp_path / "pyproject.toml").write_text('[tool.wheelworks]\npythons = ["3.12", "3.13"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(name: str, *posargs: str) -> FakeSession:
    """The fake session after the registered one of that name has run in it."""
    session = FakeSession(*posargs)
    nox.registry.get()[name](session)
    return session


@pytest.mark.usefixtures("folder")
def test_sessions_are_registered_by_their_names() -> None:
    """A project gets one test session per Python, named exactly so, and four others."""
    names = register()
    assert names == ("wheels", "sdist", "test-3.12", "test-3.13", "audit", "doctor")
    assert tuple(nox.registry.get()) == names


@pytest.mark.usefixtures("folder")
def test_nox_looks_for_no_interpreter_and_runs_nothing_unasked() -> None:
    """python=False keeps nox from skipping; default=False keeps a plain nox cheap."""
    register()
    for function in nox.registry.get().values():
        assert function.python is False
        assert function.default is False
        assert function.__doc__


@pytest.mark.usefixtures("folder")
def test_sessions_may_run_side_by_side() -> None:
    """``nox -j2 -s test-3.12 test-3.13`` is safe, so the sessions say so."""
    register()
    assert all(function.allow_parallel for function in nox.registry.get().values())


@pytest.mark.usefixtures("folder")
def test_the_prefix_goes_before_every_name() -> None:
    """A noxfile with a session named ``audit`` can still have ours."""
    assert register(prefix="ww-", pythons=["3.14t"]) == (
        "ww-wheels",
        "ww-sdist",
        "ww-test-3.14t",
        "ww-audit",
        "ww-doctor",
    )


@pytest.mark.usefixtures("folder")
def test_a_name_that_is_taken_is_refused() -> None:
    """Nox would silently replace the project's own session."""
    nox.session(name="doctor")(lambda session: None)
    with pytest.raises(ValueError, match=r"'doctor' already.*prefix="):
        register()
    assert tuple(nox.registry.get()) == ("doctor",)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("wheels", ("build",)),
        ("sdist", ("build", "--sdist-only")),
        ("test-3.13", ("test", "--python", "3.13")),
        ("audit", ("audit",)),
        ("doctor", ("doctor",)),
    ],
)
def test_a_session_runs_wheelworks_once_with_its_own_arguments(
    name: str, arguments: tuple[str, ...]
) -> None:
    """What follows ``--`` is handed on after the session's arguments; output is not captured."""
    register()
    session = run(name, "*-manylinux_x86_64", "-v")
    python = (sys.executable, "-P", "-m", "wheelworks")
    assert session.commands == [(*python, *arguments, "*-manylinux_x86_64", "-v")]
    assert session.options[0]["stderr"] is None


@pytest.mark.usefixtures("folder")
def test_flags_and_selectors_follow_two_dashes() -> None:
    """``nox -s wheels -- --toolchain cibuildwheel 'cp31{3,4}-*'`` asks for what it says."""
    register()
    arguments = run("wheels", "--toolchain", "cibuildwheel", "cp31{3,4}-*").commands[0][4:]
    args = build_parser().parse_args(arguments)
    assert setting_flags(args) == {"toolchain": "cibuildwheel"}
    assert args.selectors == ["cp31{3,4}-*"]


def test_a_project_in_a_sub_folder_is_handed_on(folder: Path) -> None:
    """The noxfile may lie above the package."""
    (folder / "pkg").mkdir()
    (folder / "pkg" / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.14"\n')
    names = register(project="pkg")
    assert "test-3.14" in names
    assert run("test-3.14").commands[0][4:] == ("-C", "pkg", "test", "--python", "3.14")


@pytest.mark.usefixtures("folder")
def test_a_checkout_is_run_by_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``install=`` the interpreter is that of the environment kept for the checkout."""
    import contextlib

    from wheelworks import nox_checkout

    @contextlib.contextmanager
    def environment(session: object, checkout: Path) -> Iterator[Path]:
        yield checkout / "env" / "python"

    monkeypatch.setattr(nox_checkout, "checkout_environment", environment)
    register(install="here")
    assert run("doctor").commands[0][0] == str(Path("here", "env", "python"))


def test_without_pyproject_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A noxfile in the wrong folder gets the path and the argument that helps."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"pyproject.toml can't be read.*project="):
        register()


def test_pythons_come_from_the_section_first() -> None:
    """``[tool.wheelworks] pythons`` outranks the classifiers."""
    document = {
        "project": {"classifiers": ["Programming Language :: Python :: 3.11"]},
        "tool": {"wheelworks": {"pythons": ["3.14t", "pp311"]}},
    }
    assert project_pythons(document) == ("3.14t", "pp311")


def test_pythons_come_from_the_metadata_else() -> None:
    """Classifiers count within requires-python, as in the configuration."""
    document = {
        "project": {
            "requires-python": ">=3.12",
            "classifiers": [
                "Programming Language :: Python :: 3.11",
                "Programming Language :: Python :: 3.13",
            ],
        }
    }
    assert project_pythons(document) == ("3.13",)


def test_a_project_that_says_nothing_gets_the_maintained_pythons() -> None:
    """A crate with a bare pyproject.toml has test sessions too."""
    assert project_pythons({"tool": "no table"}) == default_pythons(None, []).versions


@pytest.mark.parametrize("value", ["3.13", [3.13], 3])
def test_a_wrong_list_of_pythons_is_refused(value: object) -> None:
    """The error names the key; ``3.10`` unquoted would be 3.1."""
    with pytest.raises(ValueError, match=r"tool\.wheelworks\.pythons"):
        project_pythons({"tool": {"wheelworks": {"pythons": value}}})


def test_a_repeated_python_gets_one_session() -> None:
    """Nox would warn of the second."""
    specs = session_specs(prefix="", pythons=["3.13", "3.13"], project=None)
    assert [spec.name for spec in specs].count("test-3.13") == 1


@pytest.mark.starts_processes
def test_the_import_needs_only_the_standard_library_and_nox() -> None:
    """``nox -l`` must work where nothing of wheelworks is built and none of its needs installed."""
    code = (
        "import sys, json, nox, nox.registry\n"
        "before = set(sys.modules)\n"
        f"sys.path.insert(0, {str(Path(wheelworks_nox.__file__).parents[1])!r})\n"
        "import wheelworks.nox, wheelworks.nox_checkout\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    added = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert added <= sys.stdlib_module_names | {"wheelworks"}
    assert "wheelworks._native" not in done.stdout
