"""load(): one call from a folder to settings and project, or to all faults at once."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wheelworks.config.load import Loaded, load
from wheelworks.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLES = Path(__file__).parent.parent / "projects"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A copy of the sample that can be changed."""
    return shutil.copytree(SAMPLES / "mixed", tmp_path / "project")


def append(folder: Path, text: str) -> None:
    """Add to the project's pyproject.toml."""
    with (folder / "pyproject.toml").open("a") as file:
        file.write("\n" + text)


def read(
    folder: Path,
    *,
    flags: Mapping[str, str | tuple[str, ...] | bool] | None = None,
    environ: Mapping[str, str] | None = None,
    package: str | None = None,
) -> Loaded:
    """Load with nothing from the caller but what is given."""
    return load(folder, flags=flags or {}, environ=environ or {}, package=package)


def faults_of(folder: Path, environ: Mapping[str, str] | None = None) -> tuple[Fault, ...]:
    """The faults that loading the folder raises."""
    with pytest.raises(ConfigurationError) as caught:
        read(folder, environ=environ)
    return caught.value.faults


def test_a_project_without_a_section_works(mixed: Path) -> None:
    """Every option has a value, with its origin where it was computed."""
    loaded = read(mixed)
    settings = loaded.settings
    assert settings.pythons == ("3.11", "3.12", "3.13")
    assert settings.dist == mixed / "dist"
    assert settings.cell.test.command == ("pytest {project}/tests",)
    assert settings.cell.test.groups == ("test",)
    assert settings.cell.profile == "release"
    assert settings.origins == {
        "pythons": "default (classifiers)",
        "test.command": "default (folder tests)",
        "test.requires": "default",
        "test.groups": "default (dependency group test)",
        "test.extras": "default (no extra for tests)",
    }
    assert loaded.project.name == "sample-mixed"
    assert loaded.files == (mixed / "pyproject.toml", mixed / "Cargo.toml")
    assert loaded.warnings == ()


def test_sources_in_order(mixed: Path) -> None:
    """File below environment below flags; each value with its origin."""
    append(mixed, '[tool.wheelworks]\njobs = 1\nrust = "1.90"\nprovision = "never"\nskip = ["a*"]')
    loaded = read(
        mixed,
        environ={"WHEELWORKS_JOBS": "2", "WHEELWORKS_RUST": "any", "HOME": "/x"},
        flags={"jobs": "3", "targets": ("win_amd64",)},
    )
    settings = loaded.settings
    assert (settings.jobs, settings.rust, settings.provision) == (3, "any", "never")
    assert settings.targets == ("win_amd64",)
    assert settings.origins["jobs"] == "flag --jobs"
    assert settings.origins["rust"] == "environment variable WHEELWORKS_RUST"
    assert settings.origins["provision"] == str(mixed / "pyproject.toml")


def test_other_sections_are_the_weakest(mixed: Path) -> None:
    """[tool.maturin] and [tool.cibuildwheel] give defaults that our section overrules."""
    append(
        mixed,
        '[tool.cibuildwheel]\nskip = "pp*"\ntest-command = "pytest {package}"\n'
        '[tool.wheelworks]\nskip = ["cp311-*"]',
    )
    path = mixed / "pyproject.toml"
    path.write_text(path.read_text().replace("[tool.maturin]", '[tool.maturin]\nprofile = "fast"'))
    loaded = read(mixed)
    assert loaded.settings.skip == ("cp311-*",)
    assert loaded.settings.cell.profile == "fast"
    assert loaded.settings.origins["profile"] == "[tool.maturin] profile"
    assert loaded.settings.cell.test.command == ("pytest {project}",)
    assert loaded.settings.origins["test.command"] == "[tool.cibuildwheel] test-command"
    assert loaded.project.has_cibuildwheel


def test_a_warning_ends_with_its_cause(mixed: Path) -> None:
    """A command of cibuildwheel that needs a shell is told until ours replaces it."""
    append(mixed, '[tool.cibuildwheel]\ntest-command = "cd x && pytest"')
    assert "needs a shell" in read(mixed).warnings[0]
    append(mixed, '[tool.wheelworks.test]\ncommand = "pytest"')
    assert read(mixed).warnings == ()


def test_left_out_versions_are_warnings(mixed: Path) -> None:
    """Until somebody says which interpreters are meant."""
    path = mixed / "pyproject.toml"
    text = path.read_text().replace(">=3.11", ">=3.9").replace("Python :: 3.13", "Python :: 3.9")
    path.write_text(text)
    assert read(mixed).warnings == (
        "CPython 3.9 reached its end of life on 2025-10-31, so it is left out",
    )
    assert read(mixed, flags={"pythons": "3.12"}).warnings == ()


