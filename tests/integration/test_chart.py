# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Helm rendered of the chart, against a real API server: each object is taken by a dry run on the server, and each pod by a
namespace that enforces Pod Security's level restricted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.tests.support import chart

NAMESPACES = ("securescan", "securescan-accounts", "securescan-helpers", "shop", "billing")


@pytest.fixture(scope="module")
def namespaces(cluster):
    """Those of the renderings, where they are not there; a dry run finds objects only in namespaces that exist."""
    made = []
    for name in NAMESPACES:
        if cluster.kubectl_run("get", "namespace", name).returncode == 0:
            continue
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(space))
        made.append(name)
    yield
    for name in made:
        cluster.kubectl("delete", "namespace", name)


def dry_run(cluster, items: list[dict[str, Any]]):
    return cluster.kubectl_run(
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}),
    )


@pytest.mark.parametrize("values", chart.examples(), ids=lambda path: path.stem)
def test_the_api_server_takes_each_object(cluster, namespaces, values):
    objects = chart.rendered(values)
    done = dry_run(cluster, objects)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("serverside-applied") == len(objects)
    # of a CronJob the server only warns
    assert "violate PodSecurity" not in done.stderr


@pytest.mark.parametrize("values", chart.examples(), ids=lambda path: path.stem)
def test_a_namespace_that_enforces_restricted_takes_each_pod(cluster, namespaces, values):
    pods = []
    for item in chart.rendered(values):
        if item["kind"] == "CronJob":
            template = copy.deepcopy(item["spec"]["jobTemplate"]["spec"]["template"])
            template.setdefault("metadata", {}).update(
                name=item["metadata"]["name"], namespace="securescan-helpers"
            )
            # the account of the release is not there
            template["spec"].pop("serviceAccountName")
            pods.append({"apiVersion": "v1", "kind": "Pod", **template})
    assert len(pods) == 2
    done = dry_run(cluster, pods)
    assert done.returncode == 0, done.stderr
    loose = copy.deepcopy(pods[0])
    loose["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    refused = dry_run(cluster, [loose])
    assert refused.returncode != 0 and "violates PodSecurity" in refused.stderr
