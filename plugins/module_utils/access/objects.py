# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a scan's access: what is made in a namespace, under which names and labels, with which rules."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Tuple

from ..errors import ScanError

MANAGED_BY = "securescan.kubernetes"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_RUN = "securescan.kubernetes/run-id"
LABEL_OWNER = "securescan.kubernetes/owner"
LABEL_EXPIRES = "securescan.kubernetes/expires"
# A label's value holds no colon (Kubernetes: object names and IDs), so the time is in ISO 8601's basic form.
EXPIRES_FORMAT = "%Y%m%dT%H%M%SZ"
_RUN_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")
_NOT_IN_LABEL = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class PodRef:
    """A pod by name, with the uid it had when it was selected."""

    name: str
    uid: str


@dataclass(frozen=True)
class Grant:
    """What one namespace's part of an access reaches."""

    namespace: str
    pods: Tuple[PodRef, ...]


@dataclass(frozen=True)
class AccessPlan:
    """An access: for one run, one owner, until `expires` (UTC), over some pods of some namespaces.

    An access of the same run that is there already keeps its own expiry while that lies after `renew_before` (UTC),
    so that asking twice changes nothing.
    """

    run_id: str
    owner: str
    expires: datetime
    renew_before: datetime
    grants: Tuple[Grant, ...]

    def labels(self) -> Dict[str, str]:
        return {
            LABEL_MANAGED_BY: MANAGED_BY,
            LABEL_RUN: self.run_id,
            LABEL_OWNER: _NOT_IN_LABEL.sub("-", self.owner)[:63].strip("-_."),
            LABEL_EXPIRES: self.expires.astimezone(timezone.utc).strftime(EXPIRES_FORMAT),
        }


def new_run_id(now: datetime) -> str:
    """A run id that sorts by time and that two runs of the same second do not share."""
    return "%s-%s" % (now.astimezone(timezone.utc).strftime("%Y%m%dt%H%M%S"), secrets.token_hex(3))


def check_run_id(run_id: str) -> str:
    """The run id, when it can be part of an object's name and a label (DNS label, at most 40 characters)."""
    if not _RUN_ID.match(run_id):
        raise ScanError("bad_option", "the run id %r is not a DNS label of at most 40 characters" % run_id,
                        tried="reading the option run_id")
    return run_id


def object_name(run_id: str) -> str:
    """The name that ServiceAccount, Role and RoleBinding of a run share."""
    return "securescan-%s" % run_id


def collection_path(kind: str, namespace: str) -> str:
    """The REST path under which objects of that kind are created and listed."""
    paths = {
        "ServiceAccount": "/api/v1/namespaces/%s/serviceaccounts",
        "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/roles",
        "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings",
    }
    return paths[kind] % namespace


def exec_rules(grant: Grant) -> List[Dict[str, Any]]:
    """The scanner's rights for the approach `exec`: enter the chosen pods, and see that they are still the same.

    A WebSocket exec is an HTTP GET: `get` on pods/exec was enough before Kubernetes 1.35, `create` is asked for
    since (AuthorizePodWebsocketUpgradeCreatePermission). `get` on the same pods is for the check of their uid.
    """
    names = [pod.name for pod in grant.pods]
    return [
        {"apiGroups": [""], "resources": ["pods/exec"], "resourceNames": names, "verbs": ["create", "get"]},
        {"apiGroups": [""], "resources": ["pods"], "resourceNames": names, "verbs": ["get"]},
    ]


def service_account(plan: AccessPlan, grant: Grant) -> Dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(plan, grant),
            "automountServiceAccountToken": False}


def role(plan: AccessPlan, grant: Grant, owner: Mapping[str, Any]) -> Dict[str, Any]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": _owned_metadata(plan, grant, owner), "rules": exec_rules(grant)}


def role_binding(plan: AccessPlan, grant: Grant, owner: Mapping[str, Any]) -> Dict[str, Any]:
    name = object_name(plan.run_id)
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": _owned_metadata(plan, grant, owner),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": grant.namespace}],
    }


def _metadata(plan: AccessPlan, grant: Grant) -> Dict[str, Any]:
    return {"name": object_name(plan.run_id), "namespace": grant.namespace, "labels": plan.labels()}


def _owned_metadata(plan: AccessPlan, grant: Grant, owner: Mapping[str, Any]) -> Dict[str, Any]:
    """Owned by the ServiceAccount, so that its deletion alone makes the cluster's garbage collector take the rest."""
    reference = {"apiVersion": "v1", "kind": "ServiceAccount", "name": owner["metadata"]["name"],
                 "uid": owner["metadata"]["uid"]}
    return dict(_metadata(plan, grant), ownerReferences=[reference])
