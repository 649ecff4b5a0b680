# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's own words for what goes wrong: unreachable for a cluster that does not answer, failed for a gate that failed.

Each keyword that decides how a play goes on is tried on inventory hosts of which some are a real cluster and some closed ports.
"""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import yaml

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "playbooks.md"
ONE_WORKLOAD = {"scan_namespaces": "shop", "scan_workloads": ["Deployment/legacy"]}
# Nothing keeps a run from passing this gate, and nothing lets one pass the other.
OPEN, CLOSED = {"compliance": {"min": 0}}, {"compliance": {"min": 100}}
LOOK = {
    "name": "Look",
    "securescan.kubernetes.scan_target_info": {
        "kubeconfig": "{{ scan_kubeconfig | default(omit, true) }}",
        "host": "{{ scan_host | default(omit, true) }}",
        "api_key": "{{ scan_api_key | default(omit, true) }}",
        "listed": 0,
        "namespaces": ["{{ 'no-such-place' if inventory_hostname == 'near_failing' else 'shop' }}"],
    },
}
AFTERWARDS = {
    "name": "Afterwards",
    "ansible.builtin.debug": {"msg": "afterwards on {{ inventory_hostname }}"},
}


@pytest.fixture
def fleet(playbooks, monkeypatch):
    """Runs a play, or the playbook that is named, on hosts of which those named near* are the real cluster."""

    def run(what, hosts, *arguments, environ=None, **variables):
        path = what
        if not isinstance(what, str):
            path = str(playbooks.folder / "play.yml")
            (playbooks.folder / "play.yml").write_text(
                json.dumps([{"hosts": "all", "gather_facts": False, **what}])
            )

        def inventory(**each):
            given = json.loads(type(playbooks).inventory(playbooks, **each).read_text())["all"]["hosts"][
                "sample"
            ]
            away = {"scan_kubeconfig": "", "scan_host": "https://127.0.0.1:1", "scan_api_key": "none"}
            own = {
                name: dict(
                    given,
                    scan_output_dir=str(playbooks.folder / "results"),
                    **({} if "near" in name else away),
                )
                for name in hosts
            }
            for name in hosts:
                if "module" in name:
                    own[name].update(
                        ansible_connection="bastion", ansible_remote_tmp=str(playbooks.folder / "remote")
                    )
            (playbooks.folder / "inventory.json").write_text(json.dumps({"all": {"hosts": own}}))
            return playbooks.folder / "inventory.json"

        monkeypatch.setattr(playbooks, "inventory", inventory)
        done = playbooks.run(path, *arguments, environ=environ, **variables)
        done.recap = {
            name: {word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", counts)}
            for name, counts in re.findall(r"^(\S+)\s+: (ok=.*)$", done.output, re.MULTILINE)
        }
        return done

    return run


def test_a_cluster_that_does_not_answer_is_unreachable_and_can_be_tried_again(fleet, playbooks):
    """The shipped playbook: the others are scanned, and the retry file names the cluster that was not."""
    retry = {"ANSIBLE_RETRY_FILES_ENABLED": "1", "ANSIBLE_RETRY_FILES_SAVE_PATH": str(playbooks.folder)}
    play = {"roles": [{"role": "securescan.kubernetes.scan"}]}
    done = fleet(play, ["away", "near"], environ=retry, scan_threshold=OPEN, **ONE_WORKLOAD)
    assert done.status == 4, done.output[-4000:]
    assert (done.recap["away"]["unreachable"], done.recap["away"]["failed"]) == (1, 0)
    assert done.recap["near"]["failed"] == done.recap["near"]["unreachable"] == 0
    assert re.search(r"UNREACHABLE.*SCAN-202", done.output, re.DOTALL)
    assert (playbooks.folder / "results" / "near" / "latest" / "summary.json").exists()
    assert not (playbooks.folder / "results" / "away" / "latest").exists()
    file = playbooks.folder / "play.retry"
    assert file.read_text().split() == ["away"]
    again = fleet(play, ["away", "near"], "--limit", f"@{file}", scan_threshold=OPEN, **ONE_WORKLOAD)
    assert (again.status, set(again.recap)) == (4, {"away"}), again.output[-2000:]
    other = fleet("securescan.kubernetes.preflight", ["away", "near"], "--limit", "near", **ONE_WORKLOAD)
    assert (other.status, set(other.recap)) == (0, {"near"}), other.output[-2000:]


def test_ignore_unreachable_goes_on_and_passes_no_gate_by_absence(fleet, playbooks):
    """The module, where a play's tasks run elsewhere, says it as the action plugin does."""
    told = {
        "name": "It is known",
        "ansible.builtin.assert": {
            "that": [
                "scan_result is unreachable",
                "scan_result.error.code == 'SCAN-202'",
                "scan_gate is skipped",
            ]
        },
    }
    roles = [
        {"name": "Use it", "ansible.builtin.include_role": dict(more, name=f"securescan.kubernetes.{name}")}
        for name, more in (("scan", {"tasks_from": "preflight"}), ("access", {}), ("scan", {}))
    ]
    done = fleet(
        {"ignore_unreachable": True, "tasks": [*roles, told, AFTERWARDS]},
        ["away", "away_by_module"],
        access_namespaces=["shop"],
        access_host="{{ scan_host }}",
        access_api_key="none",
        **ONE_WORKLOAD,
    )
    assert done.status == 0, done.output[-4000:]
    for name in ("away", "away_by_module"):
        assert f"afterwards on {name}" in done.output
        assert (done.recap[name]["ignored"], done.recap[name]["failed"]) == (3, 0), done.recap
        assert not (playbooks.folder / "results" / name / "latest").exists()


