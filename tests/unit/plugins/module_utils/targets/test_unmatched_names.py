# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is named and gives no target is told; a namespace that cannot be read stops no other; ended pods are left out."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.unmatched import (
    Unmatched,
    gaps_of,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    SelectionReport,
    check_selected,
    select_targets,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_pods import (
    Api,
    namespace_object,
    owned,
    paths,
    pod,
)

FORBIDDEN = ScanError("not_permitted", "no", tried="GET pods")
NAMESPACES = {f"/api/v1/namespaces/{name}": namespace_object(name) for name in ("shop", "billing", "empty")}
SETS = [owned("api-5d", "Deployment", "api")]


def looked(api, allow_empty=True, **conditions):
    """The chosen targets, the report and the warnings of a selection."""
    selection, report = Selection(**{"namespaces": ("shop",), **conditions}), SelectionReport()
    found = list(select_targets(api, "c", selection, report))
    return paths(found), report, check_selected(api, selection, report, allow_empty)


def gaps(report):
    return [
        (each["kind"], each["name"], each["namespace"], each["error"]["reason"], each["error"]["message"])
        for each in report.unmatched
    ]


def shop(**more):
    """The Deployment api with the containers app and proxy, the Job report that is done, and two bare pods."""
    done = {"phase": "Succeeded", "containerStatuses": [{"name": "app", "state": {"terminated": {}}}]}
    report = pod("report-x", ("Job", "report"), state={"terminated": {"reason": "Completed"}})
    report["status"].update(done)
    return Api(
        pods={
            "shop": [
                pod("api-1", ("ReplicaSet", "api-5d"), ("app", "proxy")),
                report,
                pod("one", image="nginx:1"),
                pod("two"),
            ],
            "billing": [pod("api-1", namespace="billing")],
            **more,
        },
        replicasets=SETS,
        jobs=[owned("report", "CronJob", "nightly")],
        objects=NAMESPACES,
    )


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (
            {"namespaces": ("shop", "billingg")},
            ("namespace", "billingg", "", "not_found", "namespace billingg does not exist"),
        ),
        (
            {"namespaces": ("shop", "empty")},
            ("namespace", "empty", "", "no_targets", "namespace empty has no pods"),
        ),
        (
            {"workloads": ("deploy/api", "Deployment/nonexist")},
            (
                "workload",
                "Deployment/nonexist",
                "shop",
                "no_targets",
                "no pod in namespace shop belongs to Deployment/nonexist",
            ),
        ),
        (
            {"workloads": ("Deployment/api", "Deployment/apii")},
            (
                "workload",
                "Deployment/apii",
                "shop",
                "no_targets",
                "no pod in namespace shop belongs to Deployment/apii, did you mean 'api'?",
            ),
        ),
        (
            {"pods": ("one", "api-2")},
            (
                "pod",
                "api-2",
                "shop",
                "no_targets",
                "there is no pod api-2 in namespace shop, did you mean 'api-1'?",
            ),
        ),
        (
            {"pods": ("one", "report-x")},
            (
                "pod",
                "report-x",
                "shop",
                "no_targets",
                "pod report-x gave no target in namespace shop: 1 container of pods that have ended, which finished_pods takes",
            ),
        ),
        (
            {"containers": ("app", "prox")},
            (
                "container",
                "prox",
                "shop",
                "no_targets",
                "there is no container prox in namespace shop, did you mean 'proxy'?",
            ),
        ),
        (
            {"workloads": ("Deployment/api", "CronJob/nightly")},
            (
                "workload",
                "CronJob/nightly",
                "shop",
                "no_targets",
                "workload CronJob/nightly gave no target in namespace shop: 1 container of pods that have ended, which "
                "finished_pods takes",
            ),
        ),
        (
            {"pods": ("one", "two"), "images": ("nginx:*",)},
            (
                "pod",
                "two",
                "shop",
                "no_targets",
                "pod two gave no target in namespace shop: images left out 1",
            ),
        ),
        (
            {"namespaces": ("shop", "billing"), "pods": ("zzz", "o*")},
            ("pod", "zzz", "", "no_targets", "there is no pod zzz in 2 namespaces"),
        ),
    ],
)
def test_a_plain_name_that_gives_nothing_is_told_and_warned_of(conditions, expected):
    chosen, report, warnings = looked(shop(), allow_empty=False, **conditions)
    assert chosen and expected in gaps(report)
    assert expected[-1] in warnings


@pytest.mark.parametrize(
    "conditions",
    [
        {"namespaces": ("shop", "nothing-*")},
        {"workloads": ("Deployment/api", "*/nothing", "Job/[xyz]")},
        {"pods": ("one", "nothing-*"), "containers": ("a??", "no*")},
        {"namespaces": ("shop", "billing"), "pods": ("api-1",)},
        {"namespaces": ("shop", "billing"), "exclude_namespaces": ("bill*",)},
        {"namespaces": ("shop", "billing"), "exclude_pods": ("api-1",)},
        {"workloads": ("Deployment/api", "Pod/two"), "exclude_workloads": ("Pod/two",)},
        {"pods": ("one", "two"), "exclude_pods": ("two",)},
        {"containers": ("app", "proxy"), "exclude_containers": ("proxy",)},
        {"pods": ("report-x",), "finished_pods": True},
        {"label_selectors": ("app=api",)},
    ],
)
def test_patterns_may_be_empty_and_what_is_excluded_is_no_gap(conditions):
    chosen, report, _warnings = looked(
        Api(namespaces=[namespace_object("shop")], **shop_lists()), **conditions
    )
    assert chosen and report.unmatched == []


