# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_container as a whole, on the fake API server and this machine's shells: by each approach, and however it ends."""

from __future__ import annotations

import json
import os
import pathlib
import threading
import time
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.judgement import (
    scan_judgement_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.judgement import run_scan_judgement
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary import pattern_search
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.pattern_search import (
    SearchProcess,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    Canned,
    ExecStreams,
    Program,
    no_shell,
    run_locally,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import (
    IMAGE,
    PODS,
    Cluster,
    Scan,
)
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import (
    beside_target,
    with_image,
)

ROOT = pathlib.Path("/")
HELPERS_PATH = "/api/v1/namespaces/scans/pods"


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    return Cluster(server, beside_target(ROOT))


@pytest.fixture
def scan(cluster: Cluster, tmp_path: pathlib.Path) -> Scan:
    return Scan(cluster, tmp_path)


@pytest.mark.parametrize("approach", ["exec", "sidecar", "debug", "image"])
def test_each_approach_gives_the_same_verdicts_by_one_exec_with_the_scanners_token(
    scan: Scan, cluster: Cluster, approach: str
) -> None:
    if approach == "image":
        cluster.server.objects.meanwhile[:] = []
        cluster = Cluster(cluster.server, with_image(ROOT))
    cluster.add_pod("web-1", run_locally if approach == "exec" else no_shell, sidecar=beside_target(ROOT))
    result = scan(approach=approach, scanner_image=IMAGE)
    assert result["counts"] == {
        "selected": 1,
        "scanned": 1,
        "not_scanned": 0,
        "not_judged": 0,
        "carried": 0,
    }, scan.outcomes()
    assert scan.outcomes() == {"web-1": approach}
    assert scan.verdicts("web-1") == ["passed", "passed"]
    (entered,) = cluster.execs()
    account = "system:serviceaccount:{}:securescan-".format("scans" if approach == "image" else "shop")
    assert entered.user.startswith(account)
    assert cluster.accesses() == []


def refusal(work: Callable[[], Any]) -> ScanError:
    with pytest.raises(ScanError) as caught:
        work()
    return caught.value


@pytest.fixture
def with_helpers(server: FakeApiServer, cluster: Cluster) -> Cluster:
    """The cluster, where what a scan adds are helper pods with an image."""
    server.objects.meanwhile.clear()
    return Cluster(server, with_image(ROOT))


# What each approach does to the cluster


def test_exec_and_sidecar_change_no_pod(scan: Scan, cluster: Cluster) -> None:
    pods = {
        name: cluster.add_pod(name, run_locally, sidecar=beside_target(ROOT)) for name in ("web-1", "web-2")
    }
    for approach in ("exec", "sidecar"):
        result = scan(approach=approach, scanner_image=IMAGE)
        nothing = {"added": 0, "ephemeral_containers": [], "not_ended": []}
        assert not result["changed"] and result["footprint"] == nothing
        assert result["requests"]["exec"] == 2
    assert {name: cluster.server.objects.find(PODS + name) for name in pods} == pods
    assert cluster.node.ended == []


def test_a_debug_container_is_told_to_end_and_its_entry_is_reported(scan: Scan, cluster: Cluster) -> None:
    pod = cluster.add_pod("web-1", no_shell)
    result = scan(approach="debug")
    (entry,) = cluster.server.objects.find(PODS + "web-1")["spec"]["ephemeralContainers"]
    assert result["changed"] and result["footprint"] == {
        "added": 1,
        "ephemeral_containers": [{"namespace": "shop", "pod": "web-1", "name": entry["name"]}],
        "not_ended": [],
    }
    assert cluster.node.ended == ["web-1/" + entry["name"]]
    assert entry["targetContainerName"] == "app" and entry["image"] == IMAGE
    context = entry["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["capabilities"]) == (
        1000,
        1000,
        {"drop": ["ALL"]},
    )
    patch = next(request for request in cluster.server.requests if request.method == "PATCH")
    assert patch.path == PODS + "web-1/ephemeralcontainers" and patch.user.startswith(
        "system:serviceaccount:shop:"
    )
    assert cluster.server.objects.find(PODS + "web-1")["metadata"]["uid"] == pod["metadata"]["uid"]


def test_a_debug_container_that_is_kept_alive_serves_the_next_scan_that_keeps_its_own(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", no_shell)
    first, second = (scan(approach="debug", debug_keep_alive=600) for _time in range(2))
    assert (first["changed"], second["changed"]) == (True, False) and second["footprint"]["added"] == 0
    assert len(cluster.server.objects.find(PODS + "web-1")["spec"]["ephemeralContainers"]) == 1
    assert cluster.node.ended == [] and len(cluster.execs()) == 2 and scan.outcomes() == {"web-1": "debug"}
    scan(approach="debug")
    entries = cluster.server.objects.find(PODS + "web-1")["spec"]["ephemeralContainers"]
    assert cluster.node.ended == ["web-1/" + entries[1]["name"]], (
        "a scan that keeps none adds one of its own, and ends nothing but that"
    )


def test_a_debug_container_that_has_ended_is_not_used_again(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", no_shell)
    scan(approach="debug")
    assert scan(approach="debug")["footprint"]["added"] == 1
    names = [
        entry["name"] for entry in cluster.server.objects.find(PODS + "web-1")["spec"]["ephemeralContainers"]
    ]
    assert len(cluster.execs()) == 2, "the ended one was entered"
    assert len(set(names)) == 2 and cluster.node.ended == ["web-1/" + name for name in names]


def test_each_image_is_looked_at_once_whatever_the_number_of_its_containers(
    scan: Scan, with_helpers: Cluster
) -> None:
    for number in range(3):
        with_helpers.add_pod(f"web-{number}", no_shell, image="1")
    with_helpers.add_pod("db-0", no_shell, image="2")
    result = scan(approach="image")
    assert result["counts"]["scanned"] == 4 and result["requests"]["exec"] == len(with_helpers.execs()) == 2
    assert not result["changed"]
    made = [request for request in with_helpers.server.requests if request.path == HELPERS_PATH]
    assert [request.method for request in made] == ["POST"], (
        "both images are on one node, and one helper mounts both"
    )
    assert with_helpers.objects("scans/pods") == [], "a helper pod was left"
    # by the scanner, and not only by the garbage collector when the access goes
    removed = [request for request in with_helpers.server.requests if request.method == "DELETE"]
    assert [request.user for request in removed if "/pods/" in request.path] == [made[0].user]
    assert made[0].user.startswith("system:serviceaccount:scans:")


def test_helper_pods_are_deleted_when_the_scan_of_the_image_fails(scan: Scan, with_helpers: Cluster) -> None:
    with_helpers.add_pod("web-1", no_shell)
    with_helpers.server.faults.append(Fault("cut", on="GET .*/exec"))
    assert scan(approach="image")["counts"]["scanned"] == 0
    assert scan.outcomes() == {"web-1": "connection_lost"}
    assert with_helpers.objects("scans/pods") == [] and with_helpers.accesses() == []


# auto


def test_auto_takes_for_each_target_the_first_approach_that_reaches_it(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("shell-1", run_locally, image="1")
    cluster.add_pod("beside-1", no_shell, image="2", sidecar=beside_target(ROOT))
    cluster.add_pod("closed-1", no_shell, image="3")
    scan(approach="auto", helper_namespace=None)
    assert scan.outcomes() == {"shell-1": "exec", "beside-1": "sidecar", "closed-1": "debug"}
    assert all(scan.verdicts(pod) == ["passed", "passed"] for pod in scan.targets)


def test_auto_looks_at_the_image_of_what_it_may_not_stand_beside(scan: Scan, with_helpers: Cluster) -> None:
    with_helpers.add_pod("root-1", no_shell, user=0)
    result = scan(approach="auto")
    assert scan.outcomes() == {"root-1": "image"} and not result["changed"]


def test_auto_asks_once_whether_an_image_has_a_shell(scan: Scan, cluster: Cluster) -> None:
    for number in range(3):
        cluster.add_pod(f"web-{number}", no_shell, image="1")
    scan(approach="auto", helper_namespace=None, concurrency=1)
    assert scan.outcomes() == {f"web-{number}": "debug" for number in range(3)}
    into_target = [request for request in cluster.execs() if ("container", "app") in request.query]
    assert len(into_target) == 1


def test_auto_does_not_hide_a_reply_that_is_not_whole(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", Canned(b"what is this", exit_code=3))
    scan(approach="auto", helper_namespace=None)
    assert scan.outcomes() == {"web-1": "collector_failed"} and len(cluster.execs()) == 1
    assert "ephemeralContainers" not in cluster.server.objects.find(PODS + "web-1")["spec"]


def test_where_no_approach_reaches_a_target_each_says_why(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("root-1", no_shell, user=0)
    scan(approach="auto", helper_namespace=None)
    error = scan.targets["root-1"]["error"]
    assert error["reason"] == "no_approach"
    for words in (
        "exec: ",
        "no_such_program",
        "sidecar: ",
        "debug: ",
        "target_privileged",
        "image: no helper_namespace",
    ):
        assert words in error["message"]


# Targets that are not scanned


def test_targets_that_cannot_be_scanned_keep_no_other_from_it(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("good-1", run_locally, image="1")
    cluster.add_pod("closed-1", no_shell, image="2")
    waiting = cluster.add_pod("waiting-1", run_locally, image="3")
    waiting["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    cluster.server.objects.put(PODS + "waiting-1", waiting)
    result = scan()
    assert scan.outcomes() == {
        "good-1": "exec",
        "closed-1": "no_such_program",
        "waiting-1": "container_not_running",
    }
    assert result["counts"] == {"selected": 3, "scanned": 1, "not_scanned": 2, "not_judged": 0, "carried": 0}
    assert {entry["error"]["reason"] for entry in result["not_scanned"]} == {
        "no_such_program",
        "container_not_running",
    }
    assert not any("waiting-1" in request.path for request in cluster.server.requests), (
        "it was not even looked at"
    )
    assert all(target["hdf"] == "" for target in scan.targets.values() if target["outcome"] == "not_scanned")


@pytest.mark.parametrize(
    ("program", "options", "reason"),
    [
        (Canned(b"securescan-facts", exit_code=0), {}, "incomplete_reply"),
        (Canned(exit_code=137), {}, "collector_failed"),
        (Canned(b"x" * 4096), {"output_limit": 1024}, "too_much_output"),
        (Canned(seconds=5.0), {"timeout": 1.0}, "timed_out"),
    ],
)
def test_a_reply_that_is_not_whole_gives_no_verdict(
    scan: Scan, cluster: Cluster, program: Program, options: dict[str, Any], reason: str
) -> None:
    cluster.add_pod("web-1", program)
    scan(**options)
    assert scan.outcomes() == {"web-1": reason} and scan.targets["web-1"]["counts"] is None
    assert cluster.accesses() == []


def test_a_pod_that_was_deleted_or_replaced_meanwhile_is_not_entered(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("gone-1", run_locally)
    cluster.add_pod("web-0", run_locally)

    def change() -> None:
        cluster.server.objects.remove(PODS + "gone-1")
        cluster.server.objects.remove(PODS + "web-0")
        cluster.add_pod("web-0", run_locally)

    cluster.server.faults.append(
        Fault("meanwhile", on="POST .*/serviceaccounts/.*/token", times=1, action=change)
    )
    scan()
    assert scan.outcomes() == {"gone-1": "pod_gone", "web-0": "pod_replaced"} and cluster.execs() == []


@pytest.mark.parametrize("renew", [False, True])
def test_the_successor_of_a_replaced_pod_is_scanned_where_that_is_asked_for(
    scan: Scan, cluster: Cluster, renew: bool
) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": True}
    before = cluster.add_pod("db-0", run_locally, ownerReferences=[owner])

    def replace() -> None:
        cluster.server.objects.remove(PODS + "db-0")
        cluster.add_pod("db-0", run_locally, ownerReferences=[owner])

    cluster.server.faults.append(
        Fault("meanwhile", on="POST .*/serviceaccounts/.*/token", times=1, action=replace)
    )
    scan(renew_access=renew)
    assert scan.outcomes() == {"db-0": "exec" if renew else "pod_replaced"}
    assert (scan.targets["db-0"]["pod_uid"] == before["metadata"]["uid"]) is not renew
    assert cluster.accesses() == []


def test_pods_that_a_rule_forbids_are_neither_entered_nor_granted(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("open-1", run_locally)
    cluster.add_pod("vault-1", run_locally, labels={"app": "vault"})
    rule = {"approaches": ["exec"], "namespaces": [], "label_selectors": ["app=vault"], "reason": "secrets"}
    granted: list[str] = []
    cluster.server.faults.append(
        Fault("meanwhile", on="GET .*/exec", action=lambda: granted.append(str(roles(cluster))))
    )
    scan(forbidden_approaches=[rule])
    assert scan.outcomes() == {"open-1": "exec", "vault-1": "approach_forbidden"}
    assert "secrets" in scan.targets["vault-1"]["error"]["message"]
    assert "open-1" in granted[0] and "vault-1" not in granted[0]


def roles(cluster: Cluster) -> list[Any]:
    return [(cluster.server.objects.find(path) or {}).get("rules") for path in cluster.objects("roles")]


# The access


def test_the_access_names_the_pods_and_is_gone_after_the_scan(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    seen: list[list[Any]] = []
    cluster.server.faults.append(
        Fault("meanwhile", on="GET .*/exec", action=lambda: seen.append(roles(cluster)))
    )
    scan()
    ((rules,),) = seen
    assert rules and all(rule["resourceNames"] == ["web-1"] and rule["apiGroups"] == [""] for rule in rules)
    assert cluster.accesses() == []
    token_of = {
        request.user for request in cluster.server.requests if request.path.startswith(PODS + "web-1")
    }
    assert len(token_of) == 1 and "admin" not in token_of, "the grantor's own token touched a target"


def test_a_namespace_where_no_access_can_be_made_costs_its_targets_only(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    cluster.server.add_pod("closed", "other-1", {"app": run_locally})
    allowed = cluster.server.grants.deny
    cluster.server.grants.deny = lambda user, method, path: (
        "no roles here" if method == "POST" and "/closed/roles" in path else allowed(user, method, path)
    )
    result = scan(namespaces=["shop", "closed"])
    assert scan.outcomes() == {"web-1": "exec", "other-1": "access_incomplete"}
    assert result["counts"]["scanned"] == 1 and any("closed" in warning for warning in scan.warnings)
    assert cluster.accesses() == [], "what was made in the namespace before the refusal is left"


def test_an_output_folder_that_cannot_be_written_costs_no_access(
    scan: Scan, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    cluster.add_pod("web-1", run_locally)
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert refusal(lambda: scan(output_dir=str(tmp_path / "file" / "below"))).reason == "write_failed"
    assert cluster.server.requests == []


def test_an_output_folder_of_others_costs_no_request(
    scan: Scan, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    cluster.add_pod("web-1", run_locally)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    for run in (
        lambda: scan(output_dir=str(shared / "results")),
        lambda: scan(check_mode=True, output_dir=str(shared / "results")),
    ):
        error = refusal(run)
        assert (
            error.reason == "shared_folder" and f"because {shared} is writable for everybody" in error.message
        )
    assert cluster.server.requests == [] and list(shared.iterdir()) == []
    attack_ends_as("13-refused-before-the-scan", outcome="no request to the cluster")
    result = scan(output_dir=str(shared / "results"), allow_shared_folder=True)
    assert result["counts"]["scanned"] == 1
    assert any("others can replace the results" in warning for warning in scan.warnings)


def test_two_scans_with_one_access_have_a_folder_each(scan: Scan, cluster: Cluster) -> None:
    """The second one must not write over the first, which has failed."""
    cluster.add_pod("web-1", run_locally)
    cluster.add_pod("web-2", run_locally)
    make = TaskRunner(cluster.server, run_scan_access, scan_access_spec)
    access = make(namespaces=["shop"])["access"]
    scan.file.chmod(0o666)
    first = scan(access=access, pods=["web-1"])
    scan.file.chmod(0o644)
    second = scan(access=access, pods=["web-2"])
    assert (first["run_id"], second["run_id"]) == (access["run_id"], access["run_id"] + "-2")
    for result, pod in ((first, "web-1"), (second, "web-2")):
        run = open_run(result["run_dir"])
        assert (run.run_id, run.sha256) == (result["run_id"], result["summary_sha256"])
        assert [target.pod for target in run.targets] == [pod]
        assert pathlib.Path(result["run_dir"]).name == result["run_id"]
    given = {"threshold": {"failed": {"total": {"max": 0}}}}
    decide = TaskRunner(cluster.server, run_scan_threshold, scan_threshold_spec)
    verdicts = [
        bool(
            decide(run_dir=result["run_dir"], summary_sha256=result["summary_sha256"], **given)["gate"][
                "passed"
            ]
        )
        for result in (first, second)
    ]
    assert verdicts == [False, True]
    attack_ends_as("12-one-access-two-scans", outcome="two folders, both judged")


def test_a_scan_that_is_cancelled_leaves_nothing_in_the_cluster(scan: Scan, cluster: Cluster) -> None:
    def interrupted(argv: list[str], streams: ExecStreams) -> int:
        scan.cancel.set()
        streams.closed.wait(60)
        return 0

    cluster.add_pod("web-1", interrupted)
    error = refusal(scan)
    assert error.reason == "cancelled" and cluster.accesses() == []


SLOW_PROFILE = """\
name: slow
title: Slow
version: 1.0.0
controls:
  - id: umask
    title: A mask is set
    impact: high
    tests: [{file: FILE, expect: {content: {matches: '\\s*#?\\s*umask\\s+0?27\\s*$'}}}]
  - id: no-umask
    title: Nothing else sets it
    impact: high
    tests: [{file: FILE, expect: {content: {not: {matches: '\\w+\\s*\\w+\\s*umask'}}}}]
  - id: there
    title: The file is there
    impact: medium
    tests: [{file: FILE, expect: {exist: true}}]
"""


@pytest.fixture
def slow_scan(scan: Scan, tmp_path: pathlib.Path) -> Scan:
    """A scan of a container with lines that Python's own search would take hours for."""
    scan.file.write_text("\n".join([" " * 2700, "a" * 2700] * 40), encoding="utf-8")
    source = tmp_path / "slow.yml"
    source.write_text(SLOW_PROFILE.replace("FILE", str(scan.file)), encoding="utf-8")
    scan.profiles = [load_profile(str(source), [], {}).as_dict()]
    return scan


def test_a_text_that_cannot_be_searched_in_time_is_not_reviewed_and_other_controls_are(
    slow_scan: Scan, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern_search, "_TEXT_SECONDS", 1.0)
    cluster.add_pod("web-1", run_locally)
    slow_scan()
    assert slow_scan.verdicts("web-1") == ["skipped", "skipped", "passed"]
    attack_ends_as("15-slow-text", outcome="not_reviewed")


def test_a_scan_that_is_cancelled_does_not_wait_for_a_search(slow_scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    cancelled: list[float] = []

    def cancel() -> None:
        cancelled.append(time.monotonic())
        slow_scan.cancel.set()

    real = SearchProcess.search

    def search(self: SearchProcess, *arguments: Any) -> int:
        threading.Timer(0.2, cancel).start()
        return real(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SearchProcess, "search", search)
        patch.setattr(pattern_search, "_TEXT_SECONDS", 60.0)
        error = refusal(lambda: slow_scan(timeout=60.0))
    seconds = time.monotonic() - cancelled[0]
    assert error.reason == "cancelled" and cluster.accesses() == []
    attack_ends_as("15-interrupt", outcome="the access is removed at once")
    print(f"seconds from the interrupt to the end: {seconds:.1f}")
    assert seconds < 30


def test_a_debug_container_is_ended_when_the_scan_is_cancelled(scan: Scan, server: FakeApiServer) -> None:
    def interrupted(argv: list[str], streams: ExecStreams) -> int:
        scan.cancel.set()
        streams.closed.wait(60)
        return 0

    server.objects.meanwhile.clear()
    cluster = Cluster(server, interrupted)
    cluster.add_pod("web-1", no_shell)
    assert refusal(lambda: scan(approach="debug")).reason == "cancelled"
    assert len(cluster.node.ended) == 1 and cluster.accesses() == []


# Check mode


@pytest.mark.parametrize("approach", ["exec", "debug", "image"])
def test_check_mode_shows_the_access_and_what_would_be_added_and_does_nothing(
    scan: Scan, cluster: Cluster, approach: str
) -> None:
    cluster.add_pod("web-1", no_shell)
    before = cluster.server.objects.paths()
    result = scan(check_mode=True, approach=approach)
    assert {request.method for request in cluster.server.requests} == {"GET"}
    assert cluster.server.objects.paths() == before and not (scan.folder / "results").exists()
    assert result["changed"] is (approach == "debug") and result["footprint"]["added"] == (
        approach == "debug"
    )
    assert result["counts"] == {"selected": 1, "scanned": 0, "not_scanned": 0, "not_judged": 0, "carried": 0}
    (diff,) = result["diff"]
    assert (
        diff["before"] == ""
        and "ServiceAccount" in diff["after"]
        and ("web-1" in diff["after"]) is (approach != "image")
    )
    assert any(
        "1 helper pod in" in line if approach == "image" else f"by {approach}" in line for line in scan.said
    )


def test_check_mode_shows_the_cross_check(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    result = scan(
        check_mode=True,
        approach="exec",
        scanner_image=IMAGE,
        helper_namespace="scans",
        cross_check="required",
    )
    assert result["footprint"]["added"] == 1 and result["changed"] is True
    assert any("tried in this order: debug, sidecar, image, exec" in line for line in scan.said)
    assert any("1 helper pod in" in line for line in scan.said), "by image, where debug does not reach it"
    result = scan(check_mode=True, approach="debug", cross_check="possible", approaches=["exec"])
    assert result["footprint"]["added"] == 1, "exec adds nothing"


def test_check_mode_names_the_targets_that_rules_keep_from_being_scanned(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally)
    rule = {"approaches": ["debug"], "namespaces": ["shop"], "label_selectors": [], "reason": "no"}
    result = scan(check_mode=True, approach="debug", forbidden_approaches=[rule])
    assert [entry["error"]["reason"] for entry in result["not_scanned"]] == ["approach_forbidden"]
    assert result["counts"]["not_scanned"] == 1 and any(
        line.startswith("1 container: ") for line in scan.said
    )
    assert not result["changed"] and result["footprint"]["added"] == 0 and result["diff"] == []


# Options


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"approach": "debug", "scanner_image": None}, "scanner_image"),
        ({"approach": "image", "helper_namespace": None}, "helper_namespace"),
        ({"approach": "image", "helper_namespace": "shop"}, "helper_namespace"),
        ({"approach": "debug", "debug_keep_alive": -1}, "debug_keep_alive"),
        ({"approach": "debug", "debug_memory_headroom": "much"}, "debug_memory_headroom"),
        ({"approach": "auto", "approaches": ["exec", "exec"]}, "approaches"),
        ({"approach": "auto", "approaches": ["debug"], "scanner_image": None}, "approaches"),
        ({"approach": "image", "drift": True}, "drift"),
        ({"approach": "exec", "cross_check": "required", "approaches": ["exec"]}, "cross_check"),
        ({"approach": "debug", "cross_check": "required", "approaches": ["debug", "sidecar"]}, "cross_check"),
        ({"drift": True, "helper_namespace": None}, "drift"),
        ({"lifetime": 60}, "lifetime"),
        ({"compiled_profiles": None}, "profiles"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_before_anything_is_made(
    scan: Scan, cluster: Cluster, changes: dict[str, Any], option: str
) -> None:
    cluster.add_pod("web-1", run_locally)
    error = refusal(lambda: scan(**changes))
    assert error.reason == "bad_option" and option in error.tried, error
    assert {request.method for request in cluster.server.requests} <= {"GET"}


def test_a_selection_without_containers_fails_unless_that_is_allowed(scan: Scan, cluster: Cluster) -> None:
    assert refusal(scan).reason == "no_targets"
    assert scan(allow_empty=True)["counts"]["selected"] == 0 and cluster.accesses() == []


# What is kept


def test_kept_facts_are_judged_again_without_the_cluster(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    scan.file.chmod(0o666)
    result = scan(keep_facts=True)
    then = scan.verdicts("web-1")
    assert then == ["passed", "failed"]
    scan.file.chmod(0o600)
    cluster.server.requests.clear()
    judge = TaskRunner(cluster.server, run_scan_judgement, scan_judgement_spec)
    again = judge(
        run_dir=result["run_dir"], compiled_profiles=scan.profiles, output_dir=str(scan.folder / "results")
    )
    assert (
        again["counts"] == {"selected": 1, "scanned": 1, "not_scanned": 0, "not_judged": 0, "carried": 0}
        and again["run_id"] != result["run_id"]
    )
    summary = json.loads(pathlib.Path(again["summary_file"]).read_text(encoding="utf-8"))
    assert summary["judged_from"]["run_id"] == result["run_id"]
    (target,) = summary["targets"]
    assert target["counts"] == scan.targets["web-1"]["counts"] and cluster.server.requests == []


def test_facts_are_not_kept_unless_that_is_asked_for(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    result = scan()
    assert scan.targets["web-1"]["facts"] is None and not list(pathlib.Path(result["run_dir"]).glob("facts*"))


def test_drift_tells_what_differs_from_the_image(
    scan: Scan, server: FakeApiServer, tmp_path: pathlib.Path
) -> None:
    live = tmp_path / "live"
    image = tmp_path / "image"
    below = image / live.relative_to("/")
    for root in (live, below):
        root.mkdir(parents=True)
        for name in ("touched", "changed"):
            (root / name).write_text("a\n", encoding="utf-8")
            os.utime(root / name, (1_000_000_000, 1_000_000_000))
    (live / "changed").write_text("a longer text\n", encoding="utf-8")
    (live / "added").write_text("", encoding="utf-8")
    (below / "removed").write_text("", encoding="utf-8")
    server.objects.meanwhile.clear()
    cluster = Cluster(server, with_image(image))
    cluster.add_pod("web-1", run_locally)
    result = scan(drift=True, drift_paths=[str(live)])
    assert scan.outcomes() == {"web-1": "exec"}
    found = scan.targets["web-1"]["drift"]
    assert found["complete"], found
    report = json.loads((pathlib.Path(result["run_dir"]) / found["path"]).read_text(encoding="utf-8"))
    # the file touched is that of the image, but for its ctime, which is later than the container's start
    assert {pathlib.Path(each["path"]).name: each["change"] for each in report["differences"]} == {
        change: change for change in ("added", "changed", "removed", "touched")
    }
    assert found["counts"] == dict.fromkeys(("added", "changed", "removed", "touched"), 1)
    assert len(cluster.execs()) == 2 and cluster.accesses() == [] and cluster.objects("scans/pods") == []
