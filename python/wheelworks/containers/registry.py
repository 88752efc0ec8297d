"""Whether an image registry answers: one small question, remembered for an hour.

Touches the network, within a few seconds, and the probe cache.
"""

from __future__ import annotations

import time
import urllib.error
from typing import TYPE_CHECKING

from wheelworks.rust_server import network_fetch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.probe_door import ProbeCache
    from wheelworks.rust_server import Fetch

DOCKER_HUB = "registry-1.docker.io"
REGISTRY_TIMEOUT_SECONDS = 5.0
REMEMBERED_SECONDS = 3600.0


def registry_host(image: str) -> str:
    """The registry that an image comes from: ``ghcr.io/org/name`` -> ``ghcr.io``."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first
    return DOCKER_HUB


def registry_problem(
    image: str,
    *,
    environ: Mapping[str, str],
    cache: ProbeCache | None = None,
    fetch: Fetch | None = None,
    clock_seconds: float | None = None,
) -> str | None:
    """Why an image's registry does not answer, as a fragment; None when it does.

    Args:
        image: name of an image.
        environ: the caller's environment (CA bundle).
        cache: remembers the answer for an hour.
        fetch: gets a URL; None for the network.
        clock_seconds: now, since the epoch; None for the clock.
    """
    host = registry_host(image)
    now = time.time() if clock_seconds is None else clock_seconds
    stamp = [int(now // REMEMBERED_SECONDS)]
    known = cache.get(f"registry {host}", stamp) if cache is not None else None
    if known is None:
        known = {"problem": _ask(host, fetch or network_fetch(environ))}
        if cache is not None:
            cache.put(f"registry {host}", stamp, known)
    return known["problem"] or None


def _ask(host: str, fetch: Fetch) -> str:
    try:
        fetch(f"https://{host}/v2/", REGISTRY_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        # "Log in first" is an answer.
        error.close()
        return ""
    except urllib.error.URLError as error:
        return f"the registry {host} does not answer ({error.reason})"
    except (OSError, ValueError) as error:
        return f"the registry {host} does not answer ({error})"
    return ""
