# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three hosts of an inventory, whose clusters have one name in their kubeconfigs, and one folder for their results.

Two are the real cluster under two names, the third is a closed port.
"""

from __future__ import annotations

import json
import pathlib
import time
import uuid
from collections.abc import Iterator

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.cluster_uid import (
    read_cluster_uid,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.tests.support.playbooks import PlaybookRun, Playbooks

CALLBACKS = "securescan.kubernetes.scan_fleet,securescan.kubernetes.scan_metrics"
MANIFEST = pathlib.Path(__file__).parents[2] / "docs" / "manifests" / "cluster-id-clusterrole.yml"
# It names each word whose limits would be added else.
OPEN = {"coverage": {"min": 1}, "error": {"total": {"max": 9}}, "reviewed": {"min": 0}}


class ThreeClusters(Playbooks):
    """`files`: what the callbacks write, by the word of their option."""

    def __init__(self, kubeconfig: pathlib.Path, folder: pathlib.Path) -> None:
        super().__init__(kubeconfig, folder)
        self.files = {name: folder / name for name in ("fleet.md", "retry.txt", "securescan.prom")}

    def inventory(self, **variables):
        path = super().inventory(**variables)
        host = json.loads(path.read_text())["all"]["hosts"]["sample"]
        away = dict(host, scan_kubeconfig="", scan_host="https://127.0.0.1:1", scan_api_key="none")
        hosts = {"prod-eu": host, "Prod.US": host, "down": away}
        path.write_text(json.dumps({"all": {"hosts": hosts}}))
        return path

    def play(self, playbook: str, *arguments: str, **variables: object) -> PlaybookRun:
        environ = {
            "ANSIBLE_CALLBACKS_ENABLED": CALLBACKS,
            "ANSIBLE_FORKS": "3",
            "SECURESCAN_FLEET_TABLE_PATH": str(self.files["fleet.md"]),
            "SECURESCAN_FLEET_RETRY_PATH": str(self.files["retry.txt"]),
            "SECURESCAN_METRICS_PATH": str(self.files["securescan.prom"]),
        }
        fixed = {"scan_output_dir": str(self.folder / "results"), "scan_threshold": OPEN}
        return self.run(
            f"securescan.kubernetes.{playbook}", *arguments, environ=environ, **{**fixed, **variables}
        )

    def scan_api(self, *arguments: str, **variables: object) -> PlaybookRun:
        chosen = {"scan_namespaces": "shop", "scan_workloads": ["Deployment/api"], "scan_approach": "exec"}
        return self.play("scan", *arguments, **chosen, **variables)


@pytest.fixture(scope="module")
def three(operator_kubeconfig: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> ThreeClusters:
    """After a scan of all three."""
    clusters = ThreeClusters(operator_kubeconfig, tmp_path_factory.mktemp("three"))
    done = clusters.scan_api(scan_baseline="previous")
    assert done.status == 4, done.output[-4000:]
    assert "there is no earlier run of prod-eu" in done.output, "a first night passes, and says so"
    return clusters


def folders(three: ThreeClusters) -> dict[str, pathlib.Path]:
    """The clusters' folders, by the cluster that their `latest` says."""
    found = {}
    for folder in (three.folder / "results").iterdir():
        summary = json.loads((folder / "latest" / "summary.json").read_text(encoding="utf-8"))
        found[summary["cluster"]] = folder
    return found


def test_each_cluster_has_its_own_folder_and_the_dead_one_none(three: ThreeClusters, cluster) -> None:
    found = folders(three)
    assert sorted(found) == ["Prod.US", "prod-eu"]
    assert found["prod-eu"].name == "prod-eu" and found["Prod.US"].name.startswith("prod.us~")
    uid = cluster.get("namespace", "kube-system")["metadata"]["uid"]
    for name, folder in found.items():
        summary = json.loads((folder / "latest" / "summary.json").read_text(encoding="utf-8"))
        assert summary["cluster_uid"] == uid and summary["target_counts"]["scanned"] == 2
        for target in summary["targets"]:
            document = json.loads((folder / "latest" / target["hdf"]).read_text(encoding="utf-8"))
            own = document["passthrough"]["securescan_kubernetes"]
            assert document["platform"]["target_id"].startswith(f"{name}/shop/Deployment/api/")
            assert (own["target"]["cluster"], own["scan"]["cluster_uid"]) == (name, uid)
        assert name in (folder / "latest" / "summary.md").read_text(encoding="utf-8").splitlines()[0]


