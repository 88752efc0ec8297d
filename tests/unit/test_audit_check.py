"""One wheel for each rule that breaks just it, and sound wheels that break none."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from wheel_samples import (
    DIST_INFO,
    LINUX_MODULE,
    LINUX_TAG,
    MAC_MODULE,
    MAC_TAG,
    MUSL_TAG,
    PROGRAM_TAG,
    PURE_TAG,
    WINDOWS_MODULE,
    WINDOWS_TAG,
    a_macho,
    a_member,
    a_musl_elf,
    a_pe,
    a_slice,
    an_elf,
    an_expectation,
    wheel_facts,
)

from wheelworks.audit.check import check_wheel, is_refused
from wheelworks.audit.model import ArchiveProblem, Level, NativeMember
from wheelworks.audit.rules import RULES

if TYPE_CHECKING:
    from wheelworks.audit.model import ProblemKind, WheelFacts
    from wheelworks.plan import WheelExpectation

PROGRAM = "demo-1.0.data/scripts/demo"
ABI3_TAG = "cp310-abi3-manylinux_2_17_x86_64"
UNIVERSAL_TAG = "cp313-cp313-macosx_10_12_universal2"
MUSL_MODULE = "demo/_demo.cpython-313-x86_64-linux-musl.so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A wheel that breaks one rule."""

    rule: str
    facts: WheelFacts
    expects: WheelExpectation | None = None
    says: str
    """Part of the message."""


def _problem(kind: ProblemKind) -> WheelFacts:
    problem = ArchiveProblem(kind=kind, file="demo/x", message="is told by the reader")
    return wheel_facts(archive_problems=(problem,))


def _linux(**changes: object) -> WheelFacts:
    return wheel_facts(LINUX_TAG, {LINUX_MODULE: an_elf(**changes)})


def _windows(*needed: str, tag: str = WINDOWS_TAG, module: str = WINDOWS_MODULE) -> WheelFacts:
    return wheel_facts(tag, {module: a_pe(needed=["KERNEL32.dll", *needed])})


def _needs(version: str, *names: str) -> list[dict[str, str]]:
    return [{"name": name, "version": version, "library": "libc.so.6"} for name in names]


def _members(*names: str) -> WheelFacts:
    return wheel_facts(files=("demo/__init__.py", *names))


PROGRAM_FACTS = an_elf(kind="executable", init_functions=[], exported=[])
WITHOUT_METADATA = tuple(
    a_member(name) for name in (LINUX_MODULE, f"{DIST_INFO}/WHEEL", f"{DIST_INFO}/RECORD")
)

