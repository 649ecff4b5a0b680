# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped playbooks besides scan, run as an operator runs them, with the credential that the documentation describes."""

from __future__ import annotations

import json
import re
import uuid

import pytest

OURS = "app.kubernetes.io/managed-by=securescan.kubernetes"
_WRITES = ("create", "update", "patch", "delete", "deletecollection")


def flat(output):
    return re.sub(r"\s+", " ", output)


def writes(events):
    """What would have changed something: reviews are questions, and so is a dry run."""
    return [
        event
        for event in events
        if event["verb"] in _WRITES
        and "securescan-operator" in event["user"]["username"]
        and not event["objectRef"]["resource"].startswith("selfsubject")
        and "dryRun=All" not in event["requestURI"]
    ]


@pytest.fixture
def debug_place(cluster):
    """A namespace with a pod that has an entry as a debug scan leaves it; the pod never runs."""
    name = f"footprint-{uuid.uuid4().hex[:8]}"

    def make():
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "app", "namespace": name},
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": name},
            "spec": {
                "schedulingGates": [{"name": "tests/never"}],
                "serviceAccountName": "app",
                "containers": [{"name": "app", "image": "none"}],
            },
        }
        entry = {
            "name": "securescan-0123456789-1",
            "image": "none",
            "targetContainerName": "app",
            "command": ["sh", "-c", "x", "securescan", "90", "end", "run-1"],
        }
        cluster.kubectl(
            "create",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [space, account, pod]}),
        )
        cluster.kubectl(
            "patch",
            "pod",
            "p",
            "-n",
            name,
            "--subresource=ephemeralcontainers",
            "-p",
            json.dumps({"spec": {"ephemeralContainers": [entry]}}),
        )
        return name

    yield make
    cluster.kubectl_run("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize("arguments", [(), ("--check", "--diff")])
def test_the_playbook_preflight_reports_and_changes_nothing(playbooks, cluster, arguments):
    cluster.forget_audit()
    run = playbooks.run(
        "securescan.kubernetes.preflight",
        *arguments,
        scan_namespaces="shop",
        scan_approach="auto",
        scan_scanner_image="securescan.local/busybox:1",
        scan_output_dir=str(playbooks.folder / "results"),
    )
    assert run.status == 0, run.output[-4000:]
    text = flat(run.output)
    for words in (
        "PREFLIGHT of",
        "as system:serviceaccount:securescan-operator:operator",
        "in 1 namespace shop Deployment",
        "with approach=auto",
        "exec, if the image has a shell",
        "only an exec tells whether the image has a shell",
        "MISSING",
        '- {apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch"]}',
        "TIME about",
        "by exec (test bed)",
        "RESULT a scan by auto can begin",
        "changed=0",
    ):
        assert words in text, (words, run.output[-4000:])
    assert max(len(line) for line in run.output.split("PREFLIGHT")[1].split("RESULT")[0].splitlines()) <= 100
    events = cluster.audit_events()
    assert events is None or writes(events) == []


def test_preflight_fails_when_nothing_can_be_scanned(playbooks):
    run = playbooks.run(
        "securescan.kubernetes.preflight",
        scan_namespaces="shop",
        scan_approach="debug",
        scan_scanner_image="securescan.local/busybox:1",
        scan_info_file=str(playbooks.folder / "all.json"),
    )
    assert run.status == 2 and "failed=1" in run.output and "NOTHING can be scanned by debug" in run.output
    assert "lacks patch on pods/ephemeralcontainers" in flat(run.output)
    whole = json.loads((playbooks.folder / "all.json").read_text(encoding="utf-8"))
    assert all(target["tried"] == [] for target in whole["targets"]) and len(whole["targets"]) >= 6


def test_preflight_of_no_container_fails_unless_allowed(playbooks):
    nothing = {"scan_namespaces": "shop", "scan_pods": ["no-such-pod"]}
    assert "SCAN-401" in playbooks.run("securescan.kubernetes.preflight", **nothing).output
    assert playbooks.run("securescan.kubernetes.preflight", scan_allow_empty=True, **nothing).status == 0


def test_access_is_made_shown_and_removed(playbooks, cluster):
    run_id = f"playbook-{uuid.uuid4().hex[:8]}"
    selector = f"{OURS},securescan.kubernetes/run-id={run_id}"

    def left():
        return len(cluster.get("serviceaccounts,roles,rolebindings", "-n", "shop", "-l", selector)["items"])

    variables = {"scan_namespaces": "shop", "access_run_id": run_id, "access_lifetime": 600}
    looked = playbooks.run("securescan.kubernetes.access", "--check", "--diff", **variables)
    assert looked.status == 0 and left() == 0 and "ServiceAccount" in looked.output, looked.output[-4000:]
    try:
        made = playbooks.run("securescan.kubernetes.access", **variables)
        assert made.status == 0 and left() == 3, made.output[-4000:]
        assert f"run {run_id}: shop" in made.output and f"access_run_id={run_id}" in made.output
        gone = playbooks.run("securescan.kubernetes.access", "-e", "access_state=absent", **variables)
        assert gone.status == 0 and left() == 0, gone.output[-4000:]
    finally:
        cluster.kubectl_run("delete", "serviceaccounts,roles,rolebindings", "-n", "shop", "-l", selector)


def test_sweep_removes_what_is_past_its_expiry_and_nothing_else(playbooks, cluster):
    names = {"old": "20200101T000000Z", "new": "29990101T000000Z"}
    marks = {name: f"sweep-{name}-{uuid.uuid4().hex[:6]}" for name in names}
    try:
        for name, expires in names.items():
            cluster.kubectl(
                "create",
                "-f",
                "-",
                stdin=json.dumps(
                    {
                        "apiVersion": "v1",
                        "kind": "ServiceAccount",
                        "metadata": {
                            "name": f"securescan-{marks[name]}",
                            "namespace": "shop",
                            "labels": {
                                "app.kubernetes.io/managed-by": "securescan.kubernetes",
                                "securescan.kubernetes/run-id": marks[name],
                                "securescan.kubernetes/expires": expires,
                            },
                        },
                    }
                ),
            )

        def there():
            accounts = cluster.get("serviceaccounts", "-n", "shop", "-l", OURS)["items"]
            return {
                name
                for name in names
                if any(item["metadata"]["name"].endswith(marks[name]) for item in accounts)
            }

        looked = playbooks.run("securescan.kubernetes.sweep", "--check", "--diff", scan_namespaces="shop")
        assert looked.status == 0 and there() == {"old", "new"} and marks["old"] in looked.output, (
            looked.output[-4000:]
        )
        swept = playbooks.run("securescan.kubernetes.sweep")  # in all namespaces
        assert swept.status == 0 and there() == {"new"}, swept.output[-4000:]
        assert "securescan-{}".format(marks["old"]) in swept.output
    finally:
        for mark in marks.values():
            cluster.kubectl_run("delete", "serviceaccount", "-n", "shop", f"securescan-{mark}")


def test_the_playbook_footprint_lists_what_is_left_in_all_namespaces(playbooks, debug_place):
    left = debug_place()
    file = playbooks.folder / "all.json"
    run = playbooks.run("securescan.kubernetes.footprint", scan_info_file=str(file))  # of all namespaces
    assert run.status == 0 and "changed=0" in run.output and "[WARNING]" not in run.output, run.output[-4000:]
    assert re.search(r"FOOTPRINT of \S+: \d+ entr", run.output)
    # what other tests have left can be more than is listed on the terminal
    entries = json.loads(file.read_text(encoding="utf-8"))["footprint"]["entries"]
    assert (left, "p", "securescan-0123456789-1") in {
        (entry["namespace"], entry["pod"], entry["name"]) for entry in entries
    }
    listed = playbooks.run("securescan.kubernetes.footprint", scan_namespaces=left)
    assert f"{left}/p securescan-0123456789-1" in listed.output, listed.output[-4000:]


def test_report_and_judgement_of_an_earlier_run(playbooks):
    results = str(playbooks.folder / "results")
    scanned = playbooks.scan(scan_fail_on="never", scan_keep_facts=True, scan_workloads=["Deployment/api"])
    assert scanned.status == 0, scanned.output[-4000:]
    reported = playbooks.run(
        "securescan.kubernetes.report", scan_run_dir=str(scanned.run_dir), scan_fail_on="never"
    )
    assert reported.status == 0 and "TOTAL: 2 of 2 targets scanned" in reported.output, reported.output[
        -4000:
    ]
    strict = {"passed": {"total": {"min": 10000}}}  # of the latest
    failed = playbooks.run("securescan.kubernetes.report", scan_output_dir=results, scan_threshold=strict)
    assert failed.status == 2 and "Gate: FAILED" in failed.output, failed.output[-4000:]
    judged = playbooks.run("securescan.kubernetes.judge", scan_output_dir=results, scan_fail_on="never")
    assert judged.status == 0 and "TOTAL: 2 of 2 targets scanned" in judged.output, judged.output[-4000:]
    assert (playbooks.folder / "results" / "sample" / "latest").resolve() != scanned.run_dir
