# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container in its pod's spec, as Kubernetes applies it: container."""

from __future__ import annotations

from typing import Any, Callable, List

from ..evidence import Absent, NotKnownError
from ..pod_spec import ContainerSpec, dig
from ..resource import Attribute, Params, Resource, View, attributes_by_name
from ..value_types import BOOLEAN, INTEGER, QUANTITY, TEXT, ValueType, list_of

_TEXTS = list_of(TEXT)
_UNSET = Absent("it is not set")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def container_spec(view: View) -> ContainerSpec:
    """The target's container. Raises NotKnownError where the pod's object has no such container."""
    evidence = view.evidence
    return evidence.parsed("container", lambda: ContainerSpec(evidence.context))  # type: ignore[no-any-return]


def _attribute(name: str, kind: ValueType, description: str, compute: Callable[[ContainerSpec], Any]) -> Attribute:
    """An attribute over the container's spec; None means that nothing sets it."""

    def read(view: View) -> Any:
        value = compute(container_spec(view))
        return _UNSET if value is None else value

    return Attribute(name, kind, description, read)


def _actual_user(container: ContainerSpec) -> int:
    uid = dig(container.status, "user", "linux", "uid")
    if not isinstance(uid, int):
        raise NotKnownError("the user that container %s runs as" % container.name,
                       "its status does not say (nodes report it since Kubernetes 1.31)")
    return uid


def _host_ports(container: ContainerSpec) -> List[int]:
    return [port["hostPort"] for port in container.spec.get("ports") or [] if port.get("hostPort")]


def _environment_secrets(container: ContainerSpec) -> List[str]:
    """Names of secrets whose values become environment variables."""
    single = [dig(variable, "valueFrom", "secretKeyRef", "name") for variable in container.spec.get("env") or []]
    whole = [dig(source, "secretRef", "name") for source in container.spec.get("envFrom") or []]
    return sorted({name for name in single + whole if name})


def _probe_hosts(container: ContainerSpec) -> List[str]:
    """Hosts that probes and lifecycle hooks name: the node would connect to them."""
    actions = [container.spec.get(probe) for probe in _PROBES]
    actions += [dig(container.spec, "lifecycle", hook) for hook in ("postStart", "preStop")]
    hosts = [dig(action, kind, "host") for action in actions for kind in ("httpGet", "tcpSocket")]
    return [host for host in hosts if host]


def _host_path_mounts(container: ContainerSpec, writable: bool) -> List[str]:
    return [dig(volume, "hostPath", "path") for volume, mount in container.mounted_volumes("hostPath")
            if not (writable and mount.get("readOnly"))]


def _place(_params: Params) -> str:
    return "in the container's spec"


RESOURCES = (
    Resource("container", "The container in its pod's spec, as Kubernetes applies it: the container's settings over "
             "the pod's, and the API's defaults.", lambda _params: "Container", _place, attributes_by_name(
                 _attribute("name", TEXT, "Its name.", lambda c: c.name),
                 _attribute("kind", TEXT, "container, init or ephemeral.", lambda c: c.kind),
                 _attribute("privileged", BOOLEAN, "Has all rights on the node.", lambda c: c.privileged),
                 _attribute("allow_privilege_escalation", BOOLEAN, "A process may gain more rights than its parent "
                            "has; true unless it is forbidden.", lambda c: c.allow_privilege_escalation),
                 _attribute("run_as_non_root", BOOLEAN, "The node refuses to start it as root.",
                            lambda c: c.effective("runAsNonRoot") is True),
                 _attribute("run_as_user", INTEGER, "The user id that the spec sets.",
                            lambda c: c.effective("runAsUser")),
                 _attribute("run_as_group", INTEGER, "The group id that the spec sets.",
                            lambda c: c.effective("runAsGroup")),
                 _attribute("actual_user", INTEGER, "The user id that the node reports.", _actual_user),
                 _attribute("read_only_root_filesystem", BOOLEAN, "Its root file system cannot be written.",
                            lambda c: c.own("readOnlyRootFilesystem") is True),
                 _attribute("capabilities_added", _TEXTS, "Capabilities beyond the runtime's default, without CAP_; "
                            "[ALL] for a privileged container.", lambda c: c.capabilities("add")),
                 _attribute("capabilities_dropped", _TEXTS, "Capabilities that are taken away, without CAP_.",
                            lambda c: c.capabilities("drop")),
                 _attribute("seccomp_profile", TEXT, "RuntimeDefault, Localhost or Unconfined.",
                            lambda c: c.seccomp_profile),
                 _attribute("apparmor_profile", TEXT, "RuntimeDefault, Localhost or Unconfined.",
                            lambda c: c.apparmor_profile),
                 _attribute("selinux_type", TEXT, "Type of its SELinux options.", lambda c: c.selinux("type")),
                 _attribute("selinux_user", TEXT, "User of its SELinux options.", lambda c: c.selinux("user")),
                 _attribute("selinux_role", TEXT, "Role of its SELinux options.", lambda c: c.selinux("role")),
                 _attribute("proc_mount", TEXT, "Default or Unmasked.", lambda c: c.own("procMount") or "Default"),
                 _attribute("cpu_limit", QUANTITY, "Limit of processor time.", lambda c: c.limit("cpu")),
                 _attribute("memory_limit", QUANTITY, "Limit of memory.", lambda c: c.limit("memory")),
                 _attribute("ephemeral_storage_limit", QUANTITY, "Limit of local storage.",
                            lambda c: c.limit("ephemeral-storage")),
                 _attribute("cpu_request", QUANTITY, "Requested processor time.", lambda c: c.request("cpu")),
                 _attribute("memory_request", QUANTITY, "Requested memory.", lambda c: c.request("memory")),
                 _attribute("liveness_probe", BOOLEAN, "Has a liveness probe.",
                            lambda c: bool(c.spec.get("livenessProbe"))),
                 _attribute("readiness_probe", BOOLEAN, "Has a readiness probe.",
                            lambda c: bool(c.spec.get("readinessProbe"))),
                 _attribute("startup_probe", BOOLEAN, "Has a startup probe.",
                            lambda c: bool(c.spec.get("startupProbe"))),
                 _attribute("probe_hosts", _TEXTS, "Hosts that its probes and hooks name.", _probe_hosts),
                 _attribute("host_ports", list_of(INTEGER), "Ports of the node that it takes.", _host_ports),
                 _attribute("environment_secrets", _TEXTS, "Secrets that become environment variables.",
                            _environment_secrets),
                 _attribute("mount_paths", _TEXTS, "Where volumes are mounted.",
                            lambda c: [mount.get("mountPath") for mount in c.mounts]),
                 _attribute("host_paths", _TEXTS, "The node's paths that are mounted in it.",
                            lambda c: _host_path_mounts(c, writable=False)),
                 _attribute("writable_host_paths", _TEXTS, "Those of them that it may write.",
                            lambda c: _host_path_mounts(c, writable=True)),
                 _attribute("service_account_token", BOOLEAN, "Has the service account's token mounted.",
                            lambda c: c.mounts_token),
                 _attribute("tty", BOOLEAN, "Has a terminal.", lambda c: bool(c.spec.get("tty"))),
                 _attribute("stdin", BOOLEAN, "Keeps its standard input open.", lambda c: bool(c.spec.get("stdin"))),
             )),
)
