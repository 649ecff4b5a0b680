# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way through: the shipped playbook against the sample workloads, and what it wrote, asked for and left."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

LABEL = "app.kubernetes.io/managed-by=securescan.kubernetes"
KINDS = "serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,secrets,configmaps,pods"
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")


def targets_of(run, workload):
    return [target for target in run.summary["targets"] if target["workload"] == workload]


def scanned(run):
    found = [target for target in run.summary["targets"] if target["outcome"] == "scanned"]
    assert len(found) >= 6
    return found


def hdf_of(run, target):
    return json.loads((run.run_dir / target["hdf"]).read_text(encoding="utf-8"))


def test_the_gate_fails_the_play_and_says_why(shop_scan):
    assert shop_scan.status == 2, shop_scan.output[-4000:]
    assert "SCAN-804" in shop_scan.output
    assert shop_scan.summary["gate"]["passed"] is False
    assert any("legacy" in reason["target_id"] for reason in shop_scan.summary["gate"]["reasons"])


def test_every_container_of_the_namespace_is_a_record(shop_scan, cluster):
    pods = cluster.get("pods", "-n", "shop")["items"]
    expected = {
        (pod["metadata"]["name"], container["name"])
        for pod in pods
        for container in pod["spec"]["containers"]
    }
    assert {(target["pod"], target["container"]) for target in shop_scan.summary["targets"]} >= expected
    assert len(expected) >= 9


def test_a_compliant_workload_passes(shop_scan):
    found = targets_of(shop_scan, "api")
    assert len(found) == 2
    for target in found:
        assert target["workload_kind"] == "Deployment"
        assert target["outcome"] == "scanned"
        assert target["counts"]["failed"] == 0, hdf_failures(hdf_of(shop_scan, target))
        assert target["counts"]["passed"] >= 12


def test_a_badly_configured_workload_fails(shop_scan):
    for target in targets_of(shop_scan, "legacy"):
        assert target["outcome"] == "scanned"
        assert target["counts"]["failed"] >= 6, hdf_failures(hdf_of(shop_scan, target))


def test_a_distroless_workload_is_recorded_with_its_reason_and_what_will_work(shop_scan):
    found = targets_of(shop_scan, "edge")
    assert len(found) == 2
    for target in found:
        assert target["outcome"] == "not_scanned"
        assert target["error"]["reason"] == "no_such_program"
        assert "debug container" in target["error"]["advice"]
        assert target["hdf"] == "", "nothing was seen, so there is no document to be taken for evidence"
        assert target["counts"] is None


def test_a_crashed_container_is_recorded(shop_scan):
    (target,) = targets_of(shop_scan, "broken")
    assert (target["outcome"], target["error"]["reason"]) == ("not_scanned", "container_not_running")


def test_a_pod_of_two_containers_gives_two_results(shop_scan):
    found = targets_of(shop_scan, "duo")
    assert len({target["container"] for target in found}) == 2
    assert all(target["outcome"] == "scanned" for target in found)


def hdf_failures(document):
    return [
        (control["id"], result["code_desc"], result.get("message"))
        for profile in document["profiles"]
        for control in profile["controls"]
        for result in control["results"]
        if result["status"] != "passed"
    ]


def test_exactly_one_exec_per_scanned_container_by_the_scanner(shop_scan):
    if shop_scan.execs is None:
        pytest.skip("the audit log of a foreign cluster is not ours to read")
    seen = sorted((target["pod"], target["container"]) for target in scanned(shop_scan))
    entered = []
    for event in shop_scan.execs:
        user = event["user"]["username"]
        assert user.startswith("system:serviceaccount:shop:securescan-"), user
        assert "command=sh" in event["requestURI"], "the script must not be in the URL"
        assert len(event["requestURI"]) < 400
        container = re.search(r"[?&]container=([^&]+)", event["requestURI"]).group(1)
        entered.append((event["objectRef"]["name"], container))
    # the runtime finds no shell in a distroless target, but that takes an exec too
    without_shell = [
        (target["pod"], target["container"])
        for target in shop_scan.summary["targets"]
        if target["error"] and target["error"]["reason"] == "no_such_program"
    ]
    # the one that crashes runs now and then, and it takes an exec to find out that it does not any more
    crashed = [
        (target["pod"], target["container"])
        for target in shop_scan.summary["targets"]
        if target["error"] and target["error"]["reason"] == "container_not_running"
    ]
    assert sorted(one for one in entered if one not in crashed) == sorted([*seen, *without_shell])
    assert len(entered) <= len({*seen, *without_shell, *crashed})


