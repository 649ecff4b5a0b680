# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard on a real cluster: it is made, corrected and removed, and scans work under it as they do without."""

from __future__ import annotations

import json
import pathlib
import re
import time
import uuid

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard import BINDING, EXEC, POLICY
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.guard import guard_options
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.guard import guard_of
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import wait_until_allowed
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import BUSYBOX, DEBIAN
from ansible_collections.securescan.kubernetes.tests.support.guard_fixtures import (
    GUARD_MANIFEST,
    GUARD_ROLE,
    KINDS,
    NAMES,
    guard_params,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import HELPERS

SHOP = pathlib.Path(__file__).resolve().parents[1] / "workloads" / "shop.yaml"


@pytest.fixture
def there(cluster, guard):
    """What of the guard is in the cluster, as "Kind name" -> spec; nothing at the beginning."""
    guard(state="absent")

    def look():
        return {
            "{} {}".format(item["kind"], item["metadata"]["name"]): item["spec"]
            for item in cluster.get(KINDS)["items"]
            if item["metadata"]["name"] in NAMES
        }

    return look


def test_it_is_made_once_and_removed_once(guard, there):
    wanted = {
        "{} {}".format(item["kind"], item["metadata"]["name"]): item["spec"]
        for item in guard_of(guard_options(guard_params()))
    }
    would = guard(check_mode=True)
    assert would["changed"] and not there()
    done = guard()
    assert done["changed"] and done["diff"] == would["diff"] and done["policies"] == NAMES
    assert there() == wanted
    again = guard()
    assert not again["changed"] and again["diff"] == []
    assert not guard(check_mode=True)["changed"]
    would = guard(check_mode=True, state="absent")
    assert would["changed"] and there() == wanted
    assert guard(state="absent")["diff"] == would["diff"]
    assert not there()
    assert not guard(state="absent")["changed"]


def test_other_options_change_what_they_are_about(guard, there):
    guard()
    done = guard(scanner_images=[BUSYBOX])
    shown = yaml.safe_load(done["diff"][0]["after"])
    assert set(shown) == {f"{POLICY} securescan-guard-{part}" for part in ("ephemeral", "helper")}
    assert BUSYBOX in done["diff"][0]["after"] and BUSYBOX not in done["diff"][0]["before"]
    assert not guard(scanner_images=[BUSYBOX])["changed"]


@pytest.mark.parametrize(
    ("kind", "weaker"),
    [
        (POLICY, {"failurePolicy": "Ignore"}),
        (
            POLICY,
            {
                "matchConstraints": {
                    "excludeResourceRules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "operations": ["CONNECT"],
                            "resources": ["pods/exec"],
                        }
                    ]
                }
            },
        ),
        (BINDING, {"validationActions": ["Audit"]}),
        (BINDING, {"matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}),
    ],
)
def test_whatever_has_weakened_it_is_taken_back(kind, weaker, guard, there, cluster):
    guard()
    wanted = there()
    cluster.kubectl("patch", kind, EXEC, "--type=merge", "-p", json.dumps({"spec": weaker}))
    assert there() != wanted
    assert guard()["changed"]
    assert there() == wanted


def test_the_api_server_finds_no_fault_with_its_expressions(guard, there, cluster):
    for options in (
        {},
        {"scanner_images": [BUSYBOX], "enter_targets": False, "debug_match_capabilities": True},
    ):
        guard(**options)
        for name in NAMES:
            cluster.kubectl("wait", POLICY, name, "--for=jsonpath={.status.typeChecking}", "--timeout=60s")
            status = cluster.get(POLICY, name)["status"]
            assert not status["typeChecking"].get("expressionWarnings"), status


def test_objects_that_are_not_ours_are_left_alone(guard, there, cluster):
    item = next(
        item
        for item in guard_of(guard_options(guard_params()))
        if (item["kind"], item["metadata"]["name"]) == (BINDING, EXEC)
    )
    theirs = dict(item, metadata={"name": EXEC})
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(theirs))
    try:
        for state in ("present", "absent"):
            with pytest.raises(ScanError) as caught:
                guard(state=state)
            assert caught.value.reason == "conflict" and EXEC in caught.value.message
        assert list(there()) == [f"{BINDING} {EXEC}"], "nothing is made where one name is taken"
    finally:
        cluster.kubectl("delete", BINDING, EXEC)


