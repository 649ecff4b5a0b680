# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples that ansible-doc shows are run, as they stand there, in one play against the real cluster."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import time

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import LISTENS, container
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import HELPERS
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import make, workload
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import make_key

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))

# They read results and reach no cluster.
OF_RESULTS = (
    *("scan_fleet_run", "scan_store", "scan_store_info"),
    *("scan_push", "scan_sign", "scan_tickets", "scan_verify", "scan_waiver_info"),
)
# The systems of the examples: nobody listens there.
NOBODY = "https://127.0.0.1:9"
OF_A_FLEET = "/var/lib/securescan"
SECRETS = ("heimdall_api_key", "webhook_secret", "gitlab_token", "servicenow_password")
# test_health.py: it needs canaries
BY_ITS_OWN_TEST = ("scan_health",)


def examples(module: str) -> list[dict]:
    program = pathlib.Path(sys.executable).parent / "ansible-doc"
    done = subprocess.run(
        [str(program), "-j", f"securescan.kubernetes.{module}"], check=True, capture_output=True, text=True
    )
    return yaml.safe_load(json.loads(done.stdout)[f"securescan.kubernetes.{module}"]["examples"])


@pytest.fixture
def team_namespace(cluster):
    """The examples speak of a team's namespaces: the sample namespace is one for as long as they run."""
    cluster.kubectl("label", "namespace", "shop", "team=store", "--overwrite")
    yield
    cluster.kubectl("label", "namespace", "shop", "team-")


@pytest.fixture
def billing_namespace(cluster):
    """Those that change a workload have one of their own."""
    cluster.kubectl("delete", "namespace", "billing", "--ignore-not-found", "--timeout=120s")
    make(cluster, "default", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "billing"}})
    make(
        cluster,
        "billing",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sample"}},
        workload("Deployment", "edge", container(**LISTENS), serviceAccountName="sample"),
    )
    cluster.kubectl("rollout", "status", "deployment/edge", "-n", "billing", "--timeout=120s")
    yield
    cluster.kubectl("delete", "namespace", "billing", "--wait=false")


def test_every_example_works(
    playbooks, cluster, team_namespace, billing_namespace, helper_operator_kubeconfig, tmp_path
):
    make_access, *other_access = examples("scan_access")
    gate = examples("scan_threshold")  # last: it judges the scan of the compliant application
    others = [
        task
        for module in MODULES
        if module not in ("scan_access", "scan_threshold", *OF_RESULTS, *BY_ITS_OWN_TEST)
        for task in examples(module)
        if OF_A_FLEET not in str(task)
    ]
    tasks = [make_access, *others, *gate, *other_access]
    assert len(tasks) >= 10
    no_guard = {
        "securescan.kubernetes.scan_guard": {"kubeconfig": "{{ admin_kubeconfig }}", "state": "absent"}
    }
    made = {
        "when": "made.access is defined",
        "securescan.kubernetes.scan_access": {
            "kubeconfig": "{{ scan_kubeconfig }}",
            "state": "absent",
            "namespaces": ["shop"],
            "run_id": "{{ made.access.run_id }}",
        },
    }
    by_hand = {
        "securescan.kubernetes.scan_access": {
            "kubeconfig": "{{ scan_kubeconfig }}",
            "state": "absent",
            "run_id": "look-by-hand",
            "namespaces": ["shop"],
        }
    }
    play = tmp_path / "examples.yml"
    play.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "all",
                    "gather_facts": False,
                    "tasks": [{"block": tasks, "always": [by_hand, made, no_guard]}],
                }
            ]
        )
    )
    before = set(left(cluster).split())
    run = playbooks.run(
        str(play),
        scan_output_dir=str(tmp_path / "results"),
        scan_kubeconfig=str(helper_operator_kubeconfig),
        scan_scanner_image="securescan.local/busybox:1",
        scan_helper_namespace=HELPERS,
        admin_kubeconfig=str(cluster.kubeconfig),
    )
    assert run.status == 0, run.output[-4000:]
    assert "failed=0" in run.output and "Gate: PASSED" in run.output
    end = time.monotonic() + 60  # a scan of somebody else may be under way in a cluster that is shared
    while more := set(left(cluster).split()) - before:
        assert time.monotonic() < end, more
        time.sleep(0.5)


