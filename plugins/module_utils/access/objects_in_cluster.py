# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of accesses as they are in a cluster: found by their labels, recognised as ours, removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from .objects import API_VERSIONS, LABEL_MANAGED_BY, LABEL_RUN, MANAGED_BY, AccountName, collection_path

# What is removed first takes the scanner's rights away at once; the ServiceAccount, which its token hangs on,
# is last.
REMOVAL_ORDER = ("RoleBinding", "Role", "ServiceAccount")


def find(client: RestClient, kind: str, namespace: str | None, run_id: str = "") -> Iterator[dict[str, Any]]:
    """The objects of a kind that carry our label (and that of the run), in a namespace, or in all for
    None."""
    selector = f"{LABEL_MANAGED_BY}={MANAGED_BY}" + (f",{LABEL_RUN}={run_id}" if run_id else "")
    return _listed(client, kind, namespace, {"labelSelector": selector})


def find_account(client: RestClient, account: AccountName, run_id: str) -> dict[str, Any] | None:
    """That ServiceAccount of the run, None where there is none.

    :raises ScanError: conflict, where there is one of that name that does not carry our labels
    """
    name, namespace = account.name, account.namespace
    for item in _listed(client, "ServiceAccount", namespace, {"fieldSelector": "metadata.name=" + name}):
        labels = item["metadata"].get("labels") or {}
        if labels.get(LABEL_MANAGED_BY) != MANAGED_BY or labels.get(LABEL_RUN) != run_id:
            raise ScanError(
                "conflict",
                f"ServiceAccount {name} in namespace {namespace} is not managed by {MANAGED_BY} for this run",
                tried="managing the scan's access",
                advice="Choose another run id; the object was not touched.",
            )
        return item
    return None


def remove(client: RestClient, item: Mapping[str, Any], only_unchanged: bool = False) -> bool:
    """Deletes exactly this object, not a later one of its name; False where it was gone already.

    :param only_unchanged: leave it, with ScanError conflict, where anything of it was changed since it was
        read
    """
    metadata = item["metadata"]
    preconditions = {"uid": metadata["uid"]}
    if only_unchanged:
        preconditions["resourceVersion"] = metadata["resourceVersion"]
    try:
        client.delete(
            "{}/{}".format(collection_path(item["kind"], metadata["namespace"]), metadata["name"]),
            {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions},
        )
    except ScanError as error:
        if error.reason != "not_found":
            raise
        return False
    return True


def _listed(
    client: RestClient, kind: str, namespace: str | None, query: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for item in client.list_items(collection_path(kind, namespace), query):
        # a list's items do not say what they are
        yield dict(item, kind=kind, apiVersion=API_VERSIONS[kind])
