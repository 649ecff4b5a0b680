# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eMASS by its published contract (tests/support/fake_emass.py)."""

from __future__ import annotations

import json
import pathlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.fake_emass import API_KEY, USER, FakeEmass
from ansible_collections.securescan.kubernetes.tests.support.https_server import (
    Answer,
    FakeHttpsServer,
    Received,
)
from ansible_collections.securescan.kubernetes.tests.support.pushes import (
    FAULTS,
    Faults,
    push,
    push_and_kill,
    wide_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run


@pytest.fixture
def server(authority: Authority) -> Iterator[FakeHttpsServer]:
    with FakeHttpsServer(authority, client_ca=True) as running:
        yield running


@pytest.fixture
def emass(server: FakeHttpsServer) -> FakeEmass:
    emass = FakeEmass()
    server.answer = emass.answer
    return emass


@pytest.fixture
def params(server: FakeHttpsServer, authority: Authority) -> dict[str, Any]:
    own = authority.client("scanner")
    return {
        "system": "emass",
        "url": server.url,
        "ca_cert": str(authority.ca),
        "client_cert": str(own.certificate),
        "client_key": str(own.key),
        "token": API_KEY,
        "system_id": 35,
        "user_uid": USER,
        "retries": 20,
    }


def test_containers_with_faults_and_a_kill_are_there(
    tmp_path: pathlib.Path, server: FakeHttpsServer, emass: FakeEmass, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 200)
    faults = Faults(share=0.1)
    server.answer = faults.around(emass.answer)
    ended = push_and_kill(
        {**params, "run_dir": run.folder, "batch_items": 4}, kill_when=lambda: len(emass.containers) >= 80
    )
    assert ended.kills == 1 and set(faults.happened) == set(FAULTS)
    assert set(emass.containers) == {one.target_id for one in run.targets}


def test_each_status_is_said_and_what_was_not_scanned_is_not(
    tmp_path: pathlib.Path, emass: FakeEmass, params: dict[str, Any]
) -> None:
    run = write_sample_run(tmp_path)
    result = push(**params, run_dir=run.folder, benchmarks={"baseline": "CONTAINER_STIG"})
    assert (result["delivered"], result["refused"]) == (sum(one.is_scanned for one in run.targets), 0)
    said = Counter(
        each["status"]
        for one in emass.containers.values()
        for benchmark in one["benchmarks"]
        for each in benchmark["results"]
    )
    words = {
        "passed": "Pass",
        "failed": "Fail",
        "not_reviewed": "Not Reviewed",
        "not_applicable": "Not Applicable",
        "profile_error": "Other",
    }
    assert said == {word: run.controls.of(status) for status, word in words.items()}
    names = {benchmark["benchmark"] for one in emass.containers.values() for benchmark in one["benchmarks"]}
    assert names == {"CONTAINER_STIG", "extra"}
    assert "\x1b" not in json.dumps(list(emass.containers.values()), ensure_ascii=False)


def test_a_container_that_is_refused_is_told_by_itself(
    tmp_path: pathlib.Path, server: FakeHttpsServer, emass: FakeEmass, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 5)

    def partly(request: Received) -> Answer:
        answer = json.loads(emass.answer(request).body)
        for one in answer["data"]:
            if "/api3-1/" in one["containerId"]:
                one.update(success=False, errors=[f"locked by {API_KEY}"])
        return Answer(200, json.dumps(answer).encode())

    server.answer = partly
    result = push(**params, run_dir=run.folder)
    assert (result["delivered"], result["refused"]) == (4, 1)
    assert "locked by ***" in result["deliveries"][0]["refusals"][0]["error"]["message"]
    assert API_KEY not in json.dumps(result)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"token": None}, "token is needed"),
        ({"system_id": None}, "system_id is needed"),
        ({"user_uid": None}, "user_uid is needed"),
        ({"client_cert": None, "client_key": None}, "client_cert is needed"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_sent(
    tmp_path: pathlib.Path, params: dict[str, Any], wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScanError, match=message):
        push(**{**params, **wrong}, run_dir=str(tmp_path))
