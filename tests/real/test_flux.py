# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""charts/gitops/flux/rendered.yml by Flux's own controllers: a bucket of a real S3 server, applied, corrected and pruned."""

from __future__ import annotations

import json
import os
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.environment.go_program import MODULES, built
from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import (
    SampleCluster,
    sample_cluster,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support import chart
from ansible_collections.securescan.kubernetes.tests.support.flux import flux
from ansible_collections.securescan.kubernetes.tests.support.free_port import free_port
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown
from ansible_collections.securescan.kubernetes.tests.support.served_program import served
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

SECONDS = 120.0
ACCESS, SECRET = "flux-access", "flux-secret-key"
VERSIONS = {
    name: re.findall(rf"{name} v(\S+)", (MODULES / name / "go.mod").read_text("utf-8"))[0]
    for name in ("source-controller", "kustomize-controller")
}


@pytest.fixture(scope="module")
def cluster() -> SampleCluster:
    return sample_cluster("test")


@dataclass(frozen=True)
class BucketServer:
    """A real S3 server, with the bucket of the example. `client` is boto3's."""

    endpoint: str
    authority: Authority
    client: Any


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[BucketServer]:
    folder = tmp_path / "s3"
    (folder / "objects").mkdir(parents=True)
    authority, port = Authority(folder), free_port()
    shown_by = authority.server("localhost")
    command = [
        *(built("versitygw"), "--port", f"127.0.0.1:{port}", "--region", "eu-central-1"),
        *("--cert", shown_by.certificate, "--key", shown_by.key, "posix", folder / "objects"),
    ]
    environment = {**os.environ, "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    with served(command, port, folder / "log", environment):
        client = boto3.client(
            "s3",
            endpoint_url=f"https://127.0.0.1:{port}",
            verify=str(authority.ca),
            region_name="eu-central-1",
            aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(Bucket="manifests")
        yield BucketServer(f"127.0.0.1:{port}", authority, client)


def example(server: BucketServer) -> list[dict[str, Any]]:
    """The example, with the address and the authority of the test's server, and shorter intervals."""
    text = (chart.GITOPS / "flux" / "rendered.yml").read_text(encoding="utf-8")
    bucket, kustomization = yaml.safe_load(text)["items"]
    bucket["spec"].update(endpoint=server.endpoint, certSecretRef={"name": "test-authority"}, interval="5s")
    kustomization["spec"].update(interval="5s", retryInterval="5s")
    login = {"accesskey": ACCESS, "secretkey": SECRET}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}},
        _secret(bucket["spec"]["secretRef"]["name"], login),
        _secret("test-authority", {"ca.crt": server.authority.ca.read_text()}),
        bucket,
        kustomization,
    ]


def _secret(name: str, content: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "flux-system"},
        "stringData": content,
    }


def test_the_bucket_is_applied_corrected_and_pruned(
    cluster: SampleCluster, server: BucketServer, tmp_path: pathlib.Path
) -> None:
    rendering = chart.rendered(chart.EXAMPLES / "namespaces.yaml")
    # what Helm runs by itself is no part of what is applied; a claim would wait for storage, which the test cluster has not
    kept = [one for one in rendering if one["kind"] not in ("Pod", "PersistentVolumeClaim")]
    # namespaces that are scanned are somebody else's
    billing = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "billing"}}
    objects = {
        "namespace.yml": (chart.GITOPS / "flux" / "namespace.yml").read_text(encoding="utf-8"),
        "nightly.yml": yaml.safe_dump_all([billing, *kept]),
    }
    for name, text in objects.items():
        server.client.put_object(Bucket="manifests", Key=f"securescan/{name}", Body=text.encode())

    def is_there(name: str) -> bool:
        return cluster.kubectl_run("get", "cronjob", name, "-n", "securescan").returncode == 0

    with flux(cluster, tmp_path):
        made = json.dumps({"apiVersion": "v1", "kind": "List", "items": example(server)})
        cluster.kubectl("apply", "-f", "-", stdin=made)
        try:
            wait_until(lambda: is_there("nightly-scan"), "Flux applies the CronJob", SECONDS)
            cluster.kubectl("delete", "cronjob", "nightly-sweep", "-n", "securescan")
            wait_until(lambda: is_there("nightly-sweep"), "Flux makes again what somebody removed", SECONDS)
            less = [one for one in kept if one["metadata"]["name"] != "nightly-sweep"]
            server.client.put_object(
                Bucket="manifests",
                Key="securescan/nightly.yml",
                Body=yaml.safe_dump_all([billing, *less]).encode(),
            )
            wait_until(lambda: not is_there("nightly-sweep"), "Flux removes what was taken out", SECONDS)
            assert is_there("nightly-scan")
        except BaseException:
            for log in tmp_path.glob("*-controller.log"):
                print(log.read_text(errors="replace")[-3000:])
            raise
        finally:
            cluster.kubectl(
                "delete", "kustomization.kustomize.toolkit.fluxcd.io", "securescan", "-n", "flux-system"
            )
            wait_until(
                lambda: cluster.kubectl_run("get", "cronjob", "-n", "securescan", "-o", "name").stdout == "",
                "Flux removes what it has applied",
                SECONDS,
            )
            cluster.kubectl("delete", "bucket.source.toolkit.fluxcd.io", "securescan", "-n", "flux-system")
    for namespace in ("flux-system", "securescan", "securescan-accounts", "billing"):
        cluster.kubectl_run("delete", "namespace", namespace, "--ignore-not-found")
    for name, version in VERSIONS.items():
        shown(
            f"Flux {name}",
            version,
            "the rendered chart from a bucket: applied, corrected, pruned",
            SECTIONS[2],
        )
