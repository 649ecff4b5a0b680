# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small store of API objects by path, with the verbs of the API."""

from __future__ import annotations

import base64
import copy
import secrets
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Callable

from .patches import PatchError, patched

Object = dict[str, Any]
Answer = tuple[int, Object]
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}


def status_object(code: int, reason: str, message: str, retry_after: int | None = None) -> Object:
    """A v1 Status of a failure."""
    status: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if retry_after is not None:
        status["details"] = {"retryAfterSeconds": retry_after}
    return status


class ObjectStore:
    """Objects by path, e.g. /api/v1/namespaces/shop/pods/api-1. Safe to use from several threads.

    :param issue_token: called with a service account's user name and the wanted seconds for its TokenRequest
    :ivar review: the answer to an access review, by user and spec
    :ivar rules: the status of a SelfSubjectRulesReview, by user and namespace
    :ivar meanwhile: what goes on in the cluster between two looks at it: called before each GET (controllers.py)
    """

    def __init__(self, issue_token: Callable[[str, int], str]) -> None:
        self._objects: dict[str, Object] = {}
        self._issue_token = issue_token
        self._lock = threading.RLock()
        self._version = 100
        self.meanwhile: list[Callable[[], None]] = []
        self.review: Callable[[str, Mapping[str, Any]], bool] = lambda user, spec: True
        self.rules: Callable[[str, str], Object] = lambda user, namespace: {}

    def put(self, path: str, item: Mapping[str, Any]) -> Object:
        """Store an object as it is, with a name, UID and version if it has none."""
        with self._lock:
            stored = copy.deepcopy(dict(item))
            metadata = stored.setdefault("metadata", {})
            metadata.setdefault("name", path.rsplit("/", 1)[1])
            metadata.setdefault("uid", str(uuid.uuid4()))
            self._version += 1
            metadata["resourceVersion"] = str(self._version)
            self._objects[path] = stored
            return stored

    def find(self, path: str) -> Object | None:
        with self._lock:
            return copy.deepcopy(self._objects.get(path))

    def change(self, path: str, change: Callable[[Object], object]) -> None:
        """Change an object, if it is there; nobody else changes it meanwhile."""
        with self._lock:
            item = self.find(path)
            if item is not None:
                change(item)
                self.put(path, item)

    def paths(self) -> list[str]:
        with self._lock:
            return sorted(self._objects)

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any,
        content_type: str = "",
        user: str = "",
    ) -> Answer:
        """What the API server would answer."""
        with self._lock:
            if method == "GET":
                for goes_on in self.meanwhile:
                    goes_on()
                return self._get(path, query)
            if method == "POST":
                return self._create(path, query, body, user)
            if method == "PATCH":
                return self._patch(path, query, body, content_type)
            if method == "DELETE":
                return self._delete(path, query, body)
        return 405, status_object(405, "MethodNotAllowed", "the server does not allow this method")

    def _get(self, path: str, query: Mapping[str, str]) -> Answer:
        if path == "/version":
            return 200, dict(VERSION)
        if path in self._objects:
            return 200, copy.deepcopy(self._objects[path])
        if _is_named(path):
            return _not_found(path)
        collection = path.rsplit("/", 1)[1]
        items = [
            item
            for key, item in sorted(self._objects.items())
            if _collection_of(key) == path
            or (
                _collection_of(key).endswith("/" + collection)
                and "/namespaces/" not in path
                and _without_namespace(key) == path
            )
        ]
        items = [item for item in items if _is_selected(item, query)]
        start = int(base64.b64decode(query["continue"]).decode("ascii")) if query.get("continue") else 0
        limit = int(query.get("limit") or 0) or len(items) or 1
        metadata: Object = {"resourceVersion": str(self._version)}
        if start + limit < len(items):
            metadata["continue"] = base64.b64encode(str(start + limit).encode("ascii")).decode("ascii")
        return 200, {
            "kind": "List",
            "apiVersion": "v1",
            "metadata": metadata,
            "items": copy.deepcopy(items[start : start + limit]),
        }

    def _create(self, path: str, query: Mapping[str, str], body: Any, user: str) -> Answer:
        if not isinstance(body, dict):
            return 400, status_object(400, "BadRequest", "the body is not an object")
        if path.endswith("/token") and "/serviceaccounts/" in path:
            return self._create_token(path, body)
        if path.endswith("/eviction"):
            return self._evict(path, query, body)
        if path.endswith("/selfsubjectrulesreviews"):
            return 201, dict(body, status=self.rules(user, str((body.get("spec") or {}).get("namespace"))))
        if "reviews" in path:
            return 201, dict(body, status={"allowed": self.review(user, body.get("spec") or {})})
        metadata = dict(body.get("metadata") or {})
        if "generateName" in metadata and "name" not in metadata:
            metadata["name"] = metadata["generateName"] + secrets.token_hex(3)
        if not metadata.get("name"):
            return 422, status_object(
                422, "Invalid", "metadata.name: Required value: name or generateName is required"
            )
        target = "{}/{}".format(path, metadata["name"])
        if target in self._objects:
            return 409, status_object(
                409,
                "AlreadyExists",
                '{} "{}" already exists'.format(path.rsplit("/", 1)[1], metadata["name"]),
            )
        if query.get("dryRun"):
            # a dry run goes through all but the storage: the object has a uid, and no version
            return 201, dict(body, metadata={"uid": str(uuid.uuid4()), **metadata})
        return 201, copy.deepcopy(self.put(target, dict(body, metadata=metadata)))

    def _create_token(self, path: str, body: Object) -> Answer:
        account = path[: -len("/token")]
        if account not in self._objects:
            return _not_found(account)
        parts = account.split("/")
        seconds = int((body.get("spec") or {}).get("expirationSeconds") or 3600)
        if seconds < 600:
            return 422, status_object(
                422,
                "Invalid",
                f"spec.expirationSeconds: Invalid value: {seconds}: may not specify a "
                "duration less than 10 minutes",
            )
        token = self._issue_token(f"system:serviceaccount:{parts[4]}:{parts[6]}", seconds)
        return 201, dict(
            body, kind="TokenRequest", status={"token": token, "expirationTimestamp": "2099-01-01T00:00:00Z"}
        )

    def _evict(self, path: str, query: Mapping[str, str], body: Object) -> Answer:
        """registry/core/pod/storage/eviction.go"""
        pod_path = path[: -len("/eviction")]
        options = dict(body.get("deleteOptions") or {})
        pod = self._objects.get(pod_path)
        if pod is None:
            return _not_found(pod_path)
        refusal = _refused_deletion(pod, options)
        if refusal:
            return refusal
        budgets = pod_path.partition("/pods/")[0].replace("/api/v1/", "/apis/policy/v1/")
        for key, budget in self._objects.items():
            wanted = budget.get("spec", {}).get("selector", {}).get("matchLabels", {})
            labels = pod["metadata"].get("labels") or {}
            if (
                key.startswith(budgets + "/poddisruptionbudgets/")
                and wanted.items() <= labels.items()
                and budget["status"]["disruptionsAllowed"] < 1
            ):
                return 429, status_object(
                    429,
                    "TooManyRequests",
                    "Cannot evict pod as it would violate the pod's disruption budget.",
                )
        code, answer = self._delete(pod_path, query, options)
        return (201, answer) if code == 200 else (code, answer)

    def _patch(self, path: str, query: Mapping[str, str], body: Any, content_type: str) -> Answer:
        of_pod = path.endswith("/ephemeralcontainers")
        path = path.rpartition("/")[0] if of_pod else path
        if path not in self._objects:
            return _not_found(path)
        old = self._objects[path]
        try:
            new = patched(old, body, content_type)
        except PatchError as refusal:
            return refusal.code, status_object(refusal.code, refusal.reason, str(refusal))
        if of_pod:
            changed = _changed_entries(old["spec"], new["spec"])
            if changed:
                return 422, status_object(422, "Invalid", changed)
        if new == old:  # nothing is written, and the version stays (apiserver/pkg/storage/etcd3/store.go)
            return 200, copy.deepcopy(old)
        if "generation" in old["metadata"] and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        return 200, new if query.get("dryRun") else copy.deepcopy(self.put(path, new))

    def _delete(self, path: str, query: Mapping[str, str], body: Any = None) -> Answer:
        if path not in self._objects:
            return _not_found(path)
        options = body if isinstance(body, dict) else {}
        refusal = _refused_deletion(self._objects[path], options)
        if refusal:
            return refusal
        done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        if query.get("dryRun") or options.get("dryRun"):
            return 200, done
        gone = self._objects.pop(path)
        for key, item in list(self._objects.items()):
            if any(
                owner.get("uid") == gone["metadata"]["uid"]
                for owner in item["metadata"].get("ownerReferences") or []
            ):
                del self._objects[key]
        return 200, done

    def remove(self, path: str) -> None:
        """Take an object away, with whatever it owns."""
        with self._lock:
            self._delete(path, {})


