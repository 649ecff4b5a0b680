# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile that does not fit a container is a result: the run stays whole, and what no profile fits is not judged."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.junit import REPORT as JUNIT
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.markdown import REPORT as MARKDOWN
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.table import render_table
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.comparison import (
    failures_of_documents,
    failures_of_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document, read_hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    ProfileReference,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import summarize
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
    rendered,
    write_run,
)

WHY = "Skipping profile: 'fam-debian': the platform redhat 9.4 is not supported."
DEBIAN, REDHAT = make_target("debian-1", workload="debian"), make_target("redhat-1", workload="redhat")
FITS = make_profile("fam-debian", make_control("c-1", "passed", impact=1.0))
SKIPPED = make_profile("fam-debian", status="skipped", status_message=WHY)
OTHER = make_profile("base", make_control("b-1", "passed"))
OF_POD = make_profile("settings", make_control("p-1", "passed"), of_pod=True)


def write(folder: pathlib.Path, *judged: tuple[Any, list[Any]]) -> str:
    documents = [(target, hdf_document(make_judgement(target, *profiles))) for target, profiles in judged]
    names = dict.fromkeys(profile.name for _target, profiles in judged for profile in profiles)
    references = [ProfileReference(name, "1.2.0", "ab" * 32) for name in names]
    return str(write_run(folder, "run-7", documents, profiles=references))


def decide(run_dir: str, threshold: Any = None, fail_on: str = "gate") -> dict[str, Any]:
    given = {name: rule.get("default") for name, rule in scan_threshold_spec().items()}
    given.update(run_dir=run_dir, threshold=threshold, threshold_source="t.yml", fail_on=fail_on)
    return run_scan_threshold(given, TaskContext(check_mode=False, environ={}))


def test_a_container_that_no_profile_fits_is_not_judged_and_the_others_are(tmp_path: pathlib.Path) -> None:
    run_dir = write(tmp_path, (DEBIAN, [FITS]), (REDHAT, [SKIPPED]))
    result = decide(run_dir)
    assert result["error"]["reason"] == "not_judged", result["msg"]
    assert f"no profile fits 1 of 2 ({REDHAT.target_id})" in result["msg"]
    assert "Scan again" not in result["msg"]
    run = open_run(run_dir)
    assert [(target.pod, target.result) for target in run.targets] == [
        ("debian-1", "pass"),
        ("redhat-1", "not_judged"),
    ]
    assert run.targets[1].skipped_profiles == {"fam-debian": WHY}
    told = "fam-debian was skipped on 1 target: " + WHY
    assert told in " ".join(render_table(run).split())
    assert told in rendered(MARKDOWN, run).replace("\\", "")
    assert f'<skipped message="{WHY}"'.replace("'", "&apos;") in rendered(JUNIT, run).replace("'", "&apos;")


def test_more_skipped_profiles_than_are_told_are_in_the_summary(tmp_path: pathlib.Path) -> None:
    skipped = [make_profile(f"fam-{number}", status="skipped", status_message=WHY) for number in range(6)]
    result = decide(write(tmp_path, (REDHAT, [OTHER, *skipped])))
    assert "1 more profile skipped on targets, in summary.json." in result["table"]


def test_with_never_the_run_is_judged_all_the_same(tmp_path: pathlib.Path) -> None:
    result = decide(write(tmp_path, (DEBIAN, [FITS]), (REDHAT, [SKIPPED])), fail_on="never")
    assert "failed" not in result and result["gate"]["kind"] == "not_judged"
    assert result["gate"]["coverage"] == 50


@pytest.mark.parametrize(
    ("profiles", "passed"),
    [
        ([SKIPPED, OTHER], True),  # by its own word it is not for this one, and another judged the container
        ([SKIPPED, OTHER, OF_POD], True),
        ([SKIPPED, OF_POD], False),  # nobody looked into the container
        ([SKIPPED], False),
        ([OF_POD], True),  # nothing else was asked for
        ([SKIPPED, make_profile("base", make_control("b-1", "skipped"))], False),
    ],
)
def test_a_skipped_profile_fails_no_gate_where_another_judged_the_container(
    tmp_path: pathlib.Path, profiles: list[Any], passed: bool
) -> None:
    result = decide(write(tmp_path, (REDHAT, profiles)))
    assert result["gate"]["passed"] is passed, result["gate"]["reasons"]
    assert result.get("error", {}).get("reason", "") == ("" if passed else "not_judged")


