"""What ``wheelworks init`` would write into a project.

Takes the project, its settings and the bytes of the files that are there; gives what to add to
which file, and notes for the user. Pure: reading, asking and writing are ``commands/init.py``'s
work. Files are only ever created or appended to, so what they hold stays as it is, byte by byte.
"""

from __future__ import annotations

import ast
import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelworks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelworks.config.settings import Settings
    from wheelworks.project import Project

PYPROJECT = "pyproject.toml"
NOXFILE = "noxfile.py"
SECOND_NOXFILE = "noxfile_wheelworks.py"
PREFIX = "wheelworks-"

_SESSIONS = frozenset({"wheels", "sdist", "audit", "doctor"})
_LINE_LENGTH = 88

_NOXFILE_TEXT = '''\
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox", "wheelworks"]
# ///
"""{summary}"""

import wheelworks.nox

wheelworks.nox.register()
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingFiles:
    """What a project's files hold that ``init`` may touch; None for one that is not there."""

    pyproject: bytes
    noxfile: bytes | None = None
    second_noxfile: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedFile:
    """A file to create or to append to."""

    path: Path
    before: bytes | None
    """What it holds now; None when it is not there."""
    added: bytes
    """What comes after that."""

    @property
    def after(self) -> bytes:
        """What it will hold."""
        return (self.before or b"") + self.added


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Everything that ``init`` would write, and what it leaves to the user."""

    files: tuple[ProposedFile, ...]
    notes: tuple[str, ...]
    """Why a file is left alone, what to add by hand, what to run next."""


def propose(project: Project, settings: Settings, existing: ExistingFiles) -> Proposal:
    """What adopting wheelworks would add to the project.

    Args:
        project: the project to adopt.
        settings: its settings; pythons and targets are written down, because a maintainer will want
            to change them.
        existing: what its files hold now.

    Raises:
        ConfigurationError: pyproject.toml is no TOML in UTF-8.
    """
    files: list[ProposedFile] = []
    notes: list[str] = []
    for file, note in (_section(project, settings, existing), _sessions(project, existing)):
        if file is not None:
            files.append(file)
        if note is not None:
            notes.append(note)
    return Proposal(files=tuple(files), notes=tuple(notes))


def shown_path(path: Path, base: Path) -> str:
    """The path relative to a folder, where it lies in it."""
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


def render_proposal(proposal: Proposal, base: Path) -> str:
    """The proposal as a user reads it: each file with the lines that it gets, then the notes.

    Args:
        proposal: what to show.
        base: paths are shown relative to it.
    """
    parts = [_file_text(file, base) for file in proposal.files]
    parts += [f"note: {note}" for note in proposal.notes]
    return "\n\n".join(parts) or "nothing to write"


def _file_text(file: ProposedFile, base: Path) -> str:
    heading = (
        f"{shown_path(file.path, base)} ({'new file' if file.before is None else 'at its end'}):"
    )
    lines = file.added.decode("utf-8").splitlines()
    return "\n".join([heading, *(f"  + {line}".rstrip() for line in lines)])


_Part = tuple[ProposedFile | None, str | None]


def _section(project: Project, settings: Settings, existing: ExistingFiles) -> _Part:
    """``[tool.wheelworks]`` at the end of pyproject.toml."""
    path = project.root / PYPROJECT
    document = _parse(existing.pyproject, path)
    tool = document.get("tool", {})
    if isinstance(tool, dict) and "wheelworks" in tool:
        return None, f"{PYPROJECT} has a section [tool.wheelworks] already; it is left as it is"
    values = {"pythons": list(settings.pythons), "targets": list(settings.targets)}
    text = "[tool.wheelworks]\n" + "".join(_toml_list(key, items) for key, items in values.items())
    file = ProposedFile(
        path=path, before=existing.pyproject, added=_appendix(existing.pyproject, text)
    )
    if not _adds_only(document, file.after, values):
        note = f"{PYPROJECT} can't take a section at its end; add this where [tool] is:\n{text}"
        return None, note.rstrip()
    return file, None


def _parse(content: bytes, path: Path) -> dict[str, object]:
    try:
        return dict(tomllib.loads(content.decode("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path} is no TOML in UTF-8: {error}"
        raise ConfigurationError(message, hint="mend the file; nothing was written") from error


def _adds_only(document: dict[str, object], after: bytes, values: dict[str, list[str]]) -> bool:
    """Whether the new text means the old document plus the section: ``tool = {...}`` takes none."""
    try:
        found = dict(tomllib.loads(after.decode("utf-8")))
    except tomllib.TOMLDecodeError:
        return False
    tool = document.get("tool", {})
    return isinstance(tool, dict) and found == {**document, "tool": {**tool, "wheelworks": values}}


def _toml_list(key: str, items: Sequence[str]) -> str:
    # JSON's strings are TOML's as long as they are ASCII, which specs and target names are.
    texts = [json.dumps(item) for item in items]
    line = f"{key} = [{', '.join(texts)}]\n"
    if len(line) <= _LINE_LENGTH:
        return line
    return f"{key} = [\n" + "".join(f"    {text},\n" for text in texts) + "]\n"


def _appendix(before: bytes, text: str) -> bytes:
    """The text as it has to follow the file: after an empty line, with the file's own line ends."""
    newline = "\r\n" if before.count(b"\r\n") * 2 > before.count(b"\n") else "\n"
    if not before:
        gap = ""
    elif before.endswith(b"\n"):
        gap = "\n"
    else:
        gap = "\n\n"
    return (gap + text).replace("\n", newline).encode("utf-8")


def _sessions(project: Project, existing: ExistingFiles) -> _Part:
    """A noxfile, or a second one beside that of the project."""
    if existing.noxfile is None:
        summary = f"Sessions of {project.name}: `nox -s wheels` builds every wheel of its matrix."
        content = _NOXFILE_TEXT.format(summary=summary).encode("utf-8")
        return ProposedFile(path=project.root / NOXFILE, before=None, added=content), None
    if b"wheelworks.nox" in existing.noxfile:
        return None, f"{NOXFILE} uses wheelworks.nox already; it is left as it is"
    advice = _advice(existing.noxfile)
    if existing.second_noxfile is not None:
        return None, f"{SECOND_NOXFILE} is there already; it is left as it is. {advice}"
    summary = f"Wheels of {project.name}: `nox -f {SECOND_NOXFILE} -s wheels` builds its matrix."
    content = _NOXFILE_TEXT.format(summary=summary).encode("utf-8")
    file = ProposedFile(path=project.root / SECOND_NOXFILE, before=None, added=content)
    return file, f"the project's own {NOXFILE} is left as it is. {advice}"


def _advice(noxfile: bytes) -> str:
    """The lines that give an existing noxfile the sessions."""
    arguments = f'prefix="{PREFIX}"' if _SESSIONS & _names(noxfile) else ""
    lines = (
        '# /// script\n# dependencies = ["nox", "wheelworks"]\n# ///\n'
        f"import wheelworks.nox\nwheelworks.nox.register({arguments})"
    )
    indented = "\n".join(f"    {line}" for line in lines.splitlines())
    return f"To have the sessions in it, add these lines (the comment at its top):\n{indented}"


def _names(noxfile: bytes) -> frozenset[str]:
    """Names that the noxfile's sessions may have: its functions' names and all its texts."""
    try:
        tree = ast.parse(noxfile)
    except (SyntaxError, ValueError):
        return frozenset()
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return frozenset(functions | {value for value in constants if isinstance(value, str)})