def only_metadata(item: Object) -> Object:
    """The object as PartialObjectMetadata; a list, as PartialObjectMetadataList."""
    if "items" in item:
        return {**item, "items": [only_metadata(each) for each in item["items"]]}
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": item.get("metadata", {}),
    }


def _segments(path: str) -> list[str]:
    """What comes after the group and version."""
    parts = path.strip("/").split("/")
    return parts[2:] if parts[0] == "api" else parts[3:]


def _is_named(path: str) -> bool:
    rest = _segments(path)
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    return len(rest) > 1


def _collection_of(path: str) -> str:
    return path.rsplit("/", 1)[0]


def _without_namespace(path: str) -> str:
    """The path of the collection over all namespaces that an object belongs to."""
    head, _namespaces, tail = path.partition("/namespaces/")
    return "{}/{}".format(head, "/".join(tail.split("/")[1:-1])) if tail else _collection_of(path)


def _is_selected(item: Object, query: Mapping[str, str]) -> bool:
    labels = item["metadata"].get("labels") or {}
    for wanted in filter(None, query.get("labelSelector", "").split(",")):
        key, _equals, value = wanted.partition("=")
        if key not in labels or (_equals and labels[key] != value.lstrip("=")):
            return False
    for wanted in filter(None, query.get("fieldSelector", "").split(",")):
        key, _equals, value = wanted.partition("=")
        found: Any = item
        for part in key.split("."):
            found = found.get(part, "") if isinstance(found, dict) else ""
        if found != value.lstrip("="):
            return False
    return True


def _refused_deletion(item: Object, options: Mapping[str, Any]) -> Answer | None:
    """Where a deletion is for another object, or another version of it, than the one that is there (storage.Preconditions)."""
    for key, wanted in (options.get("preconditions") or {}).items():
        found = item["metadata"].get(key)
        if wanted != found:
            return 409, status_object(
                409,
                "Conflict",
                f"Precondition failed: {key} in precondition: {wanted}, {key} in object meta: {found}",
            )
    return None


def _changed_entries(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Ephemeral containers can be added, and no other change of them is allowed (validation.go,
    ValidatePodEphemeralContainersUpdate)."""
    after = {item["name"]: item for item in new.get("ephemeralContainers") or []}
    changed = [
        item["name"] for item in old.get("ephemeralContainers") or [] if after.get(item["name"]) != item
    ]
    names = ", ".join(f'"{name}"' for name in changed)
    return (
        f"spec.ephemeralContainers: Forbidden: existing ephemeral containers {names} may not be changed"
        if changed
        else ""
    )


def _not_found(path: str) -> Answer:
    kind, name = path.rsplit("/", 2)[1:]
    return 404, status_object(404, "NotFound", f'{kind} "{name}" not found')
