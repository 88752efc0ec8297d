"""Features that are on, and what follows: bindings and stable ABI."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wheelworks.config.cargo import read_manifest
from wheelworks.config.features import Activation, activate, detect_bindings, stable_abi
from wheelworks.config.pyproject import MaturinTable, read_pyproject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.project import Bindings

ROOT = Path("/w/root")


def resolve(
    root: str,
    *,
    features: Iterable[str] = (),
    default: bool = True,
    everything: bool = False,
    **crates: str,
) -> Activation:
    """The activation of a crate; further manifests lie beside it."""
    texts = {ROOT: root, **{Path("/w") / name: text for name, text in crates.items()}}
    manifests = {
        folder: read_manifest(tomllib.loads(text), folder / "Cargo.toml")
        for folder, text in texts.items()
    }
    return activate(
        manifests, ROOT, features=features, default_features=default, all_features=everything
    )


def pyo3_features(activation: Activation) -> set[str]:
    """The features that pyo3 is given."""
    return set(activation.registry_features.get("pyo3", ())) - {"default"}


def maturin(features: str = "[]") -> MaturinTable:
    """A ``[tool.maturin]`` with these features."""
    text = f"[tool.maturin]\nfeatures = {features}"
    return read_pyproject(tomllib.loads(text), ROOT / "pyproject.toml").maturin


OPTIONAL = """
[features]
default = ["python"]
python = ["dep:pyo3", "abi"]
abi = ["pyo3?/abi3-py39"]
implicit = ["other"]
[dependencies]
pyo3 = { version = "0.30", optional = true }
other = { version = "1", optional = true }
"""


def test_features_of_the_line_are_on() -> None:
    """A dependency that is not optional has what its line names, and its default."""
    found = resolve('[dependencies]\npyo3 = { version = "0.30", features = ["abi3-py310"] }')
    assert found.registry_features == {"pyo3": {"default", "abi3-py310"}}
    assert found.requirements == {"pyo3": "0.30"}


def test_optional_dependencies_wait_for_a_feature() -> None:
    """Default features switch them on; without them they are off."""
    assert pyo3_features(resolve(OPTIONAL)) == {"abi3-py39"}
    assert "pyo3" not in resolve(OPTIONAL, default=False).registry_features


def test_a_weak_feature_does_not_switch_its_dependency_on() -> None:
    """``pyo3?/abi3`` counts only where something else switches pyo3 on."""
    assert "pyo3" not in resolve(OPTIONAL, default=False, features=["abi"]).registry_features
    assert pyo3_features(resolve(OPTIONAL, default=False, features=["abi", "pyo3"])) == {
        "abi3-py39"
    }


def test_a_feature_of_a_dependency_switches_it_on() -> None:
    """``pyo3/abi3`` on the command line, as [tool.maturin] features has it."""
    found = resolve(OPTIONAL, default=False, features=["pyo3/abi3-py312"])
    assert pyo3_features(found) == {"abi3-py312"}


def test_an_optional_dependency_is_a_feature_of_its_own_name() -> None:
    """The implicit feature, also through another one."""
    assert "other" in resolve(OPTIONAL, features=["implicit"]).registry_features


def test_all_features_switch_everything_on() -> None:
    """[tool.maturin] all-features."""
    assert set(resolve(OPTIONAL, default=False, everything=True).registry_features) == {
        "pyo3",
        "other",
    }


def test_a_slash_also_means_the_feature_of_that_name() -> None:
    """Where a feature shares its name with the dependency, cargo switches both on."""
    text = '[features]\na = ["b"]\nb = ["pyo3/abi3"]\n[dependencies]\na = "1"\npyo3 = "1"'
    assert pyo3_features(resolve(text, features=["a/x"])) == {"abi3"}


def test_features_reach_through_path_crates() -> None:
    """pyo3 of a crate beside ours counts, with what our line asks of that crate."""
    found = resolve(
        '[dependencies]\ncore = { path = "../core", features = ["py"] }',
        core="""
        [features]
        py = ["dep:p", "p/abi3-py38"]
        [dependencies]
        p = { package = "pyo3", version = "0.29", optional = true }
        root = { path = "../root" }
        """,
    )
    assert pyo3_features(found) == {"abi3-py38"}
    assert found.crates == {ROOT, Path("/w/core")}


def test_build_and_dev_dependencies_do_not_count() -> None:
    """What only a build script or a test uses is not in the wheel."""
    found = resolve('[dev-dependencies]\npyo3 = "1"\n[build-dependencies]\npyo3-ffi = "1"')
    assert found.registry_features == {}


@pytest.mark.parametrize(
    ("dependencies", "configured", "cdylib", "program", "expected"),
    [
        ("pyo3", None, True, False, "pyo3"),
        ("pyo3-ffi", None, True, False, "pyo3-ffi"),
        ("pyo3 pyo3-ffi", None, True, False, "pyo3"),
        ("pyo3", None, False, True, "bin"),
        ("pyo3", None, True, True, "pyo3"),
        ("pyo3", None, False, False, "pyo3"),
        ("uniffi", None, True, False, "uniffi"),
        ("", None, True, True, "cffi"),
        ("", None, False, True, "bin"),
        ("", None, False, False, None),
        ("pyo3", "bin", True, True, "bin"),
        ("pyo3-ffi", "pyo3", True, False, "pyo3-ffi"),
        ("", "pyo3", True, False, "pyo3"),
        ("pyo3", "cffi", True, False, "cffi"),
    ],
)
def test_bindings_are_maturins(
    dependencies: str,
    configured: Bindings | None,
    cdylib: bool,
    program: bool,
    expected: Bindings | None,
) -> None:
    """Maturin's rules: configured, then pyo3, uniffi, cffi by the crate's type, then programs."""
    lines = "\n".join(f'{name} = "1"' for name in dependencies.split())
    activation = resolve(f"[dependencies]\n{lines}")
    found = detect_bindings(activation, configured=configured, has_cdylib=cdylib, has_bin=program)
    assert found == expected


@pytest.mark.parametrize(
    ("features", "requires", "expected"),
    [
        ([], ">=3.8", None),
        (["extension-module"], ">=3.8", None),
        (["abi3-py310"], ">=3.8", (3, 10)),
        (["abi3-py310", "abi3-py38", "abi3"], ">=3.8", (3, 8)),
        (["abi3"], ">=3.9", (3, 9)),
        (["abi3"], None, (3, 7)),
        (["abi3t"], ">=3.9", None),
        (["abi3-pyx"], ">=3.9", None),
    ],
)
def test_the_floor_of_the_stable_abi(
    features: list[str], requires: str | None, expected: tuple[int, int] | None
) -> None:
    """The lowest ``abi3-py3N``; a plain ``abi3`` means the lowest of requires-python."""
    activation = resolve(f"[dependencies]\npyo3 = {{ features = {features} }}")
    assert stable_abi(activation, maturin(), requires) == expected


@pytest.mark.parametrize(
    ("features", "expected"),
    [(["abi3-py310"], None), (["abi3t"], (3, 15)), (["abi3t-py316"], (3, 16))],
)
def test_the_floor_of_the_free_threaded_stable_abi(
    features: list[str], expected: tuple[int, int] | None
) -> None:
    """``abi3t`` starts with 3.15, whatever requires-python allows."""
    activation = resolve(f"[dependencies]\npyo3 = {{ features = {features} }}")
    assert stable_abi(activation, maturin(), ">=3.9", free_threaded=True) == expected


@pytest.mark.parametrize(
    ("conditional", "expected"),
    [
        ('{ feature = "pyo3/abi3-py311", python-version = ">=3.11" }', (3, 11)),
        ('{ feature = "pyo3/abi3-py38", python-version = ">=3.11" }', None),
        ('{ feature = "pyo3/abi3-py311", python-implementation = "pypy" }', None),
        ('{ feature = "other/abi3-py311", python-version = ">=3.11" }', None),
    ],
)
def test_conditional_features_count_where_their_condition_holds(
    conditional: str, expected: tuple[int, int] | None
) -> None:
    """Maturin switches them on per interpreter; the floor has to be one of those."""
    activation = resolve('[dependencies]\npyo3 = "1"')
    assert stable_abi(activation, maturin(f"[{conditional}]"), None) == expected


def test_a_broken_condition_is_refused() -> None:
    """The caller makes a fault of it."""
    table = maturin('[{ feature = "pyo3/abi3-py311", python-version = "new" }]')
    with pytest.raises(ValueError, match="new"):
        stable_abi(resolve("[dependencies]\npyo3 = '1'"), table, None)
