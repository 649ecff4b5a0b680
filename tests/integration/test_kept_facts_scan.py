# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the real cluster: facts that a scan kept give the same verdicts again, attestations count, a baseline is compared."""

from __future__ import annotations

import datetime
import json
import re
import stat
import uuid

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.literal_secrets import (
    KEPT_NO_SECRET,
    KEPT_SECRET,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import make_namespace
from ansible_collections.securescan.kubernetes.tests.support.playbooks import WAIVERS, Playbooks
from ansible_collections.securescan.kubernetes.tests.support.secret_samples import ATTACKED, OURS

MANUAL = """\
name: by-hand
title: By hand
version: 1.0.0
controls:
  - {id: bh-reviewed, title: Somebody reviewed it, impact: medium, manual: true, check: Look}
  - {id: bh-expired, title: Somebody reviewed it once, impact: medium, manual: true, check: Look}
  - {id: bh-elsewhere, title: Somebody reviewed another one, impact: medium, manual: true, check: Look}
"""
ENTRY = {"explanation": "seen it", "frequency": "annually", "status": "passed", "updated_by": "someone"}
ATTESTATIONS = [
    {"control_id": "bh-reviewed", "updated": "@today", **ENTRY},
    {"control_id": "bh-expired", "updated": "2020-01-01", **ENTRY},
    {"control_id": "bh-elsewhere", "updated": "@today", "targets": [{"namespace": "elsewhere"}], **ENTRY},
]
JUDGE = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "securescan.kubernetes.scan_judgement": {
                    "run_dir": "{{ first }}",
                    "profiles": "{{ scan_profiles }}",
                    "attestations": "{{ scan_attestations }}",
                    "waivers": "{{ scan_waivers }}",
                    "output_dir": "{{ scan_output_dir }}",
                },
                "register": "again",
            },
            {
                "securescan.kubernetes.scan_threshold": {
                    "run_dir": "{{ again.run_dir }}",
                    "baseline": "{{ first }}",
                    "threshold": {
                        "new_failures": {"max": 0},
                        "must_pass": {"by-hand": ["bh-reviewed"]},
                        "coverage": {"min": 50},
                    },
                }
            },
        ],
    }
]


@pytest.fixture(scope="module")
def kept_scan(operator_kubeconfig, tmp_path_factory):
    """A scan that keeps its facts, by the shipped profile and one of controls for people."""
    folder = tmp_path_factory.mktemp("kept_scan")
    profile, attestations = folder / "by-hand.yml", folder / "attestations.yml"
    profile.write_text(MANUAL)
    today = datetime.datetime.now(datetime.timezone.utc).isoformat()
    attestations.write_text(
        yaml.safe_dump(
            [
                dict(entry, updated=today if entry["updated"] == "@today" else entry["updated"])
                for entry in ATTESTATIONS
            ]
        )
    )
    run = Playbooks(operator_kubeconfig, folder).scan(
        scan_profiles=["container-baseline", str(profile)],
        scan_attestations=str(attestations),
        scan_keep_facts=True,
        scan_fail_on="never",
    )
    assert run.status == 0, run.output[-4000:]
    run.variables = {
        "scan_profiles": ["container-baseline", str(profile)],
        "scan_attestations": str(attestations),
        "scan_waivers": str(WAIVERS),
    }
    return run


def controls_of(run_dir, target):
    """Id -> status and texts of the tests, without times."""
    document = json.loads((run_dir / target["hdf"]).read_text(encoding="utf-8"))
    return {
        (profile["name"], control["id"]): [
            (result["status"], result.get("message"), result.get("skip_message"))
            for result in control["results"]
        ]
        for profile in document["profiles"]
        for control in profile["controls"]
    }


def test_kept_facts_give_the_same_verdicts_without_a_second_scan(kept_scan, playbooks, tmp_path):
    first = kept_scan.run_dir
    play = tmp_path / "judge.yml"
    play.write_text(yaml.safe_dump(JUDGE))
    run = playbooks.run(
        str(play),
        first=str(first),
        scan_kubeconfig="",
        scan_output_dir=str(tmp_path / "again"),
        **kept_scan.variables,
    )
    assert run.status == 0, run.output[-4000:]
    assert "Gate: PASSED" in run.output
    again = (tmp_path / "again" / "sample" / "latest").resolve()
    before = {target["target_id"]: target for target in kept_scan.summary["targets"]}
    after = {
        target["target_id"]: target for target in json.loads((again / "summary.json").read_text())["targets"]
    }
    assert set(before) == set(after)
    seen = 0
    for target_id, target in before.items():
        assert after[target_id]["outcome"] == target["outcome"]
        if target["outcome"] != "scanned":
            assert after[target_id]["error"] == target["error"]
            continue
        then, now = controls_of(first, target), controls_of(again, after[target_id])
        assert then == now, target_id
        seen += len(then)
    assert seen > 150


