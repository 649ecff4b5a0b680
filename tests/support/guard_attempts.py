# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scanner's token may do as far as RBAC is concerned, and what of it the guard lets through."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard_terms import (
    ACCOUNTS,
    EPHEMERAL,
    EXEC,
    GRANTORS,
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
# Of no image that there is: what is tried with it is a dry run.
BY_DIGEST = "sha256:" + "0" * 64
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
    planned = Helper(number, "{node}", [MountedImage(BY_DIGEST, "image-1", USER, USER)])
    return helper_pod(
        f"{{account}}-h{number}",
        planned,
        ImageOptions(namespace="{helpers}", image=BUSYBOX),
        labels={},
        owner={"apiVersion": "v1", "kind": "ServiceAccount", "name": "{account}", "uid": "{uid}"},
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


def nine_containers(pod):
    first, spec = pod["spec"]["containers"][0], pod["spec"]
    spec["containers"] = [dict(first, name=f"image-{number}") for number in range(1, 10)]


NO_PRIVILEGES = "no privileges"
NOT_SET = "nothing in its spec that a scan does not set"
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
    add(
        "add one that stays for longer than a day",
        "nothing but wait",
        command=[*HABITS.idle, "86401", "end", "{run}"],
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
    add("add one whose input is open once", NOTHING_ELSE, stdin=True, stdinOnce=True),
    add("add one in another folder", NOTHING_ELSE, workingDir="/tmp"),
    add(
        "add one that writes its end into a file of its choice", NOTHING_ELSE, terminationMessagePath="/dev/x"
    ),
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
    spec("create a pod of another ServiceAccount", "no ServiceAccount's token", serviceAccountName="app"),
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
    spec("create a pod before all others", "is not urgent", priorityClassName="{urgent}"),
    spec("create a pod that ends slowly", "ends by itself", terminationGracePeriodSeconds=3600),
    spec("create a pod that does not end within a day", "ends by itself", activeDeadlineSeconds=86401),
    spec(
        "create a pod on nodes with a label",
        "nothing of its place",
        nodeSelector={"kubernetes.io/os": "linux"},
    ),
    spec("create a pod on whichever node", "nothing of its place", affinity=None),
    create(
        "create a pod beside others",
        "nothing of its place",
        lambda pod: pod["spec"]["affinity"].update(
            podAffinity={
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "kubernetes.io/hostname"}
                ]
            }
        ),
    ),
    spec(
        "create a pod that bears a taint for a while",
        "nothing of its place",
        tolerations=[{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
    ),
    create(
        "create a pod with an image by its tag",
        "images by digest",
        lambda pod: pod["spec"]["volumes"][0]["image"].update(reference=DEBIAN),
    ),
    create(
        "create a pod that pulls its image again",
        "images by digest",
        lambda pod: pod["spec"]["volumes"][0]["image"].update(pullPolicy="Always"),
    ),
    create("create a pod of nine containers", "at most 8 containers", nine_containers),
    spec("create a pod with the Secret of a registry", "allowed Secrets", imagePullSecrets=[{"name": "any"}]),
    spec("create a pod with names of hosts", NOT_SET, hostAliases=[{"ip": "10.0.0.1", "hostnames": ["a"]}]),
    spec("create a pod for another scheduler", NOT_SET, schedulerName="theirs"),
    spec(
        "create a pod with name servers of its choice",
        NOT_SET,
        dnsPolicy="None",
        dnsConfig={"nameservers": ["10.0.0.1"]},
    ),
    spec("create a pod with a host name", NOT_SET, hostname="a", subdomain="b"),
    spec("create a pod in a user namespace", NOT_SET, hostUsers=False),
    spec("create a pod that waits for a gate", NOT_SET, schedulingGates=[{"name": "tests/never"}]),
    spec("create a pod that hears of Services", NOT_SET, enableServiceLinks=True),
    create(
        "create a pod that a Service finds",
        "no labels",
        lambda pod: pod["metadata"].update(labels={"app": "web"}),
    ),
    create(
        "create a pod with an annotation for the network",
        "no labels",
        lambda pod: pod["metadata"].update(annotations={"k8s.v1.cni.cncf.io/networks": "any"}),
    ),
    create(
        "create a pod that is not deleted at once",
        "no labels",
        lambda pod: pod["metadata"].update(finalizers=["tests.example/stay"]),
    ),
    create(
        "create a pod in further groups",
        "no further groups",
        lambda pod: pod["spec"]["securityContext"].update(supplementalGroups=[42]),
    ),
    create(
        "create a pod in root's group for files",
        "no further groups",
        lambda pod: pod["spec"]["securityContext"].update(fsGroup=0),
    ),
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
    contained(
        "create a pod whose container waits for longer than a day",
        "nothing but wait",
        command=[*HABITS.idle, "99999"],
    ),
    contained(
        "create a pod whose container is started again", "nothing but its image", restartPolicy="Always"
    ),
    contained(
        "create a pod that mounts a part of its image",
        "nothing but its image",
        volumeMounts=[{"name": "image-1", "mountPath": "/image", "readOnly": True, "subPath": "etc"}],
    ),
    contained(
        "create a pod that writes its end into a file of its choice",
        "nothing but its image",
        terminationMessagePath="/dev/x",
    ),
    contained(
        "create a pod with 500 GiB of memory",
        "at most 1 of cpu and 128Mi of memory",
        resources={"requests": {"cpu": "1", "memory": "500Gi"}, "limits": {"cpu": "1", "memory": "500Gi"}},
    ),
    contained(
        "create a pod with a device",
        "nothing else",
        resources={
            "requests": {"cpu": "1", "memory": "1Mi", "example.com/gpu": "1"},
            "limits": {"cpu": "1", "memory": "1Mi", "example.com/gpu": "1"},
        },
    ),
    contained("create a pod without limits", "nothing else", resources=None),
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


# By somebody who is allowed to make pods, Secrets and tokens in the targets' namespace, and to enter none of its pods.
SECRETS, ACCOUNT_PATH = (
    "/api/v1/namespaces/{targets}/secrets",
    "/api/v1/namespaces/{targets}/serviceaccounts",
)
NO_POD, NO_SECRET = "no pod runs as the ServiceAccount of a scan", "no Secret holds a token of a scan"
ONLY_GRANTORS = "only a grantor makes the ServiceAccount of a scan"
ANNOTATION = "kubernetes.io/service-account.name"


def borrow(what, **fields):
    pod = made("v1", "Pod", spec={"containers": [{"name": "a", "image": "none"}], **fields})
    return Attempt(what, "POST", TARGETS + "?dryRun=All", ACCOUNTS, NO_POD, pod, JSON)


def token_of(path, what, policy="", says=""):
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return Attempt(what, "POST", path + "/token?dryRun=All", policy, says, body, JSON)


BORROWED = [
    borrow(
        "run a pod as the scan's ServiceAccount",
        serviceAccountName="{account}",
        automountServiceAccountToken=True,
    ),
    borrow("the same by the field's older name", serviceAccount="{account}"),
    borrow(
        "run a pod with its token as a volume",
        serviceAccountName="{account}",
        volumes=[
            {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        ],
    ),
    Attempt(
        "make a Secret that is filled with its token",
        "POST",
        SECRETS + "?dryRun=All",
        ACCOUNTS,
        NO_SECRET,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "attempt", "annotations": {ANNOTATION: "{account}"}},
        },
        JSON,
    ),
    Attempt(
        "make another account's Secret one for its token",
        "PATCH",
        SECRETS + "/theirs?dryRun=All",
        ACCOUNTS,
        NO_SECRET,
        {"metadata": {"annotations": {ANNOTATION: "{account}"}}},
        MERGE,
    ),
    token_of(ACCOUNT_PATH + "/{account}", "request its token", ACCOUNTS, ONLY_GRANTORS),
    Attempt(
        "make the ServiceAccount of a scan beforehand",
        "POST",
        ACCOUNT_PATH + "?dryRun=All",
        ACCOUNTS,
        ONLY_GRANTORS,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "securescan-later"}},
        JSON,
    ),
]

