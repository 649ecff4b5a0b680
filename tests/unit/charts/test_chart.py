# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart without Helm: its schema, what is made of the engine, and what the committed renderings hold.

That Helm renders the same, and that a cluster runs it, is shown by tests/real/test_chart.py.
"""

from __future__ import annotations

import copy
import json
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)
from ansible_collections.securescan.kubernetes.tests.support import chart

MANIFESTS = chart.ROOT / "docs" / "manifests"
WRITE = "SECURESCAN_WRITE_DOCS"
EXAMPLES = chart.examples()


def read(path: pathlib.Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((chart.CHART / "values.schema.json").read_text(encoding="utf-8"))
    return loaded


def merged(*layers: Any) -> Any:
    """As Helm lays values over the chart's own: null takes a value away."""
    result = copy.deepcopy(layers[0])
    for layer in layers[1:]:
        for key, value in layer.items():
            if value is None:
                result.pop(key, None)
                continue
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result


def problems(values: dict[str, Any]) -> list[str]:
    given = merged(read(chart.CHART / "values.yaml"), values)
    return [
        ".".join(map(str, error.absolute_path)) + ": " + error.message
        for error in jsonschema.Draft7Validator(schema()).iter_errors(given)
    ]


def test_the_charts_version_is_the_collections():
    collection, ours = read(chart.ROOT / "galaxy.yml"), read(chart.CHART / "Chart.yaml")
    assert collection["version"] == ours["version"] == ours["appVersion"]


def test_the_guard_is_what_the_engine_makes():
    file = chart.CHART / "files" / "guard.json"
    if os.environ.get(WRITE):
        file.write_text(chart.guard_template(), encoding="utf-8")
    assert file.read_text(encoding="utf-8") == chart.guard_template()


def test_the_schema_knows_the_variables_of_the_roles():
    file, known = chart.CHART / "values.schema.json", schema()
    made = merged(known)
    made["properties"]["scan"]["properties"]["variables"] = chart.role_variables()
    if os.environ.get(WRITE):
        file.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    assert known == made


def test_each_value_has_a_default_and_a_type():
    def paths(node: Any, below: str = "") -> Iterator[str]:
        for name, child in node.get("properties", {}).items():
            yield below + name
            if child.get("additionalProperties") is False and (below + name) != "scan.variables":
                yield from paths(child, f"{below}{name}.")

    def defaults(node: Any, known: set[str], below: str = "") -> Iterator[str]:
        for name, child in node.items():
            yield below + name
            if isinstance(child, dict) and any(path.startswith(f"{below}{name}.") for path in known):
                yield from defaults(child, known, f"{below}{name}.")

    typed = set(paths(schema())) - {"global"}
    assert set(defaults(read(chart.CHART / "values.yaml"), typed)) == typed


def test_templates_read_no_other_values():
    values = read(chart.CHART / "values.yaml")
    for template in chart.CHART.rglob("templates/**/*.*"):
        for path in re.findall(r"[.$]values?\.([a-z0-9A-Z.]+)", template.read_text(), re.I):
            found = values
            for part in path.rstrip(".").split("."):
                if path.startswith("scan.variables."):
                    break
                assert part in found, f"{template.name}: {path}"
                found = found[part]


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_fit_the_schema(values):
    assert problems(read(values)) == []


def blocks_of(page: pathlib.Path) -> list[Any]:
    """The YAML of a page, each block read."""
    return [
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.S)
    ]


def test_the_values_of_the_page_fit_the_schema():
    shown = [block for block in blocks_of(chart.ROOT / "docs" / "chart.md") if "scan" in block]
    assert len(shown) == 2
    whole, part = shown
    assert problems(whole) == [] and problems(merged(whole, part)) == []


