# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator names and what is not there, must not be seen or has ended: exit statuses and outputs of the shipped plays."""

from __future__ import annotations

import json
import pathlib
import uuid

import pytest
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import make_namespace
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    MANIFEST,
    NAMESPACE,
    make_operator,
    shipped_cluster_role,
)

NAME = f"names-{uuid.uuid4().hex[:6]}"
# One pod that is scanned quickly, and controls that nobody has to mend for the gate.
ANY = {"scan_containers": ["web"], "scan_threshold": {"coverage": {"min": 100}, "compliance": {"min": 0}}}


@pytest.fixture(scope="module")
def billing(cluster):
    """A namespace with a pod that runs, and one of a CronJob that is done."""
    spec = {
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": "web",
                "image": "securescan.local/busybox:1",
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/sh", "-c", "sleep 600"],
            }
        ],
    }
    done = {
        **spec,
        "restartPolicy": "Never",
        "containers": [{**spec["containers"][0], "command": ["/bin/true"]}],
    }
    nightly = {
        "schedule": "0 0 1 1 *",
        "suspend": True,
        "jobTemplate": {"spec": {"template": {"spec": done}}},
    }
    namespaced = {"namespace": NAME}
    items = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "invoices", **namespaced}, "spec": spec},
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "nightly", **namespaced},
            "spec": nightly,
        },
    ]
    make_namespace(cluster, NAME)
    cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )
    cluster.kubectl("create", "job", "now", "--from=cronjob/nightly", "-n", NAME)
    cluster.kubectl("wait", "--for=condition=complete", "job/now", "-n", NAME, "--timeout=120s")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/invoices", "-n", NAME, "--timeout=60s")
    yield NAME
    cluster.kubectl("delete", "namespace", NAME, "--wait=false")


@pytest.fixture
def scan(playbooks):
    """Runs the shipped playbook scan; the summary stands in `summary`."""

    def run(*arguments, **variables):
        done = playbooks.scan(*arguments, **{"scan_waivers": "", **variables})
        found = sorted(pathlib.Path(playbooks.folder / "results").rglob("summary.json"))
        done.run_dir = found[-1].parent if found else None
        return done

    return run


def named(run):
    return [(gap["kind"], gap["name"], gap["error"]["reason"]) for gap in run.summary["unmatched"]]


def test_a_misspelt_namespace_fails_the_gate_and_is_named(scan, billing):
    run = scan(scan_namespaces=f"{billing},billingg", **ANY)
    assert run.status == 2 and named(run) == [("namespace", "billingg", "not_found")], run.output[-3000:]
    assert "namespace billingg does not exist" in run.output
    assert run.summary["gate"]["coverage"] == 50
    assert scan(scan_namespaces=f"{billing},billingg", scan_allow_empty=True, **ANY).status == 0


def test_a_workload_that_is_not_there_fails_the_gate_and_is_named(scan, billing):
    run = scan(scan_namespaces=billing, scan_workloads=["Pod/invoices", "Deployment/nonexist"], **ANY)
    assert run.status == 2 and named(run) == [("workload", "Deployment/nonexist", "no_targets")], run.output[
        -3000:
    ]
    assert "belongs to Deployment/nonexist" in (run.run_dir / "summary.md").read_text(encoding="utf-8")


def test_a_finished_pod_is_left_out_and_the_run_is_whole(scan, billing):
    run = scan(scan_namespaces=billing, **ANY)
    assert run.status == 0, run.output[-3000:]
    assert run.summary["left_out"] == {"finished": 1} and run.summary["target_counts"]["scanned"] == 1
    assert "1 of pods that have ended" in run.output
    run = scan(scan_namespaces=billing, scan_finished_pods=True, **ANY)
    assert run.status == 2 and run.summary["target_counts"]["not_scanned"] == 1


def test_an_empty_namespace_that_is_allowed_passes_and_says_so(scan, billing):
    assert scan(scan_namespaces="nope").status == 2
    run = scan(scan_namespaces="nope", scan_allow_empty=True)
    assert run.status == 0, run.output[-3000:]
    assert "nothing is to be scanned" in run.output and "Gate: PASSED" in run.output
    assert run.summary["target_counts"]["selected"] == 0 and run.summary["gate"]["passed"]
    assert (run.run_dir / "summary.md").exists() and (run.run_dir / "gate.junit.xml").exists()
    assert scan("--check", scan_namespaces="nope", scan_allow_empty=True).status == 0


def test_a_namespace_that_must_not_be_listed_is_a_record_and_the_other_is_scanned(
    cluster, billing, tmp_path_factory, playbooks
):
    """The shipped ClusterRole, bound in one namespace alone, as a team gets it."""
    account, role = "names", shipped_cluster_role(MANIFEST)["metadata"]["name"]
    kubeconfig = make_operator(cluster, tmp_path_factory.mktemp("team"), account)
    cluster.kubectl("apply", "-f", str(MANIFEST))
    subject = f"--serviceaccount={NAMESPACE}:{account}"
    cluster.kubectl("create", "rolebinding", "team", "-n", billing, f"--clusterrole={role}", subject)
    playbooks.kubeconfig = kubeconfig
    run = playbooks.scan(scan_namespaces=f"shop,{billing}", scan_waivers="", **ANY)
    run.run_dir = sorted((playbooks.folder / "results").rglob("summary.json"))[-1].parent
    assert run.status == 2 and named(run) == [("namespace", "shop", "not_permitted")], run.output[-3000:]
    assert [(target["pod"], target["outcome"]) for target in run.summary["targets"]] == [
        ("invoices", "scanned")
    ]
    assert 'in the namespace "shop"' in run.output


def test_preflight_says_what_was_left_out_and_named_in_vain(playbooks, billing):
    run = playbooks.run(
        "securescan.kubernetes.preflight",
        scan_namespaces=f"{billing},billingg",
        scan_output_dir=str(playbooks.folder / "results"),
    )
    assert run.status == 0, run.output[-3000:]
    for words in (
        "left out: 1 of pods that have ended",
        "no target: namespace billingg does not exist",
        "not tried: sidecar, debug, image (no scanner_image is given)",
        "MISSING  none",
        "1 name gives no target",
    ):
        assert words in run.output, run.output
    assert "bad_option" not in run.output
