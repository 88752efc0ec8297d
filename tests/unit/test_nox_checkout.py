"""The environment that holds a checkout of wheelworks."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, cast

import pytest

from wheelworks import nox_checkout
from wheelworks.nox_checkout import checkout_environment, source_stamp

if TYPE_CHECKING:
    from pathlib import Path

    import nox


class FakeSession:
    """A nox session whose virtualenv is an empty file and whose installation is a note."""

    def __init__(self, cache_dir: Path) -> None:
        self.cache_dir = cache_dir
        self.commands: list[tuple[str, ...]] = []
        self.environments: list[object] = []
        self.fails = False

    def run_install(self, *command: str, env: object = None, **_options: object) -> None:
        """Note the command; make the interpreter when it is virtualenv's."""
        if "virtualenv" in command:
            python = nox_checkout._python(self.cache_dir / "checkout" / "wheelworks")
            python.parent.mkdir(parents=True)
            python.touch()
        elif self.fails:
            raise RuntimeError
        self.commands.append(command)
        self.environments.append(env)

    @property
    def kinds(self) -> list[str]:
        """``env`` for an environment made, ``install`` for an installation."""
        return ["env" if "virtualenv" in command else "install" for command in self.commands]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one file of each kind."""
    folder = tmp_path / "checkout"
    for name in ("Cargo.toml", "pyproject.toml", "src/lib.rs", "python/wheelworks/__init__.py"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    """A session with an empty cache folder."""
    return FakeSession(tmp_path / "cache")


def use(session: FakeSession, checkout: Path, *requirements: str) -> Path:
    """Enter the environment and leave it."""
    with checkout_environment(
        cast("nox.Session", session), checkout, requirements=requirements
    ) as python:
        return python


def test_the_first_use_makes_the_environment(session: FakeSession, checkout: Path) -> None:
    """An empty cache gives an interpreter with the checkout installed."""
    python = use(session, checkout, "pytest")
    assert python.exists()
    assert session.kinds == ["env", "install"]
    assert session.commands[1][-2:] == (str(checkout), "pytest")


def test_cargo_builds_in_the_checkout_whatever_the_environment(
    session: FakeSession, checkout: Path
) -> None:
    """One cargo folder, and one interpreter for PyO3: a second environment compiles nothing."""
    use(session, checkout)
    assert session.environments[1] == {
        "CARGO_TARGET_DIR": str(checkout / "target" / "nox"),
        "MATURIN_PEP517_USE_BASE_PYTHON": "true",
    }


def test_nothing_is_installed_again_when_nothing_changed(
    session: FakeSession, checkout: Path
) -> None:
    """A by-product of a run is no change."""
    use(session, checkout)
    (checkout / "python" / "wheelworks" / "__init__.pyc").touch()
    (checkout / "python" / "wheelworks" / "_native.so").touch()
    (checkout / "README.md").touch()
    (checkout / "python" / ".mypy_cache").mkdir()
    (checkout / "python" / ".mypy_cache" / "meta.json").touch()
    use(session, checkout)
    assert session.kinds == ["env", "install"]


@pytest.mark.parametrize("name", ["Cargo.lock", "src/new/mod.rs", "python/wheelworks/cli.py"])
def test_a_changed_source_is_installed_into_the_same_environment(
    session: FakeSession, checkout: Path, name: str
) -> None:
    """A new file that counts asks for an installation, not for a new environment."""
    use(session, checkout)
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).write_text("new")
    use(session, checkout)
    assert session.kinds == ["env", "install", "install"]


def test_other_requirements_ask_for_a_new_environment(session: FakeSession, checkout: Path) -> None:
    """What the former requirements brought must not linger."""
    use(session, checkout, "pytest")
    use(session, checkout, "pytest", "hypothesis")
    assert session.kinds == ["env", "install", "env", "install"]


def test_a_vanished_interpreter_asks_for_a_new_environment(
    session: FakeSession, checkout: Path
) -> None:
    """An uninstalled Python leaves a dangling link behind."""
    use(session, checkout).unlink()
    use(session, checkout)
    assert session.kinds == ["env", "install", "env", "install"]


def test_a_failed_installation_is_tried_again(session: FakeSession, checkout: Path) -> None:
    """A half-installed environment never counts as fresh."""
    session.fails = True
    with pytest.raises(RuntimeError):
        use(session, checkout)
    session.fails = False
    use(session, checkout)
    assert session.kinds[-1] == "install"


def test_sessions_at_the_same_time_install_once(session: FakeSession, checkout: Path) -> None:
    """``nox -j2`` starts two processes that both find an empty cache."""
    threads = [threading.Thread(target=use, args=(session, checkout)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert session.kinds == ["env", "install"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses to replace a loaded module")
def test_a_changed_checkout_waits_for_those_that_use_the_environment(
    session: FakeSession, checkout: Path
) -> None:
    """A running session's modules are not replaced under it."""
    order: list[str] = []
    done = threading.Event()

    def second() -> None:
        use(session, checkout)
        order.append("second")
        done.set()

    with checkout_environment(cast("nox.Session", session), checkout):
        (checkout / "Cargo.lock").write_text("new")
        thread = threading.Thread(target=second)
        thread.start()
        assert not done.wait(0.2)
        order.append("first")
    thread.join(timeout=60)
    assert order == ["first", "second"]
    assert session.kinds == ["env", "install", "install"]


def test_the_stamp_tells_a_moved_line_from_a_moved_file(checkout: Path) -> None:
    """Content that moves from one file to its neighbour changes the stamp."""
    (checkout / "src" / "a.rs").write_text("xy")
    (checkout / "src" / "b.rs").write_text("")
    before = source_stamp(checkout)
    (checkout / "src" / "a.rs").write_text("x")
    (checkout / "src" / "b.rs").write_text("y")
    assert source_stamp(checkout) != before
