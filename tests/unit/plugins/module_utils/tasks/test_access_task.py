# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_access from its options to its result: an access made, found again, changed, removed and swept, with its diff."""

from __future__ import annotations

import json
import pathlib
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.packed_pods import unpack_pods
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell, run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import PODS, Cluster, Scan
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import beside_target

NAMESPACES = ["shop", "billing"]
RUN = "tests-1"
EXPIRES = "securescan.kubernetes/expires"


class AccessTask(TaskRunner):
    def __call__(self, state: str = "present", *, check_mode: bool = False, **changes: Any) -> dict[str, Any]:
        given = {"state": state, "run_id": RUN, **({"namespaces": NAMESPACES} if state == "present" else {})}
        return super().__call__(check_mode=check_mode, **{**given, **changes})


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    """Two namespaces, with a pod each."""
    cluster = Cluster(server, beside_target(pathlib.Path("/")))
    cluster.add_pod("web-1", run_locally)
    server.add_pod("billing", "ledger-1", {"app": no_shell})
    return cluster


@pytest.fixture
def access(cluster: Cluster) -> AccessTask:
    return AccessTask(cluster.server, run_scan_access, scan_access_spec)


def refusal(work: Callable[[], Any]) -> ScanError:
    with pytest.raises(ScanError) as caught:
        work()
    return caught.value


def writes(server: FakeApiServer) -> list[str]:
    return [request.method for request in server.requests if request.method != "GET"]


def refuse(server: FakeApiServer, method: str, part: str) -> None:
    """From now on the grantor is refused what is done by that method to what has that in its path."""
    server.grants.deny = lambda user, done, path: "no" if done == method and part in path else None


# present


def test_an_access_is_made_over_exactly_the_selected_pods(access: AccessTask, cluster: Cluster) -> None:
    result = access()
    assert result["changed"] and result["failures"] == [] and access.warnings == []
    assert {
        namespace: [pod.name for pod in pods]
        for namespace, pods in unpack_pods(result["access"]["packed_pods"]).items()
    } == {
        "shop": ["web-1"],
        "billing": ["ledger-1"],
    }
    assert result["access"]["run_id"] == RUN and result["access"]["approach"] == "exec"
    roles = [cluster.server.objects.find(path) or {} for path in cluster.objects("roles")]
    assert sorted({name for role in roles for rule in role["rules"] for name in rule["resourceNames"]}) == [
        "ledger-1",
        "web-1",
    ]
    assert [entry["before"] for entry in result["diff"]] == ["", ""]
    assert len(cluster.accesses()) == 6 and cluster.server.token not in json.dumps(result)


def test_asking_twice_changes_nothing(access: AccessTask, cluster: Cluster) -> None:
    first = access()
    cluster.server.requests.clear()
    second = access()
    assert not second["changed"] and writes(cluster.server) == [] and second["access"] == first["access"]
    assert all(entry["before"] == entry["after"] for entry in second["diff"])


def test_a_pod_that_came_since_is_taken_in_and_the_diff_shows_it(
    access: AccessTask, cluster: Cluster
) -> None:
    access()
    cluster.add_pod("web-2", run_locally)
    result = access()
    (changed,) = (entry for entry in result["diff"] if entry["before"] != entry["after"])
    assert (
        changed["after_header"] == "shop" and "web-2" in changed["after"] and "web-2" not in changed["before"]
    )
    assert result["changed"] and "web-2" in json.dumps(
        [cluster.server.objects.find(p) for p in cluster.objects("roles")]
    )


def test_check_mode_shows_the_same_diff_and_makes_nothing(access: AccessTask, cluster: Cluster) -> None:
    planned = access(check_mode=True)
    assert writes(cluster.server) == [] and cluster.accesses() == [] and planned["changed"]
    made = access()

    def timeless(result: dict[str, Any]) -> list[Any]:
        uids = {(cluster.server.objects.find(path) or {})["metadata"]["uid"] for path in cluster.accesses()}
        text = json.dumps(result["diff"])
        for uid in uids:
            text = text.replace(uid, "(known after creation)")
        found: list[Any] = json.loads(text)
        for entry in found:
            objects = json.loads(entry["after"])
            for item in objects.values():
                del item["metadata"]["labels"][EXPIRES]
            entry["after"] = objects
        return found

    assert timeless(planned) == timeless(made)


