# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach `image`: the target's image, mounted read-only into a helper pod. The target's pod is never
touched.

An image is looked at once, whatever the number of containers that run it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from ..access.objects import helper_labels
from ..access.rights import ENTER, Right
from ..access.scanner import NamespaceScanner
from ..cluster.rest import RestClient
from ..collector.facts import Facts
from ..collector.request import CollectionRequest
from ..collector.view import TargetView
from ..errors import ScanError
from ..network.deadline import Deadline
from ..results.evidence import EVIDENCE_IMAGE, Evidence
from ..safe_text import server_text
from ..targets.identity import Target
from ..targets.pod import check_pod
from ..targets.selection import SelectedTarget
from .approach import Collected
from .approach_kind import NOT_ENTERED, ApproachKind, GivenOptions, MissingOption
from .container_start import wait_until_started
from .debug import missing_scanner_image
from .image_and_volumes import volume_doubts, volume_mounts, without_volumes
from .image_helper import (
    MOUNT_POINT,
    Helper,
    ImageOptions,
    MountedImage,
    helper_name,
    helper_pod,
    image_reference,
    plan_helpers,
)
from .looks import shell_container
from .pod_entry import EnteringApproach, ExecLimits, Means, Result, check_platform, shell_place
from .refusals import creation_refusal
from .session import Collecting, Entered, Session, ShellContainer

NAME = "image"
_VIEW = TargetView(mount_point=MOUNT_POINT)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
_CLOSE_SECONDS = 20.0
# After one of these it is not known whether the pod was made.
_PERHAPS_MADE = frozenset({"connection_lost", "timed_out", "server_error", "cancelled"})


@dataclass
class _Image:
    """One image: where it is mounted, what came of looking at it, by what was asked, and the container that
    looked."""

    mounted: MountedImage
    helper: Helper
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: dict[CollectionRequest, Facts | ScanError] = field(default_factory=dict)
    shell: ShellContainer | None = None