CASES = [
    Case(rule="W001", facts=_problem("framing"), says="told by the reader"),
    Case(rule="W002", facts=_problem("duplicate"), says="told by the reader"),
    Case(rule="W003", facts=_problem("unsafe name"), says="told by the reader"),
    Case(rule="W004", facts=_problem("encrypted"), says="told by the reader"),
    Case(rule="W005", facts=_problem("damaged"), says="told by the reader"),
    Case(rule="W006", facts=_problem("compression"), says="told by the reader"),
    Case(rule="W014", facts=_problem("text"), says="told by the reader"),
    Case(
        rule="W007", facts=wheel_facts(record_problems=("demo/x is lost",)), says="demo/x is lost"
    ),
    Case(rule="W008", facts=wheel_facts(dist_info=None), says="no .dist-info folder, or several"),
    Case(
        rule="W008",
        facts=wheel_facts(
            dist_info="other-1.0.dist-info",
            members=tuple(
                a_member(f"other-1.0.dist-info/{name}") for name in ("WHEEL", "METADATA", "RECORD")
            ),
        ),
        says="belongs to other 1.0, the file name says demo",
    ),
    Case(rule="W009", facts=wheel_facts(members=WITHOUT_METADATA), says="METADATA is missing"),
    Case(
        rule="W010",
        facts=wheel_facts(
            members=(*wheel_facts().members, a_member("demo/l", mode=stat.S_IFLNK | 0o777))
        ),
        says="symbolic link",
    ),
    Case(rule="W011", facts=_members("demo/Name.py", "demo/name.py"), says="other capitals"),
    Case(rule="W012", facts=_members("demo/__pycache__/x.pyc"), says="x.pyc is left over"),
    Case(
        rule="W012",
        facts=_members(*(f"demo/{number}.o" for number in range(7))),
        says="4.o is left over from building or editing, as are 2 more",
    ),
    Case(rule="W013", facts=wheel_facts(size=101 << 20), says="101 MiB, PyPI takes 100 MiB"),
    Case(
        rule="W020",
        facts=wheel_facts(file_name="demo.whl", file_name_error="wrong number of parts"),
        says="wrong number of parts",
    ),
    Case(rule="W021", facts=wheel_facts(metadata_name="other"), says="project other"),
    Case(rule="W022", facts=wheel_facts(metadata_version="1.1"), says="has version 1.1"),
    Case(rule="W022", facts=wheel_facts(metadata_version="?"), says="has version ?"),
    Case(
        rule="W023",
        facts=wheel_facts(wheel_tags=("cp312-cp312-manylinux_2_17_x86_64",)),
        says="only WHEEL has cp312-cp312-manylinux_2_17_x86_64",
    ),
    Case(
        rule="W024",
        facts=wheel_facts("cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64"),
        says="sorted it is manylinux2014_x86_64.manylinux_2_17_x86_64",
    ),
    Case(
        rule="W025",
        facts=wheel_facts(file_name=f"Demo-1.0-{LINUX_TAG}.whl"),
        says="written Demo, normalised it is demo",
    ),
    Case(
        rule="W026",
        facts=wheel_facts(version="1.0+abc", metadata_version="1.0+abc"),
        says="1.0+abc has a local part",
    ),
    Case(rule="W027", facts=wheel_facts(metadata_problems=("no Summary",)), says="no Summary"),
    Case(rule="W028", facts=wheel_facts(license_files=("LICENSE",)), says="the licence LICENSE"),
    Case(
        rule="W029",
        facts=wheel_facts("cp313-cp313-linux_x86_64"),
        says="linux_x86_64: PyPI refuses plain linux tags",
    ),
    Case(
        rule="W030",
        facts=wheel_facts(),
        expects=an_expectation(version="1.1"),
        says="is demo 1.0, planned was demo 1.1",
    ),
    Case(
        rule="W031",
        facts=wheel_facts(),
        expects=an_expectation(abi_tag="abi3"),
        says="ABI tag cp313, planned was abi3",
    ),
    Case(
        rule="W031",
        facts=wheel_facts(),
        expects=an_expectation(platform_tags=("manylinux_2_28_x86_64",)),
        says="platform tag manylinux_2_17_x86_64, planned was manylinux_2_28_x86_64",
    ),
    Case(
        rule="W032",
        facts=wheel_facts(),
        expects=an_expectation(import_names=("demo", "extra")),
        says="nothing in the wheel can be imported as extra",
    ),
    Case(rule="W033", facts=wheel_facts(root_is_purelib=True), says="Root-Is-Purelib is true"),
    Case(rule="W033", facts=wheel_facts(root_is_purelib=None), says="Root-Is-Purelib is missing"),
    Case(
        rule="W033",
        facts=wheel_facts(natives={f"demo-1.0.data/purelib/{LINUX_MODULE}": an_elf()}),
        says="in the folder for pure files",
    ),
    Case(rule="W034", facts=wheel_facts(PROGRAM_TAG, {}), says="holds no native file"),
    Case(
        rule="W040",
        facts=wheel_facts(natives={LINUX_MODULE: an_elf(), "demo/lib.so": "it is cut"}),
        says="it is cut",
    ),
    Case(rule="W041", facts=wheel_facts(MAC_TAG, {MAC_MODULE: an_elf()}), says="ELF (Linux)"),
    Case(
        rule="W042",
        facts=wheel_facts(natives={LINUX_MODULE: an_elf(arch="aarch64")}),
        says="built for aarch64, the wheel is for manylinux_2_17_x86_64",
    ),
    Case(
        rule="W042",
        facts=wheel_facts(WINDOWS_TAG, {WINDOWS_MODULE: a_pe(arch="i686", bits=32)}),
        says="built for i686, the wheel is for win_amd64",
    ),
    Case(
        rule="W042",
        facts=wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(a_slice("x86_64"), a_slice("ppc"))}),
        says="built for x86_64 and ppc, the wheel is for macosx_11_0_arm64",
    ),
    Case(
        rule="W043",
        facts=_linux(needed=["libc.so.6", "libssl.so.3"]),
        says="needs libssl.so.3, which is not among the libraries of manylinux2014",
    ),
    Case(
        rule="W043",
        facts=wheel_facts(MUSL_TAG, {MUSL_MODULE: a_musl_elf(needed=["libc.so", "libgcc_s.so.1"])}),
        says="needs libgcc_s.so.1, which is not among the libraries of musllinux_1_2",
    ),
    Case(
        rule="W043",
        facts=wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(needed=["/opt/homebrew/lib/libz.dylib"])}),
        says="needs /opt/homebrew/lib/libz.dylib",
    ),
    Case(
        rule="W043",
        facts=wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(needed=["@rpath/libz.dylib"])}),
        says="needs @rpath/libz.dylib",
    ),
    Case(
        rule="W044",
        facts=_linux(needed=["libc.so.6", "libpython3.13.so.1.0"]),
        says="needs libpython3.13.so.1.0",
    ),
    Case(
        rule="W044",
        facts=wheel_facts(
            MAC_TAG,
            {
                MAC_MODULE: a_macho(
                    needed=["/Library/Frameworks/Python.framework/Versions/3.13/Python"]
                )
            },
        ),
        says="Python.framework",
    ),
    Case(rule="W045", facts=_linux(rpaths=["/home/me/lib"]), says="in /home/me/lib, outside"),
    Case(rule="W045", facts=_linux(rpaths=["$ORIGIN/../../lib"]), says="in $ORIGIN/../../lib"),
    Case(
        rule="W045",
        facts=wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(rpaths=["/opt/local/lib"])}),
        says="in /opt/local/lib, outside",
    ),
    Case(
        rule="W046",
        facts=wheel_facts(PURE_TAG, {"demo/lib.so": an_elf()}),
        says="elf library for x86_64",
    ),
    Case(rule="W047", facts=_linux(stripped=False), says="symbols or debug sections"),
    Case(
        rule="W048",
        facts=_members("demo/_other.cpython-313-x86_64-linux-gnu.so"),
        says="does not begin like an ELF",
    ),
    Case(
        rule="W049",
        facts=wheel_facts(
            natives={LINUX_MODULE: an_elf(), "demo/run.exe": a_pe(kind="executable")}
        ),
        says="is a program for PE (Windows)",
    ),
    Case(
        rule="W050",
        facts=_linux(versioned_symbols=_needs("GLIBC_2.28", "fcntl64")),
        says="fcntl64 needs GLIBC_2.28, manylinux2014 allows 2.17",
    ),
    Case(
        rule="W050",
        facts=_linux(versioned_symbols=_needs("GLIBC_2.34", "a", "b", "c", "d", "e")),
        says="a, b, c and 2 more need GLIBC_2.34, manylinux2014 allows 2.17",
    ),
    Case(
        rule="W051",
        facts=_linux(needed=["libc.so"], versioned_symbols=[]),
        says="needs libc.so, which is musl's; manylinux_2_17_x86_64 promises glibc",
    ),
    Case(
        rule="W051",
        facts=wheel_facts(MUSL_TAG, {MUSL_MODULE: an_elf()}),
        says="needs libc.so.6, which is glibc's; musllinux_1_2_x86_64 promises musl",
    ),
    Case(
        rule="W051",
        facts=wheel_facts(
            PROGRAM_TAG,
            {PROGRAM: PROGRAM_FACTS | {"needed": [], "interpreter": "/lib/ld-musl-x86_64.so.1"}},
        ),
        says="needs ld-musl-x86_64.so.1, which is musl's",
    ),
    Case(
        rule="W052",
        facts=_linux(undefined=["__cxa_thread_atexit_impl"]),
        says="uses __cxa_thread_atexit_impl of libc.so.6, which manylinux2014 forbids",
    ),
    Case(rule="W053", facts=_linux(executable_stack=True), says="executable stack"),
    Case(rule="W054", facts=_linux(textrel=True), says="changed in memory"),
    Case(
        rule="W055",
        facts=wheel_facts(
            "cp313-cp313-manylinux_2_17_armv7l",
            {
                "demo/_demo.cpython-313-arm-linux-gnueabihf.so": an_elf(
                    arch="armv7l", bits=32, armv7_hard_float=False, versioned_symbols=[]
                )
            },
        ),
        says="soft float",
    ),
    Case(
        rule="W056",
        facts=wheel_facts(
            "cp313-cp313-manylinux_2_5_aarch64",
            {"demo/_demo.cpython-313-aarch64-linux-gnu.so": an_elf(arch="aarch64")},
        ),
        says="no policy for manylinux_2_5_aarch64",
    ),
    Case(
        rule="W060",
        facts=wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(a_slice(minimum="14.0"))}),
        says="arm64 code needs macOS 14.0, the tag promises 11.0",
    ),
    Case(
        rule="W060",
        facts=wheel_facts(
            UNIVERSAL_TAG, {MAC_MODULE: a_macho(a_slice("x86_64", "10.13"), a_slice())}
        ),
        says="x86_64 code needs macOS 10.13, the tag promises 10.12",
    ),
    Case(
        rule="W061",
        facts=wheel_facts(UNIVERSAL_TAG, {MAC_MODULE: a_macho(a_slice("x86_64", "10.12"))}),
        says="has no arm64 code, only x86_64",
    ),
    Case(
        rule="W062",
        facts=wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(a_slice(signed=False))}),
        says="no signature",
    ),
    Case(
        rule="W063",
        facts=wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(a_slice("arm64", None))}),
        says="arm64 code does not say which macOS it needs",
    ),
    Case(
        rule="W064",
        facts=replace(
            wheel_facts(MAC_TAG, {MAC_MODULE: a_macho()}),
            natives=(
                NativeMember(
                    name=MAC_MODULE,
                    facts=a_macho(),
                    error=None,
                    signature_faults=(("arm64", "page 1 of 4 was changed after signing"),),
                ),
            ),
        ),
        says="does not fit its signature: page 1 of 4",
    ),
    Case(
        rule="W070",
        facts=_windows("python312.dll"),
        says="imports python312.dll, the wheel's tags ask for python3.dll or python313.dll",
    ),
    Case(
        rule="W070",
        facts=_windows("python313.dll", tag="cp310-abi3-win_amd64", module="demo/_demo.pyd"),
        says="imports python313.dll, the wheel's tags ask for python3.dll",
    ),
    Case(
        rule="W070",
        facts=_windows(
            "python314.dll",
            tag="cp314-cp314t-win_amd64",
            module="demo/_demo.cp314t-win_amd64.pyd",
        ),
        says="imports python314.dll, the wheel's tags ask for python314t.dll or python3t.dll",
    ),
    Case(
        rule="W070",
        facts=_windows("python3.dll", tag="py3-none-win_amd64", module="demo/demo.dll"),
        says="the wheel's tags ask for none",
    ),
    Case(rule="W070", facts=_windows("python313_d.dll"), says="imports python313_d.dll"),
    Case(rule="W071", facts=_windows("MSVCP140.dll"), says="imports MSVCP140.dll"),
    Case(rule="W072", facts=_windows("nvcuda.dll"), says="imports nvcuda.dll"),
    Case(
        rule="W080",
        facts=wheel_facts(natives={"_demo.cpython-313-x86_64-linux-gnu.so": an_elf()}),
        expects=an_expectation(),
        says="belongs at demo/_demo.*, it lies at _demo.cpython-313-x86_64-linux-gnu.so",
    ),
    Case(
        rule="W080",
        facts=wheel_facts(),
        expects=an_expectation(module_name="demo.core"),
        says="belongs at demo/core.*, no file of that name is there",
    ),
    Case(
        rule="W081",
        facts=_linux(init_functions=["PyInit_demo"], exported=["PyInit_demo"]),
        says="PyInit__demo is not exported, the file has PyInit_demo",
    ),
    Case(
        rule="W082",
        facts=wheel_facts(natives={"demo/_demo.cpython-312-x86_64-linux-gnu.so": an_elf()}),
        says="looks for the suffix .cpython-312-x86_64-linux-gnu.so",
    ),
    Case(
        rule="W082",
        facts=wheel_facts(ABI3_TAG),
        says="no interpreter of cp310-abi3-manylinux_2_17_x86_64 looks for the suffix",
    ),
    Case(rule="W083", facts=wheel_facts(natives={}), says="ABI tag cp313, but no extension module"),
    Case(
        rule="W084",
        facts=wheel_facts(PROGRAM_TAG),
        says="is an extension module, and the ABI tag is `none`",
    ),
    Case(
        rule="W085",
        facts=wheel_facts(PROGRAM_TAG, {PROGRAM: an_elf(init_functions=[])}),
        says="is a library, scripts must be programs",
    ),
    Case(
        rule="W086",
        facts=wheel_facts(PROGRAM_TAG, {"demo/libdemo.so": an_elf(init_functions=[])}),
        expects=an_expectation(
            bindings="bin", python_tag="py3", abi_tag="none", module_name="", import_names=()
        ),
        says="no native file in .data/scripts",
    ),
]

