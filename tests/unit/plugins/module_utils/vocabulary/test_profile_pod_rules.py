# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod's API object as Kubernetes applies it: container over pod, defaults, and what privileged means."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_pod import kept_pod
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
    Evidence,
    NotKnownError,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.pod_spec import parse_image
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.registry import RESOURCES
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.resource import View


def pod(container=None, context=None, **spec):
    """A pod with a container `app` of these fields, a security context, and other fields of its spec."""
    containers = [{"name": "other"}, dict({"name": "app", "image": "example.com/app:1"}, **(container or {}))]
    return {
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": dict({"containers": containers}, **spec, **({"securityContext": context} if context else {})),
    }


def own(**context):
    return {"securityContext": context}


def apparmor(profile):
    """Metadata with the annotation of Kubernetes before 1.30."""
    return {"annotations": {"container.apparmor.security.beta.kubernetes.io/app": profile}}


TOKEN = {
    "volumeMounts": [
        {
            "name": "kube-api-access-x",
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            "readOnly": True,
        }
    ]
}
HOST = {
    "volumes": [
        {"name": "h", "hostPath": {"path": "/etc"}},
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "e", "emptyDir": {}},
    ]
}
MOUNTS = {
    "volumeMounts": [
        {"name": "h", "mountPath": "/host"},
        {"name": "h", "mountPath": "/ro", "readOnly": True},
        {"name": "c", "mountPath": "/c"},
    ]
}

