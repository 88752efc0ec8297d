"""The command line as data: argv -> argparse.Namespace. Pure; runs nothing.

argparse, because it starts fastest of the well-kept choices (27 ms against 70 of click and 97 of typer, measured) and
argcomplete completes it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_CODES = """\
exit codes:
  0  everything asked for succeeded or was up to date
  1  a job failed or timed out
  2  usage or configuration
  3  nothing was selected or available here, or with --strict a cell is unavailable
  4  a tool or resource is missing and could not be provided
  5  an audit refused an artifact
  6  drift between the configuration and a workflow
  70 a bug of wheelworks
  130, 143 interrupted, terminated
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; ``args.command`` names the chosen one."""
    parser = argparse.ArgumentParser(
        prog="wheelworks",
        description="Builds, audits and tests every wheel of a maturin project's matrix on this machine.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    _add_global_options(parser, is_top=True)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for add in (
        _add_init, _add_doctor, _add_plan, _add_why, _add_build, _add_test, _add_shell, _add_try,
        _add_audit, _add_diff, _add_runs, _add_prefetch, _add_gc, _add_completion,
    ):  # fmt: skip
        add(commands)
    return parser


#: Commands that start a program of the user's; what follows ``--`` is that program's.
WITH_REST = ("shell", "try")


def parse_arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The parsed command line; ``args.rest`` holds what follows ``--`` for the commands of ``WITH_REST``.

    argparse would hand the words after ``--`` to the first positional argument that is still open.
    """
    words = list(argv)
    place = words.index("--") if "--" in words else len(words)
    is_ours = any(word in WITH_REST for word in words[:place])
    args = parser.parse_args(words[:place] if is_ours else words)
    args.rest = tuple(words[place + 1 :]) if args.command in WITH_REST else ()
    return args


def parse_selectors(values: list[str]) -> tuple[str, ...]:
    """Selectors from the command line, each of which may hold several separated by white space."""
    return tuple(pattern for value in values for pattern in value.split())


def _add_global_options(parser: argparse.ArgumentParser, *, is_top: bool = False) -> None:
    """The options that stand before or after the command alike."""

    def default(value: object) -> object:
        # A sub-parser must not overwrite what was given before the command.
        return value if is_top else argparse.SUPPRESS

    group = parser.add_argument_group("global options")
    group.add_argument(
        "-C", "--directory", metavar="DIR", default=default(None), help="run as if started in DIR"
    )
    group.add_argument(
        "--package",
        metavar="NAME",
        default=default(None),
        help="one of several packages in a repository, by name or folder",
    )
    group.add_argument(
        "--json",
        action="store_true",
        default=default(False),
        help="print one JSON document to stdout",
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=default(False),
        help="only failures and the summary",
    )
    group.add_argument(
        "-v",
        "--verbose",
        action="count",
        default=default(0),
        help="show the tools' output (-vv: and their commands)",
    )
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=default("auto"),
        help="when to use colours (NO_COLOR is respected)",
    )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".", epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    _add_global_options(parser)
    return parser


