# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods for the profile workload-baseline: one that is as it should be, and what makes each control fail."""

from __future__ import annotations

import copy

DIGEST = "@sha256:" + 64 * "a"
TOKEN_MOUNT = {"name": "t", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
OWN = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
PROBE = {"httpGet": {"path": "/", "port": 8080}}
# A pod that is as it should be; it holds something for every control to look at.
GOOD = {
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "annotations": {
            "container.apparmor.security.beta.kubernetes.io/app": "runtime/default",
            "example.com/note": "unconfined",
        },
    },
    "spec": {
        "serviceAccountName": "web",
        "automountServiceAccountToken": False,
        "restartPolicy": "Always",
        "priorityClassName": "high",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "fsGroup": 1000,
            "supplementalGroups": [1000],
            "seccompProfile": {"type": "RuntimeDefault"},
            "appArmorProfile": {"type": "RuntimeDefault"},
            "seLinuxOptions": {"type": "container_t"},
            "sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}],
        },
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
            {
                "name": "token",
                "projected": {
                    "sources": [{"serviceAccountToken": {"path": "vault", "expirationSeconds": 3600}}]
                },
            },
        ],
        "initContainers": [
            {
                "name": "prepare",
                "image": "registry.example.com/tool:1" + DIGEST,
                "securityContext": copy.deepcopy(OWN),
            }
        ],
        "ephemeralContainers": [
            {
                "name": "debug",
                "image": "registry.example.com/debug:1",
                "tty": True,
                "securityContext": copy.deepcopy(OWN),
            }
        ],
        "containers": [
            {
                "name": "app",
                "image": "registry.example.com/app:1" + DIGEST,
                "imagePullPolicy": "IfNotPresent",
                "env": [
                    {"name": "LEVEL", "value": "info"},
                    {"name": "DB_PASSWORD_FILE", "value": "/run/db/password"},
                ],
                "ports": [{"containerPort": 8080}],
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp", "mountPropagation": "None"}],
                "livenessProbe": PROBE,
                "readinessProbe": PROBE,
                "resources": {
                    "requests": {"cpu": "10m"},
                    "limits": {"memory": "64Mi", "cpu": "1", "ephemeral-storage": "1Gi"},
                },
                "securityContext": dict(
                    copy.deepcopy(OWN), seLinuxOptions={"type": "container_init_t", "level": "s0"}
                ),
            }
        ],
    },
}
APP, INIT, DEBUG, POD = "containers.0.", "initContainers.0.", "ephemeralContainers.0.", "securityContext."
# Where the fields of a security context stand for a container of each kind.
EACH = tuple(kind + "securityContext." for kind in (APP, INIT, DEBUG))
ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


def change(path, value):
    """A change of the good pod: the part at a path of keys gets a value (None: is left out)."""
    return ((path, value),)


def changed(*changes):
    """The good pod with some changes; a path with a slash before it starts at the pod, others at its spec."""
    pod = copy.deepcopy(GOOD)
    for path, value in changes:
        part = pod if path.startswith("/") else pod["spec"]
        *parents, last = (
            path.lstrip("/").split(".") if ANNOTATION not in path else ["metadata", "annotations", path[1:]]
        )
        for key in parents:
            part = part[int(key)] if key.isdigit() else part.setdefault(key, {})
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    return pod


def everywhere(field, value):
    """The change at a container of each kind."""
    return [change(place + field, value) for place in EACH]


def host_path(path):
    return change("volumes", [{"name": "x", "hostPath": {"path": path}}, *GOOD["spec"]["volumes"]])


def action_host(place, kind):
    return change(place, {kind: {"port": 80, "host": "127.0.0.1"}})


def without(*what):
    """The limits and requests of the app but some."""
    given = GOOD["spec"]["containers"][0]["resources"]
    return change(
        APP + "resources",
        {part: {name: value for name, value in given[part].items() if name not in what} for part in given},
    )


