# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scans by debug beside each other, and scans that are ended in the middle: what runs goes, what stays is an entry."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    ENFORCED,
    LISTENS,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.process_family import kill_family, output_of

PODS = ("a", "b", "c")
MOMENTS = 10
TIMEOUT, SPARE = 5, 30  # an ephemeral container that nobody could end lives for no longer than both


def filled(place):
    there = place(ENFORCED)
    there.add(*(pod(name, container(**LISTENS)) for name in PODS))
    return there


def all_ended(there, patience):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not any({"running", "waiting"} & set(there.states(name).values()) for name in PODS):
            return True
        time.sleep(0.5)
    return False


def test_two_scans_at_once_do_not_break_each_other(place, scan):
    there = filled(place)
    added = 0
    for _round in range(4):
        with ThreadPoolExecutor(2) as pool:
            scans = [pool.submit(scan, there.name) for _number in range(2)]
        for one in scans:
            result = one.result().result
            assert result["counts"] == {
                "selected": 3,
                "scanned": 3,
                "not_scanned": 0,
                "not_judged": 0,
                "carried": 0,
            }, result["not_scanned"]
            added += result["footprint"]["added"]
    assert sum(len(there.entries(name)) for name in PODS) == added, (
        "each entry is told by the run that has added it"
    )
    assert added <= 4 * 2 * len(PODS)
    # less than one would live if nobody told it to end
    assert all_ended(there, 40), "the last one that was at work in it has ended it"
    assert all(there.pod(name)["status"]["containerStatuses"][0]["restartCount"] == 0 for name in PODS)
    attack_ends_as("H-11-two-scans", outcome="both complete")


def test_one_that_is_in_use_is_not_ended_by_another_scan(place, scan):
    """The first scan keeps its containers; those that come beside it use them, and leave them alone."""
    there = filled(place)
    scan(there.name, debug_keep_alive=300)
    with ThreadPoolExecutor(3) as pool:
        scans = [pool.submit(scan, there.name, debug_keep_alive=300) for _number in range(6)]
    assert all(one.result().result["counts"]["scanned"] == 3 for one in scans)
    assert [list(there.states(name).values()) for name in PODS] == [["running"]] * 3


def test_a_scan_that_is_cancelled_ends_its_containers(place, scan):
    there = filled(place)
    cancel = threading.Event()
    threading.Timer(1.0, cancel.set).start()
    for _round in range(50):
        if cancel.is_set():
            break
        with contextlib.suppress(ScanError):
            scan(there.name, cancel=cancel, timeout=float(TIMEOUT))
    # all are told to, at once; one that was just starting cannot be told, and comes to its own end
    assert all_ended(there, TIMEOUT + SPARE + 60), {name: there.states(name) for name in PODS}


def start(playbooks, there, operator):
    return playbooks.start(
        "securescan.kubernetes.scan",
        scan_kubeconfig=str(operator),
        scan_namespaces=there.name,
        scan_approach="debug",
        scan_scanner_image=BUSYBOX,
        scan_concurrency=1,
        scan_timeout=TIMEOUT,
        scan_output_dir=str(playbooks.folder / "results"),
        environ={"PYTHONFAULTHANDLER": "1"},
    )


def wait_for_an_entry(process, there, before):
    while process.poll() is None:
        if sum(len(there.entries(name)) for name in PODS) > before:
            return True
    return False


def test_killed_at_random_moments_nothing_stays_but_entries(
    place, playbooks, scan, cluster, debug_operator_kubeconfig
):
    """Every other time Ctrl-C, which removes the access; else kill -9, after which nobody can."""
    there = filled(place)
    chance, within = random.Random(6), 0
    for moment in range(MOMENTS):
        process = start(playbooks, there, debug_operator_kubeconfig)
        within += wait_for_an_entry(process, there, sum(len(there.entries(name)) for name in PODS))
        time.sleep(chance.uniform(0, 0.6))
        if moment % 2:
            kill_family(process.pid)
        else:
            process.send_signal(signal.SIGINT)
        output_of(process)
    assert within >= MOMENTS // 2, "too few of the moments lay within a scan, so this shows too little"
    assert scan(there.name).result["counts"]["scanned"] == 3, "a new scan works at once"
    assert all_ended(there, TIMEOUT + SPARE + 60), {name: there.states(name) for name in PODS}
    assert all(entry["name"].startswith("securescan-") for name in PODS for entry in there.entries(name))
    for kind in ("serviceaccounts", "roles", "rolebindings"):
        cluster.kubectl(
            "delete", kind, "-n", there.name, "-l", "app.kubernetes.io/managed-by=securescan.kubernetes"
        )
    assert there.name not in left(cluster)
    attack_ends_as("H-10-kill-while-starting", outcome="nothing stays but entries")
