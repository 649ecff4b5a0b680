# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped profile workload-baseline: each control passes, fails and is Not Reviewed where it should."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.queries import required_queries
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)

PROFILES = Path(__file__).resolve().parents[5] / "profiles"
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


HOST_PATHS = {"wb-host-paths", "wb-volume-types"}
ESCALATION = {"wb-privilege-escalation", "wb-dropped-capabilities", "wb-added-capabilities"}
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
# What fails too, because the controls overlap on purpose or one field cannot be changed alone.
ALSO = {
    "wb-image-tag": {"wb-image-digest"},
    "wb-volume-types": set(),
    "wb-host-paths": HOST_PATHS,
    "wb-sensitive-host-paths": HOST_PATHS | {"wb-runtime-socket"},
    "wb-runtime-socket": HOST_PATHS | {"wb-sensitive-host-paths"},
    "wb-privileged": ESCALATION | {"wb-unconfined-system-calls", "wb-system-calls", "wb-apparmor"},
    "wb-added-capabilities": ESCALATION,
    "wb-unconfined-system-calls": {"wb-system-calls"},
    "wb-memory-limit": set(),
    "wb-memory-request": {"wb-memory-limit"},
    "wb-cpu-request": {"wb-cpu-limit"},
}
# What makes a control Not Applicable instead.
NOT_APPLICABLE = {
    "wb-token-lifetime": change("volumes", None),
    "wb-empty-dir-limit": change("volumes", []),
    "wb-node-agent-priority": change("/metadata.namespace", "kube-system"),
    "wb-run-as-non-root": change("hostUsers", False),
    "wb-run-as-user": change("hostUsers", False),
    "wb-liveness-probe": change("restartPolicy", "Never"),
    "wb-readiness-probe": change("restartPolicy", "OnFailure"),
}
NOT_FOR_EPHEMERAL = {
    "wb-memory-limit",
    "wb-memory-request",
    "wb-cpu-request",
    "wb-cpu-limit",
    "wb-storage-limit",
    "wb-terminal",
    "wb-liveness-probe",
    "wb-readiness-probe",
}


@pytest.fixture(scope="module")
def profile():
    return load_profile("workload-baseline", [PROFILES], {})


def judge(profile, pod, container="app"):
    """Status of each control as readers of HDF compute it."""
    result = evaluate(profile, Facts({}), EvaluationContext({}, pod, container))
    return {control.id: status_of(control) for control in result.controls}


def status_of(control):
    statuses = {segment.status for segment in control.results}
    if not statuses or "error" in statuses:
        return "Profile Error"
    if control.impact == 0:
        return "Not Applicable"
    return "Failed" if "failed" in statuses else "Passed" if "passed" in statuses else "Not Reviewed"


def test_a_good_pod_passes_everything_without_a_single_fact(profile):
    assert set(judge(profile, GOOD).values()) == {"Passed"}
    assert required_queries([profile]) == ()


@pytest.mark.parametrize(
    ("control", "case"), [(control, case) for control, cases in BAD.items() for case in cases]
)
def test_a_bad_pod_fails(profile, control, case):
    failed = {name: status for name, status in judge(profile, changed(*case)).items() if status != "Passed"}
    assert failed.pop(control) == "Failed"
    assert set(failed.values()) <= {"Failed"}
    assert set(failed) <= ALSO.get(control, set())


@pytest.mark.parametrize(("control", "case"), list(NOT_APPLICABLE.items()))
def test_what_does_not_apply_is_not_applicable(profile, control, case):
    assert judge(profile, changed(*case))[control] == "Not Applicable"


def test_an_ephemeral_container_is_not_asked_for_what_it_cannot_have(profile):
    judged = judge(profile, GOOD, "debug")
    assert {name for name, status in judged.items() if status == "Not Applicable"} == NOT_FOR_EPHEMERAL
    assert {name for name, status in judged.items() if status == "Failed"} == {"wb-image-digest"}


