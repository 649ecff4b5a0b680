# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What applies to a container by Kubernetes' rules, from the fields of pod and container and their defaults.

Sources: the API reference of core/v1 (Pod, Container, SecurityContext) and the Pod Security Standards.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from .evidence import EvaluationContext, NotKnownError

# /var/run is a link to /run in most images
_TOKEN_PATHS = tuple(run + "/secrets/kubernetes.io/serviceaccount" for run in ("/var/run", "/run"))
_OF_WINDOWS = re.compile(r"[A-Za-z]:|\\\\|//\./pipe/")
_KINDS = (("containers", "container"), ("initContainers", "init"), ("ephemeralContainers", "ephemeral"))
_STATUSES = {
    "container": "containerStatuses",
    "init": "initContainerStatuses",
    "ephemeral": "ephemeralContainerStatuses",
}
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


def dig(value: Any, *keys: str) -> Any:
    """`value[key][key]...`; None if a part is missing or null."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def clean_path(path: Any, below: Any = None) -> Any:
    """A path as the kernel takes it: without "/./", "//" and a "/" at the end. Kubernetes refuses "..", and nothing else.

    What is no path of Linux (a drive or a pipe of Windows) and what is no text come back as they are.

    :param below: a further path below it, such as a mount's subPath
    """
    if not isinstance(path, str) or not path or _OF_WINDOWS.match(path):
        return path
    return posixpath.normpath("/" + "/".join((path, below or "")).lstrip("/"))


def pod_spec(context: EvaluationContext) -> Mapping[str, Any]:
    """The pod's spec.

    :raises NotKnownError: it has none
    """
    spec = context.pod.get("spec")
    if not isinstance(spec, dict):
        raise NotKnownError("the pod's spec", "the pod's API object was not given")
    return spec


def volumes(context: EvaluationContext) -> list[Mapping[str, Any]]:
    return pod_spec(context).get("volumes") or []


class ContainerSpec:
    """The spec of one container within its pod, with the rules that combine both.

    :param spec: its entry in the pod's spec
    :param kind: container, init or ephemeral
    """

    def __init__(self, context: EvaluationContext, spec: Mapping[str, Any], kind: str) -> None:
        self.pod = context.pod
        self.pod_spec = pod_spec(context)
        self.spec = spec
        self.kind = kind
        self.is_kept = context.is_kept
        self.name = str(spec.get("name") or "")

    @property
    def status(self) -> Mapping[str, Any]:
        """Its entry in the pod's status; empty if there is none yet."""
        entries = dig(self.pod, "status", _STATUSES[self.kind]) or []
        return next((entry for entry in entries if entry.get("name") == self.name), {})

    def own(self, *keys: str) -> Any:
        """A field of the container's security context."""
        return dig(self.spec, "securityContext", *keys)

    def effective(self, *keys: str) -> Any:
        """A field of the container's security context, else of the pod's."""
        value = self.own(*keys)
        return value if value is not None else dig(self.pod_spec, "securityContext", *keys)

    @property
    def privileged(self) -> bool:
        return self.own("privileged") is True

    @property
    def allow_privilege_escalation(self) -> bool:
        # Left out means allowed; and it is always allowed for privileged containers and those with
        # CAP_SYS_ADMIN.
        return (
            self.privileged
            or self.own("allowPrivilegeEscalation") is not False
            or bool({"SYS_ADMIN", "ALL"} & set(self.capabilities("add")))
        )

    def capabilities(self, change: str) -> list[str]:
        """The capabilities that are added ("add") or dropped ("drop"): capitals, without CAP_, sorted, each
        once. Privileged containers have all of them and drop none."""
        if self.privileged:
            return ["ALL"] if change == "add" else []
        names = [str(name).upper() for name in self.own("capabilities", change) or []]
        return sorted({name[4:] if name.startswith("CAP_") else name for name in names})

    @property
    def seccomp_profile(self) -> Any:
        """RuntimeDefault, Localhost or Unconfined; None if neither container nor pod sets it."""
        if self.privileged:
            return "Unconfined"  # the runtime applies no profile to privileged containers
        # The profile is one value: a container's own replaces the pod's as a whole.
        return dig(self.effective("seccompProfile"), "type")

    @property
    def apparmor_profile(self) -> Any:
        """RuntimeDefault, Localhost or Unconfined; None if nothing sets it (the runtime's default applies)."""
        if self.privileged:
            return "Unconfined"
        kind = dig(self.effective("appArmorProfile"), "type")
        if kind is None:
            # Before Kubernetes 1.30 this was an annotation.
            old = dig(self.pod, "metadata", "annotations", APPARMOR_ANNOTATION + self.name)
            kind = {"runtime/default": "RuntimeDefault", "unconfined": "Unconfined"}.get(
                str(old), "Localhost" if str(old).startswith("localhost/") else None
            )
        return kind

    @property
    def windows_host_process(self) -> bool:
        return dig(self.effective("windowsOptions"), "hostProcess") is True

    def selinux(self, part: str) -> Any:
        """type, user, role or level of the SELinux options; a container's options replace the pod's as a
        whole."""
        return dig(self.effective("seLinuxOptions"), part)

    def limit(self, what: str) -> Any:
        """The container's limit of cpu, memory or ephemeral-storage, else that of the whole pod."""
        own = dig(self.spec, "resources", "limits", what)
        return own if own is not None else dig(self.pod_spec, "resources", "limits", what)

    def request(self, what: str) -> Any:
        """The container's request, else its limit (as the API does), else the request of the whole pod."""
        for scope in (self.spec, self.pod_spec):
            for part in ("requests", "limits"):
                value = dig(scope, "resources", part, what)
                if value is not None:
                    return value
        return None

    @property
    def image_pull_policy(self) -> str:
        """The policy, or the API's default: Always for the tag latest or without tag and digest, else
        IfNotPresent."""
        image = parse_image(str(self.spec.get("image") or ""))
        latest = not image["digest"] and image["tag"] in ("", "latest")
        return str(self.spec.get("imagePullPolicy") or ("Always" if latest else "IfNotPresent"))

    @property
    def mounts(self) -> list[Mapping[str, Any]]:
        return self.spec.get("volumeMounts") or []

    def mounted_volumes(self, source: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """(volume, mount) for each mount of a volume of the given source, such as hostPath."""
        by_name = {volume.get("name"): volume for volume in self.pod_spec.get("volumes") or []}
        pairs = [(by_name.get(mount.get("name"), {}), mount) for mount in self.mounts]
        return [(volume, mount) for volume, mount in pairs if volume.get(source) is not None]

    @property
    def mounts_token_as_usual(self) -> bool:
        """Whether a volume is mounted at the usual path of the service account's token.

        Admission writes the mount into the live pod, so the setting of the ServiceAccount shows there.
        """
        return any(clean_path(mount.get("mountPath")) in _TOKEN_PATHS for mount in self.mounts)

    @property
    def mounts_token(self) -> bool:
        """Whether the container sees a token of the pod's service account for the cluster's API, wherever it is mounted.

        A projected token with an audience is one for another service.
        """
        return self.mounts_token_as_usual or any(
            dig(source, "serviceAccountToken") is not None
            and not dig(source, "serviceAccountToken", "audience")
            for volume, _mount in self.mounted_volumes("projected")
            for source in dig(volume, "projected", "sources") or []
        )


def containers_of(context: EvaluationContext) -> list[ContainerSpec]:
    """Every container of the pod: regular, init and ephemeral ones.

    :raises NotKnownError: the pod has no spec
    """
    return [
        ContainerSpec(context, spec, kind)
        for key, kind in _KINDS
        for spec in pod_spec(context).get(key) or []
    ]


def target_container(context: EvaluationContext) -> ContainerSpec:
    """The container that is judged.

    :raises NotKnownError: the pod has no container of that name
    """
    for container in containers_of(context):
        if container.name == context.container_name:
            return container
    raise NotKnownError(
        f"the spec of container {context.container_name}", "the pod has no container of that name"
    )


def account_name(context: EvaluationContext) -> str:
    """The pod's service account."""
    return pod_spec(context).get("serviceAccountName") or "default"


def automounts_token(context: EvaluationContext) -> bool:
    """The pod's setting. If it has none, that of the ServiceAccount, which the live pod's mounts show."""
    value = pod_spec(context).get("automountServiceAccountToken")
    return target_container(context).mounts_token_as_usual if value is None else bool(value)


def token_lifetimes(context: EvaluationContext) -> list[int]:
    """Seconds for which the tokens in the pod's projected volumes are valid; an hour if a source does not
    say."""
    sources = [source for volume in volumes(context) for source in dig(volume, "projected", "sources") or []]
    return [
        dig(source, "serviceAccountToken", "expirationSeconds") or 3600
        for source in sources
        if source.get("serviceAccountToken") is not None
    ]


def parse_image(reference: str) -> dict[str, str]:
    """registry, repository, tag and digest of an image reference; empty if it has none."""
    rest, _at, digest = reference.partition("@")
    head, slash, tail = rest.rpartition("/")
    name, _colon, tag = tail.partition(":")
    repository = head + slash + name
    first, slash, others = repository.partition("/")
    # A first part with a dot or a port, or localhost, is a registry; otherwise it is a folder of the default
    # one.
    if slash and ("." in first or ":" in first or first == "localhost"):
        return {"registry": first, "repository": others, "tag": tag, "digest": digest}
    return {"registry": "", "repository": repository, "tag": tag, "digest": digest}
