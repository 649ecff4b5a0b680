# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that a look at a cluster's health makes and removes: a canary with all that a good pod has, one with as little as
possible, and one that only shows whether the scanner image can be pulled.

Each ends by itself after ten minutes, and is removed at the end whatever happens. What a killed look has left is removed by
the next one.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..safe_text import one_line
from .canaries import BAD

LABEL = "securescan.kubernetes/trial"
PULL = "pull"
_PREFIX = "securescan-trial-"
_SECONDS = 600
_PAUSE = 0.25
_NOBODY = 65534
_ENDED = ("Failed", "Succeeded")
_PULL_FAILURES = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
_START_FAILURES = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff"}
)


def trial_pod(
    kind: str, image: str, command: Sequence[str], pull_policy: str, pull_secrets: Sequence[str]
) -> dict[str, Any]:
    """The v1 Pod of a new name. The bad one asks for nothing that Pod Security's level baseline refuses."""
    container: dict[str, Any] = {
        "name": "canary",
        "image": image,
        "imagePullPolicy": pull_policy,
        "command": list(command),
    }
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": _SECONDS,
        "containers": [container],
    }
    if kind == BAD:
        container["securityContext"] = {"runAsUser": 0}
    else:
        spec["securityContext"] = {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        container["securityContext"] = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        container["resources"] = {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "1", "memory": "64Mi"},
        }
    if pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in pull_secrets]
    name = f"{_PREFIX}{kind}-{secrets.token_hex(4)}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {LABEL: kind}},
        "spec": spec,
    }


@contextmanager
def running(
    client: RestClient,
    namespace: str,
    pods: Sequence[Mapping[str, Any]],
    *,
    timeout: float,
    cancel: threading.Event,
) -> Iterator[list[str]]:
    """Makes the pods, waits until all run, and removes them at the end. Yields their names.

    :raises ScanError: not_permitted and what else the API server says; image_unknown, container_not_running, timed_out
    """
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
    _remove_ended(client, path)
    made: list[str] = []
    try:
        for pod in pods:
            made.append(str(pod["metadata"]["name"]))
            client.create(path, pod)
        end = time.monotonic() + timeout
        for name in made:
            _wait(client, f"{path}/{name}", end, cancel)
        yield made
    finally:
        _remove_all(client.uncancelled(), [f"{path}/{name}" for name in made])


def _wait(client: RestClient, path: str, end: float, cancel: threading.Event) -> None:
    """Returns when the pod runs."""
    tried = f"starting the pod {path.rpartition('/')[2]}"
    while True:
        status = client.get(path).get("status") or {}
        phase = status.get("phase")
        if phase == "Running":
            return
        waiting = [
            (one.get("state") or {}).get("waiting") or {} for one in status.get("containerStatuses") or ()
        ]
        for one in waiting:
            _raise_where_stuck(str(one.get("reason") or ""), str(one.get("message") or ""), tried)
        if phase in _ENDED:
            message = one_line(str(status.get("message") or "it ended"), 200)
            raise ScanError("container_not_running", f"the pod ended: {message}", tried=tried)
        if time.monotonic() > end:
            why = next((str(one["reason"]) for one in waiting if one.get("reason")), _unscheduled(status))
            raise ScanError("timed_out", f"it does not run yet ({one_line(why, 200)})", tried=tried)
        if cancel.wait(_PAUSE):
            raise ScanError("cancelled", "the task was interrupted", tried=tried)


def _raise_where_stuck(reason: str, message: str, tried: str) -> None:
    if reason in _PULL_FAILURES:
        text = f"{reason}: {one_line(message, 200)}"
        raise ScanError(
            "image_unknown",
            text,
            tried=tried,
            cause="The node could not pull the image.",
            advice="Correct the image's name, give the pull secrets of its registry, or let the nodes reach the registry.",
        )
    if reason in _START_FAILURES:
        raise ScanError("container_not_running", f"{reason}: {one_line(message, 200)}", tried=tried)


def _unscheduled(status: Mapping[str, Any]) -> str:
    """Why no node has it; its phase where that is not said."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return str(condition.get("message") or "no node takes it")
    return str(status.get("phase") or "no status")


def _remove_ended(client: RestClient, path: str) -> None:
    """What a look has left that was killed."""
    for pod in list(client.list_items(path, {"labelSelector": LABEL})):
        name = str(pod["metadata"]["name"])
        if name.startswith(_PREFIX) and (pod.get("status") or {}).get("phase") in _ENDED:
            _remove(client, f"{path}/{quote(name, safe='')}")


def _remove_all(client: RestClient, paths: Sequence[str]) -> None:
    """Removes each, whatever becomes of the others. :raises ScanError: the first"""
    failures: list[ScanError] = []
    for path in paths:
        try:
            _remove(client, path)
        except ScanError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _remove(client: RestClient, path: str) -> None:
    try:
        client.delete(path, {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0})
    except ScanError as error:
        if error.reason != "not_found":
            raise
