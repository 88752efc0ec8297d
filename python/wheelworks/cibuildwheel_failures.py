"""How cibuildwheel ended -> what that means for people, and the way out.

Pure: takes a step and its result. The codes are those of cibuildwheel 4.3.3 (``errors.py``).
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from wheelworks.containers.failures import Trouble
from wheelworks.errors import EXIT_JOB_FAILED, EXIT_MISSING

if TYPE_CHECKING:
    from wheelworks.plan import Step
    from wheelworks.runner import CommandResult

_READ_TABLE: Final = "look at [tool.cibuildwheel] in pyproject.toml"
_CODES: Final = {
    2: ("cibuildwheel refuses its configuration", _READ_TABLE),
    3: ("cibuildwheel has nothing to build for this cell", "requires-python may leave it out"),
    4: ("cibuildwheel no longer supports something that its configuration asks for", _READ_TABLE),
    5: (
        "cibuildwheel got a wheel without compiled code",
        "maturin's bindings are not found: see the log",
    ),
    8: ("repair-wheel-command of [tool.cibuildwheel] left none or several wheels", _READ_TABLE),
    9: (
        "audit-command of cibuildwheel refused the wheel",
        "CIBW_AUDIT_COMMAND in environment changes it",
    ),
    10: ("the build backend left no wheel for cibuildwheel", _READ_TABLE),
}
_ENGINE_TOO_OLD: Final = 7
#: Why an image can't be had.
_NO_IMAGE: Final = ("pull access denied", "no such image", "manifest unknown", "no such host")
#: What auditwheel says of a wheel that needs a newer libc than its policy allows.
_TOO_NEW: Final = "too-recent versioned symbols"


def cibuildwheel_trouble(step: Step, result: CommandResult) -> Trouble | None:
    """What a failed step of cibuildwheel means; None for other programs and where the log says it better.

    Args:
        step: the step.
        result: how it ended, not with success.
    """
    if PurePath(step.argv[0]).stem != "cibuildwheel" or result.cancelled or result.timed_out:
        return None
    if result.start_error is not None:
        return None
    if result.returncode == _ENGINE_TOO_OLD:
        return Trouble(
            reason="cibuildwheel can't use the container engine: too old, or it does not answer",
            exit_code=EXIT_MISSING,
            cure="it needs docker 20.10 or podman 3; `wheelworks doctor` says what is here",
        )
    line = next(
        (one for one in result.tail if any(words in one.lower() for words in _NO_IMAGE)), None
    )
    if line is not None:
        return Trouble(
            reason=f"cibuildwheel has no image to build in: {line.strip()}",
            exit_code=EXIT_MISSING,
            cure="run again: the image is built, or its registry asked, anew",
        )
    if any(_TOO_NEW in one for one in result.tail):
        return Trouble(
            reason="auditwheel refuses the wheel: it needs a newer libc than its platform tag allows",
            exit_code=EXIT_JOB_FAILED,
            cure="raise compatibility for the cell, or let maturin link with --zig",
        )
    said = _CODES.get(result.returncode or 0)
    if said is None:
        return None
    return Trouble(reason=f"{said[0]} (step {step.name})", exit_code=EXIT_JOB_FAILED, cure=said[1])
