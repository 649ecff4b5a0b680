# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushes as an operator makes them: by the playbook and by the role, with values as surveys send them, and no secret in -vvvv."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.https_server import FakeHttpsServer
from ansible_collections.securescan.kubernetes.tests.support.pushes import wide_run
from ansible_collections.securescan.kubernetes.tests.support.webhook_receiver import WebhookReceiver

TOKEN, SECRET = "token-sesame-4711", "secret-sesame-4711"


@pytest.fixture
def receiver(https_server: FakeHttpsServer) -> WebhookReceiver:
    receiver = WebhookReceiver(SECRET.encode(), TOKEN)
    https_server.answer = receiver.answer
    return receiver


@pytest.fixture
def sinks(https_server: FakeHttpsServer, authority: Authority) -> list[dict[str, Any]]:
    """The first one is down."""
    up = {
        "system": "webhook",
        "url": https_server.url + "/scans",
        "token": TOKEN,
        "signing_secret": SECRET,
        "ca_cert": str(authority.ca),
        "statuses": "failed, profile_error",
        "batch_items": "2",
        "only_changed": "yes",
    }
    return [{**up, "url": "https://127.0.0.1:1/scans", "retries": "0"}, up]


def play(folder: pathlib.Path, playbook: str, *arguments: str, **variables: Any) -> tuple[int, str]:
    host = {
        "ansible_python_interpreter": sys.executable,
        "scan_output_dir": str(folder),
        "scan_run_dir": str(folder / "demo" / "night-0"),
        **variables,
    }
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"demo": host}}}), encoding="utf-8")
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [str(program), f"securescan.kubernetes.{playbook}", "-i", str(inventory), *arguments],
        cwd=folder,
        check=False,
        text=True,
        capture_output=True,
        timeout=120,
        env={**os.environ, "HOME": str(folder), "ANSIBLE_NOCOLOR": "1"},
    )
    return done.returncode, done.stdout + done.stderr


def test_one_that_is_down_costs_the_other_nothing_and_no_secret_is_shown(
    tmp_path: pathlib.Path, receiver: WebhookReceiver, sinks: list[dict[str, Any]]
) -> None:
    wide_run(tmp_path, 4)
    status, output = play(tmp_path, "push", "--check", "--diff", scan_push=json.dumps(sinks))
    assert status == 0, output
    assert not receiver.items and "webhook, demo: would send 2 items" in output
    assert "+created  demo/shop/Deployment/api0/app c-root" in output
    status, output = play(tmp_path, "push", "-vvvv", scan_push=json.dumps(sinks))
    assert status == 2, output
    assert {item["content"]["status"] for item in receiver.items.values()} == {"failed"}
    assert len(receiver.items) == 2
    assert "webhook, demo: 2 sent" in output and "2 kept for the next push" in output
    assert "SCAN-202 unreachable" in output
    kept = b"".join(path.read_bytes() for path in (tmp_path / "demo" / ".push").iterdir())
    for secret in (TOKEN, SECRET):
        assert secret not in output and secret.encode() not in kept
    status, output = play(tmp_path, "push", scan_push=sinks[1:], scan_push_state="flush")
    assert (status, len(receiver.items)) == (0, 2), output


def test_a_report_of_the_role_says_what_did_not_arrive_and_does_not_fail(
    tmp_path: pathlib.Path, receiver: WebhookReceiver, sinks: list[dict[str, Any]]
) -> None:
    wide_run(tmp_path, 2, failed=[])
    sinks = [{**sink, "statuses": ["passed"]} for sink in sinks]
    status, output = play(tmp_path, "report", scan_push=sinks, scan_fail_on="never")
    assert status == 0, output
    assert len(receiver.items) == 6
    assert "SCAN-861 push_incomplete" in output and TOKEN not in output


def test_a_mistake_in_the_list_is_told_by_name(
    tmp_path: pathlib.Path, receiver: WebhookReceiver, sinks: list[dict[str, Any]]
) -> None:
    wide_run(tmp_path, 1)
    wrong = [{"urll": "x"}, {"batch_items": "many"}, {"system": "nowhere"}, {"product": "x"}]
    status, output = play(tmp_path, "push", scan_push=[{**sinks[1], **one} for one in wrong])
    assert status == 2 and not receiver.items
    for message in (
        "urll",
        "batch_items must be a whole number",
        "system cannot be 'nowhere'",
        "webhook has no option product",
    ):
        assert message in output, output
    assert TOKEN not in output