def test_all_faults_come_together(mixed: Path) -> None:
    """Every source, file and kind of fault at once, each with file, key and the nearest name."""
    append(
        mixed,
        """
        [tool.wheelworks]
        pyhtons = ["3.12"]
        jobs = "many"
        [tool.wheelworks.test]
        groups = ["tests"]
        [[tool.wheelworks.overrides]]
        profile = "dev"
        """,
    )
    (mixed / "Cargo.toml").write_text("= 3")
    found = faults_of(mixed, {"WHEELWORKS_JOB": "1"})
    file = str(mixed / "pyproject.toml")
    assert [(fault.key, fault.origin, fault.hint) for fault in found] == [
        ("tool.wheelworks.pyhtons", file, "the nearest valid name is pythons"),
        ("WHEELWORKS_JOB", "environment", "the nearest valid name is WHEELWORKS_JOBS"),
        ("tool.wheelworks.jobs", file, None),
        (
            "tool.wheelworks.overrides[0].select",
            file,
            'write select = "*-win_amd64", or another pattern over cell ids',
        ),
        ("tool.wheelworks.test.groups", file, "the nearest valid name is test"),
        ("Cargo.toml", str(mixed / "Cargo.toml"), None),
    ]


def test_the_container_table_comes_from_every_source(mixed: Path) -> None:
    """Its options have keys, variables and flags as all others."""
    append(
        mixed,
        """
        [tool.wheelworks.container]
        engine = "docker"
        packages = ["cmake"]
        build-args.RUST = "1.90"
        """,
    )
    loaded = read(
        mixed,
        environ={
            "WHEELWORKS_CONTAINER_ENGINE": "auto",
            "WHEELWORKS_CONTAINER_ENGINE_ARGS": "-v 'a b:/c'",
        },
        flags={"container.engine": "podman", "offline": True, "toolchain": "cibuildwheel"},
    )
    container = loaded.settings.container
    assert container.engine == "podman"
    assert container.packages == ("cmake",)
    assert container.build_args == {"RUST": "1.90"}
    assert container.engine_args == ("-v", "a b:/c")
    assert (loaded.settings.offline, loaded.settings.cell.toolchain) == (True, "cibuildwheel")
    assert loaded.settings.origins["container.engine"] == "flag --container-engine"


def test_faults_of_the_container_table_come_with_the_others(mixed: Path) -> None:
    """Unknown keys with the nearest name, wrong values, and a table where it can't be."""
    append(
        mixed,
        """
        [tool.wheelworks.container]
        enigne = "docker"
        rust = "nightly"
        [[tool.wheelworks.overrides]]
        select = "*"
        container.engine = "podman"
        """,
    )
    found = faults_of(mixed, {"WHEELWORKS_CONTAINER_IMAGES": "x"})
    assert [(fault.key, fault.hint) for fault in found] == [
        ("tool.wheelworks.container.enigne", "the nearest valid name is container.engine"),
        (
            "WHEELWORKS_CONTAINER_IMAGES",
            "the nearest valid name is WHEELWORKS_CONTAINER_IMAGE",
        ),
        ("tool.wheelworks.container.rust", None),
        ("tool.wheelworks.overrides[0].container", None),
    ]
    assert '"auto", "debian", "rustup"' in found[2].message


def test_the_message_counts_the_faults(mixed: Path) -> None:
    """One fault, or how many."""
    append(mixed, "[tool.wheelworks]\na = 1")
    with pytest.raises(ConfigurationError, match=r"^the configuration has a fault$"):
        read(mixed)
    append(mixed, "b = 1")
    with pytest.raises(ConfigurationError, match=r"^the configuration has 2 faults$"):
        read(mixed)


@pytest.mark.parametrize(
    ("requires", "message"),
    [("latest", "latest"), ("<3.9", "no maintained CPython satisfies '<3.9'")],
)
def test_requires_python_that_gives_no_interpreter(
    mixed: Path, requires: str, message: str
) -> None:
    """A broken one, or one for versions that nobody maintains."""
    path = mixed / "pyproject.toml"
    path.write_text(path.read_text().replace(">=3.11", requires))
    found = faults_of(mixed)
    assert [fault.key for fault in found] == ["project.requires-python"]
    assert message in found[0].message


def test_a_project_for_old_versions_only_may_name_them(mixed: Path) -> None:
    """``pythons`` is the way out of that fault."""
    path = mixed / "pyproject.toml"
    path.write_text(path.read_text().replace(">=3.11", "<3.9"))
    append(mixed, '[tool.wheelworks]\npythons = ["3.8"]')
    assert read(mixed).settings.pythons == ("3.8",)


