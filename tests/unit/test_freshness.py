"""A job is up to date only when everything it read is the same and its artifact is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wheelworks import __version__
from wheelworks.freshness import Verdict, job_inputs, judge
from wheelworks.plan import Job, Plan
from wheelworks.store import SuccessRecord

SOURCES = {"Cargo.toml": "a" * 64, "src/lib.rs": "b" * 64}
BUILD = Job(
    id="build cp313-manylinux_x86_64",
    kind="build",
    cells=("cp313-manylinux_x86_64",),
    needs=(),
    toolchain="host",
    build_key="key",
    steps=(),
    inputs={"maturin": "1.16.0", "passed env FLAVOUR": ""},
    reads_sources=True,
    expects=None,
    cores=1,
    memory_mib=1,
    timeout_seconds=1.0,
    estimate_seconds=None,
    reasons=(),
)
TEST = replace(
    BUILD,
    id="test cp313-manylinux_x86_64",
    kind="test",
    needs=(BUILD.id,),
    build_key=None,
    inputs={"interpreter": "3.13.0"},
)
OTHER = replace(BUILD, id="build cp312-manylinux_x86_64", cells=("cp312-manylinux_x86_64",))
PLAN = Plan(
    jobs=(BUILD, OTHER, TEST),
    unavailable=(),
    selected_cells=(),
    tools=(),
    provisioning=(),
    cores=1,
    memory_mib=1,
)
ENVIRON = {"FLAVOUR": "plain"}
WHEEL = "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
OTHER_WHEEL = "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"
ARTIFACTS = {BUILD.id: "hash", OTHER.id: "other-hash"}


def record(job: Job, *wheels: str, artifact: str | None, sha256: str | None) -> SuccessRecord:
    """The record of a success with the present inputs."""
    return SuccessRecord(
        job_id=job.id,
        run_id="run",
        time=1.0,
        seconds=1.0,
        inputs=job_inputs(job, SOURCES, passed=ENVIRON, wheels=wheels),
        artifact=artifact,
        artifact_sha256=sha256,
        artifact_size=1,
    )


RECORDS = {
    BUILD.id: record(BUILD, artifact=WHEEL, sha256="hash"),
    OTHER.id: record(OTHER, artifact=OTHER_WHEEL, sha256="other-hash"),
    TEST.id: record(TEST, "hash", artifact=None, sha256=None),
}


def stale(verdicts: dict[str, Verdict]) -> set[str]:
    """Ids of the stale jobs."""
    return {job_id for job_id, verdict in verdicts.items() if not verdict.is_fresh}


def test_equal_inputs_and_artifacts_are_up_to_date() -> None:
    """Nothing changed: nothing is stale, and no reason is given."""
    verdicts = judge(PLAN, RECORDS, SOURCES, ARTIFACTS, passed=ENVIRON)
    assert stale(verdicts) == set()
    assert all(verdict.reasons == () for verdict in verdicts.values())


def test_a_changed_source_makes_every_reader_stale_and_is_named() -> None:
    """The reason names the file."""
    verdicts = judge(PLAN, RECORDS, {**SOURCES, "src/lib.rs": "c" * 64}, ARTIFACTS, passed=ENVIRON)
    assert stale(verdicts) == {BUILD.id, OTHER.id, TEST.id}
    assert verdicts[BUILD.id].reasons == ("src/lib.rs changed",)


def test_a_changed_tool_makes_just_its_job_and_the_test_of_its_wheel_stale() -> None:
    """A job that does not use the tool stays up to date."""
    changed = replace(BUILD, inputs={**BUILD.inputs, "maturin": "1.17.0"})
    plan = replace(PLAN, jobs=(changed, OTHER, TEST))
    verdicts = judge(plan, RECORDS, SOURCES, ARTIFACTS, passed=ENVIRON)
    assert stale(verdicts) == {BUILD.id, TEST.id}
    assert verdicts[BUILD.id].reasons == ("maturin 1.16.0 -> 1.17.0",)
    assert verdicts[TEST.id].reasons == (f"{BUILD.id} is stale",)


@pytest.mark.parametrize(
    ("images", "reasons"),
    [
        ({"tool:1": "sha256:" + "a" * 64}, ()),
        ({"tool:1": "sha256:" + "b" * 64}, ("image tool:1 changed",)),
        ({}, ()),
    ],
    ids=["the same", "built again", "removed"],
)
def test_an_image_built_again_makes_just_its_jobs_stale(
    images: dict[str, str], reasons: tuple[str, ...]
) -> None:
    """One that is removed does not: its name says what it was made of, and nobody has to make it to find out."""
    inside = replace(BUILD, inputs={**BUILD.inputs, "image tool:1": ""})
    inputs = job_inputs(inside, SOURCES, passed=ENVIRON, images={"tool:1": "sha256:" + "a" * 64})
    records = {**RECORDS, BUILD.id: replace(RECORDS[BUILD.id], inputs=inputs)}
    plan = replace(PLAN, jobs=(inside, OTHER))
    verdicts = judge(plan, records, SOURCES, ARTIFACTS, passed=ENVIRON, images=images)
    assert verdicts[BUILD.id].reasons == reasons
    assert verdicts[OTHER.id].is_fresh


def test_a_passed_variable_is_compared_by_value_but_never_stored() -> None:
    """Another value makes the job stale; the record holds only a digest of it."""
    verdicts = judge(PLAN, RECORDS, SOURCES, ARTIFACTS, passed={"FLAVOUR": "strange"})
    assert {BUILD.id, OTHER.id} <= stale(verdicts)
    assert "plain" not in RECORDS[BUILD.id].inputs["passed env FLAVOUR"]


@pytest.mark.parametrize(
    "artifacts", [{OTHER.id: "other-hash"}, {**ARTIFACTS, BUILD.id: "damaged"}]
)
def test_a_missing_or_changed_artifact_makes_its_job_stale(artifacts: dict[str, str]) -> None:
    """A wheel that was removed or edited is built again, and so is its test."""
    verdicts = judge(PLAN, RECORDS, SOURCES, artifacts, passed=ENVIRON)
    assert stale(verdicts) == {BUILD.id, TEST.id}
    assert WHEEL in verdicts[BUILD.id].reasons[0]


def test_a_rebuilt_wheel_with_other_bytes_makes_its_test_stale() -> None:
    """A test is bound to the bytes of the wheel it tested."""
    rebuilt = record(BUILD, artifact=WHEEL, sha256="new-hash")
    verdicts = judge(
        PLAN,
        {**RECORDS, BUILD.id: rebuilt},
        SOURCES,
        {**ARTIFACTS, BUILD.id: "new-hash"},
        passed=ENVIRON,
    )
    assert stale(verdicts) == {TEST.id}


def test_a_job_without_a_success_is_stale() -> None:
    """What never succeeded has to run."""
    verdicts = judge(PLAN, {}, SOURCES, {}, passed=ENVIRON)
    assert verdicts[BUILD.id].reasons == ("it has not succeeded yet",)


def test_force_makes_everything_stale() -> None:
    """--force runs what is up to date, too."""
    verdicts = judge(PLAN, RECORDS, SOURCES, ARTIFACTS, passed=ENVIRON, force=True)
    assert stale(verdicts) == {job.id for job in PLAN.jobs}


def test_a_pattern_of_passed_variables_is_compared_by_all_that_it_names() -> None:
    """`environment-pass` takes patterns: a variable that comes, goes or changes makes the job stale."""
    job = replace(BUILD, inputs={"passed env FLAVOUR_*": ""})
    values = [
        {"FLAVOUR_A": "1"},
        {"FLAVOUR_A": "2"},
        {"FLAVOUR_A": "1", "FLAVOUR_B": ""},
        {"FLAVOUR_B": "1"},
        {"OTHER": "1"},
    ]
    digests = {job_inputs(job, {}, passed=passed)["passed env FLAVOUR_*"] for passed in values}
    assert len(digests) == len(values)


def test_an_empty_variable_is_not_an_unset_one() -> None:
    """A build script sees the difference."""
    unset, empty = (
        job_inputs(BUILD, {}, passed=passed)["passed env FLAVOUR"]
        for passed in ({}, {"FLAVOUR": ""})
    )
    assert unset != empty


def test_another_wheelworks_makes_every_job_stale() -> None:
    """Audit rules, steps and the guard of the tests are ours: a release of ours may judge otherwise."""
    older = {
        job_id: replace(one, inputs={**one.inputs, "wheelworks": "0.0.1"})
        for job_id, one in RECORDS.items()
    }
    verdicts = judge(PLAN, older, SOURCES, ARTIFACTS, passed=ENVIRON)
    assert {BUILD.id, OTHER.id} <= stale(verdicts)
    assert verdicts[BUILD.id].reasons == (f"wheelworks 0.0.1 -> {__version__}",)


MERGED = replace(
    BUILD,
    id="build cp313-macosx_universal2",
    needs=(BUILD.id, OTHER.id),
    merges=(BUILD.id, OTHER.id),
    inputs={"platform tags": "macosx_10_12_universal2"},
)


@pytest.mark.parametrize(
    ("merged_from", "reasons"),
    [
        pytest.param(("hash", "other-hash"), (), id="the same slices"),
        pytest.param(
            ("hash", "older"), ("wheel of arm64 older -> other-hash",), id="another slice"
        ),
    ],
)
def test_a_merged_wheel_is_as_fresh_as_its_slices(
    merged_from: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    """It holds the hashes of both; a slice that another run built anew makes it stale."""
    plan = replace(PLAN, jobs=(BUILD, OTHER, MERGED))
    records = {**RECORDS, MERGED.id: record(MERGED, *merged_from, artifact="u.whl", sha256="u")}
    verdicts = judge(plan, records, SOURCES, {**ARTIFACTS, MERGED.id: "u"}, passed=ENVIRON)
    assert verdicts[MERGED.id].reasons == reasons
    stale_slice = judge(plan, records, SOURCES, {MERGED.id: "u"}, passed=ENVIRON)
    assert stale_slice[MERGED.id].reasons == (f"{BUILD.id} is stale", f"{OTHER.id} is stale")


def test_a_slice_is_looked_for_among_the_slices() -> None:
    """Its name may be that of a wheel in dist/, which does not count."""
    private = replace(BUILD, is_published=False)
    plan = replace(PLAN, jobs=(private, OTHER, TEST))
    verdicts = judge(plan, RECORDS, SOURCES, {OTHER.id: "other-hash"}, passed=ENVIRON)
    assert verdicts[BUILD.id].reasons == (f"{WHEEL} is missing from the slices or was changed",)
