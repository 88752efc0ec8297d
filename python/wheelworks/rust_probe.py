"""Which Rust a build in the project would use.

Asks rustc, cargo and rustup through the door and remembers their answers. Never lets rustup install
anything by itself. Knows nothing of cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.probe_door import identify
from wheelworks.toolchains import RustFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.probe_door import ProbeDoor
    from wheelworks.process import CommandResult
    from wheelworks.toolchains import FoundTool

#: rustup 1.28 and later would download the toolchain that a rust-toolchain.toml names, in the
#: middle of a probe.
QUIET_RUSTUP = {"RUSTUP_AUTO_INSTALL": "0"}
MISSING_TOOLCHAIN = re.compile(r"toolchain '(?P<name>[^']+)' is not installed")


@dataclass(frozen=True, slots=True, kw_only=True)
class RustProbe:
    """The Rust of this machine, or the reason why there is none."""

    facts: RustFacts | None
    missing_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """What rustc said."""

    host_triple: str
    release: str
    sysroot: str


def probe_rust(
    door: ProbeDoor, *, project_toolchain: str | None = None, forced_toolchain: str | None = None
) -> RustProbe:
    """The Rust that a build in the door's folder would use.

    When the project's own toolchain is not installed, the facts are those of rustup's default one:
    the planner sees from ``installed_toolchains`` that the project's is missing.

    Args:
        door: how to ask; its folder decides which rust-toolchain.toml applies.
        project_toolchain: the channel that the project's rust-toolchain.toml names.
        forced_toolchain: a toolchain that the configuration names instead.
    """
    rustc, cargo = door.locate("rustc"), door.locate("cargo")
    if rustc is None or cargo is None:
        return RustProbe(facts=None, missing_reason=_absent(door, "cargo" if rustc else "rustc"))
    rustup = door.find_tool("rustup")
    installed = installed_toolchains(door, rustup)
    override = _override(
        forced_toolchain or project_toolchain, bool(forced_toolchain), rustup, installed
    )
    answers = _ask_rustc(door, rustc, override)
    if isinstance(answers, str) and installed and override is None:
        override = installed[0]
        answers = _ask_rustc(door, rustc, override)
    if isinstance(answers, str):
        return RustProbe(facts=None, missing_reason=answers)
    return _facts(door, rustc, cargo, rustup, installed, answers)


def installed_toolchains(door: ProbeDoor, rustup: FoundTool | None) -> tuple[str, ...]:
    """The toolchains that rustup has, the default one first; empty without rustup."""
    if rustup is None:
        return ()
    home = rustup_home(door.environ)
    settings = identify(home / "settings.toml")
    names = sorted(entry.name for entry in _entries(home / "toolchains"))
    stamp = [rustup.size, rustup.mtime_ns, settings.mtime_ns if settings else 0, names]
    known = door.cache.get(f"toolchains {home}", stamp)
    if known is None:
        result = door.ask((rustup.path, "toolchain", "list"), set_=QUIET_RUSTUP)
        lines = [line.split() for line in result.stdout.splitlines() if line.strip()]
        found = [words for words in lines if result.ok and words[0] in names]
        ordered = sorted(found, key=lambda words: "default" not in " ".join(words[1:]))
        known = {"names": "\n".join(words[0] for words in ordered)}
        door.cache.put(f"toolchains {home}", stamp, known)
    return tuple(known["names"].splitlines())


def rustup_home(environ: Mapping[str, str]) -> Path:
    """The folder with rustup's settings and toolchains."""
    named = environ.get("RUSTUP_HOME")
    return Path(named) if named else _home(environ) / ".rustup"


def is_installed(channel: str, installed: tuple[str, ...]) -> bool:
    """Whether the channel, with or without a host triple, is among the installed toolchains."""
    return any(
        name == channel
        or (
            name.startswith(f"{channel}-") and not re.match(rf"{re.escape(channel)}-\d{{4}}-", name)
        )
        for name in installed
    )


def standard_libraries(sysroot: Path) -> tuple[str, ...]:
    """The triples whose standard library lies in the sysroot."""
    return tuple(
        sorted(
            entry.name
            for entry in _entries(sysroot / "lib" / "rustlib")
            if any((entry / "lib").glob("libstd-*"))
        )
    )


def _absent(door: ProbeDoor, name: str) -> str:
    cargo_home = door.environ.get("CARGO_HOME")
    folder = (Path(cargo_home) if cargo_home else _home(door.environ) / ".cargo") / "bin"
    if any((folder / file).exists() for file in (name, f"{name}.exe")):
        return f"{name} is not on PATH, but in {folder}: put that folder on PATH"
    return f"{name} is not on PATH: install Rust, with rustup or from the system's packages"


