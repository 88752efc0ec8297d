"""A root file system as an image that an engine can load.

Takes a tar file, writes another. ``docker import`` of older servers records the server's own architecture
whatever it is told, so that the image's metadata is written here.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Engines compare it, and of arm64 there is only this one.
VARIANTS = {"arm64": "v8"}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def write_image_archive(
    root_tar: Path,
    into: Path,
    *,
    platform: str,
    reference: str,
    labels: Mapping[str, str],
    environment: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write an archive for ``docker load`` (and podman's) with one layer.

    Args:
        root_tar: the layer: a tar file of the root file system.
        into: the archive to write.
        platform: ``linux/arm64``.
        reference: the image's name.
        labels: its labels.
        environment: its variables besides PATH.
    """
    with root_tar.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    config = json.dumps(_config(digest, platform, labels, environment)).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    layer_name = f"{digest}/layer.tar"
    manifest = [{"Config": config_name, "RepoTags": [reference], "Layers": [layer_name]}]
    with tarfile.open(into, "w") as archive:
        archive.add(root_tar, arcname=layer_name)
        _add(archive, config_name, config)
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _config(
    digest: str, platform: str, labels: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, object]:
    system, _, architecture = platform.partition("/")
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    variant = VARIANTS.get(architecture)
    variables = [f"{name}={value}" for name, value in {"PATH": PATH, **environment}.items()]
    return {
        "created": created,
        "architecture": architecture,
        **({"variant": variant} if variant else {}),
        "os": system,
        "config": {"Env": variables, "Cmd": ["/bin/bash"], "Labels": dict(labels)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": created, "created_by": "wheelworks"}],
    }


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
