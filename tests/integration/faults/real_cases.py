# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the real cluster, and the pods that have them.

The scan runs `sh` by the container's PATH, so a folder with another `sh` before it makes a hostile container.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.securescan.kubernetes.tests.integration.faults.fault_table import Row

BUSYBOX, DISTROLESS = "securescan.local/busybox:1", "securescan.local/distroless-static:1"
STATIC = "faults-static"
HEALTHY = ("healthy-1", "healthy-2")
_SHELLS = "hostile-shells"
_PATH = "/hostile:/usr/sbin:/usr/bin:/sbin:/bin"
_OLD = "00112233445566778899aabbccddeeff"
_NONCE = "script=$(cat)\nnonce=${script#*nonce=}\nnonce=${nonce%% *}\n"

# What stands for `sh` in the container: name, what it is, the script, the record.
HOSTILE: tuple[tuple[str, str, str, str], ...] = (
    ("flood", "a shell that writes without end", "exec yes securescan-facts", "too_much_output"),
    ("silent", "a shell that says nothing for ever", "exec sleep 3600", "timed_out"),
    (
        "hangs-halfway",
        "a shell that hangs in the middle of its reply",
        "/bin/sh | head -c 2000\nexec sleep 3600",
        "timed_out",
    ),
    ("early-end", "a shell that ends at once", "exit 0", "incomplete_reply"),
    ("half-reply", "a shell whose reply is cut in the middle", "/bin/sh | head -c 2000", "incomplete_reply"),
    ("no-trailer", "a shell whose reply lacks its last line", "/bin/sh | sed '$d'", "incomplete_reply"),
    (
        "garbage",
        "a shell that writes garbage",
        "i=0\nwhile [ $i -lt 999 ]; do printf '\\377\\0\\1\\nframe'; i=$((i+1)); done",
        "invalid_reply",
    ),
    ("banner", "a shell with a greeting before the reply", "echo Welcome\nexec /bin/sh", "invalid_reply"),
    ("afterword", "a shell with a word after the reply", "/bin/sh\necho Goodbye", "invalid_reply"),
    ("terminal", "a reply that went through a terminal: CR LF", "/bin/sh | sed 's/$/\\r/'", "invalid_reply"),
    (
        "old-reply",
        "an old reply, whole and replayed: another nonce",
        f"sed 's/nonce=[0-9a-f]*/nonce={_OLD}/; s/\\(securescan-facts [0-9]*\\) [0-9a-f]*/\\1 {_OLD}/' | "
        "/bin/sh",
        "invalid_reply",
    ),
    (
        "forged-end",
        "a forged trailer with a wrong nonce",
        _NONCE + f"printf 'securescan-facts 1 %s\\nframe q0 ok text 0\\n\\nend 1 {_OLD}\\n' $nonce",
        "invalid_reply",
    ),
    (
        "forged-reply",
        "a forged reply with the right nonce and count, but without the facts",
        _NONCE + "printf 'securescan-facts 1 %s\\nframe q0 ok text 0\\n\\nend 1 %s\\n' $nonce $nonce",
        "incomplete_reply",
    ),
    (
        "refuses",
        "a shell that refuses, with an exit status and a message",
        "echo 'not for you' >&2\nexit 3",
        "collector_failed",
    ),
    ("dies", "a shell that is killed by a signal", "kill -9 $$", "collector_failed"),
    (
        "eats-memory",
        "a shell that runs into the container's memory limit",
        "ulimit -v 1000000\nx=xxxxxxxx\nwhile :; do x=$x$x; done",
        "collector_failed",
    ),
)


def _row(name: str, fault: str, *reasons: str, reach: str = "target") -> Row:
    return Row(name, fault, reasons, reach)


STATIC_ROWS = [_row(name, fault, reason) for name, fault, _script, reason in HOSTILE] + [
    _row("no-interpreter", "a shell whose interpreter does not exist", "collector_failed"),
    _row("not-executable", "a shell that is not executable", "no_such_program"),
    _row("no-shell", "a container without a shell", "no_such_program"),
    _row("policy", "a ValidatingAdmissionPolicy that denies CONNECT on pods/exec for `sh`", "not_permitted"),
    _row("waiting", "a container that waits for its image", "container_not_running"),
    _row("crashing", "a container that crashes again and again", "container_not_running"),
    _row("finished", "a container that has finished", "container_not_running"),
    _row("initializing", "a container whose pod is still at its init containers", "container_not_running"),
    _row("unscheduled", "a pod that has no node", "container_not_running"),
]
DELETED = _row("deleted", "the pod is deleted by force while the collector runs", "pod_gone")
KILLED = _row("killed", "the container's first process ends while the collector runs", "collector_failed")
GONE = _row("gone", "the pod is deleted after the selection", "pod_gone")
REPLACED = _row("replaced", "the pod is replaced by one of its name after the selection", "pod_replaced")
REPLACED_BEFORE = _row(
    "replaced-before", "the pod is replaced by one of its name after its access was made", "pod_replaced"
)
ROLE = _row("role", "the Role is removed in the middle of the run", "not_permitted")
ACCOUNT = _row(
    "account", "the ServiceAccount is removed in the middle of the run", "not_authenticated", "not_permitted"
)
TERMINATING = _row("terminating", "the namespace is being deleted", "access_incomplete", reach="namespace")
WRONG_NAME = _row("wrong-name", "no container has the name that was asked for", "no_targets", reach="run")
KUBELET_IN = _row("kubelet-in", "the kubelet is stopped while the collector runs", "connection_lost")
KUBELET_OUT = _row("kubelet-out", "the kubelet is stopped before the container is entered", "exec_failed")
OUT_OF_MEMORY = _row(
    "out-of-memory",
    "the node has no memory left while the collector runs, and the kernel kills it",
    "collector_failed",
)
CONTAINERD_IN = _row("containerd-in", "containerd is stopped while the collector runs", "incomplete_reply")
CONTAINERD_OUT = _row(
    "containerd-out", "containerd is stopped before the container is entered", "exec_failed"
)
SERVER_IN = _row("server-in", "the API server is restarted while the collector runs", "connection_lost")
SERVER_STOPPED_IN = _row(
    "server-stopped-in", "the API server is stopped while the collector runs", "connection_lost"
)
SERVER_STOPPED_OUT = _row(
    "server-stopped-out", "the API server is stopped before the container is entered", "unreachable"
)
SERVER_STOPPED_RUN = _row(
    "server-stopped-run", "the API server is stopped until the run is over", "access_remains", reach="run"
)
ROWS = [
    *STATIC_ROWS,
    DELETED,
    KILLED,
    GONE,
    REPLACED,
    REPLACED_BEFORE,
    ROLE,
    ACCOUNT,
    TERMINATING,
    WRONG_NAME,
    KUBELET_IN,
    KUBELET_OUT,
    OUT_OF_MEMORY,
    CONTAINERD_IN,
    CONTAINERD_OUT,
    SERVER_IN,
    SERVER_STOPPED_IN,
    SERVER_STOPPED_OUT,
    SERVER_STOPPED_RUN,
]

