# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DefectDojo by its published contract (tests/support/fake_defectdojo.py)."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.fake_defectdojo import TOKEN, FakeDefectDojo
from ansible_collections.securescan.kubernetes.tests.support.https_server import (
    FakeHttpsServer,
)
from ansible_collections.securescan.kubernetes.tests.support.pushes import (
    FAULTS,
    Faults,
    push,
    push_and_kill,
    wide_run,
)
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target

API, WEB = target("api-1"), target("web-1")


@pytest.fixture
def dojo(https_server: FakeHttpsServer) -> FakeDefectDojo:
    dojo = FakeDefectDojo()
    https_server.answer = dojo.answer
    return dojo


@pytest.fixture
def params(https_server: FakeHttpsServer, authority: Authority) -> dict[str, Any]:
    return {
        "system": "defectdojo",
        "url": https_server.url,
        "ca_cert": str(authority.ca),
        "token": TOKEN,
        "retries": 20,
    }


def test_what_fails_is_there_and_what_is_mended_is_closed(
    tmp_path: pathlib.Path, dojo: FakeDefectDojo, params: dict[str, Any]
) -> None:
    nights = Nights(tmp_path)
    push(**params, run_dir=nights.scan(0, {API: {"c-root": "failed", "c-shell": "failed"}, WEB: {}}).folder)
    assert len(dojo.active) == 2
    push(**params, run_dir=nights.scan(1, {API: {"c-root": "failed"}, WEB: {}}).folder)
    assert len(dojo.active) == 1 and len(dojo.tests) == 1, "it is the same test"
    assert dojo.forms[1]["close_old_findings"] == "true"
    assert {dojo.forms[1][name] for name in ("product_name", "build_id")} == {"demo", "night-1"}


def test_a_run_of_another_profile_closes_nothing(
    tmp_path: pathlib.Path, dojo: FakeDefectDojo, params: dict[str, Any]
) -> None:
    nights = Nights(tmp_path)
    push(**params, run_dir=nights.scan(0, {API: {"c-root": "failed"}}).folder)
    push(**params, run_dir=nights.scan(1, {API: {}}, profile="extra", controls=["c-x"]).folder)
    assert dojo.forms[1]["close_old_findings"] == "false" and len(dojo.active) == 1
    push(**params, run_dir=nights.scan(2, {API: {}}).folder)
    assert dojo.forms[2]["close_old_findings"] == "true" and not dojo.active


@pytest.mark.parametrize(
    "unseen", ["not scanned", "not reviewed", "profile error", "narrower", "changed document"]
)
def test_what_was_not_seen_is_not_closed(
    tmp_path: pathlib.Path, dojo: FakeDefectDojo, params: dict[str, Any], unseen: str
) -> None:
    nights = Nights(tmp_path)
    push(**params, run_dir=nights.scan(0, {API: {"c-root": "failed"}, WEB: {}}).folder)
    assert len(dojo.active) == 1
    second = {
        "not scanned": lambda: nights.scan(1, {WEB: {}}, missing=[API]),
        "not reviewed": lambda: nights.scan(1, {API: {"c-root": "skipped"}, WEB: {}}),
        "profile error": lambda: nights.scan(1, {API: {"c-root": "error"}, WEB: {}}),
        "narrower": lambda: nights.scan(1, {WEB: {}}, selection={"namespaces": ["*"], "pods": ["web-*"]}),
        "changed document": lambda: nights.scan(1, {API: {}, WEB: {}}),
    }[unseen]()
    if unseen == "changed document":
        path = pathlib.Path(second.folder) / second.targets[0].hdf
        path.write_bytes(path.read_bytes().replace(b"passed", b"failed"))
    push(**params, run_dir=second.folder)
    assert len(dojo.active) == 1
    push(**params, run_dir=nights.scan(2, {API: {}, WEB: {}}).folder)
    assert not dojo.active


def test_a_thousand_places_with_faults_and_a_kill_are_there_once(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, dojo: FakeDefectDojo, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 1000)
    faults = Faults(share=0.6, seconds=6)
    https_server.answer = faults.around(dojo.answer)
    ended = push_and_kill(
        {**params, "timeout": 2.0, "run_dir": run.folder}, kill_when=lambda: bool(https_server.received)
    )
    assert ended.kills == 1 and set(faults.happened) <= set(FAULTS)
    assert len(dojo.active) == 500


def test_another_token_is_refused_and_not_shown(
    tmp_path: pathlib.Path, dojo: FakeDefectDojo, params: dict[str, Any]
) -> None:
    result = push(**{**params, "token": "a-wrong-token-4711"}, run_dir=wide_run(tmp_path, 2).folder)
    assert result["failed"] and "SCAN-205 not_permitted" in result["error"]["message"]
    assert "a-wrong-token-4711" not in str(result) and not dojo.forms
