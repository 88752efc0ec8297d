"""A container engine that starts nothing: it knows images by name and answers as docker's client does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fakes import Call, FakeRunner, Reply

if TYPE_CHECKING:
    from pathlib import Path

INFO = {
    "ServerVersion": "27.1",
    "OSType": "linux",
    "Architecture": "x86_64",
    "OperatingSystem": "Debian GNU/Linux 13",
    "SecurityOptions": ["name=seccomp,profile=default"],
    "RegistryConfig": {"Mirrors": []},
}
FACTS = {
    "rustc": "1.97.1",
    "cargo": "1.97.0",
    "rustc_path": "/usr/bin/rustc",
    "cargo_path": "/usr/bin/cargo",
    "host": "x86_64-unknown-linux-gnu",
    "sysroot": "/usr",
    "toolchain": "",
    "targets": ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin"],
    "pythons": {"3.13": "/usr/bin/python3.13"},
}
NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


def install_program(folder: Path, *names: str) -> None:
    """Make files that count as programs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("")
        (folder / name).chmod(0o755)


@dataclass
class FakeEngine:
    """Docker, played; what is pulled, loaded or built is there afterwards."""

    images: dict[str, str] = field(default_factory=dict)
    """Reference -> id."""
    info: Reply = field(default_factory=lambda: Reply(stdout=json.dumps(INFO)))
    replies: dict[str, Reply] = field(default_factory=dict)
    """First word after the client -> the answer instead of the usual one."""
    facts: str = field(default_factory=lambda: json.dumps(FACTS))
    stopped_containers: list[str] = field(default_factory=list)
    context: dict[str, str] = field(default_factory=dict)
    """Name -> text of the files of the last build."""

    def runner(self) -> FakeRunner:
        """A runner behind which this engine answers."""
        return FakeRunner(answer=self.answer)

    def answer(self, call: Call) -> Reply | None:
        """What the client prints; programs other than docker and podman succeed silently."""
        name, words = call.argv[0].rpartition("/")[2], call.argv[1:]
        if name not in ("docker", "podman"):
            return self.replies.get(name, Reply())
        key = " ".join(words[:2]) if words[0] == "image" else words[0]
        if key in self.replies:
            return self.replies[key]
        return {
            "info": self._info,
            "image inspect": self._inspect,
            "image ls": self._list,
            "image rm": self._image_rm,
            "build": self._build,
            "load": self._load,
            "pull": self._pull,
            "tag": self._tag,
            "ps": self._ps,
            "rm": self._rm,
            "rmi": self._rmi,
            "run": self._run,
            "buildx": self._buildx,
        }[key](words)

    def _info(self, _: tuple[str, ...]) -> Reply:
        return self.info

    def _pull(self, words: tuple[str, ...]) -> Reply:
        return Reply(stdout=f"pulled {words[-1]}\n")

    def _run(self, words: tuple[str, ...]) -> Reply:
        import tarfile
        from pathlib import Path

        if "tar" not in words:
            return Reply(stdout=self.facts)
        source = words[words.index("--mount") + 1].split(",")[1].removeprefix("source=")
        with tarfile.open(Path(source, "root.tar"), "w"):
            pass
        return Reply()

    def _image_rm(self, words: tuple[str, ...]) -> Reply:
        return Reply(returncode=0 if self.images.pop(words[-1], None) else 1)

    def _buildx(self, _: tuple[str, ...]) -> Reply:
        return Reply(stdout="github.com/docker/buildx v0.30\n")

    def _inspect(self, words: tuple[str, ...]) -> Reply:
        layout, names = words[3], words[4:]
        present = [name for name in names if name in self.images]
        lines = [self._line(layout, name) for name in present]
        return Reply(
            stdout="".join(f"{line}\n" for line in lines),
            stderr="" if len(present) == len(names) else "Error: No such image",
            returncode=0 if len(present) == len(names) else 1,
        )

    def _line(self, layout: str, name: str) -> str:
        identity, platform = self.images[name], f"linux/{name.rpartition('-')[2]}"
        if layout == "{{.Id}}":
            return identity
        if layout.startswith("{{.Os}}"):
            return platform
        return f'{identity}\t{platform}\t["{name}"][]'

    def _list(self, words: tuple[str, ...]) -> Reply:
        if "--quiet" in words:
            return Reply()
        return Reply(stdout="".join(f"{name}\t{one}\n" for name, one in self.images.items()))

    def _build(self, words: tuple[str, ...]) -> Reply:
        from pathlib import Path

        self.context = {file.name: file.read_text() for file in Path(words[-1]).iterdir()}
        reference = words[words.index("--tag") + 1]
        self.images[reference] = f"sha256:built-{len(self.images)}"
        return Reply(stdout="Step 1/2 : FROM base\nStep 2/2 : RUN true\n")

    def _load(self, words: tuple[str, ...]) -> Reply:
        import tarfile

        with tarfile.open(words[-1]) as archive:
            member = archive.extractfile("manifest.json")
            assert member is not None
            (image,) = json.load(member)
        self.images[image["RepoTags"][0]] = f"sha256:{image['Config'].removesuffix('.json')}"
        return Reply()

    def _tag(self, words: tuple[str, ...]) -> Reply:
        self.images[words[2]] = self.images.get(words[1], "sha256:pulled")
        return Reply()

    def _ps(self, words: tuple[str, ...]) -> Reply:
        is_asked = "status=" not in " ".join(words) or "--filter=status=exited" in words
        return Reply(stdout="\n".join(self.stopped_containers if is_asked else []))

    def _rm(self, words: tuple[str, ...]) -> Reply:
        self.stopped_containers = [one for one in self.stopped_containers if one not in words]
        return Reply()

    def _rmi(self, words: tuple[str, ...]) -> Reply:
        del self.images[words[1]]
        return Reply()
