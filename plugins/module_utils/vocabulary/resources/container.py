# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers in their pod's spec, as Kubernetes applies it: container, containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ...literal_secrets import literal_secrets
from ..evidence import Absent, NotKnownError
from ..pod_spec import ContainerSpec, clean_path, containers_of, dig, target_container
from ..resource import Attribute, Field, Params, Resource, View, attributes_by_name, nothing_needed
from ..tables import constant, table
from ..value_types import BOOLEAN, INTEGER, QUANTITY, TEXT, ValueType, list_of

_TEXTS = list_of(TEXT)
_UNSET = Absent("it is not set")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def container_spec(view: View) -> ContainerSpec:
    """The target's container.

    :raises NotKnownError: the pod has no such container
    """
    evidence = view.evidence
    return evidence.parsed("container", lambda: target_container(evidence.context))  # type: ignore[no-any-return]


def _actual_user(container: ContainerSpec) -> int:
    uid = dig(container.status, "user", "linux", "uid")
    if not isinstance(uid, int):
        raise NotKnownError(
            f"the user that container {container.name} runs as",
            "its status does not say (nodes report it since Kubernetes 1.31)",
        )
    return uid


def _host_ports(container: ContainerSpec) -> list[int]:
    return [port["hostPort"] for port in container.spec.get("ports") or [] if port.get("hostPort")]


def _literal_environment(container: ContainerSpec) -> list[str]:
    """Names of the variables whose values are in the pod's spec, where everybody who is allowed to read pods
    sees them."""
    return [variable["name"] for variable in container.spec.get("env") or [] if variable.get("value")]


def _literal_secrets(container: ContainerSpec) -> list[str]:
    spec = container.spec
    secrets = literal_secrets(
        spec.get("env") or [], has_sources=bool(spec.get("envFrom")), is_kept=container.is_kept
    )
    if secrets is None:
        raise NotKnownError(
            f"which variables of container {container.name} hold secrets",
            "their values were not kept, or refer to each other too often",
        )
    return secrets


def _declared_ports(container: ContainerSpec) -> list[int]:
    return [port["containerPort"] for port in container.spec.get("ports") or []]


def _mount_propagations(container: ContainerSpec) -> list[str]:
    return [mount["mountPropagation"] for mount in container.mounts if mount.get("mountPropagation")]


def _environment_secrets(container: ContainerSpec) -> list[str]:
    """Names of secrets whose values become environment variables."""
    single = [
        dig(variable, "valueFrom", "secretKeyRef", "name") for variable in container.spec.get("env") or []
    ]
    whole = [dig(source, "secretRef", "name") for source in container.spec.get("envFrom") or []]
    return sorted({name for name in single + whole if name})


def _probe_hosts(container: ContainerSpec) -> list[str]:
    """Hosts that probes and lifecycle hooks name: the node would connect to them."""
    actions = [container.spec.get(probe) for probe in _PROBES]
    actions += [dig(container.spec, "lifecycle", hook) for hook in ("postStart", "preStop")]
    hosts = [dig(action, kind, "host") for action in actions for kind in ("httpGet", "tcpSocket")]
    return [host for host in hosts if host]


def _host_path_mounts(container: ContainerSpec, writable: bool) -> list[str]:
    return [
        clean_path(dig(volume, "hostPath", "path"), mount.get("subPath"))
        for volume, mount in container.mounted_volumes("hostPath")
        if not (writable and mount.get("readOnly"))
    ]


@dataclass(frozen=True)
class _Computed:
    """An attribute of a container that is computed from its spec; `compute` returns None if nothing sets it.

    `plural`: it is also a column of the table of all containers, for rules over a whole pod.
    """

    name: str
    type: ValueType
    description: str
    compute: Callable[[ContainerSpec], Any]
    plural: str = ""
    names: bool = False

    def attribute(self) -> Attribute:
        def read(view: View) -> Any:
            value = self.compute(container_spec(view))
            return _UNSET if value is None else value

        return Attribute(self.name, self.type, self.description, read, names=self.names)

    def field(self) -> Field:
        return Field(
            self.name,
            self.plural,
            self.type,
            self.description,
            get=lambda row: self.compute(row["container"]),
        )