def _add_selectors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "selectors",
        nargs="*",
        metavar="SELECTOR",
        help="cell ids with *, ? and {a,b}, as 'cp31{3,4}-*'; default: all",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Flags that override the configuration, named as its keys."""
    group = parser.add_argument_group(
        "configuration", "each overrides the key of that name in [tool.wheelworks]"
    )
    group.add_argument(
        "--pythons",
        nargs="+",
        action="extend",
        metavar="SPEC",
        help="3.13, 3.14t, pp311, abi3-py310",
    )
    group.add_argument(
        "--targets",
        nargs="+",
        action="extend",
        metavar="TARGET",
        help="manylinux_x86_64, macosx_universal2, ...",
    )
    group.add_argument("--skip", nargs="+", action="extend", metavar="SELECTOR")
    group.add_argument(
        "--compatibility",
        metavar="LEVEL",
        help="auto, manylinux2014, manylinux_2_28, musllinux_1_2, ...",
    )
    group.add_argument("--rust", metavar="VERSION", help="auto, any, or a version")
    group.add_argument(
        "--toolchain", metavar="NAME", help="auto, host, container, emulated, cibuildwheel"
    )
    group.add_argument("--profile", metavar="NAME", help="cargo profile")
    group.add_argument("--maturin", metavar="VERSION", help="auto or a version")
    group.add_argument(
        "--provision",
        choices=("ask", "always", "never"),
        help="whether missing tools are installed",
    )
    group.add_argument("--dist", metavar="DIR", help="folder of the artifacts")
    group.add_argument("-j", "--jobs", metavar="N", help="processors that the run may use")
    group.add_argument(
        "--offline",
        action="store_const",
        const=True,
        help="use no network, only what is here already ('wheelworks prefetch' brings it)",
    )
    group.add_argument("--container-engine", metavar="NAME", help="auto, docker, podman")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict", action="store_true", help="exit 3 when a selected cell is unavailable here"
    )
    parser.add_argument("--force", action="store_true", help="run jobs that are up to date, too")
    parser.add_argument(
        "--fail-fast", action="store_true", help="start no further job after a failure"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="exit 4 instead of waiting for another run's lock"
    )
    parser.add_argument("--events", choices=("json",), help="print one JSON event a line to stdout")


def _add_init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "init", "adopt a project: show, then write, the section and a noxfile"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="write without asking")
    parser.add_argument("--dry-run", action="store_true", help="only show")


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "doctor", "what this machine can build and test, what is missing, what mends it"
    )
    parser.add_argument("--fix", action="store_true", help="run the commands that mend it")
    _add_settings(parser)


def _add_plan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "plan", "the jobs that build (or test) would run, and why; builds nothing"
    )
    _add_selectors(parser)
    parser.add_argument("--test", action="store_true", help="plan the tests, too")
    parser.add_argument("--python", metavar="SPEC", help="with --test: the interpreter")
    parser.add_argument("--force", action="store_true", help="as if nothing were up to date")
    _add_settings(parser)


def _add_why(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "why",
        "everything behind one cell: options with origins, toolchains, what changed",
    )
    parser.add_argument("cell", metavar="CELL", help="a cell id, as cp313-manylinux_x86_64")
    _add_settings(parser)


def _add_build(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "build", "wheels and the sdist in dist/, audited")
    _add_selectors(parser)
    sdist = parser.add_mutually_exclusive_group()
    sdist.add_argument(
        "--sdist", action="store_true", help="also the sdist when selectors are given"
    )
    sdist.add_argument("--no-sdist", action="store_true", help="no sdist")
    sdist.add_argument("--sdist-only", action="store_true", help="just the sdist")
    _add_run_options(parser)
    _add_settings(parser)


def _add_test(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "test", "the tests of every wheel that can run here, built first where needed"
    )
    _add_selectors(parser)
    parser.add_argument("--python", metavar="SPEC", help="only with this interpreter, as 3.13")
    _add_run_options(parser)
    _add_settings(parser)


def _add_shell(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "shell", "a shell where a cell is compiled; -- COMMAND runs that instead"
    )
    parser.add_argument("cell", metavar="CELL", help="a cell id, as cp313-manylinux_x86_64")
    parser.add_argument(
        "--no-network", action="store_true", help="no network in the container, as while compiling"
    )
    _add_settings(parser)


def _add_try(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "try",
        "a Python prompt with a cell's wheel; what follows -- are Python's arguments",
    )
    parser.add_argument("cell", metavar="CELL", help="a cell id, as cp313-manylinux_x86_64")
    parser.add_argument("-c", dest="code", metavar="CODE", help="run this instead of a prompt")
    parser.add_argument("--python", metavar="SPEC", help="with this interpreter, as 3.13")
    _add_settings(parser)


def _add_prefetch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "prefetch", "bring what a later run with --offline needs from the network"
    )
    _add_selectors(parser)
    _add_settings(parser)


def _add_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "audit", "findings for any wheel or sdist")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="wheels and sdists; default: everything in dist/"
    )
    parser.add_argument("--explain", metavar="RULE", help="explain a rule, as W012")


def _add_diff(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "diff", "members, symbols and sizes that differ between two wheels")
    parser.add_argument("before", metavar="A.whl")
    parser.add_argument("after", metavar="B.whl")


def _add_runs(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "runs", "past runs, newest first")
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="show this run's summary; 'last' for the newest finished one",
    )


def _add_gc(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "gc", "remove leftovers: stale build folders, snapshots, old runs")
    parser.add_argument(
        "--max-size",
        metavar="SIZE",
        help="keep at most so much, as 5GiB (oldest build folders go first)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument("--images", action="store_true", help="remove all images of wheelworks too")


def _add_completion(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "completion", "print the shell's completion script")
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "powershell"))


#: Flags that override the key of the same name; those of a table have it before a dash.
SETTING_FLAGS = (
    "pythons", "targets", "skip", "compatibility", "rust", "toolchain", "profile", "maturin",
    "provision", "dist", "jobs", "offline", "container-engine",
)  # fmt: skip
_DOTTED = {"container-engine": "container.engine"}


def setting_flags(args: argparse.Namespace) -> dict[str, str | tuple[str, ...] | bool]:
    """The flags that override configuration keys, as ``config.load`` takes them: key -> text or texts."""
    found: dict[str, str | tuple[str, ...] | bool] = {}
    for name in SETTING_FLAGS:
        value = getattr(args, name.replace("-", "_"), None)
        if value is not None:
            key = _DOTTED.get(name, name)
            is_plain = isinstance(value, bool)
            found[key] = (
                tuple(value) if isinstance(value, list) else value if is_plain else str(value)
            )
    return found
