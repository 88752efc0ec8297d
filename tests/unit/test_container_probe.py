"""The facts of engine and images, from a played engine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from builders import a_project, changed, some_settings
from fake_engine import FACTS, FakeEngine, install_program
from fakes import FakeRunner, Reply

from wheelworks.config.settings import ContainerSettings
from wheelworks.containers.image_facts import parse_image_facts
from wheelworks.containers.probe import probe_containers
from wheelworks.containers.recipes import recipes_for, recipes_of
from wheelworks.containers.registry import registry_host, registry_problem
from wheelworks.probe_door import ProbeCache, ProbeDoor
from wheelworks.rust_choice import Obstacle, RustChoice, choose_rust

if TYPE_CHECKING:
    from pathlib import Path

    from wheelworks.containers.facts import ContainerFacts, ImageFacts

AMD64, ARM64 = "linux/amd64", "linux/arm64"
REGISTERED = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\n"
SERVERS = ("registry-1.docker.io", "static.rust-lang.org", "quay.io")


@dataclass
class Machine:
    """A machine with a played engine."""

    folder: Path
    engine: FakeEngine = field(default_factory=FakeEngine)
    answering: tuple[str, ...] = ()
    """Servers that answer."""
    fetched: list[str] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)
    project: dict[str, object] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    runner: FakeRunner | None = None

    def probe(self, *interpreters: str) -> tuple[ContainerFacts | None, Obstacle | None]:
        """Ask everything."""
        self.runner = self.engine.runner()
        door = ProbeDoor(
            runner=self.runner,
            environ={"PATH": str(self.folder / "bin"), "HOME": str(self.folder), **self.environ},
            cwd=self.folder,
            cache=ProbeCache(self.folder / "cache"),
        )
        answer = probe_containers(
            door,
            settings=some_settings(**self.settings),
            project=a_project(root=self.folder, **self.project),
            system="linux",
            interpreters=frozenset(interpreters),
            fetch=self._fetch,
            root=self.folder,
        )
        door.cache.save()
        return answer

    def facts(self, *interpreters: str) -> ContainerFacts:
        """The facts, which must be there."""
        facts, obstacle = self.probe(*interpreters)
        assert obstacle is None
        assert facts is not None
        return facts

    def image(self, role: str, platform: str = AMD64, *interpreters: str) -> ImageFacts:
        """The first image of a role."""
        images = self.facts(*interpreters).images
        return next(one for one in images if one.role == role and one.platform == platform)

    def has_image(self, role: str, platform: str = AMD64, rust: str | None = None) -> None:
        """Let an image be there."""
        recipes = recipes_for(
            settings=some_settings(**self.settings),
            project=a_project(root=self.folder, **self.project),
            engine_platform=AMD64,
            rust=rust,
        )
        found = next(one for one in recipes if one.role == role and one.platform == platform)
        self.engine.images[found.reference] = f"sha256:{role}"

    def register(self, entry: str = REGISTERED, status: str = "enabled") -> None:
        """Let binfmt_misc be mounted with QEMU for aarch64."""
        folder = self.folder / "proc/sys/fs/binfmt_misc"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "status").write_text(status)
        (folder / "qemu-aarch64").write_text(entry)

    def runs(self) -> int:
        """How many containers were started."""
        assert self.runner is not None
        return sum(call.argv[1] == "run" for call in self.runner.calls)

    def _fetch(self, url: str, _: float) -> None:
        self.fetched.append(url)
        if url.split("/")[2] not in self.answering:
            raise OSError("no such host")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Docker and mmdebstrap are there; no image, no QEMU, no registry."""
    install_program(tmp_path / "bin", "docker", "mmdebstrap")
    return Machine(folder=tmp_path)


def test_without_an_engine_there_are_no_containers(machine: Machine) -> None:
    """The reason is kept."""
    (machine.folder / "bin" / "docker").unlink()
    facts, obstacle = machine.probe()
    assert facts is None
    assert obstacle is not None
    assert machine.runner is not None
    assert machine.runner.calls == []


def test_images_to_build_are_described(machine: Machine) -> None:
    """How large they will be and how long it takes."""
    image = machine.image("toolchain")
    assert image.image_id is None
    assert image.is_available
    assert image.size_mib > 1000
    assert image.minutes > 0
    assert machine.fetched == []


def test_what_an_image_says_is_asked_once(machine: Machine) -> None:
    """It is remembered by its id."""
    machine.has_image("toolchain")
    image = machine.image("toolchain")
    assert image.image_id == "sha256:toolchain"
    assert image.rust is not None
    assert image.rust.rustc.version == "1.97.1"
    assert "aarch64-apple-darwin" in image.rust.targets
    assert image.pythons == (("3.13", "/usr/bin/python3.13"),)
    assert machine.runs() == 1
    assert machine.image("toolchain") == image
    assert machine.runs() == 0


