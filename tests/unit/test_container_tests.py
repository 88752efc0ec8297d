"""The steps of a test job in a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from container_samples import a_test_image, an_engine, some_containers

from wheelworks.container_tests import NETWORK_VARIABLES, in_container
from wheelworks.containers import paths
from wheelworks.plan import Mount
from wheelworks.test_steps import test_steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelworks.plan import Step


def _host_steps(environment: Mapping[str, str] | None = None) -> tuple[Step, ...]:
    return test_steps(
        system="linux",
        uv=paths.UV,
        interpreter="/usr/bin/python3.13",
        requirements=("pytest>=8",),
        extras=("test",),
        import_names=("rpds",),
        commands=("pytest {project}/tests -k 'not pty'",),
        environment=environment or {},
        environment_pass=("MY_TOKEN",),
        timeout_seconds=900.0,
        project_folder=".",
    )


def _contained(factor: int = 1, **containers: object) -> dict[str, Step]:
    steps = in_container(
        _host_steps(),
        image=a_test_image("linux/arm64"),
        containers=some_containers(**containers),
        engine_args=("--memory=2g",),
        timeout_factor=factor,
    )
    return {step.name: step for step in steps}


def test_the_commands_are_those_of_a_host() -> None:
    """Only where they run differs."""
    assert [step.argv for step in _contained().values()] == [step.argv for step in _host_steps()]


def test_every_step_runs_in_the_image_of_the_wheels_platform() -> None:
    """As the caller, with the scratch folder, the certificates and uv's cache."""
    for step in _contained().values():
        use = step.container
        assert use is not None
        assert (use.engine, use.image) == (
            "/usr/bin/docker",
            "wheelworks/tests:0123456789ab-arm64",
        )
        assert (use.platform, use.user) == ("linux/arm64", "1000:1000")
        assert use.engine_args == ("--memory=2g",)
        assert use.mounts == (
            Mount(source="{scratch}", target=paths.SCRATCH),
            Mount(source="/home/dev/.cache/wheelworks/uv", target=paths.UV_CACHE),
            Mount(
                source="/etc/ssl/certs/ca-certificates.crt",
                target=paths.CA_BUNDLE,
                is_read_only=True,
            ),
        )


def test_only_the_installation_uses_the_network_of_the_host() -> None:
    """It alone is told of proxies and indexes."""
    networks = {
        name: step.container.network for name, step in _contained().items() if step.container
    }
    assert networks == {
        "environment": "bridge",
        "install": "host",
        "check import": "bridge",
        "test": "bridge",
    }
    passed = {name: step.env_pass for name, step in _contained().items()}
    assert passed == {
        "environment": (),
        "install": NETWORK_VARIABLES,
        "check import": (),
        "test": ("MY_TOKEN",),
    }


def test_home_is_in_the_scratch_folder_and_what_users_set_wins() -> None:
    """The caller's uid has no home in the image."""
    assert all(step.env["HOME"] == "/wheelworks/scratch/home" for step in _contained().values())
    steps = in_container(
        _host_steps({"HOME": "/tmp/mine"}),
        image=a_test_image(),
        containers=some_containers(),
        engine_args=(),
        timeout_factor=1,
    )
    assert steps[-1].env["HOME"] == "/tmp/mine"
    assert steps[1].env["UV_CACHE_DIR"] == paths.UV_CACHE
    assert "UV_CACHE_DIR" not in steps[-1].env


def test_every_step_may_take_longer_under_emulation() -> None:
    """Installing is as slow as testing."""
    plain, slow = _contained(), _contained(5)
    for name, step in plain.items():
        assert slow[name].timeout_seconds == 5 * step.timeout_seconds


def test_a_machine_without_certificates_or_cache_of_its_own_mounts_none() -> None:
    """The engine would make folders for missing ones, as root."""
    step = _contained(ca_bundle=None, uv_cache="", engine=an_engine(user=None))["install"]
    assert step.container is not None
    assert [mount.target for mount in step.container.mounts] == [paths.SCRATCH]
    assert step.container.user is None
    assert "SSL_CERT_FILE" not in step.env
