# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_sidecar changes pod templates of each kind, and takes its change back without a trace, with the shipped rights alone."""

from __future__ import annotations

import copy
import json
import threading

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.patch import ANNOTATION
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DEBIAN,
    ENFORCED,
    container,
)
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import (
    make,
    template,
    workload,
)

NOWHERE = {"nodeSelector": {"tests/never": "true"}}
PREPARES = container("prepares", command=("true",))
# The kinds, with each way in which shareProcessNamespace and init containers may stand in a template before.
WORKLOADS = (
    workload("Deployment", "web", container(), spec={"replicas": 0}, initContainers=[PREPARES]),
    workload(
        "StatefulSet",
        "db",
        container(),
        container("second", user=(10001, 10002)),
        spec={"replicas": 0},
        shareProcessNamespace=False,
    ),
    workload("DaemonSet", "agent", container(), **NOWHERE),
    workload("CronJob", "night", container(), shareProcessNamespace=True, initContainers=[PREPARES]),
)
NAMES = tuple("{}/{}".format(item["kind"], item["metadata"]["name"]) for item in WORKLOADS)


@pytest.fixture
def there(place, cluster):
    """A namespace with a workload of each kind, none of which has pods."""
    space = place(ENFORCED)
    make(cluster, space.name, *WORKLOADS)
    space.templates = lambda: {name: template(space.object(name)) for name in NAMES}
    space.object = lambda name: cluster.get(name, "-n", space.name)
    return space


def added(found):
    return [container["name"] for container in found["spec"].get("initContainers", [])]


