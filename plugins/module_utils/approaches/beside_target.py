# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shell beside a target must be like to look at it: the target's own user and group, and its
capabilities.

The kernel lets a process look at another's /proc/PID/root when it has the same user and group and holds at
least the capabilities that the other holds (ptrace(2), "Ptrace access mode checking"). So one without
capabilities suffices for every target that holds none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..collector.view import TargetView
from ..errors import ScanError
from ..targets.identity import Target
from ..targets.pod import ContainerView, container_state, containers_of


def running_target(pod: Mapping[str, Any], target: Target, tried: str) -> ContainerView:
    """The target in its pod, as it is now.

    :raises ScanError: container_not_running
    """
    view = next((view for view in containers_of(pod) if view.name == target.container), None)
    if view is None:
        raise ScanError("container_not_running", "the pod has no such container any more", tried=tried)
    state, reason = container_state(pod, view)
    if state != "running":
        raise ScanError(
            "container_not_running",
            "the container is {}{}".format(state, f" ({reason})" if reason else ""),
            tried=tried,
        )
    return view


def view_of(view: ContainerView, tried: str) -> TargetView:
    """How a shell beside the target finds it: by the id of the container that runs now, and what is mounted there.

    :raises ScanError: platform_unsupported
    """
    container_id = str(view.status.get("containerID") or "").rpartition("//")[2]
    try:
        return TargetView(container_id=container_id or "none", mount_paths=mount_paths(view.spec))
    except ValueError as error:
        raise ScanError("platform_unsupported", f"the container's id: {error}", tried=tried) from None


def view_from_inside(pod: Mapping[str, Any], target: Target) -> TargetView:
    """How a shell in the target sees it."""
    specs = [view.spec for view in containers_of(pod) if view.name == target.container]
    return TargetView(mount_paths=mount_paths(*specs))


def mount_paths(*specs: Mapping[str, Any]) -> tuple[str, ...]:
    """Where containers have something mounted by their spec: volumes, and the file of their last words."""
    return tuple(
        str(path)
        for spec in specs
        for path in (
            *(mount.get("mountPath") for mount in spec.get("volumeMounts") or []),
            spec.get("terminationMessagePath"),
        )
        if path
    )


def identity_of(pod: Mapping[str, Any], view: ContainerView, tried: str) -> tuple[int, int]:
    """User and group of the target's first process: as the node reports them, else as the spec sets them
    both.

    :raises ScanError: identity_unknown
    """
    reported = (view.status.get("user") or {}).get("linux") or {}
    set_uid, set_gid = identity_in_spec(pod["spec"], view.spec)
    uid, gid = _first_number(reported.get("uid"), set_uid), _first_number(reported.get("gid"), set_gid)
    if uid is None or gid is None:
        raise ScanError(
            "identity_unknown",
            "the node does not report the container's %s, and the pod does not set it"
            % ("user" if uid is None else "group"),
            tried=tried,
        )
    return uid, gid


def identity_in_spec(pod_spec: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """User and group as the container's own security context sets them, else as the pod's does; None where
    neither does."""
    contexts: list[Mapping[str, Any]] = [
        spec.get("securityContext") or {},
        pod_spec.get("securityContext") or {},
    ]
    return (
        _first_number(*(context.get("runAsUser") for context in contexts)),
        _first_number(*(context.get("runAsGroup") for context in contexts)),
    )


def privileged_target(spec: Mapping[str, Any], held: Mapping[str, Any], tried: str, what: str) -> ScanError:
    """target_privileged for a container that holds capabilities.

    :param what: the container that would have to look at it, such as "a debug container"
    """
    if (spec.get("securityContext") or {}).get("privileged"):
        return ScanError(
            "target_privileged",
            "it is privileged",
            tried=tried,
            advice=f"Scan it by exec if it has a shell; {what} is never privileged.",
        )
    added = ", ".join(held.get("add") or [])
    return ScanError(
        "target_privileged",
        "it runs as root with %s"
        % (f"added capabilities ({added})" if added else "the runtime's default capabilities"),
        tried=tried,
    )


def _first_number(*values: Any) -> int | None:
    return next((value for value in values if isinstance(value, int)), None)
