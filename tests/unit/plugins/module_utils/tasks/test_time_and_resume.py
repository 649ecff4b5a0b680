# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan with a deadline, one that goes on where another was interrupted, and one of only what is due."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
import time
import uuid
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import document_scan
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.journal import JOURNAL
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.progress import read_progress
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import make_store
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks import container as container_task
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.plugins.module_utils.time_limit import TimeLimit
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    run_locally,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import (
    HELPERS,
    IMAGE,
    PODS,
    Cluster,
    Scan,
)

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    cluster = Cluster(server, run_locally)
    put_uid(cluster, "uid-of-the-cluster")
    return cluster


@pytest.fixture
def scan(cluster: Cluster, tmp_path: pathlib.Path) -> Scan:
    return Scan(cluster, tmp_path)


def put_uid(cluster: Cluster, uid: str) -> None:
    cluster.server.objects.put(
        KUBE_SYSTEM,
        {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "kube-system", "uid": uid}},
    )


def add_pods(cluster: Cluster, number: int, program: Any = run_locally) -> None:
    """Pods without a controller: each is a place of its own."""
    for index in range(1, number + 1):
        add_pod(cluster, f"web-{index}", program)


def add_pod(cluster: Cluster, name: str, program: Any = run_locally, **changes: Any) -> dict[str, Any]:
    pod = cluster.add_pod(name, program, **changes)
    pod["status"]["containerStatuses"][0]["containerID"] = f"containerd://{name}-{pod['metadata']['uid']}"
    return cluster.server.objects.put(PODS + name, pod)


def entered(cluster: Cluster) -> list[str]:
    """The pods that were entered, in order."""
    return [request.path.split("/")[-2] for request in cluster.execs()]


def run_of(result: dict[str, Any]) -> Run:
    return open_run(result["run_dir"])


def gate(scan: Scan, result: dict[str, Any], **options: Any) -> dict[str, Any]:
    decided = TaskRunner(scan.server, run_scan_threshold, scan_threshold_spec)
    return decided(run_dir=result["run_dir"], summary_sha256=result["summary_sha256"], **options)


def carried(run: Run) -> dict[str, str]:
    return {target.pod: target.carried.why for target in run.targets if target.carried}


def interrupted(scan: Scan, cluster: Cluster, after: int, **options: Any) -> pathlib.Path:
    """Scans one target after the other and is interrupted at that one; the run's folder."""

    def cancel() -> None:
        scan.cancel.set()

    before = set(runs_folder(scan).iterdir()) if runs_folder(scan).is_dir() else set()
    cluster.server.faults.append(Fault("meanwhile", on=f"web-{after}/exec", action=cancel, times=1))
    with pytest.raises(ScanError, match="cancelled"):
        scan(concurrency=1, **options)
    cluster.server.faults.clear()
    scan.cancel.clear()
    (folder,) = (
        path
        for path in set(runs_folder(scan).iterdir()) - before
        if path.is_dir() and (path / JOURNAL).exists()
    )
    return folder


def runs_folder(scan: Scan) -> pathlib.Path:
    return scan.folder / "results" / "fake"