def test_an_image_that_says_nothing_is_still_there(machine: Machine) -> None:
    """Its recipe tells the interpreters."""
    machine.has_image("tests")
    machine.engine.facts = "no such file"
    image = machine.image("tests")
    assert image.image_id is not None
    assert image.rust is None
    assert dict(image.pythons)["3.14"] == "/usr/bin/python3.14"


@pytest.mark.parametrize(
    ("entry", "status", "reason"),
    [
        (None, None, "not mounted"),
        (REGISTERED, "disabled", "switched off"),
        ("disabled\n", "enabled", "switched off"),
        (REGISTERED.replace("OCF", "OC"), "enabled", "without the flag F"),
    ],
)
def test_arm64_images_need_qemu(
    machine: Machine, entry: str | None, status: str | None, reason: str
) -> None:
    """Each way of its absence has a reason of its own, and doctor mends all."""
    if entry is not None and status is not None:
        machine.register(entry, status)
    facts = machine.facts()
    assert facts.emulated == ()
    assert reason in dict(facts.emulation_problems)[ARM64]
    image = machine.image("tests", ARM64)
    assert image.cannot_provide_reason is not None
    assert reason in image.cannot_provide_reason
    assert image.cure == "wheelworks doctor --fix"


def test_registered_qemu_runs_arm64(machine: Machine) -> None:
    """With the flag F its interpreter is found inside containers."""
    machine.register()
    facts = machine.facts()
    assert facts.runs(ARM64)
    assert facts.emulation_problems == ()
    assert machine.image("tests", ARM64).is_available


def test_an_arm64_image_is_not_asked_without_qemu(machine: Machine) -> None:
    """It could not answer."""
    machine.has_image("tests", ARM64)
    assert machine.image("tests", ARM64).image_id is not None
    assert machine.runs() == 0


def test_docker_desktop_emulates_by_itself(machine: Machine) -> None:
    """This machine's /proc says nothing of its virtual machine."""
    info = json.loads(machine.engine.info.stdout)
    machine.engine.info = Reply(stdout=json.dumps({**info, "OperatingSystem": "Docker Desktop"}))
    assert machine.facts().emulated == (ARM64,)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"offline": True}, "--offline forbids"), ({"provision": "never"}, 'provision = "never"')],
)
def test_missing_images_may_be_forbidden(
    machine: Machine, settings: dict[str, object], reason: str
) -> None:
    """Those that are there serve."""
    machine.settings = settings
    machine.has_image("tests")
    image = machine.image("toolchain")
    assert image.cannot_provide_reason is not None
    assert reason in image.cannot_provide_reason
    assert image.cure is not None
    assert machine.image("tests").is_available


def test_without_registry_and_mmdebstrap_no_image_can_be_built(machine: Machine) -> None:
    """The registry is asked once an hour only."""
    (machine.folder / "bin" / "mmdebstrap").unlink()
    image = machine.image("toolchain")
    assert image.cannot_provide_reason is not None
    assert "registry-1.docker.io does not answer (no such host)" in image.cannot_provide_reason
    assert image.cure == "sudo apt-get install mmdebstrap debian-archive-keyring"
    assert machine.fetched == ["https://registry-1.docker.io/v2/"]
    machine.probe()
    assert len(machine.fetched) == 1


def test_a_registry_that_answers_or_a_base_that_is_there_suffices(machine: Machine) -> None:
    """Either makes the build possible."""
    (machine.folder / "bin" / "mmdebstrap").unlink()
    machine.engine.images["debian:forky-slim"] = "sha256:base"
    assert machine.image("toolchain").is_available
    machine.engine.images.clear()
    machine.answering = SERVERS
    machine.folder.joinpath("cache/probes.json").unlink(missing_ok=True)
    assert machine.image("toolchain").is_available


def test_interpreters_that_debian_lacks_need_a_registry(machine: Machine) -> None:
    """Their images are described with the reason, behind Debian's."""
    images = machine.facts("3.12", "3.13").test_images(AMD64, "glibc")
    assert [dict(one.pythons).keys() for one in images] == [{"3.13", "3.14"}, {"3.12"}]
    assert images[1].cannot_provide_reason is not None
    assert "python:3.12-slim" in images[1].cannot_provide_reason


def test_an_image_of_the_user_comes_first(machine: Machine) -> None:
    """What is in it shows when it is looked through."""
    machine.settings = {"container": ContainerSettings(image="example.org/rust:1")}
    image = machine.image("toolchain")
    assert image.cure == "docker pull example.org/rust:1"
    machine.engine.images["example.org/rust:1"] = "sha256:theirs"
    image = machine.image("toolchain")
    assert image.is_available
    assert image.rust is not None
    machine.engine.images["example.org/rust:1"] = "sha256:empty"
    machine.engine.facts = json.dumps({"pythons": {}})
    reason = machine.image("toolchain").cannot_provide_reason
    assert reason is not None
    assert "has no rustc and cargo" in reason