def test_the_manifest_is_the_same_guard(guard, there, cluster):
    assert yaml.safe_load(GUARD_MANIFEST.read_text(encoding="utf-8"))["items"] == guard_of(
        guard_options(guard_params())
    )
    cluster.kubectl("apply", "-f", str(GUARD_MANIFEST))
    assert not guard()["changed"]


@pytest.mark.parametrize("verb", ["create", "list", "patch", "delete"])
def test_each_right_of_the_shipped_role_is_needed(verb, guard, there, cluster):
    name = "guard-tests-without-" + verb
    role = yaml.safe_load(GUARD_ROLE.read_text(encoding="utf-8"))
    role["metadata"]["name"] = name
    for rule in role["rules"]:
        rule["verbs"] = [kept for kept in rule["verbs"] if kept != verb]
    role["rules"] = [rule for rule in role["rules"] if rule["verbs"]]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(role))
    cluster.kubectl("create", "clusterrolebinding", name, "--clusterrole=" + name, "--user=" + name)
    me = {"kubeconfig": str(cluster.kubeconfig), "impersonate_user": name}
    try:
        kept = "list" if verb != "list" else "create"
        wait_until_allowed(cluster, name, kept, f"validatingadmissionpolicies/{EXEC}")
        with pytest.raises(ScanError) as caught:
            guard(**me)
            guard(**me, enter_targets=False)
            guard(**me, state="absent")
        assert (
            caught.value.reason == "not_permitted"
            and f"RBAC does not let {name} {verb} " in caught.value.cause
        )
    finally:
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", name)


@pytest.fixture(scope="module")
def shop(cluster):
    """The sample workloads in a namespace of their own."""
    name = f"guard-shop-{uuid.uuid4().hex[:8]}"
    everything = yaml.safe_load(SHOP.read_text(encoding="utf-8"))
    for item in everything["items"]:
        item["metadata"]["name" if item["kind"] == "Namespace" else "namespace"] = name
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(everything))
    for workload in ("api", "legacy", "edge"):
        cluster.kubectl("rollout", "status", "deployment/" + workload, "-n", name, "--timeout=90s")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/duo", "-n", name, "--timeout=60s")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def outcomes(done):
    """What came of each container: that it was scanned, or the reason why not."""
    return {
        name: target["outcome"] if target["outcome"] == "scanned" else target["error"]["reason"]
        for name, target in done.targets.items()
    }


def test_whole_scans_work_as_without_it(guard, there, shop, scan, helper_operator_kubeconfig):
    """By each approach, of containers with a shell and without, as root and not. Nobody is refused because of the guard."""

    def scans():
        return {
            approach: scan(
                shop,
                approach=approach,
                kubeconfig=str(helper_operator_kubeconfig),
                helper_namespace=HELPERS,
                containers=["api", "legacy", "edge", "web", "worker"],
            )
            for approach in ("exec", "debug", "image")
        }

    guard(state="absent")
    ineffective(scan, shop)
    before = scans()
    assert outcomes(before["exec"]) == dict.fromkeys(("api", "legacy", "web", "worker"), "scanned") | {
        "edge": "no_such_program"
    }
    assert outcomes(before["debug"]) == dict.fromkeys(("api", "edge", "web", "worker"), "scanned") | {
        "legacy": "target_privileged"
    }
    assert set(outcomes(before["image"]).values()) == {"scanned"}
    guard(scanner_images=[BUSYBOX])
    effective(scan, shop)
    for approach, done in scans().items():
        assert outcomes(done) == outcomes(before[approach])
        assert done.result["footprint"]["added"] == before[approach].result["footprint"]["added"]
        for name in (name for name, outcome in outcomes(done).items() if outcome == "scanned"):
            assert statuses(done, name) == statuses(before[approach], name), (approach, name)


