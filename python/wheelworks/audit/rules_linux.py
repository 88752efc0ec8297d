"""Rules about ELF files in manylinux and musllinux wheels.

Takes a Subject and the policies, gives findings. Pure. Follows auditwheel, and names for each
refusal the lowest level that would do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.audit.policy import policies_of, policy_for
from wheelworks.audit.rules import finding
from wheelworks.audit.rules_native import (
    is_libpython,
    leaves_wheel,
    missing_library,
    rpath_finding,
    runs_on,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks._native import BinaryFacts
    from wheelworks.audit.model import Finding, NativeMember
    from wheelworks.audit.platforms import Platform
    from wheelworks.audit.policy import Policy
    from wheelworks.audit.subject import Subject

_SHOWN = 3


def check_linux(subject: Subject) -> Iterator[Finding]:
    """Every ELF file against the strictest level of each libc that the tags promise."""
    for platform in strictest_platforms(subject.platforms):
        policy = policy_for(platform)
        if policy is None:
            yield finding(
                "W056",
                file=subject.facts.file_name,
                symbol=platform.tag,
                message=f"there is no policy for {platform.tag}",
                hint="build for a level that auditwheel knows, such as manylinux2014",
            )
        for native, facts in subject.of_format(platform.system):
            if not runs_on(facts, platform):
                continue
            if policy is not None:
                yield from _against_policy(subject, native, facts, platform, policy)
            yield from _foreign_libc(native, facts, platform)
            yield from _soft_float(native, facts, platform)
    if any(platform.system in ("manylinux", "musllinux") for platform in subject.platforms):
        for native, facts in subject.of_format("manylinux"):
            yield from _loading(native, facts)


def strictest_platforms(platforms: tuple[Platform, ...]) -> tuple[Platform, ...]:
    """Of each libc and architecture the tag that promises the oldest systems.

    ``manylinux_2_17_x86_64.manylinux2014_x86_64`` is one promise; of ``2_27`` and ``2_28`` the
    first is the harder one.
    """
    strictest: dict[tuple[str, str], Platform] = {}
    for platform in platforms:
        if platform.system not in ("manylinux", "musllinux"):
            continue
        key = (platform.system, platform.arch)
        known = strictest.get(key)
        if known is None or (platform.version or (0, 0)) < (known.version or (0, 0)):
            strictest[key] = platform
    return tuple(strictest.values())


def lowest_fitting(
    facts: BinaryFacts, platform: Platform, bundled: frozenset[str]
) -> Policy | None:
    """The level for the oldest systems that a file could be tagged with; None when there is none.

    Args:
        facts: an ELF file.
        platform: a manylinux or musllinux one; gives libc and architecture.
        bundled: libraries in the wheel.
    """
    for policy in policies_of(platform.system, platform.arch):
        versions_fit = all(
            policy.allows_version(symbol["version"]) for symbol in facts["versioned_symbols"]
        )
        libraries_fit = not any(True for _ in _outside(facts, policy, bundled))
        private_fit = not any(True for _ in _private_symbols(facts, policy))
        if versions_fit and libraries_fit and private_fit:
            return policy
    return None


def _against_policy(
    subject: Subject, native: NativeMember, facts: BinaryFacts, platform: Platform, policy: Policy
) -> Iterator[Finding]:
    """Symbol versions, libraries and private symbols."""
    fitting = lowest_fitting(facts, platform, subject.bundled)
    yield from _versions(native, facts, policy, fitting)
    for library in _outside(facts, policy, subject.bundled):
        yield missing_library(native, library, policy.title)
    for library, symbol in _private_symbols(facts, policy):
        yield finding(
            "W052",
            file=native.name,
            symbol=symbol,
            message=f"uses {symbol} of {library}, which {policy.title} forbids",
            hint=_level_hint(fitting, "link the library statically"),
        )


def _versions(
    native: NativeMember, facts: BinaryFacts, policy: Policy, fitting: Policy | None
) -> Iterator[Finding]:
    """One finding per symbol version that is too new, with the symbols that ask for it."""
    too_new: dict[str, list[str]] = {}
    for symbol in facts["versioned_symbols"]:
        if not policy.allows_version(symbol["version"]):
            too_new.setdefault(symbol["version"], []).append(symbol["name"])
    for version, names in too_new.items():
        prefix = version.partition("_")[0]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        verb = "needs" if len(names) == 1 else "need"
        allowed = policy.newest_allowed(prefix)
        yield finding(
            "W050",
            file=native.name,
            symbol=names[0],
            message=f"{', '.join(names[:_SHOWN])}{more} {verb} {version}, "
            f"{policy.title} allows {allowed}",
            hint=_level_hint(fitting, "link with zig, which takes the level"),
        )


def _level_hint(fitting: Policy | None, otherwise: str) -> str:
    """The way out: an honest level, or a different link."""
    if fitting is None:
        return otherwise
    return f'{otherwise}, or set compatibility = "{fitting.title}", the lowest level that fits'


def _outside(facts: BinaryFacts, policy: Policy, bundled: frozenset[str]) -> Iterator[str]:
    """Needed libraries that neither the policy nor the wheel has."""
    for library in facts["needed"]:
        is_known = library in policy.libraries or library.lower() in bundled
        is_other_rule = is_libpython(library) or _libc_of(library) is not None
        if not is_known and not is_loader(library) and not is_other_rule:
            yield library


def is_loader(library: str) -> bool:
    """Whether a needed library is glibc's dynamic loader, which every process has."""
    return library.startswith("ld-linux") or library in ("ld64.so.1", "ld64.so.2")