def test_the_values_of_the_gitops_examples_fit_the_schema():
    flux = read(chart.GITOPS / "flux" / "helm-release.yml")["items"]
    argocd = read(chart.GITOPS / "argocd" / "application.yml")
    for values in (flux[1]["spec"]["values"], argocd["spec"]["source"]["helm"]["valuesObject"]):
        assert problems(values) == []
    version = read(chart.CHART / "Chart.yaml")["version"]
    assert flux[0]["spec"]["ref"]["tag"] == argocd["spec"]["source"]["targetRevision"] == version


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"image": {"repository": ""}}, "image.repository"),
        ({"image": {"repository": "registry.example.com/Upper case"}}, "image.repository"),
        ({"image": {"digest": "sha256:short"}}, "image.digest"),
        ({"cluster": {"name": ""}}, "cluster.name"),
        ({"cluster": {"name": "a/../b"}}, "cluster.name"),
        ({"cluster": {"inCluster": "yes"}}, "cluster.inCluster"),
        ({"scan": {"schedule": "at night"}}, "scan.schedule"),
        ({"scan": {"deadlineSeconds": 0}}, "scan.deadlineSeconds"),
        ({"scan": {"namespaces": "shop"}}, "scan.namespaces"),
        ({"scan": {"namespaces": ["shop\n- x"]}}, "scan.namespaces"),
        ({"scan": {"approaches": []}}, "scan.approaches"),
        ({"scan": {"approaches": ["ssh"]}}, "scan.approaches"),
        ({"scan": {"scannerImage": 'busybox"]'}}, "scan.scannerImage"),
        ({"scan": {"variables": {"scan_treshold": {}}}}, "scan.variables"),
        ({"scan": {"variables": {"scan_kubeconfig": "/x"}}}, "scan.variables"),
        ({"scan": {"variables": {"scan_api_key": "x"}}}, "scan.variables"),
        ({"scan": {"variables": {"scan_namespaces": ["kube-system"]}}}, "scan.variables"),
        ({"scan": {"variables": {"scan_replicas": "some"}}}, "scan.variables"),
        ({"scan": {"files": {"../x": "y"}}}, "scan.files"),
        ({"results": {"s3": {"url": "http://s3.example.com"}}}, "results.s3.url"),
        ({"results": {"s3": {"url": "https://key:secret@s3.example.com"}}}, "results.s3.url"),
        ({"results": {"store": {"address": "postgresql://u:secret@db/x"}}}, "results.store.address"),
        ({"metrics": {"pushUrl": "http://pushgateway:9091"}}, "metrics.pushUrl"),
        ({"guard": {"closedNamespaces": ['x"']}}, "guard.closedNamespaces"),
        ({"pod": {"runAsUser": 0}}, "pod.runAsUser"),
        ({"pod": {"resources": {"limits": {"memory": None}}}}, "pod.resources"),
        ({"pod": {"hostNetwork": True}}, "pod"),
        ({"sccan": {}}, ""),
    ],
)
def test_what_the_schema_refuses(changed, place):
    good = read(chart.EXAMPLES / "namespaces.yaml")
    assert problems(good) == []
    found = problems(merged(good, changed))
    assert found and any(problem.startswith(place) for problem in found), found


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_the_rendering_is_of_these_files(values):
    """A stale one is written anew by `make real`."""
    assert chart.rendering_of(values).read_text(encoding="utf-8").startswith(chart.rendering_head(values))


