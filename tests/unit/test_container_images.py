"""How an image comes to be there: base, build, clean-up, errors."""

from __future__ import annotations

import json
import os
import tarfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from builders import a_project, some_settings
from fake_engine import NO_DAEMON, FakeEngine, install_program
from fakes import Call, FakeRunner, Reply

from wheelworks.containers import base_image
from wheelworks.containers.archive import write_image_archive
from wheelworks.containers.build_errors import build_error
from wheelworks.containers.facts import EngineFacts
from wheelworks.containers.image_door import BuildProgress, ImageDoor
from wheelworks.containers.images import ensure_image, parse_step
from wheelworks.containers.recipes import Recipe, recipes_for
from wheelworks.errors import InterruptedRunError, MissingResourceError
from wheelworks.process import CommandResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AMD64 = "linux/amd64"
ENGINE = EngineFacts(
    name="docker", path="/usr/bin/docker", version="27", platform=AMD64, user="1000:1000"
)
NO_REGISTRY = "the registry registry-1.docker.io does not answer (no such host)"


def _recipe(role: str = "tests", platform: str = AMD64, interpreter: str = "3.13") -> Recipe:
    recipes = recipes_for(
        settings=some_settings(),
        project=a_project(),
        engine_platform=AMD64,
        interpreters=(interpreter,),
    )
    return next(
        one
        for one in recipes
        if one.role == role and one.platform == platform and interpreter in dict(one.pythons)
    )


@dataclass
class Yard:
    """A place where images are built with a played engine."""

    folder: Path
    engine: FakeEngine = field(default_factory=FakeEngine)
    environ: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    progress: list[BuildProgress] = field(default_factory=list)
    answer: Callable[[Call], Reply | None] | None = None
    runner: FakeRunner | None = None

    def ensure(self, recipe: Recipe, ca_bundle: Path | None = None) -> str:
        """Build as a run would."""
        self.runner = FakeRunner(answer=self.answer or self._answer)
        door = ImageDoor(
            engine=ENGINE,
            runner=self.runner,
            environ={"PATH": str(self.folder / "bin"), **self.environ},
            work_dir=self.folder / "images",
            say=self.said.append,
            on_progress=self.progress.append,
        )
        return ensure_image(recipe, door, ca_bundle=ca_bundle)

    def _answer(self, call: Call) -> Reply | None:
        if call.argv[0] == "sh":
            # The script that makes a Debian leaves a tar file.
            with tarfile.open(call.argv[-1], "w"):
                pass
            return self.engine.replies.get("sh", Reply())
        return self.engine.answer(call)

    def called(self, word: str) -> list[Call]:
        """The calls of the engine that begin with a word."""
        assert self.runner is not None
        return [call for call in self.runner.calls if call.argv[1] == word]

    def left(self) -> list[str]:
        """Files besides the locks."""
        files = (self.folder / "images").iterdir()
        return sorted(file.name for file in files if not file.name.endswith(".lock"))


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    """No registry answers, mmdebstrap is installed."""
    install_program(tmp_path / "bin", "mmdebstrap")
    monkeypatch.setattr(base_image, "registry_problem", lambda *_, **__: NO_REGISTRY)
    return Yard(folder=tmp_path)


def test_an_image_that_is_there_is_taken(yard: Yard) -> None:
    """One question, nothing else."""
    recipe = _recipe()
    yard.engine.images[recipe.reference] = "sha256:there"
    assert yard.ensure(recipe) == "sha256:there"
    assert yard.runner is not None
    assert len(yard.runner.calls) == 1


def test_an_image_is_built_on_a_home_made_debian(yard: Yard) -> None:
    """Where no registry answers; the second image finds the base."""
    recipe = _recipe()
    assert yard.ensure(recipe) == yard.engine.images[recipe.reference]
    assert yard.called("load")
    (build,) = yard.called("build")
    assert f"BASE={recipe.lowest_base.reference}" in build.argv
    assert f"dev.wheelworks.recipe={recipe.digest}" in build.argv
    assert "dev.wheelworks.building=" in build.argv
    assert build.argv[build.argv.index("--network") + 1] == "host"
    assert set(yard.engine.context) == {"Dockerfile", "ca.crt", *dict(recipe.files)}
    assert 'building="tests-amd64"' in yard.engine.context["Dockerfile"]
    assert yard.left() == []
    yard.ensure(_recipe("native"))
    assert yard.called("load") == []