#: Rules that need no wheel's facts, tested beside what makes their findings.
ELSEWHERE = {"W000", "W090", "W091", "W092", "W093"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.says[:40]}")
def test_a_wheel_that_breaks_a_rule_breaks_just_it(case: Case) -> None:
    """The rule speaks, says what was found and what to do, and no other rule joins in."""
    findings = check_wheel(case.facts, case.expects)
    assert {found.rule for found in findings} == {case.rule}
    assert any(case.says in found.message for found in findings), [f.message for f in findings]
    assert all(found.level is RULES[case.rule].level and found.hint for found in findings)
    assert is_refused(findings) is (RULES[case.rule].level is Level.ERROR)


def test_every_rule_of_wheels_has_a_case() -> None:
    """A new rule comes with a wheel that breaks it."""
    wheel_rules = {rule for rule in RULES if rule < "W100"}
    assert {case.rule for case in CASES} | ELSEWHERE == wheel_rules


@pytest.mark.parametrize(
    "facts",
    [
        wheel_facts(),
        wheel_facts("cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64"),
        wheel_facts(
            LINUX_TAG,
            {
                LINUX_MODULE: an_elf(
                    undefined=["__cxa_thread_atexit_impl"], weak=["__cxa_thread_atexit_impl"]
                )
            },
        ),
        wheel_facts(ABI3_TAG, {"demo/_demo.abi3.so": an_elf()}),
        wheel_facts(MUSL_TAG, {MUSL_MODULE: a_musl_elf()}),
        wheel_facts(
            MUSL_TAG,
            {
                MUSL_MODULE: a_musl_elf(
                    needed=["libgcc_s-0b.so.1", "libc.musl-x86_64.so.1"],
                    rpaths=["$ORIGIN/../demo.libs"],
                ),
                "demo.libs/libgcc_s-0b.so.1": a_musl_elf(init_functions=[]),
            },
        ),
        wheel_facts(
            MUSL_TAG,
            {
                MUSL_MODULE: a_musl_elf(
                    libc="glibc", versioned_symbols=_needs("GLIBC_2.0", "__register_frame_info")
                )
            },
        ),
        wheel_facts(MAC_TAG, {MAC_MODULE: a_macho()}),
        wheel_facts(MAC_TAG, {MAC_MODULE: a_macho(a_slice(minimum=None))}),
        wheel_facts(
            "cp313-cp313-macosx_10_12_universal2.macosx_10_12_x86_64.macosx_11_0_arm64",
            {MAC_MODULE: a_macho(a_slice("x86_64", "10.12", signed=False), a_slice())},
        ),
        wheel_facts(
            MAC_TAG,
            {
                MAC_MODULE: a_macho(
                    needed=["@loader_path/.dylibs/libz.dylib", "@rpath/libswiftCore.dylib"],
                    rpaths=["/usr/lib/swift", "@loader_path/.dylibs"],
                ),
                "demo/.dylibs/libz.dylib": a_macho(init_functions=[]),
            },
        ),
        wheel_facts(WINDOWS_TAG, {WINDOWS_MODULE: a_pe()}),
        wheel_facts("cp310-abi3-win_amd64", {"demo/_demo.pyd": a_pe(needed=["python3.dll"])}),
        wheel_facts(
            "cp315-abi3.abi3t-win_amd64", {"demo/_demo.pyd": a_pe(needed=["python3t.dll"])}
        ),
        wheel_facts(
            "pp311-pypy311_pp73-win_amd64",
            {"demo/_demo.pypy311-pp73-win_amd64.pyd": a_pe(needed=["libpypy3.11-c.dll"])},
        ),
        wheel_facts(
            WINDOWS_TAG,
            {
                WINDOWS_MODULE: a_pe(needed=["MSVCP140-ab.dll"]),
                "demo.libs/msvcp140-ab.dll": a_pe(needed=[], init_functions=[]),
            },
        ),
        wheel_facts(PROGRAM_TAG, {PROGRAM: PROGRAM_FACTS}),
        wheel_facts(PROGRAM_TAG, {"demo/native.so": an_elf(init_functions=[], exported=["run"])}),
        wheel_facts(
            "py3-none-manylinux_2_17_x86_64.musllinux_1_1_x86_64",
            {PROGRAM: PROGRAM_FACTS | {"needed": [], "libc": None, "versioned_symbols": []}},
        ),
        wheel_facts(PURE_TAG, {"demo/cli.exe": a_pe(kind="executable")}),
        wheel_facts(natives={LINUX_MODULE: an_elf(), "demo/x.o": an_elf(kind="object")}, files=()),
        wheel_facts(natives={"demo/modül.abi3.so": an_elf(init_functions=["PyInitU_modl_1sa"])}),
        wheel_facts(natives={"demo/_demo.so": an_elf()}),
        wheel_facts(files=("demo/linker_script.so", "demo/Main.class")),
        wheel_facts(
            files=("demo/x.py", f"{DIST_INFO}/licenses/LICENSE"), license_files=("LICENSE",)
        ),
    ],
    ids=lambda facts: facts.file_name,
)
def test_a_sound_wheel_has_no_error(facts: WheelFacts) -> None:
    """Extension modules of every system, programs and libraries pass."""
    assert [found for found in check_wheel(facts, None) if found.level is Level.ERROR] == []


