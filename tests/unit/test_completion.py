"""Shells' completion scripts."""

from __future__ import annotations

import pytest

from wheelworks.completion import SHELLS, Shell, completion_script


@pytest.mark.parametrize(
    ("shell", "registration"),
    [
        ("bash", "complete -o nospace -o default -o bashdefault -F"),
        ("zsh", "compdef _python_argcomplete wheelworks"),
        ("fish", "complete --command wheelworks"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName wheelworks"),
    ],
)
def test_a_script_registers_wheelworks_with_its_shell(shell: Shell, registration: str) -> None:
    """The script is what the shell itself understands."""
    assert registration in completion_script(shell)


def test_every_shell_has_a_script() -> None:
    """The command line offers exactly the shells that have one."""
    assert SHELLS == ("bash", "zsh", "fish", "powershell")
