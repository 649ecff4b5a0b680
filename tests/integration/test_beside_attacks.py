# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile containers that try to show a shell beside them, or in them, another file system than theirs.

The image two-faced has a bad system, the same one without its faults below /clean, and a program for each way. An
honest container of it shows what is true.
"""

from __future__ import annotations

import json
import time
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import FAILED, PASSED
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    Place,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.scan_runs import Run, run_scan
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import make, with_sidecars

TWO_FACED, HARDENED = "securescan.local/two-faced:1", "securescan.local/scanner:1"
# As Kubernetes has it where nothing is said: without a seccomp profile a program is allowed to make namespaces.
FREE = {"seccompProfile": {"type": "Unconfined"}}
ROOT = {**FREE, "runAsNonRoot": False, "capabilities": {"add": ["SYS_ADMIN"]}}
WAYS = ("honest", "forge", "mask", "mask-hidden", "stutter", "kill", "kill-tools")
OF_ROOT = ("bind", "pivot", "root")
# They pass in /clean and fail in truth.
FAULTS = ("cb-root-uid", "cb-passwd-passwords")
ATTEMPTS = 10


def two_faced(way, name="", **changes):
    return container(name or way, TWO_FACED, args=[way], security=FREE, **changes)


def as_root(name):
    way = "honest" if name == "root" else name
    return container(name, TWO_FACED, args=[way], user=(0, 0), security=ROOT)


@pytest.fixture(scope="module")
def there(cluster):
    """A pod for each way, and two whose sidecars are of the one and the other scanner image."""
    name = f"beside-{uuid.uuid4().hex[:8]}"
    cluster.load_images(" ".join((TWO_FACED, HARDENED, BUSYBOX)))
    make(cluster, "default", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sample"}}
    quiet = {"serviceAccountName": "sample"}
    make(
        cluster,
        name,
        account,
        *(pod(way, two_faced(way), **quiet) for way in (*WAYS, "stop")),
        *(pod(way, as_root(way), **quiet) for way in OF_ROOT),
        with_sidecars(pod("forge-plain", two_faced("forge", "forge-plain"), **quiet)),
        with_sidecars(pod("forge-hardened", two_faced("forge", "forge-hardened"), **quiet), HARDENED),
    )
    cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "-n", name, "--timeout=180s")
    yield Place(cluster, name)
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def look(there, helper_operator_kubeconfig, tmp_path_factory):
    """Scans of some of the containers; each is made once for each `attempt`."""
    done = {}

    def run(approach, *names, image=BUSYBOX, timeout=60.0, attempt=0):
        key = (approach, names, image, attempt)
        if key not in done:
            done[key] = Run(
                run_scan(
                    helper_operator_kubeconfig,
                    tmp_path_factory.mktemp("look"),
                    approach=approach,
                    namespaces=[there.name],
                    containers=list(names),
                    scanner_image=image,
                    profiles=["container-baseline"],
                    debug_match_capabilities=True,
                    keep_facts=True,
                    timeout=timeout,
                )
            )
        return done[key]

    return run


def verdicts(run, name):
    (target,) = run.of(name)
    return {control: verdict for (_profile, control), verdict in run.verdicts(target).items()}


def evidence(run, name):
    (target,) = run.of(name)
    return run.said(target)["evidence"]


def grade(run, name):
    return evidence(run, name)["grade"]


def collector(run, name):
    """What the collector said of itself."""
    (target,) = run.of(name)
    return json.loads((run.folder / target["facts"]["path"]).read_text(encoding="utf-8"))["collector"]


def error(run, name):
    (target,) = run.of(name)
    assert target["outcome"] == "not_scanned", "it was scanned"
    return target["error"]


def by_debug(look, image=HARDENED):
    return look("debug", *WAYS, *OF_ROOT, image=image)


def by_exec(look):
    return look("exec", *WAYS, *OF_ROOT)


def test_an_honest_container_of_the_image_fails(look):
    for run in (by_exec(look), by_debug(look), look("image", "honest", "forge", "mask")):
        assert [verdicts(run, "honest")[fault] for fault in FAULTS] == [FAILED, FAILED]


@pytest.mark.parametrize(
    ("row", "approach", "name"),
    [("03-forge-debug", "debug", "forge"), ("03-forge-sidecar", "sidecar", "forge-plain")],
)
def test_a_target_can_have_a_shell_say_anything_that_it_can_touch(look, row, approach, name):
    """An honest limit: so says the grade, and only a hardened scanner image or the approach image ends it. A shell that has read
    its script before the target finds it tells the truth."""
    for attempt in range(ATTEMPTS):
        names = ("forge", "honest", "root") if approach == "debug" else (name,)
        run = look(approach, *names, attempt=attempt)
        (target,) = run.of(name)
        seen = verdicts(run, name) if target["outcome"] == "scanned" else {}
        if [seen.get(fault) for fault in FAULTS] == [PASSED, PASSED]:
            break
    assert [seen.get(fault) for fault in FAULTS] == [PASSED, PASSED]
    attack_ends_as(row, outcome="the target's own verdicts", grade=grade(run, name))


@pytest.mark.parametrize(
    ("row", "approach", "name"),
    [
        ("03-forge-debug-hardened", "debug", "forge"),
        ("03-forge-sidecar-hardened", "sidecar", "forge-hardened"),
    ],
)
def test_a_target_cannot_touch_a_hardened_shell(look, there, row, approach, name):
    run = by_debug(look) if approach == "debug" else look(approach, name, image=HARDENED)
    seen = verdicts(run, name)
    assert [seen[fault] for fault in FAULTS] == [FAILED, FAILED]
    said = there.cluster.kubectl("logs", name, "-n", there.name, "-c", name)
    assert "not forged: its standard input: Permission denied" in said.splitlines()
    attack_ends_as(row, outcome="the true verdicts", grade=grade(run, name))


@pytest.mark.parametrize(
    ("row", "reason"),
    [("03-stop", "timed_out"), ("03-kill", "collector_failed")],
)
def test_a_target_that_sends_signals_gets_no_other_verdict(look, row, reason):
    """A shell that is done before the target finds it has told the truth."""
    way = row[3:]
    run = look("debug", "stop", image=HARDENED, timeout=8.0) if way == "stop" else by_debug(look)
    (target,) = run.of(way)
    if target["outcome"] == "not_scanned":
        assert target["error"]["reason"] == reason
    else:
        honest, seen = verdicts(by_debug(look), "honest"), verdicts(run, way)
        assert [control for control in seen if seen[control] == PASSED and honest[control] != PASSED] == []
    attack_ends_as(row, outcome=f"{reason}, or the true verdicts")


def test_a_target_that_stops_the_shell_and_lets_it_go_on_gets_no_other_verdict(look):
    """It depends on the moment whether the collector is disturbed; what it says otherwise is true."""
    run = by_debug(look)
    (target,) = [
        target for target in run.targets if target["container"] == "stutter" or target["pod"] == "stutter"
    ]
    if target["outcome"] == "not_scanned":
        assert target["error"]["reason"] == "target_unreadable"
    else:
        seen = verdicts(run, "stutter")
        assert [seen[fault] for fault in FAULTS] == [FAILED, FAILED]
    attack_ends_as("03-stutter", outcome="target_unreadable, or the true verdicts")


def test_the_collector_says_whether_its_shell_can_be_touched(look):
    hardened, plain = by_debug(look), look("debug", "forge", "honest", "root")
    assert collector(hardened, "honest")["shell_protected"] == "yes"
    assert collector(plain, "honest")["shell_protected"] == "no"
    assert collector(by_exec(look), "honest")["shell_protected"] == "unknown"
    for run in (hardened, plain):
        assert collector(run, "root")["shell_protected"] == "no", "root is allowed to read every program"
        assert collector(run, "honest")["unexplained_mounts"] == []
    assert evidence(hardened, "honest")["reasons"] == []
    (reason,) = evidence(plain, "honest")["reasons"]
    assert "open to processes of the target's user" in reason


def test_a_container_of_the_hardened_image_ends_when_it_is_told(look, there):
    by_debug(look)
    # less than it would live if nobody told it
    deadline = time.monotonic() + 45
    while "running" in there.states("honest").values() and time.monotonic() < deadline:
        time.sleep(0.1)
    (name,) = [entry["name"] for entry in there.entries("honest") if entry["image"] == HARDENED]
    statuses = there.pod("honest")["status"]["ephemeralContainerStatuses"]
    (state,) = [status["state"] for status in statuses if status["name"] == name]
    assert state["terminated"]["exitCode"] == 0, state


def test_a_target_that_kills_the_shells_programs_passes_no_more_than_is_true(look):
    run = by_debug(look)
    (target,) = run.of("kill-tools")
    if target["outcome"] == "scanned":
        honest, seen = verdicts(run, "honest"), verdicts(run, "kill-tools")
        assert [control for control in seen if seen[control] == PASSED and honest[control] != PASSED] == []
    attack_ends_as("03-kill-tools", outcome="not scanned, or Not Reviewed")


@pytest.mark.parametrize("row", ["04-mask-debug", "04-mask-hidden-debug", "04-bind-debug", "04-pivot-debug"])
def test_what_the_main_process_shows_in_place_of_its_files_is_refused_from_beside(look, row):
    way = row[3:].rpartition("-")[0]
    found = error(by_debug(look), way)
    assert found["reason"] == "target_unreadable"
    assert way == "mask-hidden" or found["advice"] == "Scan the target by its image."
    attack_ends_as(row, outcome="target_unreadable")


@pytest.mark.parametrize("row", ["04-mask-exec", "04-mask-hidden-exec", "04-bind-exec"])
def test_what_the_main_process_shows_in_place_of_its_files_is_refused_from_inside(look, row):
    assert error(by_exec(look), row[3:].rpartition("-")[0])["reason"] == "target_unreadable"
    attack_ends_as(row, outcome="target_unreadable")


def test_the_image_tells_the_truth_whatever_the_container_does(look):
    run = look("image", "honest", "forge", "mask")
    for name, row in (("forge", "03-forge-image"), ("mask", "04-mask-image")):
        assert verdicts(run, name) == verdicts(run, "honest")
        attack_ends_as(row, outcome="the true verdicts", grade=grade(run, name))
    attack_ends_as("H-15-forging-target", outcome="the true verdicts", grade=grade(run, "forge"))


def test_auto_goes_on_to_the_image_of_a_container_that_shows_something_else(look):
    run = look("auto", "mask", image=HARDENED)
    (target,) = run.of("mask")
    said = run.said(target)
    assert said["approach"] == "image"
    assert {"approach": "exec", "reason": "target_unreadable"} in said["passed_over"]
    assert verdicts(run, "mask")["cb-root-uid"] == FAILED
    attack_ends_as("04-mask-auto", outcome="the true verdicts", grade=grade(run, "mask"))
