"""What a person is given who wants to look into one cell: the steps of ``shell``, ``try`` and ``prefetch``.

Pure: takes planned jobs, gives steps that the plan does not hold but that are made of its own. Runs nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from wheelworks.plan import fill
from wheelworks.test_steps import NAMES_VARIABLE, PREFIX_VARIABLE, RESULT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelworks.plan import Job, Plan, Step

#: A person may be at it for a day; nothing stops them.
NO_TIMEOUT_SECONDS = 10.0 * 365 * 86_400
FETCH_TIMEOUT_SECONDS = 1800.0
_GUARD_VARIABLES = ("PYTEST_PLUGINS", NAMES_VARIABLE, PREFIX_VARIABLE, RESULT_VARIABLE)
#: bash without start-up files, which would change PATH; else any shell. The prompt is set here, because a shell
#: that runs a script drops the one that it is given.
_POSIX_SHELL = r"""
PS1='({cell}) \W \$ '; export PS1
command -v bash >/dev/null && exec bash --norc --noprofile
PS1='({cell}) $ '; exec sh
"""


def compiling_job(plan: Plan, cell: str) -> Job | None:
    """The job that compiles a cell's wheel; of a merged wheel the one of its first slice."""
    jobs = {job.id: job for job in plan.jobs}
    found = next((job for job in plan.jobs if job.kind == "build" and cell in job.cells), None)
    if found is not None and found.merges is not None:
        return jobs[found.merges[0]]
    return found


def step_named(job: Job, name: str) -> Step | None:
    """The job's step of that name."""
    return next((step for step in job.steps if step.name == name), None)


def shell_step(
    job: Job,
    cell: str,
    arguments: Sequence[str],
    *,
    has_network: bool,
    tool_folders: Sequence[str] = (),
) -> Step:
    """A shell, or a command, where and as the job compiles.

    Args:
        job: a job with a step ``compile``.
        cell: for the prompt.
        arguments: the command; empty for a shell.
        has_network: whether a container has a network; the host's can't be taken away.
        tool_folders: put before PATH on the host.

    Raises:
        AssertionError: the job compiles nothing (a bug of the caller).
    """
    compiling, fetching = step_named(job, "compile"), step_named(job, "fetch")
    if compiling is None:
        raise AssertionError(f"BUG: {job.id} compiles nothing")
    step = replace(
        compiling,
        name="shell",
        argv=tuple(arguments) or ("sh", "-c", _POSIX_SHELL.replace("{cell}", cell)),
        timeout_seconds=NO_TIMEOUT_SECONDS,
    )
    if step.container is None:
        return replace(step, path_prepend=(*tool_folders, *step.path_prepend))
    if not has_network:
        return replace(step, container=replace(step.container, network="none"))
    others = fetching.env if fetching is not None else {}
    online = {k: v for k, v in step.env.items() if k != "CARGO_NET_OFFLINE"}
    passed = fetching.env_pass if fetching is not None else ()
    return replace(
        step,
        env={**others, **online},
        env_pass=tuple(dict.fromkeys((*step.env_pass, *passed))),
        container=replace(step.container, network="host"),
    )


def trying_step(job: Job, arguments: Sequence[str]) -> Step:
    """The interpreter of a test job's environment, in a folder that holds nothing to be imported by mistake.

    Args:
        job: a test job whose only command is ``{python}``.
        arguments: of the interpreter; none for a prompt.

    Raises:
        AssertionError: the job tests nothing (a bug of the caller).
    """
    testing = step_named(job, "test")
    if testing is None:
        raise AssertionError(f"BUG: {job.id} tests nothing")
    kept = {name: value for name, value in testing.env.items() if name not in _GUARD_VARIABLES}
    return replace(
        testing,
        name="try",
        argv=(*testing.argv, *arguments),
        env=kept,
        timeout_seconds=NO_TIMEOUT_SECONDS,
    )


def host_fetch_steps(job: Job) -> tuple[Step, ...]:
    """What brings the crates of a job that fetches while it compiles: cargo itself, for the same triple."""
    compiling = step_named(job, "compile") or step_named(job, "pack")
    if compiling is None or step_named(job, "fetch") is not None:
        return ()
    if "--manifest-path" not in compiling.argv:
        return ()
    triple = _word_after(compiling.argv, "--target")
    manifest = _word_after(compiling.argv, "--manifest-path") or ""
    argv = ("cargo", "fetch", "--locked", "--manifest-path", manifest)
    targets = ("--target", triple) if triple is not None else ()
    return (
        replace(
            compiling, name="fetch", argv=(*argv, *targets), timeout_seconds=FETCH_TIMEOUT_SECONDS
        ),
    )


def fetch_key(job: Job) -> tuple[object, ...]:
    """What two jobs have in common that fetch the same crates."""
    steps = (*host_fetch_steps(job), *(step for step in job.steps if step.name == "fetch"))
    key = str(job.build_key)
    return tuple((tuple(word.replace(key, "") for word in step.argv), job.images) for step in steps)


def requirement_steps(
    job: Job, dependencies: Sequence[str], extras: Mapping[str, Sequence[str]]
) -> tuple[Step, ...]:
    """A test job's environment with everything but the wheel, so that uv's cache holds it afterwards.

    Args:
        job: the test job.
        dependencies: what the wheel itself requires.
        extras: extra -> what it requires.
    """
    made, install = step_named(job, "environment"), step_named(job, "install")
    if made is None or install is None:
        return ()
    words: list[str] = []
    for word in install.argv:
        named = re.fullmatch(r"\{wheel\}(?:\[(.*)\])?", word)
        if named is None:
            words.append(word)
            continue
        words += dependencies
        words += (one for extra in (named[1] or "").split(",") for one in extras.get(extra, ()))
    if len(words) == len(install.argv) - 1 and install.argv[-1].startswith("{wheel}"):
        return ()
    return made, replace(install, argv=tuple(words))


def compile_command(job: Job, placeholders: Mapping[str, str]) -> tuple[str, ...]:
    """The job's compile command with its placeholders filled.

    Raises:
        AssertionError: the job compiles nothing (a bug of the caller).
    """
    compiling = step_named(job, "compile")
    if compiling is None:
        raise AssertionError(f"BUG: {job.id} compiles nothing")
    return tuple(fill(word, placeholders) for word in compiling.argv)


def _word_after(argv: Sequence[str], option: str) -> str | None:
    return argv[argv.index(option) + 1] if option in argv else None
