"""Makes the files of tests/binaries: small native files of many targets, all by zig.

Maintainers run it when a sample is added; the tests read the files that are committed. It
needs the ``ziglang`` package and no network. The files hold no path of the machine: it is
compiled under a relative name, and a file in which the path of a folder shows is refused.

    python scripts/make_binaries.py [NAME...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

BINARIES = Path(__file__).resolve().parent.parent / "tests" / "binaries"
SOURCE = BINARIES / "sample.c"
STRIPPED_SUFFIX = "-stripped"
LIMIT_BYTES = 64_000
"""Of one file: the samples lie in the repository for ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One file to make."""

    name: str
    target: str
    flags: tuple[str, ...]


# Without unwind tables the libraries of zig that read them, a megabyte, stay out.
_NO_UNWIND = ("-fno-unwind-tables", "-fno-asynchronous-unwind-tables")
_SHARED = ("-shared", "-O2", "-fno-builtin", "-g0", *_NO_UNWIND)
_LINUX = {
    "x86_64": "x86_64-linux",
    "aarch64": "aarch64-linux",
    "i686": "x86-linux",
    "armv7l": "arm-linux",
    "ppc64le": "powerpc64le-linux",
    "s390x": "s390x-linux",
    "riscv64": "riscv64-linux",
}
_GLIBC = {"ppc64le": "2.19", "riscv64": "2.31"}
_MACOS = ("-Wl,-undefined,dynamic_lookup", "-Wl,-headerpad,0x40")
# A DLL has no symbol table that could be stripped, hence the debug sections.
_DWARF = (
    "-gdwarf",
    "-gno-column-info",
    "-fdebug-compilation-dir=.",
    f"-ffile-prefix-map={Path(sys.prefix)}=.",
)
_WINDOWS = ("-nostdlib", "-lkernel32", "-DSAMPLE_WINDOWS", "-Wl,--entry=DllMainCRTStartup")


def _linux(arch: str, prefix: str, libc: str) -> Sample:
    """A shared library for one libc."""
    environment = {"armv7l": f"{libc}eabihf"}.get(arch, libc)
    if libc == "gnu":
        environment += "." + _GLIBC.get(arch, "2.17")
    target = f"{prefix}-{environment}"
    name = f"{'glibc' if libc == 'gnu' else 'musl'}-{arch}.so"
    return Sample(name=name, target=target, flags=(*_SHARED, "-Wl,-soname,sample.so"))


def _samples() -> tuple[Sample, ...]:
    """Every file, those to be stripped under a name of their own."""
    x86_64 = "x86_64-linux-gnu.2.17"
    libraries = (
        *(_linux(arch, prefix, "gnu") for arch, prefix in _LINUX.items()),
        *(_linux(arch, prefix, "musl") for arch, prefix in _LINUX.items()),
        Sample(
            name="macos-10.12-x86_64.dylib",
            target="x86_64-macos.10.12",
            flags=(*_SHARED, *_MACOS, "-Wl,-rpath,@loader_path/lib"),
        ),
        Sample(
            name="macos-11.0-arm64.dylib",
            target="aarch64-macos.11.0",
            flags=(*_SHARED, *_MACOS, "-Wl,-rpath,@loader_path/lib"),
        ),
        Sample(
            name="windows-x86_64.pyd",
            target="x86_64-windows-gnu",
            flags=(*_SHARED, *_WINDOWS, *_DWARF),
        ),
    )
    stripped = tuple(
        Sample(
            name=Path(one.name).stem + STRIPPED_SUFFIX + Path(one.name).suffix,
            target=one.target,
            flags=(*(flag for flag in one.flags if flag not in _DWARF), "-s", "-Wl,-x"),
        )
        for one in libraries
    )
    others = (
        Sample(
            name="windows-i686.pyd", target="x86-windows-gnu", flags=(*_SHARED, *_WINDOWS, "-s")
        ),
        Sample(
            name="windows-arm64.pyd",
            target="aarch64-windows-gnu",
            flags=(*_SHARED, *_WINDOWS, "-s"),
        ),
        Sample(name="glibc-x86_64-program", target=x86_64, flags=("-O2", "-s", "-DSAMPLE_PROGRAM")),
        Sample(
            name="musl-x86_64-static",
            target="x86_64-linux-musl",
            flags=("-O2", "-s", "-static", "-DSAMPLE_PROGRAM"),
        ),
        Sample(
            name="glibc-x86_64-object.o", target=x86_64, flags=("-c", "-O2", "-fno-builtin", "-g0")
        ),
        Sample(
            name="glibc-x86_64-rpath.so",
            target=x86_64,
            flags=(*_SHARED, "-s", "-Wl,-rpath,$ORIGIN/../sample.libs"),
        ),
        Sample(
            name="glibc-i686-textrel.so",
            target="x86-linux-gnu.2.17",
            flags=(*_SHARED, "-s", "-DSAMPLE_TEXTREL", "-Wl,-z,notext"),
        ),
        Sample(
            name="glibc-armel.so",
            target="arm-linux-gnueabi.2.17",
            flags=(*_SHARED, "-s"),
        ),
    )
    return libraries + stripped + others


def make(sample: Sample, folder: Path) -> bytes:
    """The bytes of one file, compiled in a folder that holds the source.

    Raises:
        SystemExit: the compiler fails, or the file is too large or holds a path of the machine.
    """
    argv = [sys.executable, "-m", "ziglang", "cc", "-target", sample.target, *sample.flags]
    argv += ["-o", sample.name, SOURCE.name]
    done = subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{sample.name}: {done.stderr}")
    data = (folder / sample.name).read_bytes()
    if len(data) > LIMIT_BYTES:
        raise SystemExit(f"{sample.name}: {len(data)} bytes, more than {LIMIT_BYTES}")
    for path in (folder, Path.home(), Path(sys.prefix)):
        if bytes(path) in data:
            raise SystemExit(f"{sample.name}: holds the path {path}")
    return data


def main(names: list[str]) -> None:
    """Makes the named samples, or all."""
    for sample in _samples():
        if names and sample.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, SOURCE.name).write_bytes(SOURCE.read_bytes())
            data = make(sample, Path(folder))
        BINARIES.joinpath(sample.name).write_bytes(data)
        sys.stdout.write(f"{len(data):6} {sample.name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
