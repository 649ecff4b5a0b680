# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes one workload have its sidecars, or none: asked for by a dry run first, then done, anew where somebody came between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..network.deadline import Deadline
from ..targets.own_containers import own_sidecars
from ..targets.pod import controller_of
from .containers import Needed, SidecarOptions, lacks_identity, needed_sidecars, reported_identities
from .patch import PATCH_TYPE, Operation, adding, is_ours, pod_spec_change, removing
from .workload import WorkloadRef, pods_of, template_of

_DRY_RUN = {"dryRun": "All"}
# A Deployment's status changes often while it rolls out, and each change is a new version.
_ATTEMPTS, _FIRST_PAUSE = 12, 0.05
# How the API server answers to what it cannot decode: with all of the object, secrets in its environment included.
_WHOLE_OBJECT = 'Invalid value: "{'


class Change:
    """One workload's way to its sidecars.

    :ivar before, after: the workload as it was read, and as it is (or, after `plan`, would be); None where there is none
    :ivar changed: whether the pod template differs between them
    """

    def __init__(self, client: RestClient, ref: WorkloadRef, options: SidecarOptions | None) -> None:
        """:param options: of the sidecars, None to remove them"""
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
        """Finds out what the workload needs, and changes nothing.

        :raises ScanError: not_found, where sidecars are wanted; as needed_sidecars; as the client
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
        """What the template's spec gets besides, for manifests."""
        spec = template_of(self.ref, self.before)["spec"] if self.before else {}
        return pod_spec_change(spec, self._needed.containers)

    def plan(self) -> None:
        """Asks the API server what would become of the workload.

        :raises ScanError: conflict, where the sidecars are somebody else's; as `read`
        """
        self._converge(dry=True)

    def apply(self) -> None:
        """Changes the workload; raises as `plan`."""
        self._converge(dry=False)

    def warnings(self) -> list[str]:
        """What the operator should know besides."""
        if self.before is None:
            return []
        _group, kind, name = controller_of(self.before["metadata"])
        owned = (
            [f"{self.ref.title}: it is controlled by {kind} {name}, which may take the change back"]
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
                # what the API server makes of it tells, not what we would write: it fills in and puts numbers into its own form
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
            and bool(own_sidecars(template_of(self.ref, self.before)["spec"]))
        )

    def _kept_elsewhere(self) -> ScanError:
        return ScanError(
            "conflict",
            "its sidecars were not added by scan_sidecar",
            tried=self.ref.tried,
            cause="Manifests of the workload hold them.",
            advice="Change them there (manifests_only makes them anew).",
        )
