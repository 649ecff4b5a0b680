# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a scan's access: what is made in a namespace, under which names and labels, with which
rules."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..errors import ScanError
from .rights import RIGHTS, rules

MANAGED_BY = "securescan.kubernetes"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_RUN = "securescan.kubernetes/run-id"
LABEL_OWNER = "securescan.kubernetes/owner"
LABEL_EXPIRES = "securescan.kubernetes/expires"
# A label's value holds no colon (Kubernetes: object names and IDs), so the time is in ISO 8601's basic form.
_EXPIRES_FORMAT = "%Y%m%dT%H%M%SZ"
_EXPIRES = re.compile(r"[0-9]{8}T[0-9]{6}Z$")
RBAC_GROUP = "rbac.authorization.k8s.io"
API_VERSIONS = {"ServiceAccount": "v1", "Role": RBAC_GROUP + "/v1", "RoleBinding": RBAC_GROUP + "/v1"}
# What etcd takes in one request is 1.5 MiB. A Role holds each name once for each rule; this keeps it well
# below, also with a server's bookkeeping, and small enough that the authorizer's walk through the names stays
# short.
_NAMES_PER_ROLE = 512 * 1024
_RUN_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")
# What an access is for that names no approach: it is of a release that had no other.
FIRST_APPROACH = "exec"
_NOT_IN_LABEL = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class PodRef:
    """A pod by name, with the uid it had when it was selected. `approach`: the one whose rights the access
    holds over it, where that is not its grant's."""

    name: str
    uid: str
    approach: str = ""


@dataclass(frozen=True)
class AccountName:
    """A ServiceAccount by namespace and name."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Grant:
    """What one namespace's part of an access reaches, and by which approach (a key of `RIGHTS`).
    `account_namespace`: where its ServiceAccount lives, empty for the namespace itself."""

    namespace: str
    pods: tuple[PodRef, ...]
    approach: str = FIRST_APPROACH
    account_namespace: str = ""

    def account(self, run_id: str) -> AccountName:
        return account_name(run_id, self.namespace, self.account_namespace)

    @property
    def less(self) -> dict[str, str]:
        """The pods over which it holds another approach's rights, by name."""
        return {pod.name: pod.approach for pod in self.pods if pod.approach}


@dataclass(frozen=True)
class AccessPlan:
    """An access: for one run, one owner, until `expires` (UTC), over some pods of some namespaces.

    An access of the same run that is there already keeps its own expiry while that lies after `renew_before`
    (UTC), so that asking twice changes nothing.
    """

    run_id: str
    owner: str
    expires: datetime
    renew_before: datetime
    grants: tuple[Grant, ...]

    def labels(self) -> dict[str, str]:
        return {
            LABEL_MANAGED_BY: MANAGED_BY,
            LABEL_RUN: self.run_id,
            LABEL_OWNER: _NOT_IN_LABEL.sub("-", self.owner)[:63].strip("-_."),
            LABEL_EXPIRES: self.expires.astimezone(timezone.utc).strftime(_EXPIRES_FORMAT),
        }


def helper_labels(run_id: str, expires: datetime) -> dict[str, str]:
    """The labels of a pod that belongs to a run."""
    return {
        LABEL_MANAGED_BY: MANAGED_BY,
        LABEL_RUN: run_id,
        LABEL_EXPIRES: expires.astimezone(timezone.utc).strftime(_EXPIRES_FORMAT),
    }


def expiry_of(labels: Mapping[str, str]) -> datetime | None:
    """The time (UTC) in the expiry label, None where it is missing or no time."""
    text = labels.get(LABEL_EXPIRES, "")
    try:
        return (
            datetime.strptime(text, _EXPIRES_FORMAT).replace(tzinfo=timezone.utc)
            if _EXPIRES.match(text)
            else None
        )
    except ValueError:
        return None


def new_run_id(now: datetime) -> str:
    """A run id that sorts by time and that two runs of the same second do not share."""
    return "{}-{}".format(now.astimezone(timezone.utc).strftime("%Y%m%dt%H%M%S"), secrets.token_hex(3))