def test_the_change_is_shown_made_once_and_taken_back_without_a_trace(there, sidecar, cluster):
    before = there.templates()
    would = sidecar(there.name, *NAMES, check_mode=True, wait=False)
    assert would["changed"] and there.templates() == before
    done = sidecar(there.name, *NAMES, wait=False)
    assert done["changed"] and done["diff"] == would["diff"] and len(done["diff"]) == len(NAMES)
    assert (
        '"readOnlyRootFilesystem": true' in done["diff"][0]["after"]
        and "securescan-sidecar" not in done["diff"][0]["before"]
    )
    with_sidecars = there.templates()
    assert added(with_sidecars["Deployment/web"]) == ["securescan-sidecar-10001-10001", "prepares"]
    assert added(with_sidecars["StatefulSet/db"]) == [
        "securescan-sidecar-10001-10001",
        "securescan-sidecar-10001-10002",
    ]
    assert all(found["spec"]["shareProcessNamespace"] for found in with_sidecars.values())
    for changes in (
        {},
        {
            "resources": {
                "limits": {"memory": "131072Ki", "cpu": 0.5},
                "requests": {"cpu": "0.010", "memory": "16Mi"},
            }
        },
    ):
        again = sidecar(there.name, *NAMES, wait=False, **changes)
        assert not again["changed"] and again["diff"] == [], "the API server writes quantities in its own way"
    assert sidecar(there.name, NAMES[0], wait=False, scanner_image=DEBIAN)["changed"]
    # somebody else changes other parts meanwhile: a label, a container that is there and one that is not, the sidecars' place
    foreign = {
        "Deployment/web": [
            ("/metadata/labels/theirs", "yes"),
            ("/spec/containers/0/env", [{"name": "A", "value": "b"}]),
        ],
        "StatefulSet/db": [("/spec/initContainers/0", PREPARES)],
    }
    for name, changes in foreign.items():
        cluster.kubectl(
            "patch",
            name,
            "-n",
            there.name,
            "--type=json",
            "-p",
            json.dumps(
                [{"op": "add", "path": "/spec/template" + path, "value": value} for path, value in changes]
            ),
        )
    expected = copy.deepcopy(before)
    expected["Deployment/web"]["metadata"]["labels"]["theirs"] = "yes"
    expected["Deployment/web"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    (theirs,) = (
        item
        for item in there.templates()["StatefulSet/db"]["spec"]["initContainers"]
        if item["name"] == "prepares"
    )
    expected["StatefulSet/db"]["spec"]["initContainers"] = [theirs]
    gone = sidecar(there.name, *NAMES, state="absent", wait=False)
    assert gone["changed"] and there.templates() == expected
    assert all(ANNOTATION not in there.object(name)["metadata"].get("annotations", {}) for name in NAMES)
    assert not sidecar(there.name, *NAMES, state="absent")["changed"]
    assert not sidecar(there.name, "Deployment/nobody", state="absent")["changed"]


def test_manifests_by_kustomize_and_for_helm_give_the_same_template(there, sidecar, cluster, tmp_path):
    component = tmp_path / "component"
    made = sidecar(there.name, *NAMES, manifests_only=True, output_dir=str(component))
    assert made["changed"] and set(made["manifests"]) == {path.name for path in component.iterdir()}
    assert not sidecar(there.name, *NAMES, manifests_only=True, output_dir=str(component))["changed"]
    # a base may name the namespace, or leave it to the overlay
    (tmp_path / "base.yaml").write_text(
        yaml.safe_dump_all(
            [dict(WORKLOADS[0], metadata={"name": "web", "namespace": there.name}), *WORKLOADS[1:]]
        )
    )
    (tmp_path / "kustomization.yaml").write_text(
        yaml.safe_dump({"resources": ["base.yaml"], "components": ["component"], "namespace": there.name})
    )
    by_kustomize = {}
    for text in cluster.kubectl("kustomize", str(tmp_path)).split("\n---\n"):
        found = json.loads(
            cluster.kubectl("replace", "--dry-run=server", "-o", "json", "-f", "-", stdin=text)
        )
        by_kustomize["{}/{}".format(found["kind"], found["metadata"]["name"])] = template(found)
    values = yaml.safe_load(made["manifests"]["deployment-web.values.yaml"])
    sidecar(there.name, *NAMES, wait=False)
    by_module = there.templates()
    assert by_kustomize == by_module
    spec = by_module["Deployment/web"]["spec"]
    (own,) = values["initContainers"]
    assert (
        values["shareProcessNamespace"] is True
        and {key: spec["initContainers"][0][key] for key in own} == own
    )


def test_what_manifests_hold_is_left_to_them(there, sidecar, cluster):
    sidecar(there.name, NAMES[0], wait=False)
    cluster.kubectl("annotate", NAMES[0], "-n", there.name, ANNOTATION + "-")
    held = there.templates()
    assert not sidecar(there.name, NAMES[0], wait=False)["changed"]
    for changes in ({"state": "absent"}, {"scanner_image": DEBIAN}):
        with pytest.raises(ScanError) as caught:
            sidecar(there.name, NAMES[0], wait=False, **changes)
        assert caught.value.reason == "conflict" and "not added by scan_sidecar" in caught.value.message
    assert there.templates() == held


def test_others_who_write_at_the_same_time_lose_nothing(there, sidecar, cluster):
    ended, written = threading.Event(), []

    def write():
        while not ended.is_set():
            value = f"v{len(written)}"
            cluster.kubectl(
                "patch",
                NAMES[0],
                "-n",
                there.name,
                "--type=merge",
                "-p",
                json.dumps({"spec": {"template": {"metadata": {"labels": {value: value}}}}}),
            )
            written.append(value)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for state in ("present", "absent") * 4:
            sidecar(there.name, NAMES[0], wait=False, state=state)
    finally:
        ended.set()
        writer.join()
    found = there.templates()[NAMES[0]]
    assert written and set(written) <= set(found["metadata"]["labels"]) and added(found) == ["prepares"]


def test_a_job_is_told_apart_and_gets_manifests(there, sidecar, cluster):
    make(cluster, there.name, workload("Job", "once", container(), spec={"suspend": True}))
    with pytest.raises(ScanError) as caught:
        sidecar(there.name, NAMES[0], "Job/once")
    assert caught.value.reason == "template_immutable" and "manifests_only" in caught.value.advice
    assert added(there.templates()[NAMES[0]]) == ["prepares"], "nothing is touched where one is refused"
    made = sidecar(there.name, "Job/once", manifests_only=True)["manifests"]
    assert (
        yaml.safe_load(made["job-once.patch.yaml"])["spec"]["template"]["spec"]["initContainers"][0]["image"]
        == BUSYBOX
    )


REFUSED = (
    ((), {}, "bad_option", "no workload"),
    (("Deployment/*",), {}, "bad_option", "pattern"),
    (("ReplicaSet/web",), {}, "bad_option", "Deployment, StatefulSet"),
    (("Deployment/web",), {"scanner_image": ""}, "bad_option", "image"),
    (("Deployment/web",), {"state": "absent", "output_dir": "/nowhere"}, "bad_option", "manifests"),
    (("Deployment/web",), {"run_as_user": -1}, "bad_option", "-1"),
    (("Deployment/web",), {"wait_timeout": 0}, "bad_option", "0 s"),
    (("Deployment/nobody",), {}, "not_found", "nobody"),
    (("Deployment/web",), {"resources": {"limits": {"memory": "lots"}}}, "bad_option", "lots"),
    (
        ("Deployment/web",),
        {"resources": {"limits": {"memory": "1Mi"}, "requests": {"memory": "2Mi"}}},
        "invalid_request",
        "memory limit",
    ),
    (("Deployment/web",), {"scanner_image": " "}, "bad_option", "image"),
)


def test_what_cannot_work_is_refused_before_anything_is_touched(there, sidecar):
    before = there.templates()
    for workloads, changes, reason, words in REFUSED:
        with pytest.raises(ScanError) as caught:
            sidecar(there.name, *workloads, **changes)
        assert caught.value.reason == reason and words in str(caught.value), caught.value
        assert there.templates()["Deployment/web"] == before["Deployment/web"]


def test_an_identity_that_nothing_tells_must_be_given(there, sidecar, cluster):
    make(
        cluster,
        there.name,
        workload("CronJob", "image-user", container(user=None)),
        workload(
            "Deployment",
            "root",
            container(user=(0, 0), security={"runAsNonRoot": None, "capabilities": {}}),
            container("free", user=(0, 0), security={"runAsNonRoot": None}),
            spec={"replicas": 0},
        ),
    )
    with pytest.raises(ScanError) as caught:
        sidecar(there.name, "CronJob/image-user")
    assert caught.value.reason == "identity_unknown" and "run_as_user" in caught.value.advice
    done = sidecar(there.name, "CronJob/image-user", run_as_user=65532, run_as_group=0)
    assert done["workloads"][0]["sidecars"] == ["securescan-sidecar-65532-0"]
    assert not sidecar(there.name, "CronJob/image-user")["changed"], "what was known once is not forgotten"
    done = sidecar(there.name, "Deployment/root", wait=False)["workloads"][0]
    assert done["sidecars"] == ["securescan-sidecar-0-0"] and set(done["not_served"]) == {"app"}
    assert "cannot look at the container app" in sidecar.warnings[0]
