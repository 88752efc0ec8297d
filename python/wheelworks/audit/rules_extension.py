"""Rules about extension modules: their place, their init function, their suffix.

Also the rules of wheels without any: programs, cffi and uniffi libraries
(``py3-none-<platform>``), and pure wheels. Takes a Subject, gives findings. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.audit.extension_names import is_found_by, parse_extension_name
from wheelworks.audit.rules import finding
from wheelworks.audit.subject import base_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wheelworks._native import BinaryFacts
    from wheelworks.audit.extension_names import ExtensionName
    from wheelworks.audit.model import Finding, NativeMember
    from wheelworks.audit.subject import Subject, WheelKind

_INIT_PREFIXES = ("PyInit_", "PyModExport_")


def check_extensions(subject: Subject) -> Iterator[Finding]:
    """Everything about extension modules, or about their absence."""
    yield from _impostors(subject)
    yield from _purelib(subject)
    yield from _BY_KIND[subject.kind](subject)
    expects = subject.expects
    if expects is not None and expects.bindings == "bin":
        yield from _programs(subject)
    elif expects is not None:
        yield from _imports(subject, expects.import_names)


def extensions_of(
    subject: Subject,
) -> Iterator[tuple[NativeMember, BinaryFacts, ExtensionName]]:
    """The native files that are extension modules: by suffix, or by an init function of their name.

    A plain ``.so`` without init function is a library; a ``.pyd`` is always meant as a module.
    """
    for native, facts in subject.libraries():
        name = parse_extension_name(native.name)
        if name is None or facts["kind"] == "executable":
            continue
        is_named = name.abi is not None or name.suffix == ".pyd"
        if is_named or _has_init(facts, name.module):
            yield native, facts, name


def _has_init(facts: BinaryFacts, module: str) -> bool:
    """Whether the file exports the init function of a module."""
    return any(prefix + module in facts["init_functions"] for prefix in _INIT_PREFIXES)


def _extension_wheel(subject: Subject) -> Iterator[Finding]:
    """A wheel for an interpreter: every module can be found and started."""
    found = False
    for native, facts, name in extensions_of(subject):
        found = True
        yield from _init_function(native, facts, name)
        yield from _suffix(subject, native, name)
    expects = subject.expects
    if expects is not None and expects.module_name:
        yield from _expected_module(subject, expects.module_name)
    elif not found:
        yield finding(
            "W083",
            file=subject.facts.file_name,
            message=f"ABI tag {'.'.join(subject.abis)}, but no extension module inside",
            hint="check `module-name` and `python-source` in [tool.maturin]",
        )


def _init_function(
    native: NativeMember, facts: BinaryFacts, name: ExtensionName
) -> Iterator[Finding]:
    """The function that Python calls. Names beyond ASCII are encoded and left alone."""
    if not name.module.isascii() or _has_init(facts, name.module):
        return
    others = ", ".join(facts["init_functions"][:5]) or "no init function"
    yield finding(
        "W081",
        file=native.name,
        symbol=f"PyInit_{name.module}",
        message=f"PyInit_{name.module} is not exported, the file has {others}",
        hint=f"name the #[pymodule] function {name.module}, or change `module-name` "
        "in [tool.maturin]",
    )


def _suffix(subject: Subject, native: NativeMember, name: ExtensionName) -> Iterator[Finding]:
    """Some interpreter of the wheel's tags must look for the name."""
    platforms = {platform.tag: platform for platform in subject.platforms}
    if any(is_found_by(name, tag, platforms[tag[2]]) for tag in subject.facts.tags):
        return
    tags = ", ".join("-".join(tag) for tag in subject.facts.tags[:3])
    yield finding(
        "W082",
        file=native.name,
        symbol=name.suffix,
        message=f"no interpreter of {tags} looks for the suffix {name.suffix}",
        hint="remove stale modules from the source folder and build again for this interpreter",
    )


def _expected_module(subject: Subject, module_name: str) -> Iterator[Finding]:
    """The planned module lies where Python looks for it."""
    places = _places(subject, module_name)
    natives = {native.name for native in subject.facts.natives}
    modules = {name: ext for name in natives if (ext := parse_extension_name(name)) is not None}
    for path, extension in modules.items():
        if path.removesuffix(extension.suffix) in places:
            return
    similar = sorted(
        path for path, ext in modules.items() if ext.module == module_name.rpartition(".")[2]
    )
    where = f"it lies at {', '.join(similar)}" if similar else "no file of that name is there"
    yield finding(
        "W080",
        file=subject.facts.file_name,
        symbol=module_name,
        message=f"the module {module_name} belongs at {places[0]}.*, {where}",
        hint="check `module-name` and `python-source` in [tool.maturin]",
    )