def test_a_report_shows_each_host_its_own_run_and_the_dead_one_nothing(three: ThreeClusters) -> None:
    done = three.play("report")
    assert done.status == 2
    fatal = [line for line in done.output.splitlines() if line.startswith("fatal: ")]
    assert len(fatal) == 1 and fatal[0].startswith("fatal: [down]")
    assert "results/down/latest" in fatal[0] and "no finished run" in fatal[0]


@pytest.mark.parametrize("playbook", ["report", "judge"])
def test_a_run_of_another_host_is_refused_unless_its_name_is_given(
    three: ThreeClusters, playbook: str
) -> None:
    run_dir = str((folders(three)["prod-eu"] / "latest").resolve())
    done = three.play(playbook, "--limit", "down", scan_run_dir=run_dir)
    assert done.status == 2
    assert "SCAN-807" in done.output and "is a run of the cluster prod-eu" in done.output
    if playbook == "report":
        named = three.play(playbook, "--limit", "down", scan_run_dir=run_dir, scan_cluster_name="prod-eu")
        assert named.status == 0, named.output[-3000:]


def test_a_limited_night_compares_with_the_clusters_own_last_and_forgets_nobody(
    three: ThreeClusters,
) -> None:
    assert three.files["retry.txt"].read_text().split() == ["down"]
    eu = folders(three)["prod-eu"]
    before = (eu / "latest").resolve()
    done = three.scan_api("--limit", "prod-eu", scan_baseline="previous")
    assert done.status == 0, done.output[-4000:]
    after = (eu / "latest").resolve()
    gate = json.loads((after / "summary.json").read_text(encoding="utf-8"))["gate"]
    assert after != before and gate["baseline"] == f"run {before.name}"
    assert not three.files["retry.txt"].exists()
    metrics = three.files["securescan.prom"].read_text(encoding="utf-8")
    table = three.files["fleet.md"].read_text(encoding="utf-8")
    for host, succeeded in (("prod-eu", "1.0"), ("Prod.US", "1.0"), ("down", "0.0")):
        assert f'securescan_run_succeeded{{host="{host}",' in metrics and host in table
        (line,) = (one for one in metrics.splitlines() if f'run_succeeded{{host="{host}",' in one)
        assert line.endswith(succeeded)
    assert "2 of 3 clusters scanned" in table


@pytest.fixture
def limited_user(cluster) -> Iterator[str]:
    """A user who is allowed to do nothing but what the manifest gives in kube-system."""
    name = f"tests-{uuid.uuid4().hex[:6]}"
    role = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    role["metadata"]["name"] = name
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(role))
    yield name
    cluster.kubectl("delete", "clusterrole", name)
    cluster.kubectl("delete", "rolebinding", name, "-n", "kube-system", "--ignore-not-found")


def test_the_id_of_the_api_server_takes_one_right_and_no_more(cluster, limited_user: str) -> None:
    options = ConnectionOptions(kubeconfig=str(cluster.kubeconfig), impersonate_user=limited_user)
    client = RestClient(connect(options, {}))
    assert read_cluster_uid(client) is None
    cluster.kubectl(
        "create", "rolebinding", limited_user, "-n", "kube-system",
        "--clusterrole", limited_user, "--user", limited_user,
    )  # fmt: skip
    uid = cluster.get("namespace", "kube-system")["metadata"]["uid"]
    deadline = time.monotonic() + 60
    while read_cluster_uid(client) is None and time.monotonic() < deadline:
        time.sleep(0.1)  # the API server sees a new binding a moment later
    assert read_cluster_uid(client) == uid