def test_a_namespace_that_refuses_is_left_as_it_was_and_the_other_stands(
    access: AccessTask, cluster: Cluster
) -> None:
    refuse(cluster.server, "POST", "/billing/rolebindings")
    result = access()
    assert (
        result["changed"] and result["failure_count"] == 1 and result["failures"][0]["namespace"] == "billing"
    )
    assert [entry["namespace"] for entry in result["access"]["refused"]] == ["billing"]
    assert "billing" in access.warnings[0] and "failed" not in result
    assert len(cluster.accesses()) == 3 and not any("/billing/" in path for path in cluster.accesses())


def test_where_every_namespace_refuses_the_task_fails(access: AccessTask, cluster: Cluster) -> None:
    refuse(cluster.server, "POST", "/roles")
    assert refusal(access).reason == "access_incomplete" and cluster.accesses() == []


@pytest.mark.parametrize("at", NAMESPACES)
def test_what_was_made_is_taken_back_when_it_is_cancelled(
    access: AccessTask, cluster: Cluster, at: str
) -> None:
    """In the first namespace, before the second was begun, and in the last, when all is made."""
    cluster.server.faults.append(Fault("meanwhile", on=f"POST .*/{at}/roles", action=access.cancel.set))
    assert refusal(access).reason == "cancelled" and cluster.accesses() == []


def test_pods_that_a_rule_forbids_are_not_part_of_it(access: AccessTask) -> None:
    rule = {"approaches": ["exec"], "namespaces": ["billing"], "label_selectors": [], "reason": "ledger"}
    assert list(unpack_pods(access(forbidden_approaches=[rule])["access"]["packed_pods"])) == ["shop"]


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"lifetime": 599}, "lifetime"),
        ({"lifetime": 86401}, "lifetime"),
        ({"run_id": "Not A Name"}, "run_id"),
        (
            {
                "forbidden_approaches": [
                    {"approaches": [], "namespaces": ["x"], "label_selectors": [], "reason": ""}
                ]
            },
            "forbidden",
        ),
    ],
)
def test_an_option_that_cannot_be_meant_makes_nothing(
    access: AccessTask, cluster: Cluster, changes: dict[str, Any], option: str
) -> None:
    error = refusal(lambda: access(**changes))
    assert error.reason == "bad_option" and option in str(error) and cluster.accesses() == []


