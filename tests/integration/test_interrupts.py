# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan that is ended in the middle: by Ctrl-C, by a job system, by Ansible's own time-out. Nothing of it stays."""

from __future__ import annotations

import random
import signal
import time

import pytest

LABEL = "app.kubernetes.io/managed-by=securescan.kubernetes"
KINDS = "serviceaccounts,roles,rolebindings"
MOMENTS = 20


def left(cluster) -> str:
    return cluster.kubectl("get", KINDS, "--all-namespaces", "-l", LABEL, "-o", "name")


def start_slow_scan(playbooks):
    """One container after the other, so that the scan has a middle."""
    return playbooks.start("securescan.kubernetes.scan", scan_namespaces="shop", scan_concurrency=1,
                           scan_output_dir=str(playbooks.folder / "results"))


def test_ctrl_c_at_random_moments_leaves_nothing(playbooks, cluster):
    """Ansible's main process gets SIGINT, as from a terminal; its worker is in a session of its own."""
    started = time.monotonic()
    whole = start_slow_scan(playbooks)
    whole.communicate()
    seconds = time.monotonic() - started
    chance = random.Random(4)
    cluster.forget_audit()
    for _moment in range(MOMENTS):
        process = start_slow_scan(playbooks)
        time.sleep(chance.uniform(0.4, 1.0) * seconds)
        process.send_signal(signal.SIGINT)
        output, _nothing = process.communicate(timeout=30)
        assert left(cluster) == "", output
    made = [event for event in cluster.audit_events() or [] if event["verb"] == "create"
            and event["objectRef"]["resource"] == "serviceaccounts" and not event["objectRef"].get("subresource")
            and event["objectRef"]["namespace"] == "shop"]
    if cluster.made_here:
        assert len(made) >= MOMENTS // 4, "most moments lay before the access was made, so this shows too little"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ends_leave_nothing(playbooks, cluster, number):
    process = start_slow_scan(playbooks)
    deadline = time.monotonic() + 20
    while not left(cluster) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=30)
    deadline = time.monotonic() + 5
    while left(cluster):
        assert time.monotonic() < deadline, left(cluster)
        time.sleep(0.1)