@pytest.mark.parametrize(
    ("facts", "expects"),
    [
        (wheel_facts(), an_expectation()),
        (
            wheel_facts(
                natives={
                    "demo/demo.cpython-313-x86_64-linux-gnu.so": an_elf(
                        init_functions=["PyInit_demo"]
                    )
                }
            ),
            an_expectation(module_name="demo"),
        ),
        (
            wheel_facts(
                natives={
                    "demo-1.0.data/platlib/demo/_demo.cpython-313-x86_64-linux-gnu.so": an_elf()
                }
            ),
            an_expectation(),
        ),
        (
            wheel_facts(PROGRAM_TAG, {PROGRAM: PROGRAM_FACTS}, files=()),
            an_expectation(
                bindings="bin",
                python_tag="py3",
                abi_tag="none",
                module_name="",
                import_names=("x",),
            ),
        ),
    ],
    ids=["mixed", "pure Rust", "platlib", "programs"],
)
def test_a_wheel_as_planned_has_no_finding(facts: WheelFacts, expects: WheelExpectation) -> None:
    """The module is accepted wherever maturin puts it."""
    assert check_wheel(facts, expects) == ()


def test_the_hint_names_the_lowest_level_that_fits() -> None:
    """A wheel that needs glibc 2.28 is told to say so."""
    facts = _linux(versioned_symbols=_needs("GLIBC_2.28", "fcntl64"))
    (found,) = check_wheel(facts, None)
    assert 'compatibility = "manylinux_2_28"' in found.hint


