# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped profile workload-baseline: each control passes, fails and is Not Reviewed where it should."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.queries import required_queries
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)
from ansible_collections.securescan.kubernetes.tests.support.verdict_words import status_of
from ansible_collections.securescan.kubernetes.tests.support.workload_baseline_pods import (
    APP,
    BAD,
    GOOD,
    change,
    changed,
    host_path,
)

PROFILES = Path(__file__).resolve().parents[5] / "profiles"


HOST_PATHS = {"wb-host-paths", "wb-volume-types"}
ESCALATION = {"wb-privilege-escalation", "wb-dropped-capabilities", "wb-added-capabilities"}
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


def paths(text):
    return text.split()


SENSITIVE = paths(
    """
    / // /. /./etc //etc //./etc /etc/ /etc/kubernetes/pki etc /var /var/ /var/lib /var/log /var/run /run/ /opt /root/.ssh
    /proc /sys/fs/cgroup /dev/sda /boot /usr/bin /lib64 /home/admin /var/lib/kubelet/pods /var/lib/etcd
    /var/lib/containerd /var/lib/docker/overlay2 /var/lib/containers/storage /var/lib/rancher/k3s/server
    /var/lib/rancher/rke2 /var/lib/k0s/pki /var/snap /var/snap/microk8s/current /var/lib/minikube/certs /opt/cni/bin
    /opt/rke /var/spool/cron /var/lib/cri-dockerd /run/k3s/containerd /var/run/docker.sock/ /var/lib/buildkit
    /var/lib/cloud C:\\ C:\\Windows c:/etc
    """
)
HARMLESS = paths(
    """
    /data /mnt/data /srv/shop /var/log/pods /var/log/containers /var/lib/shop /var/www /opt/shop /var/lib/kubelets
    /etcetera /var/data/shop D:\\data
    """
)
SOCKETS = paths(
    """
    / /var /run /var/run/ /run/docker.sock /var/run/docker.sock/ /var/run/./docker.sock /run/containerd
    /run/containerd/containerd.sock /run/containerd/containerd.sock.ttrpc /run/k3s/containerd
    /run/k3s/containerd/containerd.sock /var/run/k3s /run/k0s/containerd.sock /run/crio/crio.sock /var/run/crio/
    /run/podman/podman.sock /run/user/1000 /run/user/1000/podman/podman.sock /run/user/1000/docker.sock
    /run/cri-dockerd.sock /var/run/dockershim.sock /var/snap/microk8s/common/run/containerd.sock /var/snap/microk8s
    /opt/x/docker.sock //./pipe/docker_engine \\\\.\\pipe\\containerd-containerd
    """
)
NO_SOCKETS = [
    "/etc",
    "/data",
    "/var/lib/docker",
    "/run/shop",
    "/var/run/shop.sock",
    "/var/log",
    "/run/dockerish",
    "/var/snap/shop",
]


@pytest.mark.parametrize(
    ("control", "path", "expected"),
    [
        *(("wb-sensitive-host-paths", path, "Failed") for path in SENSITIVE),
        *(("wb-sensitive-host-paths", path, "Passed") for path in HARMLESS),
        *(("wb-runtime-socket", path, "Failed") for path in SOCKETS),
        *(("wb-runtime-socket", path, "Passed") for path in NO_SOCKETS),
    ],
)
def test_a_path_of_the_node_is_judged_as_the_kernel_takes_it(profile, control, path, expected):
    assert judge(profile, changed(*host_path(path)))[control] == expected


PROJECTED = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}


@pytest.mark.parametrize(
    ("volume", "mount_path", "expected"),
    [
        ({"name": "t", "emptyDir": {}}, "/var/run/./secrets/kubernetes.io/serviceaccount/", "Failed"),
        (
            {"name": "t", "secret": {"secretName": "t"}},
            "//run/secrets/kubernetes.io/serviceaccount",
            "Failed",
        ),
        (PROJECTED, "/tokens", "Failed"),
        (
            {
                "name": "t",
                "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]},
            },
            "/tokens",
            "Passed",
        ),
        ({"name": "t", "emptyDir": {"sizeLimit": "1Mi"}}, "/var/run/secrets/other", "Passed"),
    ],
)
def test_a_token_for_the_api_is_seen_wherever_it_is_mounted(profile, volume, mount_path, expected):
    mount = {"name": "t", "mountPath": mount_path}
    pod = changed(*change("volumes", [volume]), *change(APP + "volumeMounts", [mount]))
    assert judge(profile, pod)["wb-token-automount"] == expected


def test_evidence_names_the_variables_and_shows_no_value(profile):
    env = [
        {"name": "MYSQL_PWD", "value": "hunter2"},
        {"name": "DB_PASS", "value": "hunter2"},
        {"name": "DATABASE_URL", "value": "postgres://shop:hunter2@db/shop"},
        {"name": "SECRET_NAME", "value": "shop-db"},
    ]
    result = evaluate(profile, Facts({}), EvaluationContext({}, changed(*change(APP + "env", env)), "app"))
    (control,) = (one for one in result.controls if one.id == "wb-literal-secrets")
    assert [segment.message for segment in control.results if segment.message] == [
        "expected literal_secrets to have none outside [], found [MYSQL_PWD, DB_PASS, DATABASE_URL] in the container's spec"
    ]
    assert "hunter2" not in str(result)


def test_evidence_names_the_secrets_that_become_variables(profile):
    env = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}
        for name in ("db-password", "api-token")
    ]
    result = evaluate(profile, Facts({}), EvaluationContext({}, changed(*change(APP + "env", env)), "app"))
    (control,) = (one for one in result.controls if one.id == "wb-secret-variables")
    assert "found [api-token, db-password]" in control.results[0].message


def test_inputs_name_more_secrets_and_take_others_out():
    own = load_profile(
        "workload-baseline",
        [PROFILES],
        {"secret_variable_names": "^LEVEL$", "harmless_variables": ["CLUSTER_TOKEN"]},
    )
    harmless = changed(*change(APP + "env", [{"name": "CLUSTER_TOKEN", "value": "etcd-1"}]))
    assert judge(own, harmless)["wb-literal-secrets"] == "Passed"
    assert judge(own, GOOD)["wb-literal-secrets"] == "Failed"
