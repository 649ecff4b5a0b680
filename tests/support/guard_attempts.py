# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scanner's token may do as far as RBAC is concerned, and what of it the guard lets through."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard import (
    EPHEMERAL,
    EXEC,
    HELPER,
    WRITES,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import (
    Helper,
    ImageOptions,
    MountedImage,
    helper_pod,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.guard import HABITS
from ansible_collections.securescan.kubernetes.tests.support.api_attempts import (
    JSON,
    MERGE,
    STRATEGIC,
    WEBSOCKET,
    made,
)
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import BUSYBOX, DEBIAN

TARGETS, HELPERS = "/api/v1/namespaces/{targets}/pods", "/api/v1/namespaces/{helpers}/pods"
POD, ROOT = TARGETS + "/{pod}", TARGETS + "/root"
SPDY = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io"}
FORWARD = dict(WEBSOCKET, **{"Sec-WebSocket-Protocol": "v4.channel.k8s.io"})
USER = 10001


@dataclass(frozen=True)
class Attempt:
    """A request; `policy` refuses it, with words of which `says` is a part. Both are empty where the guard lets it through."""

    what: str
    method: str
    path: str
    policy: str = ""
    says: str = ""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    at: str = "api"


def enter(what, query, policy="", says="", *, method="GET", pod=POD):
    headers = WEBSOCKET if method == "GET" else SPDY
    return Attempt(what, method, f"{pod}/exec?{query}&stdout=true", policy, says, headers=headers)


def entry(**changes):
    """An ephemeral container as a scan adds it; a change of None takes the field away."""
    security = {
        "runAsUser": USER,
        "runAsGroup": USER,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return without_none(
        {
            "name": "securescan-attempt-1",
            "image": BUSYBOX,
            "imagePullPolicy": "IfNotPresent",
            "targetContainerName": "app",
            "command": [*HABITS.idle, "60", "end", "{run}"],
            **changes,
            "securityContext": without_none({**security, **changes.get("securityContext", {})}),
        }
    )


def without_none(mapping):
    return {key: value for key, value in mapping.items() if value is not None}


def add(what, says="", *, pod=POD, **changes):
    return Attempt(
        what,
        "PATCH",
        pod + "/ephemeralcontainers?dryRun=All",
        EPHEMERAL if says else "",
        says,
        {"spec": {"ephemeralContainers": [entry(**changes)]}},
        STRATEGIC,
    )


def secured(what, says="", **changes):
    return add(what, says, securityContext=changes)


def helper(number=1):
    """The helper pod that a scan by image makes."""
    planned = Helper(number, "{node}", [MountedImage(DEBIAN, "image-1", USER, USER)])
    return helper_pod(
        f"{{account}}-h{number}",
        planned,
        ImageOptions(namespace="{helpers}", image=BUSYBOX),
        labels={},
        owner={"name": "{account}", "uid": "{uid}"},
        lifetime=600,
    )


def create(what, says="", change=lambda pod: None):
    pod = copy.deepcopy(helper())
    change(pod)
    return Attempt(what, "POST", HELPERS + "?dryRun=All", HELPER if says else "", says, pod, JSON)


def spec(what, says, **changes):
    """A helper pod with these fields of its spec."""
    return create(what, says, lambda pod: pod["spec"].update(changes))


def contained(what, says, **changes):
    """A helper pod with these fields of its container."""
    return create(what, says, lambda pod: pod["spec"]["containers"][0].update(changes))


def contained_security(what, says, **changes):
    return create(what, says, lambda pod: pod["spec"]["containers"][0]["securityContext"].update(changes))


def volume(what, **source):
    def change(pod):
        pod["spec"]["volumes"].append({"name": "more", **source})

    return create(what, "no volumes but images", change)


NO_PRIVILEGES = "no privileges"
NOTHING_ELSE = "no volumes, no environment"
RUNS = "runs nothing but: sh"

# Within the rights that the scan's own Roles give: those of debug over the target's pod, those of image over helper pods.
DENIED = [
    enter("run another program", "container=app&command=cat&command=/etc/shadow", EXEC, RUNS),
    enter(
        "the same by POST, as SPDY does",
        "container=app&command=cat&command=/etc/shadow",
        EXEC,
        RUNS,
        method="POST",
    ),
    enter(
        "give the shell its script by argument", "container=app&command=sh&command=-c&command=id", EXEC, RUNS
    ),
    enter("run another shell", "container=app&command=/bin/sh", EXEC, RUNS),
    enter(
        "end what runs in a target", "container=app&command=sh&command=-s&command=securescan-end", EXEC, RUNS
    ),
    enter(
        "run another program in a container of the scan",
        "container=securescan-own&command=id",
        EXEC,
        RUNS,
        pod=ROOT,
    ),
    enter("have a terminal", "container=app&command=sh&stdin=true&tty=true", EXEC, "no terminal"),
    enter("enter whichever container is the default", "command=sh", EXEC, "names the container"),
    secured("add a privileged container", NO_PRIVILEGES, privileged=True, allowPrivilegeEscalation=None),
    secured("add one that may gain privileges", NO_PRIVILEGES, allowPrivilegeEscalation=True),
    secured(
        "add one that does not forbid privilege escalation", NO_PRIVILEGES, allowPrivilegeEscalation=None
    ),
    secured(
        "add one as root that may gain privileges",
        NO_PRIVILEGES,
        runAsUser=0,
        runAsNonRoot=None,
        allowPrivilegeEscalation=True,
    ),
    secured(
        "add one with another capability",
        "drops all capabilities",
        capabilities={"drop": ["ALL"], "add": ["SYS_PTRACE"]},
    ),
    secured("add one with the default capabilities", "drops all capabilities", capabilities=None),
    secured("add one with a writable root", NO_PRIVILEGES, readOnlyRootFilesystem=None),
    secured("add one without seccomp", NO_PRIVILEGES, seccompProfile={"type": "Unconfined"}),
    secured("add one with an SELinux type of its choice", NO_PRIVILEGES, seLinuxOptions={"type": "spc_t"}),
    secured("add one without AppArmor", NO_PRIVILEGES, appArmorProfile={"type": "Unconfined"}),
    secured("add one as root", "user and group", runAsUser=0, runAsNonRoot=None),
    secured("add one as root's group", "user and group", runAsGroup=0),
    secured("add one as its image's user", "user and group", runAsUser=None),
    add("add one beside no target", "names its target", targetContainerName=None),
    add("add one of another image", "allowed images", image=DEBIAN),
    add("add one under any name", "is named securescan-*", name="app-metrics"),
    add("add one with another command", "nothing but wait", command=["sleep", "60"]),
    add(
        "add one with more in its command",
        "nothing but wait",
        command=[*HABITS.idle[:2], "id; " + HABITS.idle[2], *HABITS.idle[3:], "60", "end", "{run}"],
    ),
    add(
        "add one that stays for a week", "nothing but wait", command=[*HABITS.idle, "604800", "end", "{run}"]
    ),
    add("add one in another run's name", "nothing but wait", command=[*HABITS.idle, "60", "end", "another"]),
    add(
        "add one that mounts a volume of the pod",
        NOTHING_ELSE,
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
    ),
    add("add one with an environment", NOTHING_ELSE, env=[{"name": "LD_PRELOAD", "value": "/x.so"}]),
    add("add one with a Secret as its environment", NOTHING_ELSE, envFrom=[{"secretRef": {"name": "any"}}]),
    add("add one with arguments", NOTHING_ELSE, args=["x"]),
    add("add one with a terminal", NOTHING_ELSE, stdin=True, tty=True),
    create(
        "create a pod under any name", "named after the scan", lambda pod: pod["metadata"].update(name="app")
    ),
    create(
        "create another run's helper pod",
        "named after the scan",
        lambda pod: pod["metadata"].update(name="securescan-another-h1"),
    ),
    create(
        "create a pod that nobody owns",
        "owned by the scan",
        lambda pod: pod["metadata"].pop("ownerReferences"),
    ),
    create(
        "create a pod that another ServiceAccount owns",
        "owned by the scan",
        lambda pod: pod["metadata"]["ownerReferences"][0].update(name="default"),
    ),
    spec("create a pod with a token", "no ServiceAccount's token", automountServiceAccountToken=True),
    spec(
        "create a pod of another ServiceAccount", "no ServiceAccount's token", serviceAccountName="{account}"
    ),
    spec("create a pod in the node's network", "shares nothing with its node", hostNetwork=True),
    spec("create a pod among the node's processes", "shares nothing with its node", hostPID=True),
    spec("create a pod in the node's IPC namespace", "shares nothing with its node", hostIPC=True),
    spec(
        "create a pod whose containers see each other",
        "shares nothing with its node",
        shareProcessNamespace=True,
    ),
    spec("create a pod on a node past the scheduler", "shares nothing with its node", nodeName="{node}"),
    spec("create a pod that does not end", "ends by itself", activeDeadlineSeconds=None),
    spec("create a pod that is started again", "ends by itself", restartPolicy="Always"),
    volume("create a pod with a folder of the node", hostPath={"path": "/"}),
    volume("create a pod with a Secret", secret={"secretName": "any"}),
    volume(
        "create a pod with a token as a volume",
        projected={"sources": [{"serviceAccountToken": {"path": "token"}}]},
    ),
    volume("create a pod with a volume of an application", persistentVolumeClaim={"claimName": "any"}),
    spec("create a pod without seccomp", "seccomp RuntimeDefault", securityContext={"runAsNonRoot": True}),
    spec(
        "create a pod with sysctls",
        "no sysctls",
        securityContext={
            "seccompProfile": {"type": "RuntimeDefault"},
            "sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "0"}],
        },
    ),
    spec(
        "create a pod with an init container",
        "no init containers",
        initContainers=[{"name": "first", "image": BUSYBOX}],
    ),
    contained_security(
        "create a privileged pod", NO_PRIVILEGES, privileged=True, allowPrivilegeEscalation=True
    ),
    contained_security("create a pod that may gain privileges", NO_PRIVILEGES, allowPrivilegeEscalation=True),
    contained_security("create a pod with a writable root", NO_PRIVILEGES, readOnlyRootFilesystem=False),
    contained_security(
        "create a pod with a container without seccomp", NO_PRIVILEGES, seccompProfile={"type": "Unconfined"}
    ),
    contained_security(
        "create a pod with a container without AppArmor",
        NO_PRIVILEGES,
        appArmorProfile={"type": "Unconfined"},
    ),
    create(
        "create a pod without AppArmor by annotation",
        NO_PRIVILEGES,
        lambda pod: pod["metadata"].update(
            annotations={"container.apparmor.security.beta.kubernetes.io/image-1": "unconfined"}
        ),
    ),
    contained_security(
        "create a pod with another capability",
        "drops all capabilities",
        capabilities={"drop": ["ALL"], "add": ["NET_RAW"]},
    ),
    contained_security("create a pod as root", "is not root", runAsUser=0, runAsNonRoot=False),
    contained("create a pod of another image", "allowed images", image=DEBIAN),
    contained("create a pod that runs something", "nothing but wait", command=["sh", "-c", "id"]),
    contained(
        "create a pod that mounts its image elsewhere",
        "nothing but its image",
        volumeMounts=[{"name": "image-1", "mountPath": "/usr", "readOnly": True}],
    ),
    contained("create a pod with an environment", "nothing but its image", env=[{"name": "a", "value": "b"}]),
    contained(
        "create a pod with a port of the node",
        "nothing but its image",
        ports=[{"containerPort": 80, "hostPort": 80}],
    ),
]

# Beyond them: somebody has bound the scanner to cluster-admin besides, by a mistake with a group for instance.
CHANGES_NOTHING, DELETES = "it changes nothing else", "deletes no pods but those of its scan"
BEYOND = [
    Attempt("delete a target", "DELETE", POD + "?dryRun=All", WRITES, DELETES),
    Attempt("delete all pods", "DELETE", TARGETS + "?dryRun=All", WRITES, DELETES),
    Attempt(
        "evict a target",
        "POST",
        POD + "/eviction?dryRun=All",
        WRITES,
        CHANGES_NOTHING,
        made("policy/v1", "Eviction", "{pod}"),
        JSON,
    ),
    Attempt(
        "attach to a target",
        "GET",
        POD + "/attach?container=app&stdout=true",
        WRITES,
        CHANGES_NOTHING,
        headers=WEBSOCKET,
    ),
    Attempt(
        "forward a port of a target",
        "GET",
        POD + "/portforward?ports=8080",
        WRITES,
        CHANGES_NOTHING,
        headers=FORWARD,
    ),
    Attempt(
        "reach a target through the API server's proxy", "GET", POD + ":1/proxy/", WRITES, CHANGES_NOTHING
    ),
    Attempt(
        "reach the kubelet through the API server",
        "GET",
        "/api/v1/nodes/{node}/proxy/healthz",
        WRITES,
        CHANGES_NOTHING,
    ),
    Attempt(
        "change the labels of a target",
        "PATCH",
        POD + "?dryRun=All",
        WRITES,
        CHANGES_NOTHING,
        {"metadata": {"labels": {"a": "b"}}},
        MERGE,
    ),
    Attempt(
        "create a Secret",
        "POST",
        "/api/v1/namespaces/{targets}/secrets?dryRun=All",
        WRITES,
        CHANGES_NOTHING,
        made("v1", "Secret"),
        JSON,
    ),
    Attempt(
        "ask for a token of another ServiceAccount",
        "POST",
        "/api/v1/namespaces/{targets}/serviceaccounts/default/token?dryRun=All",
        WRITES,
        CHANGES_NOTHING,
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        JSON,
    ),
    Attempt(
        "bind itself to cluster-admin once more",
        "POST",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?dryRun=All",
        WRITES,
        CHANGES_NOTHING,
        made(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        ),
        JSON,
    ),
    Attempt(
        "create a workload",
        "POST",
        "/apis/batch/v1/namespaces/{targets}/jobs?dryRun=All",
        WRITES,
        CHANGES_NOTHING,
        made(
            "batch/v1",
            "Job",
            spec={
                "template": {
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "none"}]}
                }
            },
        ),
        JSON,
    ),
]

ALLOWED = [
    enter("enter a target", "container=app&command=sh&stdin=true"),
    enter(
        "end a container of the scan",
        "container=securescan-own&command=sh&command=-s&command=securescan-end",
        pod=ROOT,
    ),
    Attempt("see a target", "GET", POD),
    add("add an ephemeral container"),
    create("create a helper pod"),
    Attempt(
        "ask what it may do itself",
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body={
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "{targets}"}},
        },
        headers=JSON,
    ),
]
