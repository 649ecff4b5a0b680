# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Helm rendered of the chart, taken by a real API server in a dry run; the real Helm and its releases are in tests/real/."""

from __future__ import annotations

import json
import uuid

import pytest
from ansible_collections.securescan.kubernetes.tests.support import chart


@pytest.mark.parametrize("values", chart.examples(), ids=lambda path: path.stem)
def test_an_api_server_takes_the_rendering_and_its_pods_are_restricted(cluster, values) -> None:
    """The pods' templates are looked at in a namespace that warns of whatever is not restricted."""
    namespace = f"chart-{uuid.uuid4().hex[:6]}"
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(space))
    try:
        items = chart.rendered(values)
        # all in the namespace of the test: others come and go on a cluster that tests share
        for one in items:
            if "namespace" in one["metadata"]:
                one["metadata"]["namespace"] = namespace
        assert {"CronJob", "ConfigMap", "NetworkPolicy", "ResourceQuota"} <= {one["kind"] for one in items}
        # a pod needs its ServiceAccount before a dry run takes it
        accounts = [one for one in items if one["kind"] == "ServiceAccount"]
        cluster.kubectl(
            "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": accounts})
        )
        sent = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        done = cluster.kubectl_run("apply", "--dry-run=server", "-f", "-", stdin=sent)
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr, done.stderr
        assert done.stdout.count("(server dry run)") == len(items)
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
