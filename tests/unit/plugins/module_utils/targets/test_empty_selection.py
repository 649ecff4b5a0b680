# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing was selected: the error says what was looked at."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    SelectionReport,
    check_selected,
    select_targets,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_pods import (
    Api,
    namespace_object,
    pod,
)

SHOP = {"/api/v1/namespaces/shop": namespace_object("shop")}


def check(api, allow_empty=False, **conditions):
    selection, looked_at = Selection(**{"namespaces": ("shop",), **conditions}), SelectionReport()
    list(select_targets(api, "c", selection, looked_at))
    return check_selected(api, selection, looked_at, allow_empty)


def refused(api, **conditions):
    with pytest.raises(ScanError, match="SCAN-401") as caught:
        check(api, **conditions)
    return caught.value


@pytest.mark.parametrize(
    ("conditions", "cause", "advice"),
    [
        (
            {"pods": ("x*",)},
            "Looked into 1 namespace (shop): 2 pods (pods left out 2)",
            "Correct pods, or set allow_empty.",
        ),
        (
            {"workloads": ("Deployment/*",)},
            "Looked into 1 namespace (shop): 2 pods (workloads left out 2)",
            "Correct workloads, or set allow_empty.",
        ),
        (
            {"exclude_pods": ("a",), "exclude_workloads": ("Pod/b",)},
            "Looked into 1 namespace (shop): 2 pods (exclude_pods left out 1, exclude_workloads left out 1)",
            "Correct exclude_pods or exclude_workloads, or set allow_empty.",
        ),
        (
            {"containers": ("x",), "exclude_pods": ("a",)},
            "Looked into 1 namespace (shop): 2 pods (exclude_pods left out 1), 2 containers (containers "
            "left out 2); there is no container x in namespace shop",
            "Correct exclude_pods or containers, or set allow_empty.",
        ),
        (
            {"container_kinds": ("init",)},
            "Looked into 1 namespace (shop): 2 pods, 3 containers (container_kinds left out 3)",
            "Correct container_kinds, or set allow_empty.",
        ),
        (
            {"images": ("y*",)},
            "Looked into 1 namespace (shop): 2 pods, 3 containers (images left out 3)",
            "Correct images, or set allow_empty.",
        ),
    ],
)
def test_each_condition_is_counted_once(conditions, cause, advice):
    error = refused(Api(pods=[pod("a"), pod("b", containers=("app", "proxy"))]), **conditions)
    assert (error.cause, error.advice) == (cause + ".", advice)


def test_selectors_that_no_pod_meets():
    def meeting(query):
        return [] if "labelSelector" in query else [pod("a")]

    error = refused(Api(pods=meeting, objects=SHOP), label_selectors=("app=x",))
    assert error.cause == (
        "Looked into 1 namespace (shop): 0 pods; shop has pods, but none that meets label_selectors."
    )
    assert error.advice == "Correct label_selectors, or set allow_empty."


def test_a_namespace_without_pods():
    error = refused(Api(objects=SHOP), label_selectors=("app=x",))
    assert error.cause == "Looked into 1 namespace (shop): 0 pods."


def test_a_namespace_that_does_not_exist_and_one_that_may_not():
    error = refused(Api())
    assert error.cause == "Looked into 1 namespace (shop): 0 pods; namespace shop does not exist."
    error = refused(Api(objects={"/api/v1/namespaces/shop": ScanError("not_permitted", "no")}))
    assert (
        "namespace shop has no pods or does not exist; the credential is not allowed to read namespaces"
        in error.cause
    )


def test_a_missing_namespace_beside_others_is_a_warning():
    assert check(Api(pods=[pod("a")]), namespaces=("shop", "shpo")) == ["namespace shpo does not exist"]


def test_nothing_is_asked_when_something_was_found():
    api = Api(pods=[pod("a")])
    assert check(api) == []
    assert len(api.asked) == 1


def test_no_namespace():
    api = Api(namespaces=[namespace_object("shop"), namespace_object("shop-eu"), namespace_object("other")])
    error = refused(api, namespaces=("shop*",), exclude_namespaces=("shop*",))
    assert (
        error.cause == "No namespace was looked into; namespaces left out 1, exclude_namespaces left out 2."
    )
    error = refused(Api(), namespaces=(), namespace_selectors=("team=x",))
    assert error.advice == "Correct namespace_selectors, or set allow_empty."


def test_many_namespaces_are_not_all_named():
    api = Api(namespaces=[namespace_object(f"n{number}") for number in range(9)])
    assert "9 namespaces (n0, n1, n2, n3, n4, ...): 0 pods" in refused(api, namespaces=("*",)).cause


def test_empty_may_be_allowed():
    assert check(Api(objects=SHOP), allow_empty=True) == []
    assert check(Api(), allow_empty=True) == ["namespace shop does not exist"]
