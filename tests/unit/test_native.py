"""The Rust core as Python sees it: values, errors, and the stub that promises them."""

from __future__ import annotations

import ast
import hashlib
import inspect
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wheelworks import _native
from wheelworks._native import (
    BinaryError,
    FileEntry,
    FingerprintError,
    NativeError,
    UniversalError,
    binary_facts,
    digest_bytes,
    fingerprint_files,
    fingerprint_tree,
    merge_universal,
)

BINARIES = Path(__file__).parent.parent / "binaries"
STUB = Path(inspect.getfile(_native)).parent / "_native.pyi"
SAMPLES = sorted(path for path in BINARIES.iterdir() if path.suffix != ".c" and path.name[0] != ".")
LIBRARIES = [path for path in SAMPLES if path.suffix in {".so", ".dylib", ".pyd"}]


def sample(name: str) -> bytes:
    """The bytes of one file that ``scripts/make_binaries.py`` made."""
    return (BINARIES / name).read_bytes()


def write(root: Path, files: dict[str, str]) -> None:
    """Files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def names(root: Path, exclude: list[str] | None = None) -> list[str]:
    """Paths of a tree's entries."""
    return [entry.path for entry in fingerprint_tree(str(root), exclude=exclude)]


class TestStub:
    """What ``_native.pyi`` promises is what the module has."""

    module = ast.parse(STUB.read_text())

    def test_names_agree(self) -> None:
        """Every promised name exists, but for the dictionary types, and no other does."""
        promised = {"__version__"}
        for node in self.module.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            if not (isinstance(node, ast.ClassDef) and "TypedDict" in map(ast.unparse, node.bases)):
                promised.add(node.name)
        present = {name for name in vars(_native) if not name.startswith("__")}
        assert present | {"__version__"} == promised
        assert _native.__version__

    def test_signatures_agree(self) -> None:
        """Names, kinds and defaults of all parameters agree."""
        functions = [node for node in self.module.body if isinstance(node, ast.FunctionDef)]
        assert functions
        for function in functions:
            function.returns = None
            for argument in [*function.args.args, *function.args.kwonlyargs]:
                argument.annotation = None
            promised = f"({ast.unparse(function.args)})".replace(" ", "")
            actual = str(inspect.signature(getattr(_native, function.name))).replace(" ", "")
            assert actual == promised, function.name

    def test_entry_agrees(self, tmp_path: Path) -> None:
        """An entry has the promised properties, of the promised types, and can't be changed."""
        write(tmp_path, {"a": "text"})
        [entry] = fingerprint_tree(str(tmp_path))
        promised = self.members("FileEntry")
        present = {name for name in dir(FileEntry) if not name.startswith("_")}
        assert present == set(promised)
        for name, kind in promised.items():
            assert type(getattr(entry, name)).__name__ in kind.replace("None", "NoneType"), name
        with pytest.raises(AttributeError):
            entry.path = "b"  # type: ignore[misc]

    @pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
    def test_facts_agree(self, path: Path) -> None:
        """The dictionaries have the promised keys, in the promised order."""
        facts = binary_facts(path.read_bytes())
        assert list(facts) == list(self.members("BinaryFacts"))
        for symbol in facts["versioned_symbols"]:
            assert list(symbol) == list(self.members("VersionedSymbol"))
        for one in facts["slices"]:
            assert list(one) == list(self.members("Slice"))

    def members(self, wanted: str) -> dict[str, str]:
        """Keys or properties of a class in the stub, with their types as text."""
        found = {}
        for node in self.module.body:
            if not (isinstance(node, ast.ClassDef) and node.name == wanted):
                continue
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.returns:
                    found[member.name] = ast.unparse(member.returns)
                elif isinstance(member, ast.AnnAssign):
                    found[ast.unparse(member.target)] = ast.unparse(member.annotation)
        return found

    def test_errors_have_one_root(self) -> None:
        """A caller can catch everything by one class, and tell who raised it."""
        for error in (BinaryError, FingerprintError, UniversalError):
            assert error.__bases__ == (NativeError,)
            assert error.__module__ == "wheelworks._native"
        assert NativeError.__bases__ == (Exception,)


