"""Tests of wheelworks.report.hints and its table."""

from __future__ import annotations

import pytest

from wheelworks.report.hints import find_hints, known_failures, parse_hint_rules

#: For each row of the table a line as a real log has it.
LOG_LINES = {
    "locked-crate-missing": (
        'error: failed to select a version for the requirement `ammonia = "^4.1.4"` (locked to 4.2.5)'
    ),
    "test-module-missing": "E   ModuleNotFoundError: No module named 'dirty_equals'",
    "pytest-removal-warning": (
        "E   pytest.PytestRemovedIn10Warning: Passing a non-Collection iterable to parametrize is "
        "deprecated."
    ),
    "pytest-plugin-broken": 'Error while loading plugin "pytest11".',
    "zig-cortex-a53": "error: unsupported linker arg: --fix-cortex-a53-843419",
    "zig-ar-016": "  error: ar: unable to open 'libring_core_0_17_14_.a': AccessDenied",
    "zig-fortify-source": "error: unsupported preprocessor arg: -Wp,-U_FORTIFY_SOURCE",
    "zig-linker-flag": "error: unsupported linker arg: -znoexecstack",
    "zig-system-library": "error: unable to find dynamic system library 'z' no_fallback",
    "zig-system-header": "wrapper.c:1:10: fatal error: 'zlib.h' file not found",
    "zig-libcxx": "ld.lld: error: undefined symbol: std::__1::basic_string<char>::append",
    "bindgen-headers": "/usr/include/x.h:3:10: fatal error: 'stddef.h' file not found",
    "libclang-missing": 'Unable to find libclang: "couldn\'t find any valid shared libraries"',
    "zig-crt-static": "error: libc of the specified target requires dynamic linking",
    "host-cc-glibc": "ld.lld: error: undefined symbol: __isoc23_strtol",
    "macos-framework": 'error: unable to find system framework "CoreFoundation". searched paths: none',
    "macos-sdk-26": "error: undefined symbol: _realpath$DARWIN_EXTSN",
    "zig-cache-race": "error: unable to open '/tmp/.intentionally-empty-file.c': FileNotFound",
    "zig-s390x": "error: target s390x-unknown-linux-gnu is not supported by zig",
    "zig-not-found": "  Caused by: Failed to find zig",
    "free-threaded-313": "free-threaded Python is only supported on 3.14 and later",
    "python-too-new": (
        "error: the configured Python interpreter version (3.14) is newer than "
        "PyO3's maximum supported version (3.13)"
    ),
    "python-too-old": (
        "error: the configured Python interpreter version (3.6) is lower than "
        "PyO3's minimum supported version (3.7)"
    ),
    "no-interpreter-given": "Couldn't find any python interpreters. Please specify at least one with -i",
    "windows-import-lib": (
        "  Caused by: Need a Python interpreter to compile for Windows without "
        "PyO3's `generate-import-lib` feature"
    ),
    "policy-too-low": (
        "  Caused by: Your library is not manylinux_2_28 compliant because of the presence of "
        'too-recent versioned symbols: ["libstdc++.so.6 offending versions: GLIBCXX_3.4.25"]'
    ),
    "patchelf-missing": "  Caused by: Failed to execute 'patchelf', did you install it?",
    "auditwheel-library-missing": (
        "Cannot repair wheel, because required library libfoo.so.1 could not be located."
    ),
    "module-name": "Warning: Couldn't find the symbol `PyInit__core` in the native library.",
    "lock-file-outdated": (
        "error: the lock file x needs to be updated but --locked was passed to prevent"
    ),
    "two-interpreter-config": (
        "failed to open PyO3 config file at target/maturin/pyo3-config-x-3.14.txt: "
        "No such file or directory"
    ),
    "std-missing": "error[E0463]: can't find crate for `std`",
    "rustc-too-old": "error: rustc 1.70.0 is not supported by the following packages:",
    "linker-missing": "error: linker `x86_64-w64-mingw32-gcc` not found",
    "out-of-memory": "  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)",
    "disk-full": "error: failed to write x: No space left on device (os error 28)",
    "certificate": "  [60] SSL peer certificate (SSL certificate problem: self-signed certificate)",
    "no-network": "warning: spurious network error: [6] Could not resolve host: example.invalid",
    "shadowed-package": "E   ModuleNotFoundError: No module named 'watchfiles._rust_notify'",
    "pytest-option": "pytest: error: unrecognized arguments: --cov=demo",
    "no-tests-collected": "=========== no tests ran in 0.01s ===========",
    "wheel-not-supported": "ERROR: demo.whl is not a supported wheel on this platform.",
}


