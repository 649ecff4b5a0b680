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
    is_our_sidecar,
    looks_like_sidecar,
    sidecar_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import ContainerView

TARGET = Target("demo", "shop", "Pod", "web", "web", "u-1", "app")
RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
ID = "5" * 64
DIGEST, OTHER_DIGEST = "sha256:" + "a" * 64, "sha256:" + "b" * 64
IMAGE = "registry.test/scanner@" + DIGEST


def own(uid: int = 1, gid: int = 2, **changes: Any) -> dict[str, Any]:
    """A sidecar as an API server shows it, with what admission adds."""
    token = {
        "name": "kube-api-access-x7k2p",
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        "readOnly": True,
    }
    return {
        **sidecar_container(uid, gid, IMAGE),
        "imagePullPolicy": "Never",
        "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "10m"}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [token],
        **changes,
    }


def pod(
    *sidecars: dict[str, Any],
    state: Any = None,
    target: Any = None,
    user: Any = (1, 2),
    image_id: str = IMAGE,
    **spec: Any,
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
            "initContainerStatuses": [
                {"name": one["name"], "imageID": image_id, "state": state or RUNNING} for one in sidecars
            ],
        },
    }


def test_the_one_that_fits_is_taken() -> None:
    name, view = find_sidecar(pod(own(1, 1), own(), own(3, 2)), TARGET, IMAGE)
    assert name == "securescan-sidecar-1-2" and view.container_id == ID
    assert find_sidecar(pod(own(), shareProcessNamespace=None, hostPID=True), TARGET, IMAGE)[0] == name


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
        find_sidecar(found, TARGET, IMAGE)
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
def test_a_container_of_another_kind_name_or_command_does_not_even_look_like_a_sidecar(
    kind: str, changes: Any, expected: bool
) -> None:
    assert looks_like_sidecar(kind, own(**changes)) is expected


EVIL_MOUNT = {"name": "tools", "mountPath": "/bin"}
FOREIGN: list[tuple[str, dict[str, Any]]] = [
    ("image", {"image": "registry.test/evil:1"}),
    ("image", {"image": "registry.test/scanner:1"}),
    ("command", {"command": [*IDLE, "9"]}),
    ("args", {"args": ["x"]}),
    ("env", {"env": [{"name": "LD_PRELOAD", "value": "/x"}]}),
    ("envFrom", {"envFrom": [{"configMapRef": {"name": "x"}}]}),
    ("lifecycle", {"lifecycle": {"postStart": {"exec": {"command": ["sh"]}}}}),
    ("livenessProbe", {"livenessProbe": {"exec": {"command": ["sh"]}}}),
    ("name", {"name": "securescan-sidecar-1-3"}),
    ("ports", {"ports": [{"containerPort": 1}]}),
    ("resources", {"resources": {"claims": [{"name": "x"}]}}),
    ("securityContext", {"securityContext": None}),
    ("securityContext", {"securityContext": dict(own()["securityContext"], procMount="Unmasked")}),
    ("securityContext", {"securityContext": dict(own()["securityContext"], privileged=True)}),
    ("securityContext", {"securityContext": dict(own()["securityContext"], readOnlyRootFilesystem=False)}),
    (
        "securityContext",
        {
            "securityContext": dict(
                own()["securityContext"], capabilities={"drop": ["ALL"], "add": ["SYS_PTRACE"]}
            )
        },
    ),
    ("stdin", {"stdin": True}),
    ("volumeDevices", {"volumeDevices": [{"name": "x", "devicePath": "/x"}]}),
    ("volumeMounts", {"volumeMounts": [EVIL_MOUNT]}),
    ("volumeMounts", {"volumeMounts": [dict(own()["volumeMounts"][0], mountPath="/bin")]}),
    ("volumeMounts", {"volumeMounts": [dict(own()["volumeMounts"][0], subPath="x")]}),
    ("workingDir", {"workingDir": "/x"}),
    ("somethingNew", {"somethingNew": {"of": "a later version"}}),
]


@pytest.mark.parametrize(
    ("field", "changes"), FOREIGN, ids=[f"{number}-{row[0]}" for number, row in enumerate(FOREIGN)]
)
def test_a_sidecar_of_which_anything_is_not_as_we_make_it_is_not_entered_and_the_field_is_named(
    field: str, changes: Any
) -> None:
    with pytest.raises(ScanError) as raised:
        find_sidecar(pod(own(**changes)), TARGET, IMAGE)
    assert raised.value.reason == "foreign_scanner"
    assert raised.value.message.startswith(f"the {field} of securescan-sidecar-1-"), raised.value.message


@pytest.mark.parametrize(
    ("field", "changes"), FOREIGN, ids=[f"{number}-{row[0]}" for number, row in enumerate(FOREIGN)]
)
def test_what_only_looks_like_a_sidecar_is_a_target(field: str, changes: Any) -> None:
    assert not is_our_sidecar(ContainerView("init", own(**changes), {}), IMAGE), field


def test_a_sidecar_that_is_proven_is_ours_only_where_the_scanner_image_is_known() -> None:
    view = ContainerView("init", own(), {"imageID": IMAGE})
    assert is_our_sidecar(view, IMAGE) and not is_our_sidecar(view, "")


def test_a_sidecar_that_still_runs_the_image_of_before_its_change_is_not_entered() -> None:
    with pytest.raises(ScanError) as raised:
        find_sidecar(pod(own(), image_id="registry.test/evil@" + OTHER_DIGEST), TARGET, IMAGE)
    assert raised.value.reason == "foreign_scanner" and "imageID" in raised.value.message
    # an image that was loaded by hand has no registry's digest
    assert find_sidecar(pod(own(), image_id=OTHER_DIGEST), TARGET, IMAGE)


def test_a_proven_sidecar_is_taken_beside_a_foreign_one() -> None:
    name, _view = find_sidecar(pod(own(image="evil:1", name="securescan-sidecar-x"), own()), TARGET, IMAGE)
    assert name == "securescan-sidecar-1-2"


@pytest.mark.parametrize(
    "changes",
    [
        {"drop": ["ALL", "KILL", "MKNOD"]},
        {"drop": ["ALL"], "add": []},
    ],
)
def test_what_a_cluster_adds_to_every_container_and_changes_nothing_is_no_difference(changes: Any) -> None:
    context = dict(own()["securityContext"], capabilities=changes, procMount="Default")
    assert find_sidecar(
        pod(own(securityContext=context, resizePolicy=[{"resourceName": "cpu"}])), TARGET, IMAGE
    )