def test_what_is_kept_is_private_and_holds_no_secret(kept_scan):
    targets = [target for target in kept_scan.summary["targets"] if target["outcome"] == "scanned"]
    assert all(target["facts"] for target in targets)
    for target in targets:
        path = kept_scan.run_dir / target["facts"]["path"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text(encoding="ascii")
        assert not re.search(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.|PRIVATE KEY|\$(6|y)\$", text)
        kept = json.loads(text)
        assert "cmdline" not in json.dumps(kept["facts"].get("processes"))
        assert all(
            fact["status"] != "ok" for key, fact in kept["facts"].items() if key.startswith("content:")
        ), "no content is kept whole"
        for container in kept["pod"]["spec"]["containers"]:
            assert all(
                variable.get("value", "") in ("", KEPT_SECRET, KEPT_NO_SECRET)
                for variable in container.get("env", [])
            )


ASKING = """\
name: asking
title: Asks for what can be secret
version: 1.0.0
controls:
  - id: as-commands
    title: A command line
    impact: high
    tests:
      - processes: {}
        expect: {commands: {any: {equals: no such}}}
  - id: as-file
    title: A file
    impact: high
    tests:
      - file: /tmp/app.conf
        expect: {content: {matches: "no such"}}
      - ini: {path: /tmp/app.conf, key: db_password}
        expect: {value: no such}
  - id: as-output
    title: What a program wrote
    impact: high
    tests:
      - command: [cat, /tmp/app.conf]
        expect: {stdout: no such}
  - id: as-variable
    title: A variable
    impact: high
    tests:
      - os_env: APP_SETTINGS
        expect: {content: no such}
"""
HANDFUL = [
    *(
        sample
        for sample in ATTACKED
        if sample.secret in ("S3cr3tMysql", "4815162342108", "S3cr3tRedis", "S3cr3tCurl")
    ),
    *(
        sample
        for sample in ATTACKED
        if sample.text.startswith(("sk_live_", "machine example.org", "DB_PASS="))
    ),
    *(sample for sample in OURS if sample.text.startswith(("masterauth", "sessionid"))),
]


@pytest.fixture
def secretive_namespace(cluster):
    """A pod with secrets in its command line, a variable, a file, an annotation and a label."""
    name = f"secretive-{uuid.uuid4().hex[:8]}"
    image = "securescan.local/debian:1"
    cluster.load_images(image)
    texts = [sample.text for sample in HANDFUL]
    program = 'printf "%s\\n" "$@" >/tmp/app.conf; while :; do sleep 1000; done'
    container = {
        "name": "app",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", program, "mysqld", *texts],
        "env": [{"name": "APP_SETTINGS", "value": " ".join(texts)}],
        "securityContext": {"runAsUser": 10001},
    }
    metadata = {
        "name": "app",
        "namespace": name,
        "annotations": {"example.org/note": "\n".join(texts)},
        "labels": {"example.org/note": "S3cr3tMysql"},
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
    make_namespace(cluster, name)
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    cluster.kubectl("-n", name, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=120s")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def test_secrets_of_a_real_container_are_in_no_file_of_the_run(secretive_namespace, playbooks, tmp_path):
    profile = tmp_path / "asking.yml"
    profile.write_text(ASKING)
    run = playbooks.scan(
        scan_namespaces=secretive_namespace,
        scan_profiles=["container-baseline", str(profile)],
        scan_approach="exec",
        scan_keep_facts=True,
        scan_fail_on="never",
    )
    assert run.status == 0, run.output[-4000:]
    (target,) = run.summary["targets"]
    asked = [
        controls for (name, _id), controls in controls_of(run.run_dir, target).items() if name == "asking"
    ]
    assert {status for controls in asked for status, _message, _why in controls} == {"failed"}
    places = {"output": run.output.encode()}
    places.update((str(path), path.read_bytes()) for path in run.run_dir.rglob("*") if path.is_file())
    assert len(HANDFUL) == 9 and any("/facts/" in name for name in places)
    held = [
        (name, sample.text)
        for name, content in places.items()
        for sample in HANDFUL
        if sample.secret.encode() in content
    ]
    assert held == []
    attack_ends_as(
        "14-command-line", outcome="in a file of the run" if held else "not in any file of the run"
    )


def test_attestations_count_by_target_and_until_their_expiry(kept_scan):
    summary = kept_scan.summary
    targets = [target for target in summary["targets"] if target["outcome"] == "scanned"]
    assert {note["control_id"]: note["kind"] for note in summary["attestation_notes"]} == {
        "bh-expired": "expired",
        "bh-elsewhere": "no_target",
    }
    assert "bh-expired: the attestation of 2020-01-01 by someone expired on 2021-01-01" in " ".join(
        kept_scan.output.split()
    )
    for target in targets:
        document = json.loads((kept_scan.run_dir / target["hdf"]).read_text(encoding="utf-8"))
        (profile,) = [profile for profile in document["profiles"] if profile["name"] == "by-hand"]
        statuses = {control["id"]: control["results"][-1]["status"] for control in profile["controls"]}
        assert statuses == {"bh-reviewed": "passed", "bh-expired": "skipped", "bh-elsewhere": "skipped"}
    text = (kept_scan.run_dir / "summary.md").read_text(encoding="utf-8")
    assert "## Attestations" in text


def test_a_broken_file_of_attestations_is_refused_before_the_cluster_is_touched(playbooks, tmp_path):
    broken = tmp_path / "attestations.yml"
    broken.write_text("- control_id: c-1\n  status: passed\n")
    run = playbooks.scan(scan_attestations=str(broken), scan_kubeconfig=str(tmp_path / "there-is-none"))
    assert run.status == 2
    assert "SCAN-805" in run.output
    assert "attestations.yml: entry 1 (c-1): explanation (text) is required" in " ".join(run.output.split())


def test_a_baseline_through_the_role(playbooks, kept_scan):
    """Everything failed before, so nothing is new; compared with itself it would be nothing either, and is refused."""
    profiles = kept_scan.variables["scan_profiles"]
    run = playbooks.scan(
        scan_baseline=str(kept_scan.run_dir), scan_threshold={"coverage": {"min": 50}}, scan_profiles=profiles
    )
    assert run.status == 0, run.output[-4000:]
    assert run.summary["gate"]["baseline"].startswith("run ")
    assert run.summary["gate"]["threshold"]["limits"]["new_failures.max"] == 0
    assert run.summary["controls"]["failed"]["total"] > 0
    run = playbooks.scan(scan_baseline=str(run.run_dir.parent / "latest"), scan_profiles=profiles)
    assert run.status == 2
    assert "is the run that is judged" in run.output
