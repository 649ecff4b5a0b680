# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selection: which containers are meant, by namespace, pod, container and image, and a limit."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import (
    sidecar_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    SelectionReport,
    check_selected,
    resolve_namespaces,
    select_pods,
    select_targets,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_pods import (
    DIGEST,
    Api,
    namespace_object,
    owned,
    paths,
    pod,
    select,
)

NAMESPACES = [namespace_object(name) for name in ("kube-system", "shop", "shop-eu", "shop-old")]


@pytest.mark.parametrize(
    ("image_id", "digest"),
    [
        ("docker.io/library/x@" + DIGEST, DIGEST),
        (DIGEST, ""),
        ("", ""),
        ("docker.io/library/x@sha256:short", ""),
        (f"docker.io/library/x@{DIGEST}\n", ""),
    ],
)
def test_only_a_registry_digest_is_a_digest(image_id, digest):
    (selected,) = select(Api(pods=[pod("a", image_id=image_id)]))
    assert (selected.target.image_id, selected.target.image_digest) == (image_id, digest)


def test_patterns_choose_pods_and_containers():
    api = Api(pods=[pod("api-1", containers=("app", "proxy")), pod("web-1")])
    assert paths(select(api, pods=("api-*",), containers=("pro?y",))) == ["shop/api-1/proxy"]


def test_exclusions_take_away():
    api = Api(pods=[pod("api-1", containers=("app", "proxy")), pod("web-1"), pod("web-2")])
    assert paths(select(api, exclude_pods=("web-2",), exclude_containers=("proxy",))) == [
        "shop/api-1/app",
        "shop/web-1/app",
    ]
    assert paths(select(api, pods=("web-*",), exclude_pods=("*-[!1]",))) == ["shop/web-1/app"]


@pytest.mark.parametrize(
    ("images", "chosen"),
    [
        (("registry.local/team/*",), ["a"]),
        (("*:2",), ["b"]),
        (("*@" + DIGEST,), ["a"]),
        (("nginx",), []),
        (("nginx:2", "registry.local/team/x:1"), ["a", "b"]),
    ],
)
def test_images_are_known_by_reference_and_by_id(images, chosen):
    api = Api(
        pods=[
            pod("a", image="registry.local/team/x:1", image_id="registry.local/team/x@" + DIGEST),
            pod("b", image="nginx:2", image_id="sha256:" + "b" * 64),
        ]
    )
    assert [each.target.pod for each in select(api, images=images)] == chosen
    assert [each.target.pod for each in select(api, exclude_images=images)] == sorted(
        {"a", "b"} - set(chosen)
    )


def test_selectors_go_to_the_server():
    api = Api(pods=[])
    select(api, label_selectors=("a=b", "c in (d)"), field_selectors=("spec.nodeName=n1",))
    assert api.asked[0][1] == {"labelSelector": "a=b,c in (d)", "fieldSelector": "spec.nodeName=n1"}


def test_namespaces_by_name_need_no_list():
    api = Api(namespaces=ScanError("not_permitted", "no"))
    assert resolve_namespaces(api, Selection(namespaces=("b", "a", "b"))) == ["b", "a"]
    assert api.asked == []


def test_namespaces_by_pattern_are_resolved_and_named_once():
    api = Api(namespaces=NAMESPACES)
    selection = Selection(namespaces=("shop", "shop*", "gone"), exclude_namespaces=("*-old",))
    assert resolve_namespaces(api, selection) == ["shop", "gone", "shop-eu"]


def test_namespaces_by_label_alone_and_with_names():
    api = Api(namespaces=NAMESPACES)
    assert resolve_namespaces(api, Selection(namespace_selectors=("team=a", "!old"))) == [
        "kube-system",
        "shop",
        "shop-eu",
        "shop-old",
    ]
    assert api.asked == [("/api/v1/namespaces", {"labelSelector": "team=a,!old"})]
    # a namespace that is named, but lacks the label, is not on the server's list
    both = Selection(namespaces=("shop", "other"), namespace_selectors=("team=a",))
    assert resolve_namespaces(api, both) == ["shop"]