def test_nothing_is_left_in_the_cluster(shop_scan, cluster):
    assert shop_scan.run_dir
    assert cluster.kubectl("get", KINDS, "--all-namespaces", "-l", LABEL, "-o", "name") == ""


def test_no_token_in_output_or_results(shop_scan):
    assert not JWT.search(shop_scan.output)
    for path in shop_scan.run_dir.rglob("*"):
        if path.is_file():
            assert not JWT.search(path.read_text(encoding="utf-8")), path


def test_progress_is_shown_while_it_works(shop_scan):
    assert re.search(r"\[sample\] .*\d+/\d+", shop_scan.output)


def test_the_table_can_be_read_at_a_glance(shop_scan):
    for word in ("api", "legacy", "edge", "PASS", "FAIL"):
        assert word in shop_scan.output
    assert (
        max(len(line) for line in shop_scan.output.splitlines() if "legacy" in line and "FAIL" in line) <= 120
    )


def test_every_document_carries_its_identity(shop_scan):
    for target in scanned(shop_scan):
        document = hdf_of(shop_scan, target)
        assert document["platform"]["target_id"] == target["target_id"]
        identity = json.dumps(document["passthrough"])
        for field in ("pod_uid", "image", "namespace", "run_id", "approach"):
            assert field in identity
        assert target["pod_uid"] in identity


def test_junit_of_the_gate_is_well_formed(shop_scan):
    (path,) = shop_scan.run_dir.glob("*.xml")
    root = ElementTree.parse(path).getroot()
    assert root.findall(".//failure")


def test_the_markdown_summary_names_what_was_not_scanned(shop_scan):
    text = (shop_scan.run_dir / "summary.md").read_text(encoding="utf-8")
    assert "edge" in text
    assert "shell" in text


def test_check_mode_enters_nothing_and_changes_nothing(playbooks, cluster):
    cluster.forget_audit()
    run = playbooks.scan("--check", "--diff")
    assert run.status == 0, run.output
    # the one that crashes runs now and then
    assert re.search(
        r"would scan (9 containers of namespace shop by auto, with an access to 8"
        r"|8 containers of namespace shop by auto, with an access to 7) pods",
        run.output,
    ), run.output
    assert run.run_dir is None
    events = cluster.audit_events()
    if events is None:
        pytest.skip("the audit log of a foreign cluster is not ours to read")
    ours = [
        event
        for event in events
        if "ansible" in event.get("userAgent", "") or "securescan" in event.get("userAgent", "")
    ]
    assert ours, "our requests carry our user agent"
    assert {event["verb"] for event in ours} <= {"get", "list"}


