# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that forbid approaches: what they hold for, what of an access is left, and which rules are refused."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import Grant, PodRef
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.rights import rules
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.choice import ApproachOptions
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
    DebugOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.forbidden import (
    permitted,
    read_rules,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import (
    ImageOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.granted_pods import grants_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget

WAYS = ("exec", "debug", "image")


def pod(namespace="prod-a", **labels):
    return {
        "metadata": {"name": "p", "namespace": namespace, "uid": "u", "labels": labels},
        "spec": {},
        "status": {},
    }


def left(rule, **place):
    return permitted(read_rules([rule]), WAYS, pod(**place))


def target(name, namespace="prod-a", **labels):
    made = pod(namespace, **labels)
    made["metadata"].update(name=name, uid="uid-" + name)
    return SelectedTarget(
        Target("c", namespace, "Pod", name, name, "uid-" + name, "app"), PodSnapshot.from_object(made)
    )


def test_a_rule_holds_where_all_its_conditions_do():
    rule = {"approaches": ["debug"], "namespaces": ["prod-*", "pay"], "label_selectors": ["tier=db", "!open"]}
    assert left(rule, tier="db") == left(rule, namespace="pay", tier="db") == ("exec", "image")
    for place in ({}, {"tier": "web"}, {"tier": "db", "open": "yes"}, {"namespace": "dev", "tier": "db"}):
        assert left(rule, **place) == WAYS
    assert left({"approaches": ["exec", "debug"], "namespaces": ["*"]}) == ("image",)
    assert left({"approaches": ["image"], "label_selectors": ["tier"]}, tier="") == ("exec", "debug")


def test_no_rule_allows_what_another_forbids():
    both = read_rules(
        [{"approaches": ["debug"], "namespaces": ["*"]}, {"approaches": ["exec"], "namespaces": ["prod-a"]}]
    )
    assert permitted(both, WAYS, pod()) == ("image",)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"approaches": [], "namespaces": ["*"]}, "no approach"),
        ({"approaches": ["debug"]}, "neither namespaces nor"),
        ({"approaches": ["debug"], "namespaces": ["Prod"]}, "neither a name"),
        ({"approaches": ["debug"], "namespaces": [""]}, "neither a name"),
        ({"approaches": ["debug"], "label_selectors": [""]}, "not a label selector"),
        (
            {"approaches": ["debug"], "namespaces": ["a"], "label_selectors": ["tier in db"]},
            "not a label selector",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule, words):
    with pytest.raises(ScanError, match=words) as caught:
        read_rules([{"approaches": ["exec"], "namespaces": ["*"]}, rule])
    assert caught.value.reason == "bad_option" and "forbidden_approaches[1]" in caught.value.tried


def test_the_refusal_names_rule_and_reason():
    options = ApproachOptions(
        "debug",
        DebugOptions("x"),
        ImageOptions("", "x"),
        forbidden=read_rules(
            [{"approaches": ["debug"], "namespaces": ["prod-*"], "reason": "freeze\nCHG-1"}]
        ),
    )
    (refusal,) = options.refusals(target("a"))
    assert (
        refusal.reason == "approach_forbidden" and refusal.message == "debug is forbidden here: freeze CHG-1"
    )
    assert refusal.cause == "forbidden_approaches[0] forbids it for namespaces prod-*."
    assert options.refusals(target("a", "dev")) == []


def test_the_access_holds_nothing_for_what_is_forbidden():
    forbidden = read_rules(
        [
            {"approaches": ["debug"], "label_selectors": ["tier=db"]},
            {"approaches": ["exec"], "label_selectors": ["shell=no"]},
        ]
    )
    targets = [
        target("free"),
        target("db", tier="db"),
        target("closed", tier="db", shell="no"),
        target("beside", shell="no"),
    ]
    (grant,) = grants_of(targets, "debug", WAYS, forbidden)
    assert grant.pods == (
        PodRef("free", "uid-free"),
        PodRef("db", "uid-db", "exec"),
        PodRef("beside", "uid-beside"),
    )
    made = {
        rule["resources"][0]: rule["resourceNames"]
        for rule in rules("debug", [pod.name for pod in grant.pods], grant.less)
    }
    assert made == {
        "pods/exec": ["free", "db", "beside"],
        "pods": ["free", "db", "beside"],
        "pods/ephemeralcontainers": ["free", "beside"],
    }
    (by_debug,) = grants_of(targets, "debug", ("debug",), forbidden)
    assert [pod.name for pod in by_debug.pods] == ["free", "beside"]
    assert grants_of([target("db", tier="db")], "debug", ("debug",), forbidden) == []


def test_no_rule_without_names_is_made():
    """RBAC takes one for a rule over all pods."""
    grant = Grant("shop", (PodRef("a", "u", "exec"),), "debug")
    assert [rule["resources"] for rule in rules("debug", ["a"], grant.less)] == [["pods/exec"], ["pods"]]
