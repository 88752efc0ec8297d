"""Whether the wheels of a run come from one rustc.

Pure: takes the plan's build jobs and what is known of the host and its images, gives a notice or None. A release of
wheels that behave differently because of their compilers is hard to explain to users (docs/design.md section 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelworks.plan import Job
    from wheelworks.toolchains import HostFacts


def mixture_notice(jobs: Iterable[Job], host: HostFacts) -> str | None:
    """What to say when wheels come from several versions of rustc; None when they don't.

    Args:
        jobs: the jobs whose wheels are published.
        host: for the Rust of this machine and of its images.
    """
    wheels: dict[str, list[str]] = {}
    for job in jobs:
        if job.kind == "build" and job.steps:
            wheels.setdefault(rust_of(job, host), []).append(job.id)
    if len(wheels) < 2:
        return None
    listed = "; ".join(f"{rust}: {', '.join(ids)}" for rust, ids in sorted(wheels.items()))
    return f'the wheels come from different versions of Rust (rust = "any" accepts that): {listed}'


def rust_of(job: Job, host: HostFacts) -> str:
    """What compiles the job's wheel: ``rustc 1.97.1``, or which image's Rust where nobody knows its version yet."""
    images = host.containers.images if host.containers is not None else ()
    for image in images:
        if image.reference in job.images:
            version = image.rust.rustc.version if image.rust is not None else image.rust_version
            return f"rustc {version}" if version else f"the Rust of {image.reference}"
    return f"rustc {host.rust.rustc.version}" if host.rust is not None else "an unknown rustc"
