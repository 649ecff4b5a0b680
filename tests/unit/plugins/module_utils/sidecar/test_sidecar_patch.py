# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of a workload and its removal: whatever stood there before stands there again. And how far a rollout is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.patch import (
    ANNOTATION,
    adding,
    for_display,
    removing,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.progress import (
    missing_for_completion,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.workload import (
    KINDS,
    WorkloadRef,
    selector_text,
    workload_refs,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import IDLE

OWN = {"name": "securescan-sidecar-1-1", "restartPolicy": "Always", "command": [*IDLE, "9"]}
OTHER = {"name": "prepares"}
WEB = WorkloadRef(KINDS["deployment"], "shop", "web")
NIGHT = WorkloadRef(KINDS["cronjob"], "shop", "night")


def workload(ref: WorkloadRef, annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"spec": {"containers": [{"name": "app"}], **spec}}
    for key in reversed(ref.kind.template):
        found = {key: found}
    metadata: dict[str, Any] = {"name": ref.name, "uid": "u", "resourceVersion": "7"}
    return {"metadata": dict(metadata, annotations=annotations) if annotations else metadata, **found}


def patched(document: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """What the API server makes of a JSON patch of ours (RFC 6902, as far as they go)."""
    result = copy.deepcopy(document)
    for operation in operations:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        place = result
        for part in way:
            place = place[part]
        if operation["op"] == "remove":
            del place[last]
        else:
            assert operation["op"] == "add" or last in place
            place[last] = copy.deepcopy(operation["value"])
    if not result["metadata"].get("annotations", True):
        del result["metadata"]["annotations"]  # the API server shows no empty ones
    return result


@pytest.mark.parametrize("ref", [WEB, NIGHT])
@pytest.mark.parametrize("annotations", [None, {"theirs": "x"}])
@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"shareProcessNamespace": False},
        {"shareProcessNamespace": True},
        {"initContainers": [OTHER]},
        {"hostPID": True},
    ],
)
def test_what_is_added_and_removed_leaves_no_trace(ref: WorkloadRef, annotations: Any, spec: Any) -> None:
    before = workload(ref, annotations, **spec)
    after = patched(before, adding(ref, before, [OWN]))
    now = for_display(ref, after)
    assert now["initContainers"] == [OWN, *({"name": one["name"]} for one in spec.get("initContainers", []))]
    assert now.get("shareProcessNamespace") is (None if "hostPID" in spec else True) and "annotation" in now
    again = patched(after, adding(ref, after, [dict(OWN, image="other")]))
    assert for_display(ref, again)["annotation"] == now["annotation"], (
        "it says what was there before us, not before the last change"
    )
    assert patched(again, removing(ref, again)) == before


def test_another_than_ours_is_never_taken_out() -> None:
    impostor = dict(OWN, name="securescan-logs", command=["run"])
    before = workload(WEB, initContainers=[impostor])
    after = patched(before, adding(WEB, before, [OWN]))
    assert patched(after, removing(WEB, after)) == before


def test_what_somebody_set_after_us_stays() -> None:
    before = workload(WEB)
    after = patched(before, adding(WEB, before, [OWN]))
    after["spec"]["template"]["spec"].update(shareProcessNamespace=False)
    after["spec"]["template"]["spec"]["initContainers"].insert(0, OTHER)
    assert patched(after, removing(WEB, after)) == workload(
        WEB, shareProcessNamespace=False, initContainers=[OTHER]
    )


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"shareProcessNamespace": "yes"}', "[" * 9999])
def test_a_garbled_memory_is_no_reason_to_guess(text: str) -> None:
    with pytest.raises(ScanError) as raised:
        removing(WEB, workload(WEB, {ANNOTATION: text}))
    assert raised.value.reason == "conflict" and ANNOTATION in raised.value.advice + raised.value.message