def shop_lists():
    api = shop()
    return {
        "pods": {name: api.lists[f"/api/v1/namespaces/{name}/pods"] for name in ("shop", "billing")},
        "replicasets": SETS,
        "objects": NAMESPACES,
    }


def test_a_name_that_gives_something_in_one_namespace_is_matched_and_a_named_namespace_needs_something_itself():
    chosen, report, _warnings = looked(shop(), namespaces=("shop", "billing"), pods=("one",))
    assert chosen == ["shop/one/app"]
    assert [gap[:2] for gap in gaps(report)] == [("namespace", "billing")]
    assert gaps(report)[0][-1] == "namespace billing gave no target: pods left out 1"


def test_replicas_that_a_target_stands_for_are_matched():
    api = Api(pods=[pod("a", ("ReplicaSet", "api-5d")), pod("b", ("ReplicaSet", "api-5d"))], replicasets=SETS)
    chosen, report, _warnings = looked(api, replicas="one", pods=("a", "b"))
    assert chosen == ["shop/a/app"] and report.unmatched == []


def test_names_that_a_limit_cuts_off_are_not_matched():
    chosen, report, _warnings = looked(
        shop(), namespaces=("shop", "billing"), pods=("one", "two", "api-1"), limit=2
    )
    assert chosen == ["shop/api-1/app", "shop/api-1/proxy"]
    assert [gap[:2] for gap in gaps(report)] == [("namespace", "billing"), ("pod", "one"), ("pod", "two")]
    assert "before the limit of 2 was reached" in gaps(report)[1][-1]
    assert gaps(report)[0][-1] == "namespace billing was not looked into: the limit of 2 was reached before"


def test_a_namespace_that_a_limit_cuts_off_at_its_first_container_is_told_so():
    chosen, report, _warnings = looked(shop(), namespaces=("shop", "billing"), limit=4)
    assert len(chosen) == 4 and report.namespaces["billing"] == 1
    assert gaps(report)[0][-1] == "namespace billing gave no target: the limit of 4 was reached before"
    # one before it was read to its end
    _chosen, report, _warnings = looked(shop(), namespaces=("billing", "shop"), pods=("one", "two"), limit=1)
    assert gaps(report)[0][-1] == "namespace billing gave no target: pods left out 1" and report.limit_reached


@pytest.mark.parametrize(
    ("conditions", "cut_off"),
    [
        ({"namespaces": ("empty", "billing", "shop")}, ["shop"]),  # its first target is one too many
        (
            {"namespaces": ("empty", "shop", "billing"), "pods": ("one", "two", "nope")},
            ["billing", "two", "nope"],
        ),
        ({"namespaces": ("empty", "shop"), "images": ("x:1",), "pods": ("api-1", "one")}, ["one"]),
    ],
)
def test_what_a_limit_cuts_off_counts_where_nothing_has_to_be_there(conditions, cut_off):
    _chosen, report, _warnings = looked(shop(), limit=1, **conditions)
    found = [Unmatched.of(**name) for name in report.unmatched]
    assert [one.name for one in found if one.error.reason == "limit_reached"] == cut_off
    assert [one.name for one in gaps_of(found, allow_empty=True)] == cut_off
    assert len(found) == len(cut_off) + 1, "empty was read to its end"


def test_a_namespace_that_perhaps_is_not_there_counts_where_nothing_has_to_be_there():
    api = shop()
    api.objects = {**NAMESPACES, "/api/v1/namespaces/empty": FORBIDDEN}
    _chosen, report, _warnings = looked(api, namespaces=("shop", "empty"))
    assert [gap[:4] for gap in gaps(report)] == [("namespace", "empty", "", "not_permitted")]
    assert gaps_of([Unmatched.of(**name) for name in report.unmatched], allow_empty=True)


def test_a_namespace_that_must_not_be_listed_is_told_and_the_others_are_read():
    chosen, report, warnings = looked(shop(secret=FORBIDDEN), namespaces=("secret", "billing"))
    assert chosen == ["billing/api-1/app"]
    assert [gap[:4] for gap in gaps(report)] == [("namespace", "secret", "", "not_permitted")]
    assert warnings[0].startswith("namespace secret could not be looked into: GET pods: no.")


def test_a_pattern_that_finds_a_namespace_which_must_not_be_listed_does_not_hide_it():
    api = shop(secret=FORBIDDEN)
    api.lists["/api/v1/namespaces"] = [namespace_object(name) for name in ("billing", "secret")]
    chosen, report, _warnings = looked(api, namespaces=("*",))
    assert chosen == ["billing/api-1/app"] and [gap[1] for gap in gaps(report)] == ["secret"]


