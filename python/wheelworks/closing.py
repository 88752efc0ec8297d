"""What is said at the end of a run: what changed meanwhile, what lies in ``dist/``, the report.

Takes a prepared plan and the ledger of its results; reads the source tree and ``dist/``, writes nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wheelworks import __version__
from wheelworks._native import FingerprintError, digest_bytes
from wheelworks.dist_survey import survey_dist
from wheelworks.report.build import RunFacts, build_report
from wheelworks.rust_mixture import mixture_notice
from wheelworks.source_tree import changed_sources
from wheelworks.tool_install import provided_version

if TYPE_CHECKING:
    from wheelworks.dist_survey import DistSurvey
    from wheelworks.ledger import Ledger
    from wheelworks.preparation import Prepared
    from wheelworks.report.model import Report


def change_notices(prepared: Prepared) -> tuple[str, ...]:
    """Whether the tree changed under the run: its artifacts hold the state before."""
    loaded = prepared.loaded
    try:
        changed = changed_sources(prepared.entries, loaded.project, dist_dir=loaded.settings.dist)
    except FingerprintError as error:
        # A file that vanishes while we look: the artifacts are as good as they were.
        return (f"whether the sources changed during the run is not known: {error}",)
    if not changed:
        return ()
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return (
        f"{changed[0]}{more} changed during the run; its artifacts hold the state before, "
        "the next run builds again",
    )


def rust_notices(prepared: Prepared) -> tuple[str, ...]:
    """Whether the wheels of the plan come from several versions of Rust, unless the project accepts that."""
    if prepared.loaded.settings.rust == "any":
        return ()
    notice = mixture_notice(prepared.plan.jobs, prepared.host)
    return (notice,) if notice is not None else ()


class Closing:
    """The end of one run; ``dist/`` is looked at once.

    Args:
        prepared: the plan and what is known of it.
        ledger: what became of the jobs.
        run_id: the run.
    """

    def __init__(self, prepared: Prepared, ledger: Ledger, *, run_id: str) -> None:
        self._prepared = prepared
        self._ledger = ledger
        self._run_id = run_id
        self._survey: DistSurvey | None = None

    def dist_notices(self) -> tuple[str, ...]:
        """Whether ``dist/`` holds files that no job stands behind."""
        strangers = self._surveyed().strangers
        if not strangers:
            return ()
        return (f"dist/ holds files that no job of wheelworks left: {', '.join(strangers)}",)

    def report(
        self,
        *,
        command: str,
        started: float,
        notices: tuple[str, ...],
        is_strict: bool,
        signal_exit: int | None,
    ) -> Report:
        """The report of the run, complete but for the disk."""
        prepared, sources = self._prepared, self._ledger.sources
        listing = "\n".join(f"{path} {digest}" for path, digest in sorted(sources.items()))
        return build_report(
            RunFacts(
                run_id=self._run_id,
                version=__version__,
                command=command,
                started=started,
                finished=time.time(),
                project=prepared.loaded.project.name,
                project_version=prepared.loaded.project.version,
                # One digest for the whole tree, for telling reports apart.
                source_digest=digest_bytes(listing.encode()),
                tools=_tool_versions(prepared),
                cells=tuple(cell.id for cell in prepared.cells),
                notices=notices,
                other_sources=self._surveyed().other_sources,
                is_strict=is_strict,
                signal_exit=signal_exit,
            ),
            self._ledger.results(),
        )

    def _surveyed(self) -> DistSurvey:
        if self._survey is None:
            loaded = self._prepared.loaded
            self._survey = survey_dist(
                loaded.settings.dist,
                project=loaded.project.name,
                records=self._ledger.records(),
                sources=self._ledger.sources,
                ours=self._ledger.artifacts(),
            )
        return self._survey


def _tool_versions(prepared: Prepared) -> dict[str, str]:
    """Tool -> version, of what the run used or could have used."""
    versions = {
        name: version
        for name, tool in prepared.tools.items()
        if (version := provided_version(tool)) is not None
    }
    rust = prepared.host.rust
    if rust is not None:
        versions["rustc"] = rust.rustc.version
        versions["cargo"] = rust.cargo.version
    return versions
