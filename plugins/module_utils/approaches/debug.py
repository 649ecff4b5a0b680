# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach `debug`: a shell in an ephemeral container beside the target, with its user, and with no
privilege."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from ..access.rights import ENTER, SEE, Right
from ..access.scanner import NamespaceScanner
from ..cluster.rest import Query, RestClient
from ..errors import ScanError
from ..network.deadline import Deadline
from ..results.evidence import EVIDENCE_BESIDE, Doubt, Evidence
from ..targets.identity import Target
from ..targets.own_containers import MOST_SECONDS, held_capabilities
from ..targets.selection import SelectedTarget
from .approach_kind import NOT_ENTERED, ApproachKind, GivenOptions, MissingOption, Unchanged
from .beside_target import identity_of, running_target
from .container_start import start_failure, wait_until_started
from .debug_container import (
    DebugContainer,
    DebugOptions,
    FoundContainer,
    ephemeral_statuses,
    target_view,
)
from .debug_end import NOT_RUNNING, Endings
from .looks import Looks, check_same_container, pod_path, read_same_pod, shell_container
from .pod_entry import (
    EnteringApproach,
    ExecLimits,
    Means,
    Result,
    check_state,
    explained_by_absence,
    retry_while_rbac_spreads,
    shell_place,
)
from .refusals import is_name_taken, patch_refusal
from .session import Entered, Footprint, Session

NAME = "debug"
_PATCH_TYPE = "application/strategic-merge-patch+json"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.04, 0.5
# Before the pod is first read again: a node takes longer than this to start a container, and to say so.
_START_PAUSE = 0.12
# After a patch with one of these it is not known whether the container was added; looking at the pod tells.
_PERHAPS_ADDED = frozenset({"connection_lost", "timed_out", "server_error"})
_MOST_UNCLEAR = 3
# What the end of a container looks like while it is entered.
_ENDED = NOT_RUNNING | {"connection_lost", "collector_failed", "incomplete_reply", "exec_failed"}
# Why a container that was added is ended without having been entered, and so many seconds are waited until it has
# started, to be told.
_END_AFTER = {"cancelled": 3.0, "foreign_scanner": 0.0}
# A container that nobody could end lives this much longer than a scan is allowed to take.
_SPARE_SECONDS = 30
_SAME_CAPABILITIES = Doubt(
    "The target runs as root, and the debug container held the target's capabilities (debug_match_capabilities)."
)


@dataclass(frozen=True)
class _Visit:
    """One target while it is scanned. `added`: names of containers that were added for it, `passed_over`: of
    those that turned out to have ended."""

    scanner: NamespaceScanner
    target: Target
    deadline: Deadline
    added: set[str] = field(default_factory=set)
    passed_over: set[str] = field(default_factory=set)

    def wait_until_started(self, name: str, pod: Mapping[str, Any], image: str) -> Mapping[str, Any]:
        """Waits until the container of that name runs; the pod as it then is."""
        return wait_until_started(
            pod,
            lambda seen: ephemeral_statuses(seen).get(name),
            lambda: read_same_pod(self.scanner, self.target, whole=True),
            self.deadline,
            image=image,
            tried=f"starting the debug container {name}",
            reason="debug_failed",
            pauses=(_START_PAUSE, _LONGEST_PAUSE),
        )