# A shell that shows that it was entered, and takes its time.
_EATS = "echo entered > /tmp/entered\nsleep 1\nx=xxxxxxxx\nwhile :; do x=$x$x; done"
_SLOW = "echo entered > /tmp/entered\nsleep 120\nexec /bin/sh"
_HELD = "echo entered > /tmp/entered\nuntil [ -e /tmp/go ]; do sleep 0.1; done\nexec /bin/sh"
# With a trap that is heard at once: the first process of a container takes no other signals.
_MAIN = ["/bin/sh", "-c", "trap 'exit 0' TERM INT; sleep 3600 & wait"]


def pod(name: str, namespace: str, *, shell: str = "", **changes: Any) -> dict[str, Any]:
    """A busybox pod; `shell` is the key of another `sh` in the ConfigMap, `changes` are to the container."""
    container: dict[str, Any] = {
        "name": "app",
        "image": BUSYBOX,
        "imagePullPolicy": "Never",
        "command": _MAIN,
    }
    spec: dict[str, Any] = {
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
    }
    if shell:
        container["env"] = [{"name": "PATH", "value": _PATH}]
        container["volumeMounts"] = [{"name": "hostile", "mountPath": "/hostile"}]
        spec["volumes"] = [
            {
                "name": "hostile",
                "configMap": {"name": _SHELLS, "defaultMode": 0o755, "items": [{"key": shell, "path": "sh"}]},
            }
        ]
    container.update(changes)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def namespace_objects(name: str, shells: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """A namespace with the shells of its pods; by default one that takes two minutes, one that is held until /tmp/go is
    there, and one that takes all memory."""
    scripts = shells or {"slow": _SLOW, "held": _HELD, "eats": _EATS}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": _SHELLS, "namespace": name},
            "data": {
                key: script if script.startswith("#!") else f"#!/bin/sh\n{script}\n"
                for key, script in scripts.items()
            },
        },
    ]


def static_objects() -> list[dict[str, Any]]:
    """All that has its fault from the beginning."""
    shells = {name: script for name, _fault, script, _reason in HOSTILE}
    shells["no-interpreter"] = "#!/no/such/shell\n"
    pods = [pod(name, STATIC) for name in HEALTHY] + [pod(name, STATIC, shell=name) for name in shells]
    by_name = {item["metadata"]["name"]: item for item in pods}
    by_name["eats-memory"]["spec"]["containers"][0]["resources"] = {"limits": {"memory": "32Mi"}}
    not_executable = pod(
        "not-executable", STATIC, shell="refuses", env=[{"name": "PATH", "value": "/hostile"}]
    )
    not_executable["spec"]["volumes"][0]["configMap"]["defaultMode"] = 0o644
    crashing = pod("crashing", STATIC, command=["/bin/false"])
    finished = pod("finished", STATIC, command=["/bin/true"])
    finished["spec"]["restartPolicy"] = "Never"
    initializing = pod("initializing", STATIC)
    initializing["spec"]["initContainers"] = [dict(initializing["spec"]["containers"][0], name="first")]
    unscheduled = pod("unscheduled", STATIC)
    unscheduled["spec"]["nodeSelector"] = {"no": "such-node"}
    no_shell = pod("no-shell", STATIC, image=DISTROLESS, args=["8080"])
    del no_shell["spec"]["containers"][0]["command"]
    return [
        *namespace_objects(STATIC, shells),
        *pods,
        not_executable,
        crashing,
        finished,
        initializing,
        unscheduled,
        no_shell,
        pod("policy", STATIC),
        pod("waiting", STATIC, image="securescan.local/nothing:1"),
        *_policy(),
    ]


def _policy() -> list[dict[str, Any]]:
    kind = {"apiVersion": "admissionregistration.k8s.io/v1"}
    return [
        dict(
            kind,
            kind="ValidatingAdmissionPolicy",
            metadata={"name": "no-shell-here"},
            spec={
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "resourceRules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "operations": ["CONNECT"],
                            "resources": ["pods/exec"],
                        }
                    ]
                },
                "validations": [
                    {
                        "expression": "request.name != 'policy' || !('sh' in object.command)",
                        "message": "nobody runs a shell here",
                    }
                ],
            },
        ),
        dict(
            kind,
            kind="ValidatingAdmissionPolicyBinding",
            metadata={"name": "no-shell-here"},
            spec={"policyName": "no-shell-here", "validationActions": ["Deny"]},
        ),
    ]
