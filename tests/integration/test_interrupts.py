# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan that is ended in the middle: by Ctrl-C, by a job system, by Ansible's own time-out. Nothing of it stays."""

from __future__ import annotations

import pathlib
import random
import signal
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import KINDS, LABEL, left
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import MANIFEST
from ansible_collections.securescan.kubernetes.tests.support.process_family import (
    ANSIBLES_OWN_HANG,
    family_of,
    kill_family,
    output_of,
)

MOMENTS = 20
# Where the ServiceAccounts are: with the targets, and in a namespace of their own, where no owner takes the Roles along.
ACCOUNT_NAMESPACE = MANIFEST.with_name("account-namespace.yml")
HOMES = ("", "securescan-accounts")
LAST_WORDS = "interrupted; its access was removed"


@pytest.fixture(scope="module", autouse=True)
def _account_namespace(cluster):
    cluster.kubectl("apply", "-f", str(ACCOUNT_NAMESPACE))
    yield
    cluster.kubectl("delete", "namespace", HOMES[1], "--wait=false")


def start_slow_scan(playbooks, home=""):
    """One container after the other, so that the scan has a middle."""
    return playbooks.start(
        "securescan.kubernetes.scan",
        scan_namespaces="shop",
        scan_concurrency=1,
        scan_account_namespace=home,
        scan_output_dir=str(playbooks.folder / "results"),
        environ={"PYTHONFAULTHANDLER": "1"},
    )


@pytest.fixture(autouse=True)
def _clean(cluster):
    """What one test leaves behind when it fails must not fail the next."""
    yield
    cluster.kubectl("delete", KINDS, "--all-namespaces", "-l", LABEL)


def wait_for_access(process, cluster, before: str = "") -> bool:
    """Waits until the scan has made something beside what was there `before`; whether it did before it ended."""
    while process.poll() is None:
        if len(left(cluster)) > len(before):
            return True
    return False


