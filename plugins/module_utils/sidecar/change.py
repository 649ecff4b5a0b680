# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds sidecars to one workload, or removes them: first as a dry run, then for real.

If somebody else changes the workload meanwhile, the change is made again for its new version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..network.deadline import Deadline
from ..targets.own_containers import alleged_sidecars
from ..targets.pod import controller_of
from .containers import Needed, SidecarOptions, lacks_identity, needed_sidecars, reported_identities
from .patch import PATCH_TYPE, Operation, adding, is_ours, pod_spec_change, removing
from .workload import WorkloadRef, pods_of, template_of

_DRY_RUN = {"dryRun": "All"}
# A Deployment's status changes often while it rolls out, and each change is a new version.
_ATTEMPTS, _FIRST_PAUSE = 12, 0.05
# The API server answers an object that it cannot decode with all of it, secrets in its environment included.
_WHOLE_OBJECT = 'Invalid value: "{'


class Change:
    """The change of one workload.

    :ivar before: the workload as it was read; None if it does not exist
    :ivar after: the workload as it is now, or would be after `plan`; None if it does not exist
    :ivar changed: whether the pod template differs between both
    """

    def __init__(self, client: RestClient, ref: WorkloadRef, options: SidecarOptions | None) -> None:
        """:param options: for the sidecars; None to remove them"""
        self.ref = ref
        self.before: Mapping[str, Any] | None = None
        self.after: Mapping[str, Any] | None = None
        self.changed = False
        self._client = client
        self._options = options
        self._needed = Needed((), {})

    @property
    def needed(self) -> Needed:
        return self._needed

    def read(self) -> None:
        """Find out what the workload needs, and change nothing.

        :raises ScanError: not_found, if sidecars are wanted; what needed_sidecars and the client raise
        """
        try:
            self.before = self.after = self._client.get(self.ref.path)
        except ScanError as error:
            if error.reason != "not_found" or self._options:
                raise
            self.before = self.after = None
            return
        if self._options:
            template = template_of(self.ref, self.before)
            seen = (
                reported_identities(pods_of(self._client, self.ref, self.before))
                if lacks_identity(template)
                else {}
            )
            self._needed = needed_sidecars(template, seen, self._options, self.ref.tried)

    def pod_spec_change(self) -> dict[str, Any]:
        """What is added to the spec of the pod template, for manifests."""
        spec = template_of(self.ref, self.before)["spec"] if self.before else {}
        return pod_spec_change(spec, self._needed.containers)

    def plan(self) -> None:
        """Ask the API server what the change would make of the workload.

        :raises ScanError: conflict, if the sidecars were not added by us; what `read` raises
        """
        self._converge(dry=True)

    def apply(self) -> None:
        """Change the workload.

        :raises ScanError: what `plan` raises
        """
        self._converge(dry=False)

    def warnings(self) -> list[str]:
        """Warnings for the operator."""
        if self.before is None:
            return []
        _group, kind, name = controller_of(self.before["metadata"])
        owned = (
            [f"{self.ref.title}: it is controlled by {kind} {name}, which can undo the change"]
            if kind
            else []
        )
        return owned + [
            f"{self.ref.title}: the sidecar cannot look at the container {container}: {error.message}"
            for container, error in self._needed.not_served.items()
        ]

    def _converge(self, dry: bool) -> None:
        pauses = Deadline(30.0, None, self.ref.tried)
        for attempt in range(1, _ATTEMPTS + 1):
            self.read()
            operations = self._operations()
            if self.before is None or not operations:
                return
            try:
                self.after = self._client.patch(self.ref.path, operations, PATCH_TYPE, _DRY_RUN)
                # compared is what the API server makes of it: it fills in defaults and writes numbers its own
                # way
                self.changed = self._options is None or template_of(self.ref, self.after) != template_of(
                    self.ref, self.before
                )
                if self.changed and not dry and not self._is_kept_elsewhere():
                    self.after = self._client.patch(self.ref.path, operations, PATCH_TYPE)
                break
            except ScanError as error:
                if error.reason == "invalid_request" and _WHOLE_OBJECT in error.message:
                    raise ScanError(
                        "invalid_request",
                        "the API server cannot read the changed template",
                        tried=self.ref.tried,
                        cause="Most likely an option has a value of the wrong form.",
                    ) from None
                if error.reason != "conflict" or attempt == _ATTEMPTS:
                    raise
            pauses.sleep(_FIRST_PAUSE * attempt)
        if self.changed and self._is_kept_elsewhere():
            raise self._kept_elsewhere()

    def _operations(self) -> list[Operation]:
        if self.before is None:
            return []
        if self._options:
            return adding(self.ref, self.before, self._needed.containers)
        if is_ours(self.before):
            return removing(self.ref, self.before)
        if self._is_kept_elsewhere():
            raise self._kept_elsewhere()
        return []

    def _is_kept_elsewhere(self) -> bool:
        return (
            self.before is not None
            and not is_ours(self.before)
            and bool(alleged_sidecars(template_of(self.ref, self.before)["spec"]))
        )

    def _kept_elsewhere(self) -> ScanError:
        return ScanError(
            "conflict",
            "its sidecars were not added by scan_sidecar",
            tried=self.ref.tried,
            cause="Manifests of the workload hold them.",
            advice="Change them there (manifests_only makes them anew).",
        )
