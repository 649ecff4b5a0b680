# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ephemeral container of the approach `debug`: what is put into a pod, and which one that is there serves as well.

The kernel lets a process look at another's /proc/PID/root when it has the same user and group and holds at least the
capabilities that the other holds (ptrace(2), "Ptrace access mode checking"). So the container runs as the target's own
user and group, and one without capabilities suffices for every target that holds none.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import AbstractSet, Any, Dict, List, Mapping, Optional, Tuple

from ..collector.view import TargetView
from ..errors import ScanError
from ..targets.identity import Target
from ..targets.pod import ContainerView, container_state, containers_of, mirrored_node
from ..targets.pod_memory import memory_limit

PREFIX = "securescan-"
# Waits until its time is over or it is told to end. Its arguments: seconds, what is to become of it when a target is done
# (_END or _KEEP), and the run that has added it.
IDLE = ("sh", "-c", "trap 'exit 0' TERM; sleep \"$1\" & wait $!", "securescan")
_END, _KEEP = "end", "keep"
# An entry stays until its pod is replaced, and an object of Kubernetes may not be larger than 1.5 MiB.
_MOST_ENTRIES = 100
_STARTED = "%Y-%m-%dT%H:%M:%SZ"

# Ends the container in which it runs, unless somebody else is at work in it. Processes of one container share their
# cgroups; the target's are never touched, though they are in sight. Those that the runtime started, rather than another
# process of the container, are the one that idles and whoever was let in by an exec; of these, the ones that run this
# very script do not count, for they are at its end, too.
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
    """`image` holds a POSIX shell and sleep. `keep_alive`: seconds that the container stays for later scans, 0 to end
    it when its target is done. `match_capabilities`: it gets the capabilities that the target's own spec says.
    `headroom`: bytes of the pod's memory that must be left before a scan begins, 0 not to look."""

    image: str
    pull_policy: str = "IfNotPresent"
    keep_alive: int = 0
    match_capabilities: bool = False
    headroom: int = 0


@dataclass(frozen=True)
class FoundContainer:
    """An ephemeral container of ours in a pod. `is_own`: this run has added it. `is_kept`: it stays for later scans, and
    must not be ended when its target is done."""

    name: str
    is_own: bool
    is_kept: bool


class DebugContainer:
    """What has to run beside one target, worked out from its pod."""

    def __init__(self, pod: Mapping[str, Any], target: Target, options: DebugOptions, *, run_id: str,
                 lifetime: int) -> None:
        """
        :param pod: the v1 Pod as it is now
        :param lifetime: seconds until it ends by itself
        :raises ScanError: container_not_running, platform_unsupported, identity_unknown, target_privileged
        """
        self._run_id = run_id
        self._lifetime = lifetime
        self._keeping = _KEEP if options.keep_alive else _END
        tried = "scanning %s by debug" % target.path
        view = _target_of(pod, target, tried)
        security = _security_context(pod, view, options, tried)
        self._spec: Dict[str, Any] = {
            "image": options.image, "imagePullPolicy": options.pull_policy, "targetContainerName": target.container,
            "command": list(IDLE), "securityContext": security}
        identity = json.dumps([target.container, options.image, security], sort_keys=True)
        self._base = PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:10]

    def find(self, pod: Mapping[str, Any], passed_over: AbstractSet[str], needed: float) -> Optional[FoundContainer]:
        """A container of this kind in the pod that lives, or is about to, for at least `needed` seconds from now."""
        statuses = ephemeral_statuses(pod)
        for entry in pod["spec"].get("ephemeralContainers") or []:
            name, command = entry["name"], entry.get("command") or []
            if name not in passed_over and self._is_alike(entry) and _is_alive(statuses.get(name), command[-3], needed):
                return FoundContainer(name, command[-1] == self._run_id, command[-2] == _KEEP)
        return None

    def entry(self, pod: Mapping[str, Any], tried: str) -> Dict[str, Any]:
        """The v1 EphemeralContainer to add to the pod. Two runs that see the same pod choose the same name, so that
        only one of them can add it.

        :raises ScanError: debug_refused, where the pod holds too many already
        """
        names = {entry["name"] for entry in pod["spec"].get("ephemeralContainers") or []}
        if sum(name.startswith(PREFIX) for name in names) >= _MOST_ENTRIES:
            raise ScanError("debug_refused", "the pod has %d entries of ended debug containers" % _MOST_ENTRIES,
                            tried=tried, cause="Each debug container leaves an entry in its pod until that is replaced.",
                            advice="Replace the pod (kubectl rollout restart), and keep debug containers alive from one "
                                   "scan to the next (debug_keep_alive).")
        number = 1
        while "%s-%d" % (self._base, number) in names:
            number += 1
        return dict(self._spec, name="%s-%d" % (self._base, number),
                    command=[*IDLE, str(self._lifetime), self._keeping, self._run_id])

    def _is_alike(self, entry: Mapping[str, Any]) -> bool:
        security, command = entry.get("securityContext") or {}, entry.get("command") or []
        wanted: Mapping[str, Any] = self._spec["securityContext"]
        return (entry["name"].startswith(self._base + "-") and tuple(command[:-3]) == IDLE
                and all(entry.get(key) == self._spec[key] for key in ("image", "targetContainerName"))
                and {key: security.get(key) for key in wanted} == wanted)


