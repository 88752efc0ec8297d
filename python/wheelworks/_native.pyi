"""Rust core of wheelworks: content fingerprints, facts of native files, universal2 merging.

Every function takes bytes, strings and numbers and gives plain values; nothing is
printed, no process is started. The GIL is released while a function works.
"""

from typing import Literal, TypedDict, final, type_check_only

__all__ = [
    "BinaryError",
    "FileEntry",
    "FingerprintError",
    "NativeError",
    "UniversalError",
    "__version__",
    "binary_facts",
    "digest_bytes",
    "fingerprint_files",
    "fingerprint_tree",
    "merge_universal",
]
__version__: str

class NativeError(Exception):
    """Root of this module's errors."""

class BinaryError(NativeError):
    """The bytes are no readable ELF, Mach-O or PE file; the message says what is wrong and where."""

class FingerprintError(NativeError):
    """A tree or file could not be read; the message names the path and the cause."""

class UniversalError(NativeError):
    """The slices can't be merged into one file (not Mach-O, same architecture twice, already fat)."""

@final
class FileEntry:
    """One fingerprinted file of a tree."""

    @property
    def path(self) -> str:
        """Path relative to the root, with ``/`` as separator on every system."""
    @property
    def digest(self) -> str:
        """blake3 of the content, 64 hexadecimal digits; for a symbolic link, of its target's text."""
    @property
    def size(self) -> int:
        """Size in bytes."""
    @property
    def mtime_ns(self) -> int:
        """Modification time in nanoseconds since the epoch."""
    @property
    def executable(self) -> bool:
        """Whether the owner may execute the file (always False on Windows)."""
    @property
    def link(self) -> str | None:
        """Target of a symbolic link, None for a regular file."""

def fingerprint_tree(
    root: str,
    *,
    exclude: list[str] | None = None,
    threads: int | None = None,
    known: dict[str, tuple[int, int, str]] | None = None,
) -> list[FileEntry]:
    """Files of a source tree with their content digests, sorted by path.

    Follows the rules of ``.gitignore`` (also outside a git checkout), ``.ignore`` files are not
    read, global git excludes are not read (a build must not depend on the user's home folder),
    ``.git/info/exclude`` is. Hidden files are included, ``.git`` itself never; nor are sockets,
    pipes and devices. Symbolic links are not followed.

    In a git checkout the rules above the root count up to the checkout's own root, and a nested
    repository follows its own rules alone; elsewhere the rules from the root on count throughout.
    The rules alone decide: a file that matches one is left out even where git tracks it.

    Args:
        root: folder to read.
        exclude: further patterns in gitignore syntax, relative to the root.
        threads: number of threads, 64 at most; None for one per processor. The answer is the same.
        known: path -> (size, mtime_ns, digest) of an earlier call; a file whose size and
            mtime_ns are equal is not read again. Leave out files that were written shortly before
            that call: one more write within the clock's grain would go unseen.

    Raises:
        FingerprintError: the root is no folder, a pattern is invalid, a name is no UTF-8, or a file
            can't be read, vanishes, or changes while it is read.
    """

def fingerprint_files(paths: list[str], *, threads: int | None = None) -> list[str]:
    """blake3 digests of the contents of the files, in the given order.

    Raises:
        FingerprintError: a file can't be read.
    """

def digest_bytes(data: bytes) -> str:
    """blake3 of the bytes, 64 hexadecimal digits."""

@type_check_only
class VersionedSymbol(TypedDict):
    """An undefined symbol that a versioned library must provide."""

    name: str
    """``memcpy``; empty where the file needs the version without using a symbol of it.

    The loader checks versions, not symbols: ``GLIBC_ABI_DT_RELR`` binds a file to glibc 2.36 and has none.
    """
    version: str
    """``GLIBC_2.14``"""
    library: str
    """``libc.so.6``"""

@type_check_only
class Slice(TypedDict):
    """One architecture of a Mach-O file."""

    arch: str
    """``x86_64``, ``arm64``, their successors ``x86_64h`` and ``arm64e``, else the CPU type as hexadecimal number."""
    minimum_macos: str | None
    """``10.12``, from LC_BUILD_VERSION or LC_VERSION_MIN_MACOSX."""
    sdk: str | None
    signed: bool
    """Whether there is an LC_CODE_SIGNATURE."""
    adhoc_signed: bool
    """Whether the signature's CodeDirectory carries the ad-hoc flag."""

@type_check_only
class BinaryFacts(TypedDict):
    """What an ELF, Mach-O or PE file says of itself."""

    format: Literal["elf", "macho", "pe"]
    kind: Literal["executable", "library", "object", "other"]
    bits: int
    """32 or 64 (of a fat file: of the first slice)."""
    little_endian: bool
    arch: str
    """``x86_64 aarch64 i686 armv7l ppc64le ppc64 s390x riscv64 loongarch64 arm64 universal2``
    (arm64 on macOS and Windows, aarch64 on Linux), else ``unknown-0x..``.

    Of a fat Mach-O file with one slice that one's, with other slices than universal2's their sorted names with
    ``+`` between them (``arm64e+x86_64``).
    """
    needed: list[str]
    """DT_NEEDED, Mach-O dylib names, or PE imported DLLs (delay-loaded too), in the file's order, unique."""
    versioned_symbols: list[VersionedSymbol]
    """ELF only: undefined dynamic symbols with a version, in the file's order."""
    undefined: list[str]
    """Imported symbol names (ELF dynamic, Mach-O undefined, PE import names), sorted, unique.

    Without Mach-O's leading underscore. What PE imports by ordinal has no name.
    """
    weak: list[str]
    """ELF only: of the undefined ones those that may be missing when the file is loaded."""
    exported: list[str]
    """Exported symbol names, sorted, unique, without Mach-O's leading underscore.

    Of a fat file those that each of its slices exports; all other lists are those of its slices together.
    """
    init_functions: list[str]
    """Of the exported ones those that begin with ``PyInit_`` or ``PyModExport_``."""
    soname: str | None
    """DT_SONAME or the Mach-O install name."""
    interpreter: str | None
    """ELF PT_INTERP."""
    rpaths: list[str]
    """DT_RPATH and DT_RUNPATH entries, or LC_RPATH, as written, unique."""
    libc: Literal["glibc", "musl"] | None
    """ELF only: from the needed libraries and versioned symbols; None when neither shows."""
    stripped: bool
    """No symbol table beyond the dynamic one, and no debug sections."""
    executable_stack: bool
    """ELF: PT_GNU_STACK is executable or missing; False for object files, whose linker decides."""
    textrel: bool
    """ELF: DT_TEXTREL or DF_TEXTREL."""
    slices: list[Slice]
    """Mach-O only: one per architecture."""
    armv7_hard_float: bool | None
    """32-bit ARM ELF only: EF_ARM_ABI_FLOAT_HARD."""

def binary_facts(data: bytes) -> BinaryFacts:
    """Facts of one native file. Takes the whole file's bytes.

    Time and memory are proportional to their number, whatever they claim. Names that are no UTF-8
    are given with replacement characters.

    Raises:
        BinaryError: the bytes are no ELF, Mach-O or PE file or are damaged.
    """

def merge_universal(x86_64: bytes, arm64: bytes) -> bytes:
    """One fat Mach-O file of two thin ones. Signatures inside the slices stay valid.

    Raises:
        UniversalError: an input is no thin Mach-O file of that architecture, or the two are not of
            the same kind.
    """