@pytest.mark.parametrize(("most", "passed"), [(0, False), (1, True)])
def test_a_threshold_can_ask_that_every_profile_fits(tmp_path: pathlib.Path, most: int, passed: bool) -> None:
    """What platform it is the container itself says."""
    run_dir = write(tmp_path, (REDHAT, [SKIPPED, OTHER]))
    result = decide(run_dir, {"skipped_profiles": {"max": most}})
    assert result["gate"]["passed"] is passed
    if not passed:
        assert result["error"]["reason"] == "not_judged"
        assert "skipped_profiles.max: found 1 (fam-debian), must be at most 0" in result["msg"]
        assert open_run(run_dir).targets[0].result == "not_judged"
        assert '<error type="skipped_profiles.max"' in rendered(JUNIT, open_run(run_dir))


def test_a_threshold_that_asks_for_no_coverage_opens_and_the_target_is_still_not_judged(
    tmp_path: pathlib.Path,
) -> None:
    run_dir = write(tmp_path, (REDHAT, [SKIPPED]))
    result = decide(run_dir, {"coverage": {"min": 0}, "compliance": {"min": 100}, "passed.total.min": 1})
    assert "failed" not in result, "limits are asked of profiles that judged"
    assert open_run(run_dir).targets[0].result == "not_judged"


def test_what_failed_before_is_not_mended_by_a_profile_that_is_skipped_now(tmp_path: pathlib.Path) -> None:
    failing = make_profile("fam-debian", make_control("c-1", "failed"))
    then = write(tmp_path / "then", (DEBIAN, [failing, OTHER]))
    now = write(tmp_path / "now", (DEBIAN, [SKIPPED, OTHER]))
    good = write(tmp_path / "good", (DEBIAN, [FITS, OTHER]))
    failed = failures_of_run(open_run(then))
    assert [one.control for one in failures_of_run(open_run(good)).mended_since(failed)] == ["c-1"]
    assert failures_of_run(open_run(now)).mended_since(failed) == []
    documents = failures_of_documents(list(open_run(now).documents()))
    assert documents.mended_since(failed) == []


def test_the_documents_are_read_by_what_reads_documents() -> None:
    document = json.loads(json.dumps(hdf_document(make_judgement(REDHAT, SKIPPED))))
    read = read_hdf(json.dumps(document).encode(), "x.json")
    summary = summarize(read)
    assert summary.counts.controls == 0 and summary.skipped == {"fam-debian": WHY}
    assert summary.fits_none and summary.result == "not_judged"


@pytest.mark.parametrize("skipped", [{}, {"status_message": None}, {"skip_message": "not for it"}])
def test_a_foreign_document_with_a_skipped_profile_is_read(skipped: dict[str, Any]) -> None:
    document = hdf_document(make_judgement(REDHAT, SKIPPED, OTHER))
    del document["passthrough"], document["profiles"][0]["status_message"]
    document["profiles"][0].update(skipped)
    summary = summarize(read_hdf(json.dumps(document).encode(), "x.json"))
    assert list(summary.skipped) == ["fam-debian"] and not summary.judged_nothing


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("failed", "was not loaded but failed: cannot be read"),
        ("loaded", "has no controls: nothing was judged"),
        ("Skipped", "was not loaded but Skipped"),
    ],
)
def test_a_profile_that_was_neither_loaded_nor_skipped_is_refused(status: str, message: str) -> None:
    document = hdf_document(make_judgement(REDHAT, SKIPPED))
    document["profiles"][0].update(status=status, status_message="cannot be read")
    with pytest.raises(ScanError) as caught:
        read_hdf(json.dumps(document).encode(), "x.json")
    assert message in caught.value.message


@pytest.mark.parametrize("value", ["settings", [1], {}])
def test_what_says_which_profiles_are_of_the_pod_is_checked(value: Any) -> None:
    document = hdf_document(make_judgement(REDHAT, OF_POD))
    document["passthrough"]["securescan_kubernetes"]["pod_profiles"] = value
    with pytest.raises(ScanError, match="pod_profiles"):
        read_hdf(json.dumps(document).encode(), "x.json")
