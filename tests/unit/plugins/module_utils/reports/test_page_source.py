# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page is made of: the controls of documents, one document at a time, with HDF's words."""

from __future__ import annotations

import pathlib
from collections import Counter

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_source import (
    PageSource,
    cluster_of_place,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import STATUSES
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("run"))


def test_a_run_is_one_cluster_with_all_its_targets_and_the_counts_of_its_summary(run: Run) -> None:
    (cluster,) = PageSource.of_run(run).clusters()
    seen = list(cluster.targets())
    assert [one.record.target_id for one in seen] == [target.target_id for target in run.targets]
    assert (cluster.state, cluster.gate) == ("partly_scanned", "failed")
    found = Counter(control.status for one in seen for control in one.controls)
    assert {status: found[status] for status in STATUSES} == run.controls.by_status()
    assert cluster.new and cluster.fixed == ()


def test_the_text_of_a_control_says_why_it_has_its_status(run: Run) -> None:
    (cluster,) = PageSource.of_run(run).clusters()
    texts = {
        (one.record.pod, control.about.id): control for one in cluster.targets() for control in one.controls
    }
    assert texts["legacy-1", "c-failed"].text == "expected 0644, found 0777"
    assert texts["api-1", "c-unread"].text == "unreadable"
    waived = texts["api-1", "c-waived"]
    assert waived.waived and waived.status == "not_applicable"
    assert waived.text == "Waived by team | <shop> without end: The vendor needs it."
    attested = texts["api-1", "c-attested"]
    assert attested.attested and attested.text == "Attested by security on 2026-11-01: seen by a person"
    assert texts["api-1", "c-passed"].text == ""


def test_a_document_that_the_run_did_not_write_is_told_and_nothing_of_it_is_shown(
    tmp_path: pathlib.Path,
) -> None:
    run = write_sample_run(tmp_path)
    first = run.targets[0]
    (pathlib.Path(run.folder) / first.hdf).write_text("{}")
    (cluster,) = PageSource.of_run(run).clusters()
    seen = next(cluster.targets())
    assert seen.controls == ()
    assert "its SHA-256 differs" in seen.unread


def test_a_clusters_name_can_hold_a_slash() -> None:
    assert (
        cluster_of_place("arn:aws:eks:eu:1:cluster/prod/shop/Deployment/api/app")
        == "arn:aws:eks:eu:1:cluster/prod"
    )
