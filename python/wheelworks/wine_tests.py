"""The steps of a test job for a Windows wheel under wine.

Pure: takes the steps as they would run on Windows, gives steps that start wine on this host. uv makes environments
for its own system only, so a Windows environment is made and filled by the Windows Python itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.test_steps import environment_python, scratch_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelworks.plan import Step

#: Wine shows the host's files as this drive.
_DRIVE = "Z:"


def under_wine(
    steps: Sequence[Step], *, wine: str, interpreter: str, timeout_factor: int
) -> tuple[Step, ...]:
    """The steps under wine, in a prefix of the job's own.

    Args:
        steps: steps for a Windows host.
        wine: path of wine.
        interpreter: the host's path of the Windows ``python.exe``.
        timeout_factor: how many times longer each step may take.
    """
    return tuple(
        _under_wine(step, wine=wine, interpreter=interpreter, timeout_factor=timeout_factor)
        for step in steps
    )


def _under_wine(step: Step, *, wine: str, interpreter: str, timeout_factor: int) -> Step:
    words = {
        "environment": (interpreter, "-m", "venv", str(scratch_path("windows", "env"))),
        # What follows uv's own words: wheel and requirements.
        "install": (environment_python("windows"), "-m", "pip", "install", *step.argv[5:]),
    }.get(step.name, step.argv)
    return replace(
        step,
        argv=(wine, *(_seen_by_wine(word) for word in words)),
        env={
            **{name: _seen_by_wine(value) for name, value in step.env.items()},
            **_wine_variables(step.env),
        },
        path_prepend=(),
        cwd=step.cwd.replace("\\", "/"),
        timeout_seconds=step.timeout_seconds * timeout_factor,
    )


def _seen_by_wine(text: str) -> str:
    """The text with the host's paths as wine shows them."""
    for placeholder in ("{scratch}", "{wheel}"):
        text = text.replace(placeholder, _DRIVE + placeholder)
    return text


def _wine_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        "WINEPREFIX": "{scratch}/wine",
        "WINEDEBUG": environment.get("WINEDEBUG", "-all"),
        # Without these two wine asks in a window whether to download them.
        "WINEDLLOVERRIDES": environment.get("WINEDLLOVERRIDES", "mscoree,mshtml="),
        "WINEPATH": _seen_by_wine(str(scratch_path("windows", "env", "Scripts"))),
    }