def _private_symbols(facts: BinaryFacts, policy: Policy) -> Iterator[tuple[str, str]]:
    """(library, symbol) that the policy's blacklist forbids.

    Weak symbols may be missing, and Rust's standard library asks for some so.
    """
    undefined = frozenset(facts["undefined"]) - frozenset(facts["weak"])
    for library in facts["needed"]:
        for symbol in sorted(policy.blacklist.get(library, frozenset()) & undefined):
            yield library, symbol


def _libc_of(library: str) -> str | None:
    """Which libc a needed library proves."""
    if library in ("libc.so.6", "libc.so.6.1") or library.startswith("ld-linux"):
        return "glibc"
    if library == "libc.so" or library.startswith(("libc.musl-", "ld-musl-")):
        return "musl"
    return None


def _foreign_libc(
    native: NativeMember, facts: BinaryFacts, platform: Platform
) -> Iterator[Finding]:
    """The other libc, proved by a needed library or by the loader that a program names.

    Symbol versions prove nothing: libgcc has some named GLIBC_2.0 on musl too.
    """
    expected = "glibc" if platform.system == "manylinux" else "musl"
    loader = (facts["interpreter"] or "").rpartition("/")[2]
    for library in (*facts["needed"], loader):
        found = _libc_of(library)
        if found is not None and found != expected:
            yield finding(
                "W051",
                file=native.name,
                symbol=library,
                message=f"needs {library}, which is {found}'s; {platform.tag} promises {expected}",
                hint=f"build for the target {platform.system}_{platform.arch}, "
                "or give the wheel the other tag",
            )
            return


def _soft_float(native: NativeMember, facts: BinaryFacts, platform: Platform) -> Iterator[Finding]:
    """armv7l means hard float."""
    if platform.arch == "armv7l" and facts["armv7_hard_float"] is False:
        yield finding(
            "W055",
            file=native.name,
            message="passes floating point numbers in integer registers (soft float)",
            hint="build for armv7-unknown-linux-gnueabihf or armv7-unknown-linux-musleabihf",
        )


def _loading(native: NativeMember, facts: BinaryFacts) -> Iterator[Finding]:
    """What loaders refuse or should not be asked."""
    if facts["executable_stack"]:
        yield finding(
            "W053",
            file=native.name,
            symbol="PT_GNU_STACK",
            message="asks for an executable stack",
            hint="link with -Wl,-z,noexecstack, and mark the assembly file that causes it",
        )
    if facts["textrel"]:
        yield finding(
            "W054",
            file=native.name,
            symbol="DT_TEXTREL",
            message="must be changed in memory before it can run",
            hint="compile the C and assembly sources with -fPIC",
        )
    for rpath in facts["rpaths"]:
        if leaves_wheel(rpath, native.name):
            yield rpath_finding(native, rpath)
