"""Preparing a command that may install things first: what is asked, what is announced.

Touches the terminal (a question) and, through the modules it calls, what they touch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.preparation import prepare, user_tools_dir
from wheelworks.provisioning import Consent, InterpreterInstaller

if TYPE_CHECKING:
    from wheelworks.cell_choice import RunRequest
    from wheelworks.commands.context import CommandContext
    from wheelworks.config.load import Loaded
    from wheelworks.preparation import HostCompleter, Prepared
    from wheelworks.toolchains import HostFacts


def prepare_with_consent(request: RunRequest, context: CommandContext) -> Prepared:
    """Prepare, with what may be installed first; what may not is planned without."""
    complete_host = host_completer(context)
    prepared = prepare(request, context.runner, context.environ, complete_host=complete_host)
    stale = {job_id for job_id, verdict in prepared.verdicts.items() if not verdict.is_fresh}
    additions = [item.what for item in prepared.plan.provisioning if stale & set(item.needed_by)]
    if not additions or consent_of(prepared.loaded, context).allows(additions):
        return prepared
    without = replace(request, flags={**request.flags, "provision": "never"})
    return prepare(without, context.runner, context.environ)


def host_completer(context: CommandContext) -> HostCompleter:
    """What installs the interpreters that tests lack, with consent."""

    def complete_host(loaded: Loaded, host: HostFacts, missing: tuple[str, ...]) -> HostFacts:
        installer = InterpreterInstaller(
            runner=context.runner,
            environ=context.environ,
            project_root=loaded.project.root,
            tools_dir=user_tools_dir(),
            consent=consent_of(loaded, context),
        )
        return installer.complete(host, missing)

    return complete_host


def consent_of(loaded: Loaded, context: CommandContext) -> Consent:
    """Ask on a terminal, not under CI."""
    is_ci = context.environ.get("CI", "").lower() not in ("", "0", "false")
    surroundings = context.surroundings
    can_ask = surroundings.stdin_is_terminal and surroundings.stream_is_terminal and not is_ci
    return Consent(
        provision=loaded.settings.provision,
        ask=context.confirm if can_ask else None,
        say=context.say,
    )