def test_without_a_fitting_level_the_hint_names_only_the_other_way() -> None:
    """No level allows a library that no system has."""
    facts = _linux(
        needed=["libssl.so.3"], undefined=[], versioned_symbols=_needs("GLIBC_2.99", "f")
    )
    hints = {found.rule: found.hint for found in check_wheel(facts, None)}
    assert "compatibility" not in hints["W050"]


def test_the_strictest_of_several_levels_counts() -> None:
    """A wheel tagged for glibc 2.17 and 2.28 must run on 2.17."""
    facts = wheel_facts(
        "cp313-cp313-manylinux_2_17_x86_64.manylinux_2_28_x86_64",
        {LINUX_MODULE: an_elf(versioned_symbols=_needs("GLIBC_2.28", "fcntl64"))},
    )
    assert [found.rule for found in check_wheel(facts, None)] == ["W050"]


def test_errors_come_first() -> None:
    """People read the reason of the refusal before the notes."""
    facts = _linux(stripped=False, textrel=True)
    assert [found.level for found in check_wheel(facts, None)] == [Level.ERROR, Level.NOTE]


def test_a_library_copied_from_the_system_is_not_the_projects_to_strip() -> None:
    """What auditwheel and delocate put beside the module is as the distribution made it."""
    members = {LINUX_MODULE: an_elf(), "demo.libs/libgcc_s-f685abf1.so.1": an_elf(stripped=False)}
    found = check_wheel(wheel_facts(LINUX_TAG, members), None)
    assert "W047" not in {item.rule for item in found}
