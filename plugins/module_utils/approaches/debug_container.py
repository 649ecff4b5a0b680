# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ephemeral container of the approach `debug`: what is put into a pod, and which one that is there serves
as well."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ..collector.view import TargetView
from ..errors import ScanError
from ..targets.identity import Target
from ..targets.own_containers import (
    END,
    IDLE,
    KEEP,
    NO_CAPABILITIES,
    PREFIX,
    foreign_field,
    held_capabilities,
    is_debug_command,
    security_context,
)
from ..targets.pod import ContainerView, mirrored_node
from ..targets.quantities import memory_limit
from ..times import parse_api_time
from .beside_target import identity_of, privileged_target, running_target, view_of

# An entry stays until its pod is replaced, and an object of Kubernetes holds at most 1.5 MiB.
_MOST_ENTRIES = 100


@dataclass(frozen=True)
class DebugOptions:
    """`image` holds a POSIX shell and sleep. `keep_alive`: seconds that the container stays for later scans,
    0 to end it when its target is done. `match_capabilities`: it gets the capabilities that the target's own
    spec says. `headroom`: bytes of the pod's memory that must be left before a scan begins, 0 not to look."""

    image: str
    pull_policy: str = "IfNotPresent"
    keep_alive: int = 0
    match_capabilities: bool = False
    headroom: int = 0


@dataclass(frozen=True)
class FoundContainer:
    """An ephemeral container of ours in a pod. `is_own`: this run has added it. `is_kept`: it stays for later
    scans, and must not be ended when its target is done."""

    name: str
    is_own: bool
    is_kept: bool


