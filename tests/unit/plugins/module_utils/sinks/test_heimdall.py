# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heimdall by its published contract and its traps (tests/support/fake_heimdall.py)."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.fake_heimdall import (
    API_KEY,
    EMAIL,
    PASSWORD,
    FakeHeimdall,
)
from ansible_collections.securescan.kubernetes.tests.support.https_server import FakeHttpsServer
from ansible_collections.securescan.kubernetes.tests.support.pushes import (
    FAULTS,
    Faults,
    push,
    push_and_kill,
    wide_run,
)

KEY = {"token": API_KEY}
LOGIN = {"username": EMAIL, "password": PASSWORD}


@pytest.fixture
def heimdall(https_server: FakeHttpsServer) -> FakeHeimdall:
    heimdall = FakeHeimdall()
    https_server.answer = heimdall.answer
    return heimdall


@pytest.fixture
def params(https_server: FakeHttpsServer, authority: Authority) -> dict[str, Any]:
    return {"system": "heimdall", "url": https_server.url, "ca_cert": str(authority.ca), "retries": 20}


def names(heimdall: FakeHeimdall) -> list[str]:
    return sorted(one["filename"] for one in heimdall.evaluations)


def test_a_thousand_evaluations_with_faults_and_a_kill_are_there_once(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, heimdall: FakeHeimdall, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 1000)
    faults = Faults(share=0.1)
    https_server.answer = faults.around(heimdall.answer)
    ended = push_and_kill(
        {**params, **KEY, "run_dir": run.folder, "batch_items": 20},
        kill_when=lambda: len(heimdall.evaluations) >= 400,
    )
    assert ended.kills == 1 and set(faults.happened) == set(FAULTS)
    assert names(heimdall) == sorted(pathlib.Path(one.hdf).name for one in run.targets)
    assert len(heimdall.evaluations) == 1000
    assert sum(result["already_there"] for result in ended.results) > 0


def test_batches_keep_to_the_limits_of_the_server(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, heimdall: FakeHeimdall, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 101)
    result = push(**params, **KEY, run_dir=run.folder, tags=["prod", "nightly"])
    assert (result["delivered"], len(heimdall.evaluations)) == (101, 101)
    tags = [tag["value"] for tag in heimdall.evaluations[100]["evaluationTags"]]
    assert tags == ["run:night-0", "prod", "nightly"]
    assert heimdall.evaluations[100]["filename"] == pathlib.Path(run.targets[100].hdf).name
    assert heimdall.evaluations[0]["data"] == json.loads(
        (pathlib.Path(run.folder) / run.targets[0].hdf).read_bytes()
    )


def test_what_another_machine_sent_is_not_sent_again(
    tmp_path: pathlib.Path, heimdall: FakeHeimdall, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 5)
    push(**params, **KEY, run_dir=run.folder)
    other = push(**params, **KEY, run_dir=run.folder, spool_dir=str(tmp_path / "elsewhere"))
    assert (other["delivered"], other["already_there"], len(heimdall.evaluations)) == (0, 5, 5)
    second = push(**params, **KEY, run_dir=wide_run(tmp_path, 5, 1).folder)
    assert (second["delivered"], len(heimdall.evaluations)) == (5, 10), "another run has other results"


def test_who_logs_in_can_name_groups_and_goes_on_when_the_session_is_over(
    tmp_path: pathlib.Path, heimdall: FakeHeimdall, params: dict[str, Any]
) -> None:
    heimdall.session_seconds = 0.2
    run = wide_run(tmp_path, 60)
    result = push(**params, **LOGIN, run_dir=run.folder, groups=["shop"], batch_items=2)
    assert result["delivered"] == 60 and result["error" if result.get("failed") else "refused"] == 0
    assert {tuple(one["groups"]) for one in heimdall.evaluations} == {("3",)}
    assert 1 < heimdall.logins <= 20
    wrong = push(**params, **LOGIN, run_dir=wide_run(tmp_path, 2, 1).folder, groups=["pay"])
    assert "we are in no group 'pay'" in wrong["error"]["message"] and wrong["spooled"] == 2


def test_a_wrong_credential_is_told_and_never_shown(
    tmp_path: pathlib.Path, heimdall: FakeHeimdall, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 2)
    result = push(**params, username=EMAIL, password="not-the-password", run_dir=run.folder)
    assert (result["failed"], result["spooled"]) == (True, 2)
    assert "SCAN-204 not_authenticated" in result["error"]["message"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "demo" / ".push").iterdir())
    assert b"not-the-password" not in kept and "not-the-password" not in json.dumps(result)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "either token"),
        ({**KEY, **LOGIN}, "either token"),
        ({"username": EMAIL}, "belong together"),
        ({**KEY, "groups": ["shop"]}, "only who logs in can look up names"),
        ({**KEY, "tags": ["a,b"]}, "cannot hold a comma"),
        ({**KEY, "statuses": ["failed"]}, "heimdall has no option statuses"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(
    tmp_path: pathlib.Path,
    https_server: FakeHttpsServer,
    params: dict[str, Any],
    wrong: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ScanError, match=message):
        push(**params, **wrong, run_dir=wide_run(tmp_path, 1).folder)
    assert not https_server.received