class ImageApproach(EnteringApproach):
    """Collects facts by an exec into a helper pod, with the token of a scanner that is allowed nothing
    outside the helpers' namespace. `added` stays empty: nothing of it is left."""

    name = NAME

    def __init__(self, means: Means, options: ImageOptions) -> None:
        super().__init__(means)
        self._options = options
        self._create_lock = threading.Lock()
        # the uid of each helper pod by its number; "" where the answer to its creation was lost
        self._created: dict[int, str] = {}
        self._images = {
            mounted.reference: _Image(mounted, helper)
            for helper in plan_helpers(means.targets)
            for mounted in helper.images
        }

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """The facts of one target; what an image has answered once is not asked again. See Approach."""
        image = self._planned(selected)
        with image.lock:
            if request not in image.found:
                try:
                    image.found[request] = self._facts(selected.target, image, request)
                except ScanError as error:
                    if error.reason == "cancelled":
                        raise
                    image.found[request] = error
            found = image.found[request]
        if isinstance(found, ScanError):
            raise found
        mounts = volume_mounts(selected.pod.object(), selected.target.container)
        return Collected(
            without_volumes(found, request, mounts),
            NAME,
            shell=image.shell,
            is_looked_at=False,
            doubts=volume_doubts(mounts),
        )

    def close(self) -> None:
        """Deletes the helper pods. What cannot be deleted now goes with the access, by the cluster's garbage
        collector."""
        if not self._created:
            return
        with suppress(ScanError):
            # a client of its own: the run's is cancelled when the run is
            client = RestClient(
                self._access.for_helpers(self._options.namespace).connection, patience=_CLOSE_SECONDS
            )
            for number in sorted(self._created):
                with suppress(ScanError):
                    client.delete(self._path(number), {"gracePeriodSeconds": 0})

    def _planned(self, selected: SelectedTarget) -> _Image:
        """:raises ScanError: platform_unsupported, image_unknown"""
        check_platform(selected, NAME)
        image = self._images.get(image_reference(selected.target))
        if image is None:
            raise ScanError(
                "image_unknown",
                "the image is not one of those that helper pods were planned for",
                tried=f"scanning {selected.target.path} by image",
            )
        return image

    @contextmanager
    def _reach(
        self, selected: SelectedTarget, first: Callable[[Session], Result]
    ) -> Iterator[tuple[Session, Result]]:
        mounts = volume_mounts(selected.pod.object(), selected.target.container)

        def hiding(collect: Collecting) -> Collecting:
            return lambda request, is_last: without_volumes(collect(request, is_last), request, mounts)

        with self._open(selected.target, self._planned(selected)) as session:
            session.change_collecting(hiding)
            session.entered = replace(session.entered, doubts=volume_doubts(mounts))
            yield session, first(session)

    def _facts(self, target: Target, image: _Image, request: CollectionRequest) -> Facts:
        """What the image holds, whatever a pod mounts over it."""
        with self._open(target, image) as session:
            return session.collect(request, is_last=True)

    @contextmanager
    def _open(self, target: Target, image: _Image) -> Iterator[Session]:
        namespace, number = self._options.namespace, image.helper.number
        scanner = self._access.for_helpers(namespace)
        deadline = Deadline(self._limits.timeout, self._cancel, f"scanning {target.path} by image")
        with self._place():
            self._create(scanner, image.helper, deadline)
            pod = self._wait_until_started(scanner, image, deadline)
            image.shell = shell_container(pod, image.mounted.container)
            helper = replace(target, namespace=namespace, pod=helper_name(self._access.run_id, number))
            entered = Entered(
                NAME,
                shell_place(helper, image.mounted.container),
                helper.path,
                _VIEW,
                shell=image.shell,
                is_looked_at=False,
            )
            with self._open_session(scanner, entered) as session:
                yield session

    def _create(self, scanner: NamespaceScanner, helper: Helper, deadline: Deadline) -> None:
        with self._create_lock:
            if helper.number in self._created:
                return
            self._created[helper.number] = ""
            pod = helper_pod(
                helper_name(self._access.run_id, helper.number),
                helper,
                self._options,
                labels=helper_labels(self._access.run_id, self._access.expires(self._options.namespace)),
                owner=self._access.helper_owner(self._options.namespace),
                lifetime=self._access.remaining(self._options.namespace),
            )
            try:
                made = scanner.client.create(f"/api/v1/namespaces/{self._options.namespace}/pods", pod)
                self._created[helper.number] = str((made.get("metadata") or {}).get("uid") or "")
            except ScanError as error:
                if error.reason not in _PERHAPS_MADE:
                    del self._created[helper.number]
                raise creation_refusal(error, self._options.namespace) from error
            deadline.check()

    def _wait_until_started(
        self, scanner: NamespaceScanner, image: _Image, deadline: Deadline
    ) -> Mapping[str, Any]:
        """The helper pod when the image's container runs.

        :raises ScanError: foreign_scanner; as wait_until_started
        """

        def read() -> Mapping[str, Any]:
            pod = scanner.client.get(self._path(image.helper.number))
            check_pod(pod, self._options.namespace)
            self._check_own(pod, image, deadline.tried)
            return pod

        return wait_until_started(
            read(),
            lambda pod: _state_of(pod, image.mounted.container),
            read,
            deadline,
            image=self._options.image,
            tried=deadline.tried,
            reason="helper_failed",
            pauses=(_FIRST_PAUSE, _LONGEST_PAUSE),
        )

    def _check_own(self, pod: Mapping[str, Any], image: _Image, tried: str) -> None:
        """Whether this is the helper pod that was made, with the image that it was made with: the rest of a pod
        cannot be changed.

        :raises ScanError: foreign_scanner
        """
        uid, name = pod["metadata"]["uid"], image.mounted.container
        if self._created.get(image.helper.number) not in ("", uid):
            raise ScanError("foreign_scanner", "another pod has taken the helper pod's name", tried=tried)
        runs = shell_container(pod, name).image
        if runs != self._options.image:
            raise ScanError(
                "foreign_scanner",
                f"the helper pod's container {name} has the image {server_text(runs)}",
                tried=tried,
                cause="Somebody or a webhook has changed it.",
            )

    def _path(self, number: int) -> str:
        return f"/api/v1/namespaces/{self._options.namespace}/pods/{helper_name(self._access.run_id, number)}"


def _state_of(pod: Mapping[str, Any], container: str) -> Mapping[str, Any] | None:
    statuses: list[dict[str, Any]] = (pod.get("status") or {}).get("containerStatuses") or []
    return next((status.get("state") or {} for status in statuses if status.get("name") == container), None)


def _missing_option(options: GivenOptions) -> MissingOption | None:
    missing = missing_scanner_image(options)
    if missing or options.image.namespace:
        return missing
    return MissingOption(
        "helper_namespace",
        "a namespace for its helper pods",
        "Create one for scans alone; it may enforce Pod Security's level restricted.",
    )


def _predict_change(selected: SelectedTarget, _options: GivenOptions, _limits: ExecLimits) -> None:
    check_platform(selected, NAME)
    image_reference(selected.target)


KIND = ApproachKind(
    name=NAME,
    # over helper pods, in a namespace of their own
    rights=(ENTER, Right("pods", ("delete", "get")), Right("pods", ("create",), by_name=False)),
    evidence=Evidence(EVIDENCE_IMAGE),
    seconds=3.0,
    goes_on=NOT_ENTERED
    | {
        "foreign_scanner",
        "helper_failed",
        "helper_refused",
        "image_pull_failed",
        "image_unknown",
        "image_volumes_unsupported",
        "target_missing",
    },
    open=lambda means, options: ImageApproach(means, options.image),
    predict_change=_predict_change,
    missing_option=_missing_option,
)
