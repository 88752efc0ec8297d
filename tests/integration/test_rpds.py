"""A project that is not ours: rpds-py from its sdist, adopted with ``wheelworks init`` and no hand edit.

Its wheels are built once for the module, which takes minutes: the tests look at what came of it, in
the order of a maintainer's day. Needs Rust, zig and the package indexes; CPython 3.12 and 3.13.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration.conftest import Wheelworks

CPYTHONS = "cp31{2,3,4}-manylinux_x86_64"
PLATFORM = "manylinux2014_x86_64.manylinux_2_17_x86_64"
#: The tests that rpds-py 2026.9.1 has.
TESTS = 132

Report = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """An adopted copy of the project."""

    root: Path
    original: Mapping[str, bytes]
    """Its files before the adoption."""
    wheelworks: Wheelworks

    def run(self, *arguments: str) -> Report:
        """Run a command that must succeed, and give its report."""
        done = self.wheelworks(*arguments, "--json", cwd=self.root)
        assert done.code == 0, done.err
        return cast("Report", json.loads(done.out))

    def wheels(self) -> set[str]:
        """The tags of the wheels in ``dist/``."""
        names = (path.name for path in (self.root / "dist").glob("*.whl"))
        return {name.removeprefix("rpds_py-2026.9.1-").removesuffix(".whl") for name in names}


@pytest.fixture(scope="module")
def project(rpds: Path, wheelworks: Wheelworks) -> Adopted:
    """The project after ``wheelworks init``."""
    original = {
        path.relative_to(rpds).as_posix(): path.read_bytes()
        for path in rpds.rglob("*")
        if path.is_file()
    }
    done = wheelworks("init", "-y", cwd=rpds)
    assert done.code == 0, done.err
    return Adopted(root=rpds, original=original, wheelworks=wheelworks)


@pytest.fixture(scope="module")
def built(project: Adopted) -> Report:
    """The report of building the three newest CPythons."""
    return project.run("build", CPYTHONS)


def results(report: Report) -> dict[str, Report]:
    """Job -> its result."""
    listed = cast("list[Report]", report["results"])
    return {str(result["job_id"]): result for result in listed}


def test_adoption_changes_no_file_but_adds_a_section(project: Adopted) -> None:
    """The project's own noxfile stays byte for byte; pyproject.toml grows at its end."""
    now = {name: (project.root / name).read_bytes() for name in project.original}
    changed = {name for name, content in project.original.items() if now[name] != content}
    assert changed == {"pyproject.toml"}
    assert now["pyproject.toml"].startswith(project.original["pyproject.toml"])
    assert "noxfile.py" in project.original
    assert (project.root / "noxfile_wheelworks.py").is_file()


def test_wheels_are_built_and_audited(project: Adopted, built: Report) -> None:
    """One wheel for each interpreter, with the tags that the project's own CI gives them."""
    assert {result["outcome"] for result in results(built).values()} == {"succeeded"}
    assert all(result["findings"] == [] for result in results(built).values())
    assert project.wheels() >= {f"cp31{n}-cp31{n}-{PLATFORM}" for n in (2, 3, 4)}
    assert cast("Mapping[str, str]", built["tools"])["rustc"]


def test_a_further_interpreter_compiles_only_what_depends_on_it(built: Report) -> None:
    """Cargo says what it compiles: everything once, then PyO3's crates and the project's.

    And target-lexicon, whose build script writes a file: what was written at another path is made anew.
    """
    compiled = sorted((compiled_by(result) for result in builds(built)), key=len)
    further = {"target-lexicon", "pyo3-build-config", "pyo3-ffi", "pyo3", "rpds-py"}
    assert compiled[0] == compiled[1] == further
    assert compiled[2] > further
    assert len(compiled[2]) > 10


def test_folders_that_others_began_with_stay_fresh(project: Adopted, built: Report) -> None:
    """Their wheels are gone and packed anew, and cargo compiles nothing for that."""
    for wheel in (project.root / "dist").glob("*.whl"):
        wheel.unlink()
    again = builds(project.run("build", CPYTHONS))
    assert {result["outcome"] for result in again} == {"succeeded"}
    assert [compiled_by(result) for result in again] == [set(), set(), set()]
    assert len(builds(built)) == 3


def builds(report: Report) -> list[Report]:
    """The results of the builds."""
    return [result for job, result in results(report).items() if job.startswith("build")]


def compiled_by(result: Report) -> set[str]:
    """Names of the crates that cargo compiled, by the job's log."""
    lines = Path(str(result["log"])).read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines]
    return {line[1] for line in words if line[:1] == ["Compiling"]}


@pytest.mark.usefixtures("built")
def test_the_projects_tests_pass_on_the_wheels(project: Adopted) -> None:
    """All of them, on both interpreters, without building anything again."""
    found = results(project.run("test", "cp31{2,3}-manylinux_x86_64"))
    for minor in (2, 3):
        cell = f"cp31{minor}-manylinux_x86_64"
        assert found[f"build {cell}"]["outcome"] == "up to date"
        assert found[f"test {cell}"]["outcome"] == "succeeded"
        counts = {"total": TESTS, "failed": 0, "errors": 0, "skipped": 0}
        assert found[f"test {cell}"]["tests"] == counts


@pytest.mark.usefixtures("built")
def test_what_is_there_is_up_to_date(project: Adopted) -> None:
    """A second run builds nothing; a changed source is named as the reason for building again."""
    again = results(project.run("build", CPYTHONS))
    assert {result["outcome"] for result in again.values()} == {"up to date"}
    source = project.root / "src" / "lib.rs"
    content = source.read_bytes()
    source.write_bytes(content + b"\n// changed\n")
    jobs = cast("list[Report]", project.run("plan", CPYTHONS)["jobs"])
    source.write_bytes(content)
    assert [job["up_to_date"] for job in jobs] == [False, False, False]
    assert all("src/lib.rs" in str(job["stale_because"]) for job in jobs)


def test_free_threaded_and_pypy_wheels(project: Adopted) -> None:
    """Interpreters outside the configured matrix, which are not installed here; and the sdist of an sdist."""
    flags = ("--pythons", "3.14t", "pp311", "--targets", "manylinux_x86_64")
    found = results(project.run("build", *flags))
    assert {name: result["outcome"] for name, result in found.items()} == dict.fromkeys(
        ("sdist", "build cp314t-manylinux_x86_64", "build pp311-manylinux_x86_64"), "succeeded"
    )
    assert project.wheels() >= {f"cp314-cp314t-{PLATFORM}", f"pp311-pypy311_pp73-{PLATFORM}"}
    assert (project.root / "dist" / "rpds_py-2026.9.1.tar.gz").is_file()
