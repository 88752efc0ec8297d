"""A whole maturin project on a faked machine: real folders, real wheels, and not a single process.

For tests of runs and commands from the command line to the exit code. Two seams are replaced: the facts of the
host, and the door to processes, behind which maturin, uv and pytest are played.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fakes import Call, FakeRunner, Reply
from wheel_samples import BINARIES, wheel_files, write_wheel

from wheelworks import cli
from wheelworks.preparation import user_tools_dir
from wheelworks.toolchains import FoundTool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from wheelworks.config.settings import Settings
    from wheelworks.toolchains import HostFacts

PYPROJECT = """\
[build-system]
requires = ["maturin>=1.14.1,<2"]
build-backend = "maturin"

[project]
name = "demo"
version = "1.0"
requires-python = ">=3.11"

[tool.maturin]
python-source = "python"
module-name = "demo.sample"

[tool.wheelworks]
pythons = ["3.12", "3.13"]
targets = ["manylinux_x86_64", "win_amd64"]

[tool.wheelworks.test]
command = "pytest {project}/tests"
requires = ["pytest"]
"""
CARGO = """\
[package]
name = "demo"
version = "1.0.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
pyo3 = "0.29"
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "Cargo.toml": CARGO,
    "Cargo.lock": "version = 4\n",
    "src/lib.rs": "// the crate\n",
    "python/demo/__init__.py": "from .sample import *\n",
    "tests/test_demo.py": "def test_demo(): ...\n",
}
WHEELS = tuple(f"demo-1.0-cp3{minor}-cp3{minor}-manylinux_2_17_x86_64.whl" for minor in (12, 13))
SDIST = "demo-1.0.tar.gz"


class Machine(FakeRunner):
    """Plays the tools; each writes what the real one would."""

    def __init__(self) -> None:
        super().__init__(self._play, writes_logs=True)
        self.parts: dict[str, Callable[[Call], Reply | None]] = {
            "maturin": self.maturin,
            "uv": self.uv,
            "python": lambda _: Reply(),
            "pytest": self.pytest,
        }
        """Program -> what it does; a test may give it another part."""

    def called(self, program: str, *words: str) -> list[Call]:
        """The calls of a program whose arguments hold the words."""
        return [
            call
            for call in self.calls
            if Path(call.argv[0]).name == program and set(words) <= set(call.argv)
        ]

    def maturin(self, call: Call) -> Reply:
        """Write a sound wheel, or an sdist, into the folder that is asked for."""
        out = Path(call.argv[call.argv.index("--out") + 1])
        if "sdist" in call.argv[:2]:
            write_sdist(out)
        else:
            version = call.argv[call.argv.index("--interpreter") + 1].replace(".", "")
            self.write_wheel(out, version)
        return Reply(stdout="Built it\n")

    def write_wheel(self, out: Path, version: str, *, content: bytes = b"") -> Path:
        """Write the wheel of an interpreter (``313``)."""
        tag = f"cp{version}-cp{version}-manylinux_2_17_x86_64"
        module = f"demo/sample.cpython-{version}-x86_64-linux-gnu.so"
        native = (module, (BINARIES / "glibc-x86_64.so").read_bytes())
        files = wheel_files(tag, native=native)
        files["demo/__init__.py"] += content
        return write_wheel(out, files, tag=tag)

    def uv(self, call: Call) -> Reply:
        """Make environments; one in the folder of tools gets the tool that its name says."""
        if "venv" in call.argv:
            (Path(call.argv[-1]) / "bin").mkdir(parents=True)
            (Path(call.argv[-1]) / "bin" / "python").touch()
        elif (
            user_tools_dir() in (python := Path(call.argv[call.argv.index("--python") + 1])).parents
        ):
            folder = python.parent.parent
            name, version, _ = folder.name.rsplit("-", 2)
            metadata = folder / f"lib/python3.11/site-packages/{name}-{version}.dist-info/METADATA"
            metadata.parent.mkdir(parents=True)
            metadata.write_text(f"Name: {name}\nVersion: {version}\n", encoding="utf-8")
        return Reply()

    def pytest(self, call: Call) -> Reply:
        """Pass three tests."""
        return self.tested(call, total=3)

    def tested(
        self, call: Call, *, total: int, failed: Sequence[str] = (), stranger: str | None = None
    ) -> Reply:
        """Write the guard's record; exit 1 when a test failed."""
        session: dict[str, object] = {
            "counts": {"total": total, "failed": len(failed), "errors": 0, "skipped": 0},
            "failed": list(failed),
            "violations": [{"module": "demo", "file": stranger}] if stranger else [],
            "warnings": [],
        }
        record = Path(call.env["WHEELWORKS_GUARD_RESULT"])
        record.write_text(json.dumps({"sessions": [session]}), encoding="utf-8")
        return Reply(returncode=1 if failed else 0, stdout="tested\n")

    def _play(self, call: Call) -> Reply | None:
        part = self.parts.get(Path(call.argv[0]).name)
        return part(call) if part is not None else None