def test_a_numbered_rust_comes_from_rustup_where_its_server_answers(machine: Machine) -> None:
    """Else Debian's is described, and the choice of Rust says what is missing."""
    machine.project = {"rust_toolchain": "1.90.0"}
    assert machine.image("toolchain").rust_version is None
    machine.answering = SERVERS
    image = machine.image("toolchain")
    assert image.rust_version == "1.90.0"
    facts = machine.facts()
    references = {
        one.reference
        for one in recipes_of(
            facts,
            settings=some_settings(**machine.settings),
            project=a_project(root=machine.folder, **machine.project),
        )
    }
    assert {one.reference for one in facts.images} == references


def test_debians_rust_serves_where_it_is_the_one_asked_for(machine: Machine) -> None:
    """Nobody asks rustup then."""
    machine.project = {"rust_toolchain": "1.97"}
    machine.answering = SERVERS
    machine.has_image("toolchain")
    image = machine.image("toolchain")
    assert image.rust_version is None
    assert image.image_id is not None
    assert not any("rust-lang" in url for url in machine.fetched)


@pytest.mark.parametrize(
    ("rust", "wanted", "version"),
    [
        ("rustup", None, "stable"),
        ("rustup", "nightly", "nightly"),
        ("debian", "1.90.0", None),
        ("auto", "stable", None),
        ("auto", None, None),
    ],
)
def test_the_source_of_rust_can_be_forced(
    machine: Machine, rust: str, wanted: str | None, version: str | None
) -> None:
    """Without a question to a server."""
    container = changed(ContainerSettings(), {"rust": rust})
    machine.settings = {"container": container}
    machine.project = {"rust_toolchain": wanted}
    assert machine.image("toolchain").rust_version == version
    assert machine.fetched == []


def test_certificates_and_cargos_configuration_are_found(machine: Machine) -> None:
    """Both are mounted into containers."""
    (machine.folder / ".cargo").mkdir()
    (machine.folder / ".cargo/config.toml").write_text("")
    (machine.folder / "etc/ssl/certs").mkdir(parents=True)
    (machine.folder / "etc/ssl/certs/ca-certificates.crt").write_text("")
    facts = machine.facts()
    assert facts.ca_bundle == str(machine.folder / "etc/ssl/certs/ca-certificates.crt")
    assert facts.cargo_config == str(machine.folder / ".cargo/config.toml")
    assert facts.cargo_home.endswith("cargo")
    named = machine.folder / "own.pem"
    named.write_text("")
    machine.environ = {"SSL_CERT_FILE": str(named)}
    assert machine.facts().ca_bundle == str(named)


def test_configured_certificates_must_be_there(machine: Machine) -> None:
    """Else every build would fail later with a stranger message."""
    machine.settings = {"container": ContainerSettings(ca_bundle="company.pem")}
    _, obstacle = machine.probe()
    assert obstacle is not None
    assert str(machine.folder / "company.pem") in obstacle.reason
    (machine.folder / "company.pem").write_text("")
    assert machine.facts().ca_bundle == str(machine.folder / "company.pem")


def test_cibuildwheels_registry_is_asked_only_where_it_matters(machine: Machine) -> None:
    """For projects with its table."""
    assert machine.facts().registries == ()
    assert machine.fetched == []
    machine.project = {"has_cibuildwheel": True}
    assert machine.facts().registries == ()
    machine.answering = SERVERS
    machine.folder.joinpath("cache/probes.json").unlink()
    assert machine.facts().registries == ("quay.io",)


def test_facts_of_an_image_work_as_those_of_a_host() -> None:
    """The choice of Rust takes them."""
    inside = parse_image_facts(json.dumps({**FACTS, "toolchain": "1.97.1"}))
    assert inside is not None
    assert inside.rust is not None
    assert inside.rust.toolchain == "1.97.1-x86_64-unknown-linux-gnu"
    chosen = choose_rust(a_project(rust_toolchain="1.97.1"), some_settings(), inside.rust)
    assert isinstance(chosen, RustChoice)
    refused = choose_rust(a_project(rust_toolchain="1.90.0"), some_settings(), inside.rust)
    assert isinstance(refused, Obstacle)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"pythons": {}, "rustc": "1"}', '{"pythons": []}']
)
def test_torn_facts_of_an_image_are_none(text: str) -> None:
    """An image of another version of ours may say something else."""
    assert parse_image_facts(text) is None


def test_a_registry_is_known_by_the_images_name() -> None:
    """Docker Hub where none is named."""
    assert registry_host("debian:forky-slim") == "registry-1.docker.io"
    assert registry_host("org/name") == "registry-1.docker.io"
    assert registry_host("ghcr.io/org/name") == "ghcr.io"
    assert registry_host("localhost/name") == "localhost"


def test_a_registry_that_wants_a_login_answers() -> None:
    """The engine has the password."""
    import urllib.error
    from email.message import Message

    def refuse(url: str, _: float) -> None:
        raise urllib.error.HTTPError(url, 401, "log in", Message(), None)

    assert registry_problem("debian", environ={}, fetch=refuse) is None
