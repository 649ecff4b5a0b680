# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task scan_access as the tests of accesses run it."""

from __future__ import annotations

import os
import time

from ansible_collections.securescan.kubernetes.plugins.module_utils.access.packed_pods import unpack_pods
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext

API = {"label_selectors": ["app.kubernetes.io/name=api"]}


def run_task(kubeconfig, check_mode=False, **changes):
    """The task over the namespace shop; its result, with what it warned of."""
    params = {name: rule.get("default") for name, rule in scan_access_spec().items()}
    params.update(
        {"kubeconfig": str(kubeconfig), "owner": "tests@x y", "lifetime": 600, "namespaces": ["shop"]},
        **changes,
    )
    context = TaskContext(check_mode=check_mode, environ=dict(os.environ))
    result = run_scan_access(params, context)
    return dict(result, warnings=context.warnings)


def wait_until_allowed(cluster, user, verb, resource, namespace="default"):
    """Waits until a user may do that: what RBAC was told a moment ago reaches the API server's authorizer a moment later."""
    deadline = time.monotonic() + 60
    asked = ("auth", "can-i", verb, resource, "-n", namespace, "--as", user)
    while cluster.kubectl_run(*asked).returncode:
        assert time.monotonic() < deadline, f"{user} is not allowed to {verb} {resource}"
        time.sleep(0.1)


def pods_of(access, namespace="shop"):
    """The pods that an access reaches in a namespace."""
    return unpack_pods(access["packed_pods"])[namespace]