def test_every_control_has_the_three_cases(profile):
    """It passes on the good pod, fails on a bad one (above), and is Not Reviewed where the pod's object is not known."""
    assert [control["id"] for control in profile.controls] == list(BAD)
    assert len(BAD) >= 30
    assert all(BAD.values())
    assert set(judge(profile, {}).values()) == {"Not Reviewed"}
    assert set(judge(profile, {"metadata": {}}).values()) == {"Not Reviewed"}
    conditional = {control["id"] for control in profile.controls if control["only_if"]}
    assert conditional == set(NOT_APPLICABLE) | NOT_FOR_EPHEMERAL


def test_a_target_that_the_pod_does_not_have_is_not_judged_by_the_pod_alone(profile):
    """What is about the container is Not Reviewed; what is about the pod as a whole is still known."""
    judged = judge(profile, GOOD, "gone")
    assert (
        judged["wb-memory-limit"] == judged["wb-image-tag"] == judged["wb-token-automount"] == "Not Reviewed"
    )
    assert judged["wb-privileged"] == judged["wb-host-pid"] == "Passed"
    assert set(judged.values()) == {"Passed", "Not Reviewed"}


def test_a_pod_with_nothing_but_an_image(profile):
    """What Kubernetes admits by default passes the standard baseline, and nothing of restricted but volumes and user."""
    bare = {
        "metadata": {"name": "x", "namespace": "y"},
        "spec": {"containers": [{"name": "app", "image": "x"}]},
    }
    standards = {
        control["id"]: control["tags"]["pss"][0] for control in profile.controls if "pss" in control["tags"]
    }
    failed = {
        name for name, status in judge(profile, bare).items() if status == "Failed" and name in standards
    }
    assert failed == {
        "wb-dropped-capabilities",
        "wb-privilege-escalation",
        "wb-run-as-non-root",
        "wb-system-calls",
    }
    assert {standards[name].split(":")[0] for name in failed} == {"restricted"}


def test_every_control_of_the_standards_is_there(profile):
    """The names of the official table, https://kubernetes.io/docs/concepts/security/pod-security-standards/ (1.36)."""
    named = {name for control in profile.controls for name in control["tags"].get("pss", [])}
    assert named == {
        f"baseline: {name}"
        for name in (
            "HostProcess",
            "Host Namespaces",
            "Privileged Containers",
            "Capabilities",
            "HostPath Volumes",
            "Host Ports",
            "Host Probes / Lifecycle Hooks",
            "AppArmor",
            "SELinux",
            "/proc Mount Type",
            "Seccomp",
            "Sysctls",
        )
    } | {
        f"restricted: {name}"
        for name in (
            "Volume Types",
            "Privilege Escalation",
            "Running as Non-root",
            "Running as Non-root user",
            "Seccomp",
            "Capabilities",
        )
    }


def test_inputs_change_what_is_allowed():
    strict = load_profile(
        "workload-baseline",
        [PROFILES],
        {
            "trusted_registries": "^trusted[.]example[.]com$",
            "max_token_seconds": 600,
            "volume_types": ["emptyDir"],
            "safe_sysctls": [],
            "login_ports": [8080],
        },
    )
    failed = {name for name, status in judge(strict, GOOD).items() if status == "Failed"}
    assert failed == {
        "wb-image-registry",
        "wb-token-lifetime",
        "wb-volume-types",
        "wb-sysctls",
        "wb-login-ports",
    }


def test_a_value_that_looks_like_a_secret_is_not_shown(profile):
    pod = changed(*change(APP + "env", [{"name": "DB_PASSWORD", "value": "hunter2"}]))
    result = evaluate(profile, Facts({}), EvaluationContext({}, pod, "app"))
    messages = [
        segment.message for control in result.controls for segment in control.results if segment.message
    ]
    assert any("DB_PASSWORD" in message for message in messages)
    assert "hunter2" not in str(result)