class DebugApproach(EnteringApproach):
    """Collects facts by an exec into an ephemeral container, with the scanner's token only.

    A container that an earlier scan has kept is used again where this one keeps it, too. Any other is told to
    end when the target is done. What nobody can tell ends by itself; what the target does not let end is found out
    when the approach is closed.
    """

    name = NAME

    def __init__(self, means: Means, options: DebugOptions) -> None:
        super().__init__(means)
        self._options = options
        self._endings = Endings(self._count_exec)

    def close(self) -> None:
        """Looks whether what was told to end has ended."""
        if not self._cancel.is_set():
            self.not_ended += self._endings.still_running()

    @contextmanager
    def _reach(
        self, selected: SelectedTarget, first: Callable[[Session], Result]
    ) -> Iterator[tuple[Session, Result]]:
        target = selected.target
        check_state(selected, NAME)
        scanner = self._access.for_target(target, NAME)
        with self._place():
            visit = _Visit(
                scanner,
                target,
                Deadline(self._limits.timeout, self._cancel, f"scanning {target.path} by {NAME}"),
            )
            looks = Looks(scanner, target, visit.deadline)
            has_entered = False
            while not has_entered:
                with explained_by_absence(scanner, target):
                    found, pod = retry_while_rbac_spreads(self._access, target, lambda: self._open(visit))
                try:
                    with self._enter(visit, found, looks.before(pod)) as session:
                        answer = first(session)
                        has_entered = True
                        yield session, answer
                except ScanError as error:
                    if has_entered or error.reason not in (NOT_RUNNING if found.is_own else _ENDED):
                        raise
                    visit.passed_over.add(found.name)  # another run has ended it
                finally:
                    if not found.is_kept:
                        self._endings.tell(scanner, target, _footprint(target, found))
            pod = looks.after(session.entered.shell)
            footprint = _footprint(target, found)
            if not found.is_kept and not self._endings.has_ended(footprint, pod):
                session.entered = replace(session.entered, footprint=replace(footprint, still_runs=True))

    def _open(self, visit: _Visit) -> tuple[FoundContainer, Mapping[str, Any]]:
        """A container that runs beside the target, and the pod as it then is."""
        unclear = 0
        while True:
            visit.deadline.check()
            pod: Mapping[str, Any] = read_same_pod(visit.scanner, visit.target, whole=True)
            # before anything is added to a pod
            check_same_container(pod, visit.target)
            wanted = debug_container(
                pod, visit.target, self._options, self._limits.timeout, self._access.run_id
            )
            found = wanted.find(pod, visit.added, visit.passed_over, visit.deadline.remaining())
            if found is None:
                self._check_waiting(wanted.state_of_waiting(pod), visit)
                entry = wanted.entry(pod, visit.deadline.tried)
                found = FoundContainer(entry["name"], is_own=True, is_kept=self._options.keep_alive > 0)
                visit.added.add(found.name)
                try:
                    add_ephemeral_container(visit.scanner.client, visit.target, entry)
                except ScanError as error:
                    unclear += error.reason in _PERHAPS_ADDED
                    if error.reason not in _PERHAPS_ADDED:
                        visit.added.discard(found.name)
                    if not is_name_taken(error) and (
                        error.reason not in _PERHAPS_ADDED or unclear == _MOST_UNCLEAR
                    ):
                        raise patch_refusal(error, entry["name"]) from error
                    visit.deadline.sleep(_LONGEST_PAUSE if unclear else _FIRST_PAUSE)
                    continue
            self._note(visit.target, found)
            try:
                pod = visit.wait_until_started(found.name, pod, self._options.image)
                wanted.check_unchanged(pod, found.name, visit.deadline.tried)
                return found, pod
            except ScanError as error:
                if found.is_own and error.reason in _END_AFTER:
                    footprint, patience = _footprint(visit.target, found), _END_AFTER[error.reason]
                    self._endings.tell(visit.scanner, visit.target, footprint, patience)
                if found.is_own or error.reason != "debug_failed":
                    raise
                visit.passed_over.add(found.name)

    def _check_waiting(self, state: Mapping[str, Any] | None, visit: _Visit) -> None:
        """:param state: of a container that was added before
        :raises ScanError: image_pull_failed, where it waits for the image in vain
        """
        failure = start_failure(state, self._options.image, visit.deadline.tried, "debug_failed")
        if failure is not None and failure.reason == "image_pull_failed":
            raise failure

    def _enter(self, visit: _Visit, found: FoundContainer, pod: Mapping[str, Any]) -> Session:
        target = visit.target
        entered = Entered(
            NAME,
            shell_place(target, found.name),
            target.path,
            target_view(pod, target, self._options.headroom),
            _footprint(target, found),
            shell_container(pod, found.name),
            doubts=_doubts(pod, target, self._options, visit.deadline.tried),
        )
        return self._open_session(
            visit.scanner,
            entered,
            explained=lambda: explained_by_absence(visit.scanner, target),
            timeout=visit.deadline.remaining(),
        )

    def _note(self, target: Target, found: FoundContainer) -> None:
        footprint = _footprint(target, found)
        with self._lock:
            if found.is_own and footprint not in self.added:
                self.added.append(footprint)