def ends(task: dict, reason: str) -> dict:
    """The example, which can only end so here."""
    return {**task, "register": "ended", "failed_when": f"ended.error.reason != '{reason}'"}


def test_every_example_of_results_works(tmp_path):
    """But for servers and a key in a KMS that are not there, and for a document of a target that is not there."""
    scans = tmp_path / "scans"
    for part in ("", "eu", "us"):
        fleet = write_sample_fleet(scans / part)
        (scans / part / "_fleet" / "latest").symlink_to(fleet.fleet_run_id)
    run_dir = next(path.parent for path in sorted((scans / "alpha").glob("*/summary.json")))
    (tmp_path / "deadlines.yml").write_text("default: {fix_within_days: {critical: 7}}\n")
    begin, end, merge = examples("scan_fleet_run")
    end = ends(end, "fleet_unreachable")
    merge = {**merge, "register": "merged", "failed_when": "merged.fleet_run_id is not defined"}
    stores = [task for task in examples("scan_store") if "postgresql://" not in str(task)]
    reports = [task for task in examples("scan_report") if OF_A_FLEET in str(task)]
    questions = [task for task in examples("scan_store_info") if "'document'" not in str(task)]
    assert (len(stores), len(reports), len(questions)) == (3, 2, 3)
    private, public = make_key()
    (tmp_path / "keys").mkdir()
    for name in ("scans.pub", "scans-2025.pub"):
        (tmp_path / "keys" / name).write_text(public)
    (tmp_path / "waivers.yml").write_text("c-failed: {justification: until spring, run: false}\n")
    (tmp_path / "configuration-items.yml").write_text("items: [{item: CI-1, namespace: shop}]\n")
    sign, _by_kms = examples("scan_sign")
    (verify,) = examples("scan_verify")
    sent = [
        ends(task, "push_incomplete" if "push" in str(task) else "unreachable")
        for task in (*examples("scan_push"), *examples("scan_tickets"))
        if "url" in str(task)
    ]
    preview = [task for task in examples("scan_tickets") if "url" not in str(task)]
    for task in sent:
        # nobody will be there in a minute, either
        task.get("securescan.kubernetes.scan_push", {})["retries"] = 0
    of_evidence = [{**sign, "register": "signed"}, verify, *sent, *preview]
    assert (len(sent), len(preview)) == (5, 1)
    play = {
        "connection": "local",
        "gather_facts": False,
        "vars": {
            "scan": {"run_dir": str(run_dir)},
            "ansible_date_time": {"date": "2026-11-23"},
            "vault_signing_key": private,
            "head_of_last_night": "{{ signed.manifest_sha256 }}",
            **{f"vault_{name}": f"a-made-up-{name}" for name in SECRETS},
        },
    }
    plays = [
        {"hosts": "localhost", **play, "tasks": [*stores, *reports, *questions]},
        {"hosts": "alpha", **play, "tasks": [*of_evidence, *examples("scan_waiver_info")]},
        {"hosts": "localhost", **play, "tasks": [begin, end, merge]},
    ]
    text = yaml.safe_dump(plays, sort_keys=False).replace("store.sqlite", "store.db")
    for example in ("/var/lib/scans/prod-eu/latest", "scan-results/prod-eu/latest"):
        text = text.replace(example, str(run_dir))
    text = re.sub(r"https://[a-z.-]*example[a-z.-]*\.com", NOBODY, text)
    for example in ("/var/lib/scans", OF_A_FLEET, "/var/backups"):
        text = text.replace(example, str(scans))
    (tmp_path / "examples.yml").write_text(text)
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [str(program), "-i", "alpha,", "examples.yml"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
