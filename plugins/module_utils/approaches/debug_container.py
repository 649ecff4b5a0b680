# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ephemeral container of the approach `debug`: what is put into a pod, and which one that is there serves
as well."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ..collector.view import TargetView
from ..errors import ScanError
from ..targets.identity import Target
from ..targets.own_containers import IDLE, PREFIX
from ..targets.pod import ContainerView, mirrored_node
from ..targets.quantities import memory_limit
from ..times import parse_api_time
from .beside_target import (
    NO_CAPABILITIES,
    held_capabilities,
    identity_of,
    privileged_target,
    running_target,
    security_context,
    view_of,
)

# The last arguments of the command, after its seconds: what is to become of it when a target is done, and the
# run that has added it.
_END, _KEEP = "end", "keep"
# An entry stays until its pod is replaced, and an object of Kubernetes holds at most 1.5 MiB.
_MOST_ENTRIES = 100

# Ends the container in which it runs, unless somebody else is at work in it. Processes of one container share
# their cgroups; the target's are never touched, though they are in sight. Those that the runtime started,
# rather than another process of the container, are the one that idles and whoever was let in by an exec; of
# these, the ones that run this very script do not count, for they are at its end, too.
END_SHELL = ("sh", "-s", "securescan-end")
END_SCRIPT = b"""\
cgroup() { c=; while read -r l; do c="$c$l "; done; }
cgroup </proc/$$/cgroup; own=$c; all=' '; roots=
for p in /proc/[0-9]*; do
c=; cgroup <$p/cgroup
[ "$c" = "$own" ] && all="$all${p#/proc/} "
done 2>/dev/null
for p in $all; do
parent=; while read -r k v l; do [ "$k" = PPid: ] && parent=$v; done </proc/$p/status
l=; read -r l </proc/$p/cmdline
case $l in *securescan-end*) continue ;; esac
[ -n "$parent" ] && [ $p != $$ ] && case $all in *" $parent "*) ;; *) roots="$roots $p" ;; esac
done 2>/dev/null
set -- $roots
[ $# = 1 ] && kill -TERM $1
exit
"""


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
        self._run_id = run_id
        self._lifetime = lifetime
        self._keeping = _KEEP if options.keep_alive else _END
        tried = f"scanning {target.path} by debug"
        view = _target_of(pod, target, tried)
        security = _security_context(pod, view, options, tried)
        self._spec: dict[str, Any] = {
            "image": options.image,
            "imagePullPolicy": options.pull_policy,
            "targetContainerName": target.container,
            "command": list(IDLE),
            "securityContext": security,
        }
        identity = json.dumps([target.container, options.image, security], sort_keys=True)
        self._base = PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:10]

    def find(
        self, pod: Mapping[str, Any], passed_over: AbstractSet[str], needed: float
    ) -> FoundContainer | None:
        """A container of this kind in the pod that lives, or is about to, for at least `needed` seconds from
        now."""
        statuses = ephemeral_statuses(pod)
        for entry in pod["spec"].get("ephemeralContainers") or []:
            name, command = entry["name"], entry.get("command") or []
            if (
                name not in passed_over
                and self._is_alike(entry)
                and _is_alive(statuses.get(name), command[-3], needed)
            ):
                return FoundContainer(name, command[-1] == self._run_id, command[-2] == _KEEP)
        return None

    def entry(self, pod: Mapping[str, Any], tried: str) -> dict[str, Any]:
        """The v1 EphemeralContainer to add to the pod. Two runs that see the same pod choose the same name,
        so that only one of them can add it.

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
        number = 1
        while f"{self._base}-{number}" in names:
            number += 1
        return dict(
            self._spec,
            name=f"{self._base}-{number}",
            command=[*IDLE, str(self._lifetime), self._keeping, self._run_id],
        )

    def _is_alike(self, entry: Mapping[str, Any]) -> bool:
        security, command = entry.get("securityContext") or {}, entry.get("command") or []
        wanted: Mapping[str, Any] = self._spec["securityContext"]
        return (
            entry["name"].startswith(self._base + "-")
            and tuple(command[:-3]) == IDLE
            and all(entry.get(key) == self._spec[key] for key in ("image", "targetContainerName"))
            and {key: security.get(key) for key in wanted} == wanted
        )


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
