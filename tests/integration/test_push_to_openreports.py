# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports in the cluster, with the published CustomResourceDefinitions and the shipped ClusterRole."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks import openreports
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.openreports import OPENREPORTS
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    MANIFEST,
    make_operator,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import HOSTILE
from ansible_collections.securescan.kubernetes.tests.support.sink_items import make_sink
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target

KINDS = ("reports.openreports.io", "policyreports.wgpolicyk8s.io")
# Where the definitions are published: a Go module, and the file in it.
PUBLISHED = {
    "openreports": ("github.com/openreports/reports-api@v0.2.1", "config/crd/openreports.io_reports.yaml"),
    "wgpolicyk8s": (
        "github.com/kyverno/kyverno@v1.19.1",
        "config/crds/policyreport/wgpolicyk8s.io_policyreports.yaml",
    ),
}


def _published(api: str) -> str:
    """The file with a published definition."""
    module, path = PUBLISHED[api]
    done = subprocess.run(
        ["go", "mod", "download", "-json", module], check=True, stdout=subprocess.PIPE, cwd="/"
    )
    return str(pathlib.Path(json.loads(done.stdout)["Dir"]) / path)


@pytest.fixture(scope="module")
def kubeconfig(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    role = MANIFEST.with_name("openreports-clusterrole.yml")
    return make_operator(cluster, tmp_path_factory.mktemp("reporter"), "reporter", role)


@pytest.fixture(params=sorted(PUBLISHED))
def api(request: pytest.FixtureRequest, cluster: Any) -> Iterator[str]:
    """One of the two kinds is installed."""
    path = _published(request.param)
    cluster.kubectl("apply", "--server-side", "-f", path)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", path)
    yield request.param
    cluster.kubectl("delete", "-f", path, "--wait=true")


@pytest.fixture
def namespace(cluster: Any) -> Iterator[str]:
    """A namespace with two Deployments of no pods."""
    name = f"reports-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    for workload in ("api", "db"):
        cluster.kubectl("create", "deployment", workload, "-n", name, "--image=none", "--replicas=0")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def _send(kubeconfig: pathlib.Path, run: Run, own: dict[str, Any] | None = None) -> Sequence[Any]:
    sink = make_sink(OPENREPORTS, {"kubeconfig": str(kubeconfig), **(own or {})})
    try:
        return sink.send(list(sink.items(SimpleNamespace(run=run))))
    finally:
        sink.close()


def _reports(cluster: Any, namespace: str, api: str) -> list[dict[str, Any]]:
    resource = KINDS[0] if api == "openreports" else KINDS[1]
    return cluster.get(resource, "-n", namespace)["items"]


def test_each_place_has_a_report_and_the_same_run_changes_nothing(
    api: str, namespace: str, cluster: Any, kubeconfig: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    one, other = target("api-1", namespace=namespace), target("db-1", namespace=namespace)
    bare = target("bare-1", namespace=namespace)
    nights = Nights(tmp_path)
    failed = {"c-root": "failed", "c-label": "skipped"}
    run = nights.scan(0, {one: failed, other: {}}, missing=[bare])
    assert set(_send(kubeconfig, run)) == {None}
    found = {report["scope"]["name"]: report for report in _reports(cluster, namespace, api)}
    assert sorted(found) == ["api", "bare", "db"]
    report = found["api"]
    assert report["summary"] == {"pass": 1, "fail": 1, "warn": 0, "error": 0, "skip": 1}
    (result,) = report["results"]
    assert (result["policy"], result["rule"], result["result"], result["severity"]) == (
        "baseline", "c-root", "fail", "critical",
    )  # fmt: skip
    uid = cluster.get("deployment", "api", "-n", namespace)["metadata"]["uid"]
    assert [owner["uid"] for owner in report["metadata"]["ownerReferences"]] == [uid]
    assert found["db"]["summary"]["pass"] == 3 and not found["db"]["results"]
    assert found["bare"]["summary"]["error"] == 1 and "not found" in found["bare"]["results"][0]["message"]
    # again, and then a night later, when a container is gone
    _send(kubeconfig, run)
    again = {report["scope"]["name"]: report for report in _reports(cluster, namespace, api)}
    assert again["api"]["metadata"]["resourceVersion"] == report["metadata"]["resourceVersion"]
    _send(kubeconfig, nights.scan(1, {one: {}}))
    assert [each["scope"]["name"] for each in _reports(cluster, namespace, api)] == ["api"]
    # a run that did not look everywhere removes nothing
    _send(kubeconfig, nights.scan(2, {other: {}}, selection={"namespaces": ["*"], "names": ["db"]}))
    assert len(_reports(cluster, namespace, api)) == 2
    cluster.kubectl("delete", "deployment", "api", "-n", namespace, "--cascade=background")
    resource = KINDS[0] if api == "openreports" else KINDS[1]
    cluster.kubectl(
        "wait", "--for=delete", "--timeout=60s", f"{resource}/{report['metadata']['name']}", "-n", namespace
    )


def test_hostile_texts_and_a_thousand_findings_fit(
    api: str, namespace: str, cluster: Any, kubeconfig: pathlib.Path, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    controls = [f"{HOSTILE} {number}" for number in range(1500)]
    one = target("api-1", namespace=namespace)
    run = Nights(tmp_path).scan(0, {one: dict.fromkeys(controls, "failed")}, controls=controls)
    assert set(_send(kubeconfig, run)) == {None}
    (report,) = _reports(cluster, namespace, api)
    assert report["summary"]["fail"] == 1500
    assert all("\x1b" not in result["rule"] for result in report["results"])
    monkeypatch.setattr(openreports, "MOST_BYTES", 20_000)
    _send(kubeconfig, run)
    (report,) = _reports(cluster, namespace, api)
    assert report["summary"]["fail"] == 1500 and len(report["results"]) < 100
    assert "have no room" in report["results"][-1]["message"]


def test_a_cluster_without_the_kinds_or_another_cluster_is_told(
    cluster: Any, kubeconfig: pathlib.Path, namespace: str, tmp_path: pathlib.Path
) -> None:
    run = Nights(tmp_path).scan(0, {target("api-1", namespace=namespace): {}})
    with pytest.raises(ScanError) as caught:
        _send(kubeconfig, run)
    assert caught.value.reason == "not_found" and "PolicyReport" in str(caught.value)
    sink = make_sink(OPENREPORTS, {"kubeconfig": str(kubeconfig)})
    sink._chosen = openreports._APIS["openreports"]
    items = list(sink.items(SimpleNamespace(run=dataclasses.replace(run, cluster_uid="another-uid"))))
    with pytest.raises(ScanError) as caught:
        sink.send(items)
    assert "another cluster" in str(caught.value)


def test_the_identity_can_write_reports_and_nothing_else(cluster: Any, kubeconfig: pathlib.Path) -> None:
    def allowed(verb: str, resource: str) -> bool:
        name, _dot, group = resource.partition(".")
        plain, _slash, sub = name.partition("/")
        about = {"namespace": "shop", "verb": verb, "group": group, "resource": plain, "subresource": sub}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": about},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        asked = ("--kubeconfig", str(kubeconfig), "create", "--raw", path, "-f", "-")
        return json.loads(cluster.kubectl(*asked, stdin=json.dumps(review)))["status"]["allowed"]

    for resource in KINDS:
        assert all(allowed(verb, resource) for verb in ("create", "patch", "list", "delete"))
        assert not any(allowed(verb, resource) for verb in ("get", "update", "watch", "deletecollection"))
    for verb in ("create", "patch", "update", "delete", "list"):
        for resource in ("pods", "pods/exec", "deployments.apps", "secrets", "configmaps", "serviceaccounts/token",
                         "roles.rbac.authorization.k8s.io", "clusterreports.openreports.io"):  # fmt: skip
            assert not allowed(verb, resource), (verb, resource)
    assert not allowed("get", "secrets") and not allowed("get", "pods/log")