def test_any_errors_fatal_stops_all_and_without_it_the_others_go_on(fleet):
    stopped = fleet({"any_errors_fatal": True, "tasks": [LOOK, AFTERWARDS]}, ["away", "near"])
    assert stopped.status != 0
    assert "afterwards on" not in stopped.output
    gone_on = fleet({"tasks": [LOOK, AFTERWARDS]}, ["away", "near"])
    assert gone_on.status == 4
    assert "afterwards on near" in gone_on.output and "afterwards on away" not in gone_on.output


@pytest.mark.parametrize(
    ("hosts", "size", "most", "goes_on"),
    [
        (["near_failing", "near", "near_later"], 2, 40, False),
        (["near_failing", "near", "near_later"], 2, 50, True),
        # Ansible counts those that failed, not those that are unreachable
        (["away", "near", "near_later"], 2, 0, True),
        # but a batch of which nothing is left ends the play
        (["away", "near_later"], 1, 100, False),
    ],
    ids=["more failed", "as many failed", "one unreachable", "all unreachable"],
)
def test_serial_and_max_fail_percentage(fleet, hosts, size, most, goes_on):
    done = fleet({"serial": size, "max_fail_percentage": most, "tasks": [LOOK, AFTERWARDS]}, hosts)
    assert done.status != 0
    assert ("afterwards on near_later" in done.output) is goes_on, done.output[-3000:]


@pytest.mark.parametrize("size", [1, 2])
def test_failed_and_unreachable_together_end_with_the_status_of_unreachable(fleet, size):
    """So 4 says nothing about the gates of the others; with a batch of one, the first that is lost ends the play."""
    done = fleet({"serial": size, "tasks": [LOOK, AFTERWARDS]}, ["away", "near_failing"])
    assert done.status == 4, done.output[-3000:]
    if size == 2:
        assert (done.recap["near_failing"]["failed"], done.recap["away"]["unreachable"]) == (1, 1)


def test_a_failed_gate_can_be_rescued_and_tags_of_a_play_hold_for_the_gate_too(fleet, playbooks):
    """The play that rescues is the guide's."""
    facts = {
        "name": "It is known what failed",
        "ansible.builtin.assert": {
            "that": [
                "ansible_failed_result.error.reason == 'gate_failed'",
                "not scan_gate.gate.passed",
                "scan_result.run_dir is directory",
                "scan_result.counts.scanned == 2",
            ]
        },
    }
    role = {"role": "securescan.kubernetes.scan", "tags": ["nightly"]}
    (guide,) = re.findall(
        r"```yaml\n(- name: Scan, and open a ticket.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    (play,) = yaml.safe_load(guide)
    play["tasks"][0]["rescue"].append(facts)
    retry = {"ANSIBLE_RETRY_FILES_ENABLED": "1", "ANSIBLE_RETRY_FILES_SAVE_PATH": str(playbooks.folder)}
    rescued = fleet(
        {"tasks": [*play["tasks"], AFTERWARDS]},
        ["near"],
        environ=retry,
        scan_threshold=CLOSED,
        **ONE_WORKLOAD,
    )
    assert rescued.status == 0, rescued.output[-4000:]
    assert not (playbooks.folder / "play.retry").exists(), "what was found is not tried again"
    assert rescued.recap["near"]["rescued"] == 1 and "afterwards on near" in rescued.output
    tagged = fleet(
        {"roles": [role], "tasks": [AFTERWARDS]},
        ["near"],
        "--tags",
        "nightly",
        scan_threshold=CLOSED,
        **ONE_WORKLOAD,
    )
    assert tagged.status == 2, tagged.output[-3000:]
    assert (tagged.recap["near"]["failed"], tagged.recap["near"]["unreachable"]) == (1, 0)
    assert "SCAN-804" in tagged.output and "afterwards on" not in tagged.output
    skipped = fleet(
        {"roles": [role], "tasks": [AFTERWARDS]}, ["near"], "--skip-tags", "nightly", **ONE_WORKLOAD
    )
    assert (skipped.status, skipped.recap["near"]["ok"]) == (0, 1), skipped.output[-2000:]
