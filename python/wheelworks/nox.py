"""Sessions of wheelworks for a project's noxfile.

Takes what a noxfile says and the versions in pyproject.toml; registers ``wheels``, ``sdist``,
``test-<python>``, ``audit`` and ``doctor``. A session's body runs ``python -m wheelworks`` once and
decides nothing itself. Imports only the standard library, nox and modules of wheelworks that do the
same, so that ``nox -l`` works where nothing is built or installed yet.
"""

from __future__ import annotations

import sys
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nox
import nox.registry

from wheelworks.config.pythons import default_pythons

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["register"]

# nox stops a command 0.3 s after an interrupt and kills it 0.2 s later. wheelworks asks its own
# processes to stop and waits for them within a bound, which takes longer.
_INTERRUPT_SECONDS = 20.0
_TERMINATE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """One session to register."""

    name: str
    arguments: tuple[str, ...]
    """What ``wheelworks`` is called with, before the session's own arguments."""
    summary: str
    """The line that ``nox -l`` shows."""


def register(
    *,
    prefix: str = "",
    pythons: Sequence[str] | None = None,
    project: str | Path | None = None,
    install: str | Path | None = None,
) -> tuple[str, ...]:
    """Register the sessions ``wheels``, ``sdist``, ``test-<python>``, ``audit`` and ``doctor``.

    What follows ``--`` on nox's command line is handed on: selectors and flags of wheelworks. None
    of the sessions runs by a plain ``nox``. Paths are relative to the noxfile's folder.

    Args:
        prefix: put before every name, for a noxfile that has sessions of these names already.
        pythons: versions that get a test session; by default those of ``[tool.wheelworks]``, else
            of the classifiers and requires-python.
        project: folder of the project's pyproject.toml; by default the noxfile's.
        install: a checkout of wheelworks that the sessions run, in an environment kept for it; by
            default they run the wheelworks that is installed beside nox.

    Returns:
        The names of the sessions, in the order in which ``nox -l`` shows them.

    Raises:
        ValueError: the noxfile has a session of such a name already, or pyproject.toml is missing
            or says something unusable of the versions.
    """
    folder = Path.cwd() / (project or ".")
    settings = _read_pyproject(folder / "pyproject.toml")
    versions = tuple(pythons) if pythons is not None else project_pythons(settings)
    specs = session_specs(
        prefix=prefix,
        pythons=versions,
        project=None if project is None else str(project),
    )
    taken = sorted({spec.name for spec in specs} & nox.registry.get().keys())
    if taken:
        msg = (
            f"this noxfile has the session {taken[0]!r} already: "
            'choose other names with wheelworks.nox.register(prefix="wheelworks-")'
        )
        raise ValueError(msg)
    for spec in specs:
        _register_session(spec, None if install is None else Path(install))
    return tuple(spec.name for spec in specs)


def session_specs(
    *, prefix: str, pythons: Sequence[str], project: str | None
) -> tuple[SessionSpec, ...]:
    """The sessions of a project, as values.

    Args:
        prefix: put before every name.
        pythons: versions that get a test session; repeated ones get one.
        project: folder to hand to ``wheelworks -C``; None for the current one.
    """
    base = () if project is None else ("-C", project)
    tests = tuple(
        SessionSpec(
            name=f"{prefix}test-{python}",
            arguments=(*base, "test", "--python", python),
            summary=f"Test the built wheels with Python {python}.",
        )
        for python in dict.fromkeys(pythons)
    )
    return (
        SessionSpec(
            name=f"{prefix}wheels",
            arguments=(*base, "build"),
            summary="Build and audit every wheel that this machine can build, and the sdist.",
        ),
        SessionSpec(
            name=f"{prefix}sdist",
            arguments=(*base, "build", "--sdist-only"),
            summary="Build the source distribution.",
        ),
        *tests,
        SessionSpec(
            name=f"{prefix}audit",
            arguments=(*base, "audit"),
            summary="Audit everything in dist/, or the files that are named.",
        ),
        SessionSpec(
            name=f"{prefix}doctor",
            arguments=(*base, "doctor"),
            summary="Tell what this machine can build and test, and what is missing.",
        ),
    )


def project_pythons(pyproject: Mapping[str, object]) -> tuple[str, ...]:
    """The versions that a project is built for, by the same rule as wheelworks' configuration.

    Args:
        pyproject: the parsed pyproject.toml.

    Raises:
        ValueError: ``[tool.wheelworks] pythons`` is no list of text, or requires-python is none.
    """
    chosen = _table(pyproject, "tool", "wheelworks").get("pythons")
    if chosen is not None:
        return _texts(chosen, "tool.wheelworks.pythons")
    metadata = _table(pyproject, "project")
    requires = _text(metadata, "requires-python", default="")
    classifiers = _texts(metadata.get("classifiers", []), "project.classifiers")
    return default_pythons(requires or None, classifiers).versions


def _register_session(spec: SessionSpec, checkout: Path | None) -> None:
    def body(session: nox.Session) -> None:
        with _interpreter(session, checkout) as python:
            # Both streams are inherited, so that wheelworks sees the terminal and keeps results on
            # stdout. `-P`, because a folder of the project may have the name of a dependency.
            session.run(
                python,
                "-P",
                "-m",
                "wheelworks",
                *spec.arguments,
                *session.posargs,
                external=True,
                stderr=None,
                interrupt_timeout=_INTERRUPT_SECONDS,
                terminate_timeout=_TERMINATE_SECONDS,
            )

    body.__doc__ = spec.summary
    # python=False: nox answers a missing interpreter with "skipped" and exit code 0, so wheelworks
    # looks for it; and nox would append the version to the name.
    session = nox.session(name=spec.name, python=False, default=False)(body)
    if hasattr(session, "allow_parallel"):  # nox 2026.10 and later
        session.allow_parallel = True


@contextmanager
def _interpreter(session: nox.Session, checkout: Path | None) -> Iterator[str]:
    """The interpreter that has wheelworks, for as long as the session uses it."""
    if checkout is None:
        yield sys.executable
        return
    from wheelworks.nox_checkout import checkout_environment

    with checkout_environment(session, checkout) as python:
        yield str(python)


def _read_pyproject(path: Path) -> dict[str, object]:
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        msg = f"{path} can't be read ({error.strerror}): name its folder, register(project=...)"
        raise ValueError(msg) from error


def _table(document: Mapping[str, object], *keys: str) -> Mapping[str, object]:
    table = document
    for key in keys:
        inner = table.get(key)
        table = inner if isinstance(inner, dict) else {}
    return table


def _text(table: Mapping[str, object], key: str, *, default: str) -> str:
    value = table.get(key, default)
    return value if isinstance(value, str) else default


def _texts(value: object, key: str) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    msg = f"{key} in pyproject.toml is no list of text: {value!r}"
    raise ValueError(msg)
