"""Asks before something is installed for a run, and lets uv install interpreters that tests need.

Touches the terminal (a question), uv's folder of interpreters and, through the Runner, the network. Decides
by ``provision``: never, always, or ask on a terminal; where nobody can be asked, what is installed is announced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wheelworks.errors import MissingResourceError
from wheelworks.interpreter_discovery import install_interpreter
from wheelworks.interpreters import parse_interpreter
from wheelworks.probe_door import ProbeDoor
from wheelworks.tool_install import provide
from wheelworks.tools import default_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheelworks.config.settings import Provision
    from wheelworks.process import Runner
    from wheelworks.toolchains import FoundInterpreter, HostFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Whether something may be installed."""

    provision: Provision
    ask: Callable[[str], bool] | None
    """Puts a question to a person; None where there is none to answer."""
    say: Callable[[str], None]

    def allows(self, what: Sequence[str]) -> bool:
        """Whether the things may be installed; announces them where nobody is asked."""
        listed = ", ".join(what)
        if self.provision == "never":
            return False
        if self.provision == "ask" and self.ask is not None:
            return self.ask(f"install {listed}?")
        self.say(f"installing {listed}")
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterInstaller:
    """Completes the host's facts by the interpreters that uv can install."""

    runner: Runner
    environ: Mapping[str, str]
    project_root: Path
    tools_dir: Path
    consent: Consent

    def complete(self, host: HostFacts, missing: Sequence[str]) -> HostFacts:
        """The facts with what could be installed, and with the reasons for the rest.

        Args:
            host: the facts so far.
            missing: interpreter specs that no interpreter serves.
        """
        if not missing or not self.consent.allows([f"Python {spec} (with uv)" for spec in missing]):
            return host
        try:
            uv = self._uv(host)
        except MissingResourceError as error:
            return _with_problems(host, dict.fromkeys(missing, error.message))
        door = ProbeDoor(runner=self.runner, environ=self.environ, cwd=self.project_root)
        found: list[FoundInterpreter] = []
        problems: dict[str, str] = {}
        for spec in missing:
            outcome = install_interpreter(
                parse_interpreter(spec),
                door=door,
                system=host.system,
                machine=host.machine,
                uv=uv,
                provision="always",
            )
            if isinstance(outcome, str):
                problems[spec] = outcome
            else:
                found.append(outcome)
        return _with_problems(replace(host, interpreters=(*host.interpreters, *found)), problems)

    def _uv(self, host: HostFacts) -> str:
        if host.uv is not None:
            return host.uv.path
        environment = provide(
            default_request("uv"), self.runner, tools_dir=self.tools_dir, environ=self.environ
        )
        return environment.program("uv")


def _with_problems(host: HostFacts, problems: Mapping[str, str]) -> HostFacts:
    """The facts with further reasons, added to those that discovery gave."""
    known = dict(host.interpreter_problems)
    for spec, problem in problems.items():
        known[spec] = f"{known[spec]}; {problem}" if spec in known else problem
    return replace(host, interpreter_problems=tuple(known.items()))