def test_ctrl_c_at_random_moments_leaves_nothing(playbooks, cluster):
    """Ansible's main process gets SIGINT, as from a terminal; its worker is in a session of its own.

    Every other moment is counted from when the access is there, so that enough of them lie within its life.
    """
    chance = random.Random(4)
    within = hangs = told = 0
    for moment in range(MOMENTS):
        process = start_slow_scan(playbooks, HOMES[moment // 2 % 2])
        if moment % 2:
            within += wait_for_access(process, cluster)
            time.sleep(chance.uniform(0, 0.4))
        else:
            time.sleep(chance.uniform(0.3, 2.5))
        process.send_signal(signal.SIGINT)
        output = output_of(process)
        hangs += ANSIBLES_OWN_HANG.search(output) is not None
        assert left(cluster) == "", output
        told += LAST_WORDS in output
    assert hangs <= 1
    # a scan may end by itself between the look for its access and the signal
    assert told >= within // 2, "who pressed Ctrl-C was not told what was left"
    assert within >= MOMENTS // 4, "too few of the moments lay within a scan, so this shows too little"


def expire(cluster, run_id: str) -> None:
    """Puts the expiry of one run's objects into the past, so that the test need not wait for the shortest token."""
    selector = f"securescan.kubernetes/run-id={run_id}"
    expiry = "securescan.kubernetes/expires=20200101T000000Z"
    cluster.kubectl("label", "--overwrite", KINDS, "--all-namespaces", "-l", selector, expiry)


def sweep(cluster) -> dict:
    params = {
        "kubeconfig": str(cluster.kubeconfig),
        "state": "swept",
        "namespaces": ["shop"],
        "account_namespace": HOMES[1],
    }
    spec = scan_access_spec()
    whole = {name: params.get(name, rule.get("default")) for name, rule in spec.items()}
    return run_scan_access(whole, TaskContext(check_mode=False, environ={}))


def test_what_a_killed_controller_leaves_is_swept_when_it_has_expired(playbooks, cluster):
    """kill -9 of Ansible and its workers: nobody can clean up, so the sweep does, but only what is past its expiry."""
    chance = random.Random(9)
    for moment in range(MOMENTS):
        before = left(cluster)
        process = start_slow_scan(playbooks, HOMES[moment % 2])
        wait_for_access(process, cluster, before)
        time.sleep(chance.uniform(0, 0.6))
        kill_family(process.pid)
        output_of(process)
    accounts = [line.split("/")[1] for line in left(cluster).split() if line.startswith("serviceaccount/")]
    assert {account.endswith(".shop") for account in accounts} == {True, False}
    names = sorted({account[len("securescan-") :].partition(".")[0] for account in accounts})
    assert len(names) >= 3, "too few of the moments lay within a scan"
    assert sweep(cluster)["changed"] is False, "nothing has expired yet"
    assert len(left(cluster).split()) >= len(names)
    expire(cluster, names[0])
    sweep(cluster)
    assert names[0] not in left(cluster)
    assert all(name in left(cluster) for name in names[1:])
    for name in names[1:]:
        expire(cluster, name)
    sweep(cluster)
    assert left(cluster) == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ends_leave_nothing(playbooks, cluster, number):
    process = start_slow_scan(playbooks)
    deadline = time.monotonic() + 60
    while not left(cluster) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    output_of(process)
    deadline = time.monotonic() + 60
    while left(cluster):
        assert time.monotonic() < deadline, left(cluster)
        time.sleep(0.1)


SLOW_POD = """
apiVersion: v1
kind: Namespace
metadata: {name: slow}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: slow, namespace: slow}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shell, namespace: slow}
data:
  sh: |
    #!/bin/busybox sh
    exec /bin/busybox sleep 300
---
apiVersion: v1
kind: Pod
metadata: {name: slow, namespace: slow}
spec:
  serviceAccountName: slow  # of its own: that named default comes a moment after the namespace
  terminationGracePeriodSeconds: 0
  containers:
    - name: slow
      image: securescan.local/busybox:1
      imagePullPolicy: IfNotPresent
      command: [/bin/busybox, sleep, "3600"]
      env: [{name: PATH, value: "/slow:/bin"}]
      volumeMounts: [{name: shell, mountPath: /slow}]
  volumes:
    - name: shell
      configMap: {name: shell, defaultMode: 0755}
"""
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - securescan.kubernetes.scan_container:
        kubeconfig: "{{ scan_kubeconfig }}"
        namespaces: [slow]
        output_dir: "{{ playbook_dir }}/results"
        timeout: 290
      timeout: 3
"""


@pytest.fixture(scope="module")
def slow_pod(cluster):
    """A container whose `sh` does nothing for five minutes."""
    cluster.kubectl("apply", "-f", "-", stdin=SLOW_POD)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/slow", "-n", "slow", "--timeout=60s")
    yield
    cluster.kubectl("delete", "namespace", "slow", "--wait=false")


def test_the_time_out_of_the_task_ends_the_scan_and_removes_the_access(playbooks, cluster, slow_pod):
    play = playbooks.folder / "play.yml"
    play.write_text(PLAY)
    started = time.monotonic()
    run = playbooks.run(str(play))
    assert run.status == 2
    assert "imed out" in run.output or "imeout" in run.output, run.output
    assert time.monotonic() - started < 120, "it must not wait for the container"
    assert left(cluster) == ""


def test_a_worker_whose_ansible_is_killed_ends_and_removes_the_access(playbooks, cluster, slow_pod):
    """SIGKILL for ansible-playbook alone, as ansible-runner does it when a cancel is not heeded. Nothing else would end its
    worker before the container answers.
    """
    process = playbooks.start(
        "securescan.kubernetes.scan",
        scan_namespaces="slow",
        scan_timeout=290,
        scan_output_dir=str(playbooks.folder / "results"),
    )
    assert wait_for_access(process, cluster)
    workers = family_of(process.pid) - {process.pid}
    assert workers
    process.kill()
    output_of(process)
    deadline = time.monotonic() + 60
    while any(pathlib.Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "the worker goes on"
        time.sleep(0.1)
    assert left(cluster) == ""