def _override(
    channel: str | None, is_forced: bool, rustup: FoundTool | None, installed: tuple[str, ...]
) -> str | None:
    """The value of RUSTUP_TOOLCHAIN for the probes; None for rustup's own choice."""
    if channel is None or rustup is None or not installed:
        return None
    if is_installed(channel, installed):
        return channel if is_forced else None
    # rustup before 1.28 installs whatever is missing, so the proxies must not see the missing one.
    return installed[0]


def _ask_rustc(door: ProbeDoor, rustc: Path, override: str | None) -> _Answers | str:
    """What rustc answers, or the reason why it gives none."""
    stamp = _stamp(door, rustc, override)
    key = f"rustc {rustc} {door.cwd}"
    known = door.cache.get(key, stamp)
    if known is None or not Path(known["sysroot"]).is_dir():
        environment = {**QUIET_RUSTUP, **({"RUSTUP_TOOLCHAIN": override} if override else {})}
        verbose = door.ask((str(rustc), "-vV"), set_=environment)
        fields = dict(re.findall(r"^(host|release): (\S+)$", verbose.stdout, re.MULTILINE))
        if not verbose.ok or len(fields) != 2:
            return _rustc_failure(verbose)
        sysroot = door.ask((str(rustc), "--print", "sysroot"), set_=environment)
        if not sysroot.ok:
            return _rustc_failure(sysroot)
        known = {**fields, "sysroot": sysroot.stdout.strip()}
        door.cache.put(key, stamp, known)
    return _Answers(host_triple=known["host"], release=known["release"], sysroot=known["sysroot"])


def _stamp(door: ProbeDoor, rustc: Path, override: str | None) -> list[object]:
    """Everything that decides which toolchain answers: when it is the same, so is the answer."""
    home = rustup_home(door.environ)
    files = [rustc, home / "settings.toml"]
    for folder in (door.cwd, *door.cwd.parents):
        files += [folder / "rust-toolchain.toml", folder / "rust-toolchain"]
    # An updated toolchain keeps its name; its component list is rewritten.
    files += [entry / "lib" / "rustlib" / "components" for entry in _entries(home / "toolchains")]
    found = [identity for file in files if (identity := identify(file)) is not None]
    identities = [(one.path, one.size, one.mtime_ns) for one in found]
    return [override, [list(one) for one in identities]]


def _rustc_failure(result: CommandResult) -> str:
    text = "\n".join((result.stdout, *result.tail))
    missing = MISSING_TOOLCHAIN.search(text)
    if missing is not None:
        return f"the Rust toolchain {missing['name']} is not installed"
    if result.start_error is not None:
        return f"rustc does not start: {result.start_error}"
    lines = [line for line in result.tail if line.strip()]
    said = next((line for line in lines if line.startswith("error")), lines[-1] if lines else "")
    return f"rustc does not run: {said or f'exit code {result.returncode}'}"


def _facts(
    door: ProbeDoor,
    rustc: Path,
    cargo: Path,
    rustup: FoundTool | None,
    installed: tuple[str, ...],
    answers: _Answers,
) -> RustProbe:
    sysroot = Path(answers.sysroot)
    # The proxies of rustup never change; the programs in the sysroot do.
    found_rustc = door.tool_at(_in_sysroot(sysroot, rustc), version_arguments=("-V",))
    found_cargo = door.tool_at(_in_sysroot(sysroot, cargo), version_arguments=("-V",))
    if found_rustc is None or found_cargo is None:
        which = "cargo" if found_rustc else "rustc"
        return RustProbe(facts=None, missing_reason=f"{which} of {sysroot} does not run")
    toolchain = sysroot.name if sysroot.parent == rustup_home(door.environ) / "toolchains" else None
    facts = RustFacts(
        rustc=replace(found_rustc, version=answers.release),
        cargo=found_cargo,
        host_triple=answers.host_triple,
        sysroot=answers.sysroot,
        targets=standard_libraries(sysroot),
        toolchain=toolchain,
        installed_toolchains=installed,
        rustup=rustup,
        can_add_targets=False,
        cannot_add_reason="rustup was not asked, because nothing is missing",
    )
    return RustProbe(facts=facts, missing_reason=None)


def _in_sysroot(sysroot: Path, program: Path) -> Path:
    own = sysroot / "bin" / program.name
    return own if own.is_file() else program


def _home(environ: Mapping[str, str]) -> Path:
    named = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(named) if named else Path.home()


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