CONTAINER = [
    ("name", "app", pod()),
    ("kind", "container", pod()),
    ("privileged", False, pod()),
    ("privileged", True, pod(own(privileged=True))),
    ("allow_privilege_escalation", True, pod()),
    ("allow_privilege_escalation", True, pod(own(allowPrivilegeEscalation=True))),
    ("allow_privilege_escalation", False, pod(own(allowPrivilegeEscalation=False))),
    ("allow_privilege_escalation", True, pod(own(allowPrivilegeEscalation=False, privileged=True))),
    (
        "allow_privilege_escalation",
        True,
        pod(own(allowPrivilegeEscalation=False, capabilities={"add": ["CAP_SYS_ADMIN"]})),
    ),
    ("run_as_non_root", False, pod()),
    ("run_as_non_root", True, pod(context={"runAsNonRoot": True})),
    ("run_as_non_root", False, pod(own(runAsNonRoot=False), {"runAsNonRoot": True})),
    ("run_as_non_root", True, pod(own(runAsNonRoot=True), {"runAsNonRoot": False})),
    ("run_as_user", None, pod()),
    ("run_as_user", 5, pod(context={"runAsUser": 5})),
    ("run_as_user", 0, pod(own(runAsUser=0), {"runAsUser": 5})),
    ("run_as_group", None, pod()),
    ("run_as_group", 7, pod(own(runAsGroup=7), {"runAsGroup": 5})),
    ("read_only_root_filesystem", False, pod()),
    ("read_only_root_filesystem", True, pod(own(readOnlyRootFilesystem=True))),
    ("capabilities_added", [], pod()),
    (
        "capabilities_added",
        ["NET_RAW", "SYS_TIME"],
        pod(own(capabilities={"add": ["sys_time", "CAP_NET_RAW", "NET_RAW"]})),
    ),
    ("capabilities_added", ["ALL"], pod(own(privileged=True))),
    ("capabilities_dropped", [], pod()),
    ("capabilities_dropped", ["ALL"], pod(own(capabilities={"drop": ["all"]}))),
    ("capabilities_dropped", [], pod(own(capabilities={"drop": ["ALL"]}, privileged=True))),
    ("seccomp_profile", None, pod()),
    ("seccomp_profile", "RuntimeDefault", pod(context={"seccompProfile": {"type": "RuntimeDefault"}})),
    (
        "seccomp_profile",
        "Unconfined",
        pod(own(seccompProfile={"type": "Unconfined"}), {"seccompProfile": {"type": "RuntimeDefault"}}),
    ),
    ("seccomp_profile", "Unconfined", pod(own(privileged=True, seccompProfile={"type": "RuntimeDefault"}))),
    ("apparmor_profile", None, pod()),
    ("apparmor_profile", "Localhost", pod(context={"appArmorProfile": {"type": "Localhost"}})),
    ("apparmor_profile", "Unconfined", pod(own(privileged=True))),
    ("apparmor_profile", "RuntimeDefault", dict(pod(), metadata=apparmor("runtime/default"))),
    ("apparmor_profile", "Localhost", dict(pod(), metadata=apparmor("localhost/x"))),
    ("selinux_type", None, pod()),
    ("selinux_type", "a_t", pod(own(seLinuxOptions={"type": "a_t"}), {"seLinuxOptions": {"type": "b_t"}})),
    ("selinux_user", None, pod(own(seLinuxOptions={"type": "a_t"}), {"seLinuxOptions": {"user": "u"}})),
    ("selinux_role", "r", pod(context={"seLinuxOptions": {"role": "r"}})),
    ("proc_mount", "Default", pod()),
    ("proc_mount", "Unmasked", pod(own(procMount="Unmasked"))),
    ("memory_limit", None, pod()),
    ("memory_limit", "1Gi", pod({"resources": {"limits": {"memory": "1Gi"}}})),
    ("memory_limit", "2Gi", pod(resources={"limits": {"memory": "2Gi"}})),
    ("cpu_limit", "500m", pod({"resources": {"limits": {"cpu": "0.5"}}})),
    ("ephemeral_storage_limit", "1G", pod({"resources": {"limits": {"ephemeral-storage": "1000M"}}})),
    ("cpu_request", "100m", pod({"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": 1}}})),
    ("cpu_request", 1, pod({"resources": {"limits": {"cpu": 1}}})),
    ("memory_request", "64Mi", pod(resources={"requests": {"memory": "64Mi"}})),
    ("memory_request", None, pod()),
    ("liveness_probe", False, pod()),
    ("liveness_probe", True, pod({"livenessProbe": {"tcpSocket": {"port": 1}}})),
    ("readiness_probe", True, pod({"readinessProbe": {"exec": {"command": ["x"]}}})),
    ("startup_probe", False, pod()),
    (
        "probe_hosts",
        ["a", "b"],
        pod(
            {
                "livenessProbe": {"httpGet": {"host": "a"}},
                "lifecycle": {"preStop": {"tcpSocket": {"host": "b"}}},
            }
        ),
    ),
    ("host_ports", [80], pod({"ports": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81}]})),
    (
        "environment_secrets",
        ["a", "b"],
        pod(
            {
                "env": [
                    {"name": "X", "valueFrom": {"secretKeyRef": {"name": "b", "key": "k"}}},
                    {"name": "Y", "value": "1"},
                ],
                "envFrom": [{"secretRef": {"name": "a"}}, {"configMapRef": {"name": "c"}}],
            }
        ),
    ),
    ("mount_paths", ["/host", "/ro", "/c"], pod(MOUNTS, **HOST)),
    ("host_paths", ["/etc", "/etc"], pod(MOUNTS, **HOST)),
    ("host_paths", [], pod(**HOST)),
    ("writable_host_paths", ["/etc"], pod(MOUNTS, **HOST)),
    (
        "host_paths",
        ["/etc", "/var/run", "/var/lib/kubelet/pki"],
        pod(
            {
                "volumeMounts": [
                    {"name": "a", "mountPath": "/a"},
                    {"name": "b", "mountPath": "//b/./c/"},
                    {"name": "c", "mountPath": "/c", "subPath": "kubelet//pki/"},
                ]
            },
            volumes=[
                {"name": "a", "hostPath": {"path": "/./etc"}},
                {"name": "b", "hostPath": {"path": "//var///run/"}},
                {"name": "c", "hostPath": {"path": "/var/lib/."}},
            ],
        ),
    ),
    ("mount_paths", ["/b/c"], pod({"volumeMounts": [{"name": "b", "mountPath": "//b/./c/"}]})),
    ("service_account_token", False, pod()),
    *(
        ("service_account_token", True, pod({"volumeMounts": [{"name": "x", "mountPath": path}]}))
        for path in (
            "/var/run/./secrets/kubernetes.io/serviceaccount",
            "/run/secrets/kubernetes.io//serviceaccount/",
        )
    ),
    (
        "service_account_token",
        True,
        pod(
            {"volumeMounts": [{"name": "x", "mountPath": "/tokens"}]},
            volumes=[{"name": "x", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}],
        ),
    ),
    (
        "service_account_token",
        False,
        pod(
            {"volumeMounts": [{"name": "x", "mountPath": "/tokens"}]},
            volumes=[
                {
                    "name": "x",
                    "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]},
                }
            ],
        ),
    ),
    ("service_account_token", True, pod(TOKEN)),
    ("tty", True, pod({"tty": True})),
    ("stdin", False, pod()),
    ("windows_host_process", False, pod()),
    ("windows_host_process", True, pod(own(windowsOptions={"hostProcess": True}))),
    ("windows_host_process", True, pod(context={"windowsOptions": {"hostProcess": True}})),
    (
        "windows_host_process",
        False,
        pod(own(windowsOptions={"runAsUserName": "x"}), {"windowsOptions": {"hostProcess": True}}),
    ),
    ("ports", [80, 81], pod({"ports": [{"containerPort": 80, "hostPort": 8}, {"containerPort": 81}]})),
    (
        "literal_environment",
        ["A"],
        pod(
            {
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "value": ""},
                    {"name": "C"},
                    {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "x"}}},
                ]
            }
        ),
    ),
    (
        "literal_secrets",
        ["MYSQL_PWD", "DATABASE_URL", "PLAIN", "API_KEY"],
        pod(
            {
                "env": [
                    {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "MYSQL_PWD", "value": "hunter2"},
                    {"name": "ROOT_PASSWORD", "value": "$(FROM_SECRET)"},
                    {"name": "PASSWORD_MIN_LENGTH", "value": "12"},
                    {"name": "DATABASE_URL", "value": "postgres://shop:hunter2@db/shop"},
                    {"name": "PLAIN", "value": "hunter2"},
                    {"name": "API_KEY", "value": "$(PLAIN)"},
                ]
            }
        ),
    ),
    (
        "mount_propagations",
        ["Bidirectional"],
        pod(
            {
                "volumeMounts": [
                    {"name": "a", "mountPath": "/a"},
                    {"name": "b", "mountPath": "/b", "mountPropagation": "Bidirectional"},
                ]
            }
        ),
    ),
    ("block_devices", ["/dev/xvda"], pod({"volumeDevices": [{"name": "a", "devicePath": "/dev/xvda"}]})),
]
POD = [
    ("name", "web-1", pod()),
    ("namespace", "shop", pod()),
    ("host_network", False, pod()),
    ("host_network", True, pod(hostNetwork=True)),
    ("host_pid", True, pod(hostPID=True)),
    ("host_ipc", True, pod(hostIPC=True)),
    ("host_users", True, pod()),
    ("host_users", False, pod(hostUsers=False)),
    ("share_process_namespace", True, pod(shareProcessNamespace=True)),
    ("windows_host_process", True, pod(context={"windowsOptions": {"hostProcess": True}})),
    ("volume_types", ["hostPath", "configMap", "emptyDir"], pod(**HOST)),
    ("host_paths", ["/etc"], pod(**HOST)),
    (
        "host_paths",
        ["/etc", "/", "/var/run/docker.sock", "//./pipe/docker_engine"],
        pod(
            volumes=[
                {"name": str(number), "hostPath": {"path": path}}
                for number, path in enumerate(
                    ("/./etc", "//.", "/var/run/docker.sock/", "//./pipe/docker_engine")
                )
            ]
        ),
    ),
    ("volume_types", [], pod()),
    (
        "host_ports",
        [80, 81],
        pod(
            {"ports": [{"containerPort": 80, "hostPort": 80}]},
            initContainers=[{"name": "i", "ports": [{"hostPort": 81}]}],
        ),
    ),
    (
        "sysctls",
        ["net.core.somaxconn"],
        pod(context={"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]}),
    ),
    ("fs_group", 5, pod(context={"fsGroup": 5})),
    ("fs_group", None, pod()),
    ("supplemental_groups", [5], pod(context={"supplementalGroups": [5]})),
    ("restart_policy", "Always", pod()),
    ("restart_policy", "Never", pod(restartPolicy="Never")),
    ("priority_class", None, pod()),
    ("priority_class", "high", pod(priorityClassName="high")),
    ("run_as_non_root", False, pod(context={"runAsNonRoot": False})),
    ("run_as_user", None, pod(own(runAsUser=0))),
    ("run_as_user", 0, pod(context={"runAsUser": 0})),
    ("run_as_group", 0, pod(context={"runAsGroup": 0})),
    ("seccomp_profile", "Localhost", pod(context={"seccompProfile": {"type": "Localhost"}})),
    ("apparmor_profile", "Unconfined", pod(context={"appArmorProfile": {"type": "Unconfined"}})),
    ("apparmor_annotations", [], pod()),
    ("apparmor_annotations", ["runtime/default"], dict(pod(), metadata=apparmor("runtime/default"))),
    ("apparmor_annotations", [], dict(pod(), metadata=apparmor(""))),
    ("selinux_type", "a_t", pod(context={"seLinuxOptions": {"type": "a_t"}})),
    ("selinux_user", None, pod()),
    ("selinux_user", "u", pod(context={"seLinuxOptions": {"user": "u"}})),
    ("selinux_role", "r", pod(context={"seLinuxOptions": {"role": "r"}})),
    ("unlimited_empty_dirs", ["e"], pod(**HOST)),
    ("unlimited_empty_dirs", [], pod(volumes=[{"name": "a", "emptyDir": {"sizeLimit": "1Mi"}}])),
    ("runtime_class", "gvisor", pod(runtimeClassName="gvisor")),
    ("service_account", "default", pod()),
    ("service_account", "web", pod(serviceAccountName="web")),
    ("automount_service_account_token", False, pod()),
    ("automount_service_account_token", True, pod(TOKEN)),
    ("automount_service_account_token", True, pod(automountServiceAccountToken=True)),
    ("automount_service_account_token", False, pod(TOKEN, automountServiceAccountToken=False)),
]
SERVICE_ACCOUNT = [
    ("name", "default", pod()),
    ("default", True, pod()),
    ("default", False, pod(serviceAccountName="web")),
    ("token_mounted", True, pod(TOKEN)),
    ("image_pull_secrets", ["a"], pod(imagePullSecrets=[{"name": "a"}])),
    ("automount", False, pod()),
    ("automount", True, pod(TOKEN)),
    ("automount", False, pod(TOKEN, automountServiceAccountToken=False)),
    ("token_lifetimes", [], pod()),
    (
        "token_lifetimes",
        [600, 3600],
        pod(
            volumes=[
                {
                    "name": "a",
                    "projected": {
                        "sources": [
                            {"serviceAccountToken": {"expirationSeconds": 600}},
                            {"configMap": {"name": "c"}},
                        ]
                    },
                },
                {"name": "b", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
                {"name": "c", "emptyDir": {}},
            ]
        ),
    ),
]
IMAGE = [
    ("reference", "example.com/app:1", pod()),
    ("registry", "example.com", pod()),
    ("repository", "app", pod()),
    ("tag", "1", pod()),
    ("digest", None, pod()),
    ("pinned", False, pod()),
    ("pinned", True, pod({"image": "app@sha256:00"})),
    ("pull_policy", "IfNotPresent", pod()),
    ("pull_policy", "Always", pod({"image": "app"})),
    ("pull_policy", "Always", pod({"image": "app:latest"})),
    ("pull_policy", "IfNotPresent", pod({"image": "app@sha256:00"})),
    ("pull_policy", "Never", pod({"image": "app", "imagePullPolicy": "Never"})),
    ("version", "1", pod()),
    ("version", "latest", pod({"image": "app"})),
    ("version", "sha256:00", pod({"image": "app:1@sha256:00"})),
]
ALL = [
    (resource, *case)
    for resource, cases in (
        ("container", CONTAINER),
        ("pod", POD),
        ("service_account", SERVICE_ACCOUNT),
        ("image", IMAGE),
    )
    for case in cases
]


def written(value):
    if isinstance(value, list):
        return "[{}]".format(", ".join(map(written, value)))
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )


@pytest.mark.parametrize(("resource", "attribute", "value", "given"), ALL)
def test_effective_value(verdict, resource, attribute, value, given):
    test = "- %s: {}\n  expect: {%s: %s}"
    if value is None:
        # nothing there: it equals nothing, and only what is negated holds
        status, message = verdict(
            test
            % (
                resource,
                attribute,
                "{not: 77}" if "run_as" in attribute or "fs_" in attribute else '{not: "77"}',
            ),
            pod=given,
        )
        assert status == "passed", message
        status, message = verdict(
            test % (resource, attribute, 77 if "run_as" in attribute or "fs_" in attribute else '"77"'),
            pod=given,
        )
        assert "found nothing in the" in message
        return
    status, message = verdict(test % (resource, attribute, written(value)), pod=given)
    assert status == "passed", message
    status, message = verdict(test % (resource, attribute, f"{{not: {written(value)}}}"), pod=given)
    assert status == "failed", message


@pytest.mark.parametrize(("resource", "attribute", "_value", "given"), ALL)
def test_a_pod_that_was_kept_says_the_same(resource, attribute, _value, given):
    """What is kept of a pod is all that controls can ask of it."""
    whole = {"status": {}, **given}

    def told(pod, is_kept=False):
        view = View({}, Evidence(Facts(), EvaluationContext({}, pod, "app", is_kept)))
        try:
            return RESOURCES[resource].attributes[attribute].read(view)
        except NotKnownError as missing:
            return str(missing)

    assert told(kept_pod(whole), is_kept=True) == told(whole)


def test_every_attribute_is_covered():
    for name in ("container", "pod", "service_account", "image"):
        missing = set(RESOURCES[name].attributes) - {case[1] for case in ALL if case[0] == name}
        assert missing <= {"actual_user", "running_digest"}


def test_the_actual_user_comes_from_the_status(verdict):
    test = "- container: {}\n  expect: {actual_user: {not: 0}}"
    given = pod()
    assert verdict(test, pod=given)[0] == "skipped"
    given["status"] = {
        "containerStatuses": [
            {"name": "other", "user": {"linux": {"uid": 0}}},
            {"name": "app", "user": {"linux": {"uid": 5}}},
        ]
    }
    assert verdict(test, pod=given)[0] == "passed"
    given["status"]["containerStatuses"][1]["user"]["linux"]["uid"] = 0
    assert verdict(test, pod=given)[0] == "failed"


def test_without_metadata_neither_name_nor_namespace_is_said(verdict):
    """Nothing is concluded from a namespace that is not there, such as that it is another one."""
    given = {"spec": {"containers": [{"name": "app"}]}}
    for name in ("name", "namespace"):
        status, message = verdict(f"- pod: {{}}\n  expect: {{{name}: {{not: default}}}}", pod=given)
        assert (status, message) == (
            "skipped",
            f"the pod's {name} is not known: the pod's API object was not given.",
        )


def everybody(privileged):
    return {
        "spec": {
            kind: [{"name": kind[:4], "securityContext": {"privileged": kind == privileged}}]
            for kind in ("containers", "initContainers", "ephemeralContainers")
        }
    }


@pytest.mark.parametrize(
    ("key", "label"),
    [("containers", "cont"), ("initContainers", "init (init)"), ("ephemeralContainers", "ephe (ephemeral)")],
)
def test_the_table_of_containers_has_all_kinds_and_names_the_one_that_is_meant(verdict, key, label):
    test = "- containers: {where: {privileged: true}}\n  expect: {exist: false}"
    status, message = verdict(test, pod=everybody(key), container="cont")
    assert status == "failed"
    assert message.endswith(f": [{label}]")
    assert verdict(test, pod=everybody(None), container="cont")[0] == "passed"
    assert (
        verdict("- containers: {}\n  expect: {kinds: [container, init, ephemeral]}", pod=everybody(key))[0]
        == "passed"
    )
    assert verdict(test, pod={})[0] == "skipped"


def test_the_table_of_containers_says_what_container_says(verdict):
    """Each column over a pod of one container has the value of the attribute; what nothing sets is left out."""
    columns = RESOURCES["containers"].fields
    assert len(columns) == 20
    for name, column in columns.items():
        for resource, value, given in ((case[0], case[2], case[3]) for case in ALL if case[1] == name):
            if resource == "container" and given["spec"]["containers"][1]["name"] == "app":
                alone = dict(given, spec=dict(given["spec"], containers=given["spec"]["containers"][1:]))
                expected = value if isinstance(value, list) else [] if value is None else [value]
                status, message = verdict(
                    f"- containers: {{}}\n  expect: {{{column.plural}: {written(expected)}}}", pod=alone
                )
                assert status == "passed", (name, message)


def test_the_running_digest_comes_from_the_target(verdict):
    test = "- image: {}\n  expect: {running_digest: sha256:1}"
    assert verdict(test, pod=pod(), target={"image_digest": "sha256:1"})[0] == "passed"
    assert verdict(test, pod=pod(), target={"image_digest": ""})[0] == "failed"


@pytest.mark.parametrize(
    ("key", "kind"),
    [("initContainers", "init"), ("ephemeralContainers", "ephemeral"), ("containers", "container")],
)
def test_containers_of_every_kind_are_found(verdict, key, kind):
    given = {"spec": {key: [{"name": "x", "securityContext": {"privileged": True}}]}}
    assert verdict(f"- container: {{}}\n  expect: {{kind: {kind}}}", pod=given, container="x")[0] == "passed"
    assert verdict("- container: {}\n  expect: {privileged: false}", pod=given, container="x")[0] == "failed"


@pytest.mark.parametrize(
    "test",
    [
        "- container: {}\n  expect: {privileged: false}",
        "- pod: {}\n  expect: {host_pid: false}",
        "- image: {}\n  expect: {pinned: false}",
    ],
)
def test_without_the_pods_object_nothing_is_said(verdict, test):
    assert verdict(test, pod={}) == (
        "skipped",
        "the pod's spec is not known: the pod's API object was not given.",
    )


def test_a_container_that_the_pod_does_not_have(verdict):
    assert verdict("- container: {}\n  expect: {privileged: false}", pod=pod(), container="gone") == (
        "skipped",
        "the spec of container gone is not known: the pod has no container of that name.",
    )


@pytest.mark.parametrize(
    ("reference", "registry", "repository", "tag", "digest"),
    [
        ("nginx", "", "nginx", "", ""),
        ("nginx:1.2", "", "nginx", "1.2", ""),
        ("library/nginx", "", "library/nginx", "", ""),
        ("localhost/x:1", "localhost", "x", "1", ""),
        ("host:5000/a/b", "host:5000", "a/b", "", ""),
        ("host:5000/a/b:t@sha256:ab", "host:5000", "a/b", "t", "sha256:ab"),
        ("r.example.com/x@sha256:ab", "r.example.com", "x", "", "sha256:ab"),
    ],
)
def test_image_references(reference, registry, repository, tag, digest):
    assert parse_image(reference) == {
        "registry": registry,
        "repository": repository,
        "tag": tag,
        "digest": digest,
    }
