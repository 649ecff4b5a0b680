# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at moments of a scan of the real cluster, then the same command: nothing is scanned twice, a sweep leaves nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time

from ansible_collections.securescan.kubernetes.tests.support.access_tasks import run_task
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    ENFORCED,
    container,
    pod,
)

OURS = "app.kubernetes.io/managed-by=securescan.kubernetes"
ACCESS = "serviceaccounts,roles,rolebindings"
NAMES = ("a", "b", "c", "d", "e", "f")


def names(cluster, namespace):
    return set(cluster.kubectl("get", ACCESS, "-n", namespace, "-l", OURS, "-o", "name").split())


def statuses(result):
    """By target the statuses of each control's tests."""
    found = {}
    for path in sorted((result.run_dir / "hdf").iterdir()):
        document = json.loads(path.read_text())
        found[document["platform"]["target_id"]] = [
            (control["id"], [one["status"] for one in control["results"]])
            for profile in document["profiles"]
            for control in profile["controls"]
        ]
    return found


def wait_for_documents(folder, number):
    """Until the last run in the folder has so many."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        runs = sorted(folder.glob("*/*/hdf"), key=lambda path: path.stat().st_ctime)
        if runs and len(list(runs[-1].glob("*.json"))) >= number:
            return
        time.sleep(0.002)
    raise AssertionError(f"there are not {number} documents")


def test_a_killed_scan_goes_on_and_leaves_nothing_after_a_sweep(
    place, scan, cluster, debug_operator_kubeconfig, tmp_path
):
    there = place(ENFORCED)
    there.add(*(pod(name, container(name, BUSYBOX)) for name in NAMES))
    forked = multiprocessing.get_context("fork")

    def run(folder):
        return scan(there.name, approach="exec", concurrency=1, output_dir=str(tmp_path / folder))

    def run_until(number):
        """The scan that is killed when there are so many documents: by a thread of its own process, so that none of both gets
        ahead of the other."""

        def kill():
            wait_for_documents(tmp_path / "killed", number)
            os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()
        run("killed")

    undisturbed = run("undisturbed")
    assert undisturbed.result["counts"]["scanned"] == len(NAMES)
    for number in (2, 4):
        process = forked.Process(target=run_until, args=(number,))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    done = run("killed")
    carried = done.result["counts"]["carried"]
    assert 3 <= carried < len(NAMES), "at most the last of those that are there was not yet in the journal"
    assert done.result["requests"]["exec"] == len(NAMES) - carried
    assert statuses(done) == statuses(undisturbed)
    assert names(cluster, there.name), "those that were killed have left their access"
    cluster.kubectl(
        "label",
        "--overwrite",
        ACCESS,
        "-n",
        there.name,
        "-l",
        OURS,
        "securescan.kubernetes/expires=20200101T000000Z",
    )
    run_task(debug_operator_kubeconfig, state="swept", namespaces=[there.name])
    deadline = time.monotonic() + 60
    while names(cluster, there.name) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert names(cluster, there.name) == set()