def check_run_id(run_id: str) -> str:
    """The run id, when it can be part of an object's name and a label (DNS label, at most 40 characters)."""
    if not _RUN_ID.match(run_id):
        raise ScanError(
            "bad_option",
            f"the run id {run_id!r} is not a DNS label of at most 40 characters",
            tried="reading the option run_id",
        )
    return run_id


def object_name(run_id: str, part: int = 1) -> str:
    """The name that ServiceAccount, Role and RoleBinding of a run share; further Roles have the part's number
    at its end, after a dot, which no run id holds."""
    return f"securescan-{run_id}" if part == 1 else f"securescan-{run_id}.{part}"


def account_name(run_id: str, namespace: str, account_namespace: str = "") -> AccountName:
    """The ServiceAccount whose token reaches the targets of a namespace.

    It is one for each namespace also where all of them live in `account_namespace`, so that no token reaches
    the pods of two; its name then ends with the namespace, after a dot, which no run id holds.
    """
    if not account_namespace:
        return AccountName(namespace, object_name(run_id))
    return AccountName(account_namespace, f"{object_name(run_id)}.{namespace}")


def collection_path(kind: str, namespace: str | None) -> str:
    """The REST path under which objects of that kind are created and listed; over all namespaces for None."""
    version = API_VERSIONS[kind]
    return "/{}/{}{}{}s".format(
        "apis" if "/" in version else "api",
        version,
        f"/namespaces/{namespace}/" if namespace else "/",
        kind.lower(),
    )


def parts(grant: Grant) -> list[tuple[PodRef, ...]]:
    """The grant's pods, cut so that a Role which names each part's pods is small enough to be stored."""
    cut: list[list[PodRef]] = [[]]
    size, most = 0, _NAMES_PER_ROLE // len(RIGHTS[grant.approach])
    for pod in grant.pods:
        size += len(pod.name)
        if size > most:
            cut.append([])
            size = len(pod.name)
        cut[-1].append(pod)
    return [tuple(part) for part in cut]


def service_account(plan: AccessPlan, grant: Grant) -> dict[str, Any]:
    account = grant.account(plan.run_id)
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "automountServiceAccountToken": False,
        "metadata": {"name": account.name, "namespace": account.namespace, "labels": plan.labels()},
    }


def owner_reference(item: Mapping[str, Any]) -> dict[str, Any]:
    """What an object says of the one that owns it: when that is deleted, the cluster deletes it, too. Both are
    in the same namespace.

    :param item: with apiVersion, kind and metadata
    """
    metadata = item["metadata"]
    return {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def roles_and_bindings(plan: AccessPlan, grant: Grant, account: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A Role and its RoleBinding for each part of the grant.

    They are owned by the ServiceAccount, so that its deletion alone makes the cluster's garbage collector
    take them. A ServiceAccount of another namespace cannot own them: the collector would delete them at once.
    """
    where = grant.account(plan.run_id)
    owners = [owner_reference(dict(account, apiVersion="v1", kind="ServiceAccount"))]
    common: dict[str, Any] = {"namespace": grant.namespace, "labels": plan.labels()}
    if where.namespace == grant.namespace:
        common["ownerReferences"] = owners
    made: list[dict[str, Any]] = []
    less = grant.less
    for number, pods in enumerate(parts(grant), 1):
        name = object_name(plan.run_id, number)
        metadata = {"name": name, **common}
        made.append(
            {
                "apiVersion": API_VERSIONS["Role"],
                "kind": "Role",
                "metadata": metadata,
                "rules": rules(grant.approach, [pod.name for pod in pods], less),
            }
        )
        made.append(
            {
                "apiVersion": API_VERSIONS["RoleBinding"],
                "kind": "RoleBinding",
                "metadata": dict(metadata),
                "roleRef": {"apiGroup": RBAC_GROUP, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": where.name, "namespace": where.namespace}],
            }
        )
    return made
