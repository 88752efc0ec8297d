"""Provides what the jobs of a run need before they start: tools of our own, what rustup adds, images.

Touches the user's folder of tools, rustup's home, the engine's images and, through the Runner, the network. What
can't be had fails the jobs that need it and no other; starts no job itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wheelworks.containers.supply import ImageSupply
from wheelworks.errors import InterruptedRunError, MissingResourceError
from wheelworks.offline import needs_network, not_here
from wheelworks.planner import job_tools
from wheelworks.process import child_environment, quote_command
from wheelworks.tool_install import decisive_line, provide, provided_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wheelworks.plan import ImageRequest, Job, Provisioning, ToolRequest
    from wheelworks.preparation import Prepared
    from wheelworks.process import Cancellation, Runner

PROVISIONING_TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """Provides for one run."""

    prepared: Prepared
    runner: Runner
    environ: Mapping[str, str]
    log_dir: Path
    cancellation: Cancellation
    inform: Callable[[str], None]
    """Tells people what is being installed."""
    note_image: Callable[[str, str], None] = lambda _reference, _image_id: None
    """Is told of each image that is there now: reference and id."""

    def supply(self, jobs: Sequence[Job]) -> dict[str, MissingResourceError]:
        """Install what the jobs need and is not there; gives job id -> why it can't run.

        An interrupt ends it early; the scheduler then cancels every job.

        Args:
            jobs: those that will run.
        """
        is_offline = self.prepared.loaded.settings.offline
        missing = {
            job.id: needs_network(job)
            for job in jobs
            if is_offline and job.toolchain == "cibuildwheel"
        }
        plan, host = self.prepared.plan, self.prepared.host
        for tool in plan.tools:
            needing = [job.id for job in jobs if tool.name in job_tools(job, host)]
            self._supply_one(needing, missing, partial(self._provide, tool))
        for item in plan.provisioning:
            needing = [job.id for job in jobs if job.id in item.needed_by]
            self._supply_one(needing, missing, partial(self._add, item))
        for image in plan.images:
            needing = [job.id for job in jobs if job.id in image.needed_by]
            self._supply_one(needing, missing, partial(self._build, image))
        return missing

    def _supply_one(
        self,
        needing: Sequence[str],
        missing: dict[str, MissingResourceError],
        provide_it: Callable[[], MissingResourceError | None],
    ) -> None:
        """Provide one thing, unless nobody needs it who still can run."""
        hopeful = [job_id for job_id in needing if job_id not in missing]
        if not hopeful or self.cancellation.requested:
            return
        error = provide_it()
        if error is not None:
            missing.update(dict.fromkeys(hopeful, error))

    def _provide(self, tool: ToolRequest) -> MissingResourceError | None:
        environment = self.prepared.tools[tool.name]
        if provided_version(environment) is None:
            if self.prepared.loaded.settings.offline:
                return not_here(tool.requirement)
            self.inform(f"{tool.requirement} is installed into {environment.folder}")
        uv = self.prepared.host.uv
        try:
            provide(
                tool,
                self.runner,
                tools_dir=Path(self.prepared.layout.tools_dir),
                environ=self.environ,
                uv=uv.path if uv is not None else None,
                log=self.log_dir / "tools.log",
                cancellation=self.cancellation,
            )
        except InterruptedRunError:
            return None
        except MissingResourceError as error:
            return error
        return None

    def _build(self, image: ImageRequest) -> MissingResourceError | None:
        prepared = self.prepared
        if prepared.host.containers is None:
            raise AssertionError(f"BUG: {image.reference} is planned without an engine")
        supply = ImageSupply(
            containers=prepared.host.containers,
            project=prepared.loaded.project,
            settings=prepared.loaded.settings,
            runner=self.runner,
            environ=self.environ,
            log=self.log_dir / "images.log",
            cancellation=self.cancellation,
            inform=self.inform,
        )
        try:
            self.note_image(image.reference, supply.build(image))
        except InterruptedRunError:
            return None
        except MissingResourceError as error:
            return error
        return None

    def _add(self, item: Provisioning) -> MissingResourceError | None:
        log = self.log_dir / "rustup.log"
        self.inform(f"rustup adds the {item.what}")
        result = self.runner.run(
            item.argv,
            env=child_environment(self.environ, set_={}),
            cwd=self.prepared.loaded.project.root,
            timeout_seconds=PROVISIONING_TIMEOUT_SECONDS,
            log=log,
            cancellation=self.cancellation,
        )
        if result.ok:
            return None
        return MissingResourceError(
            f"the {item.what} could not be added by {quote_command(item.argv)}: {decisive_line(result)}",
            hint='run that command by hand, or set provision = "never" to leave these cells out',
            log=log,
        )