class TestBinaryFacts:
    """Facts of files that real linkers made."""

    @pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.name)
    def test_extension_modules_show_their_init_function(self, path: Path) -> None:
        """Every library exports ``PyInit_sample``, whatever the format."""
        facts = binary_facts(path.read_bytes())
        assert facts["kind"] == "library"
        assert facts["init_functions"] == ["PyInit_sample"]
        assert facts["undefined"] == sorted(set(facts["undefined"]))
        assert facts["exported"] == sorted(set(facts["exported"]))

    @pytest.mark.parametrize(
        ("name", "arch", "libc", "version"),
        [
            ("glibc-x86_64.so", "x86_64", "glibc", "GLIBC_2.14"),
            ("glibc-aarch64.so", "aarch64", "glibc", "GLIBC_2.17"),
            ("glibc-i686.so", "i686", "glibc", "GLIBC_2.0"),
            ("glibc-armv7l.so", "armv7l", "glibc", "GLIBC_2.4"),
            ("glibc-ppc64le.so", "ppc64le", "glibc", "GLIBC_2.17"),
            ("glibc-s390x.so", "s390x", "glibc", "GLIBC_2.2"),
            ("glibc-riscv64.so", "riscv64", "glibc", "GLIBC_2.27"),
            ("musl-x86_64.so", "x86_64", "musl", None),
            ("musl-s390x.so", "s390x", "musl", None),
        ],
    )
    def test_elf_versions(self, name: str, arch: str, libc: str, version: str | None) -> None:
        """The version of ``memcpy`` decides the manylinux level; musl has none."""
        facts = binary_facts(sample(name))
        assert (facts["arch"], facts["libc"]) == (arch, libc)
        found = {symbol["name"]: symbol for symbol in facts["versioned_symbols"]}
        if version is None:
            assert not found
        else:
            assert found["memcpy"] == {
                "name": "memcpy",
                "version": version,
                "library": "libc.so.6",
            }

    def test_macho_slice(self) -> None:
        """A Mach-O file tells the macOS that it needs, and how it is signed."""
        facts = binary_facts(sample("macos-11.0-arm64.dylib"))
        [one] = facts["slices"]
        assert one["arch"] == facts["arch"] == "arm64"
        assert one["minimum_macos"] == "11.0"
        assert one["signed"]
        assert one["adhoc_signed"]
        assert "PyModule_Create2" in facts["undefined"]

    def test_pe_imports(self) -> None:
        """A DLL tells the libraries and names that it imports."""
        facts = binary_facts(sample("windows-x86_64.pyd"))
        assert (facts["format"], facts["arch"]) == ("pe", "x86_64")
        assert facts["needed"] == ["KERNEL32.dll"]
        assert facts["undefined"] == ["GetTickCount"]

    @pytest.mark.parametrize("data", [b"", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"#!/bin/sh\n"])
    def test_other_bytes_are_refused(self, data: bytes) -> None:
        """The message is a fragment that says what is wrong."""
        with pytest.raises(
            BinaryError, match=r"^(damaged (ELF|Mach-O|PE) file|no ELF, Mach-O or PE file): "
        ):
            binary_facts(data)

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.binary(max_size=300))
    @example(b"\xca\xfe\xba\xbe\xff\xff\xff\xff")
    @example(b"\x7fELF\x02\x01\x01" + b"\xff" * 57)
    def test_any_bytes_give_facts_or_the_error(self, data: bytes) -> None:
        """Nothing else leaves the module: no panic, no other exception."""
        for magic in (
            b"",
            b"\x7fELF\x02\x01",
            b"\xcf\xfa\xed\xfe",
            b"\xca\xfe\xba\xbe\0\0\0",
            b"MZ",
        ):
            try:
                assert binary_facts(magic + data)
            except BinaryError:
                continue

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from(SAMPLES),
        st.lists(st.tuples(st.integers(0, 4096), st.binary(min_size=1, max_size=8)), max_size=5),
        st.integers(0, 60_000),
    )
    def test_mutations_give_facts_or_the_error(
        self, path: Path, changes: list[tuple[int, bytes]], end: int
    ) -> None:
        """Real files with damaged fields and ends are the ones that get far into the readers."""
        data = bytearray(path.read_bytes())
        for offset, change in changes:
            offset = min(offset, len(data) - len(change))
            data[offset : offset + len(change)] = change
        try:
            assert binary_facts(bytes(data[: max(end, 64)]))
        except BinaryError:
            return


