# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A namespace with 5,000 pods: how much is held while it is listed, and how much for each pod that is kept."""

from __future__ import annotations

import gc
import json
import re
import tracemalloc
import uuid

from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    select_targets,
)

PODS, PAGE, PER_DEPLOYMENT = 5000, 500, 50
TRACED = 2000  # tracing makes everything many times slower, and what it shows does not depend on the number
# Bytes, on a 64-bit CPython.
KEPT_PER_POD = 4096
PAGE_HELD = 24 * 1024 * 1024


def held_snapshots():
    return sum(isinstance(each, PodSnapshot) for each in gc.get_objects())


class PagedApi:
    """Gives out each page as it comes from a server, parsed from text, and holds no more than that page.

    `snapshots`: how many pods were held, in their small form, each time when a page was asked for.
    """

    def __init__(self, pods=PODS, is_of_template=False):
        """:param is_of_template: pods of one owner have the same environment, so that they are replicas"""
        self.pods = pods
        self.pages = 0
        self.snapshots = []
        self._before = held_snapshots()  # other tests of the process may hold some
        self._template = json.dumps(realistic_pod())
        if is_of_template:
            self._template = self._template.replace('"UID-', '"OWNER-')

    def list_items(self, path, query=None, page_size=500):
        if path.endswith("/replicasets"):
            for number in range(self.pods // PER_DEPLOYMENT):
                yield {
                    "metadata": {
                        "name": f"app-{number}-5d",
                        "ownerReferences": [
                            {
                                "apiVersion": "apps/v1",
                                "kind": "Deployment",
                                "name": f"app-{number}",
                                "controller": True,
                            }
                        ],
                    }
                }
            return
        assert page_size == PAGE
        for first in range(0, self.pods, page_size):
            self.pages += 1
            if not tracemalloc.is_tracing():
                self.snapshots.append(held_snapshots() - self._before)
            yield from json.loads("[{}]".format(",".join(map(self._pod, range(first, first + page_size)))))

    def get_metadata(self, path):
        raise AssertionError("every ReplicaSet is on the list")

    def _pod(self, number):
        own = {
            "NUMBER": f"{number:05d}",
            "OWNER": f"app-{number // PER_DEPLOYMENT}",
            "NODE": str(number % 40),
            "UID": str(uuid.UUID(int=number * 7919)),
        }
        return re.sub("NUMBER|OWNER|NODE|UID", lambda found: own[found.group()], self._template)


def realistic_pod():
    """A pod as the API server shows it, about 6 KB as JSON, with places for what each pod has of its own."""
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    probe = {
        "failureThreshold": 3,
        "periodSeconds": 5,
        "successThreshold": 1,
        "tcpSocket": {"port": "http"},
        "timeoutSeconds": 1,
    }
    container = {
        "name": "app",
        "image": "registry.example.com/team/OWNER:1.2.3",
        "command": ["/usr/bin/app"],
        "env": [{"name": f"SETTING_{index}", "value": f"UID-{index}"} for index in range(12)],
        "imagePullPolicy": "IfNotPresent",
        "livenessProbe": probe,
        "readinessProbe": probe,
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "resources": {
            "limits": {"cpu": "500m", "memory": "64Mi"},
            "requests": {"cpu": "10m", "memory": "16Mi"},
        },
        "securityContext": context,
        "terminationMessagePath": "/dev/termination-log",
        "volumeMounts": [
            {
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                "readOnly": True,
                "name": "kube-api-access-NUMBER",
            }
        ],
    }
    conditions = [
        {
            "lastProbeTime": None,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "observedGeneration": 1,
            "status": "True",
            "type": kind,
        }
        for kind in ("Initialized", "Ready", "PodScheduled")
    ]
    return {
        "metadata": {
            "name": "OWNER-5d-NUMBER",
            "namespace": "big",
            "uid": "UID",
            "labels": {"app.kubernetes.io/name": "OWNER", "pod-template-hash": "5d"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": "OWNER-5d",
                    "uid": "UID",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [
                {
                    "manager": "kubelet",
                    "operation": "Update",
                    "fieldsV1": {f"f:field-with-a-name-{index}": {"f:another": {}} for index in range(50)},
                }
            ],
        },
        "spec": {
            "nodeName": "node-NODE",
            "containers": [container],
            "serviceAccountName": "app",
            "volumes": [
                {
                    "name": "kube-api-access-NUMBER",
                    "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]},
                }
            ],
        },
        "status": {
            "phase": "Running",
            "conditions": conditions,
            "hostIP": "10.0.0.1",
            "podIP": "10.1.2.3",
            "containerStatuses": [
                {
                    "name": "app",
                    "ready": True,
                    "restartCount": 0,
                    "image": container["image"],
                    "imageID": "registry.example.com/team/x@sha256:" + "a" * 64,
                    "containerID": "containerd://UIDUID",
                    "state": {"running": {"startedAt": "2026-01-01"}},
                }
            ],
        },
    }


def test_what_is_held_is_one_page_and_little_of_each_pod_that_is_kept():
    """The less of two rounds: the interpreter's own tables, which all tests before have filled, can grow in one of them."""
    rounds = []
    for _round in range(2):
        api = PagedApi(TRACED)
        tracemalloc.start()
        kept = list(select_targets(api, "c", Selection(namespaces=("big",))))
        peak = tracemalloc.get_traced_memory()[1]
        gc.collect()  # what waits for the collector is not held
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        rounds.append((held, peak - held))
        assert (len(kept), api.pages) == (TRACED, TRACED // PAGE)
        assert kept[-1].target.workload == "app-39"
        assert kept[-1].pod.object()["spec"]["containers"][0]["env"]
        del kept
    held, more = map(min, zip(*rounds))
    print(f"{held // TRACED} bytes for each of {TRACED} pods, at most {more} bytes more")
    assert held / TRACED < KEPT_PER_POD
    assert more < PAGE_HELD


def test_what_is_passed_on_is_not_held():
    api = PagedApi()
    assert sum(1 for _selected in select_targets(api, "c", Selection(namespaces=("big",)))) == PODS
    assert max(api.snapshots) <= 2


def test_grouping_replicas_holds_groups_not_pods():
    api = PagedApi(is_of_template=True)
    one_of_each = Selection(namespaces=("big",), replicas="one")
    replicas = [selected.replicas for selected in select_targets(api, "c", one_of_each)]
    groups = PODS // PER_DEPLOYMENT
    assert replicas == [PER_DEPLOYMENT] * groups
    assert max(api.snapshots) <= groups + 2