class DebugContainer:
    """What has to run beside one target, worked out from its pod."""

    def __init__(
        self, pod: Mapping[str, Any], target: Target, options: DebugOptions, *, run_id: str, lifetime: int
    ) -> None:
        """
        :param pod: the v1 Pod as it is now
        :param lifetime: seconds until it ends by itself
        :raises ScanError: container_not_running, platform_unsupported, identity_unknown, target_privileged
        """
        self._is_kept = options.keep_alive > 0
        tried = f"scanning {target.path} by debug"
        view = _target_of(pod, target, tried)
        security = _security_context(pod, view, options, tried)
        self._command = [*IDLE, str(lifetime), KEEP if self._is_kept else END, run_id]
        self._spec: dict[str, Any] = {
            "image": options.image,
            "imagePullPolicy": options.pull_policy,
            "targetContainerName": target.container,
            "securityContext": security,
        }
        identity = json.dumps([target.container, options.image, security], sort_keys=True)
        self._base = PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:10]

    def find(
        self,
        pod: Mapping[str, Any],
        added: AbstractSet[str],
        passed_over: AbstractSet[str],
        needed: float,
    ) -> FoundContainer | None:
        """A container of this kind in the pod that lives, or is about to, for at least `needed` seconds from
        now: one that this run has added, or where it is to be kept one that is as this run would add it.

        :param added: the names of those that this run has added
        """
        statuses = ephemeral_statuses(pod)
        for entry in pod["spec"].get("ephemeralContainers") or []:
            name = entry["name"]
            if (
                name not in passed_over
                and (name in added or self._is_kept)
                and self._is_alike(entry)
                and _is_alive(statuses.get(name), entry["command"][-3], needed)
            ):
                return FoundContainer(name, name in added, self._is_kept)
        return None

    def state_of_waiting(self, pod: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The state of an entry that is as this run would add it, and waits to be started: where it waits for
        an image that cannot be had, another one would wait as well, and leave one entry more."""
        statuses = ephemeral_statuses(pod)
        for entry in pod["spec"].get("ephemeralContainers") or []:
            state = statuses.get(entry["name"]) or {}
            is_same = entry.get("imagePullPolicy") == self._spec["imagePullPolicy"] and self._is_alike(entry)
            if "waiting" in state and is_same:
                return state
        return None

    def entry(self, pod: Mapping[str, Any], tried: str) -> dict[str, Any]:
        """The v1 EphemeralContainer to add to the pod.

        The name of one that is not kept cannot be guessed, so that where the answer to its addition was lost, an
        entry of that name is the one that was added. Two runs that keep theirs and see the same pod choose
        the same name, so that only one of them can add it.

        :raises ScanError: debug_refused, where the pod holds too many already
        """
        names = {entry["name"] for entry in pod["spec"].get("ephemeralContainers") or []}
        if sum(name.startswith(PREFIX) for name in names) >= _MOST_ENTRIES:
            raise ScanError(
                "debug_refused",
                f"the pod has {_MOST_ENTRIES} entries of ended debug containers",
                tried=tried,
                cause="Each debug container leaves an entry in its pod until that is replaced.",
                advice="Replace the pod (kubectl rollout restart), and keep debug containers alive from one "
                "scan to the next (debug_keep_alive).",
            )
        if self._is_kept:
            number = 1
            while f"{self._base}-{number}" in names:
                number += 1
            name = f"{self._base}-{number}"
        else:
            name = f"{self._base}-{secrets.token_hex(8)}"
        return dict(self._spec, name=name, command=list(self._command))

    def check_unchanged(self, pod: Mapping[str, Any], name: str, tried: str) -> None:
        """Whether an entry in the pod is as it was added, or would be.

        :raises ScanError: foreign_scanner
        """
        entries: list[dict[str, Any]] = pod["spec"].get("ephemeralContainers") or []
        entry = next((one for one in entries if one["name"] == name), {})
        field = self._foreign_field(entry)
        if field:
            raise ScanError(
                "foreign_scanner",
                f"the {field} of the debug container {name} is not what a scan makes",
                tried=tried,
                cause="A webhook of the cluster changes the containers that are added to pods.",
            )

    def _is_alike(self, entry: Mapping[str, Any]) -> bool:
        return bool(entry["name"].startswith(self._base + "-")) and not self._foreign_field(entry)

    def _foreign_field(self, entry: Mapping[str, Any]) -> str:
        command = entry.get("command")
        if not is_debug_command(command) or entry["command"][-2] != self._command[-2]:
            return "command"
        return foreign_field(entry, dict(self._spec, name=entry.get("name"), command=command))


def target_view(pod: Mapping[str, Any], target: Target, headroom: int = 0) -> TargetView:
    """How a shell beside the target finds it; raises as DebugContainer.

    :param headroom: as of DebugOptions
    """
    tried = f"scanning {target.path} by debug"
    limit = memory_limit(pod) if headroom else 0
    return replace(
        view_of(_target_of(pod, target, tried), tried), memory_limit=limit, headroom=headroom if limit else 0
    )


def ephemeral_statuses(pod: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The states of the pod's ephemeral containers by name: {running | waiting | terminated: detail}."""
    return {
        status["name"]: status.get("state") or {}
        for status in (pod.get("status") or {}).get("ephemeralContainerStatuses") or []
    }


def _target_of(pod: Mapping[str, Any], target: Target, tried: str) -> ContainerView:
    """The target in its pod, as it is now."""
    if mirrored_node(pod):
        raise ScanError(
            "platform_unsupported",
            "it is a static pod, which takes no ephemeral containers",
            tried=tried,
            advice="Scan it by exec if it has a shell.",
        )
    if target.container_kind == "ephemeral":
        raise ScanError(
            "platform_unsupported",
            "it is an ephemeral container, which no other can look at",
            tried=tried,
            advice="Scan it by exec if it has a shell.",
        )
    return running_target(pod, target, tried)


def _security_context(
    pod: Mapping[str, Any], view: ContainerView, options: DebugOptions, tried: str
) -> dict[str, Any]:
    """With the target's own user and group, and its capabilities where that is asked for."""
    uid, gid = identity_of(pod, view, tried)
    held = held_capabilities(view.spec, uid)
    if held is not None and (
        not options.match_capabilities or (view.spec.get("securityContext") or {}).get("privileged")
    ):
        raise privileged_target(view.spec, held, tried, "a debug container")
    return security_context(uid, gid, NO_CAPABILITIES if held is None else held)


def _is_alive(state: Mapping[str, Any] | None, lifetime: str, needed: float) -> bool:
    if state and "terminated" in state:
        return False
    if not state or "running" not in state:
        return True  # it is about to start
    try:
        started = parse_api_time(state["running"]["startedAt"])
        return started.timestamp() + int(lifetime) - datetime.now(timezone.utc).timestamp() > needed
    except (KeyError, TypeError, ValueError):
        return False