@pytest.mark.parametrize("reason", ["server_error", "connection_lost", "bad_reply", "timed_out"])
@pytest.mark.parametrize("replicas", ["all", "one"])
def test_a_list_that_breaks_off_keeps_what_was_read_and_is_told(reason, replicas):
    def breaks(_query):
        yield pod("first", ("ReplicaSet", "api-5d"), namespace="half")
        raise ScanError(reason, "broken")

    api = shop(half=breaks)
    api.lists["/apis/apps/v1/namespaces/half/replicasets"] = SETS
    chosen, report, _warnings = looked(api, namespaces=("half", "billing"), replicas=replicas)
    assert chosen == ["half/first/app", "billing/api-1/app"]
    assert [gap[:4] for gap in gaps(report)] == [("namespace", "half", "", reason)]


def test_a_cluster_that_is_not_well_is_given_up():
    trouble = ScanError("timed_out", "slow")
    api = shop(**{f"n{number}": trouble for number in range(9)})
    with pytest.raises(ScanError, match="timed_out"):
        looked(api, namespaces=tuple(f"n{number}" for number in range(9)))
    assert sum("/pods" in path for path, _query in api.asked) == 4


@pytest.mark.parametrize("reason", ["unreachable", "not_authenticated", "cancelled", "tls_failed"])
def test_what_is_the_matter_with_the_whole_cluster_ends_the_selection(reason):
    with pytest.raises(ScanError, match=reason):
        looked(shop(billing=ScanError(reason, "x")), namespaces=("billing", "shop"))


@pytest.mark.parametrize("allow_empty", [False, True])
def test_where_no_namespace_can_be_looked_into_that_is_the_error(allow_empty):
    with pytest.raises(ScanError, match="SCAN-205"):
        looked(shop(secret=FORBIDDEN), allow_empty, namespaces=("secret",))


def test_owners_that_must_not_be_listed_are_the_matter_of_their_namespace():
    api = shop()
    api.lists["/apis/apps/v1/namespaces/shop/replicasets"] = FORBIDDEN
    chosen, report, _warnings = looked(api, namespaces=("shop", "billing"), workloads=("Pod/*",))
    assert "billing/api-1/app" in chosen
    assert [gap[:4] for gap in gaps(report)] == [("namespace", "shop", "", "not_permitted")]


def ended(name, phase, **status):
    found = pod(name, state={"terminated": {"reason": "Completed"}})
    found["status"].update(phase=phase, **status)
    return found


def test_pods_that_have_ended_are_left_out_and_counted_by_their_containers():
    evicted = ended("evicted", "Failed", reason="Evicted", containerStatuses=[])
    still = ended("still", "Failed")
    still["status"]["containerStatuses"][0]["state"] = {"running": {}}
    finishing = pod("finishing", state={"terminated": {"reason": "Completed"}})
    deleted = pod("deleted", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    api = Api(pods=[ended("done", "Succeeded"), evicted, still, finishing, deleted], objects=NAMESPACES)
    chosen, report, _warnings = looked(api)
    assert chosen == ["shop/still/app", "shop/finishing/app", "shop/deleted/app"]
    assert report.left_out_by_no_option() == {"finished": 2} and report.unmatched == []
    chosen, report, _warnings = looked(api, finished_pods=True)
    assert len(chosen) == 5 and report.left_out_by_no_option() == {}


def test_nothing_but_pods_that_have_ended_names_the_option_that_takes_them():
    api = Api(pods=[ended("done", "Succeeded")], objects=NAMESPACES)
    with pytest.raises(ScanError, match="SCAN-401") as caught:
        looked(api, allow_empty=False)
    assert caught.value.advice.startswith("Set finished_pods") and "finished left out 1" in caught.value.cause


def test_names_that_leave_nothing_out_and_images_that_nothing_runs_are_warned_of():
    _chosen, report, warnings = looked(
        shop(),
        exclude_pods=("one", "threee", "p*"),
        exclude_workloads=("Deployment/apii", "Pod/one"),
        exclude_containers=("proxi",),
        images=("x:1", "gone:1", "nothing*"),
        exclude_images=("y:1",),
        exclude_namespaces=("not-known-without-a-list",),
    )
    assert report.unmatched == []
    assert warnings == [
        "exclude_containers: nothing that was looked at is proxi",
        "exclude_images: nothing that was looked at is y:1",
        "exclude_pods: nothing that was looked at is threee",
        "exclude_workloads: nothing that was looked at is Deployment/apii, Pod/one",
        "images: nothing that was looked at is gone:1",
    ]


def test_no_request_is_made_for_names_that_gave_something():
    api = shop()
    looked(api, namespaces=("billing",), pods=("api-1",), containers=("app",), exclude_pods=("x",))
    assert [path for path, _query in api.asked] == ["/api/v1/namespaces/billing/pods"]
