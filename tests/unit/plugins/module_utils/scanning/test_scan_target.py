# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run: no target hides another, and no text with a secret gets into what is recorded of one."""

from __future__ import annotations

import json

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import CollectionRequest
from ansible_collections.securescan.kubernetes.plugins.module_utils.drift.report import drift_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning import scan_target as run
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget


class Approach:
    name = "exec"

    def __init__(self, failure):
        self.failure = failure

    def collect(self, selected, request):
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ScanError("pod_gone", "gone"), "pod_gone"),
        (ValueError("a defect"), "internal"),
    ],
)
def test_what_goes_wrong_with_a_target_is_its_outcome(failure, reason):
    pod = {"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": {}, "status": {}}
    target = Target(
        cluster="c", namespace="n", workload_kind="Pod", workload="p", pod="p", pod_uid="u", container="x"
    )
    plan = run.ScanPlan(
        run_id="r", approach=Approach(failure), request=CollectionRequest((), 10.0), engines=()
    )
    outcome = run.scan_target(plan, SelectedTarget(target, PodSnapshot.from_object(pod)))
    assert outcome.judgement is None
    assert outcome.error.reason == reason


def test_causes_and_the_platform_are_recorded_without_secrets():
    system = {"name": "password=hunter2", "family": "linux", "release": "1", "arch": "x", "pretty": "p"}
    facts = Facts({"passwd": Fact("unreadable", cause="password=hunter2"), "os": Fact("ok", system)})
    words = "(not shown: it may hold a secret, a password or token)"
    assert [entry["cause"] for entry in run.unread_facts(facts)] == [words]
    assert run.platform_of(facts).name == words


def test_a_drift_document_shows_no_name_with_a_secret():
    pod = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"containers": [{"name": "x"}]},
        "status": {
            "containerStatuses": [{"name": "x", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]
        },
    }
    target = Target(
        cluster="c", namespace="n", workload_kind="Pod", workload="p", pod="p", pod_uid="u", container="x"
    )
    status = ["symlink", 0o777, 0, 0, 1, 1, 1]
    entries = [["/usr/password=hunter2", *status, "/x"], ["/usr/link", *status, "postgres://u:hunter2@db/x"]]
    live = {"place": "/usr", "link_target": None, "unread": ["/usr/token: hunter2"], "entries": entries}
    facts = Facts(
        {
            "mounts": Fact("ok", []),
            "listing:/usr": Fact("ok", live),
            "image_listing:/usr": Fact("ok", {**live, "unread": [], "entries": []}),
        }
    )
    document = drift_report(SelectedTarget(target, PodSnapshot.from_object(pod)), facts, "exec", "2026-01-02")
    assert document["counts"]["added"] == 2
    assert "hunter2" not in json.dumps(document)
