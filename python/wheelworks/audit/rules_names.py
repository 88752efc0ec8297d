"""Rules about names: file name, METADATA, WHEEL and the plan must tell the same.

Takes a Subject, gives findings. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelworks.audit.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelworks.audit.model import Finding, WheelFacts
    from wheelworks.audit.subject import Subject
    from wheelworks.plan import WheelExpectation

_RENAMED = "give the file the name it was built with, or change the tags with `wheel tags`"


def check_names(subject: Subject) -> Iterator[Finding]:
    """Everything about names, versions and tags."""
    facts = subject.facts
    yield from _metadata(facts)
    if facts.file_name_error is not None:
        yield finding("W020", file=facts.file_name, message=facts.file_name_error, hint=_RENAMED)
        return
    yield from _against_metadata(facts)
    yield from _against_wheel(facts)
    yield from _form(facts)
    yield from _platforms(subject)
    if subject.expects is not None:
        yield from _against_plan(facts, subject.expects)


def _metadata(facts: WheelFacts) -> Iterator[Finding]:
    """Fields that are wrong, licences that are missing."""
    for problem in facts.metadata_problems:
        yield finding(
            "W027",
            file=f"{facts.dist_info}/METADATA",
            message=problem,
            hint="put [project] in pyproject.toml right",
        )
    members = {member.name for member in facts.members}
    for name in facts.license_files:
        if f"{facts.dist_info}/licenses/{name}" not in members:
            yield finding(
                "W028",
                file=f"{facts.dist_info}/METADATA",
                symbol=name,
                message=f"names the licence {name}, which is not in {facts.dist_info}/licenses",
                hint="check `license-files` in [project], and that no exclude pattern matches it",
            )


def _against_metadata(facts: WheelFacts) -> Iterator[Finding]:
    """Name and version."""
    name, version = facts.metadata_name, facts.metadata_version
    if name is not None and canonicalize_name(name) != canonicalize_name(facts.name):
        yield finding(
            "W021",
            file=facts.file_name,
            symbol="Name",
            message=f"METADATA names the project {name}, the file name {facts.name}",
            hint=_RENAMED,
        )
    if version is not None and not _same_version(version, facts.version):
        yield finding(
            "W022",
            file=facts.file_name,
            symbol="Version",
            message=f"METADATA has version {version}, the file name {facts.version}",
            hint=_RENAMED,
        )


def _against_wheel(facts: WheelFacts) -> Iterator[Finding]:
    """The Tag lines of WHEEL."""
    named = {"-".join(tag) for tag in facts.tags}
    written = {tag.lower() for tag in facts.wheel_tags}
    if facts.dist_info is None or named == written:
        return
    only_named = ", ".join(sorted(named - written)) or "nothing"
    only_written = ", ".join(sorted(written - named)) or "nothing"
    yield finding(
        "W023",
        file=f"{facts.dist_info}/WHEEL",
        symbol="Tag",
        message=f"only the file name has {only_named}; only WHEEL has {only_written}",
        hint=_RENAMED,
    )


def _form(facts: WheelFacts) -> Iterator[Finding]:
    """How the file name is written."""
    project, _, rest = facts.file_name.partition("-")
    normalised = canonicalize_name(project).replace("-", "_")
    if project != normalised:
        yield finding(
            "W025",
            file=facts.file_name,
            message=f"the project is written {project}, normalised it is {normalised}",
            hint="build with a current maturin, which writes normalised names",
        )
    for part in rest.removesuffix(".whl").split("-")[-3:]:
        tags = part.split(".")
        if tags != sorted(tags):
            yield finding(
                "W024",
                file=facts.file_name,
                symbol=part,
                message=f"{part} is not sorted, sorted it is {'.'.join(sorted(tags))}",
                hint="build with maturin 1.16.0 or later",
            )
    if "+" in facts.version:
        yield finding(
            "W026",
            file=facts.file_name,
            message=f"version {facts.version} has a local part",
            hint="release a version without `+`",
        )


def _platforms(subject: Subject) -> Iterator[Finding]:
    """Tags that PyPI refuses."""
    for platform in subject.platforms:
        if platform.refusal is not None:
            yield finding(
                "W029",
                file=subject.facts.file_name,
                symbol=platform.tag,
                message=f"{platform.tag}: {platform.refusal}",
                hint="build with `compatibility` set to a manylinux or musllinux level"
                if platform.system == "linux"
                else "build for a target that PyPI knows (`wheelworks plan` lists them)",
            )


def _against_plan(facts: WheelFacts, expects: WheelExpectation) -> Iterator[Finding]:
    """What the build planned."""
    same_project = canonicalize_name(facts.name) == canonicalize_name(expects.name)
    if not same_project or not _same_version(facts.version, expects.version):
        yield finding(
            "W030",
            file=facts.file_name,
            message=f"is {facts.name} {facts.version}, "
            f"planned was {canonicalize_name(expects.name)} {expects.version}",
            hint="give the version in one place: [project] or Cargo.toml",
        )
    for what, found, planned in (
        ("interpreter", {tag[0] for tag in facts.tags}, set(expects.python_tag.split("."))),
        ("ABI", {tag[1] for tag in facts.tags}, set(expects.abi_tag.split("."))),
    ):
        if found != planned:
            yield _planned(facts, what, found, planned)
    platforms = {tag[2] for tag in facts.tags}
    if not platforms <= set(expects.platform_tags):
        yield _planned(facts, "platform", platforms, set(expects.platform_tags))


def _planned(facts: WheelFacts, what: str, found: set[str], planned: set[str]) -> Finding:
    """A tag that the plan does not know."""
    have, want = ".".join(sorted(found)), ".".join(sorted(planned))
    return finding(
        "W031",
        file=facts.file_name,
        symbol=have,
        message=f"{what} tag {have}, planned was {want}",
        hint="look in the build log for a warning of maturin: it built for something else",
    )


def _same_version(one: str, other: str) -> bool:
    """Whether two versions are equal as versions, or at least as texts."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
