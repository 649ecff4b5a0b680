# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at random moments, then the same command again: the verdicts of a scan that nobody disturbed, and no target twice.

SECURESCAN_KILLS says how often each scan is killed; 3 times is enough for every day, 20 is the proof.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.journal import JOURNAL
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    ExecStreams,
    run_locally,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import (
    PODS,
    Cluster,
    Scan,
)

PROGRAM = pathlib.Path(__file__).parent / "programs" / "scan_to_be_killed.py"
KILLS = int(os.environ.get("SECURESCAN_KILLS", "3"))
TARGETS = max(10, KILLS * 2)
SECONDS = 0.15  # for one target


def slowly(argv: list[str], streams: ExecStreams) -> int:
    time.sleep(SECONDS)
    return run_locally(argv, streams)


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    cluster = Cluster(server, run_locally)
    server.objects.put(
        "/api/v1/namespaces/kube-system",
        {
            "kind": "Namespace",
            "apiVersion": "v1",
            "metadata": {"name": "kube-system", "uid": "of-the-cluster"},
        },
    )
    for number in range(TARGETS):
        name = f"web-{number}"
        pod = cluster.add_pod(name, slowly)
        pod["status"]["containerStatuses"][0]["containerID"] = f"containerd://{name}"
        server.objects.put(PODS + name, pod)
    return cluster


def start(scan: Scan, results: pathlib.Path) -> subprocess.Popen[str]:
    """A scan in a process of its own, which has just begun."""
    options = {
        "kubeconfig": scan.server.kubeconfig(),
        "namespaces": ["shop"],
        "compiled_profiles": scan.profiles,
        "output_dir": str(results),
        "concurrency": 2,
    }
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(options))
    process.stdin.close()
    assert process.stdout.readline() == "begun\n"
    return process


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    with process.stdout as stream:
        result: dict[str, Any] = json.loads(stream.read())
    assert process.wait(30) == 0
    return result


def killed(process: subprocess.Popen[str], results: pathlib.Path, chance: random.Random) -> None:
    """Ends it at a random moment: when its folder holds a number of documents, and a little later."""
    runs = len(list(results.glob("*/*/hdf")))
    documents = chance.randrange(TARGETS - 5)
    give_up = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < give_up:
        folders = sorted(results.glob("*/*/hdf"), key=lambda path: path.stat().st_ctime_ns)
        if documents == 0 or (len(folders) > runs and len(list(folders[-1].glob("*.json"))) >= documents):
            break
        time.sleep(0.005)
    time.sleep(chance.uniform(0, SECONDS))
    process.kill()
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()


def verdicts(run: Run) -> dict[str, list[list[str]]]:
    """By target the statuses of each control's tests."""
    return {
        document["platform"]["target_id"]: [
            [result["status"] for result in control["results"]]
            for profile in document["profiles"]
            for control in profile["controls"]
        ]
        for _path, document in run.documents()
    }


def test_the_same_command_again_gives_what_an_undisturbed_scan_gives(
    cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    scan, chance = Scan(cluster, tmp_path), random.Random(15)
    undisturbed = open_run(finished(start(scan, tmp_path / "undisturbed"))["run_dir"])
    cluster.server.requests.clear()
    results = tmp_path / "killed"
    for _number in range(KILLS):
        killed(start(scan, results), results, chance)
    interrupted = len(list(results.glob(f"*/*/{JOURNAL}")))
    entered = Counter(request.path for request in cluster.execs())
    result = finished(start(scan, results))
    run = open_run(result["run_dir"])
    assert verdicts(run) == verdicts(undisturbed)
    ids = [target.target_id for target in run.targets]
    assert len(ids) == len(set(ids)) == TARGETS == result["counts"]["scanned"]
    assert run.controls == undisturbed.controls and run.failed_controls == undisturbed.failed_controls
    # what a killed scan had finished was not entered again; what was under way can be lost: 2 at a time, and as many whose
    # outcome had not been recorded yet. A scan that had ended before it was killed is not resumed.
    again = Counter(request.path for request in cluster.execs())
    ended = len(list(results.glob("*/*/summary.json")))
    assert sum(again.values()) <= TARGETS * ended + 4 * KILLS
    assert interrupted, "no scan was interrupted, so this shows too little"
    assert entered, "no moment lay within a scan, so this shows too little"
    assert not list(results.glob(f"*/*/{JOURNAL}"))
    assert len(list((pathlib.Path(run.folder) / "hdf").iterdir())) == TARGETS
    sweep_all(cluster)


def sweep_all(cluster: Cluster) -> None:
    """The accesses of killed scans go with a sweep, once their time is over."""
    for path in cluster.accesses():
        item = cluster.server.objects.find(path)
        if item and "securescan.kubernetes/expires" in item["metadata"].get("labels", {}):
            item["metadata"]["labels"]["securescan.kubernetes/expires"] = "20200101T000000Z"
            cluster.server.objects.put(path, item)
    sweep = TaskRunner(cluster.server, run_scan_access, scan_access_spec)
    sweep(state="swept", namespaces=["shop"])
    assert cluster.accesses() == []