class TestMergeUniversal:
    """Two slices into one file."""

    x86_64 = sample("macos-10.12-x86_64.dylib")
    arm64 = sample("macos-11.0-arm64.dylib")

    def test_merged_file_reads_back(self) -> None:
        """It is universal2, holds both slices unchanged, and arm64 begins at a page of 16 KiB."""
        merged = merge_universal(self.x86_64, self.arm64)
        facts = binary_facts(merged)
        assert facts["arch"] == "universal2"
        assert {one["arch"]: one["minimum_macos"] for one in facts["slices"]} == {
            "x86_64": "10.12",
            "arm64": "11.0",
        }
        assert facts["init_functions"] == ["PyInit_sample"]
        assert merged.find(self.arm64) % 0x4000 == 0
        assert merged.find(self.x86_64) % 0x1000 == 0

    @pytest.mark.parametrize(
        ("x86_64", "arm64", "message"),
        [
            (arm64, x86_64, "x86_64 file is of the architecture arm64"),
            (x86_64, x86_64, "arm64 file is of the architecture x86_64"),
            (merge_universal(x86_64, arm64), arm64, "x86_64 file is fat already"),
            (x86_64, sample("glibc-aarch64.so"), "arm64 file is no Mach-O file but elf"),
            (x86_64, b"", "arm64 file is unreadable"),
        ],
        ids=["swapped", "same", "fat", "elf", "empty"],
    )
    def test_wrong_slices_are_refused(self, x86_64: bytes, arm64: bytes, message: str) -> None:
        """The message names the slice and what it is."""
        with pytest.raises(UniversalError, match=message):
            merge_universal(x86_64, arm64)


class TestFingerprints:
    """Trees, files and bytes."""

    def test_entry_of_a_file(self, tmp_path: Path) -> None:
        """An entry tells what ``stat`` tells, and the digest of the content."""
        write(tmp_path, {"src/lib.rs": "fn main() {}"})
        path = tmp_path / "src" / "lib.rs"
        [entry] = fingerprint_tree(str(tmp_path))
        assert entry.path == "src/lib.rs"
        assert entry.digest == digest_bytes(b"fn main() {}")
        assert (entry.size, entry.mtime_ns) == (12, path.stat().st_mtime_ns)
        assert entry.link is None
        assert not entry.executable
        assert entry == fingerprint_tree(str(tmp_path))[0]
        assert "src/lib.rs" in repr(entry)

    def test_digest_is_blake3(self) -> None:
        """The digest of no bytes is the published one."""
        expected = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        assert digest_bytes(b"") == expected

    def test_files_keep_their_order(self, tmp_path: Path) -> None:
        """Digests come in the order of the paths."""
        write(tmp_path, {"a": "one", "b": "two"})
        paths = [str(tmp_path / "b"), str(tmp_path / "a")]
        assert fingerprint_files(paths, threads=1) == [digest_bytes(b"two"), digest_bytes(b"one")]
        assert fingerprint_files([]) == []

    def test_known_files_are_not_read(self, tmp_path: Path) -> None:
        """Where size and time agree the known digest is given, else the content's."""
        write(tmp_path, {"a": "one", "b": "two"})
        one, two = fingerprint_tree(str(tmp_path))
        remembered = hashlib.sha256(b"").hexdigest()
        known = {
            "a": (one.size, one.mtime_ns, remembered),
            "b": (two.size, two.mtime_ns - 1, remembered),
        }
        digests = [entry.digest for entry in fingerprint_tree(str(tmp_path), known=known)]
        assert digests == [remembered, two.digest]
        # What is no digest is no knowledge.
        known["a"] = (one.size, one.mtime_ns, "no digest")
        assert fingerprint_tree(str(tmp_path), known=known)[0].digest == one.digest

    def test_order_and_threads(self, tmp_path: Path) -> None:
        """Entries are sorted as Python sorts, for any number of threads."""
        write(tmp_path, {f"{name}/{name}": name for name in ["b", "B", "ä", "a-b", "a", "z.0"]})
        entries = fingerprint_tree(str(tmp_path), threads=1)
        paths = [entry.path for entry in entries]
        assert paths == sorted(paths)
        assert fingerprint_tree(str(tmp_path), threads=8) == entries

    @pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege there")
    def test_links_are_their_text(self, tmp_path: Path) -> None:
        """A link is not followed, and may lead nowhere or in a circle."""
        write(tmp_path, {"a/file": ""})
        (tmp_path / "a" / "up").symlink_to("..")
        (tmp_path / "broken").symlink_to("nowhere")
        entries = {entry.path: entry for entry in fingerprint_tree(str(tmp_path))}
        assert list(entries) == ["a/file", "a/up", "broken"]
        assert entries["a/up"].link == ".."
        assert entries["broken"].digest == digest_bytes(b"nowhere")

    @pytest.mark.skipif(os.name == "nt", reason="no such files there")
    def test_pipes_are_left_out(self, tmp_path: Path) -> None:
        """Reading one would wait for ever."""
        os.mkfifo(tmp_path / "pipe")
        assert fingerprint_tree(str(tmp_path)) == []
        with pytest.raises(FingerprintError, match="pipe is not a regular file"):
            fingerprint_files([str(tmp_path / "pipe")])

    def test_failures_name_the_path(self, tmp_path: Path) -> None:
        """A missing folder, a file for a folder, a missing file, a bad pattern."""
        write(tmp_path, {"file": ""})
        with pytest.raises(FingerprintError, match="missing: "):
            fingerprint_tree(str(tmp_path / "missing"))
        with pytest.raises(FingerprintError, match="file is not a folder"):
            fingerprint_tree(str(tmp_path / "file"))
        with pytest.raises(FingerprintError, match="missing: "):
            fingerprint_files([str(tmp_path / "file"), str(tmp_path / "missing")])
        with pytest.raises(FingerprintError, match="invalid exclude pattern"):
            fingerprint_tree(str(tmp_path), exclude=["{a"])

    def test_names_that_are_no_text_are_refused(self, tmp_path: Path) -> None:
        """The message shows the path as well as it can be shown."""
        try:
            (tmp_path / os.fsdecode(b"caf\xe9")).touch()
        except OSError:
            pytest.skip("the file system refuses such a name")
        with pytest.raises(FingerprintError, match=r"not valid UTF-8: .*caf\uFFFD"):
            fingerprint_tree(str(tmp_path))

    def test_exclude(self, tmp_path: Path) -> None:
        """Further patterns are read as a .gitignore at the root, one that matches later wins."""
        write(tmp_path, {"a/x.log": "", "a/b/keep.log": "", "target/x": "", "a/target/x": ""})
        assert names(tmp_path, ["*.log", "!keep.log", "/target/"]) == ["a/b/keep.log", "a/target/x"]

    def test_other_threads_run_meanwhile(self, tmp_path: Path) -> None:
        """The GIL is released: another thread gets on while a tree is read."""
        write(tmp_path, {f"{number}": "x" * 1000 for number in range(300)})
        finished = threading.Event()
        turns = 0

        def read() -> None:
            for _ in range(5):
                fingerprint_tree(str(tmp_path))
            finished.set()

        reader = threading.Thread(target=read)
        reader.start()
        while not finished.is_set():
            turns += 1
        reader.join()
        assert turns > 0


