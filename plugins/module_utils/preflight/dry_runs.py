# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the cluster what it would say to a scan: the scan's own requests, as server-side dry runs that leave
nothing.

A dry run goes through authorization, RBAC's rule of escalation, quotas and every admission policy, and is not
stored. A RoleBinding cannot be asked for: the API server wants its Role to be there. Nor can a token, which
wants its ServiceAccount.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ..access.objects import (
    AccessPlan,
    Grant,
    collection_path,
    helper_labels,
    new_run_id,
    object_name,
    owner_reference,
    roles_and_bindings,
    service_account,
)
from ..access.refusals import access_incomplete
from ..approaches.debug import add_ephemeral_container
from ..approaches.image_helper import Helper, ImageOptions, helper_name, helper_pod
from ..approaches.refusals import creation_refusal, is_name_taken, patch_refusal
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..targets.identity import Target

_DRY_RUN = {"dryRun": "All"}


class DryRuns:
    """The requests of one scan that never takes place. Safe for several threads."""

    def __init__(self, client: RestClient, owner: str, lifetime: int) -> None:
        """:param lifetime: seconds, as the option of that name"""
        self._client = client
        self._owner = owner
        self._lifetime = lifetime
        self._run_id = new_run_id(datetime.now(timezone.utc))
        self._expires = datetime.now(timezone.utc) + timedelta(seconds=lifetime)

    def make_access(self, grant: Grant) -> ScanError | None:
        """Why the cluster would not take the ServiceAccount and the Roles of a grant, None where it would."""
        try:
            plan = AccessPlan(self._run_id, self._owner, self._expires, self._expires, (grant,))
            account = self._create(
                collection_path("ServiceAccount", grant.account(plan.run_id).namespace),
                service_account(plan, grant),
            )
            for wanted in roles_and_bindings(plan, grant, account):
                if wanted["kind"] == "Role":
                    self._create(collection_path("Role", grant.namespace), wanted)
        except ScanError as error:
            return access_incomplete(error, ())
        return None

    def add_debug_container(self, target: Target, entry: Mapping[str, Any]) -> ScanError | None:
        """Why the cluster would not take the ephemeral container, None where it would."""
        try:
            add_ephemeral_container(self._client, target, entry, _DRY_RUN)
        except ScanError as error:
            return None if is_name_taken(error) else patch_refusal(error, str(entry["name"]))
        return None

    def start_helper(self, helper: Helper, options: ImageOptions) -> ScanError | None:
        """Why the cluster would not take the helper pod, None where it would."""
        # of the uid of an owner that is not there the API server says nothing
        metadata = {"name": object_name(self._run_id), "uid": "00000000-0000-0000-0000-000000000000"}
        owner = owner_reference({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        pod = helper_pod(
            helper_name(self._run_id, helper.number),
            helper,
            options,
            labels=helper_labels(self._run_id, self._expires),
            owner=owner,
            lifetime=self._lifetime,
        )
        try:
            self._create(f"/api/v1/namespaces/{options.namespace}/pods", pod)
        except ScanError as error:
            return creation_refusal(error, options.namespace)
        return None

    def _create(self, path: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return self._client.create(path, wanted, _DRY_RUN)