def test_an_image_of_another_architecture_is_put_together_by_the_engines_own(yard: Yard) -> None:
    """Its tree is loaded as an image; the one that put it together goes, and nothing runs emulated."""
    recipe = _recipe(platform="linux/arm64")
    parent = recipe.parent
    assert parent is not None
    assert yard.ensure(recipe) == yard.engine.images[recipe.reference]
    *_, build = yard.called("build")
    assert build.argv[build.argv.index("--platform") + 1] == AMD64
    assert f"BASE={parent.reference}" in build.argv
    assert [call.argv[call.argv.index("--network") + 1] for call in yard.called("run")] == ["none"]
    ours = {recipe.reference, parent.reference, recipe.lowest_base.reference}
    assert set(yard.engine.images) == ours
    assert yard.left() == []


def test_a_tree_that_can_not_be_packed_leaves_nothing(yard: Yard) -> None:
    """The engine's words are told."""
    yard.engine.replies["run"] = Reply(stderr="no space left on device", returncode=1)
    recipe = _recipe(platform="linux/arm64")
    with pytest.raises(MissingResourceError, match="docker run failed: no space left"):
        yard.ensure(recipe)
    assert not any(name.endswith("-tree") for name in yard.engine.images)
    assert yard.left() == []


def test_a_registry_that_answers_is_preferred(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulling takes seconds."""
    monkeypatch.setattr(base_image, "registry_problem", lambda *_, **__: None)
    recipe = _recipe()
    yard.ensure(recipe)
    (pull,) = yard.called("pull")
    assert pull.argv[2:] == ("--platform", AMD64, "debian:forky-slim")
    assert yard.engine.images[recipe.lowest_base.reference] == "sha256:pulled"
    assert yard.called("load") == []


def test_a_pull_that_fails_leads_to_the_mirror(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry may answer and yet refuse."""
    monkeypatch.setattr(base_image, "registry_problem", lambda *_, **__: None)
    yard.engine.replies["pull"] = Reply(stderr="toomanyrequests: slow down\n", returncode=1)
    yard.ensure(_recipe())
    assert yard.called("load")


def test_an_official_image_comes_from_a_registry_only(yard: Yard) -> None:
    """No mirror has it."""
    with pytest.raises(MissingResourceError, match=r"python:3\.12-slim .* does not answer"):
        yard.ensure(_recipe(interpreter="3.12"))
    yard.engine.images["python:3.12-slim"] = "sha256:by-hand"
    with pytest.raises(MissingResourceError):
        yard.ensure(_recipe(interpreter="3.12"))


def test_without_registry_and_mmdebstrap_the_command_is_named(yard: Yard) -> None:
    """Nothing of it is guessed at."""
    (yard.folder / "bin" / "mmdebstrap").unlink()
    with pytest.raises(MissingResourceError) as caught:
        yard.ensure(_recipe())
    assert NO_REGISTRY in caught.value.message
    assert caught.value.hint == "sudo apt-get install mmdebstrap debian-archive-keyring"
    assert caught.value.exit_code == 4


def test_debootstrap_serves_root_only(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't work for others, and the reason says so."""
    install_program(yard.folder / "bin", "debootstrap")
    (yard.folder / "bin" / "mmdebstrap").unlink()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingResourceError, match="debootstrap works for root only"):
        yard.ensure(_recipe())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    yard.ensure(_recipe())


def test_certificates_go_into_the_build(yard: Yard) -> None:
    """Behind a proxy of a company nothing could be fetched without."""
    bundle = yard.folder / "bundle.pem"
    bundle.write_text("CERTIFICATE")
    yard.ensure(_recipe(), bundle)
    assert yard.engine.context["ca.crt"] == "CERTIFICATE"


def test_proxies_are_passed_by_name(yard: Yard) -> None:
    """Their passwords stand in no command line."""
    yard.environ = {"https_proxy": "http://user:secret@proxy:1", "PIP_INDEX_URL": "", "TOKEN": "x"}
    yard.ensure(_recipe())
    (build,) = yard.called("build")
    assert build.argv[build.argv.index("https_proxy") - 1] == "--build-arg"
    assert "secret" not in " ".join(build.argv)
    assert build.env["https_proxy"].endswith("proxy:1")
    assert "PIP_INDEX_URL" not in build.argv
    assert "TOKEN" not in build.env


@pytest.mark.parametrize(("buildx", "expected"), [(Reply(), None), (Reply(returncode=1), "0")])
def test_the_old_builder_is_taken_only_without_buildx(
    yard: Yard, buildx: Reply, expected: str | None
) -> None:
    """A client without it refuses to build in the new way."""
    yard.engine.replies["buildx"] = buildx
    yard.ensure(_recipe())
    (build,) = yard.called("build")
    assert build.env.get("DOCKER_BUILDKIT") == expected


def test_progress_is_told(yard: Yard) -> None:
    """Step by step."""
    yard.ensure(_recipe())
    assert [(one.step, one.steps) for one in yard.progress] == [(1, 2), (2, 2)]
    assert any("tests image for linux/amd64 is built" in line for line in yard.said)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Step 7/10 : RUN true", (7, 10, "RUN true")),
        ("STEP 7/10: RUN true", (7, 10, "RUN true")),
        ("#9 [3/12] RUN true", (3, 12, "RUN true")),
        ("#9 [stage-0 3/12] RUN true", (3, 12, "RUN true")),
        ("#9 [internal] load build definition", None),
        (" ---> Running in 0123", None),
    ],
)
def test_the_steps_of_every_builder_are_known(
    line: str, expected: tuple[int, int, str] | None
) -> None:
    """Docker's old and new one, and podman's."""
    found = parse_step(line)
    assert (found and (found.step, found.steps, found.text)) == expected


