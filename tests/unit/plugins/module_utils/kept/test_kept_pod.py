# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_pod import MASK, kept_pod
from ansible_collections.securescan.kubernetes.plugins.module_utils.literal_secrets import (
    KEPT_NO_SECRET,
    KEPT_SECRET,
)

POD = {
    "metadata": {
        "name": "api-1",
        "namespace": "shop",
        "uid": "u",
        "labels": {"app": "HIDDEN16"},
        "annotations": {
            "container.apparmor.security.beta.kubernetes.io/app": "unconfined",
            "vault/agent": "s.HIDDEN1",
            "checksum/config": "HIDDEN2",
        },
        "generateName": "api-",
    },
    "spec": {
        "serviceAccountName": "api",
        "hostPID": True,
        "nodeSelector": {"HIDDEN17": "HIDDEN18"},
        "hostname": "HIDDEN19",
        "securityContext": {"sysctls": [{"name": "a.b", "value": "1"}]},
        "containers": [
            {
                "name": "app",
                "image": "i",
                "command": ["sh", "-c", "HIDDEN3"],
                "args": ["--x=HIDDEN4"],
                "env": [
                    {"name": "PLAIN", "value": "HIDDEN5"},
                    {"name": "EMPTY", "value": ""},
                    {"name": "NONE"},
                    {"name": "REF", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}},
                ],
                "livenessProbe": {
                    "httpGet": {
                        "host": "h",
                        "path": "/?k=HIDDEN20",
                        "httpHeaders": [{"name": "X-Key", "value": "HIDDEN6"}],
                    }
                },
                "readinessProbe": {"exec": {"command": ["HIDDEN7"]}},
                "lifecycle": {"preStop": {"exec": {"command": ["HIDDEN8"]}}},
            }
        ],
        "initContainers": [{"name": "init", "env": [{"name": "A", "value": "HIDDEN9"}]}],
        "ephemeralContainers": [{"name": "debug", "env": [{"name": "A", "value": "HIDDEN10"}]}],
        "volumes": [
            {"name": "v", "csi": {"driver": "d", "volumeAttributes": {"k": "HIDDEN11"}}},
            {"name": "f", "flexVolume": {"driver": "d", "options": {"k": "HIDDEN12"}}},
            {"name": "n", "nfs": {"server": "HIDDEN13", "path": "/HIDDEN21"}},
            {"name": "h", "hostPath": {"path": "/var", "type": "Directory"}},
        ],
    },
    "status": {
        "phase": "Running",
        "message": "HIDDEN14",
        "containerStatuses": [
            {
                "name": "app",
                "state": {"running": {}},
                "lastState": {"terminated": {"message": "HIDDEN15"}},
                "user": {"linux": {"uid": 5}},
            }
        ],
    },
}


def test_settings_are_kept_and_what_may_be_secret_is_not() -> None:
    before = json.dumps(POD)
    kept = kept_pod(POD)
    assert json.dumps(POD) == before
    assert "HIDDEN" not in json.dumps(kept)
    container = kept["spec"]["containers"][0]
    assert container["env"] == [
        {"name": "PLAIN", "value": KEPT_NO_SECRET},
        {"name": "EMPTY", "value": ""},
        {"name": "NONE"},
        {"name": "REF", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}},
    ]
    assert container["command"] == [MASK, MASK, MASK] and container["args"] == [MASK]
    assert container["livenessProbe"]["httpGet"]["host"] == "h"
    assert kept["metadata"]["annotations"] == {
        "container.apparmor.security.beta.kubernetes.io/app": "unconfined"
    }
    assert kept["spec"]["volumes"][-1] == {"name": "h", "hostPath": {"path": "/var", "type": "Directory"}}
    assert kept["spec"]["hostPID"] is True and kept["spec"]["serviceAccountName"] == "api"
    assert kept["spec"]["securityContext"] == {"sysctls": [{"name": "a.b", "value": MASK}]}
    assert "labels" not in kept["metadata"]
    assert kept["status"] == {
        "phase": "Running",
        "containerStatuses": [{"name": "app", "user": {"linux": {"uid": 5}}}],
    }


def test_a_reference_that_leads_to_further_sources_is_no_part_of_a_secret() -> None:
    container = {"name": "app", "env": [{"name": "DB_PASSWORD", "value": "x$(OTHER)"}]}
    sources = [{"secretRef": {"name": "db"}}]
    pod = {
        "metadata": {},
        "spec": {"containers": [container, dict(container, envFrom=sources)]},
        "status": {},
    }
    alone, with_sources = kept_pod(pod)["spec"]["containers"]
    assert alone["env"][0]["value"] == KEPT_SECRET and with_sources["env"][0]["value"] == KEPT_NO_SECRET


def test_a_small_pod_stays_small() -> None:
    pod = {"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": {}, "status": {}}
    assert kept_pod(pod) == dict(pod, apiVersion="v1", kind="Pod")
