# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approaches that are forbidden for some pods, on a real cluster: nothing is touched, and the scanner's token could not."""

from __future__ import annotations

import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import Grant, PodRef
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import (
    request_token,
    wait_until_effective,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.cluster import audit
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import pods_of, run_task
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    ENFORCED,
    LISTENS,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import HELPERS

NO_DEBUG = {
    "approaches": ["debug"],
    "label_selectors": ["tier in (db, cache)"],
    "reason": "no new containers beside data",
}
CLOSED = {"approaches": ["exec", "debug"], "label_selectors": ["closed"]}
STRATEGIC = "application/strategic-merge-patch+json"


def labelled(made, **labels):
    made["metadata"]["labels"] = labels
    return made


@pytest.fixture
def mixed(place):
    """Pods without a shell: one without a rule, one where debug is forbidden, one that must not be entered; and one with a
    shell where debug is forbidden."""
    there = place(ENFORCED)
    there.add(
        pod("free", container("free", **LISTENS)),
        labelled(pod("db", container("db", **LISTENS)), tier="db"),
        labelled(pod("closed", container("closed", **LISTENS)), tier="db", closed="yes"),
        labelled(pod("shell", container("shell")), tier="cache"),
    )
    return there


def test_auto_goes_on_with_the_next_and_touches_nothing_that_is_forbidden(
    mixed, scan, cluster, helper_operator_kubeconfig
):
    rules = [NO_DEBUG, CLOSED, {"approaches": ["image"], "label_selectors": ["tier=db", "!closed"]}]
    cluster.forget_audit()
    done = scan(
        mixed.name,
        approach="auto",
        forbidden_approaches=rules,
        kubeconfig=str(helper_operator_kubeconfig),
        helper_namespace=HELPERS,
    )
    assert {
        name: target["approach"] for name, target in done.targets.items() if target["outcome"] == "scanned"
    } == {"free": "debug", "closed": "image", "shell": "exec"}
    assert done.said("closed")["passed_over"] == [
        {"approach": "exec", "reason": "approach_forbidden"},
        {"approach": "sidecar", "reason": "no_sidecar"},
        {"approach": "debug", "reason": "approach_forbidden"},
    ]
    error = done.error("db")
    assert error["reason"] == "no_approach"
    for words in (
        "exec: ",
        "no_such_program",
        "no new containers beside data",
        "image: image is forbidden here",
    ):
        assert words in error["message"], error["message"]
    assert mixed.entries("free") and not any(mixed.entries(name) for name in ("db", "closed", "shell"))
    events = cluster.audit_events()
    if events is not None:
        touched = [
            event["objectRef"]
            for event in events
            if event["objectRef"].get("namespace") == mixed.name
            and event["user"]["username"].startswith(f"system:serviceaccount:{mixed.name}:securescan-")
        ]
        assert {ref["name"] for ref in touched if ref["resource"] == "pods"} == {"free", "db", "shell"}
        added = audit.ephemeral_containers(events)
        assert {
            event["objectRef"]["name"] for event in added if event["objectRef"]["namespace"] == mixed.name
        } == {"free"}


def test_a_single_approach_is_refused_by_its_rule_and_foreseen(mixed, scan, explain):
    rules = {"forbidden_approaches": [NO_DEBUG, dict(CLOSED, namespaces=["elsewhere-*"])]}
    planned = scan(mixed.name, check_mode=True, **rules)
    assert planned.result["counts"] == {
        "selected": 4,
        "scanned": 0,
        "not_scanned": 3,
        "not_judged": 0,
        "carried": 0,
    }
    assert {record["error"]["reason"] for record in planned.result["not_scanned"]} == {"approach_forbidden"}
    assert planned.result["footprint"]["added"] == 1
    (diff,) = planned.result["diff"]
    assert '"free"' in diff["after"] and '"db"' not in diff["after"] and '"shell"' not in diff["after"]
    foreseen = {
        target["container"]: target["approaches"]["debug"]
        for target in explain(mixed.name, approach="debug", **rules)["targets"]
    }
    done = scan(mixed.name, **rules)
    for name in ("db", "closed", "shell"):
        error = done.error(name)
        assert error["reason"] == foreseen[name]["reason"] == "approach_forbidden"
        assert (
            error["message"]
            == foreseen[name]["message"]
            == "debug is forbidden here: no new containers beside data"
        )
        assert "forbidden_approaches[0]" in error["cause"] and not mixed.entries(name)
    assert foreseen["free"]["status"] == "works" and done.said("free")["approach"] == "debug"


def test_the_token_of_an_access_that_spares_a_pod_is_refused_there(mixed, cluster, debug_operator_kubeconfig):
    """One that does not name it in the Role: with the scanner's real token."""
    run_id = f"test-{uuid.uuid4().hex[:8]}"
    connection = connect(ConnectionOptions(kubeconfig=str(debug_operator_kubeconfig)), {})
    entry = {
        "name": "debug-x",
        "image": BUSYBOX,
        "command": ["sh"],
        "securityContext": container()["securityContext"],
    }
    patch = {"spec": {"ephemeralContainers": [entry]}}
    made = run_task(
        debug_operator_kubeconfig,
        namespaces=[mixed.name],
        run_id=run_id,
        approach="debug",
        forbidden_approaches=[NO_DEBUG, CLOSED],
    )["access"]
    try:
        assert {pod.name: pod.approach for pod in pods_of(made, mixed.name)} == {
            "free": "",
            "db": "exec",
            "shell": "exec",
        }
        scanner = RestClient(
            connection.with_bearer_token(request_token(RestClient(connection), run_id, mixed.name, 600).value)
        )
        wait_until_effective(scanner, Grant(mixed.name, (PodRef("free", ""),), "debug"))
        answers = {}
        for name in ("free", "db", "closed", "shell"):
            path = f"/api/v1/namespaces/{mixed.name}/pods/{name}"
            for what, ask in (
                (
                    "add",
                    lambda path=path: scanner.patch(
                        path + "/ephemeralcontainers", patch, STRATEGIC, {"dryRun": "All"}
                    ),
                ),
                ("see", lambda path=path: scanner.get(path)),
            ):
                try:
                    ask()
                    answers[name, what] = "allowed"
                except ScanError as error:
                    answers[name, what] = error.reason
        refused = {key for key, answer in answers.items() if answer == "not_permitted"}
        assert refused == {("db", "add"), ("shell", "add"), ("closed", "add"), ("closed", "see")}, answers
        assert {answers[key] for key in answers if key not in refused} == {"allowed"}, answers
    finally:
        run_task(debug_operator_kubeconfig, state="absent", run_id=run_id, namespaces=[mixed.name])


def test_a_rule_that_is_not_understood_is_refused_before_anything_is_asked(scan, explain):
    bad = {
        "forbidden_approaches": [{"approaches": ["debug"], "label_selectors": ["tier in db"]}],
        "kubeconfig": "/no/such/file",
    }
    for task in (scan, explain):
        with pytest.raises(ScanError, match="not a label selector") as caught:
            task("none", **bad)
        assert caught.value.reason == "bad_option"
