# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the guard share: the task, an operator for it, and identities to try it with."""

from __future__ import annotations

import json
import os
import time
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard_terms import POLICIES
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.guard import scan_guard_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.guard import run_scan_guard
from ansible_collections.securescan.kubernetes.tests.support.api_attempts import Scanner
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    container,
    make_default_account,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    DEBUG_MANIFEST,
    IMAGE_MANIFEST,
    MANIFEST,
    make_operator,
    shipped_cluster_role,
)

NAMES = list(POLICIES)
GUARD_ROLE = MANIFEST.with_name("guard-clusterrole.yml")
GUARD_MANIFEST = MANIFEST.with_name("guard.yml")
KINDS = "validatingadmissionpolicies,validatingadmissionpolicybindings"
EFFECTIVE_SECONDS = 60.0
RBAC = "rbac.authorization.k8s.io/v1"


def guard_params(**changes):
    """The task's options as the module would give them."""
    return dict({name: rule.get("default") for name, rule in scan_guard_spec().items()}, **changes)


@pytest.fixture(scope="session")
def guard_operator_kubeconfig(cluster, tmp_path_factory):
    """A kubeconfig of a ServiceAccount that has the shipped ClusterRole for the guard and nothing else."""
    return make_operator(cluster, tmp_path_factory.mktemp("guard-operator"), "operator-guard", GUARD_ROLE)


@pytest.fixture(scope="module")
def guard(guard_operator_kubeconfig):
    """Runs the task scan_guard; there is no guard when a module's tests begin, and none when they end."""

    def run(check_mode=False, **changes):
        params = guard_params(**{"kubeconfig": str(guard_operator_kubeconfig), **changes})
        return run_scan_guard(params, TaskContext(check_mode=check_mode, environ=dict(os.environ)))

    run(state="absent")
    yield run
    run(state="absent")


def _token(cluster, account, namespace):
    """A token for an hour. A policy that was just removed refuses names of scans for a moment longer."""
    deadline = time.monotonic() + EFFECTIVE_SECONDS
    while True:
        made = cluster.kubectl_run("create", "token", account, "-n", namespace, "--duration=1h")
        if made.returncode == 0:
            return made.stdout.strip()
        assert time.monotonic() < deadline, made.stderr
        time.sleep(0.2)


class Identity(Scanner):
    """A ServiceAccount's token, and the means to try it. `names` stand for the placeholders of requests."""

    def __init__(self, cluster, connection, namespace, account, names):
        self.cluster, self.names = cluster, {"account": account, **names}
        self.user = f"system:serviceaccount:{namespace}:{account}"
        self.api = connection.endpoint.host, connection.endpoint.port
        self.token = _token(cluster, account, namespace)

    def send_until(self, attempt, is_reached):
        """The last answer to a request that is repeated until it is as wanted: policies reach the API server's admission, and
        roles its authorizer, a moment after they are written."""
        deadline = time.monotonic() + EFFECTIVE_SECONDS
        while True:
            answer = self.send(attempt)
            if is_reached(*answer) or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)


class Guarded:
    """Two namespaces, one with targets and one for helper pods, and identities in them."""

    def __init__(self, cluster, connection):
        self.cluster, self.connection = cluster, connection
        suffix = uuid.uuid4().hex[:8]
        # that of the operator's account is called like ours on purpose
        self.targets, self.helpers, self.others = (
            f"{name}-{suffix}" for name in ("guard-targets", "guard-helpers", "securescan-operators")
        )
        self.run_id = f"guard-{suffix}"
        self.objects = []
        for name in (self.targets, self.helpers, self.others):
            self.make(("v1", "Namespace", name, None, {}))
        self.urgent = f"guard-urgent-{suffix}"
        make_default_account(cluster, self.targets)
        self.make(
            ("v1", "ServiceAccount", "app", self.helpers, {}),
            ("scheduling.k8s.io/v1", "PriorityClass", self.urgent, None, {"value": 10**9}),
        )

    def make(self, *objects):
        """(version, kind, name, namespace or None, content), kept for removal."""
        items = [
            {
                "apiVersion": version,
                "kind": kind,
                "metadata": {"name": name, **({"namespace": space} if space else {})},
                **content,
            }
            for version, kind, name, space, content in objects
        ]
        self.cluster.kubectl(
            "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        )
        self.objects += [
            (item["kind"], item["metadata"]["name"]) for item in items if "namespace" not in item["metadata"]
        ]

    def start_targets(self):
        """A pod with the container "app"; and one with "root", which is that, with a capability, and another that is called
        like a scanner's. The names for requests."""
        root = container(
            "root",
            user=(0, 0),
            security={"runAsNonRoot": None, "capabilities": {"add": ["NET_RAW"], "drop": ["CHOWN"]}},
        )
        pods = [
            pod("target", container(), volumes=[{"name": "data", "emptyDir": {}}]),
            pod("root", root, container("securescan-own")),
        ]
        self.cluster.kubectl(
            "create",
            "-n",
            self.targets,
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}),
        )
        self.cluster.kubectl(
            "wait", "--for=condition=Ready", "pods", "--all", "-n", self.targets, "--timeout=180s"
        )
        node = self.cluster.get("pod", "target", "-n", self.targets)["spec"]["nodeName"]
        return {
            "targets": self.targets,
            "helpers": self.helpers,
            "pod": "target",
            "node": node,
            "run": self.run_id,
            "urgent": self.urgent,
        }

    def account(self, name, names, *bindings):
        """A ServiceAccount beside the targets' namespace, with its token; `names` are those of the scan that it attacks.

        :param bindings: (kind of the binding, its namespace or None, kind and name of its role)
        """
        self.make(("v1", "ServiceAccount", name, self.others, {}))
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.others}
        for number, (kind, space, role_kind, role) in enumerate(bindings):
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role}
            content = {"roleRef": reference, "subjects": [subject]}
            self.make((RBAC, kind, f"{self.others}-{name}-{number}", space, content))
        return Identity(self.cluster, self.connection, self.others, name, names)

    def grantor(self, names):
        """With all that the shipped ClusterRoles hold, in the whole cluster."""
        made = []
        for manifest in (MANIFEST, DEBUG_MANIFEST, IMAGE_MANIFEST):
            role = shipped_cluster_role(manifest)
            made.append("{}-{}".format(self.others, role["metadata"]["name"]))
            self.make((RBAC, "ClusterRole", made[-1], None, {"rules": role["rules"]}))
        bindings = [("ClusterRoleBinding", None, "ClusterRole", role) for role in made]
        return self.account("grantor", {**names, "grantor_role": made[0]}, *bindings)

    def bind_to_administrator(self, namespace, account):
        name = f"guard-tests-{namespace}-{account}"
        version = "rbac.authorization.k8s.io/v1"
        self.make(
            (
                version,
                "ClusterRoleBinding",
                name,
                None,
                {
                    "roleRef": {
                        "apiGroup": "rbac.authorization.k8s.io",
                        "kind": "ClusterRole",
                        "name": "cluster-admin",
                    },
                    "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
                },
            )
        )

    def remove(self):
        for kind, name in reversed(self.objects):
            self.cluster.kubectl("delete", kind, name, "--wait=false")
