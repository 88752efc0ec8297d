"""What cibuildwheel is told for one wheel: the variables ``CIBW_*``.

Pure: takes cells with their image and what every build shares, gives names and values. The project's own
``[tool.cibuildwheel]`` stays in force: our defaults stand before its ``environment``, what ``[tool.wheelworks]`` says
after it (``CIBW_INHERIT``), and of its ``container-engine``, which only a variable can change, the arguments are kept.
"""

from __future__ import annotations

import csv
import io
import shlex
from typing import TYPE_CHECKING

from wheelworks.build_jobs import cargo_jobs
from wheelworks.cibuildwheel_choice import image_option, own_image
from wheelworks.containers import paths
from wheelworks.containers.invocation import run_labels
from wheelworks.targets import platform_tags

if TYPE_CHECKING:
    from wheelworks.build_groups import BuildGroup
    from wheelworks.build_jobs import BuildContext
    from wheelworks.containers.facts import ContainerFacts

_PLATFORMS = {"manylinux": "linux", "musllinux": "linux", "macosx": "macos", "win": "windows"}
#: The way to the network; passed by cibuildwheel, so that no password is in the container's own environment.
_NETWORK = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX",
)  # fmt: skip
_CERTIFICATES = (
    "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO",
)  # fmt: skip
_USER_CONFIG = "/.cargo/config.toml"
"""Where cargo meets the user's own configuration last of all."""


def common_variables(group: BuildGroup, context: BuildContext) -> dict[str, str]:
    """What it is told on every system: the options of the cell, and how they join the project's own."""
    cell = group.cells[0]
    platform = _PLATFORMS[cell.target.system]
    defaults = _defaults(group, context)
    own = {
        name: value
        for name, value in cell.settings.environment.items()
        if not name.startswith("CIBW_")
    }
    found = {
        "CIBW_INHERIT": f"environment: prepend; environment-{platform}: append; "
        f"environment-pass-{platform}: append",
        "CIBW_ENVIRONMENT": _assignments(defaults),
        f"CIBW_ENVIRONMENT_{platform.upper()}": _assignments(own),
    }
    if not context.project.has_cibuildwheel:
        # The audit of ours looks at the stable ABI, too; cibuildwheel would install its auditor for every wheel.
        found["CIBW_AUDIT_COMMAND"] = ""
    return {name: value for name, value in found.items() if value or name == "CIBW_AUDIT_COMMAND"}


def container_variables(group: BuildGroup, context: BuildContext) -> dict[str, str]:
    """What it is told of the engine and the image.

    Raises:
        AssertionError: there is no engine (a bug of the caller).
    """
    cell, image, containers = group.cells[0], group.choices[0].image, context.host.containers
    if containers is None:
        raise AssertionError(f"BUG: no engine for {cell.id}")
    option = image_option(cell).upper().replace("-", "_")
    passed = (*_NETWORK, *(name for name in cell.settings.environment_pass if "*" not in name))
    return {
        "CIBW_CONTAINER_ENGINE": _engine(context, containers),
        f"CIBW_{option}": own_image(cell, context.project) if image is None else image.reference,
        "CIBW_ENVIRONMENT_PASS_LINUX": " ".join(passed),
    }


def maturin_args(group: BuildGroup, context: BuildContext) -> tuple[str, ...]:
    """What the build backend hands to maturin: the options of the cell, and zig in the local image."""
    cell, project = group.cells[0], context.project
    settings = cell.settings
    args = ["--locked"] if project.has_lock_file else []
    if group.choices[0].image is not None:
        args += ["--zig", "--compatibility", cell.policy]
    if settings.profile != "release":
        args += ["--profile", settings.profile]
    if settings.features:
        # maturin forgets the features of [tool.maturin] when it is given others.
        features = dict.fromkeys((*project.maturin_features, *settings.features))
        args += ["--features", ",".join(features)]
    if settings.no_default_features:
        args.append("--no-default-features")
    return (*args, *settings.maturin_args)


def _defaults(group: BuildGroup, context: BuildContext) -> dict[str, str]:
    """Variables of the build that the project's own ``environment`` may replace."""
    cell = group.cells[0]
    found = {}
    args = maturin_args(group, context)
    if args:
        found["MATURIN_PEP517_ARGS"] = shlex.join(args)
    if group.choices[0].image is not None:
        found |= {
            # The isolated environment that maturin is installed into has no zig.
            "CARGO_ZIGBUILD_PYTHON_PATH": f"{paths.TOOLS}/bin/python",
            "AUDITWHEEL_PLAT": platform_tags(cell.target, cell.policy)[0],
            "MATURIN_NO_INSTALL_RUST": "1",
        }
    return found


def _assignments(values: dict[str, str]) -> str:
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


def _engine(context: BuildContext, containers: ContainerFacts) -> str:
    """``container-engine``: the project's arguments, then what ours need: a label, the network, certificates."""
    project = context.project
    theirs = project.cibuildwheel.create_args
    args = [*theirs]
    if not any(word.partition("=")[0] in ("--network", "--net") for word in theirs):
        args += ["--network", "host"]
    args += ["--security-opt", "label=disable", "--cidfile", "{cidfile}"]
    for label, value in run_labels(str(context.layout.state_dir), "{run}").items():
        args += ["--label", f"{label}={value}"]
    args += ["--env", f"CARGO_BUILD_JOBS={cargo_jobs(context)}", "--env", "CARGO_TERM_COLOR=never"]
    if containers.ca_bundle is not None:
        args += _bind(containers.ca_bundle, paths.CA_BUNDLE)
        args += [word for name in _CERTIFICATES for word in ("--env", f"{name}={paths.CA_BUNDLE}")]
    if containers.cargo_config is not None:
        args += _bind(containers.cargo_config, _USER_CONFIG)
    # Nothing but a configuration made for it can need the host's folders in the container.
    is_closed = project.cibuildwheel.disables_host_mount or not project.has_cibuildwheel
    closed = "; disable_host_mount: yes" if is_closed else ""
    return f"{containers.engine.name}; create_args: {shlex.join(args)}{closed}"


def _bind(source: str, target: str) -> tuple[str, str]:
    """A ``--mount``: comma-separated values, so that no path is misread."""
    line = io.StringIO()
    fields = ["type=bind", f"source={source}", f"target={target}", "readonly"]
    csv.writer(line, lineterminator="").writerow(fields)
    return "--mount", line.getvalue()
