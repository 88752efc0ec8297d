"""The sample projects become Projects; broken ones faults."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wheelworks.config.detect import Detected, FeatureChoice, detect_project
from wheelworks.config.pyproject import read_pyproject
from wheelworks.config.rust_files import (
    find_cargo_configs,
    find_rust_toolchain,
    normalize_version,
)
from wheelworks.config.sources import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.project import Project

SAMPLES = Path(__file__).parent.parent / "projects"


def detect(
    folder: Path, choice: FeatureChoice | None = None, environ: Mapping[str, str] | None = None
) -> Detected:
    """What reading the project of a folder gives."""
    path = folder / "pyproject.toml"
    pyproject = read_pyproject(read_toml(path), path)
    return detect_project(pyproject, choice or FeatureChoice(), environ or {})


def sample(name: str) -> Project:
    """The sample project of that name, which has no faults."""
    found = detect(SAMPLES / name)
    assert found.project is not None
    assert found.faults == ()
    return found.project


@pytest.fixture
def pure_rust(tmp_path: Path) -> Path:
    """A copy of the sample that can be changed."""
    return shutil.copytree(SAMPLES / "pure-rust", tmp_path / "project")


def test_mixed() -> None:
    """Package in a folder of its own."""
    project = sample("mixed")
    assert project.name == "sample-mixed"
    assert project.version == "0.1.0"
    assert project.module_name == "sample_mixed._native"
    assert project.import_names == ("sample_mixed",)
    assert project.python_source == project.root / "python"
    assert project.bindings == "pyo3"
    assert project.pyo3_requirement == "0.30"
    assert project.source_root == project.workspace_root == project.root
    assert project.has_lock_file
    assert project.dependency_groups == ("test",)
    assert project.maturin_requirement == ">=1.14.1,<2"


def test_flat() -> None:
    """Package beside the crate and the tests."""
    project = sample("flat")
    assert project.python_source == project.root
    assert project.package_dirs == (project.root / "sample_flat",)
    assert project.extras == ("tests",)


def test_pure_rust() -> None:
    """The module is the only import name; this sample has no lock file."""
    project = sample("pure-rust")
    assert project.import_names == ("sample_pure_rust",)
    assert project.python_source is None
    assert not project.has_lock_file


def test_crates_that_link_frameworks_come_from_the_lock_file(pure_rust: Path) -> None:
    """A lock file that is no text is one all the same: cargo says what is wrong with it."""
    manifest = pure_rust / "Cargo.toml"
    named = '[dependencies]\ncore-foundation-sys = "0.8"\n'
    manifest.write_text(manifest.read_text().replace("[dependencies]\n", named))
    lock = pure_rust / "Cargo.lock"
    lock.write_text('[[package]]\nname = "core-foundation-sys"\nversion = "0.8.7"\n')
    project = detect(pure_rust).project
    assert project is not None
    assert project.framework_crates == ("core-foundation-sys",)
    lock.write_bytes(b"\xff\xfe")
    project = detect(pure_rust).project
    assert project is not None
    assert (project.has_lock_file, project.framework_crates) == (True, ())


def test_subfolder() -> None:
    """The crate above the package and the readme are part of the sources."""
    project = sample("subfolder/bindings/python")
    assert project.source_root == SAMPLES / "subfolder"
    assert project.manifest_path == project.root / "Cargo.toml"


def test_workspace() -> None:
    """Inherited version, renamed and optional pyo3, stable ABI by a feature."""
    project = sample("workspace")
    assert project.manifest_path == project.root / "crates" / "python" / "Cargo.toml"
    assert project.workspace_root == project.root
    assert project.version == "1.2.0rc1"
    assert project.rust_version == "1.83"
    assert project.bindings == "pyo3"
    assert project.pyo3_features == ("abi3", "abi3-py311")
    assert project.stable_abi == (3, 11)
    assert project.free_threaded_stable_abi is None
    assert project.maturin_features == ("python",)


@pytest.mark.parametrize(
    ("name", "bindings", "imports", "stable_abi"),
    [
        ("abi3", "pyo3", ("sample_abi3",), (3, 11)),
        ("bin", "bin", (), None),
        ("cffi", "cffi", ("sample_cffi",), None),
        ("several/alpha", "pyo3", ("sample_alpha",), None),
    ],
)
def test_kinds_of_bindings(
    name: str, bindings: str, imports: tuple[str, ...], stable_abi: tuple[int, int] | None
) -> None:
    """As maturin tells them."""
    project = sample(name)
    assert (project.bindings, project.import_names) == (bindings, imports)
    assert project.stable_abi == stable_abi


def test_configured_features_count(pure_rust: Path) -> None:
    """[tool.wheelworks] features can switch the stable ABI on."""
    found = detect(pure_rust, FeatureChoice(features=("pyo3/abi3-py312",)))
    assert found.project is not None
    assert found.project.stable_abi == (3, 12)


def test_a_missing_manifest(pure_rust: Path) -> None:
    """With the way to name another one."""
    (pure_rust / "Cargo.toml").unlink()
    found = detect(pure_rust)
    assert found.project is None
    (fault,) = found.faults
    assert fault.message.endswith(f"but there is no {pure_rust / 'Cargo.toml'}")
    assert fault.hint == "name the crate by [tool.maturin] manifest-path"
    with (pure_rust / "pyproject.toml").open("a") as file:
        file.write('[tool.maturin]\nmanifest-path = "rust/Cargo.toml"\n')
    (fault,) = detect(pure_rust).faults
    assert fault.key == "tool.maturin.manifest-path"


def test_a_virtual_manifest(pure_rust: Path) -> None:
    """A workspace alone is no crate."""
    (pure_rust / "Cargo.toml").write_text("[workspace]\n")
    found = detect(pure_rust)
    assert found.project is None
    assert [fault.key for fault in found.faults] == ["package.name"]


def test_a_broken_manifest_is_not_called_virtual(pure_rust: Path) -> None:
    """The first cause is told, not what follows from it."""
    (pure_rust / "Cargo.toml").write_text("= 3")
    (fault,) = detect(pure_rust).faults
    assert fault.message.startswith("is no valid TOML")


def test_bindings_that_can_not_be_told(pure_rust: Path) -> None:
    """A plain library."""
    (pure_rust / "Cargo.toml").write_text('[package]\nname = "x"\n[workspace]\n')
    (fault,) = detect(pure_rust).faults
    assert fault.key == "dependencies"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("py03", "the nearest valid name is pyo3"),
        ("zzzz", "maturin knows pyo3, pyo3-ffi, bin, cffi, uniffi"),
    ],
)
def test_unknown_bindings(pure_rust: Path, written: str, hint: str) -> None:
    """With the nearest name, or all."""
    with (pure_rust / "pyproject.toml").open("a") as file:
        file.write(f'[tool.maturin]\nbindings = "{written}"\n')
    (fault,) = detect(pure_rust).faults
    assert (fault.key, fault.hint) == ("tool.maturin.bindings", hint)


def test_a_broken_condition_of_a_feature(pure_rust: Path) -> None:
    """It is named by its key."""
    with (pure_rust / "pyproject.toml").open("a") as file:
        file.write(
            '[tool.maturin]\nfeatures = [{feature = "pyo3/abi3-py38", python-version = "x"}]\n'
        )
    (fault,) = detect(pure_rust).faults
    assert fault.key == "tool.maturin.features"


def test_the_python_first_layout(pure_rust: Path) -> None:
    """The crate is in ``rust``."""
    (pure_rust / "rust").mkdir()
    (pure_rust / "Cargo.toml").rename(pure_rust / "rust" / "Cargo.toml")
    package = pure_rust / "src" / "sample_pure_rust"
    package.mkdir()
    (package / "__init__.py").touch()
    project = detect(pure_rust).project
    assert project is not None
    assert project.manifest_path == pure_rust / "rust" / "Cargo.toml"
    assert project.package_dirs == (package,)


def test_sources_all_over_the_disk_are_a_fault(pure_rust: Path) -> None:
    """A snapshot of the home folder, or of everything, is nobody's wish."""
    other = pure_rust.parent / "other"
    other.mkdir()
    (other / "Cargo.toml").write_text('[package]\nname = "other"\n')
    manifest = pure_rust / "Cargo.toml"
    manifest.write_text(
        manifest.read_text().replace("[workspace]", 'other = { path = "../other" }\n[workspace]')
    )
    home = str(pure_rust.parent)
    (fault,) = detect(pure_rust, environ={"HOME": home}).faults
    assert fault.key == "source root"
    assert fault.message.endswith(f"would have to hold all of {home}")
    assert detect(pure_rust, environ={"HOME": "/nobody"}).faults == ()


