"""WheelworksError -> text for stderr.

Takes an exception and a style, gives lines: the error, every fault on a line of its own, the hint,
the log. Does not write and does not exit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelworks.errors import ConfigurationError

if TYPE_CHECKING:
    from wheelworks.errors import Fault, WheelworksError
    from wheelworks.text import TextStyle


def error_text(error: WheelworksError, *, style: TextStyle) -> str:
    """The error as a user reads it: ``error: ...``, the faults, ``hint: ...``, ``log: ...``.

    Ends with a line feed. Nothing in it can act upon the terminal, whatever the names hold.
    """
    lines = [f"{style.paint('error:', 'red')} {_clean_lines(error.message, style)}"]
    if isinstance(error, ConfigurationError):
        for fault in error.faults:
            lines += _fault_lines(fault, style)
    if error.hint:
        lines.append(f"{style.paint('hint:', 'cyan')} {_clean_lines(error.hint, style)}")
    if error.log is not None:
        lines.append(f"{style.paint('log:', 'dim')} {style.clean(str(error.log))}")
    return "\n".join(lines) + "\n"


def _fault_lines(fault: Fault, style: TextStyle) -> list[str]:
    where = style.clean(": ".join(part for part in (fault.origin, fault.key) if part))
    lines = [f"  {style.paint(where, 'bold')}: {style.clean(fault.message)}"]
    if fault.hint:
        lines.append(f"    {style.paint('hint:', 'cyan')} {style.clean(fault.hint)}")
    return lines


def _clean_lines(text: str, style: TextStyle) -> str:
    """The text with its own line breaks kept, later lines indented below the first."""
    return "\n  ".join(style.clean(line) for line in text.splitlines())