# The deadline


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the deadline of the scan come: when it does is not left to how fast the machine is."""
    limits: list[TimeLimit] = []
    with_grace: list[tuple[TimeLimit, float]] = []

    class Limit(TimeLimit):
        def __init__(self, seconds: float | None, parent: Any = None) -> None:
            super().__init__(seconds, parent)
            limits.append(self)

        def with_grace(self, seconds: float) -> TimeLimit:
            made = super().with_grace(seconds)
            with_grace.append((made, seconds))
            return made

    def come() -> None:
        now = time.monotonic()
        limits[-1]._end = now
        for limit, seconds in with_grace:
            limit._end = now + seconds

    monkeypatch.setattr(container_task, "TimeLimit", Limit)
    return come


def test_at_the_deadline_the_scan_ends_with_what_it_has(
    scan: Scan, cluster: Cluster, time_passes: Callable[[], None]
) -> None:
    add_pods(cluster, 4)
    cluster.server.faults.append(Fault("silence", on="web-2/exec", action=time_passes))
    result = scan(concurrency=1, deadline=600.0, timeout=300.0)
    assert scan.outcomes() == {
        "web-1": "exec",
        "web-2": "not_reached",
        "web-3": "not_reached",
        "web-4": "not_reached",
    }
    errors = {target.pod: target.error for target in run_of(result).targets if target.error}
    assert errors["web-2"].code == "SCAN-420" and "it was ended after" in errors["web-2"].message
    assert "it was not begun" in errors["web-3"].message
    assert cluster.accesses() == []
    assert run_of(result).deadline == pytest.approx(600.0, abs=60)
    assert gate(scan, result)["error"]["reason"] == "not_scanned"
    progress = read_progress(runs_folder(scan))
    assert progress is not None
    assert (progress.state, progress.selected, progress.done, progress.not_scanned) == ("ended", 4, 4, 3)
    assert progress.deadline is not None


def test_what_was_not_reached_comes_first_next_time_and_before_it_what_was_never_seen(
    scan: Scan, cluster: Cluster, time_passes: Callable[[], None]
) -> None:
    add_pods(cluster, 4)
    scan(concurrency=1)
    cluster.server.faults.append(Fault("silence", on="web-3/exec", action=time_passes))
    scan(concurrency=1, deadline=600.0)
    cluster.server.faults.clear()
    cluster.server.requests.clear()
    add_pod(cluster, "web-5")
    scan(concurrency=1)
    assert entered(cluster) == ["web-5", "web-3", "web-4", "web-1", "web-2"]


def test_failing_places_come_before_the_others(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 3)
    scan(concurrency=1)
    folder = pathlib.Path(scan.run_dir)
    summary = json.loads((folder / "summary.json").read_text())
    summary["targets"][1]["result"] = "fail"
    (folder / "summary.json").write_text(json.dumps(summary))
    cluster.server.requests.clear()
    scan(concurrency=1)
    assert entered(cluster) == ["web-2", "web-1", "web-3"]


def test_time_that_ends_before_the_pods_are_listed_is_an_error(
    scan: Scan, cluster: Cluster, time_passes: Callable[[], None]
) -> None:
    cluster.server.faults.append(Fault("silence", on="GET .*/pods", action=time_passes))
    with pytest.raises(ScanError) as caught:
        scan(deadline=600.0)
    assert caught.value.reason == "out_of_time"
    assert cluster.accesses() == []


def test_the_deadline_holds_for_a_hub_too(scan: Scan, cluster: Cluster) -> None:
    cluster.server.faults.append(Fault("silence", on="GET .*/secrets"))
    with pytest.raises(ScanError) as caught:
        scan(
            deadline=1.0,
            kubeconfig=None,
            kubeconfig_secret={"namespace": "fleet", "name": "prod"},
            hub_kubeconfig=cluster.server.kubeconfig(),
        )
    assert caught.value.reason == "out_of_time"


def test_time_that_ends_while_the_access_is_made_ends_the_scan_with_a_summary(
    scan: Scan, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, time_passes: Callable[[], None]
) -> None:
    monkeypatch.setattr(container_task, "_GRACE_SECONDS", 5.0)  # the role that gets no answer takes all of it
    add_pods(cluster, 2)
    cluster.server.faults.append(Fault("silence", on="POST .*/roles", action=time_passes))
    result = scan(deadline=600.0)
    assert set(scan.outcomes().values()) == {"not_reached"}
    assert cluster.accesses() == [] and "failed" not in result
    monkeypatch.setattr(container_task, "_GRACE_SECONDS", 0.5)
    silent = (Fault("silence", on="POST .*/roles", action=time_passes), Fault("silence", on="DELETE"))
    cluster.server.faults[:] = silent
    result = scan(deadline=600.0)
    assert set(scan.outcomes().values()) == {"not_reached"}
    assert result["failed"] and result["error"]["reason"] == "access_remains"


def test_the_sooner_of_two_deadlines_holds(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 1)
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=300)
    result = scan(deadline=900.0, deadline_at=soon.isoformat())
    assert 290 < (run_of(result).deadline or 0) <= 300
    with pytest.raises(ScanError, match="were over"):
        scan(deadline_at="2026-11-01T00:00:00Z")
    with pytest.raises(ScanError, match="'tomorrow' is no time"):
        scan(deadline_at="tomorrow")
    with pytest.raises(ScanError, match="it must be from 1 to"):
        scan(deadline=0.0)


# Resume


def test_the_same_command_again_scans_only_what_is_missing(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 5)
    before = interrupted(scan, cluster, after=4)
    assert not (before / "summary.json").exists()
    assert entered(cluster)[:3] == ["web-1", "web-2", "web-3"]
    cluster.server.requests.clear()
    result = scan()
    assert sorted(entered(cluster)) == ["web-4", "web-5"]
    run = run_of(result)
    assert carried(run) == dict.fromkeys(("web-1", "web-2", "web-3"), "resumed")
    assert result["counts"] == {"selected": 5, "scanned": 5, "not_scanned": 0, "not_judged": 0, "carried": 3}
    assert {target.carried.run_id for target in run.targets if target.carried} == {before.name}
    assert gate(scan, result)["gate"]["coverage"] == 100
    assert len(list((pathlib.Path(result["run_dir"]) / "hdf").iterdir())) == 5
    assert not (pathlib.Path(result["run_dir"]) / JOURNAL).exists()
    assert not (before / JOURNAL).exists()
    assert any("3 containers need no scan" in line for line in scan.said)


def test_a_run_that_was_finished_is_not_resumed(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 3)
    interrupted(scan, cluster, after=3)
    scan()
    cluster.server.requests.clear()
    assert scan()["counts"]["carried"] == 0
    assert len(entered(cluster)) == 3


def test_a_resumed_run_that_is_interrupted_is_resumed_with_all_that_was_had(
    scan: Scan, cluster: Cluster
) -> None:
    add_pods(cluster, 5)
    first = interrupted(scan, cluster, after=3)
    interrupted(scan, cluster, after=4)
    cluster.server.requests.clear()
    result = scan()
    assert sorted(entered(cluster)) == ["web-4", "web-5"]
    runs = {target.pod: target.carried.run_id for target in run_of(result).targets if target.carried}
    assert runs["web-1"] == runs["web-2"] == first.name and runs["web-3"] != first.name
    assert gate(scan, result)["gate"]["coverage"] == 100


def test_a_line_that_was_cut_off_and_a_document_that_is_not_whole_are_scanned_again(
    scan: Scan, cluster: Cluster
) -> None:
    add_pods(cluster, 5)
    folder = interrupted(scan, cluster, after=5)
    with (folder / JOURNAL).open("r+b") as journal:
        journal.truncate(journal.seek(0, 2) - 20)
    document = next(path for path in (folder / "hdf").iterdir() if "web-1" in path.name)
    document.write_bytes(document.read_bytes()[:-10])
    cluster.server.requests.clear()
    result = scan()
    assert sorted(entered(cluster)) == ["web-1", "web-4", "web-5"]
    assert carried(run_of(result)) == {"web-2": "resumed", "web-3": "resumed"}


@pytest.mark.parametrize(
    "what", ["pod", "container", "image", "spec", "waiver", "profile", "server", "age", "option", "selection"]
)
def test_nothing_is_resumed_that_has_changed(scan: Scan, cluster: Cluster, what: str) -> None:
    add_pods(cluster, 3)
    folder = interrupted(scan, cluster, after=3)
    options: dict[str, Any] = {}
    pod = cluster.server.objects.find(PODS + "web-1")
    if what == "pod":
        cluster.server.objects.remove(PODS + "web-1")
        pod["metadata"].pop("uid", None)
    elif what == "container":
        pod["status"]["containerStatuses"][0]["containerID"] = "containerd://another"
    elif what == "image":
        pod["status"]["containerStatuses"][0]["imageID"] = "registry.test/app@sha256:" + "2" * 64
    elif what == "spec":
        pod["spec"]["hostNetwork"] = True
    elif what == "waiver":
        options["waivers"] = {"there": {"justification": "a risk that is accepted"}}
    elif what == "profile":
        scan.profiles[0]["sha256"] = "0" * 64
    elif what == "server":
        put_uid(cluster, "uid-of-another")
    elif what == "age":
        options["resume_max_age"] = 0.0
    elif what == "option":
        options["resume"] = False
    elif what == "selection":
        options["exclude_pods"] = ["nothing-*"]
    cluster.server.objects.put(PODS + "web-1", pod)
    cluster.server.requests.clear()
    result = scan(**options)
    one = what in ("pod", "container", "image", "spec")
    assert carried(run_of(result)) == ({"web-2": "resumed"} if one else {})
    assert (folder / JOURNAL).exists() is (what in ("server", "age", "option", "selection"))


def test_a_folder_that_others_could_have_written_is_not_believed(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 3)
    folder = interrupted(scan, cluster, after=3)
    folder.chmod(0o777)
    assert scan()["counts"]["carried"] == 0
    folder = interrupted(scan, cluster, after=3)
    runs_folder(scan).chmod(0o777)
    result = scan(allow_shared_folder=True)
    assert result["counts"]["carried"] == 0


def test_a_run_that_is_under_way_is_not_resumed(scan: Scan, cluster: Cluster) -> None:
    """Its journal is locked by the process that writes it."""
    add_pods(cluster, 2)
    results: list[dict[str, Any]] = []

    def scan_again() -> None:
        if not results:
            results.append(Scan(cluster, scan.folder)(concurrency=1))

    cluster.server.faults.append(Fault("meanwhile", on="web-2/exec", action=scan_again, times=1))
    assert scan(concurrency=1)["counts"]["carried"] == 0
    assert results[0]["counts"]["carried"] == 0


# Only what is due


def owned() -> dict[str, Any]:
    """Metadata of a pod of the StatefulSet db."""
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": True}
    return {"ownerReferences": [owner], "uid": str(uuid.uuid4())}


def test_only_what_is_due_is_scanned_and_the_rest_says_how_old_it_is(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 3)
    first = scan()
    cluster.server.requests.clear()
    pod = cluster.server.objects.find(PODS + "web-2")
    pod["status"]["containerStatuses"][0]["imageID"] = "registry.test/app@sha256:" + "2" * 64
    cluster.server.objects.put(PODS + "web-2", pod)
    add_pod(cluster, "web-4")
    result = scan(due_only=True)
    assert sorted(entered(cluster)) == ["web-2", "web-4"]
    run = run_of(result)
    assert carried(run) == {"web-1": "fresh", "web-3": "fresh"}
    assert {target.carried.run_id for target in run.targets if target.carried} == {first["run_id"]}
    decision = gate(scan, result)
    assert decision["gate"]["coverage"] == 100
    assert "4 of 4 targets scanned, 2 of them by earlier runs" in "\n".join(decision["table"])
    cluster.server.requests.clear()
    third = scan(due_only=True)
    assert entered(cluster) == [] and third["counts"]["carried"] == 4 and third["changed"] is False
    runs = {target.pod: target.carried.run_id for target in run_of(third).targets if target.carried}
    assert runs["web-1"] == first["run_id"] and runs["web-2"] == result["run_id"]
    assert gate(scan, third)["gate"]["coverage"] == 100
    cluster.server.requests.clear()
    assert scan(due_only=True, due_after=0.0)["counts"]["carried"] == 0


def test_without_due_only_all_is_scanned(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 2)
    scan()
    assert scan()["counts"]["carried"] == 0


def test_a_result_stands_for_the_pod_that_took_the_place_of_its_own(scan: Scan, cluster: Cluster) -> None:
    for name in ("db-0", "db-1"):
        add_pod(cluster, name, **owned())
    scan()
    for name in ("db-0", "db-1"):
        cluster.server.objects.remove(PODS + name)
        add_pod(cluster, name, **owned())
    add_pod(cluster, "db-2", **owned())
    cluster.server.requests.clear()
    result = scan(due_only=True)
    assert entered(cluster) == ["db-2"], "it never had a result"
    assert result["counts"]["carried"] == 2 and result["counts"]["selected"] == 3
    assert gate(scan, result)["gate"]["coverage"] == 100


def test_where_the_servers_id_is_not_known_only_the_very_same_container_counts(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.server.objects.remove(KUBE_SYSTEM)
    for name in ("db-0", "db-1"):
        add_pod(cluster, name, **owned())
    scan()
    cluster.server.objects.remove(PODS + "db-1")
    add_pod(cluster, "db-1", **owned())
    cluster.server.requests.clear()
    scan(due_only=True)
    assert entered(cluster) == ["db-1"]


def test_one_replica_says_for_how_many_it_stands(scan: Scan, cluster: Cluster) -> None:
    for name in ("db-0", "db-1", "db-2"):
        add_pod(cluster, name, **owned())
    add_pod(cluster, "db-3", image="2", **owned())
    result = scan(replicas="one")
    run = run_of(result)
    assert sorted(target.replicas for target in run.targets) == [1, 3]
    document = next(document for _path, document in run.documents())
    assert document["passthrough"]["securescan_kubernetes"]["scan"]["replicas"] in (1, 3)
    add_pod(cluster, "db-4", **owned())
    again = scan(replicas="one", due_only=True)
    assert sorted(target.replicas for target in run_of(again).targets) == [1, 4]
    assert again["counts"]["carried"] == 2
    assert gate(scan, again)["gate"]["coverage"] == 100


def test_check_mode_says_what_would_be_carried_over(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 3)
    scan()
    add_pod(cluster, "web-4")
    planned = scan(check_mode=True, due_only=True)
    assert planned["counts"] == {"selected": 4, "scanned": 3, "not_scanned": 0, "not_judged": 0, "carried": 3}
    assert [one["target_id"].split("/")[-2] for one in planned["would_scan"]] == ["web-4"]


def test_facts_and_drift_are_taken_over_with_a_result(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 3)
    interrupted(scan, cluster, after=3, keep_facts=True)
    result = scan(keep_facts=True)
    run = run_of(result)
    assert carried(run) == {"web-1": "resumed", "web-2": "resumed"}
    folder = pathlib.Path(result["run_dir"])
    assert all(target.facts and (folder / target.facts.path).is_file() for target in run.targets)
    assert len(list((folder / "facts").iterdir())) == 3
    assert RunFolder(folder.parent, folder.name).path == folder


def test_a_store_knows_what_is_due_where_no_earlier_folder_is(
    scan: Scan, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    pytest.importorskip("sqlalchemy")
    add_pods(cluster, 3)
    first = run_of(scan())
    path = str(tmp_path / "store.db")
    with contextlib.closing(make_store(path)) as store:
        store.ingest_run(first, "all")
    add_pod(cluster, "web-4")
    cluster.server.requests.clear()
    result = scan(due_only=True, store=path, output_dir=str(tmp_path / "elsewhere"))
    assert entered(cluster) == ["web-4"] and result["counts"]["carried"] == 3
    run = run_of(result)
    assert {target.hdf_sha256 for target in first.targets} < {target.hdf_sha256 for target in run.targets}
    assert gate(scan, result)["gate"]["coverage"] == 100
    with pytest.raises(ScanError) as caught:
        scan(due_only=True, store=str(tmp_path / "nowhere.db"))
    assert caught.value.record()["code"].startswith("SCAN-83")


def test_a_container_that_is_still_there_stands_for_none_that_was_named_in_its_place(
    scan: Scan, cluster: Cluster
) -> None:
    """That it was not selected does not say that it is gone."""
    for name in ("db-0", "db-1"):
        add_pod(cluster, name, **owned())
    scan(pods=["db-0"])
    cluster.server.requests.clear()
    scan(pods=["db-1"], due_only=True)
    assert entered(cluster) == ["db-1"] and set(scan.targets) == {"db-1"}


def test_no_result_stands_for_a_new_container_that_does_not_run(scan: Scan, cluster: Cluster) -> None:
    add_pod(cluster, "db-0", **owned())
    scan()
    cluster.server.objects.remove(PODS + "db-0")
    pod = add_pod(cluster, "db-0", **owned())
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    cluster.server.objects.put(PODS + "db-0", pod)
    result = scan(due_only=True)
    assert result["counts"]["carried"] == 0 and result["counts"]["not_scanned"] == 1


def test_a_result_without_the_cross_check_that_is_asked_for_is_not_carried_over(
    scan: Scan, cluster: Cluster
) -> None:
    options = {"scanner_image": IMAGE, "helper_namespace": HELPERS}
    add_pods(cluster, 1)
    scan(**options)
    result = scan(due_only=True, cross_check="required", **options)
    assert result["counts"]["carried"] == 0
    (target,) = run_of(result).targets
    scan_of = document_scan(run_of(result).document_of(target)[1]) if target.is_scanned else {}
    assert target.error is not None or "cross_check" in scan_of


def test_drift_of_other_paths_is_not_carried_over(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 1)
    scan(drift=True, drift_paths=["/etc"])
    assert scan.targets["web-1"]["drift"] is not None
    assert scan(drift=True, drift_paths=["/etc"], due_only=True)["counts"]["carried"] == 1
    assert scan(drift=True, drift_paths=["/"], due_only=True)["counts"]["carried"] == 0


def test_a_store_gives_no_result_whose_drift_or_facts_are_asked_for(
    scan: Scan, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    pytest.importorskip("sqlalchemy")
    add_pods(cluster, 1)
    path = str(tmp_path / "store.db")
    with contextlib.closing(make_store(path)) as store:
        store.ingest_run(run_of(scan(drift=True, keep_facts=True)), "all")
    for asked in ("drift", "keep_facts"):
        result = scan(due_only=True, store=path, output_dir=str(tmp_path / asked), **{asked: True})
        assert result["counts"]["carried"] == 0, asked


@pytest.mark.parametrize("broken", ["db-0", "db-1"])
def test_names_that_come_again_are_in_a_run_once(scan: Scan, cluster: Cluster, broken: str) -> None:
    """The result of the old db-0 can stand for the new db-1: when that of the old db-1 cannot be used, db-0 is scanned."""
    for name in ("db-0", "db-1"):
        add_pod(cluster, name, **owned())
    first = scan()
    for name in ("db-0", "db-1"):
        cluster.server.objects.remove(PODS + name)
        add_pod(cluster, name, **owned())
    summary = json.loads((pathlib.Path(first["run_dir"]) / "summary.json").read_text())
    summary["targets"][1]["result"] = "fail"  # so it comes first
    (pathlib.Path(first["run_dir"]) / "summary.json").write_text(json.dumps(summary))
    document = next(
        path for path in (pathlib.Path(first["run_dir"]) / "hdf").iterdir() if broken in path.name
    )
    document.write_bytes(b"{}")
    result = scan(due_only=True)
    found = [target.target_id for target in run_of(result).targets]
    assert len(found) == len(set(found)) == 2
    assert gate(scan, result)["gate"]["coverage"] == 100


def test_what_the_last_run_could_not_scan_is_due(scan: Scan, cluster: Cluster) -> None:
    """Its older result is from before whatever was in the way, which can be that two approaches contradict each other."""
    add_pods(cluster, 2)
    scan()
    cluster.server.faults.append(Fault("cut", on="web-2/exec", after=10))
    assert scan()["counts"]["not_scanned"] == 1
    assert scan(due_only=True)["counts"]["not_scanned"] == 1
    cluster.server.faults.clear()
    assert scan(due_only=True)["counts"]["carried"] == 1


def test_what_a_later_run_has_seen_is_not_taken_from_an_interrupted_one(scan: Scan, cluster: Cluster) -> None:
    add_pods(cluster, 3)
    interrupted(scan, cluster, after=3)
    scan.file.chmod(0o777)
    assert scan(pods=["web-1"])["counts"]["carried"] == 0
    result = scan()
    assert carried(run_of(result)) == {"web-2": "resumed"}
    assert scan.targets["web-1"]["result"] == "fail"
