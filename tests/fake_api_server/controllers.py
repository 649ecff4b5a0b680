# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on in a cluster by itself: its controllers and nodes. Each does one step before each look that a client takes
(ObjectStore.meanwhile), so that a test sees every state on the way, and waits for none.

    server.objects.meanwhile.append(Deployments(server.objects))
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from .exec_streams import ExecStreams, Program
from .objects import Object, ObjectStore
from .server import FakeApiServer

_RUNNING_SINCE = "%Y-%m-%dT%H:%M:%SZ"


class Deployments:
    """Rolls Deployments out: the change is seen, new pods come while the old ones end, the old ones are gone.

    The status is that of pkg/controller/deployment; pods with a deletionTimestamp are not counted in it.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._numbers = itertools.count(1)

    def __call__(self) -> None:
        for path, item in _items(self._objects, "/deployments/"):
            self._step(path, item)

    def _step(self, path: str, item: Object) -> None:
        status, spec = item.setdefault("status", {}), item["spec"]
        generation = item["metadata"]["generation"]
        pods = path.partition("/deployments/")[0].replace("/apis/apps/v1/", "/api/v1/") + "/pods/"
        mine = [
            (name, pod)
            for name, pod in _items(self._objects, pods)
            if spec["selector"]["matchLabels"].items() <= (pod["metadata"].get("labels") or {}).items()
        ]
        new = [pod for _name, pod in mine if _has_template(pod, spec["template"])]
        old = [(name, pod) for name, pod in mine if not _has_template(pod, spec["template"])]
        if status.get("observedGeneration", 0) < generation:
            status.update(observedGeneration=generation, updatedReplicas=len(new), replicas=len(mine))
        elif len(new) < spec["replicas"]:
            for _number in range(spec["replicas"] - len(new)):
                self._make_pod(pods, item)
            for name, pod in old:
                pod["metadata"].update(
                    deletionTimestamp="2026-01-01T00:00:00Z", deletionGracePeriodSeconds=30
                )
                self._objects.put(name, pod)
            count = spec["replicas"]
            status.update(updatedReplicas=count, replicas=count, availableReplicas=count, readyReplicas=count)
        elif old:
            for name, _pod in old:
                self._objects.remove(name)
        else:
            return
        self._objects.put(path, item)

    def _make_pod(self, pods: str, deployment: Object) -> None:
        template = copy.deepcopy(deployment["spec"]["template"])
        name = "{}-{}".format(deployment["metadata"]["name"], next(self._numbers))
        statuses = [
            {"name": container["name"], "state": {"running": {}}, "ready": True}
            for container in template["spec"]["containers"]
        ]
        self._objects.put(
            pods + name,
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {**template.get("metadata", {}), "namespace": pods.split("/")[-3]},
                "spec": template["spec"],
                "status": {"phase": "Running", "containerStatuses": statuses},
            },
        )


class ReplicaSets:
    """Makes another pod for each that is taken away from those that a controller owned when this began to look.

    As pkg/controller/replicaset: the new pod has another name, another uid and the same labels.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._numbers = itertools.count(1)
        self._known = {path: pod for path, pod in _items(objects, "/pods/") if _is_controlled(pod)}

    def __call__(self) -> None:
        for path, pod in list(self._known.items()):
            if self._objects.find(path) is None:
                del self._known[path]
                successor = copy.deepcopy(pod)
                name = "{}-{}".format(path.rsplit("/", 1)[1], next(self._numbers))
                successor["metadata"] = {
                    key: pod["metadata"][key] for key in ("namespace", "labels", "ownerReferences")
                }
                successor["spec"].pop("ephemeralContainers", None)
                successor["status"].pop("ephemeralContainerStatuses", None)
                new_path = "{}/{}".format(path.rsplit("/", 1)[0], name)
                self._known[new_path] = self._objects.put(new_path, successor)


class Node:
    """Starts the ephemeral containers and the pods that were added, one look after it has taken notice of them.

    :param program: what an exec into each of them does
    :param states: the state of those of an image that cannot be started, by image; {"waiting": {"reason": "ErrImagePull"}}
    :ivar ended: the ephemeral containers that were told to end, as pod/container
    """

    def __init__(
        self, server: FakeApiServer, program: Program, states: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.ended: list[str] = []
        self._server = server
        self._program = program
        self._states = dict(states or {})

    def __call__(self) -> None:
        for path, pod in _items(self._server.objects, "/pods/"):
            status = pod.setdefault("status", {})
            before = copy.deepcopy(status)
            self._start(path, pod["spec"].get("ephemeralContainers"), status, "ephemeralContainerStatuses")
            if not status.get("containerStatuses"):
                self._start(path, pod["spec"]["containers"], status, "containerStatuses")
                status["phase"] = "Running"
            if status != before:
                self._server.objects.put(path, pod)

    def _start(self, path: str, containers: list[Object] | None, status: Object, key: str) -> None:
        namespace, _pods, pod = path.split("/")[4:]
        known = {one["name"] for one in status.get(key) or []}
        for container in containers or []:
            name = container["name"]
            if name not in known:
                running = {"running": {"startedAt": datetime.now(timezone.utc).strftime(_RUNNING_SINCE)}}
                state = self._states.get(container["image"], running)
                status.setdefault(key, []).append({"name": name, "state": dict(state)})
                self._server.run_in(namespace, pod, name, self._entered(path, name))

    def _entered(self, path: str, container: str) -> Program:
        def program(argv: list[str], streams: ExecStreams) -> int:
            if "securescan-end" not in argv:
                return self._program(argv, streams)
            # what the script does in a container: its first process is told to end
            self.ended.append("{}/{}".format(path.rsplit("/", 1)[1], container))
            self._server.objects.change(path, lambda pod: _terminate(pod, container))
            return 0

        return program


def _terminate(pod: Object, container: str) -> None:
    for status in pod["status"].get("ephemeralContainerStatuses", []):
        if status["name"] == container:
            status["state"] = {"terminated": {"exitCode": 0, "reason": "Completed"}}


def _items(objects: ObjectStore, part: str) -> Iterator[tuple[str, Object]]:
    for path in objects.paths():
        item = objects.find(path) if part in path else None
        if item is not None:
            yield path, item


def _has_template(pod: Object, template: Mapping[str, Any]) -> bool:
    return all(pod["spec"].get(key) == value for key, value in template["spec"].items()) and (
        "initContainers" in pod["spec"]
    ) == ("initContainers" in template["spec"])


def _is_controlled(pod: Object) -> bool:
    return any(owner.get("controller") for owner in pod["metadata"].get("ownerReferences") or [])