def test_a_failed_build_leaves_no_files_and_says_why(yard: Yard) -> None:
    """The line that decides is shown, containers of its steps are removed."""
    yard.engine.stopped_containers = ["0123"]
    yard.engine.replies["build"] = Reply(
        stdout="Step 1/2 : RUN x\nE: Unable to locate package nonsense\nThe command 'x' returned 100\n",
        returncode=1,
    )
    with pytest.raises(MissingResourceError) as caught:
        yard.ensure(_recipe())
    assert caught.value.message.endswith("E: Unable to locate package nonsense")
    assert caught.value.hint == "check packages and mirror in [tool.wheelworks.container]"
    assert yard.left() == []
    assert yard.engine.stopped_containers == []


def test_an_interrupted_build_leaves_no_files(yard: Yard) -> None:
    """The next one goes on."""
    yard.engine.stopped_containers = ["0123"]
    yard.engine.replies["build"] = Reply(returncode=None, cancelled=True)
    with pytest.raises(InterruptedRunError):
        yard.ensure(_recipe())
    assert yard.left() == []
    assert yard.engine.stopped_containers == []
    del yard.engine.replies["build"]
    assert yard.ensure(_recipe())
    assert yard.called("load") == []


def test_what_a_killed_build_left_is_removed(yard: Yard) -> None:
    """Its folders have names that the next one knows."""
    for name in ("tests-amd64.context", "base-amd64.unfinished"):
        (yard.folder / "images" / name).mkdir(parents=True)
        (yard.folder / "images" / name / "root.tar").write_text("half")
    yard.ensure(_recipe())
    assert yard.left() == []


