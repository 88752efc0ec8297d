"""File names of extension modules."""

from __future__ import annotations

import pytest

from wheelworks.audit.extension_names import is_found_by, parse_extension_name
from wheelworks.audit.platforms import parse_platform


@pytest.mark.parametrize(
    ("path", "module", "abi", "platform"),
    [
        ("a/_b.cpython-313-x86_64-linux-gnu.so", "_b", "cp313", "x86_64-linux-gnu"),
        ("a/_b.cpython-314t-darwin.so", "_b", "cp314t", "darwin"),
        ("_b.cpython-37m-x86_64-linux-gnu.so", "_b", "cp37m", "x86_64-linux-gnu"),
        ("_b.cp313-win_amd64.pyd", "_b", "cp313", "win_amd64"),
        ("_b.cp314t-win_arm64.pyd", "_b", "cp314t", "win_arm64"),
        ("_b.pypy311-pp73-x86_64-linux-gnu.so", "_b", "pypy311_pp73", "x86_64-linux-gnu"),
        ("_b.abi3.so", "_b", "abi3", None),
        ("_b.abi3t.so", "_b", "abi3t", None),
        ("_b.pyd", "_b", None, None),
        ("_b.so", "_b", None, None),
    ],
)
def test_a_suffix_tells_the_interpreter(
    path: str, module: str, abi: str | None, platform: str | None
) -> None:
    """Module, ABI tag and platform come from the name."""
    name = parse_extension_name(path)
    assert name is not None
    assert (name.module, name.abi, name.platform) == (module, abi, platform)
    assert path.endswith(name.module + name.suffix)


@pytest.mark.parametrize(
    "path", ["a/__init__.py", "libz.so.1", "libz-ab.1.2.so", "a.dylib", "b.dll"]
)
def test_other_files_are_no_modules(path: str) -> None:
    """Bundled libraries have names of their own."""
    assert parse_extension_name(path) is None


@pytest.mark.parametrize(
    ("suffix", "tag", "found"),
    [
        (".cpython-313-x86_64-linux-gnu.so", "cp313-cp313-manylinux_2_17_x86_64", True),
        (".cpython-312-x86_64-linux-gnu.so", "cp313-cp313-manylinux_2_17_x86_64", False),
        (".cpython-313t-x86_64-linux-gnu.so", "cp313-cp313-manylinux_2_17_x86_64", False),
        (".cpython-313-aarch64-linux-gnu.so", "cp313-cp313-manylinux_2_17_x86_64", False),
        (".cpython-313-x86_64-linux-musl.so", "cp313-cp313-manylinux_2_17_x86_64", False),
        (".cpython-313-x86_64-linux-musl.so", "cp313-cp313-musllinux_1_2_x86_64", True),
        (".cpython-313-x86_64-linux-gnu.so", "cp313-cp313-musllinux_1_2_x86_64", False),
        (".cpython-310-x86_64-linux-gnu.so", "cp310-cp310-musllinux_1_2_x86_64", True),
        (".pypy311-pp73-x86_64-linux-gnu.so", "pp311-pypy311_pp73-musllinux_1_2_x86_64", True),
        (".cpython-313-i386-linux-gnu.so", "cp313-cp313-manylinux_2_17_i686", True),
        (".cpython-313-arm-linux-gnueabihf.so", "cp313-cp313-manylinux_2_17_armv7l", True),
        (".cpython-313-powerpc64le-linux-gnu.so", "cp313-cp313-manylinux_2_17_ppc64le", True),
        (".cpython-313-darwin.so", "cp313-cp313-macosx_11_0_arm64", True),
        (".cpython-313-darwin.so", "cp313-cp313-manylinux_2_17_x86_64", False),
        (".cpython-313-x86_64-linux-gnu.so", "cp313-cp313-macosx_11_0_arm64", False),
        (".cpython-313-x86_64-linux-gnu.so", "cp313-cp313-win_amd64", False),
        (".cp313-win_amd64.pyd", "cp313-cp313-win_amd64", True),
        (".cp313-win32.pyd", "cp313-cp313-win_amd64", False),
        (".cp313-win_amd64.pyd", "cp313-cp313-manylinux_2_17_x86_64", False),
        (".abi3.so", "cp310-abi3-manylinux_2_17_x86_64", True),
        (".abi3.so", "cp313-cp313-manylinux_2_17_x86_64", True),
        (".abi3.so", "cp314-cp314t-manylinux_2_17_x86_64", False),
        (".abi3.so", "pp311-pypy311_pp73-manylinux_2_17_x86_64", False),
        (".abi3t.so", "cp315-abi3t-manylinux_2_17_x86_64", True),
        (".abi3t.so", "pp311-pypy311_pp73-manylinux_2_17_x86_64", False),
        (".so", "cp313-cp313-manylinux_2_17_x86_64", True),
        (".cpython-313.so", "cp313-cp313-manylinux_2_17_x86_64", True),
        (".cpython-313-x86_64-linux-gnu.so", "cp313-cp313-any", True),
        (".cpython-313-x86_64-linux-gnu.so", "py3-cp313-musllinux_1_2_x86_64", True),
        (".cpython-3-x86_64-linux-gnu.so", "cpx-cp3-musllinux_1_2_x86_64", True),
    ],
)
def test_an_interpreter_looks_for_its_own_suffix(suffix: str, tag: str, found: bool) -> None:
    """The table of who finds what, as CPython's and PyPy's importers have it."""
    name = parse_extension_name(f"a/_b{suffix}")
    interpreter, abi, platform = tag.split("-")
    assert name is not None
    assert is_found_by(name, (interpreter, abi, platform), parse_platform(platform)) is found