def test_access_is_removed_when_the_scan_fails(playbooks, cluster, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    run = playbooks.run("securescan.kubernetes.scan", scan_namespaces="shop", scan_output_dir=str(blocked))
    assert run.status == 2
    assert "SCAN-104" in run.output, run.output[-3000:]
    assert cluster.kubectl("get", KINDS, "--all-namespaces", "-l", LABEL, "-o", "name") == ""


def test_a_broken_profile_is_refused_before_the_cluster_is_touched(playbooks, cluster, tmp_path):
    profile = tmp_path / "broken.yml"
    profile.write_text("name: broken\ncontrols: 7\n")
    cluster.forget_audit()
    run = playbooks.scan(scan_profiles=[str(profile)])
    assert run.status == 2
    assert "broken.yml:1: " in run.output
    assert "SCAN-701" in run.output
    events = cluster.audit_events()
    assert not events or not [
        event for event in events if event["verb"] == "create" and "securescan" in event.get("userAgent", "")
    ]


def test_a_lenient_threshold_passes(playbooks):
    run = playbooks.scan(
        scan_threshold={"coverage": {"min": 50}, "compliance": {"min": 1}},
        scan_label_selectors=["app.kubernetes.io/name in (api,legacy)"],
    )
    assert run.status == 0, run.output[-3000:]
    assert run.summary["gate"]["passed"] is True


def test_the_module_does_the_same_work_elsewhere(playbooks, tmp_path, shop_scan):
    """A connection that is not local: the same engine runs as a module, on the machine the play names."""
    run = playbooks.scan(
        scan_label_selectors=["app.kubernetes.io/name=legacy"],
        ansible_connection="bastion",
        ansible_remote_tmp=str(tmp_path / "remote"),
        scan_fail_on="never",
    )
    assert run.status == 0, run.output[-3000:]
    here = {target["pod"]: target["counts"] for target in targets_of(shop_scan, "legacy")}
    assert {target["pod"]: target["counts"] for target in targets_of(run, "legacy")} == here


def test_saf_agrees_on_every_document(shop_scan, saf_program, tmp_path):
    """One call of the real SAF CLI: its totals and compliance of every profile of every document must be ours.

    It looks at the first profile of a document only, and adds up profiles of one name: so each profile goes into a document
    of its own, under a name of its own.
    """
    ours, files = {}, []
    for target in scanned(shop_scan):
        document = hdf_of(shop_scan, target)
        for profile, counted in zip(document["profiles"], target["profiles"]):
            name = "{} of {}".format(profile["name"], target["target_id"])
            ours[name] = counted
            files.append(tmp_path / (f"{len(files)}.json"))
            files[-1].write_text(
                json.dumps(dict(document, profiles=[dict(profile, name=name)])), encoding="utf-8"
            )
    assert len(files) >= 12
    done = subprocess.run(
        [saf_program, "view", "summary", "-f", "json", "--no-print-pretty", "-i", *map(str, files)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    theirs = {entry["profileName"]: entry for entry in json.loads(done.stdout[done.stdout.index("[") :])}
    assert set(theirs) == set(ours)
    for name, counted in ours.items():
        assert theirs[name]["compliance"] == counted["compliance"], name
        for word, key in (
            ("passed", "passed"),
            ("failed", "failed"),
            ("skipped", "not_reviewed"),
            ("no_impact", "not_applicable"),
            ("error", "profile_error"),
        ):
            assert theirs[name][word]["total"] == counted["counts"][key], (name, word, theirs[name], counted)


def test_a_later_job_that_is_given_the_printed_digest_judges_that_run_alone(shop_scan, playbooks, tmp_path):
    """What was changed here stands in the summary alone, so nothing else can tell."""
    copied = tmp_path / "results" / shop_scan.run_dir.name
    shutil.copytree(shop_scan.run_dir, copied)
    (digest,) = re.findall(r"^([0-9a-f]{64})$", shop_scan.output, re.MULTILINE)
    summary = json.loads((copied / "summary.json").read_text(encoding="utf-8"))
    summary["selection"]["namespaces"] = ["another"]
    (copied / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    run = playbooks.run(
        "securescan.kubernetes.report",
        scan_kubeconfig="",
        scan_run_dir=str(copied),
        scan_summary_sha256=digest,
        scan_threshold={"failed": {"total": {"max": 9999}}},
    )
    assert run.status == 2, run.output[-4000:]
    assert f"summary.json of run {copied.name} is not the one that was named" in " ".join(run.output.split())
    attack_ends_as("11-rewritten-later-job", outcome="summary")