def test_every_change_is_for_the_version_that_was_read() -> None:
    ours = workload(WEB, {ANNOTATION: '{"shareProcessNamespace": null}'}, initContainers=[OWN])
    for operations in (adding(WEB, workload(WEB), [OWN]), removing(WEB, ours)):
        assert {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"} in operations


def test_workloads_are_named_as_kubectl_names_them() -> None:
    refs = workload_refs(
        "shop", ["deploy/web", "Deployment/web", "cj/night", "statefulsets/db"], needs_change=True
    )
    assert [ref.title for ref in refs] == ["Deployment/web", "CronJob/night", "StatefulSet/db"]
    assert refs[1].path == "/apis/batch/v1/namespaces/shop/cronjobs/night"


def test_a_selector_as_a_query_has_it() -> None:
    assert (
        selector_text(
            {
                "matchLabels": {"a": "b"},
                "matchExpressions": [
                    {"key": "c", "operator": "In", "values": ["d", "e"]},
                    {"key": "f", "operator": "NotIn", "values": ["g"]},
                    {"key": "h", "operator": "Exists"},
                    {"key": "i", "operator": "DoesNotExist"},
                ],
            }
        )
        == "a=b,c in (d,e),f notin (g),h,!i"
    )


@pytest.mark.parametrize(
    ("kind", "spec", "status", "words"),
    [
        (
            "Deployment",
            {"replicas": 2},
            {"updatedReplicas": 1, "replicas": 2, "availableReplicas": 2},
            "1 of 2 pods have",
        ),
        (
            "Deployment",
            {"replicas": 2},
            {"updatedReplicas": 2, "replicas": 3, "availableReplicas": 2},
            "old template",
        ),
        (
            "Deployment",
            {"replicas": 2},
            {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 1},
            "1 of 2 new pods",
        ),
        ("Deployment", {"replicas": 2}, {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}, ""),
        ("Deployment", {}, {"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}, ""),
        ("Deployment", {"replicas": 0}, {}, ""),
        (
            "StatefulSet",
            {"replicas": 2},
            {"updateRevision": "b", "currentRevision": "a", "readyReplicas": 2},
            "0 of 2 pods have",
        ),
        (
            "StatefulSet",
            {"replicas": 2},
            {"updateRevision": "b", "currentRevision": "b", "readyReplicas": 1},
            "1 of 2 pods are",
        ),
        (
            "StatefulSet",
            {"replicas": 2},
            {"updateRevision": "b", "currentRevision": "b", "readyReplicas": 2},
            "",
        ),
        (
            "StatefulSet",
            {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            {"updateRevision": "b", "currentRevision": "a", "updatedReplicas": 1, "readyReplicas": 3},
            "",
        ),
        (
            "StatefulSet",
            {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            {"updatedReplicas": 1, "readyReplicas": 3},
            "partition 1",
        ),
        (
            "DaemonSet",
            {},
            {"desiredNumberScheduled": 3, "updatedNumberScheduled": 2, "numberAvailable": 3},
            "2 of 3 pods have",
        ),
        (
            "DaemonSet",
            {},
            {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2},
            "2 of 3 new pods",
        ),
        (
            "DaemonSet",
            {},
            {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3},
            "",
        ),
    ],
)
def test_how_far_a_rollout_is(kind: str, spec: Any, status: Any, words: str) -> None:
    ref = WorkloadRef(KINDS[kind.lower()], "shop", "web")
    found = {"metadata": {"generation": 3}, "spec": spec, "status": dict(status, observedGeneration=3)}
    said = missing_for_completion(ref, found)
    assert words in said and bool(said) == bool(words)
    assert "not seen" in missing_for_completion(ref, dict(found, status=dict(status, observedGeneration=2)))


def test_a_controller_that_has_given_up() -> None:
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "it took too long",
    }
    with pytest.raises(ScanError) as raised:
        missing_for_completion(
            WEB,
            {"metadata": {}, "spec": {"progressDeadlineSeconds": 9}, "status": {"conditions": [condition]}},
        )
    assert raised.value.reason == "rollout_failed" and "(9)" in raised.value.cause