@pytest.mark.parametrize("rule_id", [rule.hint.id for rule in known_failures()])
def test_each_known_failure_is_found_by_its_own_row_only(rule_id: str) -> None:
    """A line of a real log leads to exactly one cure, also when it is coloured and not alone."""
    log = f"   Compiling demo v1.0\n\x1b[31m{LOG_LINES[rule_id]}\x1b[0m\nthe end\n"
    assert [hint.id for hint in find_hints(log)] == [rule_id]


def test_a_healthy_log_gives_no_hint() -> None:
    """What a successful build and test print matches nothing."""
    log = (
        "   Compiling serde v1.0.219\n    Finished `release` profile target(s) in 24.1s\n"
        "📦 Built wheel for CPython 3.13 to /x/demo-1.0-cp313-cp313-manylinux2014_x86_64.whl\n"
        "============ 132 passed in 1.20s ============\n"
    )
    assert find_hints(log) == ()


def test_cures_are_fragments_that_say_what_to_do() -> None:
    """A hint is printed behind ``hint: ``, so it has no full stop and stays on one line."""
    for rule in known_failures():
        for text in (rule.hint.cause, rule.hint.cure):
            assert text == text.strip()
            assert not text.endswith(".")
            assert "\n" not in text


def test_only_the_end_of_a_long_log_is_searched() -> None:
    """A verbose log does not cost seconds; failures show at its end."""
    symptom = LOG_LINES["std-missing"]
    assert find_hints(symptom + "\n" + "x" * 500_000) == ()
    assert [hint.id for hint in find_hints("x" * 500_000 + "\n" + symptom)] == ["std-missing"]


def test_rules_can_be_given() -> None:
    """Another table is searched in its own order."""
    rules = parse_hint_rules(
        '[[hint]]\nid = "b"\nsymptom = "boom"\ncause = "c"\ncure = "d"\n'
        '[[hint]]\nid = "a"\nsymptom = "^bo"\ncause = "c"\ncure = "d"\nreference = "r"\n'
    )
    assert [(hint.id, hint.reference) for hint in find_hints("x\nboom", rules)] == [
        ("b", None),
        ("a", "r"),
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("x = 1", "no .*hint.* rows"),
        ("hint = [1]", "1 is no table"),
        ('[[hint]]\nid = "a"\nsymptom = "x"\n', "'a': no cause, cure"),
        ('[[hint]]\nid = "a"\nsymptom = "("\ncause = "c"\ncure = "d"\n', "a: "),
        ('[[hint]]\nid = "a"\nsymptom = "x"\ncause = "c"\ncure = "d"\n' * 2, "occurs twice"),
    ],
)
def test_a_damaged_table_is_refused_with_the_row(table: str, message: str) -> None:
    """The maintainer of the table learns which row is wrong."""
    with pytest.raises(ValueError, match=message):
        parse_hint_rules(table)


def test_a_file_that_fails_to_import_is_no_missing_test() -> None:
    """The count of items is 0, but what is wrong is the import; one of a module of the package, another."""
    missing = "collected 0 items / 1 error\nE   ModuleNotFoundError: No module named 'faker'\n"
    assert [hint.id for hint in find_hints(missing)] == ["test-module-missing"]
    shadowed = "E   ModuleNotFoundError: No module named 'example._native'\n"
    assert [hint.id for hint in find_hints(shadowed)] == ["shadowed-package"]