def test_a_linked_readme_is_part_of_the_sources(pure_rust: Path) -> None:
    """So is the file that it points to."""
    (pure_rust.parent / "README.md").touch()
    (pure_rust / "README.md").symlink_to("../README.md")
    path = pure_rust / "pyproject.toml"
    path.write_text(path.read_text().replace("dynamic", 'readme = "README.md"\ndynamic'))
    project = detect(pure_rust).project
    assert project is not None
    assert project.source_root == pure_rust.parent


def test_sources_on_several_drives_are_a_fault(
    pure_rust: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows paths may have no common ancestor at all."""

    def refuse(paths: object) -> str:
        msg = f"{paths} are on different drives"
        raise ValueError(msg)

    monkeypatch.setattr("wheelworks.config.detect.os.path.commonpath", refuse)
    assert [fault.key for fault in detect(pure_rust).faults] == ["source root"]


def test_a_project_may_be_the_home_folder(pure_rust: Path) -> None:
    """Where nothing outside it is read, as in a container."""
    assert detect(pure_rust, environ={"HOME": str(pure_rust)}).faults == ()


@pytest.mark.parametrize(
    ("script", "dependency", "expected"),
    [
        ("fn main() {}", "", False),
        ('// "git" is not used\nfn main() {}', "", False),
        ('fn main() { Command::new("git"); }', "", True),
        ('println!("cargo:rerun-if-changed=.git/HEAD");', "", True),
        ("fn main() {}", "[build-dependencies]\nvergen-gix = '1'", True),
        ("fn main() {}", "[dependencies]\ngit-version = '1'", True),
        ("fn main() {}", "[dev-dependencies]\ngit2 = '1'", False),
    ],
)
def test_build_scripts_that_look_at_git(
    pure_rust: Path, script: str, dependency: str, expected: bool
) -> None:
    """By what they hold, or by a crate that is known for it."""
    (pure_rust / "build.rs").write_text(script)
    manifest = pure_rust / "Cargo.toml"
    if dependency:
        manifest.write_text(
            '[package]\nname = "x"\n[lib]\ncrate-type = ["cdylib"]\n[workspace]\n' + dependency
        )
    project = detect(pure_rust).project
    assert project is not None
    assert project.reads_git is expected


def test_a_crate_without_build_script_reads_no_git(pure_rust: Path) -> None:
    """``build = false`` switches build.rs off."""
    (pure_rust / "build.rs").write_text('"git"')
    manifest = pure_rust / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace("edition", "build = false\nedition"))
    project = detect(pure_rust).project
    assert project is not None
    assert not project.reads_git


@pytest.mark.parametrize(
    ("name", "content", "channel"),
    [
        ("rust-toolchain.toml", '[toolchain]\nchannel = "1.85.0"\n', "1.85.0"),
        ("rust-toolchain.toml", '[toolchain]\npath = "/x"\n', None),
        ("rust-toolchain", "nightly-2026-01-01\n", "nightly-2026-01-01"),
        ("rust-toolchain", '[toolchain]\nchannel = "stable"\n', "stable"),
        ("rust-toolchain", "two words of nonsense", None),
    ],
)
def test_the_nearest_rust_toolchain(
    tmp_path: Path, name: str, content: str, channel: str | None
) -> None:
    """Both names and both formats, from a folder below."""
    (tmp_path / name).write_text(content)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_rust_toolchain(inner) == (tmp_path / name, channel)


def test_the_toolchain_file_is_among_the_files_read(pure_rust: Path) -> None:
    """A change of it is a change of the configuration."""
    path = pure_rust / "rust-toolchain.toml"
    path.write_text('[toolchain]\nchannel = "1.90"\n')
    found = detect(pure_rust)
    assert path in found.files
    assert found.project is not None
    assert found.project.rust_toolchain == "1.90"


def test_cargo_configuration_nearest_first(tmp_path: Path) -> None:
    """Of all folders above, without cargo's and the user's home; the old name wins."""
    inner = tmp_path / "a" / "b"
    for folder in (inner, tmp_path / "a", tmp_path):
        (folder / ".cargo").mkdir(parents=True)
        (folder / ".cargo" / "config.toml").touch()
    (inner / ".cargo" / "config").touch()
    found = find_cargo_configs(inner, {"CARGO_HOME": str(tmp_path / "a" / ".cargo")})
    assert [path for path in found if path.is_relative_to(tmp_path)] == [
        inner / ".cargo" / "config",
        tmp_path / ".cargo" / "config.toml",
    ]
    assert tmp_path / ".cargo" / "config.toml" not in find_cargo_configs(
        inner, {"HOME": str(tmp_path)}
    )


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2.3", "1.2.3"),
        ("1.0.0-rc.1", "1.0.0rc1"),
        ("1.0.0-alpha", "1.0.0a0"),
        ("1.0+build.5", "1.0+build.5"),
        ("next", "next"),
    ],
)
def test_versions_as_wheels_write_them(version: str, expected: str) -> None:
    """Cargo's pre-releases in Python's spelling; what is no version stays."""
    assert normalize_version(version) == expected
