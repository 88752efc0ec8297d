"""Whatever the files hold, load() gives settings or a ConfigurationError, and never anything else."""

from __future__ import annotations

import shlex
import shutil
import string
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wheelworks.config.cargo import read_manifest
from wheelworks.config.cibuildwheel import cibuildwheel_values
from wheelworks.config.features import activate, stable_abi
from wheelworks.config.load import load
from wheelworks.config.options import all_options
from wheelworks.config.override_tables import parse_overrides
from wheelworks.config.parse import InvalidValueError, parse_text, parse_value
from wheelworks.config.pyproject import read_pyproject, resolve_groups
from wheelworks.config.sources import environment_source, toml_source
from wheelworks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLE = Path(__file__).parent.parent / "projects" / "mixed"
PATH = Path("/p/pyproject.toml")

scalars = st.one_of(
    st.text(max_size=20),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from(sorted(all_options()))
names = st.sampled_from(
    [
        "name version requires-python classifiers readme license license-files features path file",
        "dependencies optional-dependencies dependency-groups include-group package workspace lib",
        "members exclude build-system requires build-backend backend-path tool maturin wheelworks",
        "cibuildwheel pytest ini_options testpaths skip test-command test-requires bin crate-type",
        "bindings manifest-path module-name python-source python-packages profile python-version",
        "target default optional default-features patch crates-io replace build rust-version pyo3",
        "test overrides select inherit command feature python-implementation data abi3-py310",
    ]
).flatmap(lambda line: st.sampled_from(line.split()))
documents = st.dictionaries(
    names,
    st.recursive(
        scalars | names,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=15,
    ),
    max_size=6,
)


@given(keys, values)
def test_any_value_is_parsed_or_refused(key: str, value: object) -> None:
    """A value gives a typed value, or InvalidValueError with a one-line message."""
    message = "parsed"
    try:
        parse_value(all_options()[key], value)
    except InvalidValueError as error:
        message = error.message
    assert message
    assert "\n" not in message


@given(keys, st.text())
@example("jobs", "٣")
@example("timeout", "1" * 400 + "h")
def test_any_text_is_parsed_or_refused(key: str, text: str) -> None:
    """So is what a variable or a flag holds."""
    with suppress(InvalidValueError):
        parse_text(all_options()[key], text)


@given(st.lists(st.text(alphabet=string.printable, min_size=1).filter(str.strip)))
def test_lists_survive_the_way_through_a_variable(words: list[str]) -> None:
    """A list quoted as a shell quotes it comes back as it was."""
    option = all_options()["features"]
    assert parse_text(option, shlex.join(words)) == tuple(words)


@given(st.integers(min_value=1, max_value=10**6))
def test_times_mean_the_same_in_every_unit(minutes: int) -> None:
    """Minutes as text, as seconds, as hours and minutes."""
    option = all_options()["timeout"]
    hours, rest = divmod(minutes, 60)
    forms: tuple[object, ...] = (
        f"{minutes}m",
        minutes * 60,
        f"{hours}h{rest}m",
        f"{minutes * 60}s",
    )
    assert {parse_value(option, form) for form in forms} == {minutes * 60.0}


@given(st.dictionaries(keys | st.text(max_size=12), values, max_size=5))
def test_any_section_gives_entries_and_faults(section: Mapping[str, object]) -> None:
    """Each key is either known or a fault."""
    source = toml_source(section, path=PATH)
    nested = section.get("test")
    overrides = section.get("overrides")
    plain = set(section) - {"test", "overrides"}
    inner = len(nested) if isinstance(nested, dict) else int("test" in section)
    wrong = int("overrides" in section and not isinstance(overrides, list))
    assert len(source.entries) + len(source.faults) == len(plain) + inner + wrong


@given(st.lists(values | st.fixed_dictionaries({"select": values, "inherit": values}), max_size=3))
def test_any_overrides_are_parsed_or_faults(tables: list[object]) -> None:
    """As many overrides and faulty tables as there are tables."""
    overrides, faults = parse_overrides(tables, origin="f")
    faulty = {fault.key.partition("]")[0] for fault in faults}
    assert len(overrides) + len(faulty) == len(tables)


@given(st.dictionaries(st.text(max_size=12).map(lambda name: f"WHEELWORKS_{name}"), st.text()))
def test_any_variables_give_entries_or_faults(environ: Mapping[str, str]) -> None:
    """None is lost."""
    source = environment_source(environ)
    reserved = [name for name in environ if name.startswith("WHEELWORKS_GUARD_")]
    assert len(source.entries) + len(source.faults) == len(environ) - len(reserved)


@given(documents)
def test_any_pyproject_is_read(document: Mapping[str, object]) -> None:
    """Wrong types in others' sections count as missing."""
    found = read_pyproject(document, PATH)
    cibuildwheel_values(found.cibuildwheel or {})


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.lists(
            st.sampled_from(["x", "y"])
            | st.sampled_from("abcde").map(lambda to: {"include-group": to}),
            max_size=4,
        ),
    )
)
def test_groups_end_whatever_they_include(groups: Mapping[str, object]) -> None:
    """Circles of groups do not go on for ever."""
    for requirements in resolve_groups(groups).values():
        assert set(requirements) <= {"x", "y"}


