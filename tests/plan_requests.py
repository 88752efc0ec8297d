"""Requests for plans of one project, with usual values."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from builders import a_project

from wheelworks.config.settings import CellSettings, Settings, TestSettings
from wheelworks.matrix import expand_matrix
from wheelworks.plan import Layout
from wheelworks.planner import PlanRequest
from wheelworks.tools import ToolEnvironment, default_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.matrix import Cell
    from wheelworks.project import Project
    from wheelworks.toolchains import HostFacts

ROOT = Path("/project")

PROJECT = a_project(
    root=ROOT,
    source_root=ROOT,
    manifest_path=ROOT / "Cargo.toml",
    workspace_root=ROOT,
    name="demo-pkg",
    module_name="demo_pkg._native",
    import_names=("demo_pkg",),
    python_source=ROOT / "python",
    package_dirs=(ROOT / "python" / "demo_pkg",),
    requires_python=">=3.12",
    maturin_requirement=">=1.14.1,<2",
    dependency_groups=("test",),
)
SETTINGS = Settings(
    pythons=("3.12", "3.13", "3.14"),
    targets=(
        "manylinux_x86_64",
        "manylinux_aarch64",
        "macosx_x86_64",
        "macosx_universal2",
        "win_amd64",
    ),
    dist=ROOT / "dist",
    cell=CellSettings(test=TestSettings(command=("pytest {project}/tests",), groups=("test",))),
)
LAYOUT = Layout(
    project_root=PurePosixPath("/project"),
    source_root=PurePosixPath("/project"),
    state_dir=PurePosixPath("/project/.wheelworks"),
    dist_dir=PurePosixPath("/project/dist"),
    tools_dir=PurePosixPath("/tools"),
)
TOOL_REQUESTS = tuple(
    default_request(name) for name in ("maturin", "ziglang", "uv", "abi3audit", "cibuildwheel")
)


def request(
    host: HostFacts,
    *,
    goal: str = "build",
    settings: Settings = SETTINGS,
    project: Project = PROJECT,
    cells: tuple[Cell, ...] | None = None,
    estimates: Mapping[str, float] | None = None,
) -> PlanRequest:
    """A request for the whole matrix unless cells are given."""
    return PlanRequest(
        goal="test" if goal == "test" else "build",
        cells=expand_matrix(settings, project).cells if cells is None else cells,
        wants_sdist=goal == "build",
        project=project,
        settings=settings,
        host=host,
        layout=LAYOUT,
        tool_requests=TOOL_REQUESTS,
        tools={
            tool.name: ToolEnvironment(
                name=tool.name,
                folder=PurePosixPath("/tools") / tool.name,
                identity=tool.requirement,
            )
            for tool in TOOL_REQUESTS
        },
        group_requirements={"test": ("pytest>=8", "pytest-timeout")},
        estimates=estimates or {},
    )
