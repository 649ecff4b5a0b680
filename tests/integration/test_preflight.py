# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight says is what a scan then meets, and asking leaves no trace in the cluster."""

from __future__ import annotations

import json
import time
import uuid

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DEBIAN,
    DISTROLESS,
    ENFORCED,
    LISTENS,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    DEBUG_MANIFEST,
    IMAGE_MANIFEST,
    MANIFEST,
    make_operator,
)

_WRITES = ("create", "update", "patch", "delete", "deletecollection")


def verdicts(result, approach):
    """{container: status, or the reason where it does not work}"""
    return {
        target["container"]: target["approaches"][approach].get("reason")
        or target["approaches"][approach]["status"]
        for target in result["targets"]
    }


def wait_until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_is_foreseen_is_what_a_scan_meets(explain, scan, place):
    space = place()
    space.add(
        pod(
            "several",
            container(),
            container("distroless", **LISTENS),
            container("unknown", DISTROLESS, user=None, security={"runAsUser": 10001}, args=["8082"]),
            container(
                "root", user=(0, 0), security={"runAsNonRoot": False, "capabilities": {"add": ["NET_ADMIN"]}}
            ),
        )
    )
    space.add(pod("later", container("waits"), schedulingGates=[{"name": "tests/never"}]), wait=False)
    found = explain(space.name)
    by_debug = verdicts(found, "debug")
    assert by_debug["app"] == by_debug["distroless"] == "works" and by_debug["root"] == "target_privileged"
    assert set(verdicts(found, "exec").values()) <= {"shell_unknown", "container_not_running"}
    met = scan(space.name)
    assert set(met.targets) == set(by_debug)
    for name, verdict in by_debug.items():
        assert verdict == ((met.targets[name]["error"] or {}).get("reason") or "works"), name


def test_a_policy_is_named(explain, place):
    space = place()
    space.add(pod("old", container(user=(0, 0), security={"runAsNonRoot": False})))
    space.cluster.kubectl(
        "label", "namespace", space.name, *("{}={}".format(*label) for label in ENFORCED.items())
    )
    # admission sees a label a moment after it is written
    another = ("run", "another", "--image=none", "--restart=Never", "--dry-run=server", "-n", space.name)
    wait_until(lambda: "violates PodSecurity" in space.cluster.kubectl_run(*another).stderr)
    found = explain(space.name)
    reasons = found["explained"]["approaches"]["debug"]["reasons"]
    assert [(reason["reason"], reason["targets"]) for reason in reasons] == [("pod_violates_policy", 1)]
    assert "Pod Security (restricted" in reasons[0]["cause"]


def test_asking_leaves_no_trace(explain, place, cluster):
    """Access, ephemeral containers and helper pods are asked for; the audit log shows dry runs alone, one of each kind."""
    space, helpers = place(), place(ENFORCED)
    labels, template = {"app": "replicas"}, pod("replicas", container("debian", DEBIAN))
    cluster.kubectl(
        "create",
        "-n",
        space.name,
        "-f",
        "-",
        stdin=json.dumps(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "replicas"},
                "spec": {
                    "replicas": 4,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
                },
            }
        ),
    )
    cluster.kubectl("rollout", "status", "deployment/replicas", "-n", space.name, "--timeout=120s")
    space.add(pod("one", container()))

    def there():
        return [
            cluster.kubectl("get", "serviceaccounts,roles,rolebindings,pods", "-n", name, "-o", "name")
            for name in (space.name, helpers.name)
        ]

    before = there()
    cluster.forget_audit()
    found = explain(
        space.name,
        kubeconfig=cluster.kubeconfig,
        helper_namespace=helpers.name,
        field_selectors=["status.phase=Running"],
    )
    events = cluster.audit_events()
    assert there() == before and space.entries("one") == []
    if events is None:
        pytest.skip("the audit log is not ours")
    asked = [
        event
        for event in events
        if event["verb"] in _WRITES
        and event["user"]["username"].endswith("admin")
        and not event["objectRef"]["resource"].startswith("selfsubject")
    ]
    assert asked and all("dryRun=All" in event["requestURI"] for event in asked)
    patches = [event for event in asked if event["objectRef"].get("subresource") == "ephemeralcontainers"]
    assert len(patches) == 2  # four replicas of one template, and one other pod
    assert found["explained"]["requests"] <= 40
    assert found["explained"]["approaches"]["image"]["works"] == found["counts"]["targets"] == 5


def test_what_the_minimal_operator_lacks(explain, operator_kubeconfig):
    """The grantor of exec alone: what debug needs besides is named by the rule that the shipped manifest has."""
    found = explain("shop", kubeconfig=operator_kubeconfig)["explained"]
    assert {reason["reason"] for reason in found["approaches"]["exec"]["reasons"]} <= {
        "shell_unknown",
        "container_not_running",
    }
    refused = [
        reason for reason in found["approaches"]["debug"]["reasons"] if reason["reason"] == "not_permitted"
    ]
    assert (
        "patch on pods/ephemeralcontainers" in refused[0]["message"]
        and "operator lacks" in refused[0]["message"]
    )
    rules = yaml.safe_load(DEBUG_MANIFEST.read_text(encoding="utf-8"))["rules"]
    assert found["missing"] == [
        {"namespaces": ["shop"], "namespaces_count": 1, "approaches": ["debug"], "rules": rules}
    ]
    assert found["grantor"] == "system:serviceaccount:securescan-operator:operator"


