# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_guard from its options to its result: the guard's objects are made, corrected and removed, and nobody else's."""

from __future__ import annotations

import difflib
import json
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils import counted_yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard import GROUP_VERSION
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard_terms import (
    EPHEMERAL,
    EXEC,
    HELPER,
    WRITES,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard_terms import (
    POLICIES as NAMES,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.guard import scan_guard_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.guard import run_scan_guard
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner

POLICIES = f"/apis/{GROUP_VERSION}/validatingadmissionpolicies/"
BINDINGS = f"/apis/{GROUP_VERSION}/validatingadmissionpolicybindings/"


@pytest.fixture
def guard(server: FakeApiServer) -> TaskRunner:
    return TaskRunner(server, run_scan_guard, scan_guard_spec)


def writes(server: FakeApiServer) -> list[str]:
    """What was really written, dry runs apart."""
    return [request.method for request in server.requests if request.method != "GET" and not request.query]


def test_without_pyyaml_nothing_is_asked_for(
    guard: TaskRunner, server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted_yaml, "yaml", None)
    with pytest.raises(ScanError, match="PyYAML") as caught:
        guard()
    assert caught.value.reason == "missing_library" and server.requests == []


def test_it_is_made_and_found_as_it_is_wanted_the_next_time(guard: TaskRunner, server: FakeApiServer) -> None:
    result = guard()
    assert result["changed"] and result["policies"] == list(NAMES)
    assert server.objects.paths() == sorted(
        [POLICIES + name for name in NAMES] + [BINDINGS + name for name in NAMES]
    )
    assert result["diff"][0]["before"] == "" and len(yaml.safe_load(result["diff"][0]["after"])) == 2 * len(
        NAMES
    )
    assert len(result["diff"][0]["after"].splitlines()) < 60, "what is made is told in a few words"
    assert (
        "validations: " in result["diff"][0]["after"] and "failurePolicy: Fail" in result["diff"][0]["after"]
    )
    server.requests.clear()
    again = guard()
    assert not again["changed"] and again["diff"] == [] and writes(server) == []


def test_each_policy_stands_before_the_binding_that_names_it(
    guard: TaskRunner, server: FakeApiServer
) -> None:
    guard()
    made = [request.path for request in server.requests if request.method == "POST"]
    assert made == [POLICIES.rstrip("/"), BINDINGS.rstrip("/")] * len(NAMES)


def test_an_exception_that_somebody_put_into_it_is_taken_out(
    guard: TaskRunner, server: FakeApiServer
) -> None:
    guard()
    path = POLICIES + EXEC
    weakened = server.objects.find(path)
    assert weakened is not None
    wanted = json.loads(json.dumps(weakened["spec"]))
    weakened["spec"]["matchConditions"].append({"name": "but-not-mallory", "expression": "false"})
    weakened["spec"]["failurePolicy"] = "Ignore"
    server.objects.put(path, weakened)
    server.requests.clear()
    result = guard()
    after = server.objects.find(path)
    assert (
        after is not None
        and after["spec"] == wanted
        and after["metadata"]["uid"] == weakened["metadata"]["uid"]
    )
    assert writes(server) == ["PATCH"] and result["changed"]
    assert (
        "but-not-mallory" in result["diff"][0]["before"]
        and "but-not-mallory" not in result["diff"][0]["after"]
    )
    assert list(yaml.safe_load(result["diff"][0]["after"])) == [f"ValidatingAdmissionPolicy {EXEC}"], (
        "the others' are shown"
    )
    sides = [result["diff"][0][side].splitlines() for side in ("before", "after")]
    shown = [line for line in difflib.unified_diff(*sides, n=0) if line[:1] in "+-"]
    assert len(shown) < 10, "Ansible shows the lines that differ"


def test_a_policy_that_was_made_anew_meanwhile_is_not_overwritten(
    guard: TaskRunner, server: FakeApiServer
) -> None:
    guard()
    path = POLICIES + EXEC
    changed = server.objects.find(path)
    assert changed is not None
    changed["spec"]["failurePolicy"] = "Ignore"
    server.objects.put(path, changed)
    others = {"metadata": {"name": EXEC, "uid": "another"}, "spec": {"failurePolicy": "Ignore"}}
    server.faults.append(
        Fault("meanwhile", on="PATCH", times=1, action=lambda: server.objects.put(path, others))
    )
    with pytest.raises(ScanError):
        guard()
    assert server.objects.find(path)["spec"] == others["spec"]  # type: ignore[index]


def test_check_mode_asks_by_dry_runs_and_changes_nothing(guard: TaskRunner, server: FakeApiServer) -> None:
    planned = guard(check_mode=True)
    assert server.objects.paths() == [] and writes(server) == []
    assert {request.method for request in server.requests} == {"GET", "POST"}
    assert planned["changed"] and planned["diff"] == guard()["diff"]
    server.requests.clear()
    removal = guard(check_mode=True, state="absent")
    assert removal["changed"] and len(server.objects.paths()) == 2 * len(NAMES) and writes(server) == []
    changed = guard(check_mode=True, enter_targets=False)
    assert changed["changed"] and writes(server) == []
    assert list(yaml.safe_load(changed["diff"][0]["after"])) == [f"ValidatingAdmissionPolicy {EXEC}"]


def test_it_is_removed_bindings_first(guard: TaskRunner, server: FakeApiServer) -> None:
    guard()
    server.requests.clear()
    result = guard(state="absent", scanner_images=["registry.test/any:1"])
    assert result["changed"] and server.objects.paths() == [] and result["diff"][0]["after"] == ""
    removed = [request.path for request in server.requests if request.method == "DELETE"]
    # a policy without its binding does nothing; a binding without its policy would be a configuration error
    assert removed == [place + name for name in reversed(NAMES) for place in (BINDINGS, POLICIES)]
    assert not guard(state="absent")["changed"]


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("labels", [{}, {"app.kubernetes.io/managed-by": "helm"}])
def test_an_object_of_that_name_that_is_not_ours_stops_everything(
    guard: TaskRunner, server: FakeApiServer, state: str, labels: dict[str, str]
) -> None:
    guard()
    others: dict[str, Any] = {"metadata": {"labels": labels}, "spec": {"policyName": "x"}}
    server.objects.put(BINDINGS + WRITES, others)
    before = server.objects.paths()
    server.requests.clear()
    with pytest.raises(ScanError) as caught:
        guard(state=state)
    assert caught.value.reason == "conflict" and WRITES in caught.value.message
    assert writes(server) == [] and server.objects.paths() == before


def test_an_operator_who_is_not_allowed_to_is_told_of_the_first_refusal(
    guard: TaskRunner, server: FakeApiServer
) -> None:
    server.grants.deny = lambda user, method, path: "no policies for you" if method == "POST" else None
    with pytest.raises(ScanError) as caught:
        guard()
    assert caught.value.reason == "not_permitted" and server.objects.paths() == []


def test_an_option_changes_the_policies_that_it_is_about(guard: TaskRunner, server: FakeApiServer) -> None:
    guard()
    result = guard(scanner_images=["registry.test/scanner:1"])
    assert set(yaml.safe_load(result["diff"][0]["after"])) == {
        f"ValidatingAdmissionPolicy {EPHEMERAL}",
        f"ValidatingAdmissionPolicy {HELPER}",
    }
    assert "registry.test/scanner:1" in json.dumps(server.objects.find(POLICIES + HELPER))