def _places(subject: Subject, module_name: str) -> list[str]:
    """Where a module may lie, without suffix.

    A pure Rust project gets a package around its module from maturin: ``rpds/rpds``, which
    ``rpds/__init__`` imports from.
    """
    plain = module_name.replace(".", "/")
    names = {member.name for member in subject.facts.members}
    places = [plain]
    if f"{plain}/__init__.py" in names:
        places.append(f"{plain}/{plain.rpartition('/')[2]}")
    platlib = f"{(subject.facts.dist_info or '').removesuffix('.dist-info')}.data/platlib/"
    return places + [platlib + place for place in places]


def _imports(subject: Subject, import_names: tuple[str, ...]) -> Iterator[Finding]:
    """The names that users import."""
    data = f"{(subject.facts.dist_info or '').removesuffix('.dist-info')}.data/"
    names = [
        member.name.removeprefix(data + "platlib/").removeprefix(data + "purelib/")
        for member in subject.facts.members
    ]
    tops = {name.partition("/")[0].partition(".")[0] for name in names}
    for name in import_names:
        if name.partition(".")[0] not in tops:
            yield finding(
                "W032",
                file=subject.facts.file_name,
                symbol=name,
                message=f"nothing in the wheel can be imported as {name}",
                hint="check `python-source`, `module-name` and `exclude` in [tool.maturin]",
            )


def _programs(subject: Subject) -> Iterator[Finding]:
    """A crate of programs is installed through .data/scripts."""
    if not any(".data/scripts/" in native.name for native in subject.facts.natives):
        yield finding(
            "W086",
            file=subject.facts.file_name,
            message="has no native file in .data/scripts",
            hint="check that the crate has a [[bin]] target, and its `required-features`",
        )


def _platform_wheel(subject: Subject) -> Iterator[Finding]:
    """Programs and libraries that no interpreter's ABI binds."""
    if not subject.facts.natives:
        yield finding(
            "W034",
            file=subject.facts.file_name,
            message="has a platform tag and holds no native file",
            hint="check `bindings` in [tool.maturin], or build it as a pure wheel",
        )
    for native, _, name in extensions_of(subject):
        yield finding(
            "W084",
            file=native.name,
            symbol=name.suffix,
            message="is an extension module, and the ABI tag is `none`",
            hint="set `bindings` in [tool.maturin] to pyo3, or leave the module out",
        )
    for native, facts in subject.libraries():
        # Position-independent programs look like libraries but name their loader.
        is_program = facts["kind"] == "executable" or facts["interpreter"] is not None
        if ".data/scripts/" in native.name and not is_program:
            yield finding(
                "W085",
                file=native.name,
                message=f"is a {facts['kind']}, scripts must be programs",
                hint="build the binary target of the crate, not its library",
            )


def _pure_wheel(subject: Subject) -> Iterator[Finding]:
    """No native libraries. Launchers for Windows in a pure wheel are programs, and common."""
    for native, facts in subject.libraries():
        if facts["kind"] != "executable":
            yield finding(
                "W046",
                file=native.name,
                message=f"is a {facts['format']} library for {facts['arch']}, the tag says `any`",
                hint="build with a platform tag, or leave the file out",
            )


def _purelib(subject: Subject) -> Iterator[Finding]:
    """Native files live in platlib."""
    if subject.kind == "pure":
        return
    facts = subject.facts
    if facts.dist_info is not None and facts.root_is_purelib is not False:
        said = "true" if facts.root_is_purelib else "missing or neither true nor false"
        yield finding(
            "W033",
            file=f"{facts.dist_info}/WHEEL",
            symbol="Root-Is-Purelib",
            message=f"Root-Is-Purelib is {said} in a wheel for one platform",
            hint="write `Root-Is-Purelib: false`, and RECORD again",
        )
    for native in facts.natives:
        if ".data/purelib/" in native.name:
            yield finding(
                "W033",
                file=native.name,
                message="is a native file in the folder for pure files",
                hint="move it into .data/platlib",
            )


def _impostors(subject: Subject) -> Iterator[Finding]:
    """Files that Python would try to load and can't; natives that can't be read."""
    natives = {native.name for native in subject.facts.natives}
    for member in subject.facts.members:
        name = parse_extension_name(member.name)
        if name is None or member.name in natives or not member.crc_ok:
            continue
        if name.abi is not None or name.suffix == ".pyd":
            yield finding(
                "W048",
                file=member.name,
                message=f"{base_name(member.name)} does not begin like an ELF, Mach-O or PE file",
                hint="fetch the real file (git lfs pull), or remove it from the source folder",
            )
    for native in subject.facts.natives:
        if native.error is not None:
            yield finding(
                "W040",
                file=native.name,
                message=native.error,
                hint="build it again; a file that is cut or padded does not load",
            )


_BY_KIND: dict[WheelKind, Callable[[Subject], Iterator[Finding]]] = {
    "extension": _extension_wheel,
    "platform": _platform_wheel,
    "pure": _pure_wheel,
}
