"""What an image says of itself, as values.

Takes the JSON that ``resources/images/image-facts.sh`` prints; gives Rust's facts and interpreters. Pure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from wheelworks.toolchains import FoundTool, RustFacts

NO_RUSTUP = "nothing can be added to an image"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsideImage:
    """What is in an image."""

    rust: RustFacts | None
    pythons: tuple[tuple[str, str], ...]
    """Interpreter spec -> path inside."""


def parse_image_facts(text: str) -> InsideImage | None:
    """What the text says; None where it is no such document."""
    try:
        document: object = json.loads(text)
        if not isinstance(document, dict):
            return None
        pythons = tuple((str(k), str(v)) for k, v in sorted(document["pythons"].items()))
        rust = _rust(document) if "rustc" in document else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return InsideImage(rust=rust, pythons=pythons)


def _rust(document: dict[str, object]) -> RustFacts:
    """Rust's facts; its programs are known by the image's id, not by size and time."""
    targets = document["targets"]
    if not isinstance(targets, list):
        raise TypeError("targets is no list")
    host = str(document["host"])
    channel = str(document.get("toolchain") or "")
    toolchain = f"{channel}-{host}" if channel else None
    return RustFacts(
        rustc=_tool(document, "rustc"),
        cargo=_tool(document, "cargo"),
        host_triple=host,
        sysroot=str(document["sysroot"]),
        targets=tuple(sorted(str(target) for target in targets)),
        toolchain=toolchain,
        installed_toolchains=(toolchain,) if toolchain else (),
        rustup=None,
        can_add_targets=False,
        cannot_add_reason=NO_RUSTUP,
    )


def _tool(document: dict[str, object], name: str) -> FoundTool:
    return FoundTool(
        path=str(document[f"{name}_path"]), version=str(document[name]), size=0, mtime_ns=0
    )
