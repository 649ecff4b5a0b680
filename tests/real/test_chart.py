# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart by the real Helm on a real cluster, with the execution environment that ansible-builder built.

Pods reach the API server as everywhere (tests/support/api_server_in_pods.py), and stay as they were rendered: restricted. The
test cluster enforces no NetworkPolicy, so nothing here says that one works.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.cluster import cgroups
from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import (
    SampleCluster,
    sample_cluster,
)
from ansible_collections.securescan.kubernetes.tests.real.built_environment import IMAGE, built_environment
from ansible_collections.securescan.kubernetes.tests.support import chart
from ansible_collections.securescan.kubernetes.tests.support.api_server_in_pods import api_server_in_pods
from ansible_collections.securescan.kubernetes.tests.support.helm_program import VERSION, Helm
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

RELEASE, NAMESPACE = chart.RELEASE, chart.NAMESPACE
SECONDS = 300.0
SECTION = SECTIONS[2]
# Everything that a release can leave, in all namespaces.
KINDS = (
    "cronjobs,jobs,pods,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,configmaps,resourcequotas,"
    "networkpolicies,persistentvolumeclaims,validatingadmissionpolicies,validatingadmissionpolicybindings,namespaces"
)
OF_THE_RELEASE = f"app.kubernetes.io/instance={RELEASE}"
OF_SCANS = "app.kubernetes.io/managed-by=securescan.kubernetes"


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory, cluster: SampleCluster) -> Helm:
    return Helm(tmp_path_factory.mktemp("helm"), cluster.kubeconfig)


@pytest.fixture(scope="module")
def cluster() -> Iterator[SampleCluster]:
    running = sample_cluster("test")
    assert running.made_here
    with api_server_in_pods(running.made_here):
        yield running


