"""Images of another architecture that the engine's own has put together: the tree becomes an image.

Touches the engine's images and a folder for unfinished files. Nothing runs under an emulator here.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from wheelworks.containers.archive import write_image_archive
from wheelworks.containers.build_errors import build_error
from wheelworks.containers.paths import LABEL_LOCAL, LABEL_RECIPE
from wheelworks.errors import MissingResourceError

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.containers.image_door import ImageDoor
    from wheelworks.containers.recipes import Recipe

EXPORT_TIMEOUT_SECONDS = 1800.0
#: What the Dockerfiles of the other images set.
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt",
    "REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
    "CARGO_HTTP_CAINFO": "/etc/ssl/certs/ca-certificates.crt",
}


def load_tree(recipe: Recipe, builder: str, door: ImageDoor, folder: Path) -> None:
    """Make the recipe's image from the folder ``/tree`` of the image that put it together, which is removed.

    Args:
        recipe: the recipe of the image.
        builder: reference of the image with the tree.
        door: the engine.
        folder: for unfinished files; removed at the end.

    Raises:
        MissingResourceError: the engine failed, or there is no room.
        InterruptedRunError: the run was interrupted meanwhile.
    """
    # What a killed run left; the caller holds the lock.
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
        root_tar, archive = folder / "root.tar", folder / "image.tar"
        _run(
            door,
            *(
                "run",
                "--rm",
                "--network",
                "none",
                "--mount",
                f"type=bind,source={folder},target=/out",
            ),
            *(builder, "tar", "--numeric-owner", "-C", "/tree", "-cf", "/out/root.tar", "."),
        )
        write_image_archive(
            root_tar,
            archive,
            platform=recipe.platform,
            reference=recipe.reference,
            labels={LABEL_RECIPE: recipe.digest, LABEL_LOCAL: "true"},
            environment=ENVIRONMENT,
        )
        root_tar.unlink()
        _run(door, "load", "--input", str(archive))
    except OSError as error:
        raise MissingResourceError(
            f"the {recipe.role} image could not be written to {folder}: {error.strerror or error}",
            hint="make room there",
            log=door.log,
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        door.call(
            (door.engine.path, "image", "rm", "--force", builder),
            timeout_seconds=EXPORT_TIMEOUT_SECONDS,
            is_cleanup=True,
        )


def _run(door: ImageDoor, *arguments: str) -> None:
    result = door.call((door.engine.path, *arguments), timeout_seconds=EXPORT_TIMEOUT_SECONDS)
    if not result.ok:
        raise build_error(result, f"{door.engine.name} {arguments[0]} failed", door.log)
