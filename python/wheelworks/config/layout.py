"""Finds the Python part of a project: package folders, import names, places of tests.

(!) Looks at the disk, reads pytest's own configuration files. Follows maturin's rules for the
layout. Does not know Cargo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.config.cargo import join
from wheelworks.errors import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.config.pyproject import PyProject

_SKIPPED = ("__pycache__", "node_modules", "target", "venv")
#: pytest's other configuration files with the section that holds testpaths, strongest first.
_PYTEST_FILES = (
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonLayout:
    """The Python part of a project."""

    python_source: Path | None
    """Folder that holds the package; None for pure Rust."""
    package_dirs: tuple[Path, ...]
    import_names: tuple[str, ...]
    """Names that the Python part gives; without the module of pure Rust."""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestLocations:
    """Where a project's tests are."""

    __test__ = False  # else pytest takes it for a class of tests

    paths: tuple[str, ...]
    """Relative to the project, with ``/``."""
    origin: str


def find_layout(pyproject: PyProject, module_name: str) -> PythonLayout:
    """The Python part of the project of a pyproject.toml, mixed or none.

    Args:
        pyproject: the file's content.
        module_name: dotted name of the native module.
    """
    root = pyproject.path.parent
    source = find_python_source(pyproject)
    top = module_name.partition(".")[0]
    package = source / top
    has_package = package.is_dir() and (
        (package / "__init__.py").is_file() or not (package / "Cargo.toml").is_file()
    )
    stubs = tuple(path for path in (source / f"{top}.pyi",) if path.is_file())
    if has_package:
        packages = (package, *(source / name for name in pyproject.maturin.python_packages))
        found = tuple(dict.fromkeys(path for path in packages if path.is_dir()))
        names = tuple(dict.fromkeys(path.relative_to(source).parts[0] for path in found))
        return PythonLayout(python_source=source, package_dirs=(*found, *stubs), import_names=names)
    faults: tuple[Fault, ...] = ()
    if pyproject.maturin.python_source is not None and source != root:
        fault = Fault(
            key="tool.maturin.python-source",
            origin=str(pyproject.path),
            message=f"there is no package {package}, where this and module-name want it",
            hint="correct python-source or module-name; maturin refuses to build without it",
        )
        faults = (fault,)
    return PythonLayout(python_source=None, package_dirs=stubs, import_names=(), faults=faults)


def find_python_source(pyproject: PyProject) -> Path:
    """The folder in which maturin looks for the package."""
    root = pyproject.path.parent
    if pyproject.maturin.python_source is not None:
        return join(root, pyproject.maturin.python_source)
    return root / "src" if is_python_first(pyproject) else root


def is_python_first(pyproject: PyProject) -> bool:
    """Whether it has maturin's layout of ``rust/Cargo.toml`` beside ``src/<package>``."""
    root = pyproject.path.parent
    if not (root / "rust" / "Cargo.toml").is_file():
        return False
    if pyproject.maturin.python_source is not None:
        return True
    names = [*pyproject.maturin.python_packages]
    names += [pyproject.name.replace("-", "_")] if pyproject.name else []
    return any((root / "src" / name / "__init__.py").is_file() for name in names)


def find_test_locations(pyproject: PyProject) -> TestLocations:
    """The ``testpaths`` of pytest's configuration, else the first folder of tests in Python."""
    root = pyproject.path.parent
    for paths, name in (_testpaths_of_files(root), (pyproject.testpaths, "pyproject.toml")):
        existing = tuple(path for path in paths if _exists(root, path))
        if existing:
            return TestLocations(paths=existing, origin=f"testpaths in {name}")
    # A package in a sub-folder of a workspace has its tests beside the crate.
    crate = join(root, pyproject.maturin.manifest_path or "Cargo.toml").parent
    bases = dict.fromkeys((root, find_python_source(pyproject), crate))
    for folder in (base / name for base in bases for name in ("tests", "test")):
        # A crate's integration tests lie in `tests` too; they are no use to pytest.
        if folder.is_relative_to(root) and holds_python(folder):
            relative = folder.relative_to(root).as_posix()
            return TestLocations(paths=(relative,), origin=f"folder {relative}")
    return TestLocations(paths=(), origin="no tests")


def holds_python(folder: Path, depth: int = 4) -> bool:
    """Whether a Python file lies in the folder or, so many levels deep, below it."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return False
    if any(entry.suffix == ".py" and entry.is_file() for entry in entries):
        return True
    inner = (entry for entry in entries if entry.name not in _SKIPPED and entry.name[0] != ".")
    return depth > 0 and any(
        holds_python(entry, depth - 1)
        for entry in inner
        if entry.is_dir() and not entry.is_symlink()
    )


def _testpaths_of_files(root: Path) -> tuple[tuple[str, ...], str]:
    """``testpaths`` of the first of pytest's own files that has the section."""
    existing = [
        (root / name, section) for name, section in _PYTEST_FILES if (root / name).is_file()
    ]
    if not existing:
        return (), ""
    # Few projects have such a file, and this import takes time in every run.
    import configparser

    for path, section in existing:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, configparser.Error):
            continue
        if parser.has_section(section):
            return tuple(parser.get(section, "testpaths", fallback="").split()), path.name
    return (), ""


def _exists(root: Path, pattern: str) -> bool:
    """Whether a testpath names something below the project, as one with ``*`` does not."""
    path = join(root, pattern)
    return path.is_relative_to(root) and path.exists()