def test_a_pattern_without_the_right_to_list_says_what_to_do():
    with pytest.raises(ScanError, match="SCAN-205") as caught:
        resolve_namespaces(Api(namespaces=ScanError("not_permitted", "no")), Selection(namespaces=("*",)))
    assert "Name the namespaces" in str(caught.value)


def bad_request(*bad):
    """An API that refuses a request which holds one of the parameters."""
    return lambda query: ScanError("invalid_request", "cannot parse") if set(bad) & set(query) else []


@pytest.mark.parametrize(
    ("conditions", "refused", "option"),
    [
        ({"label_selectors": ("a=b=c",)}, ["labelSelector"], "label_selectors"),
        ({"field_selectors": ("x",)}, ["fieldSelector"], "field_selectors"),
        ({"label_selectors": ("a",), "field_selectors": ("x",)}, ["fieldSelector"], "field_selectors"),
        ({"label_selectors": ("a=b=c",), "field_selectors": ("x=y",)}, ["labelSelector"], "label_selectors"),
    ],
)
def test_a_selector_that_the_server_refuses_names_its_option(conditions, refused, option):
    with pytest.raises(ScanError, match="SCAN-102") as caught:
        select(Api(pods=bad_request(*refused)), **conditions)
    assert f"the option {option}" in caught.value.tried
    assert conditions[option][0] in caught.value.message


def test_a_namespace_selector_that_the_server_refuses_names_its_option():
    api = Api()
    api.lists["/api/v1/namespaces"] = bad_request("labelSelector")
    with pytest.raises(ScanError, match="SCAN-102") as caught:
        select(api, namespaces=(), namespace_selectors=("a===b",))
    assert "namespace_selectors" in caught.value.tried


def test_any_other_failure_of_the_list_is_itself():
    with pytest.raises(ScanError, match="SCAN-209"):
        select(Api(pods=ScanError("server_error", "no")), label_selectors=("a=b",))


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"metadata": {"name": "a"}, "spec": {}, "status": {}},
        {"metadata": {"name": "a", "uid": "1", "namespace": "other"}, "spec": {}, "status": {}},
    ],
)
def test_what_is_no_pod_of_the_namespace_is_no_reply(item):
    with pytest.raises(ScanError, match="SCAN-210"):
        select(Api(pods=[item]))


@pytest.mark.parametrize(
    ("broken", "container", "flaw"),
    [
        ({"spec": None, "status": {}}, "unknown", "spec is missing"),
        ({"spec": {}}, "unknown", "status is missing"),
        ({"spec": {"containers": [{}]}, "status": {}}, "unknown", "spec.containers[0].name is missing"),
        (
            {"spec": {"containers": [{"name": "web"}]}, "status": {"containerStatuses": "x"}},
            "web",
            "status.containerStatuses is a text, not a list",
        ),
    ],
)
def test_a_pod_of_wrong_types_is_a_target_of_its_own_that_says_so(broken, container, flaw):
    identity = {"metadata": {"name": "a", "uid": "1", "namespace": "shop"}}
    found = select(Api(pods=[pod("b"), {**identity, **broken}, pod("c")]))
    assert [(each.target.pod, each.flaw) for each in found] == [("b", ""), ("a", flaw), ("c", "")]
    assert (found[1].target.container, found[1].target.state) == (container, "unknown")


def test_windows_is_told_from_the_pod():
    selected = select(
        Api(
            pods=[
                pod("w", os={"name": "windows"}),
                pod("x"),
                pod("v", nodeSelector={"kubernetes.io/os": "windows"}),
            ]
        )
    )
    assert [each.operating_system for each in selected] == ["windows", "linux", "windows"]


def test_kinds_of_containers():
    each = pod(
        "a",
        initContainers=[
            {"name": "setup", "image": "i"},
            {"name": "mesh", "image": "m", "restartPolicy": "Always"},
        ],
        ephemeralContainers=[{"name": "debug", "image": "d"}],
    )

    def chosen(*kinds):
        return [
            (found.target.container, found.target.container_kind)
            for found in select(Api(pods=[each]), container_kinds=kinds)
        ]

    # a sidecar belongs to what runs all the time
    assert chosen("container") == [("app", "container"), ("mesh", "init")]
    assert chosen("init") == [("setup", "init"), ("mesh", "init")]
    assert chosen("ephemeral") == [("debug", "ephemeral")]
    assert len(chosen("container", "init", "ephemeral")) == 4


