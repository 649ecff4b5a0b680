# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers that scans, or operators for scans, add to pods: what they are made of, and which containers of a
pod are exactly that.

Whoever makes pods can copy a name and a command. So a container is ours only where its whole entry is what we make.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .pod import ContainerView

PREFIX = "securescan-"
# Waits for some seconds (its first argument), or until it gets SIGTERM.
IDLE = ("sh", "-c", "trap 'exit 0' TERM; sleep \"$1\" & wait $!", "securescan")
NO_CAPABILITIES: Mapping[str, Any] = {"drop": ["ALL"]}
# The longest time for which a debug container waits, in seconds; the guard allows no longer one.
MOST_SECONDS = 86400
# The last arguments of a debug container's command, after its seconds: what is to become of it when its target is
# done, and the run that has added it.
END, KEEP = "end", "keep"

# Seconds that a sidecar waits: as long as its pod lives. Every `sleep` takes this number (31 bits, 68 years).
_FOREVER = "2147483647"
# What an API server writes into a container for what its maker left out (core/v1 defaults.go).
_DEFAULTS: Mapping[str, Any] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
# Of no weight for what runs: when the image is pulled, how much a container is given, and how that is changed.
_FREE = frozenset({"imagePullPolicy", "resizePolicy"})
_AMOUNTS = frozenset({"limits", "requests"})
# What the admission of ServiceAccounts adds to each container of a pod.
_TOKEN_MOUNT: Mapping[str, Any] = {
    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    "readOnly": True,
}
TOKEN_VOLUME = "kube-api-access-"  # noqa: S105 - the start of a volume's name; its end is random
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")


