# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `health` on a real cluster: healthy as it should be, and each thing that is wrong in its own words."""

from __future__ import annotations

import json

import pytest
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import BUSYBOX, container, pod
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    HELPERS,
    MANIFEST,
    NAMESPACE,
    make_operator,
    shipped_cluster_role,
)
from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks

CANARIES, ACCOUNT = "canaries", "operator-health"
HEALTH_MANIFEST = MANIFEST.with_name("health-clusterrole.yml")


@pytest.fixture(scope="module")
def health_kubeconfig(cluster, tmp_path_factory):
    """The operator's credential with what the documentation says that `health` needs, in the canaries' namespace only."""
    role = shipped_cluster_role(HEALTH_MANIFEST)
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "securescan-health", "namespace": CANARIES},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "securescan-health",
        },
        "subjects": [subject],
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": CANARIES}}
    objects = {"apiVersion": "v1", "kind": "List", "items": [role, namespace, binding]}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(objects))
    # of which its pods are
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", CANARIES, "--timeout=60s")
    yield make_operator(cluster, tmp_path_factory.mktemp("operator"), ACCOUNT, MANIFEST)
    cluster.kubectl("delete", "namespace", CANARIES, "--wait=false")


@pytest.fixture
def look(cluster, health_kubeconfig, tmp_path):
    """look(variable=value, ...) runs the playbook; nothing is in the canaries' namespace before and after it."""

    def run(kubeconfig=health_kubeconfig, **variables):
        fixed = {
            "scan_namespaces": ["shop"],
            "scan_workloads": ["Deployment/api"],
            "scan_approach": "exec",
            "scan_health_canary_namespace": CANARIES,
        }
        environ = {
            "ANSIBLE_CALLBACKS_ENABLED": "securescan.kubernetes.scan_metrics",
            "SECURESCAN_METRICS_PATH": str(tmp_path / "health.prom"),
        }
        done = Playbooks(kubeconfig, tmp_path).run(
            "securescan.kubernetes.health", environ=environ, **{**fixed, **variables}
        )
        path = tmp_path / "health.prom"
        done.metrics = path.read_text(encoding="utf-8") if path.exists() else ""
        done.words = " ".join(done.output.split())
        return done

    return run


def made_pods(cluster):
    return [
        one["metadata"]["name"]
        for one in cluster.get("pods", "-n", CANARIES, "-l", "securescan.kubernetes/trial")["items"]
    ]


def test_a_healthy_cluster_passes_and_nothing_is_left(look, cluster) -> None:
    done = look(scan_health_canary_image=BUSYBOX, scan_scanner_image=BUSYBOX)
    assert done.status == 0, done.output
    assert "HEALTH of sample: healthy" in done.output
    for check in ("reach", "rights", "limits", "access", "image", "canaries", "leftovers"):
        assert (
            f'securescan_health_passed{{host="sample",cluster="sample",check="{check}"}} 1.0' in done.metrics
        )
    assert "securescan_run_succeeded" not in done.metrics
    assert made_pods(cluster) == []


def test_a_right_that_is_missing_is_named(look, cluster, tmp_path_factory, health_kubeconfig) -> None:
    weak = shipped_cluster_role()
    weak["metadata"]["name"] = "securescan-weak"
    weak["rules"] = [rule for rule in weak["rules"] if rule["resources"] != ["serviceaccounts/token"]]
    folder = tmp_path_factory.mktemp("weak")
    manifest = folder / "weak.yml"
    manifest.write_text(json.dumps(weak), encoding="utf-8")
    done = look(make_operator(cluster, folder, "operator-weak", manifest))
    assert done.status != 0
    assert "rights: " in done.words and "lacks create on serviceaccounts/token in shop" in done.words
    assert 'check="rights"} 0.0' in done.metrics


def test_a_credential_that_can_do_too_much_is_told(look, cluster) -> None:
    done = look(cluster.kubeconfig)
    assert done.status != 0
    assert "limits: the credential is allowed to * *.*, impersonate users, get secrets" in done.words


def test_what_a_killed_scan_has_left_is_named(look, cluster) -> None:
    labels = {
        "app.kubernetes.io/managed-by": "securescan.kubernetes",
        "securescan.kubernetes/run-id": "killed-run",
        "securescan.kubernetes/owner": "ansible",
        "securescan.kubernetes/expires": "20260101T000000Z",
    }
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "securescan-killed-run", "namespace": "shop", "labels": labels},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(account))
    try:
        done = look()
    finally:
        cluster.kubectl("delete", "serviceaccount", "securescan-killed-run", "-n", "shop")
    assert done.status != 0
    assert "leftovers: scans have left ServiceAccount shop/securescan-killed-run" in done.words
    assert 'securescan_leftovers{host="sample",cluster="sample",kind="access"} 1.0' in done.metrics


def test_a_bad_canary_that_passes_is_told(look, cluster) -> None:
    """Both canaries are good pods: what a scan must find is not there."""
    limits = {
        "resources": {"limits": {"memory": "64Mi", "cpu": "1"}, "requests": {"memory": "16Mi", "cpu": "10m"}}
    }
    pods = [pod(name, container(**limits)) for name in ("known-good", "known-bad")]
    for made in pods:
        made["metadata"].update(namespace=CANARIES, labels={"canary": made["metadata"]["name"]})
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    cluster.kubectl("wait", "pod", "--all", "-n", CANARIES, "--for=condition=Ready", "--timeout=120s")
    try:
        done = look(
            scan_health_canary_good_selectors=["canary=known-good"],
            scan_health_canary_bad_selectors=["canary=known-bad"],
        )
    finally:
        cluster.kubectl("delete", "pod", "--all", "-n", CANARIES, "--grace-period=0")
    assert done.status != 0
    assert (
        "known bad was not found: cb-main-process-user is Passed on the bad canary known-bad, and must be Failed"
        in done.words
    )
    assert "known good was not recognised" not in done.words


def test_an_image_that_cannot_be_pulled_is_told_and_its_pod_goes(look, cluster) -> None:
    done = look(
        scan_scanner_image="securescan.local/no-such-image:1",
        scan_scanner_image_pull_policy="Never",
        scan_health_canary_timeout=120,
    )
    assert done.status != 0
    assert "image: starting the pod" in done.words and "ErrImageNeverPull" in done.words
    assert made_pods(cluster) == []


def test_a_cluster_that_does_not_answer_is_told_once(look) -> None:
    done = look(scan_kubeconfig="", scan_host="https://127.0.0.1:1", scan_api_key="none")
    assert done.status != 0 and "reach: " in done.words
    assert done.metrics.count("} 0.0") == 1


def test_by_all_approaches_with_helper_pods(look, cluster, helper_operator_kubeconfig) -> None:
    """The operator of the approaches debug and image; the image is tried in the helpers' namespace, which is restricted."""
    done = look(
        helper_operator_kubeconfig,
        scan_approach="auto",
        scan_prefer="trust",
        scan_scanner_image=BUSYBOX,
        scan_helper_namespace=HELPERS,
        scan_health_canary_namespace="",
    )
    assert done.status == 0, done.output
    assert "canaries skipped none is named" in done.words
    assert 'check="access"} 1.0' in done.metrics and 'check="image"} 1.0' in done.metrics
