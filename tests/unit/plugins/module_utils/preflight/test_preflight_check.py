# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight asks of the cluster, how often, and how it tells what it learnt."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.choice import ApproachOptions
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
    DebugOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import (
    ImageOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.pod_entry import ExecLimits
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.registry import kind_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.preflight.dry_runs import DryRuns
from ansible_collections.securescan.kubernetes.plugins.module_utils.preflight.estimate import (
    count_verdicts,
    estimate,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.preflight.permissions import (
    Lack,
    Permission,
    Reviews,
    rules_to_add,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.preflight.preflight_check import (
    PreflightCheck,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import (
    SelectedTarget,
    Target,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
)

RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}


class Cluster:
    """Answers reviews from a table, and takes every dry run but those that `refuses` names."""

    def __init__(self, held=lambda namespace, permission: True, refuses=None):
        self._held, self._refuses = held, refuses or {}
        self.asked = []

    def create(self, path, body, query=None):
        self.asked.append((path, body, query))
        if path.endswith("selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            resource = "/".join(part for part in (asked["resource"], asked["subresource"]) if part)
            return {
                "status": {
                    "allowed": self._held(
                        asked["namespace"], Permission(asked["group"], resource, asked["verb"])
                    )
                }
            }
        assert query == {"dryRun": "All"}, "only dry runs and reviews"
        return self._answer(path, body)

    def patch(self, path, body, content_type, query=None):
        self.asked.append((path, body, query))
        assert query == {"dryRun": "All"} and body["metadata"]["uid"]
        return self._answer(path, body)

    def _answer(self, path, body):
        for words, error in self._refuses.items():
            if words in path:
                raise error
        return dict(body, metadata=dict(body["metadata"], uid="uid-of-a-dry-run"))

    def paths(self, words):
        return [path for path, _body, _query in self.asked if words in path]


def target(
    number=0,
    namespace="shop",
    workload="api",
    container="app",
    state=None,
    annotations=None,
    node="n1",
    **changes,
):
    name = f"{workload}-{number}"
    status = {
        "name": container,
        "imageID": "docker.io/x@sha256:" + "a" * 64,
        "state": state or RUNNING,
        "user": {"linux": {"uid": 1000, "gid": 1000}},
        "containerID": f"containerd://{number:064d}",
    }
    pod = {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "labels": {"pod-template-hash": "abc"},
            "annotations": annotations or {},
        },
        "spec": {"nodeName": node, "containers": [{"name": container, "image": "x"}], **changes},
        "status": {"containerStatuses": [status]},
    }
    found = Target(
        "demo",
        namespace,
        "Deployment",
        workload,
        name,
        pod["metadata"]["uid"],
        container,
        node=node,
        image_id=status["imageID"],
        state=next(iter(status["state"])),
    )
    return SelectedTarget(found, PodSnapshot.from_object(pod), pod["spec"].get("os", {}).get("name", "linux"))


def explain(cluster, targets, name="auto", image="tools:1", helpers="helpers", home="", **more):
    options = ApproachOptions(name, DebugOptions(image), ImageOptions(namespace=helpers, image=image), **more)
    check = PreflightCheck(
        targets,
        options,
        ExecLimits(60, 0),
        grantor="jo",
        reviews=Reviews(cluster),
        dry_runs=DryRuns(cluster, "o", 3600),
        in_parallel=lambda items, work: [(item, work(item)) for item in items],
        account_namespace=home,
    )
    return check.run(), check.lacks


def reasons(expectation):
    return {approach: verdict.reason or verdict.status for approach, verdict in expectation.verdicts.items()}


@pytest.mark.parametrize(
    ("changes", "expected", "tried"),
    [
        ({}, ("shell_unknown", "no_sidecar", "works", "works"), ("exec", "debug")),
        (
            {"annotations": {"kubernetes.io/config.mirror": "x"}},
            ("shell_unknown", "no_sidecar", "platform_unsupported", "works"),
            ("exec", "image"),
        ),
        (
            {"state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            ("container_not_running",) * 3 + ("works",),
            ("image",),
        ),
        ({"os": {"name": "windows"}}, ("platform_unsupported",) * 4, ()),
    ],
)
def test_what_the_pod_tells(changes, expected, tried):
    (found,), lacks = explain(Cluster(), [target(**changes)])
    assert tuple(reasons(found).values()) == expected and found.tried == tried and lacks == []


@pytest.mark.parametrize(("name", "image"), [("auto", ""), ("exec", "tools:1")])
def test_approaches_that_nobody_asked_for_are_neither_refused_nor_missed(name, image):
    cluster = Cluster(lambda _namespace, permission: permission.resource == "pods/exec")
    (found,), lacks = explain(cluster, [target()], name, image=image, helpers="")
    assert list(found.verdicts) == ["exec"] and {lack.approach for lack in lacks} == {"exec"}
    assert not cluster.paths("/ephemeralcontainers") and not cluster.paths("/pods")
    (found,), _lacks = explain(Cluster(), [target()], name, image=image, helpers="")
    assert found.tried == ("exec",) and list(count_verdicts([found], ["exec"])["approaches"]) == ["exec"]


def test_states_are_told_apart_and_counted():
    waits, ended = {"waiting": {"reason": "CrashLoopBackOff"}}, {"terminated": {"reason": "Completed"}}
    targets = [target(number, state=ended if number else waits) for number in range(4)]
    found, _lacks = explain(Cluster(), targets, "exec")
    reasons = count_verdicts(found, ["exec"])["approaches"]["exec"]["reasons"]
    assert [(each["targets"], each["message"]) for each in reasons] == [
        (3, "the container is terminated"),
        (1, "the container is waiting"),
    ]


@pytest.mark.parametrize(
    ("name", "changes", "image", "checked_by"),
    [
        ("exec", {}, "tools:1", "debug"),
        ("debug", {}, "tools:1", "image"),
        ("image", {}, "tools:1", "debug"),
        ("auto", {}, "tools:1", "debug"),
        ("exec", {"annotations": {"kubernetes.io/config.mirror": "x"}}, "tools:1", "image"),
        ("image", {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}, "tools:1", ""),
        ("exec", {}, "", ""),
    ],
)
def test_a_cross_check_is_foreseen_with_the_approach_that_would_make_it(name, changes, image, checked_by):
    (found,), _lacks = explain(Cluster(), [target(**changes)], name, image=image, cross_check="possible")
    assert found.checked_by == checked_by
    counted = count_verdicts([found], found.verdicts)["cross_checks"]
    assert counted == [{"approach": checked_by, "targets": 1}]
    uses = {part["approach"]: part["uses"] for part in estimate([found], 8, None)["parts"]}
    assert not checked_by or uses[checked_by] >= 1
    (without,), _lacks = explain(Cluster(), [target(**changes)], name, image=image)
    assert without.checked_by is None and count_verdicts([without], without.verdicts)["cross_checks"] == []


def test_questions_are_asked_once_for_what_they_are_about():
    """5,000 containers: 10 namespaces, 5 workloads in each, 100 replicas."""
    targets = [
        target(number, f"ns-{space}", f"w{workload}")
        for space in range(10)
        for workload in range(5)
        for number in range(100)
    ]
    cluster, began = Cluster(), time.process_time()
    found, lacks = explain(cluster, targets)
    assert len(found) == 5000 and lacks == [] and all(each.tried == ("exec", "debug") for each in found)
    assert len(cluster.paths("/ephemeralcontainers")) == 50
    # everything is held everywhere, so no namespace is asked about
    assert len(cluster.paths("selfsubjectaccessreviews")) <= 20
    # a ServiceAccount and a Role for each namespace and approach, and those of the helpers' namespace
    assert len(cluster.paths("/serviceaccounts")) == len(cluster.paths("/roles")) == 21
    assert len(cluster.paths("/pods")) - 50 == 1  # one image
    result = count_verdicts(found, list(found[0].verdicts))
    assert len(json.dumps(result)) < 10_000 and result["scannable"] == 5000
    assert result["namespaces"]["ns-3"] == {"Deployment": 500}
    assert time.process_time() - began < 30


def test_many_reasons_and_namespaces_stay_small():
    refuses = {
        f"/namespaces/ns-{number}/pods": ScanError(
            "not_permitted", "no", cause=f"The webhook w{number} denied it."
        )
        for number in range(200)
    }
    found, _lacks = explain(Cluster(refuses=refuses), [target(0, f"ns-{number}") for number in range(200)])
    result = count_verdicts(found, list(found[0].verdicts))
    assert (
        result["approaches"]["debug"]["reasons_left_out"] == 180
        and len(result["approaches"]["debug"]["reasons"]) == 20
    )
    assert result["namespaces_left_out"] == 150 and len(json.dumps(result)) < 20_000


def test_where_a_right_is_missing_and_which():
    def held(namespace, permission):
        if permission.resource == "pods/ephemeralcontainers":
            return False
        return not (namespace in ("", "b") and permission.resource == "roles")

    escalation = ScanError(
        "not_permitted", 'attempting to grant RBAC permissions not currently held: Resources:["pods/x"]'
    )
    cluster = Cluster(held, {"/namespaces/a/roles": escalation})
    found, lacks = explain(cluster, [target(0, "a"), target(0, "b")], helpers="")
    assert [reasons(each)["debug"] for each in found] == ["not_permitted", "not_permitted"]
    assert "jo lacks create and delete and list on roles" in found[1].verdicts["exec"].message.replace(
        ", ", " and "
    )
    assert cluster.paths("/namespaces/b/serviceaccounts") == []  # what is refused by a review is not tried
    rules = rules_to_add(lack for lack in lacks if lack.approach == "debug")
    patch = {"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["patch"]}
    assert {"namespaces": ["a", "b"], "approaches": ["debug"], "rules": [patch]} in rules
    assert [entry["namespaces"] for entry in rules] == [["a", "b"], ["b"]]


def test_rights_on_accounts_are_asked_for_where_the_accounts_are():
    """As the manifests divide them: nothing on ServiceAccounts and tokens in the targets' namespace."""

    def held(namespace, permission):
        return permission.resource.startswith("serviceaccounts") == (namespace == "accounts")

    cluster = Cluster(held)
    (found,), lacks = explain(cluster, [target(workload="api")], name="exec", home="accounts")
    assert (lacks, found.tried) == ([], ("exec",))
    assert set(cluster.paths("/serviceaccounts")) == {"/api/v1/namespaces/accounts/serviceaccounts"}
    (found,), lacks = explain(Cluster(held), [target(workload="api")], name="exec", home="others")
    assert {lack.namespace for lack in lacks} == {"others"} and found.tried == ()


def test_who_may_escalate_needs_not_hold_what_they_hand_out():
    (found,), lacks = explain(
        Cluster(lambda _namespace, permission: permission.resource != "pods/ephemeralcontainers"),
        [target()],
        name="debug",
    )
    assert lacks == [] and reasons(found)["debug"] == "not_asked" and found.tried == ("debug",)


def test_the_cluster_refuses_the_access_for_another_reason_than_rbac():
    quota = ScanError("not_permitted", "exceeded quota: small", cause="The resource quota small is used up.")
    (found,), lacks = explain(Cluster(refuses={"/serviceaccounts": quota}), [target()])
    assert lacks == [] and found.tried == ()
    assert found.verdicts["exec"].cause == "The resource quota small is used up."


def test_rules_are_merged():
    lacks = [
        Lack(
            "a",
            "exec",
            (
                Permission("", "x", "get"),
                Permission("", "x", "list"),
                Permission("", "y", "get"),
                Permission("", "y", "list"),
                Permission("g", "z", "get"),
            ),
        ),
        Lack("a", "debug", (Permission("g", "z", "get"),)),
    ]
    assert rules_to_add(lacks) == [
        {
            "namespaces": ["a"],
            "approaches": ["debug", "exec"],
            "rules": [{"apiGroups": ["g"], "resources": ["z"], "verbs": ["get"]}],
        },
        {
            "namespaces": ["a"],
            "approaches": ["exec"],
            "rules": [{"apiGroups": [""], "resources": ["x", "y"], "verbs": ["get", "list"]}],
        },
    ]


def test_the_estimate_counts_images_once_and_takes_what_was_measured():
    targets = [target(number, workload="w") for number in range(16)]
    by_image, _lacks = explain(Cluster(), targets, name="image")
    (part,) = estimate(by_image, 8, None)["parts"]
    assert (part["uses"], part["seconds"]) == (1, kind_of("image").seconds)
    by_exec, _lacks = explain(Cluster(), targets, name="exec")
    builder = RunSummaryBuilder(run_id="run-7", started="s", cluster="c", selection={}, profiles=[])
    for number, seconds in enumerate((1.0, 3.0)):
        scanned = targets[number].target
        document = make_document(scanned, make_control("c-1", "passed"))
        builder.add_scanned(scanned.identity(), "exec", seconds, document, f"hdf/{number}.json")
    builder.add_not_scanned(targets[2].target.identity(), "exec", 60.0, ScanError("pod_gone", "x").record())
    earlier = builder.finish("f", 1.0)
    found = estimate(by_exec, 8, earlier)
    assert found["parts"] == [{"approach": "exec", "uses": 16, "seconds": 2.0, "measured_in": "run-7"}]
    assert 4 <= found["seconds"] <= 6
    assert estimate([], 8, None)["seconds"] == 0
