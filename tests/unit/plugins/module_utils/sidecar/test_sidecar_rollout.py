# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout is waited for until its last old pod has gone, and what keeps it is told early."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.deadline import Deadline
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar import rollout
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.rollout import Rollout
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import IDLE
from ansible_collections.securescan.kubernetes.tests.fake_api_server.controllers import Deployments
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.sample_workloads import (
    IMAGE,
    container,
    put_pod,
    put_workload,
    reference,
)

WEB = reference()
SIDECAR = {
    "name": "securescan-sidecar-1000-1000",
    "image": IMAGE,
    "restartPolicy": "Always",
    "command": [*IDLE, "9"],
}
WITH_SIDECAR = {"initContainers": [SIDECAR]}
BEHIND = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 0}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits are those of the code, shorter."""
    for name, seconds in (("_FIRST_PAUSE", 0.005), ("_LONGEST_PAUSE", 0.01), ("_PAST_GRACE", 0.2)):
        monkeypatch.setattr(rollout, name, seconds)


def failure(waiting: Rollout, seconds: float = 0.3, cancel: threading.Event | None = None) -> ScanError:
    with pytest.raises(ScanError) as caught:
        waiting.wait(Deadline(seconds, cancel, "waiting"))
    return caught.value


def pending(state: dict[str, Any]) -> dict[str, Any]:
    """The status of a pod whose sidecar is in that state."""
    return {"phase": "Pending", "initContainerStatuses": [{"name": SIDECAR["name"], "state": state}]}


def test_it_is_over_when_the_old_pods_have_gone(server: FakeApiServer, client: RestClient) -> None:
    put_pod(server, "web-old", {"containers": [container()]})
    put_workload(server, WEB, pod_spec=WITH_SIDECAR, metadata={"generation": 2})
    server.objects.meanwhile.append(Deployments(server.objects))
    Rollout(client, WEB).wait(Deadline(60.0, None, "waiting"))
    left = [path for path in server.objects.paths() if "/pods/" in path]
    assert left == ["/api/v1/namespaces/shop/pods/web-1"]


def test_an_old_pod_that_stays_past_its_grace_is_not_waited_for(
    server: FakeApiServer, client: RestClient
) -> None:
    put_workload(server, WEB)
    put_pod(server, "web-held", {"containers": [container()]}, deletionTimestamp="2026-01-01T00:00:00Z")
    Rollout(client, WEB).wait(Deadline(60.0, None, "waiting"))
    looks = [request for request in server.requests if request.path.endswith("/pods")]
    assert len(looks) > 1, "it was not waited for at all"


def test_a_wait_that_runs_out_says_what_is_missing(server: FakeApiServer, client: RestClient) -> None:
    put_workload(server, WEB, status=BEHIND, replicas=3)
    error = failure(Rollout(client, WEB), 0.05)
    assert error.reason == "timed_out" and error.message == "0 of 3 pods have the new template"
    assert "state=absent" in error.advice and "Deployment/web in namespace shop" in error.tried


def test_a_wait_that_is_cancelled_ends_at_once(server: FakeApiServer, client: RestClient) -> None:
    put_workload(server, WEB, status=BEHIND)
    cancel = threading.Event()
    cancel.set()
    assert failure(Rollout(client, WEB), 60.0, cancel).reason == "cancelled"


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            'pods "web-1" is forbidden: exceeded quota: small, requested: pods=1',
            "The resource quota small is used up.",
        ),
        (
            'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": privileged',
            "Pod Security (restricted:latest) does not allow such a pod.",
        ),
        (
            'admission webhook "policy.test" denied the request: no',
            "The admission webhook policy.test denied it.",
        ),
    ],
)
def test_pods_that_admission_refuses_are_told_at_once(
    server: FakeApiServer, client: RestClient, message: str, cause: str
) -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    put_workload(server, WEB, status={**BEHIND, "conditions": [condition]})
    error = failure(Rollout(client, WEB), 60.0)
    assert (error.reason, error.message, error.cause) == ("rollout_failed", message, cause)


def test_a_failure_that_may_pass_is_waited_for(server: FakeApiServer, client: RestClient) -> None:
    for change in ({"message": "etcdserver: request timed out"}, {"status": "False"}):
        condition = {"type": "ReplicaFailure", "status": "True", "message": 'pods "x" is forbidden', **change}
        put_workload(server, WEB, status={**BEHIND, "conditions": [condition]})
        assert failure(Rollout(client, WEB), 0.02).reason == "timed_out"


def event(uid: str, count: int, **involved: str) -> dict[str, Any]:
    return {
        "metadata": {"uid": uid},
        "reason": "FailedCreate",
        "count": count,
        "message": 'create Pod db-0 in StatefulSet db failed: pods "db-0" is forbidden: exceeded quota: small, used',
        "involvedObject": {"kind": "StatefulSet", "name": "db", **involved},
    }


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_other_kinds_tell_a_refusal_by_events_that_came_since(
    server: FakeApiServer, client: RestClient, kind: str
) -> None:
    ref = reference(kind, "db")
    put_workload(server, ref, status={**BEHIND, "updateRevision": "2", "desiredNumberScheduled": 1})
    events = "/api/v1/namespaces/shop/events/"
    server.objects.put(events + "old", event("u-old", 4, kind=kind))
    server.objects.put(events + "others", event("u-2", 9, kind=kind, name="other"))
    waiting = Rollout(client, ref)
    assert failure(waiting, 0.02).reason == "timed_out", "an event of before the change was held against it"
    server.objects.put(events + "old", event("u-old", 5, kind=kind))  # counted up: it happened again
    error = failure(waiting, 60.0)
    assert error.reason == "rollout_failed" and error.cause == "The resource quota small is used up."


def test_events_that_cannot_be_listed_only_tell_later(server: FakeApiServer, client: RestClient) -> None:
    server.grants.deny = lambda user, method, path: "no" if path.endswith("/events") else None
    ref = reference("StatefulSet", "db")
    put_workload(server, ref, status={**BEHIND, "updateRevision": "2"})
    assert failure(Rollout(client, ref), 0.02).reason == "timed_out"


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (
            {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
            "image_pull_failed",
            "no such image",
        ),
        (
            {"waiting": {"reason": "CreateContainerConfigError", "message": "x"}},
            "rollout_failed",
            "CreateContainer",
        ),
        (
            {
                "terminated": {
                    "exitCode": 128,
                    "reason": "StartError",
                    "message": 'exec: "sh": executable file not found',
                }
            },
            "rollout_failed",
            "StartError",
        ),
    ],
)
def test_a_sidecar_that_cannot_start_is_told_at_once(
    server: FakeApiServer, client: RestClient, state: dict[str, Any], reason: str, words: str
) -> None:
    put_workload(server, WEB, pod_spec=WITH_SIDECAR, status=BEHIND)
    put_pod(server, "web-new", {"containers": [container()], **WITH_SIDECAR}, status=pending(state))
    error = failure(Rollout(client, WEB), 60.0)
    assert error.reason == reason and words in error.message and "pod shop/web-new" in error.tried


def test_the_sidecar_of_an_earlier_template_or_of_a_pod_that_leaves_is_not_held_against_it(
    server: FakeApiServer, client: RestClient
) -> None:
    broken = pending({"waiting": {"reason": "ErrImagePull", "message": "gone"}})
    put_workload(server, WEB, pod_spec=WITH_SIDECAR, status=BEHIND)
    earlier = copy.deepcopy(WITH_SIDECAR)
    earlier["initContainers"][0]["image"] = "registry.test/earlier:1"
    put_pod(server, "web-old", {"containers": [container()], **earlier}, status=broken)
    put_pod(
        server,
        "web-leaving",
        {"containers": [container()], **WITH_SIDECAR},
        status=broken,
        deletionTimestamp="2026-01-01T00:00:00Z",
    )
    assert failure(Rollout(client, WEB), 0.02).reason == "timed_out"


def test_a_removal_waits_for_pods_whatever_sidecars_they_hold(
    server: FakeApiServer, client: RestClient
) -> None:
    broken = pending({"waiting": {"reason": "ErrImagePull", "message": "gone"}})
    put_workload(server, WEB, status=BEHIND)
    put_pod(server, "web-old", {"containers": [container()], **WITH_SIDECAR}, status=broken)
    assert failure(Rollout(client, WEB), 0.02).reason == "timed_out"


@pytest.mark.parametrize(
    ("spec", "status", "words"),
    [
        ({"paused": True}, {}, "its rollout is paused"),
        (
            {"progressDeadlineSeconds": 7},
            {
                "conditions": [
                    {
                        "type": "Progressing",
                        "reason": "ProgressDeadlineExceeded",
                        "message": "ReplicaSet has timed out",
                    }
                ]
            },
            "ReplicaSet has timed out",
        ),
    ],
)
def test_a_deployment_that_makes_no_progress_is_told_at_once(
    server: FakeApiServer, client: RestClient, spec: dict[str, Any], status: dict[str, Any], words: str
) -> None:
    put_workload(server, WEB, status={**BEHIND, **status}, **spec)
    error = failure(Rollout(client, WEB), 60.0)
    assert error.reason == "rollout_failed" and words in error.message