BAD = {  # changes with which the control fails; each alone
    "wb-token-automount": [
        change("automountServiceAccountToken", True),
        (*change("automountServiceAccountToken", None), *change(APP + "volumeMounts", [TOKEN_MOUNT])),
        change(APP + "volumeMounts", [TOKEN_MOUNT]),
    ],
    "wb-default-service-account": [
        change("serviceAccountName", None),
        change("serviceAccountName", "default"),
    ],
    "wb-token-lifetime": [
        change(
            "volumes.1.projected",
            {
                "sources": [
                    {"configMap": {"name": "x"}},
                    {"serviceAccountToken": {"path": "t", "expirationSeconds": 604800}},
                ]
            },
        )
    ],
    "wb-secret-variables": [
        change(APP + "env", [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "db", "key": "k"}}}]),
        change(APP + "envFrom", [{"secretRef": {"name": "db"}}]),
    ],
    "wb-literal-secrets": [
        change(APP + "env", [{"name": "DB_PASSWORD", "value": "hunter2"}]),
        change(APP + "env", [{"name": "A", "value": "1"}, {"name": "api_key", "value": "x"}]),
    ],
    "wb-image-tag": [
        change(APP + "image", "registry.example.com/app:latest"),
        change(APP + "image", "registry.example.com/app"),
    ],
    "wb-image-digest": [change(APP + "image", "registry.example.com/app:1.2.3")],
    "wb-image-registry": [
        change(APP + "image", "app:1" + DIGEST),
        change(APP + "image", "library/app:1" + DIGEST),
    ],
    "wb-image-pull-policy": [change(APP + "imagePullPolicy", "Never")],
    "wb-host-process": [
        change(POD + "windowsOptions", {"hostProcess": True}),
        *everywhere("windowsOptions", {"hostProcess": True}),
    ],
    "wb-host-network": [change("hostNetwork", True)],
    "wb-host-pid": [change("hostPID", True)],
    "wb-host-ipc": [change("hostIPC", True)],
    "wb-shared-processes": [change("shareProcessNamespace", True)],
    "wb-host-ports": [
        change(kind + "ports", [{"containerPort": 80, "hostPort": 80}]) for kind in (APP, INIT)
    ],
    "wb-probe-hosts": [
        action_host(APP + place, kind)
        for kind in ("httpGet", "tcpSocket")
        for place in (
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle.postStart",
            "lifecycle.preStop",
        )
    ]
    + [action_host(INIT + "startupProbe", "httpGet")],
    "wb-sysctls": [change(POD + "sysctls", [{"name": "kernel.msgmax", "value": "1"}])],
    "wb-proc-mount": everywhere("procMount", "Unmasked"),
    "wb-default-namespace": [change("/metadata.namespace", "default")],
    "wb-node-agent-priority": [change("priorityClassName", "system-node-critical")],
    "wb-privileged": everywhere("privileged", True),
    "wb-added-capabilities": [
        case
        for name in ("NET_RAW", "SYS_ADMIN", "ALL")
        for case in everywhere("capabilities", {"drop": ["ALL"], "add": [name]})
    ],
    "wb-dropped-capabilities": [
        *everywhere("capabilities", None),
        *everywhere("capabilities", {"drop": ["NET_RAW"]}),
        *everywhere("capabilities", {"drop": ["ALL"], "add": ["CHOWN"]}),
    ],
    "wb-privilege-escalation": [
        *everywhere("allowPrivilegeEscalation", None),
        *everywhere("allowPrivilegeEscalation", True),
    ],
    "wb-run-as-non-root": [
        change(POD + "runAsNonRoot", None),
        change(POD + "runAsNonRoot", False),
        *everywhere("runAsNonRoot", False),
        tuple((place + "runAsNonRoot", place != POD) for place in (*EACH, POD)),
    ],
    "wb-run-as-user": [change(POD + "runAsUser", 0), *everywhere("runAsUser", 0)],
    "wb-root-group": [
        change(POD + "runAsGroup", 0),
        change(POD + "fsGroup", 0),
        change(POD + "supplementalGroups", [5, 0]),
        *everywhere("runAsGroup", 0),
    ],
    "wb-unconfined-system-calls": [
        change(POD + "seccompProfile", {"type": "Unconfined"}),
        *everywhere("seccompProfile", {"type": "Unconfined"}),
    ],
    "wb-system-calls": [change(POD + "seccompProfile", None)],
    "wb-apparmor": [
        change(POD + "appArmorProfile", {"type": "Unconfined"}),
        *everywhere("appArmorProfile", {"type": "Unconfined"}),
        change("/" + ANNOTATION + "app", "unconfined"),
        change("/" + ANNOTATION + "prepare", "other"),
    ],
    "wb-selinux-type": [
        change(POD + "seLinuxOptions", {"type": "spc_t"}),
        *everywhere("seLinuxOptions", {"type": "container_tt"}),
    ],
    "wb-selinux-user": [
        change(POD + "seLinuxOptions", {"user": "sysadm_u"}),
        change(POD + "seLinuxOptions", {"role": "sysadm_r"}),
        *everywhere("seLinuxOptions", {"user": "sysadm_u"}),
        *everywhere("seLinuxOptions", {"role": "sysadm_r"}),
    ],
    "wb-memory-limit": [(*without("memory"), *change(APP + "resources.requests.memory", "1Mi"))],
    "wb-memory-request": [without("memory")],
    "wb-cpu-request": [(*without("cpu"),)],
    "wb-cpu-limit": [(*without("cpu"), *change(APP + "resources.requests.cpu", "10m"))],
    "wb-storage-limit": [without("ephemeral-storage")],
    "wb-empty-dir-limit": [
        change("volumes.0.emptyDir", {}),
        change("volumes.0.emptyDir", {"medium": "Memory"}),
    ],
    "wb-liveness-probe": [change(APP + "livenessProbe", None)],
    "wb-readiness-probe": [change(APP + "readinessProbe", None)],
    "wb-login-ports": [change(APP + "ports", [{"containerPort": 8080}, {"containerPort": 22}])],
    "wb-terminal": [change(APP + "tty", True), change(APP + "stdin", True)],
    "wb-host-paths": [host_path("/opt/data")],
    "wb-sensitive-host-paths": [
        host_path(path)
        for path in (
            "/",
            "/etc",
            "/etc/kubernetes/pki",
            "/proc",
            "/sys/fs/cgroup",
            "/dev",
            "/root/.ssh",
            "/usr/bin",
            "/var",
            "/var/lib/",
            "/var/log",
            "/var/lib/kubelet/pods",
            "/var/run",
            "/boot",
            "//etc",
        )
    ],
    "wb-runtime-socket": [
        host_path(path)
        for path in (
            "/var/run/docker.sock",
            "/run",
            "/var/run/",
            "/run/containerd",
            "/run/containerd/containerd.sock",
            "/run/k3s/containerd/containerd.sock",
            "/opt/crio.sock",
        )
    ],
    "wb-volume-types": [
        change("volumes", [{"name": "x", kind: source}, *GOOD["spec"]["volumes"]])
        for kind, source in (
            ("nfs", {"server": "nfs.example.com", "path": "/x"}),
            ("cephfs", {"monitors": ["a"]}),
            ("gitRepo", {"repository": "https://example.com/x"}),
            ("flexVolume", {"driver": "example.com/x"}),
        )
    ],
    "wb-mount-propagation": [
        change(
            APP + "volumeMounts", [{"name": "tmp", "mountPath": "/tmp", "mountPropagation": "Bidirectional"}]
        )
    ],
    "wb-block-devices": [change(APP + "volumeDevices", [{"name": "data", "devicePath": "/dev/xvda"}])],
    "wb-read-only-root": [change(APP + "securityContext.readOnlyRootFilesystem", None)],
}
