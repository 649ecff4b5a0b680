# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's audit log: the policy that fills it, and how tests read and count it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .certificates import HEALTH_USER
from .failure import ClusterError

# The first matching rule counts. Our own watch over the cluster is left out, and what the system's own
# parts read all the time; all else is one line or,
# for calls that stay open, two: ResponseStarted and ResponseComplete.
POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": [HEALTH_USER]},
        {
            "level": "None",
            "users": ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"],
            "verbs": ["get", "list", "watch"],
        },
        {
            "level": "None",
            "userGroups": ["system:nodes", "system:serviceaccounts:kube-system"],
            "verbs": ["get", "list", "watch"],
        },
        {"level": "None", "nonResourceURLs": ["/livez*", "/readyz*", "/healthz*"]},
        # with what was asked for: nothing in it is secret, and tests look for privileges
        {"level": "Request", "resources": [{"group": "", "resources": ["pods/ephemeralcontainers"]}]},
        {"level": "Metadata"},
    ],
}


def events(log: Path, offset: int = 0) -> list[dict[str, Any]]:
    """The events of an audit log from a byte offset on, in order. Raises ClusterError for a line that is no event.

    The size of the log can be an offset within a line, while that one is written: it is an event of before.
    """
    found = []
    with log.open("rb") as stream:
        if offset:
            stream.seek(offset - 1)
            stream.readline()
        for line in stream:
            if not line.endswith(b"\n"):
                break  # it is being written now
            try:
                found.append(json.loads(line))
            except ValueError as problem:
                raise ClusterError(f"A line of {log} is no audit event: {problem}.") from problem
    return found


def exec_calls(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One event for each exec call that has begun: its latest one.

    Of use in an event: `verb`, `user.username`, `requestURI`, `objectRef.namespace`, `objectRef.name` (the pod),
    `responseStatus.code`, `stage`. A refused call is there too, with its code (403).
    """
    latest: dict[str, dict[str, Any]] = {}
    for event in found:
        reference = event.get("objectRef", {})
        if reference.get("resource") == "pods" and reference.get("subresource") == "exec":
            latest[event["auditID"]] = event
    return list(latest.values())


def ephemeral_containers(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The requests to put an ephemeral container into a pod, refused ones included, each with its `requestObject`."""
    return [
        event for event in found if event.get("objectRef", {}).get("subresource") == "ephemeralcontainers"
    ]