#: Rules, as name and content of files, and the empty files that they are tried on, separated by bars.
TRICKY = {
    "comments": (
        {".gitignore": "# no\n\\#yes\n\\!bang\nspace\\ \n"},
        "#yes|!bang|# no|space |space",
    ),
    "anchors": ({".gitignore": "/a\nb/c\nd/\n"}, "a|x/a|b/c|x/b/c|x/d/e|y/d"),
    "stars": ({".gitignore": "*.o\n**/tmp\nlog/**/x\n"}, "a.o|b/c.o|b/tmp/y|log/x|log/1/2/x|x"),
    "ends": ({".gitignore": "a/**\n!a/b\nq?\n"}, "a/b|a/c|a/d/e|q|qq|qqq"),
    "negation": ({".gitignore": "*.so\n!keep.so\nout/\n!out/keep\n"}, "a.so|keep.so|out/keep"),
    "negation in a folder": ({".gitignore": "out/*\n!out/keep\n"}, "out/keep|out/x"),
    "nested files": (
        {".gitignore": "*.txt\n", "a/.gitignore": "!b.txt\n/c\n"},
        "a/b.txt|b.txt|a/c|c|a/d/b.txt|a/d/c",
    ),
    "sets": ({".gitignore": "[ab].x\n[!c].y\n[0-9].z\n"}, "a.x|c.x|c.y|d.y|5.z|w.z"),
    "exclude file": (
        {".git/info/exclude": "one\n*.o\n", ".gitignore": "!a.o\n"},
        "one|a/one|a.o|b.o",
    ),
    "hidden": ({".gitignore": ".cache/\n"}, ".cache/x|.github/w.yml|.env"),
    "rules of other tools": ({".ignore": "a\n", ".rgignore": "a\n"}, "a|b"),
    "blanks and returns": ({".gitignore": "a  \r\nb \n\n"}, "a|b|c"),
    "no pattern": ({".gitignore": "[\n/\n//\n!\n"}, "[|a|b/c"),
}


