# /// script
# requires-python = ">=3.11"
# dependencies = ["nox>=2025.5.1"]
# ///
"""Sessions of this repository; `nox -s wheels` builds every wheel that this machine can build."""

from __future__ import annotations

import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"

ROOT = Path(__file__).parent
# The sessions come from the package itself, also in a clone where nothing is built yet.
sys.path.insert(0, str(ROOT / "python"))

import wheelworks.nox  # noqa: E402
from wheelworks.nox_checkout import checkout_environment  # noqa: E402

PYPROJECT = nox.project.load_toml("pyproject.toml")
DEPENDENCIES: list[str] = PYPROJECT["project"]["dependencies"]

wheelworks.nox.register(install=".")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types, of the Python part for every system, and of the Rust core."""
    session.install(*DEPENDENCIES, *nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy", "--platform", "linux")
    # The tests that send signals are for POSIX, so only what is shipped is checked for the others.
    for platform in ("darwin", "win32"):
        session.run("mypy", "--platform", platform, "python", "noxfile.py")
    session.run("cargo", "fmt", "--check", external=True)
    session.run(
        "cargo", "clippy", "--all-targets", "--all-features", "--", "-D", "warnings", external=True
    )


def run_tests(session: nox.Session, *selection: str) -> None:
    """Run cargo's tests, then pytest against the installed checkout."""
    session.run("cargo", "test", "--locked", "-q", external=True)
    requirements = nox.project.dependency_groups(PYPROJECT, "test")
    with checkout_environment(session, ROOT, name="tests", requirements=requirements) as python:
        # `-P`: the tests see the installed package, whatever lies in the current folder.
        session.run(str(python), "-P", "-m", "pytest", *selection, *session.posargs, external=True)


@nox.session(python=False)
def unit(session: nox.Session) -> None:
    """Run the unit and property tests of the Rust core and of the installed package."""
    run_tests(session, "-m", "not integration")


@nox.session(python=False, default=False)
def tests(session: nox.Session) -> None:
    """Run every test, also those that start cargo, maturin, zig and nox."""
    run_tests(session)


@nox.session(python=False, default=False)
def docs(session: nox.Session) -> None:
    """Check that the pages are up to date and that no link in them is dead."""
    with checkout_environment(session, ROOT) as python:
        for script in ("regenerate_docs.py", "check_links.py", "check_modules.py"):
            session.run(str(python), f"scripts/{script}", "--check", external=True)


@nox.session(python=False, default=False)
def bench(session: nox.Session) -> None:
    """Run the benchmarks, or those whose names are given after `--`."""
    names = session.posargs or sorted(path.stem for path in ROOT.glob("scripts/bench_*.py"))
    # The baseline must use the versions that wheelworks pins; the benchmark checks it.
    requirements = ["nox", "maturin==1.16.0", "ziglang==0.17.1"]
    with checkout_environment(session, ROOT, name="bench", requirements=requirements) as python:
        for name in names:
            session.run(str(python), f"scripts/{name}.py", external=True)


@nox.session(python=False, default=False)
def fuzz(session: nox.Session) -> None:
    """Feed the reader of binaries with damaged files, for a minute or the seconds given."""
    seconds = session.posargs[0] if session.posargs else "60"
    session.run(
        *("cargo", "run", "--locked", "-q", "--profile", "fuzz", "--example", "fuzz_binary"),
        env={"WHEELWORKS_FUZZ_SECONDS": seconds},
        external=True,
    )
