# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's objects as they are in a cluster: made, corrected, removed. Those that are not ours are never
touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from .guard import GROUP_VERSION, POLICY
from .objects import LABEL_MANAGED_BY, MANAGED_BY

_TRIED = "managing the guard"


@dataclass
class GuardOutcome:
    """What was done (or, in check mode, would be). `before` and `after` map "Kind name" to the object as far
    as it is ours."""

    changed: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def ensure_guard(
    client: RestClient, wanted: Sequence[Mapping[str, Any]], check_mode: bool = False
) -> GuardOutcome:
    """Makes the objects, or gives those that are there the wanted spec, whoever has changed it. In check mode
    the API server is asked (dry run), and nothing is changed.

    :raises ScanError: guard_unsupported; conflict, where one of the names is taken; as the client
    """
    outcome, query = GuardOutcome(), {"dryRun": "All"} if check_mode else None
    for item, found in [(item, _find(client, item)) for item in wanted]:
        outcome.after[_title(item)] = item
        if found is None:
            client.create(_collection(item), item, query)
        else:
            outcome.before[_title(item)] = _comparable(found)
            if _comparable(found) == item:
                continue
            # as a whole: a merge would leave what somebody has put in besides, an exception for instance
            patch = [
                {"op": "test", "path": "/metadata/uid", "value": found["metadata"]["uid"]},
                {"op": "replace", "path": "/spec", "value": item["spec"]},
            ]
            client.patch(_path(item), patch, "application/json-patch+json", query)
        outcome.changed = True
    return outcome


def remove_guard(
    client: RestClient, objects: Sequence[Mapping[str, Any]], check_mode: bool = False
) -> GuardOutcome:
    """Deletes those of the objects that are there. A cluster that knows no such policies has none.

    :raises ScanError: conflict, where one of the names is that of an object that is not ours; as the client
    """
    outcome = GuardOutcome()
    try:
        present = [found for found in (_find(client, item) for item in reversed(objects)) if found]
    except ScanError as error:
        if error.reason == "guard_unsupported":
            return outcome
        raise
    for found in present:
        outcome.changed = True
        outcome.before[_title(found)] = _comparable(found)
        if not check_mode:
            client.delete(
                _path(found),
                {
                    "apiVersion": "v1",
                    "kind": "DeleteOptions",
                    "preconditions": {"uid": found["metadata"]["uid"]},
                },
            )
    return outcome


def _find(client: RestClient, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """The object of that kind and name. Listed rather than read, to tell a cluster without such policies from
    one where it is missing."""
    name = wanted["metadata"]["name"]
    try:
        items = list(client.list_items(_collection(wanted), {"fieldSelector": "metadata.name=" + name}))
    except ScanError as error:
        if error.reason == "not_found":
            raise ScanError("guard_unsupported", error.message, tried=_TRIED) from error
        raise
    for item in items:
        if (item["metadata"].get("labels") or {}).get(LABEL_MANAGED_BY) != MANAGED_BY:
            raise ScanError(
                "conflict",
                "{} {} is not managed by {}".format(wanted["kind"], name, MANAGED_BY),
                tried=_TRIED,
                advice="See who made it; it was not touched.",
            )
        # a list's items do not say what they are
        return dict(item, kind=wanted["kind"], apiVersion=GROUP_VERSION)
    return None


def _comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    """The object cut down to what we set. Its spec is compared whole: whatever is added to it may weaken
    it."""
    metadata = {"name": found["metadata"]["name"], "labels": {LABEL_MANAGED_BY: MANAGED_BY}}
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": metadata,
        "spec": found.get("spec"),
    }


def _title(item: Mapping[str, Any]) -> str:
    return "{} {}".format(item["kind"], item["metadata"]["name"])


def _collection(item: Mapping[str, Any]) -> str:
    plural = "validatingadmissionpolicies" if item["kind"] == POLICY else "validatingadmissionpolicybindings"
    return f"/apis/{GROUP_VERSION}/{plural}"


def _path(item: Mapping[str, Any]) -> str:
    return "{}/{}".format(_collection(item), item["metadata"]["name"])
