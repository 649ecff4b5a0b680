# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approaches image and auto on the real cluster: every container of the sample workloads gets verdicts."""

from __future__ import annotations

import collections
import contextlib
import json
import threading

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import HELPERS
from ansible_collections.securescan.kubernetes.tests.support.scan_runs import (
    Run,
    contradictions,
    gone,
    left,
    run_scan,
)


@pytest.fixture(scope="module")
def by_exec(cluster, helper_operator_kubeconfig, tmp_path_factory) -> Run:
    return Run(run_scan(helper_operator_kubeconfig, tmp_path_factory.mktemp("exec"), approach="exec"))


@pytest.fixture(scope="module")
def by_image(cluster, helper_operator_kubeconfig, tmp_path_factory) -> Run:
    run = Run(run_scan(helper_operator_kubeconfig, tmp_path_factory.mktemp("image"), approach="image"))
    assert gone(cluster)
    return run


@pytest.fixture(scope="module")
def by_auto(cluster, helper_operator_kubeconfig, tmp_path_factory) -> Run:
    run = Run(run_scan(helper_operator_kubeconfig, tmp_path_factory.mktemp("auto"), approach="auto"))
    assert gone(cluster)
    return run


def test_every_container_is_scanned_by_its_image_and_each_image_once(by_image: Run) -> None:
    assert by_image.result["counts"]["not_scanned"] == 0 and len(by_image.targets) >= 9
    images = {target["image_id"] for target in by_image.targets}
    assert by_image.result["requests"]["exec"] == len(images) < len(by_image.targets)
    assert by_image.result["changed"] is False and by_image.result["footprint"]["added"] == 0
    assert {target["approach"] for target in by_image.targets} == {"image"}


def test_a_crashed_and_a_distroless_container_have_real_verdicts(by_image: Run) -> None:
    for container in ("broken", "edge"):
        for target in by_image.of(container):
            assert target["counts"]["passed"] > 15, target


def test_what_an_image_cannot_tell_is_not_reviewed_with_its_reason(by_image: Run) -> None:
    (target, _other) = by_image.of("api")
    facts = by_image.hdf(target)["passthrough"]["securescan_kubernetes"]["unread_facts"]
    unread = {entry["fact"]: entry["cause"] for entry in facts}
    assert "the container must run" in unread["processes"]
    assert "the container must run" in unread["environment"]


def test_image_and_exec_never_contradict_each_other(by_exec: Run, by_image: Run) -> None:
    assert contradictions(by_exec, by_image) == []


def test_auto_scans_all_of_a_mixed_namespace_each_in_the_way_that_sees_most(by_auto: Run) -> None:
    assert by_auto.result["counts"]["not_scanned"] == 0
    taken = collections.defaultdict(set)
    for target in by_auto.targets:
        taken[target["container"]].add(target["approach"])
    assert taken == {
        "api": {"exec"},
        "legacy": {"exec"},
        "web": {"exec"},
        "worker": {"exec"},
        "edge": {"debug"},
        "broken": {"image"},
    }
    (edge, _other) = by_auto.of("edge")
    assert by_auto.said(edge)["passed_over"] == [
        {"approach": "exec", "reason": "no_such_program"},
        {"approach": "sidecar", "reason": "no_sidecar"},
    ]
    (broken,) = by_auto.of("broken")
    assert [entry["approach"] for entry in by_auto.said(broken)["passed_over"]] == [
        "exec",
        "sidecar",
        "debug",
    ]


def test_auto_asks_an_image_without_a_shell_only_once_for_one(by_auto: Run) -> None:
    # each container is entered once, the debug containers of the two replicas are told to end, and that the image has no
    # shell was found out by one exec more, or by two at once
    entered, ended = len(by_auto.targets), len(by_auto.of("edge"))
    assert by_auto.result["requests"]["exec"] in (entered + ended + 1, entered + ended + 2)


def test_auto_and_exec_never_contradict_each_other(by_exec: Run, by_auto: Run) -> None:
    assert contradictions(by_exec, by_auto) == []


def test_check_mode_makes_nothing(cluster, helper_operator_kubeconfig, tmp_path) -> None:
    result = run_scan(helper_operator_kubeconfig, tmp_path, check_mode=True, approach="image")
    assert result["changed"] is False and result["counts"]["selected"] >= 9
    (entry,) = [entry for entry in result["diff"] if entry["after_header"] == HELPERS]
    assert "create" in entry["after"] and left(cluster) == ""


def test_a_refused_helper_is_a_record_with_who_refuses(cluster, helper_operator_kubeconfig, tmp_path) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": HELPERS},
        "spec": {"hard": {"pods": "0"}},
    }
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(quota))
    try:
        # until then it refuses with other words, and before it is known nothing
        cluster.kubectl(
            *("wait", "resourcequota/none", "-n", HELPERS, "--for=jsonpath={.status.hard.pods}=0"),
            "--timeout=60s",
        )
        run = Run(run_scan(helper_operator_kubeconfig, tmp_path, approach="image", containers=["edge"]))
    finally:
        cluster.kubectl("delete", "resourcequota", "none", "-n", HELPERS)
    assert {target["error"]["reason"] for target in run.targets} == {"helper_refused"}
    assert "none" in run.targets[0]["error"]["cause"]
    assert gone(cluster)


def test_a_scanner_image_that_cannot_be_had_is_told(cluster, helper_operator_kubeconfig, tmp_path) -> None:
    run = Run(
        run_scan(
            helper_operator_kubeconfig,
            tmp_path,
            approach="image",
            containers=["edge"],
            scanner_image="securescan.local/busybox:none",
            scanner_image_pull_policy="Never",
        )
    )
    assert {target["error"]["reason"] for target in run.targets} == {"image_pull_failed"}
    assert gone(cluster)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"helper_namespace": None}, "needs a namespace"),
        ({"scanner_image": None}, "needs an image"),
        ({"namespaces": ["shop", HELPERS], "helper_namespace": "shop"}, "holds targets"),
    ],
)
def test_bad_options_are_told_before_anything_is_made(
    cluster, helper_operator_kubeconfig, tmp_path, changes, words
) -> None:
    with pytest.raises(ScanError, match=words) as raised:
        run_scan(helper_operator_kubeconfig, tmp_path, approach="image", **changes)
    assert raised.value.reason == "bad_option" and left(cluster) == ""


def test_auto_without_its_options_says_what_is_missing(cluster, helper_operator_kubeconfig, tmp_path) -> None:
    run = Run(
        run_scan(
            helper_operator_kubeconfig,
            tmp_path,
            approach="auto",
            scanner_image=None,
            containers=["edge", "api"],
        )
    )
    assert {target["outcome"] for target in run.of("api")} == {"scanned"}
    for target in run.of("edge"):
        assert target["error"]["reason"] == "no_such_program", "exec alone was tried"
        assert "scan_scanner_image" in target["error"]["advice"]


def test_cancelled_runs_leave_no_helper(cluster, helper_operator_kubeconfig, tmp_path) -> None:
    for moment in (0.3, 0.8, 1.5):
        cancel = threading.Event()
        timer = threading.Timer(moment, cancel.set)
        timer.start()
        with contextlib.suppress(ScanError):
            run_scan(helper_operator_kubeconfig, tmp_path / str(moment), approach="image", cancel=cancel)
        timer.join()
        assert gone(cluster), moment
