# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container whose own tools lie, on the real cluster: by exec it passes, and each cross-check catches it. Honest containers
contradict nothing."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import container, pod
from ansible_collections.securescan.kubernetes.tests.support.scan_runs import Run, run_scan

LYING = "securescan.local/debian-lying:1"
CONTROL = ("container-baseline", "cb-shadow-file")
HONEST_SHELL = ("/bin/sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait")


@pytest.fixture
def liar(cluster, place):
    """A namespace with a pod that runs as an ordinary user; its image has an /etc/shadow that everybody can write."""
    cluster.load_images(LYING)
    there = place({"pod-security.kubernetes.io/enforce": "restricted"})
    there.add(pod("liar", container(image=LYING, command=HONEST_SHELL)))
    return there


@pytest.fixture
def scan(helper_operator_kubeconfig, liar, tmp_path):
    def scanned(**options) -> tuple[Run, dict]:
        given = {"namespaces": [liar.name], "profiles": ["container-baseline"], **options}
        run = Run(
            run_scan(helper_operator_kubeconfig, tmp_path / str(len(list(tmp_path.iterdir()))), **given)
        )
        (target,) = run.targets
        return run, target

    return scanned


def error_of(target: dict) -> dict:
    assert target["outcome"] == "not_scanned", target["approach"]
    return target["error"]


def test_a_container_that_lies_passes_by_exec_and_each_cross_check_catches_it(scan) -> None:
    run, target = scan(approach="exec")
    assert run.verdicts(target)[CONTROL] == "passed", "the lie"
    assert target["evidence"]["grade"] == "target"
    attack_ends_as("23-lying-tools", outcome="passed", grade="target")

    run, target = scan(approach="debug")
    assert run.verdicts(target)[CONTROL] == "failed", "the truth"
    assert "open to processes of the target's user" in target["evidence"]["reasons"][0], (
        "busybox is no hardened image"
    )
    attack_ends_as("23-lying-tools-debug", outcome="failed", grade=target["evidence"]["grade"])

    _run, target = scan(approach="exec", cross_check="required")
    error = error_of(target)
    assert "between exec and debug: file:/etc/shadow" in error["message"]
    attack_ends_as("23-lying-tools-checked-by-debug", outcome=error["reason"])

    # writing the file would not set its mode, and the container's user is not its owner
    _run, target = scan(approach="exec", approaches=["exec", "image"], cross_check="possible")
    error = error_of(target)
    assert "between exec and image: file:/etc/shadow" in error["message"]
    attack_ends_as("23-lying-tools-checked-by-image", outcome=error["reason"])


def test_what_can_be_checked_by_nothing_is_said_or_refused(scan) -> None:
    run, target = scan(approach="exec", scanner_image=None, helper_namespace=None, cross_check="possible")
    assert target["evidence"]["grade"] == "target"
    assert any(
        "A cross-check was asked for, and there was none" in reason
        for reason in target["evidence"]["reasons"]
    )
    assert run.said(target)["cross_check"] == {"approach": "", "compared": 0, "drifted": []}


def test_honest_containers_contradict_nothing(cluster, helper_operator_kubeconfig, tmp_path) -> None:
    """The sample workloads: root and not, writable and read-only, with and without a shell, one that crashes."""
    run = Run(
        run_scan(
            helper_operator_kubeconfig, tmp_path, approach="auto", cross_check="possible", prefer="trust"
        )
    )
    assert [target["error"] for target in run.targets if target["outcome"] != "scanned"] == []
    checks = {}
    for target in run.targets:
        seen = run.said(target)
        checks[target["container"]] = (target["approach"], seen["cross_check"]["approach"])
        if seen["cross_check"]["approach"]:
            assert seen["cross_check"]["compared"] > 5 and seen["cross_check"]["drifted"] == [], target[
                "container"
            ]
    assert checks["api"] == ("debug", "image")
    assert checks["broken"] == ("image", ""), "it does not run, so only its image can be seen"
    (broken,) = run.of("broken")
    assert broken["evidence"]["grade"] == "target", "nothing checked it"
    assert run.of("api")[0]["evidence"]["grade"] == "beside"


def test_exec_and_debug_agree_on_honest_containers(cluster, helper_operator_kubeconfig, tmp_path) -> None:
    run = Run(
        run_scan(
            helper_operator_kubeconfig,
            tmp_path,
            approach="exec",
            approaches=["exec", "debug"],
            cross_check="possible",
            containers=["api", "web", "worker"],
        )
    )
    for target in run.targets:
        assert run.said(target)["cross_check"]["approach"] == "debug", target
