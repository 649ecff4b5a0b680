# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod that the container belongs to, from its API object: pod."""

from __future__ import annotations

from typing import Any, Callable

from ..evidence import Absent, EvaluationContext, NotKnownError
from ..pod_spec import (
    APPARMOR_ANNOTATION,
    account_name,
    automounts_token,
    clean_path,
    containers_of,
    dig,
    pod_spec,
    volumes,
)
from ..resource import Attribute, Params, Resource, View, attributes_by_name
from ..value_types import BOOLEAN, INTEGER, TEXT, ValueType, list_of

_TEXTS = list_of(TEXT)
_UNSET = Absent("it is not set")


def _context(view: View) -> EvaluationContext:
    return view.evidence.context


def _spec(*keys: str) -> Callable[[View], Any]:
    """A field of the pod's spec; Absent if it is not set."""

    def read(view: View) -> Any:
        value = dig(pod_spec(_context(view)), *keys)
        return _UNSET if value is None else value

    return read


def _flag(*keys: str, default: bool = False) -> Callable[[View], Any]:
    """A boolean field of the pod's spec with the API's default."""

    def read(view: View) -> Any:
        value = dig(pod_spec(_context(view)), *keys)
        return default if value is None else value

    return read


def _metadata(key: str) -> Callable[[View], Any]:
    """A field of the metadata that every pod has.

    :raises NotKnownError: it is not set
    """

    def read(view: View) -> Any:
        value = dig(_context(view).pod, "metadata", key)
        if not value:
            raise NotKnownError(f"the pod's {key}", "the pod's API object was not given")
        return value

    return read


def _names_of(*keys: str) -> Callable[[View], Any]:
    return lambda view: [entry.get("name") for entry in dig(pod_spec(_context(view)), *keys) or []]


def _volume_types(view: View) -> list[str]:
    return [key for volume in volumes(_context(view)) for key in volume if key != "name"]


def _host_paths(view: View) -> list[Any]:
    given = (volume for volume in volumes(_context(view)) if volume.get("hostPath"))
    return [clean_path(dig(volume, "hostPath", "path")) for volume in given]


def _host_ports(view: View) -> list[int]:
    return [
        port["hostPort"]
        for container in containers_of(_context(view))
        for port in container.spec.get("ports") or []
        if port.get("hostPort")
    ]


def _apparmor_annotations(view: View) -> list[str]:
    """What the annotations of Kubernetes before 1.30 say; an empty one says nothing."""
    pod_spec(_context(view))
    annotations = dig(_context(view).pod, "metadata", "annotations") or {}
    return [str(value) for key, value in annotations.items() if key.startswith(APPARMOR_ANNOTATION) and value]


def _unlimited_empty_dirs(view: View) -> list[Any]:
    return [
        volume.get("name")
        for volume in volumes(_context(view))
        if volume.get("emptyDir") is not None and not dig(volume, "emptyDir", "sizeLimit")
    ]


def _place(_params: Params) -> str:
    return "in the pod's spec"


def _attribute(name: str, kind: ValueType, description: str, read: Callable[[View], Any]) -> Attribute:
    return Attribute(name, kind, description, read)