def test_an_image_on_another_builds_that_first(yard: Yard) -> None:
    """And only once."""
    below = _recipe("native")
    above = replace(below, role="cibuildwheel", base=None, parent=below)
    yard.ensure(above)
    assert [call.argv[call.argv.index("--tag") + 1] for call in yard.called("build")] == [
        below.reference,
        above.reference,
    ]


def test_an_image_that_vanishes_is_told(yard: Yard) -> None:
    """Somebody else may clean up meanwhile."""
    yard.engine.replies["build"] = Reply()
    with pytest.raises(MissingResourceError, match="is gone although its build succeeded"):
        yard.ensure(_recipe())


def test_a_stopped_engine_is_told_at_once(yard: Yard) -> None:
    """Before anything is made for it."""
    yard.engine.replies["image inspect"] = Reply(stderr=NO_DAEMON, returncode=1)
    with pytest.raises(MissingResourceError, match="docker does not answer: Cannot") as caught:
        yard.ensure(_recipe())
    assert caught.value.hint is not None
    assert "start the engine" in caught.value.hint
    assert yard.runner is not None
    assert len(yard.runner.calls) == 1


def test_a_full_disk_is_told(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the base is written."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(base_image, "write_image_archive", fail)
    with pytest.raises(MissingResourceError, match="No space left on device"):
        yard.ensure(_recipe())
    assert yard.left() == []


@pytest.mark.parametrize(
    ("tail", "said", "hint"),
    [
        (("write /x: no space left on device",), "no space left", "gc --images"),
        (("SSL: self-signed certificate in certificate chain", "ERROR: No matching"), "self-signed", "ca-bundle"),
        (("W: Temporary failure resolving 'deb.debian.org'", "E: bad"), "Temporary", "proxy"),
        (("error during connect: EOF",), "error during connect", "start the engine"),
        (("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES",), "HASHES", "try again"),
        (("exec /bin/sh: exec format error",), "exec format", "doctor --fix"),
        (
            ("first", "\x1b[91mcompile failed", "\x1b[0mRemoving intermediate container 1", "The command 'sh'"),
            "compile failed", "log",
        ),
    ],
)  # fmt: skip
def test_a_failure_names_its_cause_and_the_way_out(
    tail: tuple[str, ...], said: str, hint: str
) -> None:
    """From what the engine printed."""
    result = CommandResult(
        argv=("docker",),
        returncode=1,
        seconds=1.0,
        timed_out=False,
        cancelled=False,
        stdout="",
        tail=tail,
        start_error=None,
    )
    error = build_error(result, "what", None)
    assert said in error.message
    assert error.hint is not None
    assert hint in error.hint


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timed_out": True, "returncode": None}, "no end after 1 s"),
        ({"start_error": "gone"}, "gone"),
    ],
)
def test_a_client_that_does_not_come_to_an_end_is_told(
    changes: dict[str, object], said: str
) -> None:
    """Timeouts and clients that vanished."""
    result = CommandResult(
        argv=("docker",),
        returncode=1,
        seconds=1.0,
        timed_out=False,
        cancelled=False,
        stdout="",
        tail=(),
        start_error=None,
    )
    assert said in build_error(replace(result, **changes), "what", None).message  # type: ignore[arg-type]


def test_an_archive_says_what_engines_compare(tmp_path: Path) -> None:
    """Architecture, variant and the hash of the layer."""
    root, into = tmp_path / "root.tar", tmp_path / "image.tar"
    root.write_bytes(b"layer")
    write_image_archive(
        root, into, platform="linux/arm64", reference="a:b", labels={"local": "true"}
    )
    with tarfile.open(into) as archive:
        names = archive.getnames()
        (manifest,) = json.loads((archive.extractfile("manifest.json") or root.open("rb")).read())
        config = json.loads((archive.extractfile(manifest["Config"]) or root.open("rb")).read())
    assert manifest["RepoTags"] == ["a:b"]
    assert set(manifest["Layers"]) <= set(names)
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm64", "v8")
    assert config["config"]["Labels"] == {"local": "true"}
    digest = manifest["Layers"][0].removesuffix("/layer.tar")
    assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}"]
