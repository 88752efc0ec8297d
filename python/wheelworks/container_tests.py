"""The steps of a test job in a container of the wheel's platform.

Pure: takes the steps as they would run on a Linux host, gives the same steps in containers. The scratch folder is
mounted, so that what the tests leave there is read on the host as usual.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from wheelworks.containers import paths
from wheelworks.plan import ContainerUse, Mount
from wheelworks.test_steps import HOME_FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelworks.containers.facts import ContainerFacts, ImageFacts
    from wheelworks.plan import Step

#: What leads uv to the network as it does on the host. Proxies may hold passwords, so they are passed, not set.
NETWORK_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX_STRATEGY",
)
#: Programs and tests ask for these everywhere; a uid without an entry in the image's passwd has no name otherwise.
USER_NAME = "wheelworks"


def in_container(
    steps: Sequence[Step],
    *,
    image: ImageFacts,
    containers: ContainerFacts,
    engine_args: tuple[str, ...],
    timeout_factor: int,
) -> tuple[Step, ...]:
    """The steps in containers of the image, each in one of its own.

    Only the installation reaches registries as the host does. Tests get the network that containers usually have:
    many start servers of their own, and what they find outside is the project's matter.

    Args:
        steps: steps for a Linux host whose uv is the image's.
        image: where they run.
        containers: the engine, the caches and the certificates.
        engine_args: further arguments of the engine's ``run``.
        timeout_factor: how many times longer each step may take.
    """
    return tuple(
        replace(
            step,
            env={**_environment(step, containers), **step.env},
            # Nothing of the caller's comes in by itself.
            unset=(),
            env_pass=(*step.env_pass, *(NETWORK_VARIABLES if step.name == "install" else ())),
            timeout_seconds=step.timeout_seconds * timeout_factor,
            container=_use(
                image,
                containers,
                network="host" if step.name == "install" else "bridge",
                engine_args=engine_args,
            ),
        )
        for step in steps
    )


def _environment(step: Step, containers: ContainerFacts) -> dict[str, str]:
    environment = {"HOME": f"{paths.SCRATCH}/{HOME_FOLDER}", "USER": USER_NAME}
    if step.name in ("environment", "install"):
        environment["UV_CACHE_DIR"] = paths.UV_CACHE
        # The cache is another mount: a hard link is never possible.
        environment["UV_LINK_MODE"] = "copy"
    if containers.ca_bundle is not None:
        environment |= dict.fromkeys(
            ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"), paths.CA_BUNDLE
        )
    return environment


def _use(
    image: ImageFacts,
    containers: ContainerFacts,
    *,
    network: Literal["host", "bridge"],
    engine_args: tuple[str, ...],
) -> ContainerUse:
    engine = containers.engine
    mounts = [Mount(source="{scratch}", target=paths.SCRATCH)]
    if containers.uv_cache:
        mounts.append(Mount(source=containers.uv_cache, target=paths.UV_CACHE))
    if containers.ca_bundle is not None:
        mounts.append(Mount(source=containers.ca_bundle, target=paths.CA_BUNDLE, is_read_only=True))
    return ContainerUse(
        engine=engine.path,
        engine_name=engine.name,
        image=image.reference,
        platform=image.platform,
        mounts=tuple(mounts),
        network=network,
        user=engine.user,
        keeps_id=engine.keeps_id,
        engine_args=engine_args,
    )
