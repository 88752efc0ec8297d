"""The table of options follows from the dataclasses."""

from __future__ import annotations

from wheelworks.config.options import all_options, cell_options


def test_names_follow_from_the_field() -> None:
    """Key, variable and flag all come from the field's name."""
    found = all_options()["test.environment-pass"]
    assert found.attribute == "environment_pass"
    assert found.variable == "WHEELWORKS_TEST_ENVIRONMENT_PASS"
    assert found.flag == "--test-environment-pass"


def test_a_unit_is_left_out_of_the_key() -> None:
    """timeout_seconds is ``timeout``, memory_per_build_mib ``memory-per-build``."""
    assert all_options()["timeout"].attribute == "timeout_seconds"
    assert all_options()["memory-per-build"].attribute == "memory_per_build_mib"


def test_no_two_options_share_a_variable() -> None:
    """Each environment variable means one option."""
    variables = [option.variable for option in all_options().values()]
    assert len(set(variables)) == len(variables)


def test_overrides_hold_only_the_options_of_cells() -> None:
    """A cell can't have its own matrix."""
    assert {"features", "test.command"} <= set(cell_options())
    assert not {"pythons", "targets", "dist", "jobs"} & set(cell_options())
    assert not [key for key in cell_options() if key.startswith("container.")]


def test_fields_without_an_option_stay_out() -> None:
    """What is computed can't be configured."""
    keys = {option.attribute for option in all_options().values()}
    assert not keys & {"cell", "test", "container", "overrides", "origins", "no_command_reason"}
