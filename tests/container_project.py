"""The tiny project built in a container, and what is asked of the engine about it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiny_project import TinyProject, await_that

from wheelworks.containers.invocation import run_labels
from wheelworks.containers.paths import LABEL_PROJECT

if TYPE_CHECKING:
    from pathlib import Path

#: Where our images keep the interpreter that has zig; for an image of one's own it has to be said.
ZIG_PYTHON = "/opt/wheelworks/bin/python"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerProject:
    """A tiny project whose cell is forced into a container of an image that is there."""

    tiny: TinyProject
    engine: str
    """Path of the engine's client."""

    @classmethod
    def write(
        cls,
        root: Path,
        *,
        engine: str,
        image: str,
        is_held: bool = False,
        zig_cache: Path | None = None,
        options: str = "",
        container_options: str = "",
        engine_args: tuple[str, ...] = (),
    ) -> ContainerProject:
        """Write the files.

        Args:
            root: the folder, made here.
            engine: path of the engine's client.
            image: reference of an image with Rust, maturin and zig.
            is_held: whether the build script is there and waits.
            zig_cache: a folder that builds share, because filling it takes longer than anything else.
            options: further lines of ``[tool.wheelworks]``.
            container_options: further lines of ``[tool.wheelworks.container]``.
            engine_args: further arguments of the engine's ``run``.
        """
        tiny = TinyProject.write(root, is_held=is_held)
        arguments = list(engine_args)
        variables = {"CARGO_ZIGBUILD_PYTHON_PATH": ZIG_PYTHON}
        if is_held:
            folder = tiny.hold.parent
            arguments += ["--volume", f"{folder}:{folder}"]
        if zig_cache is not None:
            arguments += ["--volume", f"{zig_cache}:/zig"]
            variables["ZIG_GLOBAL_CACHE_DIR"] = "/zig"
        listed = ", ".join(f'"{word}"' for word in arguments)
        named = ", ".join(f'{name} = "{value}"' for name, value in variables.items())
        tiny.configure(
            f'toolchain = "container"\nenvironment = {{ {named} }}\n{options}\n'
            f'[tool.wheelworks.container]\nimage = "{image}"\nengine-args = [{listed}]\n'
            f"{container_options}\n"
        )
        return cls(tiny=tiny, engine=engine)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.tiny.root

    def containers(self) -> list[str]:
        """Ids of the project's containers, also of those that ended."""
        label = f"label={LABEL_PROJECT}={run_labels(str(self.tiny.state), '')[LABEL_PROJECT]}"
        return self.ask("ps", "--all", "--quiet", "--filter", label).split()

    def ask(self, *arguments: str) -> str:
        """What the engine says."""
        done = subprocess.run(
            [self.engine, *arguments], capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    def assert_clean(self) -> None:
        """No container, no staged or half-written file, no trace of the run."""
        await_that(lambda: self.containers() == [], "the engine has removed every container")
        assert self.tiny.staged() == []
        assert list((self.tiny.state / "running").glob("*")) == []
        assert [name for name in self.tiny.built() if not name.endswith(".whl")] == []

    def engine_that(self, folder: Path, script: str) -> dict[str, str]:
        """Variables with a client that first does something else when a job's container starts.

        Args:
            folder: where the client is written.
            script: shell commands; ``$docker`` is the real client.
        """
        folder.mkdir()
        client = folder / "docker"
        client.write_text(
            f'#!/bin/sh\ndocker="{self.engine}"\ncase "$*" in *--cidfile*)\n{script}\n;; esac\n'
            'exec "$docker" "$@"\n'
        )
        client.chmod(0o755)
        return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
