"""Whole runs on a faked machine: what is run, what is kept, what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from workshop import Workshop

BUILDS = ("build cp312-manylinux_x86_64", "build cp313-manylinux_x86_64")


def test_a_first_run_builds_everything_that_can_be_built(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wheels and sdist lie in dist/, stdout names them, and the unavailable cells are counted."""
    assert workshop.run("build") == 0, capsys.readouterr().err
    from workshop import SDIST, WHEELS

    assert workshop.built() == sorted([*WHEELS, SDIST])
    out, err = capsys.readouterr()
    assert out.split() == [str(workshop.dist / name) for name in (SDIST, *WHEELS)]
    assert err.splitlines()[-1] == "4 cells: 2 built, 2 unavailable here, and the sdist"