def security_context(uid: int, gid: int, capabilities: Mapping[str, Any]) -> dict[str, Any]:
    """As narrow as Pod Security's level restricted asks. Supplementary groups are the pod's (its
    securityContext), as for every container in it."""
    context = {
        "runAsUser": uid,
        "runAsGroup": gid,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": dict(capabilities),
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return dict(context, runAsNonRoot=True) if uid else context


def held_capabilities(spec: Mapping[str, Any], uid: int) -> dict[str, Any] | None:
    """The capabilities of a container of that user, as its spec has them; None where it holds none: users
    that are not root lose theirs when their program starts, whatever the spec adds."""
    context = spec.get("securityContext") or {}
    capabilities: dict[str, Any] = context.get("capabilities") or {}
    dropped = {str(name).upper() for name in capabilities.get("drop") or []}
    if uid != 0 or ("ALL" in dropped and not capabilities.get("add") and not context.get("privileged")):
        return None
    return {key: list(capabilities[key]) for key in ("add", "drop") if capabilities.get(key)}


def sidecar_container(uid: int, gid: int, image: str) -> dict[str, Any]:
    """The v1 Container of a sidecar, without what its maker is free to choose: in Kubernetes a sidecar is an
    init container that is always restarted and ends with its pod."""
    return {
        "name": f"{PREFIX}sidecar-{uid}-{gid}",
        "image": image,
        "command": [*IDLE, _FOREVER],
        "restartPolicy": "Always",
        "securityContext": security_context(uid, gid, NO_CAPABILITIES),
    }


def looks_like_sidecar(kind: str, spec: Mapping[str, Any]) -> bool:
    """Whether a container has the name and the command of a sidecar that `scan_sidecar` made. Anybody can
    give a container both: see `foreign_in_sidecar`.

    :param kind: container, init or ephemeral
    :param spec: a v1 Container
    """
    return (
        kind == "init"
        and spec.get("restartPolicy") == "Always"
        and str(spec.get("name", "")).startswith(PREFIX)
        and tuple((spec.get("command") or [])[: len(IDLE)]) == IDLE
    )


def alleged_sidecars(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers of a v1 PodSpec that look like sidecars for scans."""
    return [
        container for container in spec.get("initContainers") or [] if looks_like_sidecar("init", container)
    ]


def foreign_in_sidecar(view: ContainerView, image: str) -> str:
    """What is not as `scan_sidecar` makes it in a container that looks like a sidecar: the name of a field;
    "" where all of it is, and it runs `image`.

    :param image: the scanner image
    """
    identity = _identity_in(view.spec.get("securityContext"))
    if identity is None:
        return "securityContext"
    return foreign_field(_without_token(view.spec), sidecar_container(*identity, image)) or (
        "" if _is_image(view.status, image) else "imageID"
    )


def is_our_sidecar(view: ContainerView, image: str) -> bool:
    """Whether a container is proven to be a sidecar for scans. Without a scanner image nothing is.

    :param image: the scanner image, "" where it is not known
    """
    return bool(image) and looks_like_sidecar(view.kind, view.spec) and not foreign_in_sidecar(view, image)


def is_debug_entry(entry: Mapping[str, Any], pod_spec: Mapping[str, Any], image: str = "") -> bool:
    """Whether a v1 EphemeralContainer is what scans by debug add: all of it. It has no capabilities, or those that
    its target has as root and that `match_capabilities` gives it.

    :param pod_spec: the v1 PodSpec that holds it
    :param image: the scanner image, "" where it is not known: then each is possible
    """
    identity = _identity_in(entry.get("securityContext"))
    if identity is None or not is_debug_command(entry.get("command")):
        return False
    made = {
        **{key: entry.get(key) for key in ("name", "targetContainerName", "command")},
        "image": image or entry.get("image"),
    }
    return str(entry.get("name")).startswith(PREFIX) and any(
        not foreign_field(entry, dict(made, securityContext=security_context(*identity, capabilities)))
        for capabilities in _debug_capabilities(entry.get("targetContainerName"), pod_spec, identity[0])
    )


def _debug_capabilities(target: Any, pod_spec: Mapping[str, Any], uid: int) -> list[Mapping[str, Any]]:
    """What a debug container beside that container of the pod can be given."""
    found: Mapping[str, Any] = next(
        (one for one in pod_spec.get("containers") or [] if one.get("name") == target), {}
    )
    context = found.get("securityContext") or {}
    held = None if not found or context.get("privileged") else held_capabilities(found, uid)
    return [NO_CAPABILITIES] if held is None else [NO_CAPABILITIES, held]


def is_debug_command(command: Any) -> bool:
    """Whether a container's command is one of a debug container, which waits for no longer than a day."""
    return (
        isinstance(command, list)
        and len(command) == len(IDLE) + 3
        and tuple(command[: len(IDLE)]) == IDLE
        and isinstance(command[-3], str)
        and command[-3].isdecimal()
        and len(command[-3]) <= len(str(MOST_SECONDS))
        and int(command[-3]) <= MOST_SECONDS
        and command[-2] in (END, KEEP)
    )


def foreign_field(entry: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """The first field of a container that is neither what we make nor what an API server writes for it; "" where
    there is none.

    :param entry: a v1 Container or EphemeralContainer, as an API server shows it
    :param made: the same as we make it
    """
    for key in sorted({*entry, *made} - _FREE):
        wanted = made.get(key, _DEFAULTS.get(key))
        found = entry.get(key, _DEFAULTS.get(key))
        if key == "resources":
            alike = isinstance(found, dict) and set(found) <= _AMOUNTS
        elif key == "securityContext":
            alike = isinstance(found, dict) and _context(found) == _context(wanted or {})
        else:
            alike = found == wanted
        if not alike:
            return str(key)
    return ""


def _identity_in(security: Any) -> tuple[int, int] | None:
    """User and group of a security context that sets both."""
    found = security if isinstance(security, dict) else {}
    uid, gid = found.get("runAsUser"), found.get("runAsGroup")
    return (uid, gid) if isinstance(uid, int) and isinstance(gid, int) else None


def _context(security: Mapping[str, Any]) -> dict[str, Any]:
    """A security context without what changes nothing: a default of the API server, and capabilities that are
    dropped by name besides ALL."""
    known = {key: value for key, value in security.items() if (key, value) != ("procMount", "Default")}
    capabilities = known.get("capabilities")
    if (
        isinstance(capabilities, dict)
        and not capabilities.get("add")
        and "ALL" in (capabilities.get("drop") or [])
    ):
        known["capabilities"] = dict(NO_CAPABILITIES)
    return known


def _without_token(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container without the mount of its ServiceAccount's token, which no pod template has."""
    mounts = spec.get("volumeMounts")
    if not isinstance(mounts, list):
        return spec
    others = [mount for mount in mounts if not _is_token_mount(mount)]
    rest = {key: value for key, value in spec.items() if key != "volumeMounts"}
    return dict(rest, volumeMounts=others) if others else rest


def _is_token_mount(mount: Any) -> bool:
    return (
        isinstance(mount, dict)
        and str(mount.get("name")).startswith(TOKEN_VOLUME)
        and {key: value for key, value in mount.items() if key != "name"} == _TOKEN_MOUNT
    )


def _is_image(status: Mapping[str, Any], image: str) -> bool:
    """Whether what the node reports to run can be that image, where both name a registry's digest: a container
    that was started before its entry was changed still runs the former image."""
    wanted, reported = _DIGEST.search(image), _DIGEST.search(str(status.get("imageID") or ""))
    return wanted is None or reported is None or wanted.group(1) == reported.group(1)
