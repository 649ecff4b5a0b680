# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A debug scan takes its memory from the pod's limit: where too little is left it is refused, and nothing is killed."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    DEBIAN,
    ENFORCED,
    container,
    pod,
)

# Holds so many bytes in memory, as a file of a volume that is none of the disk, and says when it has them.
HOLDS = "trap 'exit 0' TERM; head -c %d /dev/zero >/held/bytes; touch /held/done; sleep 3600 & wait"
# Not asked again when it has them: a probe is a start of the runtime, which takes memory beside the scan.
READY = {"exec": {"command": ["test", "-e", "/held/done"]}, "periodSeconds": 1, "failureThreshold": 120}
MEMORY = {"volumes": [{"name": "held", "emptyDir": {"medium": "Memory"}}]}


def holder(name, held, limit):
    return container(
        name,
        DEBIAN,
        ("sh", "-c", HOLDS % (held << 20)),
        resources={"limits": {"memory": limit}} if limit else {},
        startupProbe=READY,
        volumeMounts=[{"name": "held", "mountPath": "/held"}],
    )


def test_a_target_near_its_limit_is_refused_and_not_killed(place, scan):
    there = place(ENFORCED)
    small = {"limits": {"memory": "32Mi"}}
    there.add(
        pod("full", holder("full", 50, "64Mi"), **MEMORY),
        pod("roomy", holder("roomy", 20, "64Mi"), **MEMORY),
        pod("free", holder("free", 50, None), **MEMORY),
        pod("pair", holder("pair", 50, "64Mi"), container("other", resources=small), **MEMORY),
    )
    done = scan(there.name)
    error = done.error("full")
    assert (
        error["reason"] == "memory_short"
        and "of the 64.0 MiB" in error["message"]
        and "16.0 MiB are" in error["message"]
    )
    for name in ("roomy", "free", "pair", "other"):
        assert done.targets[name]["outcome"] == "scanned", done.targets[name]["error"]
    assert (
        scan(there.name, containers=["roomy"], debug_memory_headroom="48Mi").error("roomy")["reason"]
        == "memory_short"
    )
    auto = scan(there.name, containers=["full"], approach="auto", approaches=["debug", "exec"])
    assert auto.said("full")["passed_over"] == [{"approach": "debug", "reason": "memory_short"}]
    for name in ("full", "roomy", "free", "pair"):
        for status in there.pod(name)["status"]["containerStatuses"]:
            assert status["restartCount"] == 0 and "running" in status["state"], status


@pytest.mark.parametrize("size", ["much", "-1Mi", "16 MB"])
def test_a_headroom_that_is_no_size_is_refused_before_anything_is_asked(scan, size):
    with pytest.raises(ScanError, match="debug_memory_headroom") as caught:
        scan("none", debug_memory_headroom=size, kubeconfig="/no/such/file")
    assert caught.value.reason == "bad_option"
