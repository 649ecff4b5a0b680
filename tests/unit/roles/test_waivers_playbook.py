# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook waivers as an operator runs it: table, report, exit status, check mode, values as surveys send them."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

TODAY = datetime.datetime.now(datetime.timezone.utc).date()


def day(days: int) -> str:
    return (TODAY + datetime.timedelta(days=days)).isoformat()


WAIVERS = {
    "c-bad": {
        "justification": "known",
        "run": False,
        "expiration_date": day(20),
        "requested_by": "ann",
        "requested": day(-10),
        "approved_by": "security",
        "approved": day(-9),
        "ticket": "RISK-17",
        "targets": [{"namespace": "shop"}],
    },
    "c-old": {"justification": "old | <b>", "run": False, "expiration_date": day(-2)},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A run of the host edge, and a file of waivers."""
    folder = tmp_path_factory.mktemp("waivers")
    target = make_target(cluster="edge")
    controls = make_control("c-bad", "failed"), make_control("c-old", "failed")
    write_run(
        folder / "results" / "edge", "run-1", [(target, make_document(target, *controls))], cluster="edge"
    )
    (folder / "waivers.json").write_text(json.dumps(WAIVERS), encoding="utf-8")
    return folder


def play(folder: pathlib.Path, *arguments: str, **variables: Any) -> tuple[int, str]:
    host = {
        "ansible_python_interpreter": sys.executable,
        "scan_output_dir": str(folder / "results"),
        "scan_waivers": str(folder / "waivers.json"),
        **variables,
    }
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"edge": host}}}), encoding="utf-8")
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [str(program), "securescan.kubernetes.waivers", "-i", str(inventory), *arguments],
        cwd=folder,
        check=False,
        text=True,
        capture_output=True,
        timeout=120,
        env={**os.environ, "HOME": str(folder), "ANSIBLE_NOCOLOR": "1"},
    )
    return done.returncode, done.stdout + done.stderr


def test_it_prints_what_needs_somebody_writes_the_report_and_fails(folder: pathlib.Path) -> None:
    report = folder / "review.md"
    status, output = play(folder, scan_waivers_report=str(report))
    assert status == 2, output
    assert "EXCEPTIONS  2 of 2 waivers and attestations need action: 1 expired, 1 expiring" in output
    assert f"expired: expired on {day(-2)}" in output
    assert f"expiring: ends in 20 days, on {day(20)}" in output
    assert "SCAN-891" in output
    text = report.read_text(encoding="utf-8")
    assert "old \\| \\<b\\>" in text or "old \\| &lt;b&gt;" in text, text
    assert f"| security {day(-9)} | RISK-17 | 9 days |" in text.replace("\\-", "-")


def test_check_mode_writes_nothing_and_values_of_surveys_are_read(folder: pathlib.Path) -> None:
    report = folder / "other.md"
    status, output = play(
        folder,
        "--check",
        scan_waivers_report=str(report),
        scan_waivers_expiring_days="14",
        scan_waivers_kinds="expiring, unused",
        scan_waivers_wide_places="",
        scan_waivers_fail_on="",
        scan_attestations="",
        scan_exception_policy="",
    )
    assert status == 0, output
    assert "2 waivers and attestations, and none needs action" in output
    assert f"would write {report}" in output and not report.exists()


def test_a_policy_is_a_file_and_a_bad_one_is_refused_before_anything(folder: pathlib.Path) -> None:
    policy = folder / "policy.yml"
    policy.write_text("approvers: [bob]\n", encoding="utf-8")
    _status, output = play(folder, scan_exception_policy=str(policy), scan_waivers_fail_on="never")
    assert _status == 0 and "security approved it, who is not among the approvers" in " ".join(output.split())
    policy.write_text("aprovers: [bob]\n", encoding="utf-8")
    status, output = play(folder, scan_exception_policy=str(policy))
    assert status == 2 and "SCAN-890" in output and "EXCEPTIONS" not in output
