# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""charts/gitops/flux/rendered.yml by Flux's own controllers: a bucket of a real S3 server, applied, corrected and pruned."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.environment.go_program import MODULES
from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import sample_cluster
from ansible_collections.securescan.kubernetes.tests.support import chart
from ansible_collections.securescan.kubernetes.tests.support.flux import flux
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

SECONDS = 180.0
VERSION = re.findall(
    r"kustomize-controller v(\S+)", (MODULES / "kustomize-controller" / "go.mod").read_text("utf-8")
)[0]


@pytest.fixture(scope="module")
def cluster():
    return sample_cluster("test")


def example(bucket_port: int) -> list[dict[str, Any]]:
    """The example, with the server of the test in place of its own."""
    text = (chart.GITOPS / "flux" / "rendered.yml").read_text(encoding="utf-8")
    bucket, kustomization = yaml.safe_load_all(text)
    # TODO(E, phase 2): by TLS (certSecretRef with the authority of the test), so that nothing else is changed
    bucket["spec"].update(endpoint=f"127.0.0.1:{bucket_port}", insecure=True, interval="10s")
    kustomization["spec"].update(interval="10s")
    return [bucket, kustomization]


def test_the_bucket_is_applied_corrected_and_pruned(cluster, tmp_path: pathlib.Path) -> None:
    # TODO(E, phase 2): versitygw as tests/integration/test_push_to_s3.py starts it; upload securescan/namespace.yml and
    # securescan/nightly.yml (the rendering namespaces.yaml without its test pod); the Secret manifests-bucket (accesskey,
    # secretkey).
    pytest.skip("not run yet")
    with flux(cluster, tmp_path):
        items = {"apiVersion": "v1", "kind": "List", "items": example(0)}
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(items))
        wait_until(
            lambda: cluster.kubectl_run("get", "cronjob", "nightly-scan", "-n", "securescan").returncode == 0,
            "Flux applies the CronJob",
            SECONDS,
        )
        cluster.kubectl("delete", "cronjob", "nightly-sweep", "-n", "securescan")
        wait_until(
            lambda: (
                cluster.kubectl_run("get", "cronjob", "nightly-sweep", "-n", "securescan").returncode == 0
            ),
            "Flux makes again what somebody removed",
            SECONDS,
        )
    shown(
        "Flux kustomize-controller",
        VERSION,
        "the rendered chart from a bucket: applied, corrected, pruned",
        section=SECTIONS[2],
    )
