# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""state: swept on the real cluster: what killed runs left goes when its time is over, and nothing else does."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access import sweep as sweeping
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import API, wait_until_allowed
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

PAST, FUTURE = "20200101T000000Z", "20991231T235959Z"
MANAGED = {"app.kubernetes.io/managed-by": "securescan.kubernetes"}


def account(name, namespace, **labels):
    mapped = {"securescan.kubernetes/" + key.replace("_", "-"): value for key, value in labels.items()}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace, "labels": {**MANAGED, **mapped}},
    }


@pytest.fixture
def place(own_namespace, cluster):
    """A namespace with all sorts: expired, orphaned, alive, garbled, incomplete, foreign."""
    namespace = own_namespace()
    orphan = account("orphan", namespace, run_id="orphan", expires=PAST)
    role = dict(orphan, apiVersion="rbac.authorization.k8s.io/v1", kind="Role", rules=[])
    binding = dict(
        role,
        kind="RoleBinding",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "orphan"},
    )
    del binding["rules"]
    foreign = account("foreign", namespace, run_id="a", expires=PAST)
    foreign["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm"
    items = [
        account("expired", namespace, run_id="a", expires=PAST, owner="somebody"),
        role,
        binding,
        foreign,
        account("alive", namespace, run_id="b", expires=FUTURE),
        account("garbled", namespace, run_id="c", expires="soon"),
        account("no-such-day", namespace, run_id="c", expires="20200230T000000Z"),
        account("no-expiry", namespace, run_id="d"),
        account("no-run", namespace, expires=PAST),
    ]
    cluster.kubectl(
        "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )
    return namespace


def names(cluster, namespace):
    text = cluster.kubectl("get", "serviceaccounts,roles,rolebindings", "-n", namespace, "-o", "name")
    return sorted({line.partition("/")[2] for line in text.split()} - {"app", "default"})


def test_only_what_is_ours_and_past_its_expiry_goes(place, manage, cluster):
    stay = ["alive", "foreign", "garbled", "no-expiry", "no-run", "no-such-day"]
    before = names(cluster, place)
    planned = manage(check_mode=True, state="swept", run_id=None, namespaces=[place])
    assert planned["changed"] is True
    assert f"ServiceAccount {place}/expired (run a, expired {PAST})" in planned["diff"][0]["before"]
    assert names(cluster, place) == before

    done = manage(state="swept", run_id=None, namespaces=[place])
    assert done["changed"] is True
    assert names(cluster, place) == stay
    swept = done["swept"]
    assert [(item["kind"], item["name"]) for item in swept["removed"]] == [
        ("RoleBinding", "orphan"),
        ("Role", "orphan"),
        ("ServiceAccount", "expired"),
    ]
    assert swept["removed"][2]["owner"] == "somebody"
    assert {item["name"]: item["why"].split(" ", 2)[2] for item in swept["kept"]} == {
        "alive": "is not over",
        "garbled": "securescan.kubernetes/expires is not a time",
        "no-such-day": "securescan.kubernetes/expires is not a time",
        "no-expiry": "securescan.kubernetes/expires is missing",
        "no-run": "no label securescan.kubernetes/run-id",
    }

    again = manage(state="swept", run_id=None, namespaces=[place])
    assert again["changed"] is False
    assert again["swept"]["removed_count"] == 0
    assert again["swept"]["kept_count"] == 5


def test_all_namespaces_are_swept_and_a_running_scan_is_left_alone(place, manage, cluster, left):
    manage(**API)
    running = left(manage.run_id)
    done = manage(state="swept", run_id=None, namespaces=[])
    assert done["swept"]["removed_count"] >= 3
    assert "expired" not in names(cluster, place)
    assert left(manage.run_id) == running


def test_what_is_renewed_while_the_sweep_looks_is_kept(place, manage, cluster, monkeypatch):
    remove = sweeping.remove

    def renewed_before(client, item, only_unchanged=False):
        cluster.kubectl(
            "label",
            "serviceaccount",
            item["metadata"]["name"],
            "-n",
            place,
            "--overwrite",
            "securescan.kubernetes/expires=" + FUTURE,
        )
        return remove(client, item, only_unchanged)

    manage(state="swept", run_id=None, namespaces=[place])
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(account("late", place, run_id="e", expires=PAST)))
    monkeypatch.setattr(sweeping, "remove", renewed_before)
    done = manage(state="swept", run_id=None, namespaces=[place])
    assert done["changed"] is False
    assert [item["why"] for item in done["swept"]["kept"] if item["name"] == "late"] == [
        "it was changed at this moment"
    ]
    assert "late" in names(cluster, place)
    attack_ends_as("H-09-sweep-beside-a-scan", outcome="the access is kept")


def test_what_may_not_be_deleted_fails_the_task_and_is_named(place, manage, cluster):
    """A credential with read access only, to ServiceAccounts and not to Roles."""
    cluster.kubectl(
        "create", "clusterrolebinding", "reader-" + place, "--clusterrole=view", "--user=reader-" + place
    )
    try:
        wait_until_allowed(cluster, "reader-" + place, "list", "serviceaccounts", place)
        done = manage(
            state="swept",
            run_id=None,
            namespaces=[place],
            kubeconfig=str(cluster.kubeconfig),
            impersonate_user="reader-" + place,
        )
    finally:
        cluster.kubectl("delete", "clusterrolebinding", "reader-" + place)
    assert done["failed"] is True
    assert done["error"]["reason"] == "access_remains"
    assert "cannot delete resource" in done["msg"]
    assert "Roles of namespace" in done["msg"]
    assert done["swept"]["kept_count"] == 5
    assert "expired" in names(cluster, place)


KILLS = 20


def scan(kubeconfig, folder, owner):
    """One whole scan, as the task runs in Ansible's worker process."""
    params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
    params.update(
        API,
        kubeconfig=str(kubeconfig),
        namespaces=["shop"],
        output_dir=str(folder),
        owner=owner,
        lifetime=600,
    )
    params["compiled_profiles"] = [
        profile.as_dict() for profile in chosen_profiles(params["profiles"], params["inputs"])
    ]
    run_scan_container(params, TaskContext(check_mode=False, environ=dict(os.environ)))


def test_killed_scans_are_swept_when_their_time_is_over(
    operator_kubeconfig, grantor, manage, cluster, left, tmp_path
):
    """kill -9 at random moments of a scan. The sweeps are told the time: no access lives for less than 10 minutes."""
    owner, chance = "killed-" + manage.run_id, random.Random(manage.run_id)
    manage(lifetime=3600, **API)
    bystander = left(manage.run_id)
    forked = multiprocessing.get_context("fork")

    def start():
        process = forked.Process(target=scan, args=(operator_kubeconfig, tmp_path, owner))
        process.start()
        return process

    began = time.monotonic()
    whole = start()
    whole.join()
    duration = time.monotonic() - began
    assert whole.exitcode == 0
    assert not of_owner(cluster, owner), "a scan that is not killed leaves nothing"
    for _kill in range(KILLS):
        process = start()
        time.sleep(chance.uniform(0, duration))
        process.kill()
        process.join()
    # how long a scan takes depends on what else the machine does: one kill comes when there is an access for sure
    deadline = time.monotonic() + 120
    while not of_owner(cluster, owner):
        assert time.monotonic() < deadline, "none of the kills came while there was an access"
        process = start()
        while process.is_alive() and not of_owner(cluster, owner):
            time.sleep(0.01)
        process.kill()
        process.join()
    remains = of_owner(cluster, owner)

    now = datetime.now(timezone.utc)
    early = sweeping.sweep(grantor, now, ["shop"])
    assert of_owner(cluster, owner) == remains
    assert not [item for item in early.removed if item["owner"] == owner]
    late = sweeping.sweep(grantor, now + timedelta(seconds=601), ["shop"])
    assert not late.failures
    assert (
        sorted("{kind} {name}".format(**item) for item in late.removed if item["owner"] == owner) == remains
    )
    assert of_owner(cluster, owner) == []
    assert left(manage.run_id) == bystander


def of_owner(cluster, owner):
    items = cluster.get(
        "serviceaccounts,roles,rolebindings", "-n", "shop", "-l", "securescan.kubernetes/owner=" + owner
    )["items"]
    return sorted("{} {}".format(item["kind"], item["metadata"]["name"]) for item in items)
