# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scans that are signed by the role, and verified by a play."""

from __future__ import annotations

import base64
import json
import pathlib
import shutil

import pytest
from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import make_key

PASSPHRASE = "correct-horse-battery-staple"
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "securescan.kubernetes.scan_verify": {
                    "run_dir": "results/sample/latest",
                    "trusted_keys": ["scans.pub"],
                    "chain": True,
                },
                "register": "found",
                "ignore_errors": True,
            },
            {
                "ansible.builtin.copy": {
                    "content": "{{ found | to_json }}",
                    "dest": "{{ playbook_dir }}/found.json",
                }
            },
        ],
    }
]


@pytest.fixture
def signing(playbooks: Playbooks) -> Playbooks:
    private, public = make_key("ecdsa", PASSPHRASE)
    key = playbooks.folder / "scans.key"
    key.write_text(private, encoding="ascii")
    key.chmod(0o600)
    (playbooks.folder / "scans.pub").write_text(public, encoding="ascii")
    (playbooks.folder / "verify.json").write_text(json.dumps(PLAY), encoding="ascii")
    return playbooks


def scan(playbooks: Playbooks, *arguments: str, **variables: object) -> pathlib.Path:
    run = playbooks.scan(
        *arguments,
        **{
            "scan_workloads": "Deployment/api",
            "scan_private_key_path": "scans.key",
            "scan_private_key_passphrase": PASSPHRASE,
            **variables,
        },
    )
    playbooks.output = run.output  # type: ignore[attr-defined]
    assert run.run_dir is not None, run.output[-3000:]
    return run.run_dir


def found(playbooks: Playbooks) -> dict:
    ended = playbooks.run(str(playbooks.folder / "verify.json"))
    assert ended.status == 0, ended.output[-3000:]
    return dict(json.loads((playbooks.folder / "found.json").read_text(encoding="utf-8")))


def test_a_scan_signs_what_it_found_decided_and_reported(signing: Playbooks) -> None:
    first = scan(signing, "-vvvv")
    said = signing.output  # type: ignore[attr-defined]
    assert "Signed: " in said and PASSPHRASE not in said and "PRIVATE KEY" not in said
    assert (first / "summary.md").is_file()
    result = found(signing)
    assert result["verified"] and result["uncovered"] == [] and result["chain"] == [first.name]
    assert result["signed"]["tools"]["ansible-core"]
    envelope = json.loads((first / "evidence" / "run.intoto.json").read_bytes())
    manifest = json.loads(base64.b64decode(envelope["payload"]))
    assert manifest["predicate"]["scanners"] == [f"system:serviceaccount:shop:securescan-{first.name}"]
    second = scan(signing)
    assert found(signing)["chain"] == [second.name, first.name]
    # a report of it later is named, and a run that is gone is missed
    (second / "audit.json").write_text("{}", encoding="ascii")
    shutil.rmtree(first)
    result = found(signing)
    assert sorted(fault["kind"] for fault in result["faults"]) == ["added", "removed_run"]
    assert result["error"]["reason"] == "bad_evidence"


def test_a_key_that_cannot_be_used_ends_the_play_before_a_cluster_is_touched(signing: Playbooks) -> None:
    (signing.folder / "scans.key").chmod(0o644)
    run = signing.scan(scan_private_key_path="scans.key", scan_private_key_passphrase=PASSPHRASE)
    assert run.status and run.run_dir is None
    assert "SCAN-873 bad_key" in run.output and "No cluster was touched" in run.output