_ALL = (
    _Computed("name", TEXT, "Its name.", lambda c: c.name, "names"),
    _Computed("kind", TEXT, "container, init or ephemeral.", lambda c: c.kind, "kinds"),
    _Computed("privileged", BOOLEAN, "Has all rights on the node.", lambda c: c.privileged, "privileged"),
    _Computed(
        "allow_privilege_escalation",
        BOOLEAN,
        "A process may gain more rights than its parent has; true unless it is forbidden.",
        lambda c: c.allow_privilege_escalation,
        "allow_privilege_escalation",
    ),
    _Computed(
        "run_as_non_root",
        BOOLEAN,
        "The node refuses to start it as root.",
        lambda c: c.effective("runAsNonRoot") is True,
        "run_as_non_root",
    ),
    _Computed(
        "run_as_user", INTEGER, "The user id that the spec sets.", lambda c: c.effective("runAsUser"), "users"
    ),
    _Computed(
        "run_as_group",
        INTEGER,
        "The group id that the spec sets.",
        lambda c: c.effective("runAsGroup"),
        "groups",
    ),
    _Computed("actual_user", INTEGER, "The user id that the node reports.", _actual_user),
    _Computed(
        "read_only_root_filesystem",
        BOOLEAN,
        "Its root file system cannot be written.",
        lambda c: c.own("readOnlyRootFilesystem") is True,
        "read_only_root_filesystems",
    ),
    _Computed(
        "capabilities_added",
        _TEXTS,
        "Capabilities beyond the runtime's default, without CAP_; [ALL] for a privileged container.",
        lambda c: c.capabilities("add"),
        "capabilities_added",
    ),
    _Computed(
        "capabilities_dropped",
        _TEXTS,
        "Capabilities that are taken away, without CAP_.",
        lambda c: c.capabilities("drop"),
        "capabilities_dropped",
    ),
    _Computed(
        "seccomp_profile",
        TEXT,
        "RuntimeDefault, Localhost or Unconfined.",
        lambda c: c.seccomp_profile,
        "seccomp_profiles",
    ),
    _Computed(
        "apparmor_profile",
        TEXT,
        "RuntimeDefault, Localhost or Unconfined.",
        lambda c: c.apparmor_profile,
        "apparmor_profiles",
    ),
    _Computed(
        "selinux_type", TEXT, "Type of its SELinux options.", lambda c: c.selinux("type"), "selinux_types"
    ),
    _Computed(
        "selinux_user", TEXT, "User of its SELinux options.", lambda c: c.selinux("user"), "selinux_users"
    ),
    _Computed(
        "selinux_role", TEXT, "Role of its SELinux options.", lambda c: c.selinux("role"), "selinux_roles"
    ),
    _Computed(
        "proc_mount", TEXT, "Default or Unmasked.", lambda c: c.own("procMount") or "Default", "proc_mounts"
    ),
    _Computed("cpu_limit", QUANTITY, "Limit of processor time.", lambda c: c.limit("cpu")),
    _Computed("memory_limit", QUANTITY, "Limit of memory.", lambda c: c.limit("memory")),
    _Computed(
        "ephemeral_storage_limit", QUANTITY, "Limit of local storage.", lambda c: c.limit("ephemeral-storage")
    ),
    _Computed("cpu_request", QUANTITY, "Requested processor time.", lambda c: c.request("cpu")),
    _Computed("memory_request", QUANTITY, "Requested memory.", lambda c: c.request("memory")),
    _Computed(
        "liveness_probe", BOOLEAN, "Has a liveness probe.", lambda c: bool(c.spec.get("livenessProbe"))
    ),
    _Computed(
        "readiness_probe", BOOLEAN, "Has a readiness probe.", lambda c: bool(c.spec.get("readinessProbe"))
    ),
    _Computed("startup_probe", BOOLEAN, "Has a startup probe.", lambda c: bool(c.spec.get("startupProbe"))),
    _Computed("probe_hosts", _TEXTS, "Hosts that its probes and hooks name.", _probe_hosts, "probe_hosts"),
    _Computed("host_ports", list_of(INTEGER), "Ports of the node that it takes.", _host_ports, "host_ports"),
    _Computed(
        "environment_secrets",
        _TEXTS,
        "Secrets that become environment variables.",
        _environment_secrets,
        names=True,
    ),
    _Computed(
        "mount_paths",
        _TEXTS,
        "Where volumes are mounted; paths without /./, // and a / at the end.",
        lambda c: [clean_path(mount.get("mountPath")) for mount in c.mounts],
    ),
    _Computed(
        "host_paths",
        _TEXTS,
        "The node's paths that are mounted in it, without /./, // and a / at the end.",
        lambda c: _host_path_mounts(c, writable=False),
    ),
    _Computed(
        "writable_host_paths",
        _TEXTS,
        "Those of them that it may write.",
        lambda c: _host_path_mounts(c, writable=True),
    ),
    _Computed(
        "service_account_token",
        BOOLEAN,
        "Has a token of the service account for the cluster's API mounted, at the usual path or another one.",
        lambda c: c.mounts_token,
    ),
    _Computed("tty", BOOLEAN, "Has a terminal.", lambda c: bool(c.spec.get("tty"))),
    _Computed("stdin", BOOLEAN, "Keeps its standard input open.", lambda c: bool(c.spec.get("stdin"))),
    _Computed(
        "windows_host_process",
        BOOLEAN,
        "Runs as a process of a Windows node.",
        lambda c: c.windows_host_process,
        "windows_host_processes",
    ),
    _Computed("ports", list_of(INTEGER), "The ports that it declares.", _declared_ports),
    _Computed(
        "literal_environment",
        _TEXTS,
        "Environment variables whose values stand in the pod's spec.",
        _literal_environment,
        names=True,
    ),
    _Computed(
        "literal_secrets",
        _TEXTS,
        "Environment variables whose values stand in the pod's spec and are secrets, by the variable's name or the value's "
        "form; references to other variables are followed.",
        _literal_secrets,
        names=True,
    ),
    _Computed(
        "mount_propagations",
        _TEXTS,
        "How its mounts are shared with the node, where that is set: None, HostToContainer or Bidirectional.",
        _mount_propagations,
        "mount_propagations",
    ),
    _Computed(
        "block_devices",
        _TEXTS,
        "Paths of raw block devices that it is given.",
        lambda c: [clean_path(device.get("devicePath")) for device in c.spec.get("volumeDevices") or []],
    ),
)


def _place(_params: Params) -> str:
    return "in the container's spec"


def _rows(view: View) -> list[dict[str, ContainerSpec]]:
    evidence = view.evidence
    return evidence.parsed(  # type: ignore[no-any-return]
        "containers",
        lambda: [{"container": container} for container in containers_of(evidence.context)],
    )


def _label(row: Mapping[str, ContainerSpec]) -> str:
    container = row["container"]
    return container.name if container.kind == "container" else f"{container.name} ({container.kind})"


RESOURCES = (
    Resource(
        "container",
        "The container in its pod's spec, as Kubernetes applies it: the container's settings over "
        "the pod's, and the API's defaults.",
        lambda _params: "Container",
        _place,
        attributes_by_name(*(computed.attribute() for computed in _ALL)),
    ),
    table(
        "containers",
        "All containers of the pod as `container` shows one: regular, init and ephemeral ones.",
        title=constant("Containers"),
        place=constant("in the pod's spec"),
        rows=_rows,
        needs=nothing_needed,
        fields=[computed.field() for computed in _ALL if computed.plural],
        label=_label,
    ),
)
