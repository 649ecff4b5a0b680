# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts as requests: a workload whose pods all have a new template is to be scanned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cluster.rest import RestClient, VersionTooOldError
from ..errors import ScanError
from ..requests.request import SCAN, Request
from ..sidecar.progress import has_rollout, missing_for_completion
from ..sidecar.workload import KINDS, Kind, WorkloadRef

ROLLED_OUT = tuple(kind for kind in KINDS.values() if has_rollout(WorkloadRef(kind, "", "")))
_DIGITS = 16
_MOST_WORKLOADS = 100_000


@dataclass(frozen=True)
class RolledOut:
    """A workload whose rollout is complete. `template`: a digest of its pod template, which the next rollout changes."""

    uid: str
    ref: WorkloadRef
    template: str

    def request(self, cluster: str) -> Request:
        return Request(
            action=SCAN,
            cluster=cluster,
            namespaces=(self.ref.namespace,),
            workloads=(self.ref.title,),
            revision=f"template:{self.template}",
            because=f"{self.ref.title} was rolled out",
        )


class RolloutWatch:
    """The workloads of one kind, in one namespace or in all. It needs the rights `list` and `watch` on that kind.

    :param namespace: empty for all
    :ivar known: the templates of which nothing more is to be told, by uid
    :ivar is_new: nobody has looked yet: what is there is no news
    """

    def __init__(self, client: RestClient, kind: Kind, namespace: str = "") -> None:
        below = f"namespaces/{namespace}/" if namespace else ""
        self.path = f"/apis/{kind.api_version}/{below}{kind.resource}"
        self.known: dict[str, str] = {}
        self.is_new = True
        self._client = client
        self._kind = kind
        self._version = ""

    def remember(self, known: Mapping[str, str] | None) -> None:
        """What was seen before; None where nobody has looked yet."""
        self.known, self.is_new = dict(known or {}), known is None

    def wait(self, seconds: int) -> list[RolledOut]:
        """The rollouts that are complete and not known. One of them is told again until it is in `known`, but only when its
        workload changes or the list is read again: whoever cannot use it now calls `forget_version`.

        :param seconds: how long is waited for one
        :raises ScanError: any reason of SCAN-2xx; connection_lost, timed_out, cancelled
        """
        if not self._version:
            return self._listed()
        try:
            changes = self._client.watch(self.path, self._version, seconds)
        except VersionTooOldError:
            self.forget_version()
            return []
        found: dict[str, RolledOut] = {}
        for kind, workload in changes:
            self._version = str(workload["metadata"].get("resourceVersion") or self._version)
            uid = str(workload["metadata"].get("uid") or "")
            if kind == "DELETED":
                self.known.pop(uid, None)
                found.pop(uid, None)
            elif kind in ("ADDED", "MODIFIED"):
                found.update((one.uid, one) for one in self._news([workload]))
        return list(found.values())

    def forget_version(self) -> None:
        """The next `wait` reads the whole list."""
        self._version = ""

    def _listed(self) -> list[RolledOut]:
        # the version first: what changes while the list is read is then told by the watch, some of it twice
        head = self._client.get(self.path, {"limit": 1})
        found: list[RolledOut] = []
        there: set[str] = set()
        for workload in self._client.list_items(self.path):
            there.add(str(workload["metadata"].get("uid") or ""))
            found += self._news([workload])
            if len(there) > _MOST_WORKLOADS:
                raise ScanError(
                    "bad_reply", f"more than {_MOST_WORKLOADS} workloads", tried=f"list {self.path}"
                )
        self.known = {uid: template for uid, template in self.known.items() if uid in there}
        version = (head.get("metadata") or {}).get("resourceVersion")
        self._version = version if isinstance(version, str) else ""
        if self.is_new:
            self.is_new = False
            self.known.update((one.uid, one.template) for one in found)
            return []
        return found

    def _news(self, workloads: Sequence[Mapping[str, Any]]) -> Iterator[RolledOut]:
        for workload in workloads:
            metadata = workload["metadata"]
            ref = WorkloadRef(
                self._kind, str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
            )
            one = RolledOut(str(metadata.get("uid") or ""), ref, _template(workload))
            if self.known.get(one.uid) != one.template and _is_complete(ref, workload):
                yield one


def _is_complete(ref: WorkloadRef, workload: Mapping[str, Any]) -> bool:
    """Of one without pods there is nothing to scan."""
    status = workload.get("status") or {}
    if not (status.get("replicas") or status.get("desiredNumberScheduled")):
        return False
    try:
        return not missing_for_completion(ref, workload)
    except ScanError:  # paused, or given up
        return False


def _template(workload: Mapping[str, Any]) -> str:
    template = workload["spec"].get("template") or {}
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]