def test_only_what_is_proven_to_be_a_sidecar_of_scans_is_left_out_and_it_is_counted():
    ours = sidecar_container(1, 1, "scanner:1")
    fake = dict(sidecar_container(2, 2, "evil:1"), env=[{"name": "LD_PRELOAD", "value": "/x"}])
    api = Api(pods=[pod("a", initContainers=[ours, fake])])

    def chosen(**changes):
        looked_at = SelectionReport()
        found = list(select_targets(api, "c", Selection(namespaces=("shop",), **changes), looked_at))
        return [one.target.container for one in found], looked_at.left_out_by_no_option()

    assert chosen(scanner_image="scanner:1") == (["app", fake["name"]], {"own_sidecar": 1})
    # nothing proves that it is ours where nobody says which image ours have
    assert chosen() == (["app", ours["name"], fake["name"]], {})
    assert chosen(scanner_image="evil:1") == (["app", ours["name"], fake["name"]], {})


def test_a_limit_is_kept_over_namespaces_and_said():
    api = Api(pods={"shop": [pod("a"), pod("b")], "eu": [pod("c", namespace="eu"), pod("d", namespace="eu")]})
    looked_at = SelectionReport()
    selection = Selection(namespaces=("shop", "eu", "never"), limit=3)
    assert paths(select_targets(api, "c", selection, looked_at)) == ["shop/a/app", "shop/b/app", "eu/c/app"]
    assert looked_at.limit_reached and "never" not in looked_at.namespaces
    assert check_selected(api, selection, looked_at, allow_empty=False) == [
        "namespace never was not looked into: the limit of 3 was reached before",
        "limit: 3 containers were selected; more match and were left out",
    ]


def test_a_limit_that_leaves_nothing_out_is_no_warning():
    api, looked_at = Api(pods=[pod("a"), pod("b")]), SelectionReport()
    selection = Selection(namespaces=("shop",), limit=2)
    assert len(list(select_targets(api, "c", selection, looked_at))) == 2
    assert check_selected(api, selection, looked_at, allow_empty=False) == []


@pytest.mark.parametrize(
    "conditions",
    [
        {"workloads": ("Deployment/api",)},
        {"exclude_workloads": ("Deployment/*",)},
        {"images": ("*:2",)},
        {"containers": ("proxy",)},
        {"exclude_containers": ("app",)},
        {"container_kinds": ("init",)},
        {"limit": 2},
        {"replicas": "one"},
        {},
    ],
)
def test_pods_are_those_of_the_targets(conditions):
    replica = {
        "owner": ("ReplicaSet", "api-5d"),
        "containers": ("app", "proxy"),
        "labels": {"pod-template-hash": "5d"},
    }
    api = Api(
        pods=[
            pod("api-1", **replica),
            pod("api-2", **replica),
            pod("web", image="y:2"),
            pod("i", initContainers=[{"name": "s", "image": "i:1"}]),
        ],
        replicasets=[owned("api-5d", "Deployment", "api")],
    )
    selection = Selection(namespaces=("shop",), **conditions)
    targets = list(select_targets(api, "c", selection))
    pods = list(select_pods(api, "shop", selection))
    assert targets
    assert sorted(each["metadata"]["name"] for each in pods) == sorted({each.target.pod for each in targets})


def test_a_snapshot_is_small_and_whole():
    snapshot = PodSnapshot.from_object(pod("a"))
    assert snapshot.object()["metadata"]["annotations"] == {"kept": "yes"}
    assert "managedFields" not in snapshot.object()["metadata"]
    assert snapshot.object()["spec"]["nodeName"] == "n1"


def test_identity_names_the_target_over_a_fleet():
    (selected,) = select(Api(pods=[pod("bare")]))
    assert selected.target.identity()["target_id"] == "c/shop/Pod/bare/bare/app"


def test_ten_thousand_containers_of_a_pod_are_bounded_by_the_limit():
    api = Api(pods=[pod("a", containers=[f"c{number}" for number in range(10_000)])])
    assert len(select(api)) == 10_000
    chosen = select(api, limit=5000)
    attack_ends_as("H-13-many-containers", outcome=f"the limit of {len(chosen)} is kept")