@given(documents, documents, st.lists(names, max_size=4), st.booleans())
def test_any_manifests_have_features(
    root: Mapping[str, object], other: Mapping[str, object], features: list[str], everything: bool
) -> None:
    """Feature resolution ends, and finds a floor of the stable ABI or none."""
    manifests = {
        folder: read_manifest(document, folder / "Cargo.toml")
        for folder, document in ((Path("/w/a"), root), (Path("/w/path"), other))
    }
    found = activate(manifests, Path("/w/a"), features=features, all_features=everything)
    with suppress(ValueError):
        floor = stable_abi(found, read_pyproject(root, PATH).maturin, None)
        assert floor is None or floor >= (0, 0)


feature_names = st.sampled_from(
    [
        "a",
        "b",
        "default",
        "dep:pyo3",
        "pyo3",
        "pyo3/abi3",
        "pyo3?/abi3-py39",
        "x/a",
        "x?/b",
        "dep:x",
    ]
)


@given(st.dictionaries(st.sampled_from(["a", "b", "default"]), st.lists(feature_names)), st.data())
def test_more_features_never_switch_something_off(
    table: Mapping[str, object], data: st.DataObject
) -> None:
    """Cargo's features only add."""
    document = {
        "features": table,
        "dependencies": {"pyo3": {"optional": True}, "x": {"optional": True, "path": "../x"}},
    }
    manifests = {
        Path("/w/a"): read_manifest(document, Path("/w/a/Cargo.toml")),
        Path("/w/x"): read_manifest({"features": table}, Path("/w/x/Cargo.toml")),
    }
    some = data.draw(st.lists(feature_names))
    more = [*some, *data.draw(st.lists(feature_names))]
    few, many = (activate(manifests, Path("/w/a"), features=features) for features in (some, more))
    assert few.crates <= many.crates
    for name, features in few.registry_features.items():
        assert features <= many.registry_features[name]


@pytest.fixture(scope="module")
def folder() -> Path:
    """A copy of a sample whose files are written anew for each example."""
    root = Path(tempfile.mkdtemp(prefix="wheelworks-properties-"))
    return shutil.copytree(SAMPLE, root / "mixed")


@settings(max_examples=150)
@given(
    st.sampled_from(["pyproject.toml", "Cargo.toml"]),
    st.one_of(
        st.binary(max_size=60),
        st.tuples(keys, st.sampled_from(["3", "true", "[]", '"x"', '["x"]', "{a = 1}", "1.5"])).map(
            lambda pair: f"\n[tool.wheelworks]\n{pair[0]} = {pair[1]}\n".encode()
        ),
        st.tuples(st.integers(0, 600), st.integers(0, 40)),
    ),
)
def test_any_file_is_loaded_or_refused(
    folder: Path, name: str, change: bytes | tuple[int, int]
) -> None:
    """Appended bytes, options of any type and pieces cut out."""
    original = (SAMPLE / name).read_bytes()
    if isinstance(change, bytes):
        content = original + change
    else:
        start, length = change
        content = original[:start] + original[start + length :]
    (folder / name).write_bytes(content)
    outcome: object
    try:
        outcome = load(folder, flags={}, environ={})
    except ConfigurationError as error:
        outcome = error.faults or error.hint
    finally:
        (folder / name).write_bytes(original)
    assert outcome