def test_an_access_that_was_made_beforehand_serves_a_scan_which_leaves_it(
    access: AccessTask, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    made = access(namespaces=["shop"])["access"]
    there = cluster.accesses()
    scan = Scan(cluster, tmp_path)
    result = scan(access=made)
    assert scan.outcomes() == {"web-1": "exec"} and result["run_id"] == RUN and cluster.accesses() == there
    cluster.add_pod("web-2", run_locally)
    scan(access=made)
    assert scan.outcomes() == {"web-1": "exec", "web-2": "pod_replaced"}, (
        "a pod that the access does not name was entered"
    )
    with pytest.raises(ScanError) as caught:
        scan(access=made, approach="debug")
    assert caught.value.reason == "bad_option" and "approach=debug" in caught.value.advice


# The scanner's kubeconfig


def test_the_scanners_kubeconfig_is_private_written_once_and_removed_with_the_access(
    access: AccessTask, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "scanner"
    planned = access(check_mode=True, scanner_kubeconfig=str(path))
    assert not path.exists() and planned["scanner_kubeconfig"] == str(path)
    made = access(scanner_kubeconfig=str(path))
    written = json.loads(path.read_text(encoding="utf-8"))
    assert path.stat().st_mode & 0o777 == 0o600 and made["scanner_kubeconfig"] == str(path)
    tokens = [user["user"]["token"] for user in written["users"]]
    assert {cluster.server.grants.users[token] for token in tokens} == {
        f"system:serviceaccount:{namespace}:securescan-{RUN}" for namespace in NAMESPACES
    }
    assert not any(token in json.dumps(made) for token in tokens), "a token is in the result"
    again = access(scanner_kubeconfig=str(path))
    assert not again["changed"] and json.loads(path.read_text(encoding="utf-8")) == written
    gone = access("absent", scanner_kubeconfig=str(path))
    assert gone["changed"] and not path.exists() and gone["diff"][-1]["after"] == ""


def test_a_file_of_somebody_else_is_left_alone(
    access: AccessTask, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "mine"
    path.write_text("mine", encoding="utf-8")
    assert refusal(lambda: access(scanner_kubeconfig=str(path))).reason == "bad_option"
    assert cluster.accesses() == []
    access()
    assert access("absent", scanner_kubeconfig=str(path))["changed"] and cluster.accesses() == []
    assert "left alone" in access.warnings[0] and path.read_text(encoding="utf-8") == "mine"


def test_the_file_of_another_run_stays_when_an_access_is_removed(
    access: AccessTask, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "scanner"
    access(run_id="tests-2", scanner_kubeconfig=str(path))
    access()
    access("absent", scanner_kubeconfig=str(path))
    assert path.exists() and "tests-2" in access.warnings[0]


def test_an_access_whose_kubeconfig_cannot_be_made_does_not_stay(
    access: AccessTask, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    refuse(cluster.server, "POST", "/token")
    error = refusal(lambda: access(scanner_kubeconfig=str(tmp_path / "scanner")))
    assert error.reason == "not_permitted" and cluster.accesses() == [] and list(tmp_path.iterdir()) == []


# absent


@pytest.mark.parametrize("named", [NAMESPACES, []])
def test_it_is_removed_wherever_it_is(access: AccessTask, cluster: Cluster, named: list[str]) -> None:
    access()
    other = access(run_id="tests-2")["access"]["run_id"]
    result = access("absent", namespaces=named)
    assert result["changed"] and result["access"] == {
        "run_id": RUN,
        "namespaces": [],
        "packed_pods": result["access"]["packed_pods"],
    }
    assert all(other in path for path in cluster.accesses()) and len(cluster.accesses()) == 6
    assert all(entry["after"] == "" and "ServiceAccount" in entry["before"] for entry in result["diff"])
    assert not access("absent", namespaces=named)["changed"]


def test_check_mode_removes_nothing(access: AccessTask, cluster: Cluster) -> None:
    access()
    planned = access("absent", check_mode=True)
    assert len(cluster.accesses()) == 6 and planned["changed"]
    assert planned["diff"] == access("absent")["diff"]


def test_a_removal_that_is_refused_is_told_and_takes_the_rest(access: AccessTask, cluster: Cluster) -> None:
    access()
    refuse(cluster.server, "DELETE", "/billing/serviceaccounts/")
    error = refusal(lambda: access("absent"))
    assert error.reason == "access_remains" and "billing" in error.message and RUN in error.tried
    assert cluster.accesses() == [f"/api/v1/namespaces/billing/serviceaccounts/securescan-{RUN}"]


def test_state_absent_needs_a_run_id(access: AccessTask) -> None:
    assert refusal(lambda: access("absent", run_id=None)).reason == "bad_option"


def test_objects_of_that_name_that_are_not_ours_are_never_removed(
    access: AccessTask, cluster: Cluster
) -> None:
    path = f"/api/v1/namespaces/shop/serviceaccounts/securescan-{RUN}"
    cluster.server.objects.put(path, {"kind": "ServiceAccount", "apiVersion": "v1"})
    assert refusal(lambda: access("absent", namespaces=["shop"])).reason == "access_remains"
    assert cluster.server.objects.find(path) is not None
    result = access()
    assert result["failures"][0]["error"]["reason"] in ("conflict", "access_incomplete")
    assert [entry["namespace"] for entry in result["failures"]] == ["shop"]


# swept


def age(cluster: Cluster, run_id: str) -> None:
    """The objects of a run have expired."""
    for path in cluster.accesses():
        item = cluster.server.objects.find(path)
        if item is not None and item["metadata"]["labels"]["securescan.kubernetes/run-id"] == run_id:
            item["metadata"]["labels"][EXPIRES] = "20200101T000000Z"
            cluster.server.objects.put(path, item)


def test_a_sweep_removes_what_has_expired_and_nothing_else(access: AccessTask, cluster: Cluster) -> None:
    access()
    access(run_id="tests-2")
    age(cluster, RUN)
    planned = access("swept", check_mode=True)
    assert len(cluster.accesses()) == 12 and planned["swept"]["removed_count"] == 6
    result = access("swept")
    assert result["changed"] and result["swept"]["removed_count"] == 6 and result["diff"] == planned["diff"]
    assert planned["table"][0] == "SWEEP: 6 objects would be removed, 6 kept"
    assert result["table"][0] == "SWEEP: 6 objects removed, 6 kept"
    assert sum(line.startswith("  removed: ") for line in result["table"]) == 6
    assert [
        line
        for line in result["table"]
        if line.startswith("  kept: ") and line.endswith("(its time is not over)")
    ]
    assert result["swept"]["kept_count"] == 6 and all(entry["why"] for entry in result["swept"]["kept"])
    assert len(cluster.accesses()) == 6 and all("tests-2" in path for path in cluster.accesses())
    assert f"(run {RUN}, expired 20200101T000000Z)" in result["diff"][0]["before"]
    again = access("swept")
    assert not again["changed"] and again["diff"] == []


def test_a_sweep_of_named_namespaces_looks_nowhere_else(access: AccessTask, cluster: Cluster) -> None:
    access()
    age(cluster, RUN)
    assert access("swept", namespaces=["billing"])["swept"]["removed_count"] == 3
    assert all("/shop/" in path for path in cluster.accesses())


def test_an_access_that_is_renewed_while_it_is_swept_stays(access: AccessTask, cluster: Cluster) -> None:
    access(namespaces=["shop"])
    age(cluster, RUN)

    def renew() -> None:
        for path in cluster.accesses():
            cluster.server.objects.put(path, cluster.server.objects.find(path) or {})

    cluster.server.faults.append(Fault("meanwhile", on="DELETE", action=renew))
    result = access("swept")
    assert not result["changed"] and len(cluster.accesses()) == 3
    assert {entry["why"] for entry in result["swept"]["kept"]} == {"it was changed at this moment"}


def test_a_sweep_that_is_refused_fails_and_tells_what_remains(access: AccessTask, cluster: Cluster) -> None:
    access()
    age(cluster, RUN)
    refuse(cluster.server, "DELETE", "/billing/")
    result = access("swept")
    assert result["failed"] and result["error"]["reason"] == "access_remains" and "billing" in result["msg"]
    assert result["changed"] and result["swept"]["removed_count"] == 3 and len(cluster.accesses()) == 3


def test_a_sweep_that_is_not_allowed_to_look_everywhere_says_how_it_can_look_somewhere(
    access: AccessTask, cluster: Cluster
) -> None:
    """Nothing is known to remain: the credential is one of a team."""
    for path in ("/api/v1/serviceaccounts", "/v1/roles", "/v1/rolebindings"):
        refuse(cluster.server, "GET", path)
    result = access("swept")
    assert result["failed"] and result["error"]["reason"] == "not_permitted"
    assert "name them (namespaces; scan_namespaces in the playbook)" in result["error"]["advice"]
    assert "failed" not in access("swept", namespaces=["shop"])


def test_what_has_no_readable_expiry_is_kept(access: AccessTask, cluster: Cluster) -> None:
    access(namespaces=["shop"])
    for path, value in zip(cluster.accesses(), ("soon", None, "20200101T000000Z")):
        item = cluster.server.objects.find(path)
        assert item is not None
        item["metadata"]["labels"][EXPIRES] = value
        if value is None:
            del item["metadata"]["labels"][EXPIRES]
        cluster.server.objects.put(path, item)
    result = access("swept")
    whys = sorted(entry["why"] for entry in result["swept"]["kept"])
    assert result["swept"]["removed_count"] == 1 and "missing" in whys[0] and "not a time" in whys[1]
    assert PODS + "web-1" in cluster.server.objects.paths()


def test_no_namespace_is_read_after_the_limit_is_reached(access: AccessTask, cluster: Cluster) -> None:
    for namespace in ("later", "last"):
        cluster.server.add_pod(namespace, "pod-1", {"app": no_shell})
    access(namespaces=["shop", "billing", "later", "last"], limit=1, check_mode=True)
    read = [request.path for request in cluster.server.requests if request.path.endswith("/pods")]
    assert read == [f"/api/v1/namespaces/{name}/pods" for name in ("shop", "billing")]
    told = "\n".join(access.warnings)
    assert "namespace billing gave no target: the limit of 1 was reached before" in told
    assert "namespace last was not looked into: the limit of 1 was reached before" in told
