"""What differs between two wheels.

Takes two :class:`WheelFacts`, gives a frozen value and its text. Pure; does not judge which of
the two is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelworks._native import BinaryFacts
    from wheelworks.audit.model import WheelFacts, WheelMember

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field that has two values."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """A member that is in both wheels with different content or mode."""

    name: str
    size_before: int
    size_after: int
    is_same_content: bool
    """Only the mode differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameChange:
    """Names that came and went in one list of a native file."""

    list: str
    """``exported``, ``undefined``, ``needed``, ``versioned``."""
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeChange:
    """A native file that is in both wheels and differs."""

    name: str
    fields: tuple[FieldChange, ...]
    names: tuple[NameChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSize:
    """A member that only one wheel has."""

    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelDiff:
    """Everything that differs, in stable order."""

    before: str
    after: str
    size_before: int
    size_after: int
    is_identical: bool
    """Byte for byte."""
    fields: tuple[FieldChange, ...]
    added: tuple[MemberSize, ...]
    removed: tuple[MemberSize, ...]
    changed: tuple[MemberChange, ...]
    natives: tuple[NativeChange, ...]


def diff_wheels(before: WheelFacts, after: WheelFacts) -> WheelDiff:
    """What differs between two wheels.

    Members are matched by name, ``.dist-info`` and ``.data`` folders without the version.

    Args:
        before: facts of the first wheel.
        after: facts of the second.
    """
    old, new = _members(before), _members(after)
    common = [name for name in old if name in new]
    return WheelDiff(
        before=before.file_name,
        after=after.file_name,
        size_before=before.size,
        size_after=after.size,
        is_identical=before.sha256 == after.sha256,
        fields=tuple(_wheel_fields(before, after)),
        added=tuple(MemberSize(name=n, size=new[n].size) for n in sorted(new.keys() - old.keys())),
        removed=tuple(
            MemberSize(name=n, size=old[n].size) for n in sorted(old.keys() - new.keys())
        ),
        changed=tuple(
            _changed(old[name], new[name]) for name in common if _differs(old, new, name)
        ),
        natives=tuple(_native_changes(before, after)),
    )


def render_diff(diff: WheelDiff) -> tuple[str, ...]:
    """The difference as lines for people."""
    if diff.is_identical:
        return (f"{diff.before} and {diff.after} are identical",)
    sizes = _sizes(diff.size_before, diff.size_after)
    lines = [f"{diff.before} -> {diff.after}: {sizes}"]
    lines += [f"{change.field}: {change.before} -> {change.after}" for change in diff.fields]
    lines += [f"removed {member.name} ({member.size} bytes)" for member in diff.removed]
    lines += [f"added   {member.name} ({member.size} bytes)" for member in diff.added]
    for change in diff.changed:
        what = "mode" if change.is_same_content else _sizes(change.size_before, change.size_after)
        lines.append(f"changed {change.name}: {what}")
    for native in diff.natives:
        lines += _native_lines(native)
    if len(lines) == 1:
        lines.append("the members are equal; order, times or compression differ")
    return tuple(lines)


def _native_lines(native: NativeChange) -> Iterator[str]:
    """A native file's differences."""
    yield f"native  {native.name}"
    for field in native.fields:
        yield f"  {field.field}: {field.before} -> {field.after}"
    for change in native.names:
        for sign, names in (("-", change.removed), ("+", change.added)):
            for name in names[:_SHOWN]:
                yield f"  {sign} {change.list} {name}"
            if len(names) > _SHOWN:
                yield f"  {sign} {change.list}: {len(names) - _SHOWN} more"


def _sizes(before: int, after: int) -> str:
    """``100 -> 120 bytes (+20)``; of equal sizes the one."""
    if before == after:
        return f"{after} bytes, content differs"
    return f"{before} -> {after} bytes ({after - before:+d})"


def _members(facts: WheelFacts) -> dict[str, WheelMember]:
    """Members by a name that two versions share."""
    folder = facts.dist_info or ""
    stem = folder.removesuffix(".dist-info")
    named: dict[str, WheelMember] = {}
    for member in facts.members:
        name = member.name
        for suffix in (".dist-info", ".data") if stem else ():
            if name.startswith(f"{stem}{suffix}/"):
                name = f"*{suffix}" + name.removeprefix(stem + suffix)
        named[name] = member
    return dict(sorted(named.items()))


def _differs(old: dict[str, WheelMember], new: dict[str, WheelMember], name: str) -> bool:
    """Whether content or mode of a member differ."""
    one, other = old[name], new[name]
    return one.sha256 != other.sha256 or one.mode != other.mode


def _changed(old: WheelMember, new: WheelMember) -> MemberChange:
    """A member before and after."""
    return MemberChange(
        name=new.name,
        size_before=old.size,
        size_after=new.size,
        is_same_content=old.sha256 == new.sha256,
    )


def _wheel_fields(before: WheelFacts, after: WheelFacts) -> Iterator[FieldChange]:
    """What WHEEL and METADATA say."""
    for field, old, new in (
        ("version", before.version, after.version),
        ("tags", _tags(before), _tags(after)),
        ("requires-python", before.requires_python, after.requires_python),
        ("generator", before.generator, after.generator),
    ):
        if old != new:
            yield FieldChange(field=field, before=old or "none", after=new or "none")


def _tags(facts: WheelFacts) -> str:
    """The tags of the file name."""
    return ", ".join("-".join(tag) for tag in facts.tags)


def _native_changes(before: WheelFacts, after: WheelFacts) -> Iterator[NativeChange]:
    """Native files that both wheels have and that could be read."""
    old = {native.name: native.facts for native in before.natives}
    for native in after.natives:
        one, other = old.get(native.name), native.facts
        if one is None or other is None:
            continue
        fields = tuple(_native_fields(one, other))
        names = tuple(_native_names(one, other))
        if fields or names:
            yield NativeChange(name=native.name, fields=fields, names=names)


def _native_fields(one: BinaryFacts, other: BinaryFacts) -> Iterator[FieldChange]:
    """Single values."""
    for field, old, new in (
        ("format", one["format"], other["format"]),
        ("architecture", one["arch"], other["arch"]),
        ("soname", one["soname"], other["soname"]),
        ("libc", one["libc"], other["libc"]),
        ("rpaths", ", ".join(one["rpaths"]), ", ".join(other["rpaths"])),
        ("stripped", str(one["stripped"]), str(other["stripped"])),
        ("minimum macOS", _minimum_macos(one), _minimum_macos(other)),
    ):
        if old != new:
            yield FieldChange(field=field, before=old or "none", after=new or "none")


def _minimum_macos(facts: BinaryFacts) -> str:
    """The minimum of each slice."""
    return ", ".join(f"{s['arch']} {s['minimum_macos']}" for s in facts["slices"])


def _native_names(one: BinaryFacts, other: BinaryFacts) -> Iterator[NameChange]:
    """Lists of names."""
    for list_, old, new in (
        ("needed", one["needed"], other["needed"]),
        ("exported", one["exported"], other["exported"]),
        ("undefined", one["undefined"], other["undefined"]),
        ("versioned", _versioned(one), _versioned(other)),
    ):
        added, removed = _only(new, old), _only(old, new)
        if added or removed:
            yield NameChange(list=list_, added=added, removed=removed)


def _versioned(facts: BinaryFacts) -> list[str]:
    """Symbols as ``memcpy@GLIBC_2.14``."""
    return [f"{symbol['name']}@{symbol['version']}" for symbol in facts["versioned_symbols"]]


def _only(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """What is in the first list only, sorted."""
    return tuple(sorted(set(names) - set(others)))