RESOURCES = (
    Resource(
        "pod",
        "The pod that the container belongs to, from its API object.",
        lambda _params: "Pod",
        _place,
        attributes_by_name(
            _attribute("name", TEXT, "Its name.", _metadata("name")),
            _attribute("namespace", TEXT, "Its namespace.", _metadata("namespace")),
            _attribute("host_network", BOOLEAN, "Uses the node's network.", _flag("hostNetwork")),
            _attribute("host_pid", BOOLEAN, "Uses the node's process namespace.", _flag("hostPID")),
            _attribute("host_ipc", BOOLEAN, "Uses the node's IPC namespace.", _flag("hostIPC")),
            _attribute(
                "host_users",
                BOOLEAN,
                "Uses the node's user namespace (the default).",
                _flag("hostUsers", default=True),
            ),
            _attribute(
                "share_process_namespace",
                BOOLEAN,
                "Its containers see each other's processes.",
                _flag("shareProcessNamespace"),
            ),
            _attribute(
                "windows_host_process",
                BOOLEAN,
                "Runs as a process of a Windows node.",
                _flag("securityContext", "windowsOptions", "hostProcess"),
            ),
            _attribute(
                "volume_types",
                _TEXTS,
                "The sources of its volumes, such as configMap and hostPath.",
                _volume_types,
            ),
            _attribute(
                "host_paths",
                _TEXTS,
                "The node's paths that its volumes give access to, without /./, // and a / at the end.",
                _host_paths,
            ),
            _attribute(
                "host_ports",
                list_of(INTEGER),
                "Ports of the node that any of its containers takes.",
                _host_ports,
            ),
            _attribute(
                "sysctls",
                _TEXTS,
                "Names of the kernel parameters it sets.",
                _names_of("securityContext", "sysctls"),
            ),
            _attribute(
                "fs_group", INTEGER, "Group that owns its volumes.", _spec("securityContext", "fsGroup")
            ),
            _attribute(
                "supplemental_groups",
                list_of(INTEGER),
                "Further groups of its processes.",
                lambda view: dig(pod_spec(_context(view)), "securityContext", "supplementalGroups") or [],
            ),
            _attribute(
                "restart_policy",
                TEXT,
                "Always (the default), OnFailure or Never.",
                lambda view: pod_spec(_context(view)).get("restartPolicy") or "Always",
            ),
            _attribute("priority_class", TEXT, "Its priority class.", _spec("priorityClassName")),
            _attribute("runtime_class", TEXT, "Its runtime class.", _spec("runtimeClassName")),
            _attribute(
                "service_account",
                TEXT,
                "Name of its service account.",
                lambda view: account_name(_context(view)),
            ),
            _attribute(
                "automount_service_account_token",
                BOOLEAN,
                "Mounts the service account's token; what the "
                "pod leaves open is read from the live pod's mounts.",
                lambda view: automounts_token(_context(view)),
            ),
            _attribute(
                "run_as_non_root",
                BOOLEAN,
                "What it sets for its containers, as do the next ones.",
                _spec("securityContext", "runAsNonRoot"),
            ),
            _attribute(
                "run_as_user", INTEGER, "User id for its containers.", _spec("securityContext", "runAsUser")
            ),
            _attribute(
                "run_as_group",
                INTEGER,
                "Group id for its containers.",
                _spec("securityContext", "runAsGroup"),
            ),
            _attribute(
                "seccomp_profile",
                TEXT,
                "RuntimeDefault, Localhost or Unconfined for its containers.",
                _spec("securityContext", "seccompProfile", "type"),
            ),
            _attribute(
                "apparmor_profile",
                TEXT,
                "RuntimeDefault, Localhost or Unconfined for its containers.",
                _spec("securityContext", "appArmorProfile", "type"),
            ),
            _attribute(
                "apparmor_annotations",
                _TEXTS,
                "AppArmor profiles that annotations set, as Kubernetes before "
                "1.30 reads them: runtime/default, localhost/NAME or unconfined.",
                _apparmor_annotations,
            ),
            _attribute(
                "selinux_type",
                TEXT,
                "Type of the SELinux options for its containers.",
                _spec("securityContext", "seLinuxOptions", "type"),
            ),
            _attribute(
                "selinux_user",
                TEXT,
                "User of the SELinux options for its containers.",
                _spec("securityContext", "seLinuxOptions", "user"),
            ),
            _attribute(
                "selinux_role",
                TEXT,
                "Role of the SELinux options for its containers.",
                _spec("securityContext", "seLinuxOptions", "role"),
            ),
            _attribute(
                "unlimited_empty_dirs",
                _TEXTS,
                "Names of its emptyDir volumes without a size limit.",
                _unlimited_empty_dirs,
            ),
        ),
    ),
)