class Workshop:
    """The project, and wheelworks at work on it.

    Args:
        root: the project's folder, made here.
        host: the machine.
        monkeypatch: of the test.
    """

    def __init__(self, root: Path, host: HostFacts, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.machine = Machine()
        self.host = replace(
            host, uv=FoundTool(path="/usr/bin/uv", version="0.13.9", size=1, mtime_ns=1)
        )
        for name, text in FILES.items():
            self.write(name, text)
        monkeypatch.setattr("wheelworks.preparation.probe_host", self._probe_host)
        # The machine's facts say whether there is an engine; a real one is never asked.
        monkeypatch.setattr("wheelworks.preparation.with_containers", lambda host, *_, **__: host)
        monkeypatch.setattr("wheelworks.process.ProcessRunner", lambda: self.machine)
        for name in ("DATA", "CACHE"):
            monkeypatch.setenv(f"XDG_{name}_HOME", str(root.parent / name.lower()))
        monkeypatch.setenv("CI", "true")
        for name in ("GITHUB_STEP_SUMMARY", "PYTEST_PLUGINS", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)

    def run(self, *arguments: str) -> int:
        """The exit code of a command line in the project."""
        return cli.main([*arguments, "-C", str(self.root)])

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def _probe_host(self, *_: object, settings: Settings, **__: object) -> HostFacts:
        """The machine; as in the real probe, rustup can add nothing that the settings forbid."""
        rust = self.host.rust
        if rust is None or settings.provision != "never" or not rust.can_add_targets:
            return self.host
        refused = replace(rust, can_add_targets=False, cannot_add_reason="provision is never")
        return replace(self.host, rust=refused)

    @property
    def dist(self) -> Path:
        """Where artifacts arrive."""
        return self.root / "dist"

    @property
    def state(self) -> Path:
        """The folder of wheelworks."""
        return self.root / ".wheelworks"

    def built(self) -> list[str]:
        """Names of what lies in ``dist/``."""
        return sorted(path.name for path in self.dist.glob("*"))

    def runs(self) -> list[Path]:
        """Folders of the runs, the newest last."""
        return sorted((self.state / "runs").glob("*"))

    def report(self) -> dict[str, object]:
        """The report of the newest run."""
        document: dict[str, object] = json.loads((self.runs()[-1] / "report.json").read_bytes())
        return document

    def results(self) -> dict[str, dict[str, object]]:
        """Job id -> its result in the newest run."""
        listed = self.report()["results"]
        assert isinstance(listed, list)
        return {result["job_id"]: result for result in listed}

    def notices(self) -> list[str]:
        """The notices of the newest run."""
        listed = self.report()["notices"]
        assert isinstance(listed, list)
        return listed

    def rules(self, job_id: str) -> set[str]:
        """Rules that a job's artifact of the newest run breaks."""
        findings = self.results()[job_id]["findings"]
        assert isinstance(findings, list)
        return {finding["rule"] for finding in findings}

    def outcomes(self) -> dict[str, object]:
        """Job id -> its outcome in the newest run."""
        return {job_id: result["outcome"] for job_id, result in self.results().items()}


def write_sdist(folder: Path) -> Path:
    """Write the project's sdist."""
    path = folder / SDIST
    files = {**FILES, "PKG-INFO": "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"demo-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path
