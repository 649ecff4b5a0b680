# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sidecar may look at a target, told by the pod alone; and that only our own are kept out of scans."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.sidecar import find_sidecar
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import (
    IDLE,
    is_own_sidecar,
)

TARGET = Target("demo", "shop", "Pod", "web", "web", "u-1", "app")
RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
ID = "5" * 64


def own(uid: int = 1, gid: int = 2, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"securescan-sidecar-{uid}-{gid}",
        "restartPolicy": "Always",
        "command": [*IDLE, "9"],
        "securityContext": {"runAsUser": uid, "runAsGroup": gid},
        **changes,
    }


def pod(
    *sidecars: dict[str, Any], state: Any = None, target: Any = None, user: Any = (1, 2), **spec: Any
) -> dict[str, Any]:
    status = {
        "name": "app",
        "state": RUNNING,
        "containerID": "containerd://" + ID,
        "user": {"linux": {"uid": user[0], "gid": user[1]}},
    }
    return {
        "metadata": {"name": "web"},
        "spec": {
            "containers": [{"name": "app", **(target or {})}],
            "initContainers": list(sidecars),
            "shareProcessNamespace": True,
            **spec,
        },
        "status": {
            "containerStatuses": [status],
            "initContainerStatuses": [{"name": one["name"], "state": state or RUNNING} for one in sidecars],
        },
    }


def test_the_one_that_fits_is_taken() -> None:
    name, view = find_sidecar(pod(own(1, 1), own(), own(3, 2)), TARGET)
    assert name == "securescan-sidecar-1-2" and view.container_id == ID
    assert find_sidecar(pod(own(), shareProcessNamespace=None, hostPID=True), TARGET)[0] == name


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        (pod(), "no_sidecar", "no sidecar"),
        (pod(dict(own(), command=["run"])), "no_sidecar", "no sidecar"),
        (pod(own(), state={"waiting": {"reason": "ErrImagePull"}}), "no_sidecar", "waiting (ErrImagePull)"),
        (pod(own(), state={"terminated": {"reason": "Error"}}), "no_sidecar", "terminated (Error)"),
        (
            pod(own(1, 1), own(2, 2)),
            "sidecar_unfit",
            "1:2, securescan-sidecar-1-1 as 1:1, securescan-sidecar-2-2 as 2:2",
        ),
        (pod(own(), shareProcessNamespace=False), "sidecar_unfit", "do not share"),
        (pod(own(0, 0), user=(0, 0)), "target_privileged", "root"),
        (pod(own(), target={"name": "gone"}), "container_not_running", "no such container"),
    ],
)
def test_a_pod_without_a_usable_sidecar_says_why(found: Any, reason: str, words: str) -> None:
    with pytest.raises(ScanError) as raised:
        find_sidecar(found, TARGET)
    assert raised.value.reason == reason and words in raised.value.message
    assert "sidecar" in raised.value.tried and raised.value.advice


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("init", {}, True),
        ("container", {}, False),
        ("ephemeral", {}, False),
        ("init", {"restartPolicy": None}, False),
        ("init", {"name": "proxy"}, False),
        ("init", {"command": ["sh"]}, False),
        ("init", {"command": None}, False),
        ("init", {"command": [*IDLE[:2], "run", "securescan", "9"]}, False),
    ],
)
def test_nothing_that_only_looks_like_ours_escapes_a_scan(kind: str, changes: Any, expected: bool) -> None:
    assert is_own_sidecar(kind, own(**changes)) is expected
