# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of wrong types: no traceback, no lost run, and nothing passes because a field could not be read."""

from __future__ import annotations

import contextlib
import copy
import json
import marshal
import pathlib
import random
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import (
    debug_container,
    image_helper,
    looks,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import (
    sidecar as sidecar_approach,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.choice import ways_into
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_and_volumes import (
    volume_mounts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.pod_entry import check_state
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Asked, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.engine import Subject
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.registry import engines_for
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.footprint.left_entries import entries_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_target import (
    keep_target,
    read_kept_target,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.object_shapes import POD, flaw_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.granted_pods import grants_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.containers import (
    reported_identities,
    running_containers,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import SelectedTarget
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import (
    is_our_sidecar,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import containers_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod_template import template_key
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.quantities import memory_limit
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_pods import Api, owned, select

Path = tuple[Any, ...]
PROFILES = pathlib.Path(__file__).resolve().parents[5] / "profiles"
IMAGE = "registry.test/scanner:1"
ROUNDS = 10_000
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
DEEP: Any = json.loads("[" * 300 + "]" * 300)
REPLACEMENTS: tuple[Any, ...] = (
    None, "", "x", "true", 0, -1, 10**19, 1.5, True, False, [], {}, [None], [[]], ["x"], [1], [{}], [{"name": "x"}],
    {"a": 1}, {"name": "x"}, {"name": None}, {"": None}, "\ud800\x1b[0m", "9" * 5000, DEEP,
)  # fmt: skip


def whole_pod() -> dict[str, Any]:
    """A pod with every field that is read anywhere."""
    probe = {"httpGet": {"host": "h", "path": "/", "port": 1, "httpHeaders": [{"name": "A", "value": "b"}]}}
    security = {
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "runAsNonRoot": True,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "procMount": "Default",
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
        "appArmorProfile": {"type": "RuntimeDefault"},
        "seLinuxOptions": {"type": "container_t", "user": "u", "role": "r", "level": "s0"},
        "windowsOptions": {"hostProcess": False},
    }

    def container(name: str, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "image": "registry.test/app:1",
            "imagePullPolicy": "Always",
            "command": ["app"],
            "args": ["-v"],
            "env": [
                {"name": "A", "value": "b"},
                {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ],
            "envFrom": [{"secretRef": {"name": "s"}}],
            "ports": [{"containerPort": 80, "hostPort": 80}],
            "volumeMounts": [
                {"name": "h", "mountPath": "/h", "readOnly": True, "mountPropagation": "None"},
                {"name": "e", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "subPath": "s"},
            ],
            "volumeDevices": [{"name": "b", "devicePath": "/dev/b"}],
            "resources": {
                "limits": {"memory": "1Gi", "cpu": 1},
                "requests": {"memory": "1Gi", "cpu": "500m"},
            },
            "securityContext": copy.deepcopy(security),
            "livenessProbe": copy.deepcopy(probe),
            "readinessProbe": {"exec": {"command": ["true"]}},
            "startupProbe": {"tcpSocket": {"host": "h", "port": 1}},
            "lifecycle": {"preStop": copy.deepcopy(probe), "postStart": copy.deepcopy(probe)},
            "tty": False,
            "stdin": False,
            **more,
        }

    def status(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "image": "registry.test/app:1",
            "imageID": "registry.test/app@sha256:" + "a" * 64,
            "containerID": "containerd://" + "1" * 64,
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1}},
            "ready": True,
            "started": True,
            "restartCount": 0,
            "user": {"linux": {"uid": 1000, "gid": 1000, "supplementalGroups": [1000]}},
        }

    waits = ["sh", "-c", "trap 'exit 0' TERM; sleep \"$1\" & wait $!", "securescan", "60", "end", "r"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-1",
            "namespace": "shop",
            "uid": "u-1",
            "labels": {"app": "web", "pod-template-hash": "1"},
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "container.apparmor.security.beta.kubernetes.io/app": "runtime/default",
            },
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "o", "controller": True}
            ],
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "generation": 1,
            "managedFields": [{"manager": "m"}],
        },
        "spec": {
            "nodeName": "n1",
            "containers": [container("app")],
            "initContainers": [container("first"), container("beside", restartPolicy="Always")],
            "ephemeralContainers": [
                container("securescan-0123456789-1", targetContainerName="app", command=waits)
            ],
            "volumes": [
                {"name": "h", "hostPath": {"path": "/h"}},
                {"name": "e", "emptyDir": {"sizeLimit": "1Gi"}},
                {
                    "name": "t",
                    "projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3600}}]},
                },
                {"name": "i", "image": {"reference": "r:1"}},
                {"name": "s", "secret": {"secretName": "s"}},
                {"name": "b", "csi": {"driver": "d", "volumeAttributes": {"a": "b"}}},
            ],
            "securityContext": dict(
                copy.deepcopy(security), sysctls=[{"name": "a", "value": "b"}], fsGroup=1
            ),
            "hostNetwork": False,
            "hostPID": False,
            "hostUsers": True,
            "shareProcessNamespace": True,
            "automountServiceAccountToken": False,
            "serviceAccountName": "web",
            "priorityClassName": "p",
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "os": {"name": "linux"},
            "overhead": {"memory": "1Mi"},
            "resources": {"limits": {"memory": "2Gi"}},
        },
        "status": {
            "phase": "Running",
            "observedGeneration": 1,
            "conditions": [{"type": "Ready", "status": "True", "reason": "r"}],
            "containerStatuses": [status("app")],
            "initContainerStatuses": [status("first"), status("beside")],
            "ephemeralContainerStatuses": [status("securescan-0123456789-1")],
            "qosClass": "Burstable",
            "startTime": "2026-01-01T00:00:00Z",
        },
    }


def paths_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in the object, that of the object itself left out."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, entry in entries:
        yield (*path, key)
        yield from paths_in(entry, (*path, key))


def copied(value: Any) -> Any:
    """As deepcopy does it, in a twentieth of its time."""
    return marshal.loads(marshal.dumps(value))


def mutated(pod: dict[str, Any], path: Path, replacement: Any) -> None:
    """Puts the replacement there, or takes the place away where it is Ellipsis; nothing where it is not there."""
    for key in path[:-1]:
        try:
            pod = pod[key]
        except (KeyError, IndexError, TypeError):
            return
    try:
        if replacement is ...:
            del pod[path[-1]]
        else:
            pod[path[-1]] = copied(replacement)
    except (KeyError, IndexError, TypeError):
        return


def mutations(rounds: int) -> Iterator[dict[str, Any]]:
    """Pods with one place changed, each in several ways, and then with two or three."""
    whole, chance = whole_pod(), random.Random(25)
    places = list(paths_in(whole))
    made = 0
    for path in places:
        for replacement in (..., *chance.sample(REPLACEMENTS, 8)):
            pod = copied(whole)
            mutated(pod, path, replacement)
            made += 1
            yield pod
    while made < rounds:
        pod = copied(whole)
        for _number in range(chance.randrange(2, 4)):
            mutated(pod, chance.choice(places), chance.choice((..., *REPLACEMENTS)))
        made += 1
        yield pod


def readers(judge: Callable[[SelectedTarget], object]) -> list[Callable[[SelectedTarget], object]]:
    """Everything that reads a pod after selection; each can refuse with a ScanError, and raises nothing else."""
    options = debug_container.DebugOptions(image=IMAGE)

    def by_debug(selected: SelectedTarget) -> object:
        pod = selected.pod.object()
        made = debug_container.DebugContainer(pod, selected.target, options, run_id="r", lifetime=60)
        made.find(pod, {"securescan-0123456789-1"}, set(), 10.0)
        made.check_unchanged(pod, "securescan-0123456789-1", "t")
        return made.entry(pod, "t")

    def kept(selected: SelectedTarget) -> object:
        document = keep_target(
            selected, Facts({}), Asked(), {"approach": "exec"}, "2026-01-01T00:00:00+00:00"
        )
        return read_kept_target(json.dumps(document).encode(), "f")

    return [
        judge,
        by_debug,
        kept,
        lambda selected: check_state(selected, "exec"),
        lambda selected: template_key(selected.pod.object()),
        lambda selected: memory_limit(selected.pod.object()),
        lambda selected: sidecar_approach.find_sidecar(selected.pod.object(), selected.target, IMAGE),
        lambda selected: list(entries_of(selected.pod.object(), NOW)),
        lambda selected: image_helper.image_reference(selected.target),
        lambda selected: volume_mounts(selected.pod.object(), selected.target.container),
        lambda selected: ways_into(selected.pod.object(), ["exec", "debug", "sidecar", "image"]),
        lambda selected: grants_of([selected], "exec", ["exec"], ()),
        lambda selected: looks.check_same_container(
            selected.pod.object(), selected.target, has_answered=True
        ),
        lambda selected: looks.is_settled(selected.pod.object()),
        lambda selected: [is_our_sidecar(view, IMAGE) for view in containers_of(selected.pod.object())],
        lambda selected: running_containers(selected.pod.object()["spec"]),
        lambda selected: reported_identities([selected.pod.object()]),
    ]


@pytest.fixture(scope="module")
def judge() -> Callable[[SelectedTarget], object]:
    profile = load_profile("workload-baseline", [PROFILES], {})
    (engine,) = engines_for([profile])

    def run(selected: SelectedTarget) -> object:
        (result,) = engine.judge(Subject(selected, Facts({}))).results
        errors = [
            segment.message
            for control in result.controls
            for segment in control.results
            if segment.status == "error"
        ]
        assert not errors, f"a profile error, which is a defect of ours: {errors[:3]}"
        return result

    return run


def test_the_whole_pod_has_no_flaw() -> None:
    assert flaw_of(whole_pod(), POD) == ""


def test_no_mutated_pod_ends_in_a_traceback_or_is_lost(judge: Callable[[SelectedTarget], object]) -> None:
    begun, flawed, refused, tried = time.process_time(), 0, 0, 0
    all_readers = readers(judge)
    for number, pod in enumerate(mutations(ROUNDS)):
        tried += 1
        api = Api(pods=[pod], replicasets=[owned("web", "Deployment", "web")])
        try:
            found = select(api, container_kinds=("container", "init", "ephemeral"))
        except ScanError as error:
            assert error.reason == "bad_reply" and "is not a pod of the namespace" in error.message
            refused += 1
            continue
        if found and found[0].flaw:
            assert len(found) == 1 and found[0].target.state == "unknown"
            flawed += 1
            with pytest.raises(ScanError, match="not as Kubernetes makes it"):
                check_state(found[0], "exec")
            continue
        if number % 3:
            continue
        for selected in found[: 1 if number % 10 else 4]:
            for read in all_readers if number % 10 == 0 else all_readers[1:]:
                with contextlib.suppress(ScanError):
                    read(selected)
    print(
        f"{tried} pods: {flawed} with a flaw, {refused} that are none, in {time.process_time() - begun:.1f} s of CPU"
    )
    assert tried >= 10_000 and flawed > tried / 4 and refused
    attack_ends_as("25-pods", outcome="bad_reply")
