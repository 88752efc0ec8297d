"""Arguments -> a command -> exit code. The only module that ends the process.

The flow of a run, each stage a function that takes the value of the one before:

1. configuration  ``config.load.load``          files, environment, flags -> Settings, Project
2. matrix         ``matrix.expand_matrix``      Settings, Project -> cells
3. plan           ``planner.make_plan``         cells, HostFacts -> Plan; ``freshness.judge`` -> verdicts
4. execute        ``run.Run.carry_out``         Plan -> results, through scheduler and executors
5. audit          ``audit.check.check_wheel``   WheelFacts, expectation -> findings, before anything reaches dist/
6. report         ``report.build.build_report`` results -> Report

``preparation.prepare`` strings 1 to 3 together, ``run.Run`` 4 to 6.
"""

from __future__ import annotations

import importlib
import os
import shlex
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

from wheelworks.arguments import build_parser, parse_arguments
from wheelworks.errors import (
    EXIT_BUG,
    EXIT_CONFIGURATION,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_TERMINATED,
    WheelworksError,
)
from wheelworks.signals import Terminated, terminable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from wheelworks.commands.context import CommandContext
    from wheelworks.ui.select import ColorChoice

#: Command -> module with ``execute(args, context) -> exit code``; imported when it is asked for, so that each
#: command starts as fast as what it needs.
COMMANDS = {
    "audit": "wheelworks.commands.audit",
    "build": "wheelworks.commands.build",
    "completion": "wheelworks.commands.completion",
    "diff": "wheelworks.commands.diff",
    "doctor": "wheelworks.commands.doctor",
    "gc": "wheelworks.commands.gc",
    "init": "wheelworks.commands.init",
    "plan": "wheelworks.commands.plan",
    "prefetch": "wheelworks.commands.prefetch",
    "runs": "wheelworks.commands.runs",
    "shell": "wheelworks.commands.shell",
    "test": "wheelworks.commands.build",
    "try": "wheelworks.commands.try_cell",
    "why": "wheelworks.commands.why",
}


def run(argv: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code (docs/design.md section 5)."""
    with terminable():
        code = main(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            # Python would try the closed pipe once more on its way out, and leave with 120.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def main(argv: Sequence[str]) -> int:
    """The exit code of a command line; errors are written to stderr."""
    parser = build_parser()
    _complete(parser)
    args = parse_arguments(parser, argv)
    if args.version:
        return _print_version()
    if args.command is None:
        parser.print_help(sys.stderr)
        return EXIT_CONFIGURATION
    context = _context(argv)
    try:
        return _dispatch(args, context)
    except WheelworksError as error:
        _show_error(error, context, args.color)
        return error.exit_code
    except Terminated:
        sys.stderr.write("terminated\n")
        return EXIT_TERMINATED
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # `wheelworks plan | head`: the reader has all it wanted.
        return EXIT_OK
    except Exception:
        return _report_bug(args)


def _context(argv: Sequence[str]) -> CommandContext:
    from wheelworks.commands.context import CommandContext
    from wheelworks.process import ProcessRunner

    return CommandContext(
        environ=dict(os.environ),
        runner=ProcessRunner(),
        stdout=sys.stdout,
        stderr=sys.stderr,
        command_line=shlex.join(("wheelworks", *argv)),
    )


def _dispatch(args: argparse.Namespace, context: CommandContext) -> int:
    module = importlib.import_module(COMMANDS[args.command])
    code = module.execute(args, context)
    if not isinstance(code, int):
        raise AssertionError(f"BUG: {args.command} gave no exit code")
    return code


def _complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell's completion request; imports argcomplete only then."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def _print_version() -> int:
    from wheelworks import __version__

    sys.stdout.write(f"wheelworks {__version__}\n")
    return EXIT_OK


def _show_error(error: WheelworksError, context: CommandContext, color: ColorChoice) -> None:
    from wheelworks.errors_text import error_text

    # The exit code counts also where nobody reads (`2>&1 | head -1`).
    with suppress(BrokenPipeError):
        context.stderr.write(error_text(error, style=context.style(color)))


def _report_bug(args: argparse.Namespace) -> int:
    """Say that it is our fault, and where the details are."""
    log = _write_bug_log(traceback.format_exc())
    last = traceback.format_exc().strip().splitlines()[-1]
    where = f"log: {log}\n" if log is not None else traceback.format_exc()
    sys.stderr.write(
        f"error: this is a bug of wheelworks: {last}\n"
        f"hint: please report it with the log and the command ({args.command})\n{where}"
    )
    return EXIT_BUG


def _write_bug_log(text: str) -> str | None:
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="wheelworks-bug-", suffix=".log", delete=False, encoding="utf-8"
        ) as log:
            log.write(text)
            return log.name
    except OSError:
        return None