# By a grantor that has the shipped ClusterRoles in the whole cluster.
RBAC = "rbac.authorization.k8s.io/v1"
ROLES, BINDINGS = (f"/apis/{RBAC}/namespaces/{{targets}}/{kind}" for kind in ("roles", "rolebindings"))
SYSTEM = "/api/v1/namespaces/kube-system/serviceaccounts/clusterrole-aggregation-controller"
OURS, TOKENS = "nothing but the accesses of scans", "no tokens but those of scans"
RIGHTS_OF_SCANS, BINDS, ENTERS = "the rights of scans", "binds nothing but", "enters no pod"
LABELS = {"app.kubernetes.io/managed-by": "securescan.kubernetes"}
ENTER = {
    "apiGroups": [""],
    "resources": ["pods/exec"],
    "verbs": ["create", "get"],
    "resourceNames": ["{pod}"],
}
SCANNER = {"kind": "ServiceAccount", "name": "{account}", "namespace": "{targets}"}


def ours(version, kind, name="securescan-attempt", labels=LABELS, **content):
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        **content,
    }


def grants(what, path, body, says=""):
    return Attempt(what, "POST", path + "?dryRun=All", GRANTORS if says else "", says, body, JSON)


def account_made(what, says="", *, name="securescan-attempt", labels=LABELS, **content):
    account = ours("v1", "ServiceAccount", name, labels, **{"automountServiceAccountToken": False, **content})
    return grants(what, ACCOUNT_PATH, account, says)


