# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the real cluster: a container whose shell keeps back every fact, and one whose shell never answers, pass no gate."""

from __future__ import annotations

import json
import uuid

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import make_namespace
from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks

IMAGE = "securescan.local/withholding:1"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a threshold of SAF looks like: it says nothing of what was not scanned, or not reviewed.
OF_SAF = {"failed": {"critical": {"max": 0}, "high": {"max": 0}}}
# As somebody would write them for images without a shell.
ATTESTATIONS = [
    {
        "control_id": control_id,
        "explanation": "seen it",
        "frequency": "annually",
        "status": "passed",
        "updated": "2026-11-01",
        "updated_by": "someone",
    }
    for control_id in ("cb-root-uid", "cb-passwd-passwords")
]


def pod(name, namespace):
    """`name` is the folder of the image whose shell answers."""
    container = {
        "name": "app",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "env": [{"name": "PATH", "value": f"/{name}:{PATH}"}],
        "securityContext": {"runAsUser": 10001, "allowPrivilegeEscalation": False},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }


@pytest.fixture(scope="module")
def hostile_namespace(cluster):
    name = f"withheld-{uuid.uuid4().hex[:8]}"
    cluster.load_images(IMAGE)
    make_namespace(cluster, name)
    items = [pod(shell, name) for shell in ("withhold", "hang", "honest")]
    cluster.kubectl(
        "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )
    cluster.kubectl("-n", name, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=120s")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def scanned(hostile_namespace, operator_kubeconfig, tmp_path_factory):
    """The run, with the default gate and attestations for controls that a program can review."""
    folder = tmp_path_factory.mktemp("withheld")
    (folder / "attestations.yml").write_text(yaml.safe_dump(ATTESTATIONS))
    return Playbooks(operator_kubeconfig, folder).scan(
        scan_namespaces=hostile_namespace,
        scan_profiles=["container-baseline"],
        scan_attestations=str(folder / "attestations.yml"),
        scan_approach="exec",
        scan_timeout=30,  # the honest one needs one or two
    )


def by_pod(run):
    return {target["pod"]: target for target in run.summary["targets"]}


def reasons(run, target):
    return {
        reason["key"]
        for reason in run.summary["gate"]["reasons"]
        if reason["target_id"] == target["target_id"]
    }


def test_what_keeps_back_every_fact_is_not_judged_and_fails_the_gate(scanned):
    assert scanned.status == 2, scanned.output[-4000:]
    target = by_pod(scanned)["withhold"]
    assert (
        target["counts"]["passed"] == target["counts"]["failed"] == 0
        and target["counts"]["not_reviewed"] > 50
    )
    assert {"reviewed.critical.min", "reviewed.high.min"} <= reasons(scanned, target)
    assert by_pod(scanned)["honest"]["result"] == "pass", "by the same gate, and without waivers"
    assert scanned.summary["gate"]["coverage"] < 100 and "NOT JUDGED" in scanned.output
    junit = (scanned.run_dir / "gate.junit.xml").read_text(encoding="utf-8")
    assert '<error type="not_judged"' in junit
    attack_ends_as("01-withheld-facts", outcome=target["result"], grade=target["evidence"]["grade"])


def test_an_attestation_does_not_speak_for_what_was_kept_back(scanned):
    target = by_pod(scanned)["withhold"]
    document = json.loads((scanned.run_dir / target["hdf"]).read_text(encoding="utf-8"))
    controls = {control["id"]: control for control in document["profiles"][0]["controls"]}
    for entry in ATTESTATIONS:
        assert "attestation_data" not in controls[entry["control_id"]]
        assert f"{entry['control_id']} could not be read on some targets" in " ".join(scanned.output.split())
    kinds = {note["kind"] for note in scanned.summary["attestation_notes"]}
    assert "not_covered" in kinds
    attack_ends_as("22-attested-and-withheld", outcome="not_covered" if "not_covered" in kinds else "")


def test_a_threshold_of_saf_does_not_let_pass_what_hangs(scanned, playbooks):
    run = playbooks.run(
        "securescan.kubernetes.report",
        scan_run_dir=str(scanned.run_dir),
        scan_output_dir=str(scanned.run_dir.parent),
        scan_threshold=OF_SAF,
    )
    assert run.status == 2, run.output[-4000:]
    run.run_dir = scanned.run_dir
    # the first decision stands in the summary, this one beside it
    (decided,) = (scanned.run_dir / "decisions").glob("*/decision.json")
    gate = json.loads(decided.read_text(encoding="utf-8"))["gate"]
    assert gate["threshold"]["added"] == [
        "error.total.max",
        "coverage.min",
        "reviewed.critical.min",
        "reviewed.high.min",
    ]
    hang = by_pod(run)["hang"]
    assert (hang["result"], hang["error"]["reason"]) == ("not_scanned", "timed_out")
    of_run = [reason["key"] for reason in gate["reasons"] if not reason["target_id"]]
    assert "In force though the threshold does not name them" in " ".join(run.output.split())
    attack_ends_as("02-hang", outcome=" ".join(of_run))