def add_ephemeral_container(
    client: RestClient, target: Target, entry: Mapping[str, Any], query: Query | None = None
) -> None:
    """Adds an ephemeral container to the target's pod; `query` as of the request, such as for a dry run."""
    # the uid: a pod of the same name may have come meanwhile, and must not get it
    patch = {"metadata": {"uid": target.pod_uid}, "spec": {"ephemeralContainers": [entry]}}
    client.patch(pod_path(target) + "/ephemeralcontainers", patch, _PATCH_TYPE, query)


def debug_container(
    pod: Mapping[str, Any], target: Target, options: DebugOptions, timeout: float, run_id: str
) -> DebugContainer:
    """What has to run beside the target for a scan of `timeout` seconds; raises as DebugContainer."""
    lifetime = min(MOST_SECONDS, max(options.keep_alive, math.ceil(timeout) + _SPARE_SECONDS))
    return DebugContainer(pod, target, options, run_id=run_id, lifetime=lifetime)


def _doubts(pod: Mapping[str, Any], target: Target, options: DebugOptions, tried: str) -> tuple[Doubt, ...]:
    view = running_target(pod, target, tried)
    uid, _gid = identity_of(pod, view, tried)
    if options.match_capabilities and held_capabilities(view.spec, uid) is not None:
        return (_SAME_CAPABILITIES,)
    return ()


def _footprint(target: Target, found: FoundContainer) -> Footprint:
    return Footprint(target.namespace, target.pod, found.name, found.is_own)


def missing_scanner_image(options: GivenOptions) -> MissingOption | None:
    """What a container that a scan adds cannot be without."""
    if options.debug.image:
        return None
    return MissingOption(
        "scanner_image",
        "an image for its container",
        "Name any image with a POSIX shell and sleep that the clusters' nodes can pull, or have.",
    )


def _check_options(options: GivenOptions) -> None:
    if not 0 <= options.debug.keep_alive <= MOST_SECONDS:
        raise ScanError(
            "bad_option",
            f"debug_keep_alive is {options.debug.keep_alive} s; it must be between 0 and {MOST_SECONDS} s",
            tried="reading the option debug_keep_alive",
        )


def _predict_change(
    selected: SelectedTarget, options: GivenOptions, limits: ExecLimits
) -> Mapping[str, Any] | None:
    check_state(selected, NAME)
    pod, tried = selected.pod.object(), f"scanning {selected.target.path} by {NAME}"
    wanted = debug_container(pod, selected.target, options.debug, limits.timeout, "")
    return None if wanted.find(pod, frozenset(), frozenset(), limits.timeout) else wanted.entry(pod, tried)


KIND = ApproachKind(
    name=NAME,
    # An ephemeral container is added by a patch; `update`, which would do as well, is not needed.
    rights=(ENTER, SEE, Right("pods/ephemeralcontainers", ("patch",))),
    evidence=Evidence(EVIDENCE_BESIDE),
    seconds=3.0,
    goes_on=NOT_ENTERED
    | {
        "debug_failed",
        "debug_refused",
        "debug_unsupported",
        "foreign_scanner",
        "identity_unknown",
        "image_pull_failed",
        "memory_short",
        "pod_violates_policy",
        "target_missing",
        "target_privileged",
        "target_unreadable",
    },
    open=lambda means, options: DebugApproach(means, options.debug),
    predict_change=_predict_change,
    unchanged=Unchanged("a debug container that is there already serves the scan"),
    missing_option=missing_scanner_image,
    check_options=_check_options,
)
