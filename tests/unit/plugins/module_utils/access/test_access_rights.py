# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scanner's Role holds for each approach, and which access serves which scan."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import Grant, PodRef, parts
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.rights import covers, rules
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.scanner import (
    approach_of,
    check_covers,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError


def held(approach):
    return {(rule["resources"][0], verb) for rule in rules(approach, ["a", "b"]) for verb in rule["verbs"]}


def test_debug_adds_one_verb_to_what_exec_has():
    assert held("exec") == {("pods", "get"), ("pods/exec", "get"), ("pods/exec", "create")}
    assert held("debug") - held("exec") == {("pods/ephemeralcontainers", "patch")}


@pytest.mark.parametrize("approach", ["exec", "debug"])
def test_every_rule_names_its_pods(approach):
    assert all(
        rule["resourceNames"] == ["a", "b"] and rule["apiGroups"] == [""]
        for rule in rules(approach, ["a", "b"])
    )


def test_more_rules_make_smaller_parts():
    pods = tuple(PodRef((f"pod-{number:04d}-").ljust(253, "x"), "u") for number in range(5000))
    sizes = {
        approach: max(sum(len(pod.name) for pod in part) for part in parts(Grant("shop", pods, approach)))
        for approach in ("exec", "debug")
    }
    assert sizes["debug"] * 3 <= 512 * 1024 and sizes["exec"] * 2 <= 512 * 1024


def test_an_access_for_debug_serves_exec_and_not_the_other_way_round():
    assert covers("debug", "exec") and covers("debug", "debug") and not covers("exec", "debug")
    check_covers({"approach": "debug"}, "exec")
    with pytest.raises(ScanError) as caught:
        check_covers({"approach": "exec"}, "debug")
    assert caught.value.reason == "bad_option" and "approach=debug" in caught.value.advice


@pytest.mark.parametrize("approach", ["", "everything", None, ["exec"]])
def test_an_approach_that_there_is_not(approach):
    with pytest.raises(ScanError) as caught:
        approach_of({"approach": approach})
    assert caught.value.reason == "bad_option"