def view_of(pod: Mapping[str, Any], target: Target, headroom: int = 0) -> TargetView:
    """How a shell beside the target finds it: by the id of the container that runs now.

    :param headroom: as of DebugOptions
    """
    tried = "scanning %s by debug" % target.path
    container_id = str(_target_of(pod, target, tried).status.get("containerID") or "").rpartition("//")[2]
    try:
        limit = memory_limit(pod) if headroom else 0
        return TargetView(container_id=container_id or "none", memory_limit=limit, headroom=headroom if limit else 0)
    except ValueError as error:
        raise ScanError("platform_unsupported", "the container's id: %s" % error, tried=tried) from None


def ephemeral_statuses(pod: Mapping[str, Any]) -> Dict[str, Mapping[str, Any]]:
    """The states of the pod's ephemeral containers by name: {running | waiting | terminated: detail}."""
    return {status["name"]: status.get("state") or {}
            for status in (pod.get("status") or {}).get("ephemeralContainerStatuses") or []}


def _target_of(pod: Mapping[str, Any], target: Target, tried: str) -> ContainerView:
    """The target in its pod, as it is now."""
    if mirrored_node(pod):
        raise ScanError("platform_unsupported", "it is a static pod, which takes no ephemeral containers", tried=tried,
                        advice="Scan it by exec if it has a shell.")
    if target.container_kind == "ephemeral":
        raise ScanError("platform_unsupported", "it is an ephemeral container, which no other can look at", tried=tried,
                        advice="Scan it by exec if it has a shell.")
    view = next((view for view in containers_of(pod) if view.name == target.container), None)
    if view is None:
        raise ScanError("container_not_running", "the pod has no such container any more", tried=tried)
    state, reason = container_state(pod, view)
    if state != "running":
        raise ScanError("container_not_running", "the container is %s%s" % (state, " (%s)" % reason if reason else ""),
                        tried=tried)
    return view


def _security_context(pod: Mapping[str, Any], view: ContainerView, options: DebugOptions, tried: str) -> Dict[str, Any]:
    """As narrow as Pod Security's level restricted asks, with the target's own user and group.

    Supplementary groups are the pod's (its securityContext), as for every container in it.
    """
    uid, gid = _identity(pod, view, tried)
    capabilities: Dict[str, Any] = {"drop": ["ALL"]}
    if uid == 0:
        # other users lose theirs when their program starts, whatever the spec adds
        held = _capabilities(view)
        if held is not None:
            if not options.match_capabilities or view.spec.get("securityContext", {}).get("privileged"):
                raise _privileged(view, held, tried)
            capabilities = held
    context = {"runAsUser": uid, "runAsGroup": gid, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
               "capabilities": capabilities, "seccompProfile": {"type": "RuntimeDefault"}}
    return dict(context, runAsNonRoot=True) if uid else context


def _identity(pod: Mapping[str, Any], view: ContainerView, tried: str) -> Tuple[int, int]:
    """User and group of the target's first process: as the node reports them, else as the spec sets them both."""
    reported = (view.status.get("user") or {}).get("linux") or {}
    contexts: List[Mapping[str, Any]] = [view.spec.get("securityContext") or {},
                                         pod["spec"].get("securityContext") or {}]

    def known(in_status: str, in_spec: str) -> Optional[int]:
        values = [reported.get(in_status), *(context.get(in_spec) for context in contexts)]
        return next((value for value in values if isinstance(value, int)), None)

    uid, gid = known("uid", "runAsUser"), known("gid", "runAsGroup")
    if uid is None or gid is None:
        raise ScanError("identity_unknown", "the node does not report the container's %s, and the pod does not set it"
                        % ("user" if uid is None else "group"), tried=tried)
    return uid, gid


def _capabilities(view: ContainerView) -> Optional[Dict[str, Any]]:
    """The capabilities of a root container as its spec has them; None where it holds none."""
    context = view.spec.get("securityContext") or {}
    capabilities: Dict[str, Any] = context.get("capabilities") or {}
    dropped = {str(name).upper() for name in capabilities.get("drop") or []}
    if "ALL" in dropped and not capabilities.get("add") and not context.get("privileged"):
        return None
    return {key: list(capabilities[key]) for key in ("add", "drop") if capabilities.get(key)}


def _privileged(view: ContainerView, held: Mapping[str, Any], tried: str) -> ScanError:
    if (view.spec.get("securityContext") or {}).get("privileged"):
        return ScanError("target_privileged", "it is privileged", tried=tried,
                         advice="Scan it by exec if it has a shell; a debug container is never privileged.")
    added = ", ".join(held.get("add") or [])
    return ScanError("target_privileged", "it runs as root with %s"
                     % ("added capabilities (%s)" % added if added else "the runtime's default capabilities"), tried=tried)


def _is_alive(state: Optional[Mapping[str, Any]], lifetime: str, needed: float) -> bool:
    if state and "terminated" in state:
        return False
    if not state or "running" not in state:
        return True  # it is about to start
    try:
        started = datetime.strptime(state["running"]["startedAt"], _STARTED).replace(tzinfo=timezone.utc)
        return started.timestamp() + int(lifetime) - datetime.now(timezone.utc).timestamp() > needed
    except (KeyError, TypeError, ValueError):
        return False