def test_nothing_to_test_keeps_its_reason(mixed: Path) -> None:
    """For whoever has to say why no tests ran."""
    shutil.rmtree(mixed / "tests")
    test = read(mixed).settings.cell.test
    assert test.command is None
    assert test.no_command_reason is not None


def test_tests_in_the_package_are_named_as_modules(mixed: Path) -> None:
    """Testpaths within the package are run from the wheel."""
    shutil.move(mixed / "tests", mixed / "python" / "sample_mixed" / "tests")
    append(mixed, '[tool.pytest.ini_options]\ntestpaths = "python/sample_mixed/tests"')
    command = read(mixed).settings.cell.test.command
    assert command == ("pytest --pyargs sample_mixed.tests",)


def test_overrides_are_parsed(mixed: Path) -> None:
    """In order, with typed values."""
    append(mixed, '[[tool.wheelworks.overrides]]\nselect = "cp313-*"\ntimeout = "2h"')
    (override,) = read(mixed).settings.overrides
    assert (override.select, override.values) == (("cp313-*",), {"timeout": 7200.0})


def test_variables_and_flags_overrule_overrides(mixed: Path) -> None:
    """They come last, so what they set is taken out of every override."""
    append(
        mixed,
        """
        [[tool.wheelworks.overrides]]
        select = "*"
        timeout = "2h"
        features = ["a"]
        profile = "dev"
        inherit.features = "append"
        """,
    )
    loaded = read(mixed, environ={"WHEELWORKS_FEATURES": "b"}, flags={"profile": "release"})
    (override,) = loaded.settings.overrides
    assert (override.values, override.inherit) == ({"timeout": 7200.0}, {})
    assert loaded.settings.cell.features == ("b",)


def test_a_path_that_the_system_refuses_is_a_configuration_error(mixed: Path) -> None:
    """A name longer than any file system takes."""
    path = mixed / "pyproject.toml"
    long = "x" * 5000
    path.write_text(
        path.read_text().replace('python-source = "python"', f'python-source = "{long}"')
    )
    with pytest.raises(ConfigurationError) as caught:
        read(mixed)
    # From Python 3.14 on pathlib says of such a path that nothing is there.
    is_refused = sys.version_info < (3, 14)
    said = f"{caught.value} {[fault.message for fault in caught.value.faults]}"
    assert (
        "can't be looked at: file name too long" if is_refused else "there is no package"
    ) in said


def test_configured_features_reach_the_project(mixed: Path) -> None:
    """The stable ABI can be switched on by our section."""
    append(mixed, '[tool.wheelworks]\nfeatures = ["pyo3/abi3-py312"]\nno-default-features = true')
    assert read(mixed).project.stable_abi == (3, 12)


def test_the_top_is_below_the_package(tmp_path: Path) -> None:
    """Its section counts where the package's own says nothing; both files are read."""
    root = shutil.copytree(SAMPLES / "subfolder", tmp_path / "repository")
    append(root, '[[tool.wheelworks.overrides]]\nselect = "a*"')
    append(root / "bindings" / "python", '[[tool.wheelworks.overrides]]\nselect = "b*"')
    top = root / "pyproject.toml"
    top.write_text(top.read_text().replace("[tool.wheelworks]", "[tool.wheelworks]\ntargets = []"))
    for start in (root, root / "bindings" / "python"):
        loaded = read(start)
        assert loaded.settings.skip == ("*-win_amd64",)
        assert loaded.settings.origins["skip"] == str(top)
        assert loaded.settings.targets == ("manylinux_x86_64",)
        assert [override.select for override in loaded.settings.overrides] == [("a*",), ("b*",)]
        assert loaded.files[:2] == (root / "bindings" / "python" / "pyproject.toml", top)


@pytest.mark.parametrize("way", ["argument", "flag", "environment"])
def test_ways_to_choose_a_package(tmp_path: Path, way: str) -> None:
    """The option ``package`` works from every source."""
    root = shutil.copytree(SAMPLES / "several", tmp_path / "repository")
    loaded = read(
        root,
        package="sample-beta" if way == "argument" else None,
        flags={"package": "beta"} if way == "flag" else {},
        environ={"WHEELWORKS_PACKAGE": "beta"} if way == "environment" else {},
    )
    assert loaded.project.name == "sample-beta"


def test_the_cli_does_not_wait_for_heavy_imports() -> None:
    """Loading the configuration is on the path of a run that does nothing."""
    imported = set(sys.modules)
    assert "wheelworks.config.load" in imported
    source = Path(sys.modules["wheelworks.config.load"].__file__ or "").parent
    names = {
        line.split()[1].partition(".")[0]
        for path in source.glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("import ", "from "))
    }
    assert names <= {"__future__", "wheelworks", *sys.stdlib_module_names}