def statuses(done, name):
    return {
        control: [status for status, _message in results] for control, results in done.verdicts(name).items()
    }


def becomes(wanted, attempt):
    """The first scan with the wanted outcomes, within a minute."""
    deadline = time.monotonic() + 60
    while True:
        done = attempt()
        if outcomes(done) == wanted:
            return done
        assert time.monotonic() < deadline, (outcomes(done), wanted)
        time.sleep(0.3)


def ineffective(scan, namespace):
    """Waits until the API server has forgotten a guard that was removed: it takes a moment."""
    becomes({"web": "scanned"}, lambda: scan(namespace, approach="exec", containers=["web"]))


def effective(scan, namespace):
    """Waits until the guard is at work: a scan by another image is refused, and says by whom."""
    for _attempt in range(20):
        done = scan(namespace, containers=["edge"], scanner_image=DEBIAN)
        if done.targets["edge"]["outcome"] != "scanned":
            error = done.error("edge")
            assert error["reason"] == "debug_refused", error
            assert "ValidatingAdmissionPolicy securescan-guard-ephemeral" in error["cause"]
            return
    raise AssertionError("the guard does not refuse another image")


def test_a_kept_container_and_a_target_with_capabilities_are_let_through(guard, there, shop, scan):
    guard(scanner_images=[BUSYBOX], debug_match_capabilities=True)
    effective(scan, shop)
    # the guard before it may have refused that image, too: the API server takes a moment to go over to a new one
    becomes(
        {"legacy": "scanned"},
        lambda: scan(shop, containers=["legacy"], debug_match_capabilities=True, debug_keep_alive=60),
    )


def test_a_scan_by_exec_says_that_targets_are_closed(guard, there, shop, scan):
    guard(scanner_images=[BUSYBOX], enter_targets=False)
    effective(scan, shop)
    done = becomes({"api": "not_permitted"}, lambda: scan(shop, containers=["api"], approach="exec"))
    assert "ValidatingAdmissionPolicy securescan-guard-exec" in done.error("api")["cause"]
    assert outcomes(scan(shop, containers=["api"])) == {"api": "scanned"}


def test_a_playbook_makes_it_where_the_play_says(
    guard, there, playbooks, guard_operator_kubeconfig, tmp_path
):
    """By the action plugin in the controller, first in check mode with a diff, and by the module, which finds it unchanged."""
    task = {
        "securescan.kubernetes.scan_guard": {
            "kubeconfig": str(guard_operator_kubeconfig),
            "scanner_images": [BUSYBOX],
        }
    }
    play = tmp_path / "guard.yml"
    play.write_text(
        json.dumps(
            [
                {
                    "hosts": "all",
                    "gather_facts": False,
                    "tasks": [
                        {
                            **task,
                            "check_mode": True,
                            "diff": True,
                            "register": "would",
                            "failed_when": "would is not changed",
                        },
                        {**task, "register": "made", "failed_when": "made is not changed"},
                        {
                            **task,
                            "vars": {
                                "ansible_connection": "bastion",
                                "ansible_remote_tmp": str(tmp_path / "remote"),
                            },
                            "register": "again",
                            "failed_when": "again is changed",
                        },
                    ],
                }
            ]
        )
    )
    run = playbooks.run(str(play))
    assert run.status == 0, run.output[-3000:]
    assert "ok=3" in run.output and "changed=2" in run.output
    assert re.search(r"^\+\s*ValidatingAdmissionPolicy securescan-guard-writes", run.output, re.MULTILINE)
    assert len(there()) == 2 * len(NAMES)
