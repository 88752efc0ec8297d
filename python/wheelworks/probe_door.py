"""What the probes of this machine share: the door to processes, and answers remembered on disk.

An answer is remembered for a file of a certain path, size and time, so that an unchanged machine is
described without starting a process. Touches one JSON file in the user's cache folder; a torn one
counts as empty.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.process import child_environment
from wheelworks.toolchains import FoundTool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelworks.process import CommandResult, Runner

CACHE_FILE = "probes.json"
CACHE_SCHEMA = 1
PROBE_TIMEOUT_SECONDS = 30.0
VERSION = re.compile(r"\d+(?:\.\d+)+[\w.+-]*")
#: Debian's mingw-w64 calls itself ``x86_64-w64-mingw32-gcc (GCC) 12-win32``.
PLAIN_VERSION = re.compile(r"(?<![\w.-])\d+(?:[-+][\w.]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """What a file is known by."""

    path: str
    size: int
    mtime_ns: int


def identify(path: Path) -> FileIdentity | None:
    """Path, size and time of a file (links followed), or None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return FileIdentity(path=str(path), size=found.st_size, mtime_ns=found.st_mtime_ns)


class ProbeCache:
    """Remembered answers: a key and a stamp that must still be the same -> texts."""

    def __init__(self, folder: Path | None) -> None:
        self._file = folder / CACHE_FILE if folder is not None else None
        self._entries = self._read()
        self._changed = False

    def get(self, key: str, stamp: Sequence[object]) -> dict[str, str] | None:
        """The remembered answer, or None when there is none or its stamp is another."""
        entry = self._entries.get(key)
        if not isinstance(entry, dict) or entry.get("stamp") != json.dumps(stamp):
            return None
        answer = entry.get("answer")
        if not isinstance(answer, dict):
            return None
        return {str(name): str(value) for name, value in answer.items()}

    def put(self, key: str, stamp: Sequence[object], answer: Mapping[str, str]) -> None:
        """Remember an answer; :meth:`save` writes it."""
        self._entries[key] = {"stamp": json.dumps(stamp), "answer": dict(answer)}
        self._changed = True

    def save(self) -> None:
        """Write what is new, by rename. A cache that can't be written only costs speed."""
        if self._file is None or not self._changed:
            return
        unfinished = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            document = {"schema": CACHE_SCHEMA, "entries": self._entries}
            unfinished.write_text(json.dumps(document), encoding="utf-8")
            unfinished.replace(self._file)
        except OSError:
            return
        self._changed = False

    def _read(self) -> dict[str, object]:
        if self._file is None:
            return {}
        try:
            document = json.loads(self._file.read_bytes())
            if document["schema"] != CACHE_SCHEMA:
                return {}
            entries = document["entries"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return dict(entries) if isinstance(entries, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDoor:
    """How a probe asks."""

    runner: Runner
    environ: Mapping[str, str]
    """The caller's environment."""
    cwd: Path
    """The project's root, so that a rust-toolchain.toml there applies."""
    cache: ProbeCache = field(default_factory=lambda: ProbeCache(None))

    def ask(
        self,
        argv: Sequence[str],
        *,
        set_: Mapping[str, str] | None = None,
        timeout_seconds: float = PROBE_TIMEOUT_SECONDS,
    ) -> CommandResult:
        """Run a short command and keep what it prints on stdout."""
        return self.runner.run(
            argv,
            env=child_environment(self.environ, set_=set_ or {}),
            cwd=self.cwd,
            timeout_seconds=timeout_seconds,
            capture_stdout=True,
        )

    def locate(self, name: str) -> Path | None:
        """The program of that name on the caller's PATH."""
        found = shutil.which(name, path=self.environ.get("PATH", ""))
        return Path(found).absolute() if found is not None else None

    def find_tool(
        self, name: str, *, version_arguments: tuple[str, ...] = ("--version",)
    ) -> FoundTool | None:
        """The program of that name on the caller's PATH with its version; None without one."""
        path = self.locate(name)
        return self.tool_at(path, version_arguments=version_arguments) if path is not None else None

    def tool_at(
        self, path: Path, *, version_arguments: tuple[str, ...] = ("--version",)
    ) -> FoundTool | None:
        """The program at a path with the version it prints; None when it does not run."""
        identity = identify(path)
        if identity is None:
            return None
        key, stamp = f"tool {path}", [identity.size, identity.mtime_ns, version_arguments]
        known = self.cache.get(key, stamp)
        if known is None:
            result = self.ask((str(path), *version_arguments))
            version = VERSION.search(result.stdout) or PLAIN_VERSION.search(result.stdout)
            if not result.ok or version is None:
                return None
            known = {"version": version.group()}
            self.cache.put(key, stamp, known)
        return FoundTool(
            path=str(path),
            version=known["version"],
            size=identity.size,
            mtime_ns=identity.mtime_ns,
        )