@pytest.mark.starts_processes
@pytest.mark.skipif(shutil.which("git") is None, reason="compares with git, which is not here")
class TestAsGit:
    """The files of a tree are those that git would show."""

    @staticmethod
    def git(root: Path, *arguments: str) -> str:
        """What git prints, without the user's configuration."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        # git must find neither a global excludes file nor a repository around the test's folder.
        alone = {"HOME": str(root), "XDG_CONFIG_HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
        env = {**kept, **alone, "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(
            ["git", *arguments], cwd=root, env=env, check=True, capture_output=True
        )
        return done.stdout.decode()

    def listed(self, root: Path) -> list[str]:
        """The tracked and the untracked files that are not ignored."""
        shown = self.git(root, "ls-files", "-z", "-co", "--exclude-standard")
        return sorted(set(filter(None, shown.split("\0"))))

    @pytest.mark.parametrize(("rules", "files"), TRICKY.values(), ids=TRICKY)
    def test_patterns(self, tmp_path: Path, rules: dict[str, str], files: str) -> None:
        """Tricky patterns mean what they mean to git."""
        self.git(tmp_path, "init", "-q")
        write(tmp_path, rules | dict.fromkeys(files.split("|"), ""))
        assert names(tmp_path) == self.listed(tmp_path)

    def test_outside_of_a_repository(self, tmp_path: Path) -> None:
        """The patterns count in an unpacked source distribution too."""
        rules, files = TRICKY["nested files"]
        write(tmp_path, rules | dict.fromkeys(files.split("|"), ""))
        without = names(tmp_path)
        self.git(tmp_path, "init", "-q")
        assert without == self.listed(tmp_path)

    def test_folder_in_a_repository(self, tmp_path: Path) -> None:
        """A project below the repository's root follows the patterns above it."""
        self.git(tmp_path, "init", "-q")
        write(tmp_path, {".gitignore": "*.log\n/project/out\n", "project/a.log": ""})
        write(tmp_path, {"project/out/x": "", "project/in/out/x": "", "other": ""})
        shown = [
            name.removeprefix("project/") for name in self.listed(tmp_path) if "project/" in name
        ]
        assert names(tmp_path / "project") == shown == ["in/out/x"]

    def test_nested_repository(self, tmp_path: Path) -> None:
        """Git shows none of its files; a build reads them, by the rules of that repository alone."""
        nested = tmp_path / "vendor"
        nested.mkdir()
        for root in (tmp_path, nested):
            self.git(root, "init", "-q")
        write(tmp_path, {".gitignore": "*.log\n", "a.log": "", "b": ""})
        write(nested, {".gitignore": "*.o\n", "a.log": "", "b.o": "", "c": ""})
        inside = [f"vendor/{name}" for name in self.listed(nested)]
        assert inside == ["vendor/.gitignore", "vendor/a.log", "vendor/c"]
        assert names(tmp_path) == [".gitignore", "b", *inside]

    def test_worktree(self, tmp_path: Path) -> None:
        """A worktree, whose .git is a file, has the rules of its repository."""
        main, tree = tmp_path / "main", tmp_path / "tree"
        main.mkdir()
        self.git(main, "init", "-q")
        write(main, {".gitignore": "*.o\n", "a": ""})
        self.git(main, "add", ".")
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        self.git(main, *identity, "commit", "-q", "-m", "one")
        self.git(main, "worktree", "add", "-q", str(tree))
        write(main, {".git/info/exclude": "secret\n"})
        write(tree, {"b.o": "", "c": "", "secret": ""})
        assert names(tree) == self.listed(tree) == [".gitignore", "a", "c"]

    def test_tracked_files_that_are_ignored(self, tmp_path: Path) -> None:
        """The one known difference: git shows what was added by force, the rules alone decide here."""
        self.git(tmp_path, "init", "-q")
        write(tmp_path, {".gitignore": "*.so\n", "a.so": ""})
        self.git(tmp_path, "add", "-f", "a.so")
        assert self.listed(tmp_path) == [".gitignore", "a.so"]
        assert names(tmp_path) == [".gitignore"]
