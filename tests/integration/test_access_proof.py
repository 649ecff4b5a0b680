# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of what a token cannot do, on the real API server: it holds, and a role that somebody gave to everybody ends it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import (
    API,
    run_task,
    wait_until_allowed,
)
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left

EVERYBODY = "system:serviceaccounts:shop"


@pytest.fixture
def too_wide(cluster) -> Iterator[None]:
    """All ServiceAccounts of the namespace are allowed to read most of it."""
    name = f"wide-{uuid.uuid4().hex[:6]}"
    binding = ("rolebinding", name, "-n", "shop")
    cluster.kubectl("create", *binding, "--clusterrole=view", f"--group={EVERYBODY}")
    wait_until_allowed(cluster, "system:serviceaccount:shop:default", "list", "configmaps", "shop")
    yield
    cluster.kubectl("delete", *binding)


@pytest.mark.parametrize("approach", ["exec", "debug"])
def test_a_scanner_is_refused_all_that_is_asked_listed_and_tried(
    approach, cluster, debug_operator_kubeconfig
) -> None:
    before = set(left(cluster).split())
    result = run_task(debug_operator_kubeconfig, state="proven", approach=approach, **API)
    proof = result["proof"]
    assert (proof["proven"], proof["allowed"], proof["pods"]) == (True, [], 2), proof
    assert proof["rules_incomplete"] == 0
    assert {"how": "tried", "what": "enter a pod that was not chosen"} in proof["refused"]
    assert set(left(cluster).split()) <= before


def test_a_role_that_somebody_gave_to_everybody_is_found_in_three_ways(
    cluster, operator_kubeconfig, too_wide
) -> None:
    before = set(left(cluster).split())
    result = run_task(operator_kubeconfig, state="proven", **API)
    assert (result["failed"], result["error"]["reason"]) == (True, "access_too_wide")
    found = {(one["how"], one["what"]) for one in result["proof"]["allowed"]}
    assert {("asked", "list pods"), ("tried", "list config maps"), ("listed", "get services")} <= found
    # `view` has no secrets
    assert ("asked", "get secrets") not in found
    assert set(left(cluster).split()) <= before


def test_the_playbook_keeps_the_proof_also_when_it_fails(playbooks, cluster, too_wide, tmp_path) -> None:
    file = tmp_path / "proof.json"
    run = playbooks.run(
        "securescan.kubernetes.access_proof", scan_namespaces="shop", scan_access_proof_file=str(file)
    )
    assert run.status != 0 and "access_too_wide" in run.output, run.output
    assert json.loads(file.read_text())["proven"] is False