def role_made(what, says="", *, name="securescan-attempt", labels=LABELS, path=ROLES, **rule):
    return grants(what, path, ours(RBAC, "Role", name, labels, rules=[{**ENTER, **rule}]), says)


def binding(subject, kind="Role", name="securescan-unbound"):
    reference = {"apiGroup": RBAC.partition("/")[0], "kind": kind, "name": name}
    return ours(RBAC, "RoleBinding", "securescan-unbound", roleRef=reference, subjects=[subject])


def bound_to(what, **subject):
    return grants(what, BINDINGS, binding(subject), BINDS)


def changed(what, path, says=OURS, **body):
    return Attempt(what, "PATCH", path + "?dryRun=All", GRANTORS, says, body, MERGE)


def deleted(what, path, policy="", says=""):
    return Attempt(what, "DELETE", path + "?dryRun=All", policy, says)


GRANTOR = [
    token_of(SYSTEM, "get the token of a controller that can change ClusterRoles", GRANTORS, TOKENS),
    token_of(ACCOUNT_PATH + "/default", "get the token of another ServiceAccount", GRANTORS, TOKENS),
    account_made("make a ServiceAccount under any name", OURS, name="attempt"),
    account_made("make one without the label of scans", OURS, labels=None),
    account_made("make one with a Secret", "without Secrets", secrets=[{"name": "any"}]),
    account_made("make one with a Secret for images", "without Secrets", imagePullSecrets=[{"name": "any"}]),
    account_made("make one whose token is mounted", "mounts no token", automountServiceAccountToken=True),
    changed("change another ServiceAccount", ACCOUNT_PATH + "/default", secrets=[{"name": "any"}]),
    changed(
        "make another's object one of scans",
        ROLES + "/securescan-theirs",
        metadata={"labels": LABELS},
    ),
    deleted("delete another ServiceAccount", ACCOUNT_PATH + "/default", GRANTORS, OURS),
    role_made("make a Role under any name", OURS, name="attempt"),
    role_made("hand out tokens", RIGHTS_OF_SCANS, resources=["serviceaccounts/token"], verbs=["create"]),
    role_made(
        "hand out lists of pods", RIGHTS_OF_SCANS, resources=["pods"], verbs=["list"], resourceNames=[]
    ),
    role_made("hand out entering any pod", RIGHTS_OF_SCANS, resourceNames=[]),
    role_made(
        "hand out Roles",
        RIGHTS_OF_SCANS,
        apiGroups=[RBAC.partition("/")[0]],
        resources=["roles"],
        verbs=["create"],
    ),
    role_made(
        "make an access to the system's pods",
        "closed to scans",
        path=f"/apis/{RBAC}/namespaces/kube-system/roles",
    ),
    changed("change another Role", ROLES + "/theirs", rules=[ENTER]),
    deleted("delete another Role", ROLES + "/theirs", GRANTORS, OURS),
    bound_to("bind a person to a scan's Role", kind="User", name="mallory"),
    bound_to("bind everybody to it", kind="Group", name="system:authenticated"),
    bound_to(
        "bind another ServiceAccount to it", kind="ServiceAccount", name="default", namespace="{targets}"
    ),
    grants(
        "bind a scanner to the grantor's own ClusterRole",
        BINDINGS,
        binding(SCANNER, "ClusterRole", "{grantor_role}"),
        BINDS,
    ),
    deleted("delete another RoleBinding", BINDINGS + "/theirs", GRANTORS, OURS),
    enter("enter a pod itself", "container=app&command=sh", GRANTORS, ENTERS),
    Attempt(
        "add an ephemeral container itself",
        "PATCH",
        ROOT + "/ephemeralcontainers",
        GRANTORS,
        ENTERS,
        {"spec": {"ephemeralContainers": [entry(name="securescan-by-grantor", targetContainerName="root")]}},
        STRATEGIC,
    ),
    Attempt(
        "make a pod itself",
        "POST",
        HELPERS,
        GRANTORS,
        ENTERS,
        made(
            "v1",
            "Pod",
            spec={
                "schedulingGates": [{"name": "tests/never"}],
                "containers": [{"name": "a", "image": "none"}],
            },
        ),
        JSON,
    ),
]

GRANTOR_ALLOWED = [
    account_made("make the ServiceAccount of a scan"),
    role_made("make its Role"),
    grants("make its RoleBinding", BINDINGS, binding(SCANNER)),
    token_of(ACCOUNT_PATH + "/{account}", "get its token"),
    Attempt(
        "change its Role",
        "PATCH",
        ROLES + "/{account}?dryRun=All",
        body={"rules": [ENTER]},
        headers=MERGE,
    ),
    deleted("delete its ServiceAccount", ACCOUNT_PATH + "/{account}"),
    add("ask whether an ephemeral container would be let in"),
]
