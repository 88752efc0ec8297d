"""A planned step -> the engine's command line that runs it in a container.

Pure: takes a Step and values, gives words and texts. Writes no file, starts nothing. docker and podman spell all
of this the same.

* ``--pull=never``: a missing image is an error, and not a download that nobody agreed to.
* ``--security-opt label=disable``: on hosts with SELinux the container sees what it is given; the alternative, to
  relabel (``:z``), would change the labels of the user's own files, the host's certificates among them.
* ``--log-driver none``: the client has the output already, and the engine would keep it unmasked.
* ``--entrypoint=``: an image that the user names may have one, and the plan says what runs.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shlex
from typing import TYPE_CHECKING, Final

from wheelworks.childenv import child_environment, passed_variables, secret_values
from wheelworks.containers import paths
from wheelworks.plan import fill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.plan import ContainerUse, Mount, Step

#: What the engine's client reads besides what every program is given: where the engine is, and how to log in there.
ENGINE_VARIABLES: Final = (
    "DOCKER_*",
    "CONTAINER_*",
    "CONTAINERS_*",
    "XDG_RUNTIME_DIR",
    "REGISTRY_AUTH_FILE",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
)
_NAME_IN_SHELL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def engine_environment(caller: Mapping[str, str]) -> dict[str, str]:
    """The environment of the engine's client; nothing of it gets into the container."""
    return child_environment(caller, set_={}, pass_=ENGINE_VARIABLES)


def run_labels(state_dir: str, run_id: str) -> dict[str, str]:
    """The labels that a run's containers are found by.

    Args:
        state_dir: the project's ``.wheelworks``, absolute.
        run_id: the run.
    """
    project = hashlib.sha256(state_dir.encode()).hexdigest()[:12]
    return {paths.LABEL_PROJECT: project, paths.LABEL_RUN: run_id}


def private_variables(
    step: Step, caller: Mapping[str, str], placeholders: Mapping[str, str]
) -> dict[str, str]:
    """The variables that go into a file: neither argv nor the container's configuration shows them to anybody.

    Those are all that the step passes on, and those of its own that hold a secret. Names that a shell
    can't hold are left out.

    Args:
        step: the step.
        caller: the caller's environment.
        placeholders: name -> value inside the container.
    """
    passed = passed_variables(caller, step.env_pass)
    for name in (*step.unset, *step.env):
        passed.pop(name, None)
    own = {
        name: fill(value, placeholders)
        for name, value in step.env.items()
        if _is_secret(step, name)
    }
    return {name: value for name, value in (passed | own).items() if _NAME_IN_SHELL.match(name)}


def environment_file_text(variables: Mapping[str, str]) -> str:
    """The file's content, for a shell to read."""
    return "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())
    )


def engine_argv(
    step: Step,
    *,
    placeholders_host: Mapping[str, str],
    placeholders_inside: Mapping[str, str],
    labels: Mapping[str, str],
    cidfile: str | None,
    environment_file: str | None,
    name: str,
) -> tuple[str, ...]:
    """The call of ``run`` that carries a step out and removes the container when it ends.

    Args:
        step: a step with a container.
        placeholders_host: name -> value on the host, for the sources of mounts.
        placeholders_inside: name -> value in the container, for all else.
        labels: the container's labels.
        cidfile: where the engine writes the container's id; must not be there yet.
        environment_file: the file with :func:`private_variables`, or None when there are none.
        name: the container's name.

    Raises:
        AssertionError: the step runs on the host (a bug of the caller).
    """
    use = step.container
    if use is None:
        raise AssertionError(f"BUG: step {step.name} has no container")
    argv = [use.engine, "run", "--rm", "--init", "--pull=never", "--log-driver=none"]
    argv += ["--security-opt", "label=disable", "--entrypoint=", "--name", name]
    if cidfile is not None:
        argv += ["--cidfile", cidfile]
    for label, value in labels.items():
        argv += ["--label", f"{label}={value}"]
    argv += ["--platform", use.platform, "--network", use.network, *_user_options(use)]
    for variable, value in step.env.items():
        if not _is_secret(step, variable):
            argv += ["--env", f"{variable}={fill(value, placeholders_inside)}"]
    for mount in use.mounts:
        argv += ["--mount", _mount_option(mount, fill(mount.source, placeholders_host))]
    if environment_file is not None:
        argv += ["--mount", _bind(environment_file, paths.SECRETS, is_read_only=True)]
    argv += ["--workdir", fill(step.cwd, placeholders_inside), *use.engine_args, use.image]
    argv += _wrapper(step, placeholders_inside, reads_file=environment_file is not None)
    return (*argv, *(fill(word, placeholders_inside) for word in step.argv))


def _user_options(use: ContainerUse) -> tuple[str, ...]:
    user = ("--user", use.user) if use.user is not None else ()
    return ("--userns=keep-id", *user) if use.keeps_id else user


def _wrapper(step: Step, placeholders: Mapping[str, str], *, reads_file: bool) -> tuple[str, ...]:
    """What stands before the step's own words: a shell, when variables come from a file or PATH is extended.

    The image's PATH is not known here, and an ``--env PATH`` would replace it.
    """
    commands = [f". {paths.SECRETS}"] if reads_file else []
    if step.path_prepend:
        folders = ":".join(shlex.quote(fill(folder, placeholders)) for folder in step.path_prepend)
        commands += [f'PATH={folders}:"$PATH"', "export PATH"]
    if not commands:
        return ()
    return ("sh", "-c", "; ".join((*commands, 'exec "$@"')), "sh")


def _is_secret(step: Step, name: str) -> bool:
    return bool(secret_values({name: step.env[name]}))


def _mount_option(mount: Mount, source: str) -> str:
    return _bind(source, mount.target, is_read_only=mount.is_read_only)


def _bind(source: str, target: str, *, is_read_only: bool) -> str:
    """A ``--mount``: comma-separated values, so that no path is misread."""
    fields = ["type=bind", f"source={source}", f"target={target}"]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields + ["readonly"] * is_read_only)
    return line.getvalue()