def test_each_missing_right_is_named_and_granting_it_helps(explain, cluster, tmp_path, place):
    """Somebody who may list pods only; the rules that the preflight names, and nothing else, make a scan possible."""
    space, helpers = place(), place()
    space.add(pod("one", container()))
    name = f"preflight-{uuid.uuid4().hex[:8]}"
    manifest = tmp_path / "role.yml"
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    }
    manifest.write_text(yaml.safe_dump(role))
    try:
        kubeconfig = make_operator(cluster, tmp_path, name, manifest)
        found = explain(space.name, kubeconfig=kubeconfig, helper_namespace=helpers.name)["explained"]
        assert found["scannable"] == 0 and found["conclusion"].startswith("NOTHING can be scanned by auto")
        for number, entry in enumerate(found["missing"]):
            for namespace in entry["namespaces"]:
                grant(cluster, namespace, f"{name}-{number}", entry["rules"], name)

        def explained():
            return explain(space.name, kubeconfig=kubeconfig, helper_namespace=helpers.name)["explained"]

        wait_until(lambda: explained()["missing"] == [])  # roles spread in a moment
        found = explained()
        assert found["scannable"] == 1
        assert [found["approaches"][approach]["works"] for approach in ("debug", "image")] == [1, 1]
    finally:
        cluster.kubectl_run("delete", "clusterrole,clusterrolebinding", name, f"{name}-{name}")
        cluster.kubectl_run("delete", "serviceaccount", name, "-n", "securescan-operator")


def grant(cluster, namespace, name, rules, account):
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": namespace},
        "rules": rules,
    }
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(role))
    cluster.kubectl(
        "create",
        "rolebinding",
        name,
        "-n",
        namespace,
        "--role",
        name,
        "--serviceaccount",
        f"securescan-operator:{account}",
    )


def test_no_namespace_for_helpers(explain, cluster):
    found = explain("shop", kubeconfig=cluster.kubeconfig, helper_namespace="no-such-namespace")["explained"]
    reasons = found["approaches"]["image"]["reasons"]
    assert {reason["status"] for reason in reasons} == {"refused"} and "not found" in reasons[0]["message"]


def test_the_result_is_bounded_and_the_file_has_all(explain, tmp_path):
    file = tmp_path / "new" / "preflight.json"
    found = explain("shop", listed=1, output_file=str(file))
    whole = json.loads(file.read_text(encoding="utf-8"))
    assert len(found["targets"]) == 1 < len(whole["targets"]) == found["counts"]["targets"]
    assert whole["explained"] == found["explained"] and file.stat().st_mode & 0o777 == 0o600
    assert any("first 1 of" in warning for warning in explain.warnings)
    assert (
        explain("shop", output_file=str(tmp_path / "none.json"), check_mode=True)
        and not (tmp_path / "none.json").exists()
    )


def test_the_estimate_says_where_its_seconds_come_from(explain, scan, tmp_path):
    # without the workload that crashes: whether it runs changes from one look to the next
    steady = {"approach": "exec", "exclude_workloads": ["Deployment/broken"]}
    guessed = explain("shop", **steady)["explained"]["estimate"]
    assert {part["measured_in"] for part in guessed["parts"]} == {"test bed"}
    run = scan("shop", approach="exec")
    known = explain("shop", **steady, earlier_run=str(run.run_dir))["explained"]["estimate"]
    assert [part["measured_in"] for part in known["parts"]] == [run.result["run_id"]]
    taken = json.loads((run.run_dir / "summary.json").read_text(encoding="utf-8"))
    mean = [target["duration"] for target in taken["targets"] if target["outcome"] == "scanned"]
    assert known["parts"][0]["seconds"] == round(sum(mean) / len(mean), 2)
    broken = tmp_path / "summary.json"
    broken.write_text("{}")
    assert explain("shop", **steady, earlier_run=str(broken))["explained"]["estimate"] == guessed
    assert any("test bed" in warning for warning in explain.warnings)


def test_what_a_scan_left_is_listed_by_pod_and_age(explain, scan, place):
    space = place()
    space.add(pod("one", container()), pod("two", container()))
    scan(space.name)
    found = explain(space.name, explain=False, footprint=True)
    left = found["footprint"]
    assert (left["count"], left["pods"], left["by_namespace"]) == (2, 2, {space.name: 2})
    assert {entry["pod"]: entry["name"] for entry in left["entries"]} == {
        name: space.entries(name)[0]["name"] for name in ("one", "two")
    }
    assert (
        all(0 <= entry["age"] <= left["oldest"] < 120 for entry in left["entries"])
        and "explained" not in found
    )
    # one that somebody else has added is not ours
    space.cluster.kubectl(
        "debug",
        "one",
        "-n",
        space.name,
        "--image",
        BUSYBOX,
        "--attach=false",
        "--profile=restricted",
        "--container=securescan-other",
        "--",
        "sleep",
        "1",
    )
    assert explain(space.name, explain=False, footprint=True)["footprint"]["count"] == 2


def test_options_that_cannot_be(explain):
    with pytest.raises(ScanError, match="SCAN-102"):
        explain("shop", approach="debug", scanner_image=None)
    with pytest.raises(ScanError, match="listed"):
        explain("shop", listed=-1)


def test_manifests_are_what_a_preflight_asks_for(explain, cluster, tmp_path, place):
    """With the three shipped manifests nothing is missing."""
    helpers = place(ENFORCED)
    kubeconfig = make_operator(cluster, tmp_path, "operator-all", MANIFEST, DEBUG_MANIFEST, IMAGE_MANIFEST)
    found = explain("shop", kubeconfig=kubeconfig, helper_namespace=helpers.name)["explained"]
    assert (
        found["missing"] == []
        and found["approaches"]["image"]["works"] > 0
        and found["approaches"]["debug"]["works"] > 0
    )
