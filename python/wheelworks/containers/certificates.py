"""The host's certificates, which containers need behind proxies that sign with an authority of their own.

Looks at files; reads none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.rust_choice import Obstacle

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where Debian, Fedora, openSUSE, Alpine and macOS keep them.
USUAL_PLACES = (
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
    "etc/ssl/cert.pem",
)


def find_ca_bundle(
    configured: str | None,
    *,
    project_root: Path,
    environ: Mapping[str, str],
    root: Path = Path("/"),
) -> Path | Obstacle | None:
    """The bundle for containers, None where the host has none; an obstacle when the configured one is missing.

    Args:
        configured: the option ``container.ca_bundle``, relative to the project.
        project_root: the project's folder.
        environ: for ``SSL_CERT_FILE``.
        root: where the usual places lie.
    """
    if configured is not None:
        path = project_root / Path(configured).expanduser()
        if path.is_file():
            return path
        return Obstacle(
            reason=f"the certificates {path}, which container.ca-bundle names, are not there",
            cure="correct ca-bundle in [tool.wheelworks.container], or leave it out to take the host's",
        )
    named = environ.get("SSL_CERT_FILE")
    places = [Path(named)] if named else []
    places += [root / place for place in USUAL_PLACES]
    return next((place for place in places if place.is_file()), None)