def rules_of(objects: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    (role,) = (item for item in objects if item["metadata"]["name"] == name and "rules" in item)
    rules: list[dict[str, Any]] = role["rules"]
    return rules


def test_the_rights_are_those_of_the_shipped_roles():
    targets = read(MANIFESTS / "grantor-targets-clusterrole.yml")["rules"]
    debug = read(MANIFESTS / "grantor-debug-clusterrole.yml")["rules"]
    image = read(MANIFESTS / "grantor-image-clusterrole.yml")["rules"]
    cluster_id = read(MANIFESTS / "cluster-id-clusterrole.yml")["rules"]
    shipped = read(MANIFESTS / "account-namespace.yml")["items"]
    (accounts,) = (item["rules"] for item in shipped if item["kind"] == "Role")

    some = chart.rendered(chart.EXAMPLES / "namespaces.yaml")
    assert rules_of(some, "nightly-grantor-targets") == targets
    assert rules_of(some, "nightly-grantor-accounts") == accounts
    assert rules_of(some, "nightly-cluster-id") == cluster_id
    assert {item["kind"] for item in some if "rules" in item} == {"ClusterRole", "Role"}
    bound = [item for item in some if item["kind"].endswith("Binding") and "roleRef" in item]
    assert sorted((item["kind"], item["metadata"]["namespace"]) for item in bound) == [
        ("RoleBinding", "billing"),
        ("RoleBinding", "kube-system"),
        ("RoleBinding", "securescan-accounts"),
        ("RoleBinding", "shop"),
    ]

    everything = chart.rendered(chart.EXAMPLES / "whole-cluster.yaml")
    assert rules_of(everything, "nightly-grantor-targets") == targets + debug
    assert rules_of(everything, "nightly-grantor-image") == image

    other = chart.rendered(chart.EXAMPLES / "other-cluster.yaml")
    assert not [item for item in other if "rules" in item or "roleRef" in item]


def pods_of(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in objects:
        if item["kind"] == "CronJob":
            yield item["spec"]["jobTemplate"]["spec"]["template"]
        if item["kind"] == "Pod":
            yield item


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_the_pods_pass_our_own_baseline(values):
    """But for what a grantor cannot be without (a token for the API), and an image that is given by its tag."""
    (profile,) = chosen_profiles(["workload-baseline"])
    expected = {"wb-image-digest"} if "tag" in read(values)["image"] else set()
    if read(values)["cluster"].get("inCluster"):
        expected.add("wb-token-automount")
    pods = list(pods_of(chart.rendered(values)))
    assert len(pods) == 3
    for pod in pods:
        judged = copy.deepcopy(pod)
        judged["metadata"].update(name="scan", namespace=chart.NAMESPACE)
        (container,) = judged["spec"]["containers"]
        result = evaluate(profile, Facts({}), EvaluationContext({}, judged, container["name"]))
        failed = {
            control.id
            for control in result.controls
            if any(segment.status == "failed" for segment in control.results)
        }
        assert failed == expected


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_only_who_is_asked_for_by_name_has_a_token(values):
    in_cluster = read(values)["cluster"].get("inCluster", False)
    for pod in pods_of(chart.rendered(values)):
        assert pod["spec"]["automountServiceAccountToken"] is False
        text = json.dumps(pod)
        assert ("serviceAccountToken" in text) is in_cluster
        # the entry point of the image is an init: without it nobody gets SIGTERM
        assert "command" not in pod["spec"]["containers"][0]


def test_no_secret_stands_in_an_object():
    objects = chart.rendered(chart.EXAMPLES / "whole-cluster.yaml")
    assert not [item for item in objects if item["kind"] == "Secret"]
    (settings,) = (item for item in objects if item["metadata"]["name"] == "nightly-settings")
    variables = yaml.safe_load(settings["data"]["variables.yml"])
    assert variables["scan_store_password"] == (
        "{{ lookup('ansible.builtin.file', '/etc/securescan/store/password') }}"
    )
    (sink,) = variables["fleet_push"]
    assert sink["access_key"] == "{{ lookup('ansible.builtin.file', '/etc/securescan/s3/access_key') }}"
    for item in objects:
        for pod in pods_of([item]):
            assert not any("valueFrom" in one for one in pod["spec"]["containers"][0]["env"])


def test_the_guard_names_the_release():
    objects = chart.rendered(chart.EXAMPLES / "whole-cluster.yaml")
    text = json.dumps([item for item in objects if item["kind"].startswith("ValidatingAdmission")])
    assert '[\\"system:serviceaccount:securescan:grantor-nightly\\"]' in text
    assert '\\"securescan-accounts\\"' in text and '[\\"kube-system\\"]' in text
    assert not re.search(r"@[a-z-]+@", text)
    # the guard keeps this prefix for scanners
    assert "securescan-" not in next(
        item["metadata"]["name"] for item in objects if item["kind"] == "ServiceAccount"
    )
