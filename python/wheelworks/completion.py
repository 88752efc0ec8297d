"""The script with which a shell completes ``wheelworks``.

Takes a shell's name, gives text. Does not know the commands: the script asks ``wheelworks`` itself
through argcomplete.
"""

from __future__ import annotations

from typing import Literal, get_args

Shell = Literal["bash", "zsh", "fish", "powershell"]
SHELLS: tuple[str, ...] = get_args(Shell)


def completion_script(shell: Shell) -> str:
    """The completion script of a shell, to be evaluated or sourced by it.

    Args:
        shell: name of the shell.
    """
    # The script is asked for once per login; nothing else should wait for this import.
    from argcomplete.shell_integration import shellcode

    return shellcode(["wheelworks"], shell=shell)