@pytest.fixture(scope="module")
def image(cluster: SampleCluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The execution environment, loaded into the node."""
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    built_environment().run("save", "--format", "docker-archive", "--output", archive, IMAGE)
    assert cluster.made_here
    cluster.made_here.load_images([archive])
    archive.unlink()
    return IMAGE


@pytest.fixture(scope="module")
def namespace(cluster: SampleCluster) -> Iterator[str]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(space))
    yield NAMESPACE
    cluster.kubectl("delete", "namespace", NAMESPACE)


@pytest.mark.parametrize("values", chart.examples(), ids=lambda path: path.stem)
def test_lint_and_template(tmp_path: pathlib.Path, values: pathlib.Path) -> None:
    helm = Helm(tmp_path)
    helm("lint", "--strict", chart.CHART, "--values", values)
    text = chart.rendering_head(values) + helm(
        "template", RELEASE, chart.CHART, "--namespace", NAMESPACE, "--values", values
    )
    rendering = chart.rendering_of(values)
    if os.environ.get("SECURESCAN_WRITE_DOCS"):
        rendering.write_text(text, encoding="utf-8")
    assert rendering.read_text(encoding="utf-8") == text
    shown(
        "Helm",
        VERSION,
        f"lint --strict and template of {values.name}: the committed rendering",
        section=SECTION,
    )


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("cluster.inCluster=false", "nothing says how the cluster is reached"),
        ("cluster.kubeconfig.secret=x", "two ways to one cluster"),
        ("rbac.wholeCluster=true", "as strong as cluster-admin"),
        ("scan.namespaces={shop-*}", "is no name"),
        ("scan.namespaces={securescan}", "the release's own namespace"),
        ("scan.namespaces=null", "scan.namespaces is empty"),
        ("scan.approaches={exec,debug}", "set scan.scannerImage"),
        ("results.claim.name=x", "give one of them"),
        ("scan.variables.scan_treshold=x", "scan_treshold"),
        ("pod.hostNetwork=true", "hostNetwork"),
    ],
)
def test_what_it_refuses(tmp_path: pathlib.Path, setting: str, words: str) -> None:
    helm = Helm(tmp_path)
    values = chart.EXAMPLES / "namespaces.yaml"
    done = helm.run(
        *("template", RELEASE, chart.CHART, "--namespace", NAMESPACE, "--values", values, "--set", setting)
    )
    assert done.returncode != 0 and words in done.stderr


def values_file(folder: pathlib.Path, **changes: Any) -> pathlib.Path:
    """Of the namespace `shop`, with the image that the cluster has, and a claim that the test cluster cannot give left out."""
    values = yaml.safe_load((chart.EXAMPLES / "namespaces.yaml").read_text(encoding="utf-8"))
    repository, _colon, tag = IMAGE.rpartition(":")
    values["image"] = {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"}
    # the node of the test's cluster has none to give
    values["pod"] = {"resources": {"requests": {"ephemeral-storage": "0"}}}
    values["scan"]["namespaces"] = ["shop"]
    values["results"] = {"claim": {"create": False}}
    values.update(changes)
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def job_ended(cluster: SampleCluster, name: str) -> dict[str, Any]:
    """The conditions of a job that has ended, by type."""

    def conditions() -> dict[str, Any]:
        status = cluster.get("job", name, "-n", NAMESPACE)["status"]
        return {one["type"]: one for one in status.get("conditions", []) if one["status"] == "True"}

    wait_until(lambda: {"Complete", "Failed"} & set(conditions()), f"the end of job {name}", SECONDS)
    return conditions()


def scan_now(cluster: SampleCluster, name: str) -> tuple[dict[str, Any], str]:
    """A job of the CronJob, as the night makes it: how it ended, and what it said."""
    cluster.kubectl("create", "job", "-n", NAMESPACE, f"--from=cronjob/{RELEASE}-scan", name)
    ended = job_ended(cluster, name)
    return ended, cluster.kubectl("logs", "-n", NAMESPACE, f"job/{name}")


def left(cluster: SampleCluster, label: str) -> str:
    return cluster.kubectl("get", KINDS, "-A", "-l", label, "-o", "name", "--ignore-not-found")


def test_a_release_from_its_installation_to_its_end(
    cluster: SampleCluster, helm: Helm, namespace: str, image: str, tmp_path: pathlib.Path
) -> None:
    values = values_file(tmp_path)
    where = ("--namespace", namespace, "--wait", "--timeout", "5m")

    helm("install", RELEASE, chart.CHART, *where, "--values", values)
    said = helm("test", RELEASE, "--namespace", namespace, "--timeout", "5m")
    assert "PREFLIGHT" in said.upper()

    # the night: the sample workloads hold a bad one, and the gate finds it
    ended, log = scan_now(cluster, "night-1")
    assert "Failed" in ended and "FAILED by gate" in log, log[-3000:]
    assert not left(cluster, OF_SCANS)

    # an upgrade that lets findings pass, and back
    changed = values_file(tmp_path, scan={"namespaces": ["shop"], "failOn": ["unreachable"]})
    helm("upgrade", RELEASE, chart.CHART, *where, "--values", changed)
    ended, log = scan_now(cluster, "night-2")
    assert "Complete" in ended, log[-3000:]
    helm("rollback", RELEASE, "1", *where)
    ended, log = scan_now(cluster, "night-3")
    assert "Failed" in ended, log[-3000:]

    helm("uninstall", RELEASE, *where)
    assert not left(cluster, OF_THE_RELEASE) and not left(cluster, OF_SCANS)
    shown(
        "Helm",
        VERSION,
        "install, test, a night whose gate fails, upgrade, rollback, uninstall that leaves nothing",
        section=SECTION,
    )


def access_of_scans(cluster: SampleCluster) -> str:
    return cluster.kubectl(
        *(
            "get",
            "serviceaccounts,roles,rolebindings",
            "-A",
            "-l",
            OF_SCANS,
            "-o",
            "name",
            "--ignore-not-found",
        )
    )


@pytest.fixture
def release(
    cluster: SampleCluster, helm: Helm, namespace: str, image: str, tmp_path: pathlib.Path
) -> Iterator[pathlib.Path]:
    """A release that keeps its results on a claim: the folder of the volume, which the test makes."""
    folder = tmp_path / "volume"
    folder.mkdir()
    # a hostPath has no fsGroup
    folder.chmod(0o777)
    for path in (folder, *folder.parents[:3]):
        path.chmod(path.stat().st_mode | 0o005)
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "securescan-test"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "securescan-test",
            "hostPath": {"path": str(folder)},
        },
    }
    claim = {"create": True, "size": "1Gi", "storageClass": "securescan-test"}
    values = values_file(tmp_path, results={"claim": claim})
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(volume))
    where = ("--namespace", namespace, "--wait", "--timeout", "5m")
    try:
        helm(
            "install",
            RELEASE,
            chart.CHART,
            *where,
            "--values",
            values,
            "--set",
            "scan.variables.scan_concurrency=1",
        )
        yield folder
    finally:
        helm.run("uninstall", RELEASE, *where)
        cluster.kubectl("delete", "persistentvolume", "securescan-test", "--ignore-not-found")


def test_the_release_passes_our_own_gate(cluster: SampleCluster, release: pathlib.Path) -> None:
    """A pod of the night, that sleeps instead of scanning, is scanned by both baselines."""
    job = json.loads(
        cluster.kubectl(
            *("create", "job", "asleep", "-n", NAMESPACE, f"--from=cronjob/{RELEASE}-scan"),
            *("--dry-run=client", "-o", "json"),
        )
    )
    job["spec"]["template"]["spec"]["containers"][0]["args"] = ["sleep", "600"]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(job))
    try:
        cluster.kubectl(
            *(
                "wait",
                "--for=condition=Ready",
                "pods",
                "-l",
                "job-name=asleep",
                "-n",
                NAMESPACE,
                "--timeout=120s",
            )
        )
        done = subprocess.run(
            [
                *(chart.ROOT / "bin" / "securescan", "-n", NAMESPACE, "--approach", "exec", "-o", "lines"),
                *("--waivers", chart.EXAMPLES / "waivers.yml"),
            ],
            check=False,
            env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "SECURESCAN_PYTHON": sys.executable},
            capture_output=True,
            text=True,
        )
    finally:
        cluster.kubectl("delete", "job", "asleep", "-n", NAMESPACE, "--cascade=foreground")
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    # the image was loaded from a file, and only a registry gives a digest; the listener is the relay of this test
    of_the_test = ("wb-image-digest", "cb-root-listeners")
    failed = [line for line in done.stdout.splitlines() if line.split(": ")[2] not in of_the_test]
    assert not failed, "\n".join(failed)
    shown(
        "Helm",
        VERSION,
        "a pod of the release passes the gate of our own scan by both baselines, with the chart's waivers",
        section=SECTION,
    )


def test_results_stay_on_the_claim_and_the_next_night_compares(
    cluster: SampleCluster, release: pathlib.Path
) -> None:
    _ended, first = scan_now(cluster, "kept-1")
    _ended, second = scan_now(cluster, "kept-2")
    assert "No earlier fleet run to compare with." in first, first[-3000:]
    assert "Since " in second, second[-3000:]
    assert len(list(release.glob("_fleet/*/fleet.json"))) >= 2, sorted(map(str, release.glob("*/*")))


def start_until_it_has_access(cluster: SampleCluster, name: str) -> str:
    """The name of the pod of a night that is about to scan."""
    cluster.kubectl("create", "job", "-n", NAMESPACE, f"--from=cronjob/{RELEASE}-scan", name)
    wait_until(lambda: "rolebinding" in access_of_scans(cluster), "the access of the scan", SECONDS)
    (pod,) = cluster.get("pods", "-n", NAMESPACE, "-l", f"job-name={name}")["items"]
    return str(pod["metadata"]["name"])


def test_a_pod_that_is_deleted_removes_its_access(cluster: SampleCluster, release: pathlib.Path) -> None:
    pod = start_until_it_has_access(cluster, "deleted")
    cluster.kubectl("delete", "pod", pod, "-n", NAMESPACE)
    assert not access_of_scans(cluster)
    shown(
        "Helm",
        VERSION,
        "the pod of a night that is deleted removes its access before it ends",
        section=SECTION,
    )


def test_the_sweep_of_the_release_finds_what_a_killed_pod_has_left(
    cluster: SampleCluster, release: pathlib.Path
) -> None:
    pod = start_until_it_has_access(cluster, "killed")
    assert cluster.made_here
    for pid in pids_of(cluster, pod):
        os.kill(pid, signal.SIGKILL)
    job_ended(cluster, "killed")
    assert access_of_scans(cluster), "what is killed cannot remove anything"
    expired = "securescan.kubernetes/expires=20200101T000000Z"
    kinds = "serviceaccounts,roles,rolebindings"
    for space in (NAMESPACE, f"{NAMESPACE}-accounts", "shop"):
        cluster.kubectl_run("label", "--overwrite", kinds, "-n", space, "-l", OF_SCANS, expired)
    cluster.kubectl("create", "job", "-n", NAMESPACE, f"--from=cronjob/{RELEASE}-sweep", "swept")
    assert "Complete" in job_ended(cluster, "swept")
    assert not access_of_scans(cluster)
    shown("Helm", VERSION, "the sweep of the release removes what a killed pod has left", section=SECTION)


def pids_of(cluster: SampleCluster, pod: str) -> list[int]:
    """The processes, on this machine, of a pod of the release."""
    uid = cluster.get("pod", pod, "-n", NAMESPACE)["metadata"]["uid"]
    tree = f"{cluster.made_here.state.control_groups}/kubepods"
    marks = (uid, uid.replace("-", "_"))
    return [
        pid
        for pid in cgroups.processes(tree)
        if any(mark in pathlib.Path(f"/proc/{pid}/cgroup").read_text() for mark in marks)
    ]
